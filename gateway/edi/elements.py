"""The slow path: says exactly what is wrong inside one segment, element by element.

Lengths count characters of the decoded text; a sign and a decimal point do not count (X12.6). Knows nothing of loops.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from gateway.edi.delimiters import Delimiters
from gateway.edi.guide import ElementSpec, Note, SegmentSpec
from gateway.edi.rules import finding
from gateway.findings import EdiPlace, Finding

_NUMBER = re.compile(r"-?\d+")
_DECIMAL = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9][0-9]{0,2})?")
_SHORT_DATE, _LONG_DATE = 6, 8


@dataclass(frozen=True, slots=True)
class Text:
    """What a segment's text is read with."""

    delimiters: Delimiters
    charset: str


def _is_date(text: str) -> bool:
    if len(text) not in {_SHORT_DATE, _LONG_DATE} or not text.isascii() or not text.isdigit():
        return False
    # A year of two digits may be a leap year in one century or the other: 2000 stands for it.
    year = text[:4] if len(text) == _LONG_DATE else f"20{text[:2]}"
    try:
        date(int(year), int(text[-4:-2]), int(text[-2:]))
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    return _CLOCK.fullmatch(text) is not None


def _printable(text: str) -> bool:
    return not any(c < " " or "\x7f" <= c <= "\x9f" for c in text)


