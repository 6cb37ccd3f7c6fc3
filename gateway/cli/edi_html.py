"""A file as one HTML page: self-contained, no script, light and dark; loops fold, findings stand where they are wrong.

It is written as the events come; the summary, known last, is moved to the top by the style sheet alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from gateway.cli.edi_json import party
from gateway.cli.edi_placed import in_place, part_of, raw_segments
from gateway.cli.edi_window import Window
from gateway.cli.printable import printable
from gateway.edi import outline
from gateway.edi.delimiters import STANDARD, Delimiters
from gateway.edi.interchange import Event, GroupEnd, GroupStart, InterchangeEnd, InterchangeStart, combined
from gateway.edi.tree import Message, Verdict
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace, Finding

if TYPE_CHECKING:
    from gateway.cli.edi_reading import Reading

WORDS = {
    Verdict.ACCEPTED: "accepted",
    Verdict.ACCEPTED_WITH_ERRORS: "accepted with errors",
    Verdict.REJECTED: "rejected",
}
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class Page:
    """Writes one page, piece by piece."""

    def __init__(self, name: str, how: Reading, window: Window, write: Callable[[str], object]) -> None:
        self._name = name
        self._how = how
        self._window = window
        self._write = write
        self._delimiters: Delimiters = STANDARD
        self._charset = "utf-8"
        self._open = 0
        """Elements `details` that are open around what is written next."""
        self._messages = dict.fromkeys(Verdict, 0)
        self._found = 0
        self._verdicts: set[Verdict] = set()
        self._start: InterchangeStart | None = None

    def write(self) -> bool:
        """Write the page; whether the file could be read to its end."""
        style = resources.files("gateway.cli").joinpath("edi_page.css").read_text(encoding="utf-8")
        self._write(
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{_safe(self._name)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        )
        whole = True
        try:
            for event in self._how.events(self._window):
                self._event(event)
        except PartnerFault as fault:
            whole = False
            self._close(0)
            self._verdicts.add(Verdict.REJECTED)
            self._findings((*(self._start.findings if self._start else ()), *fault.findings))
        self._summary(combined(self._verdicts))
        self._write("</body>\n</html>\n")
        return whole

    def _event(self, event: Event) -> None:
        match event:
            case InterchangeStart():
                self._start, self._delimiters, self._charset = event, event.delimiters, event.charset
                parties = (
                    f"{party(event.sender_qualifier, event.sender)} → {party(event.receiver_qualifier, event.receiver)}"
                )
                kind = "test" if event.test else "production"
                self._details("interchange", "Interchange", event.control_number)
                self._write(f"<span>{_safe(parties)}</span><i>{event.standard} {_safe(event.version)}, {kind}</i>")
                self._write("</summary>\n")
            case GroupStart() if event.functional_id or event.control_number:
                self._details("group", f"Group {event.functional_id}", event.control_number)
                self._write(f"<i>version {_safe(event.version)}</i></summary>\n")
            case GroupStart():
                self._details("group", "Messages", "")
                self._write("</summary>\n")
            case Message():
                self._message(event)
                self._window.forget(event.offset)
            case GroupEnd():
                self._findings(event.findings)
                self._close(1)
            case InterchangeEnd():
                self._start = None
                self._verdicts.add(event.outcome)
                self._findings(event.findings)
                self._close(0)
            case _:
                pass

    def _details(self, kind: str, title: str, number: str) -> None:
        self._write(f'<details open class="{kind}"><summary><b>{_safe(title)} {_safe(number)}</b>')
        self._open += 1

    def _close(self, down_to: int) -> None:
        while self._open > down_to:
            self._write("</details>\n")
            self._open -= 1

    def _message(self, message: Message) -> None:
        guide = self._how.guides.find(message.version, message.type)
        self._messages[message.outcome] += 1
        self._details("message", message.type, message.control_number)
        label = guide.label if guide is not None else "no guide: the segments as they came"
        self._write(f"<span>{_safe(label)}</span><i>{message.segments:,} segments</i>{_badge(message.outcome)}")
        self._write("</summary>\n")
        general, placed = in_place(message)
        self._findings(general)
        level = self._open
        if guide is None:
            for position, raw in enumerate(raw_segments(message, self._window, self._delimiters), 1):
                text = raw.decode(self._charset, "replace")
                self._write(f'<div class="s"><span class="n">{position}</span><code>{_safe(text)}</code></div>\n')
        else:
            for line in outline.lines(message, guide):
                self._line(line, level, placed)
        self._close(level - 1)

    def _line(self, line: outline.Line, level: int, placed: Mapping[int, list[Finding]]) -> None:
        self._close(level + line.depth - (1 if line.loop else 0))
        found = placed.get(line.position, [])
        row = (
            f'<span class="n">{line.position}</span><code class="t">{_safe(line.tag)}</code>'
            + (f'<span class="g">{_safe(line.group)}</span>' if line.group else "")
            + f'<span class="w">{_safe(line.label)}</span>'
            + "".join(f'<span class="e"><i>{_safe(key)}</i> {_safe(value)}</span>' for key, value in line.values)
        )
        wrong = " wrong" if found else ""
        if line.loop:
            self._write(f'<details open class="loop"><summary class="s{wrong}">{row}</summary>\n')
            self._open += 1
        else:
            self._write(f'<div class="s{wrong}">{row}</div>\n')
        self._findings(found)

    def _findings(self, findings: tuple[Finding, ...] | list[Finding]) -> None:
        for one in findings:
            self._found += 1
            place = one.place
            where = f"{part}: " if isinstance(place, EdiPlace) and (part := part_of(place)) else ""
            self._write(
                f'<div class="f {one.severity.value}" id="f{self._found}" title="{_safe(str(place))}">'
                f"<b>{_safe(where + one.said)}</b> expected {_safe(one.wanted)}"
                f"<br>{_safe(one.fix)} <code>{_safe(one.rule)}</code></div>\n"
            )

    def _summary(self, outcome: Verdict) -> None:
        counts = ", ".join(
            f"{count:,} {'message' if count == 1 else 'messages'} {WORDS[verdict]}"
            for verdict, count in self._messages.items()
            if count
        )
        links = "".join(f'<a href="#f{number}">{number}</a>' for number in range(1, min(self._found, 100) + 1))
        listed = f"<nav>{self._found:,} finding{'' if self._found == 1 else 's'}: {links}</nav>" if self._found else ""
        self._write(
            f"<header><h1>{_safe(self._name)}{_badge(outcome)}</h1><p>{counts or 'no message'}</p>{listed}</header>\n"
        )


def _badge(outcome: Verdict) -> str:
    return f'<mark class="{outcome.value}">{WORDS[outcome]}</mark>'


def _safe(text: str) -> str:
    """What a partner sent, as text in a page and nothing else."""
    return escape(printable(text), quote=True)
