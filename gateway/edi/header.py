"""The ISA: found, measured, cut, checked.

X12.5: sixteen elements of fixed width, 106 bytes with the terminator. Files with collapsed padding and wrapped headers
exist; they are understood, so that the findings can say what is wrong, and taken only under a tolerance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.edi.delimiters import Delimiters, refusals, repetition_of
from gateway.edi.rules import finding
from gateway.edi.segments import Buffer
from gateway.edi.tolerances import Tolerances
from gateway.errors import PartnerFault
from gateway.findings import Codes, EdiPlace, Finding, Severity

LENGTH = 106
WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""Widths of ISA01 to ISA16."""
_LONGEST = LENGTH + 2 * 24
"""How far a header is looked for when it was wrapped or padded too much."""

_DATE = re.compile(r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_TIME = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d")

# Element, pattern of a right value, what is wanted, TA105 (I18) when it is not.
_CHECKS: tuple[tuple[int, re.Pattern[str], str, str], ...] = (
    (1, re.compile(r"\w\w"), "a two-character qualifier", "010"),
    (3, re.compile(r"\w\w"), "a two-character qualifier", "012"),
    (5, re.compile(r"\w\w"), "a two-character qualifier", "005"),
    (6, re.compile(r".*\S.*"), "the sender's identifier", "006"),
    (7, re.compile(r"\w\w"), "a two-character qualifier", "007"),
    (8, re.compile(r".*\S.*"), "the receiver's identifier", "008"),
    (9, _DATE, "a date as YYMMDD", "014"),
    (10, _TIME, "a time as HHMM", "015"),
    (12, re.compile(r"\d{5}"), "a version such as 00401", "017"),
    (13, re.compile(r"\d{9}"), "nine digits", "018"),
    (14, re.compile(r"[01]"), "0 or 1", "019"),
    (15, re.compile(r"[TPI]"), "T, P or I", "020"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """An ISA. Identifiers without their padding; `elements[0]` is ISA01 as sent."""

    elements: tuple[str, ...]
    delimiters: Delimiters
    offset: int
    findings: tuple[Finding, ...] = ()

    def text(self, element: int) -> str:
        """ISA element from 1, without trailing blanks."""
        return self.elements[element - 1].rstrip(" ")


def read_header(buffer: Buffer, tolerances: Tolerances) -> Header:
    """The header at `buffer.at`, which is left behind its terminator. The bytes there begin with `ISA`.

    Raises PartnerFault when the file ends inside it, or when it cannot be told where it ends.
    """
    offset = buffer.offset
    raw = buffer.take(_LONGEST)
    if len(raw) < LENGTH and raw[3:4] * 16 == b"":
        raise _fault("edi.isa.truncated", EdiPlace(offset=offset + len(raw)), raw)
    separator = raw[3:4]
    positions = [3]
    for width in WIDTHS[:-1]:
        positions.append(positions[-1] + width + 1)
    fixed = len(raw) >= LENGTH and all(raw[at : at + 1] == separator for at in positions)
    fixed = fixed and raw[:104].count(separator) == len(WIDTHS) and b"\n" not in raw[:104] and b"\r" not in raw[:104]
    place = EdiPlace(tag="ISA", offset=offset)
    found: list[Finding] = []
    if fixed:
        head, length = raw[: LENGTH - 1], LENGTH
    else:
        head, length, found = _recover(raw, separator, place, tolerances)
    terminator = raw[length - 1 : length]
    elements = tuple(piece.decode("latin-1") for piece in head.split(separator)[1:])
    delimiters = Delimiters(
        element=separator.decode("latin-1"),
        # By its place: cut as an element it would be empty where it is the element separator itself.
        component=head[-1:].decode("latin-1"),
        segment=terminator.decode("latin-1"),
        repetition=repetition_of(elements[10], elements[11]),
    )
    place = EdiPlace(interchange=elements[12].strip() or None, tag="ISA", offset=offset)
    if refused := refusals(delimiters):
        name, said, code = refused[0]
        wanted = f"{name}: one ASCII character that is no letter, digit or blank and has no other meaning"
        raise _fault("edi.isa.delimiter", place, said, wanted=wanted, codes=Codes(ta105=code))
    found += _check(elements, place)
    buffer.at += length
    return Header(elements=elements, delimiters=delimiters, offset=offset, findings=tuple(found))


def _recover(raw: bytes, separator: bytes, place: EdiPlace, tolerances: Tolerances) -> tuple[bytes, int, list[Finding]]:
    """A header whose elements do not have their widths: its bytes without terminator, its length, the finding."""
    pieces = raw.split(separator, len(WIDTHS))
    if not separator or separator.isalnum() or len(pieces) <= len(WIDTHS):
        if len(raw) < LENGTH:
            raise _fault("edi.isa.truncated", EdiPlace(offset=(place.offset or 0) + len(raw)), raw)
        wanted = "sixteen elements after ISA, separated by its fourth byte"
        raise _fault("edi.isa.widths", place, raw[:40], wanted=wanted)
    start = len(raw) - len(pieces[-1])
    component = pieces[-1].lstrip(b"\r\n")[:1]
    length = raw.index(component, start) + 2 if component else len(raw)
    if len(raw) < length or (not component and len(raw) < _LONGEST):
        raise _fault("edi.isa.truncated", EdiPlace(offset=(place.offset or 0) + len(raw)), raw)
    wrapped = any(b"\n" in piece or b"\r" in piece for piece in pieces[:-1])
    cleaned = [piece.replace(b"\r", b"").replace(b"\n", b"") for piece in pieces[1:-1]]
    widths = [len(piece) for piece in cleaned]
    found: list[Finding] = []
    if wrapped:
        severity = Severity.ACCEPT if tolerances.wrapped_lines else None
        line = finding("edi.segment.line_break", place, said=raw[:LENGTH], wanted="no line break", severity=severity)
        found.append(line)
    for index, (width, right) in enumerate(zip(widths, WIDTHS, strict=False), 1):
        if width != right:
            where = EdiPlace(tag="ISA", element=index, offset=place.offset)
            severity = Severity.ACCEPT if tolerances.collapsed_isa else None
            wanted = f"ISA{index:02d} with {right} characters, not {width}"
            found.append(finding("edi.isa.widths", where, said=cleaned[index - 1], wanted=wanted, severity=severity))
            break
    return separator.join([b"ISA", *cleaned, component]), length, found


def _check(elements: tuple[str, ...], place: EdiPlace) -> list[Finding]:
    found: list[Finding] = []
    for element, right, wanted, code in _CHECKS:
        said = elements[element - 1]
        if not right.fullmatch(said.rstrip(" ")):
            where = EdiPlace(interchange=place.interchange, tag="ISA", element=element, offset=place.offset)
            words = f"ISA{element:02d}: {wanted}"
            found.append(finding("edi.isa.element", where, said=said, wanted=words, codes=Codes(ta105=code)))
    return found


def _fault(
    rule: str, place: EdiPlace, said: str | bytes, *, wanted: str = "the whole ISA", codes: Codes | None = None
) -> PartnerFault:
    found = finding(rule, place, said=said, wanted=wanted, codes=codes)
    return PartnerFault(found.text, findings=(found,))
