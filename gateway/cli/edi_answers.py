"""Answers as interchanges: each acknowledgment in an envelope of its own, on the way back; numbers are parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

from gateway.edi import edifact_write
from gateway.edi.acknowledge import FUNCTIONAL_ACKNOWLEDGMENT, Acknowledgment, Choices, enclosed, stream, written
from gateway.edi.delimiters import STANDARD, refusals, repetition_of
from gateway.edi.interchange import Event, GroupStart, InterchangeStart
from gateway.edi.library import Guides
from gateway.edi.syntax import Syntax
from gateway.edi.tree import Loop, Segment
from gateway.edi.write import Envelope, write_interchange
from gateway.edi.writing import Writer
from gateway.errors import OurFault
from gateway.findings import EdiPlace

MOST_GROUPS = 10_000
"""Groups of an interchange whose own identities are remembered."""
ISA_LENGTH = 106
HIGHEST = 999_999_999


@dataclass(slots=True)
class Answers:
    """Makes the answers to files. `number` is the control number of the next one."""

    guides: Guides
    choices: Choices
    at: datetime
    newline: str
    number: int
    _start: InterchangeStart | None = None
    _groups: dict[str, tuple[str, str]] = field(default_factory=dict)

    def to(self, events: Iterable[Event], spill: BinaryIO) -> Iterator[bytes]:
        """The bytes of every answer to one file, in pieces; verdicts wait in `spill`.

        Raises PartnerFault, as the reader does, behind what can be answered all the same.
        """
        for answer in stream(self._seen(events), guides=self.guides, spill=spill, choices=self.choices):
            assert self._start is not None
            yield from self._contrl(answer, self._start) if answer.kind == "CONTRL" else self._x12(answer, self._start)
            self.number = self.number % HIGHEST + 1  # ISA13 has nine digits

    def _seen(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events, while their senders and receivers are noted."""
        for event in events:
            if isinstance(event, InterchangeStart):
                self._start, self._groups = event, {}
            elif isinstance(event, GroupStart) and len(self._groups) < MOST_GROUPS:
                self._groups[event.control_number] = (event.sender, event.receiver)
            yield event

    def _x12(self, answer: Acknowledgment, start: InterchangeStart) -> Iterator[bytes]:
        sender, receiver = self._groups.get(answer.answers, (start.sender, start.receiver))
        envelope = Envelope(
            sender_qualifier=start.receiver_qualifier,
            sender=start.receiver,
            receiver_qualifier=start.sender_qualifier,
            receiver=start.sender,
            group_sender=receiver,
            group_receiver=sender,
            control_number=self.number,
            group_control_number=self.number,
            functional_id=FUNCTIONAL_ACKNOWLEDGMENT,
            at=self.at,
            version=answer.version if answer.kind != "TA1" else f"{start.version}0",
            test=start.test,
            delimiters=STANDARD if refusals(start.delimiters) else start.delimiters,
            newline=self.newline,
        )
        if answer.kind == "TA1":
            yield write_interchange(envelope, acknowledgments=list(answer.segments))
            return
        head = write_interchange(envelope)[: ISA_LENGTH + len(self.newline)]
        repetition = repetition_of(chr(head[82]), envelope.version[:5])
        writer = Writer(delimiters=replace(envelope.delimiters, repetition=repetition), newline=self.newline)
        place = EdiPlace(interchange=f"{self.number:09d}")
        number, date, time = str(self.number), f"{self.at:%Y%m%d}", f"{self.at:%H%M}"
        group = [FUNCTIONAL_ACKNOWLEDGMENT, receiver, sender, date, time, number, "X", answer.version]
        yield head + writer.write([Segment("GS", [*group])], place)
        yield from written(enclosed(answer, "0001"), lambda segments: writer.write(segments, place))
        yield writer.write([Segment("GE", ["1", number]), Segment("IEA", ["1", f"{self.number:09d}"])], place)

    def _contrl(self, answer: Acknowledgment, start: InterchangeStart) -> Iterator[bytes]:
        syntax = _syntax(start, self.newline)
        envelope = edifact_write.Envelope(
            sender=edifact_write.Party(id=start.receiver, qualifier=start.receiver_qualifier),
            receiver=edifact_write.Party(id=start.sender, qualifier=start.sender_qualifier),
            control_reference=str(self.number),
            at=self.at,
            syntax=syntax,
            test=start.test,
        )
        message = edifact_write.Outgoing(
            type="CONTRL", version=answer.version, control_reference="1", root=Loop("", list(answer.segments))
        )
        yield edifact_write.write_interchange(envelope, [message])


def _syntax(start: InterchangeStart, newline: str) -> Syntax:
    """The syntax that they use; the usual one where theirs does not exist: their interchange is refused for it."""
    identifier, _, version = start.version.partition(":")
    if len(version) == 1 and version.isdigit():
        theirs = Syntax(identifier=identifier, version=int(version), newline=newline)
        with suppress(OurFault):
            theirs.writer()
            return theirs
    return Syntax(newline=newline)
