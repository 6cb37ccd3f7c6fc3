"""Trees to X12 bytes: transaction sets, groups, interchanges. The same input gives the same bytes, always.

Control numbers, date and time come from outside. X12 has no release character: data that holds a delimiter is refused
with a finding that names the place, never altered; `fitting_delimiters` chooses others before writing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.edi.delimiters import REPETITION_FROM, STANDARD, Delimiters
from gateway.edi.rules import finding
from gateway.edi.tree import Element, Loop, Segment, walk
from gateway.edi.writing import Row, Writer, misfit, misfits, refuse, simple_values
from gateway.errors import OurFault, PartnerFault
from gateway.findings import EdiPlace, Finding

_CANDIDATES = ("*|^\x1d", ">:\\\x1f", "~'!\x1c", "^!%\x1e")
"""Element, component, segment and repetition separators in order of preference, a control character last."""
_LONG_DATES_FROM = "004010"
"""GS04 has eight digits from this version on, six before."""
_NARROWEST = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One transaction set to be written. `root` has neither ST nor SE."""

    type: str
    control_number: int | str
    """ST02: an int is written with at least four digits."""
    root: Loop
    convention: str = ""
    """ST03, the implementation convention: from 005010 on, e.g. 005010X217."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A functional group. What is empty is as in the envelope."""

    functional_id: str
    """GS01, e.g. PO."""
    control_number: int
    """GS06, 1 to 999999999."""
    messages: Sequence[Outgoing]
    sender: str = ""
    receiver: str = ""
    version: str = ""
    """GS08."""


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
    """From 00402 on a repetition separator is chosen where there is none; before, it is left out."""
    newline: str = ""
    """What follows each terminator: nothing, or line breaks that some partners want to see."""
    charset: str = "utf-8"
    wrap: int | None = None
    """Bytes per line for partners that take records of fixed length, 80 as a rule; `newline` then ends the records."""
    authorization: tuple[str, str] = ("00", "")
    """ISA01 and ISA02."""
    security: tuple[str, str] = ("00", "")
    """ISA03 and ISA04."""
    group_seconds: bool = False
    """GS05 with seconds."""
    agency: str = "X"
    """GS07: X, or T in transport."""


@functools.lru_cache(maxsize=64)
def _writer(delimiters: Delimiters, charset: str, newline: str) -> Writer:
    """A writer holds nothing of what it writes; few are ever asked for."""
    return Writer(delimiters=delimiters, charset=charset, newline=newline)


def write_message(
    type: str,  # noqa: A002  it is the trade's word
    control_number: int | str,
    root: Loop,
    delimiters: Delimiters = STANDARD,
    *,
    charset: str = "utf-8",
    newline: str = "",
    convention: str = "",
) -> bytes:
    """The bytes from ST to SE, both included, SE01 counted. Raises PartnerFault with every finding at once."""
    writer = _writer(delimiters, charset, newline)
    return _message(
        Outgoing(type=type, control_number=control_number, root=root, convention=convention), writer, EdiPlace()
    )


def write_interchange(
    envelope: Envelope,
    messages: Sequence[Outgoing] = (),
    *,
    acknowledgments: Sequence[Segment] = (),
    groups: Sequence[Group] = (),
) -> bytes:
    """One interchange: TA1 segments first, then one group with the messages (none without messages), then `groups`.

    Raises PartnerFault with findings when data cannot be written, OurFault when the delimiters, the charset or the line
    length cannot be.
    """
    if envelope.wrap is not None and envelope.wrap < _NARROWEST:
        raise OurFault(f"lines of {envelope.wrap} bytes are too short", remedy="choose 80, or no line length")
    delimiters = replace(envelope.delimiters, repetition=_repetition(envelope.delimiters, envelope.version))
    newline = "" if envelope.wrap else envelope.newline
    writer = _writer(delimiters, envelope.charset, newline)
    first = Group(functional_id=envelope.functional_id, control_number=envelope.group_control_number, messages=messages)
    filled = [_filled(group, envelope) for group in ((first, *groups) if messages else groups)]
    place = EdiPlace(interchange=f"{envelope.control_number:09d}")
    found = _check(envelope, delimiters)
    # Without messages the envelope's own group is checked all the same: it is the same agreement's.
    for group in filled or [_filled(first, envelope)]:
        found += _check_group(group, delimiters, place)
    refuse(found)
    parts = [_isa(envelope, delimiters) + newline.encode(), writer.write(acknowledgments, place)]
    for group in filled:
        parts += _group(group, envelope, writer, place)
    parts.append(writer.write([Segment("IEA", [str(len(filled)), f"{envelope.control_number:09d}"])], place))
    data = b"".join(parts)
    return _wrapped(data, envelope.wrap, envelope.newline or "\n") if envelope.wrap else data


def fitting_delimiters(roots: Iterable[Loop], preferred: Delimiters = STANDARD, version: str = "004010") -> Delimiters:
    """`preferred`, or the nearest delimiters that no data of these trees holds; with a repetition separator where
    the version has one. Raises PartnerFault when all occur.

    With a release character (EDIFACT) everything can be written: `preferred` as it is.
    """
    if preferred.release is not None:
        return preferred
    used = _characters(roots)
    chosen: list[str] = []
    wanted = [preferred.element, preferred.component, preferred.segment]
    if preferred.repetition or version >= REPETITION_FROM:
        wanted.append(preferred.repetition or "")
    for first, others in zip(wanted, _CANDIDATES, strict=False):
        free = [c for c in first + others if c not in used and c not in chosen]
        if not free:
            words = "data that leaves one of the usual delimiters free"
            found = finding("edi.write.delimiter", EdiPlace(), said=others, wanted=words)
            raise PartnerFault(found.text, findings=(found,))
        chosen.append(free[0])
    element, component, segment, *repeating = chosen
    repetition = repeating[0] if repeating else None
    return replace(preferred, element=element, component=component, segment=segment, repetition=repetition)


