"""`gateway edi show`: messages indented by loop, with labels and findings in place; as text, or as one HTML page."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import COLOURS, FINDINGS, answering
from gateway.cli.edi_check import MARKS, VERDICTS
from gateway.cli.edi_files import blocks, sources
from gateway.cli.edi_html import Page
from gateway.cli.edi_ink import Ink
from gateway.cli.edi_json import party
from gateway.cli.edi_placed import in_place, part_of, raw_segments
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
            if html and isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # as the page declares, whatever the terminal has
            page = Page(source.name, how, window, sys.stdout.write)
            whole = page.write() if html else _text(how, window, raw=raw)
    if not whole:
        raise typer.Exit(FINDINGS)


def _text(how: Reading, window: Window, *, raw: bool) -> bool:
    """Print the events; whether the file could be read to its end."""
    shown = _Text(how, window, raw=raw)
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

    def __init__(self, how: Reading, window: Window, *, raw: bool) -> None:
        self._ink = Ink()
        self._how = how
        self._window = window
        self._raw = raw
        self._delimiters: Delimiters = STANDARD
        self._charset = "utf-8"

    def event(self, event: Event) -> None:
        ink = self._ink
        match event:
            case InterchangeStart():
                self._delimiters, self._charset = event.delimiters, event.charset
                sender = party(event.sender_qualifier, event.sender)
                receiver = party(event.receiver_qualifier, event.receiver)
                kind = "test" if event.test else "production"
                ink.line(
                    ink(f"interchange {printable(event.control_number)}", "bold"),
                    printable(f"  {sender} → {receiver}"),
                    ink(f"  {event.standard} {printable(event.version)}, {kind}", "dim"),
                )
            case GroupStart() if event.functional_id or event.control_number:
                ink.line(
                    ink(f"  group {printable(event.functional_id)} {printable(event.control_number)}", "bold"),
                    ink(f"  version {printable(event.version)}", "dim"),
                )
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
            mark = self._ink(f"{MARKS[one.severity]}: ", COLOURS[one.severity])
            self._ink.line(indent, mark, printable(f"{one.text}. {one.fix} [{one.rule}]"))

    def _message(self, message: Message) -> None:
        ink = self._ink
        guide = self._how.guides.find(message.version, message.type)
        word, style = VERDICTS[message.outcome]
        ink.line(
            ink(f"    {printable(message.type)} {printable(message.control_number)}", "bold"),
            ink(f"  {guide.label}  " if guide else "  no guide, its segments as they came  ", "dim"),
            ink(word, style),
        )
        general, placed = in_place(message)
        self.findings(general, "      ")
        if guide is None:
            for position, piece in enumerate(raw_segments(message, self._window, self._delimiters), 1):
                ink.line(ink(f"{position:6}  ", "dim"), _decoded(piece, self._charset))
            return
        for one in outline.lines(message, guide):
            self._line(one)
            for found in placed.get(one.position, ()):
                self._finding(found, one.depth)

    def _line(self, line: outline.Line) -> None:
        ink = self._ink
        pieces = [ink(f"{line.position:6}  {STEM * line.depth}", "dim")]
        if self._raw:
            raw = _decoded(self._window.segment(line.segment.offset, self._delimiters)[1], self._charset)
            pieces.append(ink(raw, "bold cyan") if line.loop else raw)
        else:
            pieces.append(ink(f"{printable(line.tag):3}", "bold cyan" if line.loop else "cyan"))
            if line.group:
                pieces.append(ink(f" {line.group}", "magenta"))
            pieces.append(ink(f" {line.label}", "bold") if line.loop else f" {line.label}")
            for label, value in line.values:
                pieces += (ink(f"  {printable(label)} ", "dim"), printable(value))
        ink.line(*pieces)

    def _finding(self, found: Finding, depth: int) -> None:
        place = found.place
        where = f"{part}: " if isinstance(place, EdiPlace) and (part := part_of(place)) else ""
        mark = self._ink(f"{MARKS[found.severity]}: ", COLOURS[found.severity])
        said = printable(f"{where}{found.said}; expected {found.wanted} [{found.rule}]")
        self._ink.line("        ", self._ink(STEM * depth, "dim"), mark, said)


def _decoded(raw: bytes, charset: str) -> str:
    return printable(raw.decode(charset, "replace").replace("\n", "⏎"))
