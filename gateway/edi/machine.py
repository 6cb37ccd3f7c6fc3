"""The envelope of both standards: interchange, group, message, each with a header, a trailer, a number and a count.

A small machine over the service segments. It yields what it meets, message by message, and judges at the trailers: a
wrong count can refuse messages that were read already, so `GroupEnd` and `InterchangeEnd` carry the verdicts. `x12` and
`edifact` say what their headers hold. Nothing is acknowledged or stored here.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gateway.edi.body import pieces
from gateway.edi.characters import cleaner, codec, decoded
from gateway.edi.check import check_message, clean
from gateway.edi.delimiters import Delimiters
from gateway.edi.envelope import number_of, padded
from gateway.edi.guide import Guide
from gateway.edi.interchange import Event, GroupEnd, GroupStart, InterchangeEnd, InterchangeStart, with_parts
from gateway.edi.library import Guides
from gateway.edi.numbers import Seen
from gateway.edi.rules import finding
from gateway.edi.segments import BLANKS, STARTS, Buffer, Mark, Run, Service, cut
from gateway.edi.structure import Structure, structure_of
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.tree import Element, Loop, Message, Verdict, Wire, first_text, verdict_of
from gateway.edi.walk import Walk
from gateway.errors import PartnerFault
from gateway.findings import Codes, EdiPlace, Finding, Severity, worst

BOM = b"\xef\xbb\xbf"
MOST_ELEMENTS = 16
"""More than any service segment has."""
HELD = 256
"""What a binary segment costs in memory besides its bytes: a message of nothing else is bounded, too."""
FILLER = BLANKS + b"\x1a\x00"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tags:
    """The service segments by what they do."""

    start: str
    end: str
    group: str
    group_end: str
    message: str
    message_end: str
    group_number: int
    """The element of the group's header with its control number."""
    message_number: int


class Head(NamedTuple):
    """What ST or UNH says, and what is wrong with it."""

    type: str
    version: str
    control_number: str
    association: str
    agency: str
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class OpenGroup:
    """A group while it is read."""

    start: GroupStart
    findings: list[Finding]
    implicit: bool = False
    """EDIFACT messages that stand in no group."""
    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    numbers: Seen = field(default_factory=Seen)

    @property
    def received(self) -> int:
        """Messages so far."""
        return sum(self.verdicts.values())


@dataclass(slots=True)
class _OpenMessage:
    mark: Mark
    parts: list[Run | Mark] = field(default_factory=list)
    size: int = 0


class Machine(ABC):
    """Reads one interchange, whose header stands at `buffer.at`."""

    service: Service
    tags: Tags
    type_at: tuple[int, int | None]
    """Element and component that name a message's type."""

    def __init__(
        self, buffer: Buffer, guides: Guides, tolerances: Tolerances, limits: Limits, charset: str | None
    ) -> None:
        self.buffer = buffer
        self.guides = guides
        self.tolerances = tolerances
        self.limits = limits
        self.charset = charset
        self.place = EdiPlace()
        self.groups = 0
        """Groups with a header of their own."""
        self.messages = 0
        self.listed: re.Pattern[str] | None = None
        """A character that is not on the list of those that this interchange may hold; None without a list."""
        self.group: OpenGroup | None = None
        self._findings: list[Finding] = []
        self._group_verdicts: set[Verdict] = set()
        self._group_numbers = Seen()
        self._message: _OpenMessage | None = None
        self._reached = 0
        """Where the service segment that is looked at begins: what has no trailer ends there."""
        self._said: set[str] = set()
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
        self._findings = list(self._start.findings)
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
                self._indented(part)
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

    def prepare(self, delimiters: Delimiters, charset: str) -> None:
        """Cut service segments like this from now on."""
        self.delimiters, self.used_charset = delimiters, charset
        self._special = [b"\n", b"\r", delimiters.component.encode()]
        if delimiters.release is not None:
            self._special.append(delimiters.release.encode())
        clean = cleaner(delimiters)
        composites = tuple(range(MOST_ELEMENTS))
        self._wire = Wire(
            delimiters.element, delimiters.component, composites, cleaned=clean, release=delimiters.release
        )

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

    def stray(self, raw: bytes, offset: int, wanted: str) -> None:
        """Report a segment that stands where the envelope has no place for it."""
        terminator = self.delimiters.segment.encode()
        stripped = raw.lstrip(FILLER + terminator)
        if stripped:
            # The first segment of a run: where the run ends depends on the chunks of the file.
            said = stripped.partition(terminator)[0]
            self.once("edi.interchange.stray_segment", said, offset + len(raw) - len(stripped), wanted)

    def _indented(self, mark: Mark) -> None:
        severity = Severity.ACCEPT if self.tolerances.indented_segments else None
        self.once("edi.segment.indented", mark.raw[:8], mark.offset, "no blanks before a segment", severity)

    def once(self, rule: str, said: bytes, offset: int, wanted: str, severity: Severity | None = None) -> None:
        """Report a rule of the envelope, the first time only."""
        if rule not in self._said:
            self._said.add(rule)
            place = replace(self.place, offset=offset)
            # Here it is the envelope's: 022, the control structure.
            codes = Codes(ta105="022", contrl="33")
            self.report(finding(rule, place, said=said, wanted=wanted, severity=severity, codes=codes))

    def report(self, found: Finding) -> None:
        """Keep a finding of the interchange itself, up to the limit and always the gravest."""
        order = list(Severity)
        if len(self._findings) < self.limits.findings or order.index(found.severity) > order.index(
            worst(self._findings)
        ):
            self._findings.append(found)

    def elements(self, mark: Mark) -> list[Element]:
        """The elements of a service segment."""
        raw = mark.raw
        if b"\n" in raw or b"\r" in raw:
            self.once("edi.segment.line_break", raw[:40], mark.offset, "no line break inside a segment")
            raw = raw.translate(None, b"\r\n")
        return self.split(raw)

    def split(self, raw: bytes) -> list[Element]:
        """The elements of a service segment, from its bytes."""
        return self._wire.split(decoded(raw, self.used_charset, self.delimiters))

    def texts(self, mark: Mark, count: int) -> list[str]:
        """The elements of a service segment as text, at least so many; of a composite its first component."""
        raw = mark.raw
        if raw.isascii() and not any(one in raw for one in self._special):
            # Nearly always: nothing to decode, to release or to take apart.
            return padded(raw.decode("ascii").split(self.delimiters.element)[1:], count)
        return padded([first_text(one) for one in self.elements(mark)], count)

    def same(self, one: str, other: str) -> bool:
        """Whether two control numbers are the same; by the standard they are compared as text."""
        if self.tolerances.control_number_zeros:
            return one.lstrip("0") == other.lstrip("0")
        return one == other

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
        self._message = _OpenMessage(mark)

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

    def _judged(self, opened: _OpenMessage, group: OpenGroup, mark: Mark | None) -> Message:
        head = self.read_head(opened.mark)
        number = head.control_number
        found = list(head.findings)
        if not group.numbers.add(number):
            rule, wanted = "edi.message.control_number_repeated", "a number of its own"
            where = replace(self.at(opened.mark, number), element=self.tags.message_number)
            found.append(finding(rule, where, said=number, wanted=wanted))
        guide = self.guides.find(head.version, head.type)
        end = self._reached if mark is None else mark.offset
        body = list(pieces(_joined(opened.parts), self.used_charset, self.delimiters))
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
        envelope = verdict_of(self._findings)
        outcome = with_parts(envelope, self._group_verdicts)
        findings = tuple(self._findings)
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


