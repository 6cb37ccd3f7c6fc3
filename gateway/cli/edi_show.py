"""`gateway edi show`: messages indented by loop, with labels and findings in place; as text, or as one HTML page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from gateway.cli.answers import COLOURS, FINDINGS, answering
from gateway.cli.edi_check import MARKS, VERDICTS
from gateway.cli.edi_files import blocks, sources
from gateway.cli.edi_html import Page
from gateway.cli.edi_json import party, standard_of
from gateway.cli.edi_placed import in_place, raw_segments
from gateway.cli.edi_progress import Meter
from gateway.cli.edi_reading import Charset, File, Partner, Reading, Tolerate, Workspace, reading
from gateway.cli.edi_window import Window
from gateway.cli.printable import printable
from gateway.edi import outline
from gateway.edi.delimiters import STANDARD, Delimiters
from gateway.edi.interchange import Event, GroupEnd, GroupStart, InterchangeEnd, InterchangeStart
from gateway.edi.tree import Message
from gateway.errors import OurFault, PartnerFault
from gateway.findings import EdiPlace, Finding

STEM = "│ "
AsHtml = Annotated[bool, typer.Option("--html", help="One self-contained HTML page.")]
Raw = Annotated[bool, typer.Option("--raw", help="The segments as they came, instead of labels and values.")]


def show(
    file: File,
    *,
    html: AsHtml = False,
    raw: Raw = False,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Workspace = Path(),
) -> None:
    """Show a file's messages, indented by loop, with labels, EDIFACT's group names, and what is wrong in its place.

    HL and CPS hang below their parents. Exit code 1 only when the file cannot be read to its end as EDI.

    Example: gateway edi show in/order.edi --html > order.html
    """
    with answering():
        if html and raw:
            raise OurFault("--html and --raw exclude each other", remedy="the page shows the segments as well")
        how = reading(tolerate, charset, partner, workspace)
        (source, *more) = sources([file])
        if more:
            raise OurFault(f"{file} names {len(more) + 1} files", remedy="name one file")
        window: Window
        with Meter([source]) as meter:
            window = Window(blocks(source, meter.add), unwrapped=how.tolerances.wrapped_lines)
            if html:
                whole = Page(source.name, how, window, sys.stdout.write).write()
            else:
                whole = _text(Console(soft_wrap=True, highlight=False), how, window, raw=raw)
    if not whole:
        raise typer.Exit(FINDINGS)


def _text(console: Console, how: Reading, window: Window, *, raw: bool) -> bool:
    """Print the events; whether the file could be read to its end."""
    shown = _Text(console, how, window, raw=raw)
    start: InterchangeStart | None = None
    try:
        for event in how.events(window):
            start = event if isinstance(event, InterchangeStart) else start
            shown.event(event)
            start = None if isinstance(event, InterchangeEnd) else start
    except PartnerFault as fault:
        shown.findings((*(start.findings if start else ()), *fault.findings), "")
        return False
    return True


class _Text:
    """Prints events for a terminal."""

    def __init__(self, console: Console, how: Reading, window: Window, *, raw: bool) -> None:
        self._console = console
        self._how = how
        self._window = window
        self._raw = raw
        self._delimiters: Delimiters = STANDARD

    def event(self, event: Event) -> None:
        match event:
            case InterchangeStart():
                self._delimiters = event.delimiters
                sender = party(event.sender_qualifier, event.sender)
                receiver = party(event.receiver_qualifier, event.receiver)
                kind = "test" if event.test else "production"
                line = Text(f"interchange {printable(event.control_number)}", style="bold")
                line.append(printable(f"  {sender} → {receiver}"), "not bold")
                line.append(f"  {standard_of(event)} {printable(event.version)}, {kind}", "not bold dim")
                self._console.print(line)
            case GroupStart() if event.functional_id or event.control_number:
                line = Text(f"  group {printable(event.functional_id)} {printable(event.control_number)}", "bold")
                line.append(f"  version {printable(event.version)}", "not bold dim")
                self._console.print(line)
            case Message():
                self._message(event)
                self._window.forget(event.offset)
            case GroupEnd():
                self.findings(event.findings, "  ")
            case InterchangeEnd():
                self.findings(event.findings, "")
            case _:
                pass

    def findings(self, findings: tuple[Finding, ...], indent: str) -> None:
        for one in findings:
            self._console.print(
                Text.assemble(indent, (f"{MARKS[one.severity]}: ", COLOURS[one.severity]), printable(one.text))
            )

    def _message(self, message: Message) -> None:
        guide = self._how.guides.find(message.version, message.type)
        word, style = VERDICTS[message.outcome]
        line = Text(f"    {printable(message.type)} {printable(message.control_number)}", style="bold")
        line.append(f"  {guide.label}  " if guide else "  no guide, its segments as they came  ", "not bold dim")
        line.append(word, style)
        self._console.print(line)
        general, placed = in_place(message)
        self.findings(general, "      ")
        if guide is None:
            for position, piece in enumerate(raw_segments(message, self._window, self._delimiters), 1):
                self._console.print(Text(f"{position:6}  {_decoded(piece, self._how)}"))
            return
        for one in outline.lines(message, guide):
            self._line(one)
            for found in placed.get(one.position, ()):
                self._finding(found, one.depth)

    def _line(self, line: outline.Line) -> None:
        shown = Text.assemble((f"{line.position:6}  ", "dim"), (STEM * line.depth, "dim"))
        if self._raw:
            raw = self._window.segment(line.segment.offset, self._delimiters)[1]
            shown.append(_decoded(raw, self._how), "bold cyan" if line.loop else "")
        else:
            shown.append(f"{printable(line.tag):3}", "bold cyan" if line.loop else "cyan")
            if line.group:
                shown.append(f" {line.group}", "magenta")
            shown.append(f" {line.label}", "bold" if line.loop else "")
            for label, value in line.values:
                shown.append(f"  {printable(label)} ", "dim")
                shown.append(printable(value))
        self._console.print(shown)

    def _finding(self, found: Finding, depth: int) -> None:
        place = found.place
        where = f"element {place.element:02d}: " if isinstance(place, EdiPlace) and place.element else ""
        said = printable(f"{where}{found.said}; expected {found.wanted} [{found.rule}]")
        self._console.print(
            Text.assemble(
                "        ", (STEM * depth, "dim"), (f"{MARKS[found.severity]}: ", COLOURS[found.severity]), said
            )
        )


def _decoded(raw: bytes, how: Reading) -> str:
    return printable(raw.decode(how.charset or "utf-8", "replace").replace("\n", "⏎"))
