"""`gateway edi check`: what is wrong, where, and what to do about it; each file as it streams by, nothing held."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Annotated

import typer

from gateway.cli.answers import CANNOT_RUN, COLOURS, FINDINGS, answering, say_fault
from gateway.cli.edi_files import blocks, sources
from gateway.cli.edi_ink import Ink
from gateway.cli.edi_json import finding_json, group_head, interchange_head, message_json
from gateway.cli.edi_progress import Meter
from gateway.cli.edi_reading import Charset, Files, Partner, Tolerate, Workspace, reading
from gateway.cli.printable import printable
from gateway.edi.interchange import (
    Event,
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    combined,
)
from gateway.edi.tree import Message, Verdict
from gateway.errors import OurFault, PartnerFault
from gateway.findings import Finding, Severity

VERDICTS = {
    Verdict.ACCEPTED: ("accepted", "bold green"),
    Verdict.ACCEPTED_WITH_ERRORS: ("accepted with errors", "bold yellow"),
    Verdict.REJECTED: ("rejected", "bold red"),
}
MARKS = {Severity.ACCEPT: "note", Severity.ACCEPT_WITH_ERRORS: "error", Severity.REJECT: "reject"}
IN_MEMORY = 1 << 20
"""Bytes of findings of one file that wait in memory for its verdict; more wait on the disk."""

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per file, one line each, written as it is read.")]
OnlyErrors = Annotated[
    bool, typer.Option("--only-errors", "-q", help="Print only files that are not simply accepted, and no notes.")
]


def check(
    files: Files,
    *,
    as_json: AsJson = False,
    only_errors: OnlyErrors = False,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Workspace = Path(),
) -> None:
    """Check files and say what is wrong, where, and what to do about it.

    Exit code 0 when everything is accepted, 1 when something is not, 2 when a file cannot be read. Of a message the
    JSON says what it deserves by itself; a group or interchange that is rejected refuses what stands in it.

    Example: gateway edi check 'in/**/*.edi' --json
    """
    with answering():
        how = reading(tolerate, charset, partner, workspace)
        inputs = sources(files)
    ink = Ink()
    counts = dict.fromkeys(Verdict, 0)
    broken = 0
    with Meter(inputs, quiet=as_json) as meter:
        for one in inputs:
            events = how.events(blocks(one, meter.add))
            verdict: Verdict | None
            try:
                if as_json:
                    verdict = stream_json(one.name, events, sys.stdout.write)
                else:
                    verdict = _text(ink, one.name, events, only_errors=only_errors)
            except OurFault as fault:
                say_fault(fault)
                verdict = None
            if verdict is None:
                broken += 1
            else:
                counts[verdict] += 1
    if len(inputs) > 1 and not as_json:
        _summary(ink, counts, broken)
    if broken:
        raise typer.Exit(CANNOT_RUN)
    if counts[Verdict.ACCEPTED] != len(inputs):
        raise typer.Exit(FINDINGS)


@dataclass(slots=True)
class _File:
    """What is known of a file while it streams by."""

    verdicts: list[Verdict] = field(default_factory=list)
    interchange: InterchangeStart | None = None
    group: bool = False
    messages: int = 0
    groups: int = 0
    interchanges: int = 0
    segments: int = 0

    def finished(self, verdict: Verdict) -> None:
        """An interchange ended so. All that matters of many is which verdicts there were."""
        if verdict not in self.verdicts:
            self.verdicts.append(verdict)


def stream_json(name: str, events: Iterator[Event], write: Callable[[str], object]) -> Verdict:
    """Write the JSON object of one file, piece by piece as the events come; its outcome.

    An OurFault goes on to the caller when the object is complete: it then has `error`, and `outcome` is null.
    """
    state = _File()
    write(f'{{"file": {json.dumps(name)}, "interchanges": [')
    findings: tuple[Finding, ...] = ()
    try:
        for event in events:
            _write_event(state, event, write)
    except PartnerFault as fault:
        if state.interchange is None:
            findings = fault.findings
            state.finished(Verdict.REJECTED)
        else:
            _break_off(state, (*state.interchange.findings, *fault.findings), write)
    except OurFault as fault:
        if state.interchange is not None:
            _break_off(state, state.interchange.findings, write)
        write(f'], "findings": [], "error": {json.dumps(str(fault))}, "outcome": null}}\n')
        raise
    outcome = combined(state.verdicts)
    write(f'], "findings": {_list(findings)}, "outcome": "{outcome.value}"}}\n')
    return outcome


def _write_event(state: _File, event: Event, write: Callable[[str], object]) -> None:
    match event:
        case InterchangeStart():
            state.interchange, state.groups = event, 0
            write(f'{_comma(state.interchanges)}{_open(interchange_head(event))}, "groups": [')
            state.interchanges += 1
        case GroupStart():
            state.group, state.messages = True, 0
            write(f'{_comma(state.groups)}{_open(group_head(event))}, "messages": [')
            state.groups += 1
        case Message():
            write(_comma(state.messages) + json.dumps(message_json(event)))
            state.messages += 1
        case GroupEnd():
            state.group = False
            write(f'], "findings": {_list(event.findings)}, "outcome": "{event.outcome.value}"}}')
        case InterchangeEnd():
            state.interchange = None
            state.finished(event.outcome)
            write(f'], "findings": {_list(event.findings)}, "outcome": "{event.outcome.value}"}}')
        case _:
            pass  # a TA1 has no place in the JSON; what is wrong with it is a finding of the interchange


def _break_off(state: _File, findings: tuple[Finding, ...], write: Callable[[str], object]) -> None:
    """Close what is open: the reading ended inside an interchange, which is rejected with all that is in it."""
    if state.group:
        write('], "findings": [], "outcome": "rejected"}')
    write(f'], "findings": {_list(findings)}, "outcome": "rejected"}}')
    state.finished(Verdict.REJECTED)


def _comma(before: int) -> str:
    return ", " if before else ""


def _open(head: dict[str, object]) -> str:
    return json.dumps(head)[:-1]


def _list(findings: tuple[Finding, ...]) -> str:
    return json.dumps([finding_json(one) for one in findings])


def _text(ink: Ink, name: str, events: Iterator[Event], *, only_errors: bool) -> Verdict:
    """A line with the verdict, the findings beneath; they wait until the verdict is known."""
    state = _File()
    with SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8") as waiting:
        try:
            for event in events:
                _note(state, event)
                if isinstance(event, Message | GroupEnd | InterchangeEnd):
                    _wait(waiting.write, event.findings)
        except PartnerFault as fault:
            started = state.interchange.findings if state.interchange is not None else ()
            _wait(waiting.write, (*started, *fault.findings))
            state.finished(Verdict.REJECTED)
        outcome = combined(state.verdicts)
        if only_errors and outcome is Verdict.ACCEPTED:
            return outcome
        word, style = VERDICTS[outcome]
        ink.line(ink(printable(name), "bold"), " ", ink(word, style), ink(f"  {_counted(state)}", "dim"))
        waiting.seek(0)
        for row in waiting:
            severity, text, fix, rule = json.loads(row)
            if not only_errors or Severity(severity) is not Severity.ACCEPT:
                ink.line("  ", ink(f"{MARKS[Severity(severity)]:6}", COLOURS[Severity(severity)]), " ", printable(text))
                ink.line(ink(f"         {printable(fix)} [{rule}]", "dim"))
    return outcome


def _note(state: _File, event: Event) -> None:
    match event:
        case InterchangeStart():
            state.interchange = event
            state.interchanges += 1
        case Message():
            state.messages += 1
            state.segments += event.segments
        case InterchangeEnd():
            state.interchange = None
            state.finished(event.outcome)
        case _:
            pass


def _wait(write: Callable[[str], object], findings: tuple[Finding, ...]) -> None:
    for one in findings:
        write(json.dumps([one.severity.value, one.text, one.fix, one.rule]) + "\n")


def _counted(state: _File) -> str:
    parts = ((state.interchanges, "interchange"), (state.messages, "message"), (state.segments, "segment"))
    return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in parts)


def _summary(ink: Ink, counts: dict[Verdict, int], broken: int) -> None:
    parts = [
        ink(f"{count:,} {VERDICTS[verdict][0]}", VERDICTS[verdict][1]) for verdict, count in counts.items() if count
    ]
    if broken:
        parts.append(ink(f"{broken:,} could not be read", "bold red"))
    ink.line(f"{sum(counts.values()) + broken:,} files: ", ", ".join(parts))