def _joined(parts: list[Run | Mark]) -> list[Run | Mark]:
    """Runs that follow each other as one: chunks of a file end anywhere."""
    if len(parts) == 1:
        return parts
    joined: list[Run | Mark] = []
    runs: list[Run] = []
    for part in [*parts, None]:
        if isinstance(part, Run):
            runs.append(part)
            continue
        if runs:
            joined.append(Run(b"".join(run.raw for run in runs), runs[0].offset, runs[-1].ends_with_release))
            runs = []
        if part is not None:
            joined.append(part)
    return joined


def skip(buffer: Buffer) -> bytes:
    """Skip filler and byte order marks, which files that were put together have inside; what it was, shortened."""
    skipped = b""
    while piece := buffer.take(256):
        marked = piece.startswith(BOM)
        filler = BOM if marked else piece[: len(piece) - len(piece.lstrip(FILLER))]
        if not filler:
            break
        buffer.at += len(filler)
        skipped = (skipped + filler)[:64]
    return skipped


def read_file(
    source: bytes | Iterable[bytes],
    machines: Mapping[bytes, type[Machine]],
    *,
    guides: Guides,
    tolerances: Tolerances | None = None,
    limits: Limits | None = None,
    charset: str | None = None,
) -> Iterator[Event]:
    """Read a file, each interchange by the machine for its first three bytes. Raises what `reading.read` raises."""
    chosen = None if charset is None else codec(charset)
    buffer = Buffer(source)
    notes = _begin(buffer, machines)
    while (machine := machines.get(buffer.take(3))) is not None:
        yield from machine(buffer, guides, tolerances or Tolerances(), limits or Limits(), chosen).interchange(notes)
        notes = []


def _begin(buffer: Buffer, machines: Mapping[bytes, type[Machine]]) -> list[Finding]:
    """Skip what may stand before the first interchange. Raises PartnerFault when there is none."""
    lead = skip(buffer)
    if buffer.take(3) not in machines:
        said = buffer.take(16) or b""
        both = len(machines) > 1
        wanted = "ISA, UNA or UNB at the beginning" if both else "ISA at the beginning"
        rule = "edi.file.unreadable" if both else "edi.file.not_x12"
        found = finding(rule, EdiPlace(offset=buffer.offset if said else 0), said=said, wanted=wanted)
        raise PartnerFault(found.text, findings=(found,))
    if not lead:
        return []
    wanted = "the interchange at byte 0"
    return [finding("edi.file.leading_bytes", EdiPlace(offset=0), said=lead[:16], wanted=wanted)]
