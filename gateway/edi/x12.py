"""X12 interchanges: ISA, GS, ST and TA1, and what they must hold. The machine they run on is `machine`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gateway.edi.envelope import TA1, check_group, check_start, is_start, padded
from gateway.edi.file import Reader
from gateway.edi.guide import Guide
from gateway.edi.header import read_header
from gateway.edi.interchange import (
    Event,
    Group,
    GroupEnd,
    GroupStart,
    Interchange,
    InterchangeEnd,
    InterchangeStart,
    Ta1,
    Whole,
    combined,
    of_group,
)
from gateway.edi.machine import Machine
from gateway.edi.opened import Head, Tags
from gateway.edi.rules import finding
from gateway.edi.segments import X12, Mark
from gateway.edi.tree import Element, Segment, first_text
from gateway.findings import EdiPlace, Finding, Severity

__all__ = [
    "READER",
    "Event",
    "Group",
    "GroupEnd",
    "GroupStart",
    "Interchange",
    "InterchangeEnd",
    "InterchangeStart",
    "Ta1",
    "Whole",
    "combined",
    "of_group",
    "read",
    "read_all",
    "read_whole",
]


REQUESTS = (b"ISB", b"ISE")
"""Grade of service and deferred delivery, before the first group."""


class X12Machine(Machine):
    """Reads one X12 interchange."""

    service = X12
    tags = Tags(
        start="ISA",
        end="IEA",
        group="GS",
        group_end="GE",
        message="ST",
        message_end="SE",
        group_number=6,
        message_number=2,
    )
    type_at = (1, None)
    tas = 0

    def read_start(self, notes: list[Finding]) -> InterchangeStart:
        """The ISA."""
        header = read_header(self.buffer, self.tolerances)
        return InterchangeStart(
            sender_qualifier=header.text(5),
            sender=header.text(6),
            receiver_qualifier=header.text(7),
            receiver=header.text(8),
            date=header.text(9),
            time=header.text(10),
            version=header.text(12),
            control_number=header.text(13),
            ack_requested=header.text(14) == "1",
            test=header.text(15) == "T",
            delimiters=header.delimiters,
            offset=header.offset,
            findings=(*notes, *header.findings),
            charset=self.charset or "utf-8",
        )

    def read_group(self, elements: list[Element], place: EdiPlace, mark: Mark) -> tuple[GroupStart, list[Finding]]:
        """GS01 to GS08."""
        texts = padded([first_text(one) for one in elements], 8)
        place = replace(place, group=texts[5] or None)
        start = GroupStart(
            functional_id=texts[0],
            sender=texts[1],
            receiver=texts[2],
            date=texts[3],
            time=texts[4],
            control_number=texts[5],
            version=texts[7],
            offset=mark.offset,
        )
        return start, check_group(texts, place, self.guides)

    def read_head(self, mark: Mark) -> Head:
        """ST01 to ST03."""
        texts = self.texts(mark, 3)
        kind, number = texts[0], texts[1]
        assert self.group is not None
        found = () if is_start(kind, number) else check_start(kind, number, self.at(mark, number))
        return Head(
            type=kind,
            version=self.group.start.version,
            control_number=number,
            association=texts[2],
            agency="",
            findings=tuple(found),
        )

    def no_group(self, mark: Mark) -> GroupStart | None:
        """Every set stands in a group."""
        _ = self, mark
        return None

    def check_group_of(self, guide: Guide, group: GroupStart, number: str, mark: Mark) -> list[Finding]:
        """GS01 names what the group holds."""
        if group.functional_id == guide.functional_id:
            return []
        wanted = f"{guide.type} in a group {guide.functional_id}"
        where = replace(self.at(mark, number), element=1)
        return [finding("edi.message.wrong_group", where, said=group.functional_id, wanted=wanted)]

    def stray(self, raw: bytes, offset: int, wanted: str) -> None:
        """ISB and ISE behind the ISA ask a network for its services (X12.5): they are no concern of the receiver."""
        separator, terminator = self.delimiters.element.encode(), self.delimiters.segment.encode()
        requests = tuple(tag + separator for tag in REQUESTS)
        at = 0
        while not self.groups and (raw.startswith(requests, at) or raw[at : at + 1] in (b"\r", b"\n")):
            # Segment by segment: where a run ends depends on the chunks of the file.
            at = raw.find(terminator, at) + 1 or len(raw) if raw.startswith(requests, at) else at + 1
        super().stray(raw[at:], offset + at, wanted)

    @property
    def counted(self) -> int:
        """IEA01 counts groups."""
        return self.groups

    def forgiven_count(self) -> Severity | None:
        """An interchange of nothing but TA1 has no groups; many count the TA1 all the same."""
        return Severity.ACCEPT if not self.groups and self.tas else None

    def other(self, mark: Mark) -> Iterator[Event]:
        """TA1, BIN and BDS."""
        if mark.tag != b"TA1":
            self.binary(mark)
            return
        if self.group is not None:
            # X12.5: TA1 stands between ISA and the first GS, or alone.
            self.stray(mark.raw, mark.offset, "TA1 before the first GS")
            return
        self.tas += 1
        segment = Segment("TA1", self.split(mark.raw), 0, mark.offset)
        found: list[Finding] = []
        if not TA1.fullmatch("*".join(map(first_text, self.elements(mark)))):
            place = replace(self.place, tag="TA1", offset=mark.offset)
            wanted = "control number, date, time, A, E or R, and a note code"
            found.append(finding("edi.interchange.acknowledgment", place, said=mark.raw, wanted=wanted))
            self.report(found[0])
        yield Ta1(segment=segment, findings=tuple(found))


READER = Reader({b"ISA": X12Machine})
read, read_all, read_whole = READER.read, READER.read_all, READER.read_whole
"""As those of `reading`, for files of X12 alone: anything else in them is a PartnerFault."""