def _numeric(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: text.isascii() and pattern.fullmatch(text) is not None


_FORMS: dict[str, tuple[Callable[[str], bool], str, str]] = {
    "DT": (_is_date, "edi.element.date", "a date"),
    "TM": (_is_time, "edi.element.time", "a time"),
    "R": (_numeric(_DECIMAL), "edi.element.characters", "a decimal number"),
    "N": (_numeric(_NUMBER), "edi.element.characters", "a whole number"),
    "AN": (_printable, "edi.element.characters", "printable text"),
    "ID": (_printable, "edi.element.characters", "a code"),
}
"""By type: whether the text has its form, the rule it breaks otherwise, and its name."""


def _length(spec: ElementSpec, text: str) -> int:
    return sum(map(str.isdigit, text)) if spec.type[0] in "NR" else len(text)


def check_value(spec: ElementSpec, text: str, place: EdiPlace) -> list[Finding]:
    """What is wrong with one present element or component."""
    kind = "N" if spec.type.startswith("N") else spec.type
    form, rule, words = _FORMS[kind]
    found: list[Finding] = []
    right = form(text)
    length = _length(spec, text)
    wanted = f"{spec.label}: {words} of {_span(spec)}"
    if length > spec.maximum:
        found.append(finding("edi.element.too_long", place, said=text, wanted=wanted))
    elif length < spec.minimum and (right or kind in {"AN", "ID"}):
        found.append(finding("edi.element.too_short", place, said=text, wanted=wanted))
    if not right and (kind not in {"DT", "TM"} or not found):
        found.append(finding(rule, place, said=text, wanted=wanted))
    if not found and spec.codes is not None and text not in spec.codes:
        listed = ", ".join(sorted(spec.codes)[:20])
        found.append(finding("edi.element.code", place, said=text, wanted=f"{spec.label}: one of {listed}"))
    return found


def _span(spec: ElementSpec) -> str:
    unit = "digits" if spec.type[0] in "NR" else "characters"
    return f"{spec.minimum} {unit}" if spec.minimum == spec.maximum else f"{spec.minimum} to {spec.maximum} {unit}"


def check_segment(spec: SegmentSpec, raw: bytes, place: EdiPlace, text: Text) -> list[Finding]:
    """What is wrong inside one segment. `place` names the segment; its offset is that of the tag."""
    separator = text.delimiters.element.encode()
    pieces = raw.split(separator)
    found: list[Finding] = []
    if len(pieces) > 1 and not pieces[-1]:
        found.append(finding("edi.segment.trailing_separators", place, said=raw[-8:], wanted="data after a separator"))
        while len(pieces) > 1 and not pieces[-1]:
            pieces.pop()
    present = {index for index, piece in enumerate(pieces) if index and piece}
    starts = len(pieces[0]) + 1
    for index, piece in enumerate(pieces[1:], 1):
        where = replace(place, element=index, offset=None if place.offset is None else place.offset + starts)
        starts += len(piece) + 1
        if spec.open:
            found += _undecodable(piece, where, text) or _unprintable(piece, where, text)
        elif index > len(spec.elements):
            wanted = f"at most {len(spec.elements)} elements in {spec.tag}"
            found.append(finding("edi.element.too_many", where, said=piece, wanted=wanted))
            break
        elif piece:
            found += _undecodable(piece, where, text) or _check_piece(spec.elements[index - 1], piece, where, text)
    for index, element in enumerate(spec.elements, 1):
        if element.mandatory and index not in present:
            where = replace(place, element=index)
            found.append(
                finding("edi.element.missing", where, said="", wanted=f"{spec.tag}{index:02d} {element.label}")
            )
    for note in spec.notes:
        found += _check_note(note, spec, present, place)
    return found


def _undecodable(piece: bytes, place: EdiPlace, text: Text) -> list[Finding]:
    if piece.isascii():
        return []
    try:
        piece.decode(text.charset)
    except UnicodeDecodeError as error:
        offset = None if place.offset is None else place.offset + error.start
        where = replace(place, offset=offset)
        said = piece[error.start : error.end]
        return [finding("edi.element.charset", where, said=said, wanted=f"text in {text.charset}")]
    return []


def _unprintable(piece: bytes, place: EdiPlace, text: Text) -> list[Finding]:
    value = piece.decode(text.charset)
    if _printable(value.replace(text.delimiters.component, "")):
        return []
    return [finding("edi.element.characters", place, said=value, wanted="printable text")]


def _check_piece(spec: ElementSpec, piece: bytes, place: EdiPlace, text: Text) -> list[Finding]:
    value = piece.decode(text.charset)
    if not spec.used:
        return [_not_used(spec, value, place)]
    component = text.delimiters.component
    if not spec.components:
        found: list[Finding] = []
        if component in value and spec.type in {"AN", "ID"}:
            wanted = f"{spec.label}: text without {component!r}"
            found.append(finding("edi.element.component_separator", place, said=value, wanted=wanted))
            value = value.replace(component, " ")
        return found + check_value(spec, value, place)
    found = []
    components = value.split(component)
    if len(components) > 1 and not components[-1]:
        wanted = "data after a component separator"
        found.append(finding("edi.segment.trailing_separators", place, said=value[-8:], wanted=wanted))
    while components and not components[-1]:
        components.pop()
    if len(components) > len(spec.components):
        wanted = f"at most {len(spec.components)} components in {spec.label}"
        where = replace(place, component=len(spec.components) + 1)
        found.append(finding("edi.element.too_many_components", where, said=value, wanted=wanted))
    for index, one in enumerate(spec.components, 1):
        said = components[index - 1] if index <= len(components) else ""
        where = replace(place, component=index)
        if said and not one.used:
            found.append(_not_used(one, said, where))
        elif said:
            found += check_value(one, said, where)
        elif one.mandatory:
            found.append(finding("edi.element.missing", where, said="", wanted=one.label))
    return found


def _not_used(spec: ElementSpec, said: str, place: EdiPlace) -> Finding:
    return finding("edi.element.not_used", place, said=said, wanted=f"no {spec.label}: this partner's guide has none")


def _check_note(note: Note, spec: SegmentSpec, present: set[int], place: EdiPlace) -> list[Finding]:
    first, rest = note.elements[0], note.elements[1:]
    have = [element for element in note.elements if element in present]
    lacking = [element for element in note.elements if element not in present]
    wrong: int | None = None
    match note.kind:
        case "P" if have and lacking:
            wrong = lacking[0]
        case "R" if not have:
            wrong = first
        case "C" if first in present and lacking:
            wrong = lacking[0]
        case "L" if first in present and not present.intersection(rest):
            wrong = rest[0]
        case "E" if len(have) > 1:
            wrong = have[1]
        case _:
            pass
    if wrong is None:
        return []
    rule = "edi.element.exclusion" if note.kind == "E" else "edi.element.condition"
    named = ", ".join(f"{spec.tag}{element:02d}" for element in have)
    words = {
        "P": f"{_names(spec, note.elements)} all together or not at all",
        "R": f"at least one of {_names(spec, note.elements)}",
        "C": f"{_names(spec, rest)}, because {spec.tag}{first:02d} is there",
        "L": f"at least one of {_names(spec, rest)}, because {spec.tag}{first:02d} is there",
        "E": f"only one of {_names(spec, note.elements)}",
    }[note.kind]
    words += f" ({named} came)" if named else ""
    return [finding(rule, replace(place, element=wrong), said="", wanted=words)]


def _names(spec: SegmentSpec, elements: tuple[int, ...]) -> str:
    return ", ".join(f"{spec.tag}{element:02d}" for element in elements)
