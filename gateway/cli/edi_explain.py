"""`gateway edi explain`: every finding in sentences, with the offending bytes underlined; one cause, one paragraph."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import typer

from gateway.cli.answers import CANNOT_RUN, COLOURS, FINDINGS, answering, say_fault
from gateway.cli.edi_check import MARKS, VERDICTS
from gateway.cli.edi_files import Source, blocks, sources
from gateway.cli.edi_ink import Ink
from gateway.cli.edi_progress import Meter
from gateway.cli.edi_reading import Charset, Files, Partner, Reading, Tolerate, Workspace, reading
from gateway.cli.edi_underline import Underlined, underline
from gateway.cli.edi_window import Window
from gateway.cli.printable import printable
from gateway.edi.delimiters import EDIFACT, STANDARD, Delimiters
from gateway.edi.interchange import Event, GroupEnd, GroupStart, InterchangeEnd, InterchangeStart, combined
from gateway.edi.rules import RULES
from gateway.edi.tree import Message, Verdict
from gateway.errors import OurFault, PartnerFault
from gateway.findings import Codes, EdiPlace, Finding

SAME = 5
"""How many further places of one cause are listed by name."""
SEVERITY = {"note": "It is only a note", "error": "It is reported, and the data is taken", "reject": "It is refused"}


def explain(
    files: Files,
    *,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Workspace = Path(),
) -> None:
    """Explain every finding in sentences: the segment with the wrong part underlined, the remedy, the codes.

    What is wrong in the same way at several places of a message is one paragraph. Exit codes as for check.

    Example: gateway edi explain in/order.edi
    """
    ink = Ink()
    with answering():
        how = reading(tolerate, charset, partner, workspace)
        inputs = sources(files)
        with Meter(inputs) as meter:
            outcomes = {_readable(ink, one, how, meter) for one in inputs}
    if None in outcomes:
        raise typer.Exit(CANNOT_RUN)
    if outcomes - {Verdict.ACCEPTED}:
        raise typer.Exit(FINDINGS)


def _readable(ink: Ink, source: Source, how: Reading, meter: Meter) -> Verdict | None:
    """The outcome of a file; None where it cannot be read, and the next ones are explained all the same."""
    try:
        return _file(ink, source, how, meter)
    except OurFault as fault:
        sys.stdout.flush()
        say_fault(fault)
        return None


def _file(ink: Ink, source: Source, how: Reading, meter: Meter) -> Verdict:
    teller = Teller(Window(blocks(source, meter.add), unwrapped=how.tolerances.wrapped_lines))
    ink.line(ink(printable(source.name), "bold"))
    verdicts: list[Verdict] = []
    start: InterchangeStart | None = None
    told = 0
    try:
        for event in how.events(teller.window):
            start = event if isinstance(event, InterchangeStart) else start
            for paragraph in teller.tell(event):
                told += 1
                _print(ink, paragraph)
            if isinstance(event, InterchangeEnd):
                start = None
                verdicts.append(event.outcome)
    except PartnerFault as fault:
        verdicts.append(Verdict.REJECTED)
        for paragraph in teller.broken_off(fault, start):
            told += 1
            _print(ink, paragraph)
    outcome = combined(verdicts)
    word, style = VERDICTS[outcome]
    if not told:
        ink.line("  nothing is wrong")
    ink.line("  ", ink(word, style))
    return outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """One cause: the finding, its segment underlined, and where else the same is wrong."""

    finding: Finding
    line: Underlined | None
    others: tuple[EdiPlace, ...]
    codes: str


@dataclass(slots=True)
class Teller:
    """Turns findings into paragraphs; keeps of the file only the message it is at and its headers."""

    window: Window
    delimiters: Delimiters = STANDARD
    charset: str = "utf-8"
    standard: str = "x12"
    headers: list[tuple[int, bytes]] = field(default_factory=list)
    """The raw ISA and GS (UNB, UNG) with their offsets: their findings may come only at the trailer."""

    def tell(self, event: Event) -> Iterator[Paragraph]:
        """The paragraphs of one event."""
        match event:
            case InterchangeStart():
                self.delimiters, self.charset, self.standard = event.delimiters, event.charset, event.standard
                self.headers = [self.window.segment(self.window.header(event.offset)[1], event.delimiters)]
            case GroupStart():
                self.headers = [self.headers[0], self.window.segment(event.offset, self.delimiters)]
            case Message():
                yield from self.paragraphs(event.findings)
                self.window.forget(event.offset)
            case GroupEnd() | InterchangeEnd():
                yield from self.paragraphs(event.findings)
            case _:
                pass

    def broken_off(self, fault: PartnerFault, start: InterchangeStart | None) -> Iterator[Paragraph]:
        """The paragraphs of what ended the reading, inside an interchange or before any began."""
        if start is None and self.window.stretch(0, 64).lstrip().startswith(b"UN"):
            self.delimiters, self.standard = EDIFACT, "edifact"
        yield from self.paragraphs((*(start.findings if start else ()), *fault.findings))

    def paragraphs(self, findings: tuple[Finding, ...]) -> Iterator[Paragraph]:
        """One paragraph for each cause, in the order of their first places."""
        causes: dict[object, list[Finding]] = {}
        for one in findings:
            causes.setdefault(_cause(one), []).append(one)
        for first, *more in causes.values():
            places = tuple(one.place for one in more if isinstance(one.place, EdiPlace))
            yield Paragraph(
                finding=first, line=self.line(first), others=places, codes=codes_text(first.codes, self.standard)
            )

    def line(self, found: Finding) -> Underlined | None:
        """The segment of a finding, or None where there is none to show."""
        place = found.place
        if not isinstance(place, EdiPlace) or place.offset is None:
            return None
        at = place.offset
        known = (one for one in self.headers if one[0] <= at < one[0] + len(one[1]))
        begin, raw = next(known, None) or self.window.segment(at, self.delimiters)
        return underline(raw, place, self.delimiters, self.charset, at=at - begin) if raw else None


def _cause(one: Finding) -> object:
    place = one.place
    if not isinstance(place, EdiPlace):
        return one
    return one.rule, place.tag, place.element, place.component, one.said, one.wanted


def codes_text(codes: Codes, standard: str) -> str:
    """What the answers will say: `TA1 022` or `997: AK304 8, AK403 7, AK502 5; 999: IK304 8, …`, or `CONTRL: 12`."""
    if standard == "edifact":
        return f"CONTRL: {codes.contrl}" if codes.contrl else ""
    said = [f"TA1: {codes.ta105}"] if codes.ta105 else []
    rows = (
        ("997", (("AK304", codes.ak304), ("AK403", codes.ak403), ("AK502", codes.ak502), ("AK905", codes.ak905))),
        (
            "999",
            (
                ("IK304", codes.ik304 or codes.ak304),
                ("IK403", codes.ik403 or codes.ak403),
                ("IK502", codes.ik502 or codes.ak502),
                ("AK905", codes.ak905),
            ),
        ),
    )
    for name, pairs in rows:
        if words := ", ".join(f"{key} {code}" for key, code in pairs if code):
            said.append(f"{name}: {words}")
    return "; ".join(said)


def _print(ink: Ink, paragraph: Paragraph) -> None:
    found = paragraph.finding
    colour = COLOURS[found.severity]
    mark = MARKS[found.severity]
    rule = RULES.get(found.rule)
    said = printable(rule.text if rule is not None else found.said)
    ink.line()
    ink.line("  ", ink(f"{mark}: ", colour), ink(said, "bold"), ink(f" [{found.rule}]", "dim"))
    ink.line(f"  at {printable(found.place)}")
    if paragraph.line is not None:
        ink.line(f"      {paragraph.line.text}")
        ink.line("      ", ink(paragraph.line.marks, colour))
    ink.line(f"  There was {printable(found.said)}; expected: {printable(found.wanted)}.")
    ink.line(f"  {printable(found.fix)}")
    if paragraph.others:
        ink.line(f"  {_others(paragraph.others)}")
    answered = f"; answered by {paragraph.codes}" if paragraph.codes else "; no acknowledgment names it"
    ink.line(ink(f"  {SEVERITY[mark]}{answered}.", "dim"))


def _others(places: tuple[EdiPlace, ...]) -> str:
    named = [f"segment {one.segment} (byte {one.offset})" for one in places[:SAME]]
    more = f" and {len(places) - SAME:,} more" if len(places) > SAME else ""
    return f"The same is wrong at {', '.join(named)}{more}."
