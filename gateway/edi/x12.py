"""X12 interchanges: the envelope around the transaction sets, read as a stream, judged at its trailers.

`read` yields what it meets, set by set; what a group or an interchange became is known only at its trailer (a wrong
count can refuse sets that were read already), so `GroupEnd` and `InterchangeEnd` carry the verdicts. `read_all` puts a
file together with every verdict final. Nothing is acknowledged or stored here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from gateway.edi.check import check_set
from gateway.edi.envelope import TA1, check_group, check_start, number_of, padded
from gateway.edi.header import Header, read_header
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
    put_together,
    with_parts,
)
from gateway.edi.library import Guides
from gateway.edi.rules import finding
from gateway.edi.segments import BLANKS, Buffer, Mark, Run, cut
from gateway.edi.structure import structure_of
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.tree import Loop, Message, Segment, Verdict, Wire, verdict_of
from gateway.edi.walk import Walk
from gateway.errors import PartnerFault
from gateway.findings import Codes, EdiPlace, Finding, Severity

__all__ = [
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

BOM = b"\xef\xbb\xbf"
FILLER = BLANKS + b"\x1a\x00"


def read(
    source: bytes | Iterable[bytes],
    *,
    guides: Guides,
    tolerances: Tolerances | None = None,
    limits: Limits | None = None,
    charset: str = "utf-8",
) -> Iterator[Event]:
    """Read a file of X12 interchanges, whole or as chunks, holding one transaction set at a time.

    `charset` must be ASCII-compatible. Raises PartnerFault (with its finding) for what is no X12 at all, for a header
    that cannot be read and for what exceeds `limits`; everything else that is wrong is a finding.
    """
    buffer = Buffer(source)
    chosen = tolerances or Tolerances()
    bounds = limits or Limits()
    notes = _begin(buffer)
    while True:
        yield from _Reader(buffer, guides, chosen, bounds, charset).interchange(notes)
        notes = []
        if buffer.take(3) != b"ISA":
            return


def _begin(buffer: Buffer) -> list[Finding]:
    """Skip what may stand before the first ISA. Raises PartnerFault when there is none."""
    lead = _skip(buffer, BOM)
    seen = buffer.take(3)
    if seen != b"ISA":
        said = buffer.take(16) or b""
        found = finding(
            "edi.file.not_x12", EdiPlace(offset=buffer.offset if said else 0), said=said, wanted="ISA at the beginning"
        )
        raise PartnerFault(found.text, findings=(found,))
    if not lead:
        return []
    return [finding("edi.file.leading_bytes", EdiPlace(offset=0), said=lead[:16], wanted="ISA at byte 0")]


def _skip(buffer: Buffer, more: bytes = b"") -> bytes:
    """Skip filler (and a byte order mark); what was skipped, shortened."""
    skipped = b""
    if more and buffer.take(len(more)) == more:
        buffer.at += len(more)
        skipped = more
    while (piece := buffer.take(256)) and (filler := piece[: len(piece) - len(piece.lstrip(FILLER))]):
        buffer.at += len(filler)
        skipped = (skipped + filler)[:64]
        if len(filler) < len(piece):
            break
    return skipped


@dataclass(slots=True)
class _OpenGroup:
    start: GroupStart
    findings: list[Finding]
    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    numbers: set[str] = field(default_factory=set)

    @property
    def received(self) -> int:
        return sum(self.verdicts.values())


@dataclass(slots=True)
class _OpenSet:
    elements: list[str]
    mark: Mark
    parts: list[Run | Mark] = field(default_factory=list)
    size: int = 0


class _Reader:
    """Reads one interchange: a small machine over the service segments."""

    def __init__(self, buffer: Buffer, guides: Guides, tolerances: Tolerances, limits: Limits, charset: str) -> None:
        self._buffer = buffer
        self._guides = guides
        self._tolerances = tolerances
        self._limits = limits
        self._charset = charset
        self._findings: list[Finding] = []
        self._groups = 0
        self._tas = 0
        self._group_verdicts: set[Verdict] = set()
        self._group_numbers: set[str] = set()
        self._group: _OpenGroup | None = None
        self._set: _OpenSet | None = None
        self._said: set[str] = set()

    def interchange(self, notes: list[Finding]) -> Iterator[Event]:
        header = read_header(self._buffer, self._tolerances)
        self._wire = Wire(header.delimiters.element, header.delimiters.component, self._charset)
        self._delimiters = header.delimiters
        self._place = EdiPlace(interchange=header.text(13) or None)
        self._findings = [*notes, *header.findings]
        self._start = _interchange_start(header, tuple(self._findings))
        yield self._start
        if self._tolerances.wrapped_lines and header.delimiters.segment not in "\r\n":
            self._buffer.unwrap()
        trailer: Mark | None = None
        for part in cut(self._buffer, header.delimiters, self._limits):
            if isinstance(part, Run):
                self._run(part)
                continue
            self._indented(part)
            match part.tag:
                case b"ST":
                    yield from self._close_set(None)
                    self._open_set(part)
                case b"SE":
                    yield from self._close_set(part)
                case b"GS":
                    yield from self._close_group(None)
                    yield self._open_group(part)
                case b"GE":
                    yield from self._close_group(part)
                case b"TA1":
                    yield from self._ta1(part)
                case b"IEA":
                    trailer = part
                case _:
                    self._binary(part)
        yield from self._close_group(None)
        yield self._close(trailer)

    # ---- what lies between the service segments

    def _run(self, run: Run) -> None:
        if self._set is None:
            self._stray(run.segments[0], run.offset)
            return
        self._set.parts.append(run)
        self._grow(run.size)

    def _binary(self, mark: Mark) -> None:
        if self._set is None:
            self._stray(mark.raw, mark.offset)
            return
        self._set.parts.append(mark)
        self._grow(len(mark.raw))

    def _grow(self, size: int) -> None:
        assert self._set is not None
        self._set.size += size
        if self._set.size > self._limits.message:
            place = replace(self._place, offset=self._set.mark.offset)
            said = f"more than {self._limits.message} bytes"
            found = finding("edi.message.too_large", place, said=said, wanted=f"at most {self._limits.message} bytes")
            raise PartnerFault(found.text, findings=(found,))

    def _stray(self, raw: bytes, offset: int) -> None:
        if raw.strip(FILLER):
            self._once("edi.interchange.stray_segment", raw, offset, "ST before the segments of a set")

    def _indented(self, mark: Mark) -> None:
        if mark.indented:
            severity = Severity.ACCEPT if self._tolerances.indented_segments else None
            self._once("edi.segment.indented", mark.raw[:8], mark.offset, "no blanks before a segment", severity)

    def _once(self, rule: str, said: bytes, offset: int, wanted: str, severity: Severity | None = None) -> None:
        if rule not in self._said:
            self._said.add(rule)
            place = replace(self._place, offset=offset)
            # Here it is the envelope's: 022, the control structure.
            codes = Codes(ta105="022")
            self._findings.append(finding(rule, place, said=said, wanted=wanted, severity=severity, codes=codes))

    def _texts(self, mark: Mark) -> list[str]:
        """The elements of a service segment as text."""
        raw = mark.raw
        if b"\n" in raw or b"\r" in raw:
            self._once("edi.segment.line_break", raw[:40], mark.offset, "no line break inside a segment")
            raw = raw.translate(None, b"\r\n")
        return [one if isinstance(one, str) else one[0] for one in self._wire.split(raw)]

    def _same(self, one: str, other: str) -> bool:
        if self._tolerances.control_number_zeros:
            return one.lstrip("0") == other.lstrip("0")
        return one == other

    # ---- groups

    def _open_group(self, mark: Mark) -> GroupStart:
        elements = padded(self._texts(mark), 8)
        place = replace(self._place, group=elements[5] or None, tag="GS", offset=mark.offset)
        found = check_group(elements, place, self._guides)
        if elements[5] in self._group_numbers:
            wanted = "a number of its own"
            where = replace(place, element=6)
            found.append(finding("edi.group.control_number_repeated", where, said=elements[5], wanted=wanted))
        self._group_numbers.add(elements[5])
        start = GroupStart(
            functional_id=elements[0],
            sender=elements[1],
            receiver=elements[2],
            date=elements[3],
            time=elements[4],
            control_number=elements[5],
            version=elements[7],
            offset=mark.offset,
            findings=tuple(found),
        )
        self._groups += 1
        self._group = _OpenGroup(start, found)
        return start

    def _close_group(self, mark: Mark | None) -> Iterator[Event]:
        yield from self._close_set(None)
        group, self._group = self._group, None
        if group is None:
            if mark is not None:
                self._once("edi.interchange.stray_segment", mark.raw, mark.offset, "GS before GE")
            return
        place = replace(self._place, group=group.start.control_number or None)
        if not group.received:
            where = replace(place, tag="GS", offset=group.start.offset)
            group.findings.append(finding("edi.group.empty", where, said="", wanted="ST behind the GS"))
        declared: int | None = None
        if mark is None:
            place = replace(place, offset=self._buffer.offset)
            group.findings.append(finding("edi.group.trailer_missing", place, said="", wanted="GE"))
        else:
            elements = padded(self._texts(mark), 2)
            place = replace(place, tag="GE", offset=mark.offset)
            declared = number_of(elements[0])
            if declared != group.received:
                where = replace(place, element=1)
                wanted = f"GE01 {group.received}"
                group.findings.append(finding("edi.group.count", where, said=elements[0], wanted=wanted))
            if not self._same(elements[1], group.start.control_number):
                where = replace(place, element=2)
                wanted = f"GE02 {group.start.control_number}"
                group.findings.append(finding("edi.group.control_number", where, said=elements[1], wanted=wanted))
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
        )

    # ---- transaction sets

    def _open_set(self, mark: Mark) -> None:
        if self._group is None:
            self._once("edi.interchange.stray_segment", mark.raw, mark.offset, "GS before ST")
            return
        self._set = _OpenSet(padded(self._texts(mark), 2), mark)

    def _close_set(self, mark: Mark | None) -> Iterator[Event]:
        opened, self._set = self._set, None
        group = self._group
        if opened is None or group is None:
            if mark is not None:
                self._once("edi.interchange.stray_segment", mark.raw, mark.offset, "ST before SE")
            return
        message = self._message(opened, group, mark)
        group.verdicts[message.outcome] += 1
        yield message

    def _message(self, opened: _OpenSet, group: _OpenGroup, mark: Mark | None) -> Message:
        kind, number = opened.elements[0], opened.elements[1]
        place = EdiPlace(
            interchange=self._place.interchange,
            group=group.start.control_number or None,
            message=number or None,
        )
        found = check_start(opened.elements, place, opened.mark.offset, repeated=number in group.numbers)
        group.numbers.add(number)
        guide = self._guides.find(group.start.version, kind)
        end = self._buffer.offset if mark is None else mark.offset
        if guide is None:
            if not any(one.codes.ak502 == "6" for one in found):
                said = f"{kind} in version {group.start.version}"
                where = replace(place, segment=1, tag="ST", element=1, offset=opened.mark.offset)
                wanted = "a set and version that were agreed"
                found.append(finding("edi.message.unsupported", where, said=said, wanted=wanted))
            root = Loop("", [])
            segments = 2 + sum(1 if isinstance(part, Mark) else len(part.segments) for part in opened.parts)
        else:
            if group.start.functional_id != guide.functional_id:
                where = replace(place, segment=1, tag="ST", element=1, offset=opened.mark.offset)
                wanted = f"{kind} in a group {guide.functional_id}"
                said = group.start.functional_id
                found.append(finding("edi.message.wrong_group", where, said=said, wanted=wanted))
            structure = structure_of(guide, self._delimiters, self._charset)
            walk = Walk(structure, self._guides, place, self._tolerances, self._limits)
            segments = check_set(walk, opened.parts, end)
            root = walk.root
            found += walk.findings
        if mark is None:
            segments -= 1
            where = replace(place, offset=end)
            found.append(finding("edi.message.trailer_missing", where, said="", wanted="SE"))
        else:
            found += self._check_end(padded(self._texts(mark), 2), number, segments, mark, place)
        findings = tuple(found)
        outcome = verdict_of(findings) if findings else Verdict.ACCEPTED
        return Message(
            type=kind,
            version=group.start.version,
            control_number=number,
            root=root,
            findings=findings,
            outcome=outcome,
            segments=segments,
            offset=opened.mark.offset,
        )

    def _check_end(self, elements: list[str], number: str, segments: int, mark: Mark, place: EdiPlace) -> list[Finding]:
        right = number_of(elements[0]) == segments
        if right and elements[1] == number:
            return []
        found: list[Finding] = []
        where = replace(place, segment=segments, tag="SE", offset=mark.offset)
        if not right:
            at = replace(where, element=1)
            found.append(finding("edi.message.count", at, said=elements[0], wanted=f"SE01 {segments}"))
        if not self._same(elements[1], number):
            at = replace(where, element=2)
            found.append(finding("edi.message.control_number", at, said=elements[1], wanted=f"SE02 {number}"))
        return found

    # ---- the interchange

    def _ta1(self, mark: Mark) -> Iterator[Event]:
        if self._group is not None:
            # X12.5: TA1 stands between ISA and the first GS, or alone.
            self._once("edi.interchange.stray_segment", mark.raw, mark.offset, "TA1 before the first GS")
            return
        self._tas += 1
        segment = Segment("TA1", self._wire.split(mark.raw), 0, mark.offset)
        found: list[Finding] = []
        if not TA1.fullmatch("*".join(self._texts(mark))):
            place = replace(self._place, tag="TA1", offset=mark.offset)
            wanted = "control number, date, time, A, E or R, and a note code"
            found.append(finding("edi.interchange.acknowledgment", place, said=mark.raw, wanted=wanted))
        self._findings += found
        yield Ta1(segment=segment, findings=tuple(found))

    def _close(self, mark: Mark | None) -> InterchangeEnd:
        number = self._start.control_number
        if mark is None:
            place = replace(self._place, offset=self._buffer.offset)
            self._findings.append(finding("edi.interchange.trailer_missing", place, said="", wanted="IEA"))
        else:
            elements = padded(self._texts(mark), 2)
            place = replace(self._place, tag="IEA", offset=mark.offset)
            if number_of(elements[0]) != self._groups:
                # An interchange of nothing but TA1 has no groups; many count the TA1 all the same.
                severity = Severity.ACCEPT if not self._groups and self._tas else None
                where = replace(place, element=1)
                wanted = f"IEA01 {self._groups}"
                self._findings.append(
                    finding("edi.interchange.count", where, said=elements[0], wanted=wanted, severity=severity)
                )
            if not self._same(elements[1], number):
                where = replace(place, element=2)
                wanted = f"IEA02 {number}"
                self._findings.append(finding("edi.interchange.control_number", where, said=elements[1], wanted=wanted))
        self._after()
        envelope = verdict_of(self._findings)
        outcome = with_parts(envelope, self._group_verdicts)
        findings = tuple(self._findings[: self._limits.findings])
        return InterchangeEnd(
            start=self._start, groups=self._groups, findings=findings, outcome=outcome, envelope=envelope
        )

    def _after(self) -> None:
        """What follows the interchange: line breaks are legal, filler is noted, anything but an ISA is data lost."""
        offset = self._buffer.offset
        skipped = _skip(self._buffer)
        if skipped.strip(b"\r\n"):
            place = EdiPlace(interchange=self._place.interchange, offset=offset)
            self._findings.append(finding("edi.file.trailing_bytes", place, said=skipped[:16], wanted="nothing"))
        rest = self._buffer.take(16)
        if rest and rest[:3] != b"ISA":
            place = EdiPlace(interchange=self._place.interchange, offset=self._buffer.offset)
            self._findings.append(finding("edi.file.trailing_data", place, said=rest, wanted="ISA or nothing"))


def _interchange_start(header: Header, findings: tuple[Finding, ...]) -> InterchangeStart:
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
        findings=findings,
    )


def read_all(
    source: bytes | Iterable[bytes],
    *,
    guides: Guides,
    tolerances: Tolerances | None = None,
    limits: Limits | None = None,
    charset: str = "utf-8",
) -> list[Interchange]:
    """All interchanges of a small file, with final verdicts. Raises what `read` raises."""
    whole = read_whole(source, guides=guides, tolerances=tolerances, limits=limits, charset=charset)
    if whole.fault is not None:
        raise whole.fault
    return list(whole.interchanges)


def read_whole(
    source: bytes | Iterable[bytes],
    *,
    guides: Guides,
    tolerances: Tolerances | None = None,
    limits: Limits | None = None,
    charset: str = "utf-8",
) -> Whole:
    """A small file with final verdicts; what `read` raises is in `fault`, behind all that was read before it."""
    return put_together(read(source, guides=guides, tolerances=tolerances, limits=limits, charset=charset))
