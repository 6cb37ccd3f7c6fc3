"""`gateway edi acknowledge`: the answers to a file as this gateway would write them; numbers and time are options."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import FINDINGS, answering, say
from gateway.cli.edi_files import blocks, sources
from gateway.cli.edi_progress import Meter
from gateway.cli.edi_reading import Charset, Files, Partner, Reading, Tolerate, Workspace, reading
from gateway.cli.printable import printable
from gateway.edi import acknowledge as acknowledging
from gateway.edi.delimiters import STANDARD, refusals
from gateway.edi.interchange import Group, Interchange, put_together
from gateway.edi.write import Envelope, Outgoing, write_interchange
from gateway.errors import PartnerFault

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


def acknowledge(
    files: Files,
    *,
    number: Number = 1,
    at: At = None,
    pretty: Pretty = None,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Workspace = Path(),
) -> None:
    """Print the acknowledgments that answer files: TA1 and 997, each in an interchange of its own.

    Nothing is sent or counted. Acknowledgments are never acknowledged: for those alone, nothing is printed.

    Example: gateway edi acknowledge in/order.edi --number 17 --at 2026-01-05T09:30
    """
    newline = "\n" if pretty or (pretty is None and sys.stdout.isatty()) else ""
    when = at or datetime.now(UTC)
    unanswered = False
    with answering():
        how = reading(tolerate, charset, partner, workspace)
        inputs = sources(files)
        with Meter(inputs) as meter:
            for one in inputs:
                try:
                    for answer in _answers(how, blocks(one, meter.add), number, when, newline):
                        sys.stdout.buffer.write(answer)
                        number += 1
                except PartnerFault as fault:
                    unanswered = True
                    say(printable(f"{one.name}: {fault}"))
    sys.stdout.buffer.flush()
    if unanswered:
        raise typer.Exit(FINDINGS)


def _answers(how: Reading, chunks: Iterator[bytes], number: int, at: datetime, newline: str) -> Iterator[bytes]:
    """Every answer to one file, in the order of what it answers. Raises PartnerFault when the file cannot be read."""
    whole = put_together(how.events(chunks))
    for one in whole.interchanges:
        if acknowledging.wants_ta1(one):
            yield write_interchange(
                _envelope(one, None, number, at, newline), acknowledgments=[acknowledging.compose_ta1(one)]
            )
            number += 1
        for group in one.groups:
            if not acknowledging.wants_997(one, group):
                continue
            root = acknowledging.compose_997(group, guides=how.guides)
            assert root is not None
            message = Outgoing(type="997", control_number=1, root=root)
            yield write_interchange(_envelope(one, group, number, at, newline), [message])
            number += 1
    if whole.fault is not None:
        raise whole.fault


def _envelope(one: Interchange, group: Group | None, number: int, at: datetime, newline: str) -> Envelope:
    """The envelope of what answers an interchange: the way back, with the partner's own delimiters."""
    return Envelope(
        sender_qualifier=one.receiver_qualifier,
        sender=one.receiver,
        receiver_qualifier=one.sender_qualifier,
        receiver=one.sender,
        group_sender=group.receiver if group is not None else one.receiver,
        group_receiver=group.sender if group is not None else one.sender,
        control_number=number,
        group_control_number=number,
        functional_id=acknowledging.FUNCTIONAL_ACKNOWLEDGMENT,
        at=at,
        test=one.test,
        delimiters=STANDARD if refusals(one.delimiters) else one.delimiters,
        newline=newline,
    )
