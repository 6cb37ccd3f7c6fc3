"""The envelope of both standards: interchange, group, message, each with a header, a trailer, a number and a count.

A small machine over the service segments. It yields what it meets, message by message, and judges at the trailers: a
wrong count can refuse messages that were read already, so `GroupEnd` and `InterchangeEnd` carry the verdicts. `x12` and
`edifact` say what their headers hold. Nothing is acknowledged or stored here.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace

from gateway.edi.body import pieces
from gateway.edi.check import check_message, clean
from gateway.edi.envelope import number_of
from gateway.edi.filler import skip
from gateway.edi.guide import Guide
from gateway.edi.interchange import Event, GroupEnd, GroupStart, InterchangeEnd, InterchangeStart, with_parts
from gateway.edi.library import Guides
from gateway.edi.numbers import Seen
from gateway.edi.opened import Head, OpenGroup, OpenMessage, Tags, joined
from gateway.edi.rules import finding
from gateway.edi.segments import STARTS, Buffer, Mark, Run, Service, cut
from gateway.edi.service import ServiceSegments
from gateway.edi.structure import Structure, structure_of
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.tree import Element, Loop, Message, Verdict, verdict_of
from gateway.edi.walk import Walk
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace, Finding, Severity

HELD = 256
"""What a binary segment costs in memory besides its bytes: a message of nothing else is bounded, too."""


class Machine(ServiceSegments, ABC):
    """Reads one interchange, whose header stands at `buffer.at`."""

    service: Service
    tags: Tags
    type_at: tuple[int, int | None]
    """Element and component that name a message's type."""

    def __init__(
        self, buffer: Buffer, guides: Guides, tolerances: Tolerances, limits: Limits, charset: str | None
    ) -> None:
        super().__init__(buffer, tolerances, limits)
        self.guides = guides
        self.charset = charset
        self.groups = 0
        """Groups with a header of their own."""
        self.messages = 0
        self.listed: re.Pattern[str] | None = None
        """A character that is not on the list of those that this interchange may hold; None without a list."""
        self.group: OpenGroup | None = None
        self._group_verdicts: set[Verdict] = set()
        self._group_numbers = Seen()
        self._message: OpenMessage | None = None
        self._reached = 0
        """Where the service segment that is looked at begins: what has no trailer ends there."""
        self._structures: dict[int, Structure] = {}
        """By the guide's id: its structure keeps it."""

    # ---- what the standards say differently

    @abstractmethod
    def read_start(self, notes: list[Finding]) -> InterchangeStart:
        """Read the header. Raises PartnerFault when it cannot be read. `notes` are findings on what stood before it."""

    @abstractmethod
    def read_group(self, elements: list[Element], place: EdiPlace, mark: Mark) -> tuple[GroupStart, list[Finding]]:
        """What GS or UNG says."""

    @abstractmethod
    def read_head(self, mark: Mark) -> Head:
        """What ST or UNH says. It is called for every message: a place is made (`at`) only where something is wrong."""

    @abstractmethod
    def no_group(self, mark: Mark) -> GroupStart | None:
        """The group that a message without one stands in; None where there must be one."""

    def other(self, mark: Mark) -> Iterator[Event]:
        """A segment of the envelope that only this standard has."""
        self.binary(mark)
        yield from ()

    def check_text(self, text: str, offset: int, number: str, mark: Mark) -> list[Finding]:
        """What is wrong with the characters of a message as a whole. `offset` is that of its first byte."""
        _ = self, text, offset, number, mark
        return []

    def check_group_of(self, guide: Guide, group: GroupStart, number: str, mark: Mark) -> list[Finding]:
        """Whether the message with that number may stand in this group."""
        _ = self, guide, group, number, mark
        return []

    def check_content(self) -> None:
        """Whether the interchange holds what it must; asked at its end."""
        _ = self

    @property
    @abstractmethod
    def counted(self) -> int:
        """What the trailer of the interchange counts."""

    # ---- the machine

    def interchange(self, notes: list[Finding]) -> Iterator[Event]:
        """The events of one interchange."""
        self._start = self.read_start(notes)
        self.findings = list(self._start.findings)
        chars = self._start.delimiters
        self.prepare(chars, self._start.charset)
        self.place = EdiPlace(interchange=self._start.control_number or None)
        yield self._start
        if self.tolerances.wrapped_lines and chars.segment not in "\r\n":
            self.buffer.unwrap()
        tags = self.tags
        message, message_end = tags.message.encode(), tags.message_end.encode()
        group, group_end, end = tags.group.encode(), tags.group_end.encode(), tags.end.encode()
        trailer: Mark | None = None
        for part in cut(self.buffer, self.delimiters, self.service, self.limits):
            if isinstance(part, Run):
                self._run(part)
                continue
            self._reached = part.offset
            if part.indented:
                self.indented(part)
            tag = part.tag
            if tag == message:
                yield from self._close_message(None)
                yield from self._open_message(part)
            elif tag == message_end:
                yield from self._close_message(part)
            elif tag == group:
                yield from self._close_group(None)
                yield self._open_group(part)
            elif tag == group_end:
                yield from self._close_group(part)
            elif tag == end:
                trailer = part
            else:
                yield from self.other(part)
        if trailer is None:
            self._reached = self.buffer.offset
        yield from self._close_group(None)
        yield self._close(trailer)

    # ---- what lies between the service segments

    def _run(self, run: Run) -> None:
        if self._message is None:
            self.stray(run.raw, run.offset, f"{self.tags.message} before the segments of a set")
            return
        parts = self._message.parts
        parts.append(run)
        self._grow(len(run.raw))

    def binary(self, mark: Mark) -> None:
        """A binary segment of a message."""
        if self._message is None:
            self.stray(mark.raw, mark.offset, f"{self.tags.message} before the segments of a set")
            return
        self._message.parts.append(mark)
        self._grow(len(mark.raw) + HELD)

    def _grow(self, size: int) -> None:
        assert self._message is not None
        self._message.size += size
        if self._message.size > self.limits.message:
            place = replace(self.place, offset=self._message.mark.offset)
            said = f"more than {self.limits.message} bytes"
            found = finding("edi.message.too_large", place, said=said, wanted=f"at most {self.limits.message} bytes")
            raise PartnerFault(found.text, findings=(found,))

    # ---- groups

    def _open_group(self, mark: Mark) -> GroupStart:
        place = replace(self.place, tag=self.tags.group, offset=mark.offset)
        start, found = self.read_group(self.elements(mark), place, mark)
        place = replace(place, group=start.control_number or None)
        if not self._group_numbers.add(start.control_number):
            rule, wanted = "edi.group.control_number_repeated", "a number of its own"
            where = replace(place, element=self.tags.group_number)
            found.append(finding(rule, where, said=start.control_number, wanted=wanted))
        self.groups += 1
        self.group = OpenGroup(replace(start, findings=tuple(found)), found)
        return self.group.start

    def _close_group(self, mark: Mark | None) -> Iterator[Event]:
        yield from self._close_message(None)
        group, self.group = self.group, None
        if group is None or (group.implicit and mark is not None):
            if mark is not None:
                self.stray(mark.raw, mark.offset, f"{self.tags.group} before {self.tags.group_end}")
            if group is None:
                return
        place = replace(self.place, group=group.start.control_number or None)
        if not group.received:
            where = replace(place, tag=self.tags.group, offset=group.start.offset)
            wanted = f"{self.tags.message} behind the {self.tags.group}"
            group.findings.append(finding("edi.group.empty", where, said="", wanted=wanted))
        declared: int | None = None
        if group.implicit:
            pass
        elif mark is None:
            place = replace(place, offset=self._reached)
            group.findings.append(finding("edi.group.trailer_missing", place, said="", wanted=self.tags.group_end))
        else:
            count, number = self.texts(mark, 2)[:2]
            place = replace(place, tag=self.tags.group_end, offset=mark.offset)
            declared = number_of(count)
            if declared != group.received:
                wanted = f"{self.tags.group_end}01 {group.received}"
                group.findings.append(finding("edi.group.count", replace(place, element=1), said=count, wanted=wanted))
            if not self.same(number, group.start.control_number):
                where = replace(place, element=2)
                wanted = f"{self.tags.group_end}02 {group.start.control_number}"
                group.findings.append(finding("edi.group.control_number", where, said=number, wanted=wanted))
        seen = [verdict for verdict, count in group.verdicts.items() if count]
        outcome = with_parts(verdict_of(group.findings), seen)
        self._group_verdicts.add(outcome)
        yield GroupEnd(
            start=group.start,
            declared=declared,
            received=group.received,
            accepted=group.received - group.verdicts[Verdict.REJECTED],
            findings=tuple(group.findings),
            outcome=outcome,
            end=self._reached if mark is None else mark.end,
        )

    # ---- messages

    def _open_message(self, mark: Mark) -> Iterator[Event]:
        if self.group is None:
            start = self.no_group(mark)
            if start is None:
                self.stray(mark.raw, mark.offset, f"{self.tags.group} before {self.tags.message}")
                return
            self.group = OpenGroup(start, list(start.findings), implicit=True)
            yield start
        self._message = OpenMessage(mark)

    def _close_message(self, mark: Mark | None) -> Iterator[Event]:
        opened, self._message = self._message, None
        group = self.group
        if opened is None or group is None:
            if mark is not None:
                self.stray(mark.raw, mark.offset, f"{self.tags.message} before {self.tags.message_end}")
            return
        message = self._judged(opened, group, mark)
        group.verdicts[message.outcome] += 1
        self.messages += 1
        yield message

    def _judged(self, opened: OpenMessage, group: OpenGroup, mark: Mark | None) -> Message:
        head = self.read_head(opened.mark)
        number = head.control_number
        found = list(head.findings)
        if not group.numbers.add(number):
            rule, wanted = "edi.message.control_number_repeated", "a number of its own"
            where = replace(self.at(opened.mark, number), element=self.tags.message_number)
            found.append(finding(rule, where, said=number, wanted=wanted))
        guide = self.guides.find(head.version, head.type)
        end = self._reached if mark is None else mark.offset
        body = list(pieces(joined(opened.parts), self.used_charset, self.delimiters))
        if self.listed is not None:
            for piece in body:
                found += self.check_text(piece.text, piece.offset, number, opened.mark)
        root: Loop | None = None
        if guide is None:
            if not any(one.severity is Severity.REJECT for one in found):
                said = f"{head.type} in version {head.version}"
                wanted = "a set and version that were agreed"
                element, component = self.type_at
                first = replace(self.at(opened.mark, number), element=element, component=component)
                found.append(finding("edi.message.unsupported", first, said=said, wanted=wanted))
            root = Loop("", [])
        else:
            found += self.check_group_of(guide, group.start, number, opened.mark)
            structure = self._structure(guide)
            root = clean(structure, body, self.limits)
        if root is None:
            place = replace(self.place, group=group.start.control_number or None, message=number or None)
            walk = Walk(structure, self.guides, place, self.tolerances, self.limits, self.used_charset)
            segments = check_message(walk, body, end)
            root = walk.root
            found += walk.findings
        else:
            segments = 2 + sum([piece.number for piece in body])
        if mark is None:
            segments -= 1
            where = replace(self.at(opened.mark, number), segment=None, tag=None, offset=end)
            found.append(finding("edi.message.trailer_missing", where, said="", wanted=self.tags.message_end))
        else:
            found += self._check_end(number, segments, mark)
        findings = tuple(found)
        return Message(
            type=head.type,
            version=head.version,
            control_number=number,
            root=root,
            findings=findings,
            outcome=verdict_of(findings) if findings else Verdict.ACCEPTED,
            segments=segments,
            offset=opened.mark.offset,
            end=end if mark is None else mark.end,
            standard=self._start.standard,
            association=head.association,
            agency=head.agency,
        )

    def at(self, mark: Mark, message: str, segment: int = 1) -> EdiPlace:
        """The place of a service segment of a message."""
        group = None if self.group is None else self.group.start.control_number or None
        return EdiPlace(
            interchange=self.place.interchange,
            group=group,
            message=message or None,
            segment=segment,
            tag=mark.tag.decode("ascii"),
            offset=mark.offset,
        )

    def _structure(self, guide: Guide) -> Structure:
        known = self._structures.get(id(guide))
        if known is None:
            known = self._structures[id(guide)] = structure_of(guide, self.delimiters)
        return known

    def _check_end(self, number: str, segments: int, mark: Mark) -> list[Finding]:
        count, reference = self.texts(mark, 2)[:2]
        right = number_of(count) == segments
        if right and reference == number:
            return []
        found: list[Finding] = []
        tag = self.tags.message_end
        where = self.at(mark, number, segments)
        if not right:
            at = replace(where, element=1)
            found.append(finding("edi.message.count", at, said=count, wanted=f"{tag}01 {segments}"))
        if not self.same(reference, number):
            at = replace(where, element=2)
            found.append(finding("edi.message.control_number", at, said=reference, wanted=f"{tag}02 {number}"))
        return found

    # ---- the interchange

    def forgiven_count(self) -> Severity | None:
        """The severity of a wrong count in the trailer; None is the rule's own."""
        return None

    def _close(self, mark: Mark | None) -> InterchangeEnd:
        number = self._start.control_number
        if mark is None:
            place = replace(self.place, offset=self.buffer.offset)
            self.report(finding("edi.interchange.trailer_missing", place, said="", wanted=self.tags.end))
        else:
            count, reference = self.texts(mark, 2)[:2]
            place = replace(self.place, tag=self.tags.end, offset=mark.offset)
            if number_of(count) != self.counted:
                where = replace(place, element=1)
                wanted, severity = f"{self.tags.end}01 {self.counted}", self.forgiven_count()
                rule = "edi.interchange.count"
                self.report(finding(rule, where, said=count, wanted=wanted, severity=severity))
            if not self.same(reference, number):
                where = replace(place, element=2)
                wanted = f"{self.tags.end}02 {number}"
                self.report(finding("edi.interchange.control_number", where, said=reference, wanted=wanted))
        self.check_content()
        end = self.buffer.offset
        self._after()
        envelope = verdict_of(self.findings)
        outcome = with_parts(envelope, self._group_verdicts)
        findings = tuple(self.findings)
        return InterchangeEnd(
            start=self._start, groups=self.groups, findings=findings, outcome=outcome, envelope=envelope, end=end
        )

    def _after(self) -> None:
        """What follows the interchange: line breaks are legal, filler is noted, anything but a header is data lost."""
        offset = self.buffer.offset
        skipped = skip(self.buffer)
        if skipped.strip(b"\r\n"):
            place = EdiPlace(interchange=self.place.interchange, offset=offset)
            self.report(finding("edi.file.trailing_bytes", place, said=skipped[:16], wanted="nothing"))
        rest = self.buffer.take(16)
        if rest and rest[:3] not in STARTS:
            place = EdiPlace(interchange=self.place.interchange, offset=self.buffer.offset)
            self.report(finding("edi.file.trailing_data", place, said=rest, wanted="an interchange or nothing"))
