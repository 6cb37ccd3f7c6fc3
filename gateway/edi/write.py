"""Trees to bytes: transaction sets, groups, interchanges. The same input gives the same bytes, always.

Control numbers, date and time come from outside. X12 has no release character: data that holds a delimiter is refused
with a finding that names the place, never altered; `fitting_delimiters` chooses others before writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.edi.delimiters import REPETITION_FROM, STANDARD, Delimiters, refusals
from gateway.edi.rules import finding
from gateway.edi.tree import Element, Loop, Segment, walk
from gateway.errors import OurFault, PartnerFault
from gateway.findings import EdiPlace, Finding

_CANDIDATES = ("*|^\x1d", ">:\\\x1f", "~'!\x1c")
"""Element, component and segment separators in order of preference; the last of each is a control character."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One transaction set to be written. `root` has neither ST nor SE."""

    type: str
    control_number: int | str
    """ST02: an int is written with at least four digits."""
    root: Loop


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What ISA, GS, GE and IEA say. Identifiers without padding."""

    sender_qualifier: str
    sender: str
    receiver_qualifier: str
    receiver: str
    group_sender: str
    group_receiver: str
    control_number: int
    """ISA13, 1 to 999999999."""
    group_control_number: int
    """GS06, 1 to 999999999."""
    functional_id: str
    """GS01, e.g. PO."""
    at: datetime
    """Written as it is: ISA09/10 to the minute, GS04/05 too."""
    version: str = "004010"
    """GS08; ISA12 follows from its first five characters."""
    test: bool = False
    ack_requested: bool = False
    delimiters: Delimiters = STANDARD
    newline: str = ""
    """What follows each terminator: nothing, or line breaks that some partners want to see."""
    charset: str = "utf-8"


def write_message(
    type: str,  # noqa: A002  it is the trade's word
    control_number: int | str,
    root: Loop,
    delimiters: Delimiters = STANDARD,
    *,
    charset: str = "utf-8",
    newline: str = "",
) -> bytes:
    """The bytes from ST to SE, both included, SE01 counted. Raises PartnerFault with every finding at once."""
    number = f"{control_number:04d}" if isinstance(control_number, int) else control_number
    place = EdiPlace(message=number)
    if not 4 <= len(number) <= 9:  # noqa: PLR2004  element 329
        raise _refused(_envelope(place, "ST", 2, number, "a control number of 4 to 9 characters"))
    segments = [Segment("ST", [type, number]), *(segment for _, segment, _ in walk(root))]
    segments.append(Segment("SE", [str(len(segments) + 1), number]))
    return _bytes(segments, delimiters, charset, newline, place)


def write_interchange(
    envelope: Envelope, messages: Sequence[Outgoing] = (), *, acknowledgments: Sequence[Segment] = ()
) -> bytes:
    """One interchange: TA1 segments first, then one group with the messages (none without messages).

    Raises PartnerFault with findings when data cannot be written, OurFault when the delimiters cannot be delimiters.
    """
    if refused := refusals(envelope.delimiters):
        name, said, _ = refused[0]
        raise OurFault(f"the {name} cannot be {said}", remedy="choose other delimiters in the partner's agreement")
    found = _check(envelope)
    if found:
        raise PartnerFault(found[0].text, findings=tuple(found))
    delimiters, newline = envelope.delimiters, envelope.newline
    number = f"{envelope.control_number:09d}"
    place = EdiPlace(interchange=number)

    def write(segments: Iterable[Segment]) -> bytes:
        return _bytes(segments, delimiters, envelope.charset, newline, place)

    parts = [_isa(envelope, number) + newline.encode(), write(acknowledgments)]
    if messages:
        control = str(envelope.group_control_number)
        date, time = f"{envelope.at:%Y%m%d}", f"{envelope.at:%H%M}"
        head: list[Element] = [envelope.functional_id, envelope.group_sender, envelope.group_receiver]
        parts.append(write([Segment("GS", [*head, date, time, control, "X", envelope.version])]))
        parts += [
            write_message(one.type, one.control_number, one.root, delimiters, charset=envelope.charset, newline=newline)
            for one in messages
        ]
        parts.append(write([Segment("GE", [str(len(messages)), control])]))
    parts.append(write([Segment("IEA", ["1" if messages else "0", number])]))
    return b"".join(parts)


def fitting_delimiters(roots: Iterable[Loop], preferred: Delimiters = STANDARD) -> Delimiters:
    """`preferred`, or the nearest delimiters that no data of these trees holds. Raises PartnerFault when all occur."""
    used: set[str] = set()
    for root in roots:
        for _, segment, _ in walk(root):
            for element in segment.elements:
                used.update(element if isinstance(element, str) else "".join(element))
    chosen: list[str] = []
    for first, others in zip((preferred.element, preferred.component, preferred.segment), _CANDIDATES, strict=True):
        free = [c for c in first + others if c not in used and c not in chosen]
        if not free:
            wanted = "data that leaves one of the usual delimiters free"
            raise _refused(finding("edi.write.delimiter", EdiPlace(), said=others, wanted=wanted))
        chosen.append(free[0])
    return Delimiters(element=chosen[0], component=chosen[1], segment=chosen[2])


def _isa(envelope: Envelope, number: str) -> bytes:
    version = envelope.version[:5]
    repetition = envelope.delimiters.repetition or "^"
    elements = [
        "00", " " * 10, "00", " " * 10,
        envelope.sender_qualifier, envelope.sender.ljust(15), envelope.receiver_qualifier, envelope.receiver.ljust(15),
        f"{envelope.at:%y%m%d}", f"{envelope.at:%H%M}",
        repetition if version >= REPETITION_FROM else "U",
        version, number, "1" if envelope.ack_requested else "0", "T" if envelope.test else "P",
        envelope.delimiters.component,
    ]  # fmt: skip
    return (envelope.delimiters.element.join(["ISA", *elements]) + envelope.delimiters.segment).encode("ascii")


def _check(envelope: Envelope) -> list[Finding]:
    """Every envelope value against its element; text must be ASCII without delimiters."""
    place = EdiPlace(interchange=str(envelope.control_number))
    rows = [
        ("ISA", 5, envelope.sender_qualifier, 2, 2), ("ISA", 6, envelope.sender, 1, 15),
        ("ISA", 7, envelope.receiver_qualifier, 2, 2), ("ISA", 8, envelope.receiver, 1, 15),
        ("ISA", 13, str(envelope.control_number), 1, 9), ("GS", 1, envelope.functional_id, 2, 2),
        ("GS", 2, envelope.group_sender, 2, 15), ("GS", 3, envelope.group_receiver, 2, 15),
        ("GS", 6, str(envelope.group_control_number), 1, 9), ("GS", 8, envelope.version, 6, 12),
    ]  # fmt: skip
    found = [
        _envelope(place, tag, element, value, f"{low} to {high} printable ASCII characters without delimiters")
        for tag, element, value, low, high in rows
        if not low <= len(value) <= high
        or not value.isascii()
        or not value.isprintable()
        or any(c in envelope.delimiters.all for c in value)
    ]
    numbers = (("ISA", 13, envelope.control_number), ("GS", 6, envelope.group_control_number))
    found += [_envelope(place, tag, at, str(value), "a number from 1") for tag, at, value in numbers if value < 1]
    return found


def _envelope(place: EdiPlace, tag: str, element: int, said: str, wanted: str) -> Finding:
    where = EdiPlace(interchange=place.interchange, message=place.message, tag=tag, element=element)
    return finding("edi.write.envelope", where, said=said, wanted=f"{tag}{element:02d}: {wanted}")


def _refused(found: Finding) -> PartnerFault:
    return PartnerFault(found.text, findings=(found,))


def _bytes(segments: Iterable[Segment], delimiters: Delimiters, charset: str, newline: str, place: EdiPlace) -> bytes:
    lines: list[str] = []
    found: list[Finding] = []
    for position, segment in enumerate(segments, 1):
        texts = [segment.tag]
        for index, element in enumerate(segment.elements, 1):
            parts = (element,) if isinstance(element, str) else element
            for part in parts:
                if not part.isprintable() or any(c in part for c in delimiters.all) or not _fits(part, charset):
                    where = EdiPlace(
                        interchange=place.interchange,
                        message=place.message,
                        segment=position,
                        tag=segment.tag,
                        element=index,
                    )
                    found += _unwritable(part, delimiters, charset, where)
            joined = delimiters.component.join(parts)
            texts.append(joined.rstrip(delimiters.component) if len(parts) > 1 else joined)
        while len(texts) > 1 and not texts[-1]:
            texts.pop()
        lines.append(delimiters.element.join(texts))
    if found:
        raise PartnerFault(found[0].text, findings=tuple(found))
    end = delimiters.segment + newline
    return "".join(line + end for line in lines).encode(charset)


def _fits(text: str, charset: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _unwritable(text: str, delimiters: Delimiters, charset: str, place: EdiPlace) -> list[Finding]:
    held = [c for c in delimiters.all if c in text]
    if held:
        wanted = "text without " + ", ".join(repr(c) for c in held)
        return [finding("edi.write.delimiter", place, said=text, wanted=wanted)]
    # Unicode calls some blanks unprintable; only controls and what the charset lacks are refused.
    if any(c < " " or "\x7f" <= c <= "\x9f" for c in text) or not _fits(text, charset):
        wanted = f"printable characters that {charset} has"
        return [finding("edi.write.characters", place, said=text, wanted=wanted)]
    return []
