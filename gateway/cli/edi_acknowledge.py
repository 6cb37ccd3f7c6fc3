"""`gateway edi acknowledge`: the answers to a file as this gateway would write them; numbers and time are options."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

import typer

from gateway.cli.answers import CANNOT_RUN, FINDINGS, answering, say, say_fault
from gateway.cli.edi_answers import Answers
from gateway.cli.edi_files import blocks, sources
from gateway.cli.edi_progress import Meter
from gateway.cli.edi_reading import Charset, Files, Partner, Tolerate, Workspace, reading
from gateway.cli.printable import printable
from gateway.edi.acknowledge import Choices
from gateway.errors import OurFault, PartnerFault

Number = Annotated[
    int,
    typer.Option("--number", min=1, max=999_999_999, help="Control number of the first answer; the next is one more."),
]
At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
        help="Date and time in the envelopes.",
        show_default="now, UTC",
    ),
]
Pretty = Annotated[
    bool | None,
    typer.Option("--pretty/--no-pretty", help="One segment a line.", show_default="on a terminal"),
]


Implementation = Annotated[
    bool, typer.Option("--999", help="Answer groups in 005010 and later by a 999 instead of a 997.")
]
Contrl = Annotated[bool, typer.Option("--contrl", help="Answer every EDIFACT interchange, asked for or not.")]
EveryMessage = Annotated[bool, typer.Option("--every-message", help="Name accepted messages in a CONTRL, too.")]


def acknowledge(
    files: Files,
    *,
    number: Number = 1,
    at: At = None,
    pretty: Pretty = None,
    implementation: Implementation = False,
    contrl: Contrl = False,
    every_message: EveryMessage = False,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Workspace = Path(),
) -> None:
    """Print the acknowledgments that answer files: TA1, 997 or 999, CONTRL, each in an interchange of its own.

    Nothing is sent or counted. Acknowledgments are never acknowledged: for those alone, nothing is printed. A TA1 or
    CONTRL is due when it was asked for or something is wrong. Exit code 1 when a file cannot be read to its end.

    Example: gateway edi acknowledge in/order.edi --number 17 --at 2026-01-05T09:30
    """
    choices = Choices(implementation=implementation, contrl=contrl, every_message=every_message)
    unanswered = broken = False
    with answering():
        how = reading(tolerate, charset, partner, workspace)
        inputs = sources(files)
        answers = Answers(
            guides=how.guides,
            choices=choices,
            at=at or datetime.now(UTC),
            newline="\n" if pretty or (pretty is None and sys.stdout.isatty()) else "",
            number=number,
        )
        with Meter(inputs) as meter:
            for one in inputs:
                try:
                    with TemporaryFile() as spill:
                        for piece in answers.to(how.events(blocks(one, meter.add)), spill):
                            sys.stdout.buffer.write(piece)
                except PartnerFault as fault:
                    unanswered = True
                    say(printable(f"{one.name}: {fault}"))
                    for found in fault.findings:
                        say(printable(f"  {found.fix}"))
                except OurFault as fault:
                    broken = True
                    say_fault(fault)
        sys.stdout.buffer.flush()
    if broken:
        raise typer.Exit(CANNOT_RUN)
    if unanswered:
        raise typer.Exit(FINDINGS)