def _characters(roots: Iterable[Loop]) -> set[str]:
    used: set[str] = set()
    for root in roots:
        for _, segment, _ in walk(root):
            for element in segment.elements:
                for value in simple_values(element):
                    used.update(value if isinstance(value, str) else "".join(value))
    return used


def _repetition(delimiters: Delimiters, version: str) -> str | None:
    """X12.5: ISA11 separates repeats from 00402 on; the first usual character that is free where none was chosen."""
    if version < REPETITION_FROM:
        return None
    taken = delimiters.element + delimiters.component + delimiters.segment
    return delimiters.repetition or next(c for c in _CANDIDATES[3] if c not in taken)


def _isa(envelope: Envelope, delimiters: Delimiters) -> bytes:
    elements = [
        envelope.authorization[0], envelope.authorization[1].ljust(10),
        envelope.security[0], envelope.security[1].ljust(10),
        envelope.sender_qualifier, envelope.sender.ljust(15), envelope.receiver_qualifier, envelope.receiver.ljust(15),
        f"{envelope.at:%y%m%d}", f"{envelope.at:%H%M}", delimiters.repetition or "U", envelope.version[:5],
        f"{envelope.control_number:09d}", "1" if envelope.ack_requested else "0", "T" if envelope.test else "P",
        delimiters.component,
    ]  # fmt: skip
    return (delimiters.element.join(["ISA", *elements]) + delimiters.segment).encode("ascii")


def _filled(group: Group, envelope: Envelope) -> Group:
    return replace(
        group,
        sender=group.sender or envelope.group_sender,
        receiver=group.receiver or envelope.group_receiver,
        version=group.version or envelope.version,
    )


def _group(group: Group, envelope: Envelope, writer: Writer, place: EdiPlace) -> list[bytes]:
    number = str(group.control_number)
    at = envelope.at
    date = f"{at:%Y%m%d}" if group.version >= _LONG_DATES_FROM else f"{at:%y%m%d}"
    time = f"{at:%H%M%S}" if envelope.group_seconds else f"{at:%H%M}"
    elements: list[Element] = [group.functional_id, group.sender, group.receiver, date, time, number]
    return [
        writer.write([Segment("GS", [*elements, envelope.agency, group.version])], place),
        *(_message(message, writer, EdiPlace()) for message in group.messages),
        writer.write([Segment("GE", [str(len(group.messages)), number])], place),
    ]


def _message(message: Outgoing, writer: Writer, place: EdiPlace) -> bytes:
    control = message.control_number
    number = f"{control:04d}" if isinstance(control, int) else control
    place = replace(place, message=number)
    # Elements 143, 329 and 1705.
    refuse(
        misfits([("ST", 1, message.type, 3, 3), ("ST", 2, number, 4, 9), ("ST", 3, message.convention, 0, 35)], place)
    )
    segments = [Segment("ST", [message.type, number, message.convention])]
    segments += (segment for _, segment, _ in walk(message.root))
    segments.append(Segment("SE", [str(len(segments) + 1), number]))
    return writer.write(segments, place)


def _check(envelope: Envelope, delimiters: Delimiters) -> list[Finding]:
    """Every value of the ISA against its element."""
    place = EdiPlace(interchange=str(envelope.control_number))
    rows: list[Row] = [
        ("ISA", 1, envelope.authorization[0], 2, 2), ("ISA", 2, envelope.authorization[1], 0, 10),
        ("ISA", 3, envelope.security[0], 2, 2), ("ISA", 4, envelope.security[1], 0, 10),
        ("ISA", 5, envelope.sender_qualifier, 2, 2), ("ISA", 6, envelope.sender, 1, 15),
        ("ISA", 7, envelope.receiver_qualifier, 2, 2), ("ISA", 8, envelope.receiver, 1, 15),
        ("ISA", 12, envelope.version, 6, 12), ("ISA", 13, str(envelope.control_number), 1, 9),
        ("GS", 7, envelope.agency, 1, 2),
    ]  # fmt: skip
    return _misfits(rows, envelope.control_number, delimiters, place)


def _check_group(group: Group, delimiters: Delimiters, place: EdiPlace) -> list[Finding]:
    rows: list[Row] = [
        ("GS", 1, group.functional_id, 2, 2), ("GS", 2, group.sender, 2, 15), ("GS", 3, group.receiver, 2, 15),
        ("GS", 6, str(group.control_number), 1, 9), ("GS", 8, group.version, 6, 12),
    ]  # fmt: skip
    return _misfits(rows, group.control_number, delimiters, replace(place, group=str(group.control_number)))


def _misfits(rows: Sequence[Row], number: int, delimiters: Delimiters, place: EdiPlace) -> list[Finding]:
    """The envelope is ASCII whatever the charset: it is read before the charset is known."""
    separators = frozenset(delimiters.all)
    found = [
        misfit(place, tag, element, text, f"{low} to {high} printable ASCII characters without delimiters")
        for tag, element, text, low, high in rows
        if not low <= len(text) <= high
        or not text.isascii()
        or not text.isprintable()
        or not separators.isdisjoint(text)
    ]
    if number < 1:
        tag, element = next((tag, element) for tag, element, text, _, _ in rows if text == str(number))
        found.append(misfit(place, tag, element, str(number), "a number from 1"))
    return found


def _wrapped(data: bytes, width: int, newline: str) -> bytes:
    """Records of `width` bytes, the last one as long as it is."""
    return b"".join(data[at : at + width] + newline.encode() for at in range(0, len(data), width))
