"""The slow path: says exactly what is wrong inside one segment, element by element.

Lengths count characters; a sign and a decimal mark do not count (X12.6; ISO 9735 part 1, 10). Knows nothing of loops.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from gateway.edi.characters import UNDECODABLE, cleaner, sent, size
from gateway.edi.delimiters import Delimiters
from gateway.edi.guide import ElementSpec, Note, SegmentSpec
from gateway.edi.rules import finding
from gateway.findings import Codes, EdiPlace, Finding

_NUMBER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_EDIFACT_NUMBER = re.compile(r"-?[0-9]*(?:[.,][0-9]*)?")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9][0-9]{0,2})?")
_SHORT_DATE, _LONG_DATE = 6, 8
_TOO_MANY = "edi.element.too_many_components"


@dataclass(frozen=True, slots=True)
class _Segment:
    """What is needed to judge any part of a segment."""

    delimiters: Delimiters
    charset: str
    clean: Callable[[str], str]

    def meant(self, text: str) -> str:
        """Text as it was meant, without release characters."""
        return text if text.isascii() and not self.releases(text) else self.clean(text)

    def releases(self, text: str) -> bool:
        return self.delimiters.release is not None and self.delimiters.release in text

    def size(self, text: str) -> int:
        return size(text, self.charset, self.delimiters)


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


def _alphabetic(text: str) -> bool:
    return _printable(text) and not any(c in "0123456789" for c in text)


def _numeric(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: text.isascii() and pattern.fullmatch(text) is not None


_FORMS: dict[str, tuple[Callable[[str], bool], str, str]] = {
    "DT": (_is_date, "edi.element.date", "a date"),
    "TM": (_is_time, "edi.element.time", "a time"),
    "R": (_numeric(_DECIMAL), "edi.element.characters", "a decimal number"),
    "N": (_numeric(_NUMBER), "edi.element.characters", "a whole number"),
    "n": (_numeric(_EDIFACT_NUMBER), "edi.element.characters", "a number"),
    "a": (_alphabetic, "edi.element.characters", "letters"),
    "an": (_printable, "edi.element.characters", "printable text"),
    "AN": (_printable, "edi.element.characters", "printable text"),
    "ID": (_printable, "edi.element.characters", "a code"),
}
"""By type: whether the text has its form, the rule it breaks otherwise, and its name."""


_TEXTS = frozenset({"AN", "ID", "an", "a"})
_NUMERIC = frozenset("NRn")


def _length(spec: ElementSpec, text: str) -> int:
    return sum(c in "0123456789" for c in text) if spec.type[0] in _NUMERIC else len(text)


def check_value(spec: ElementSpec, text: str, place: EdiPlace, decimal: str = ".") -> list[Finding]:
    """What is wrong with one present element or component. `decimal`: the marks that EDIFACT numbers may have."""
    kind = "N" if spec.type.startswith("N") else spec.type
    form, rule, words = _FORMS.get(kind, _FORMS["AN"])
    found: list[Finding] = []
    right = form(text)
    length = _length(spec, text)
    wanted = f"{spec.label}: {words} of {_span(spec)}"
    if length > spec.maximum:
        found.append(finding("edi.element.too_long", place, said=text, wanted=wanted))
    elif length < spec.minimum and (right or kind in _TEXTS):
        found.append(finding("edi.element.too_short", place, said=text, wanted=wanted))
    if not right and (kind not in {"DT", "TM"} or not found):
        found.append(finding(rule, place, said=text, wanted=wanted))
    if right and kind == "n":
        found += _check_decimal(text, place, decimal, wanted)
    if not found and spec.codes is not None and text not in spec.codes:
        listed = ", ".join(sorted(spec.codes)[:20])
        found.append(finding("edi.element.code", place, said=text, wanted=f"{spec.label}: one of {listed}"))
    return found


def _check_decimal(text: str, place: EdiPlace, decimal: str, wanted: str) -> list[Finding]:
    """ISO 9735 part 1, 10: the mark is the agreed one, with a digit before and behind it."""
    mark = next((c for c in text if c in ".,"), None)
    if mark is None:
        return []
    whole, _, part = text.partition(mark)
    if mark in decimal and whole.lstrip("-") and part:
        return []
    marks = " or ".join(repr(one) for one in decimal)
    wanted = f"{wanted}, the decimal mark {marks} between digits"
    # 0085 tells a missing digit in front of the mark from a mark that is wrong.
    codes = Codes(contrl="38") if mark in decimal and part else None
    return [finding("edi.element.decimal", place, said=text, wanted=wanted, codes=codes)]


def _span(spec: ElementSpec) -> str:
    unit = "digits" if spec.type[0] in _NUMERIC else "characters"
    return f"{spec.minimum} {unit}" if spec.minimum == spec.maximum else f"{spec.minimum} to {spec.maximum} {unit}"


def check_segment(spec: SegmentSpec, raw: str, place: EdiPlace, delimiters: Delimiters, charset: str) -> list[Finding]:
    """What is wrong inside one segment, cut as `characters.decoded` gave it.

    `place` names the segment; its offset is that of the tag.
    """
    own = _Segment(delimiters, charset, cleaner(delimiters))
    pieces = raw.split(delimiters.element)
    found: list[Finding] = []
    if len(pieces) > 1 and not pieces[-1]:
        found.append(
            finding(
                "edi.segment.trailing_separators",
                place,
                said=sent(raw[-8:], delimiters),
                wanted="data after a separator",
            )
        )
        while len(pieces) > 1 and not pieces[-1]:
            pieces.pop()
    present = {index for index, piece in enumerate(pieces) if index and piece}
    starts = own.size(pieces[0]) + 1
    for index, piece in enumerate(pieces[1:], 1):
        begins = starts
        starts += own.size(piece) + 1
        if not piece and index <= len(spec.elements):
            continue
        where = _within(place, element=index, offset=None if place.offset is None else place.offset + begins)
        if index > len(spec.elements) and not spec.open:
            wanted = f"at most {len(spec.elements)} elements in {spec.tag}"
            found.append(finding("edi.element.too_many", where, said=own.meant(piece), wanted=wanted))
            break
        if piece:
            found += _check_characters(piece, where, own)
            found += (
                _check_open(piece, where, own) if spec.open else _check(spec.elements[index - 1], piece, where, own)
            )
    for index, element in enumerate(spec.elements, 1):
        if element.mandatory and index not in present:
            where = _within(place, element=index, offset=place.offset)
            found.append(
                finding("edi.element.missing", where, said="", wanted=f"{spec.tag}{index:02d} {element.label}")
            )
    for note in spec.notes:
        found += _check_note(note, spec, present, place)
    return found


def _within(
    place: EdiPlace,
    *,
    offset: int | None,
    element: int | None = None,
    repeat: int | None = None,
    component: int | None = None,
) -> EdiPlace:
    """A place inside another: `dataclasses.replace` would cost more than the rest of the finding."""
    return EdiPlace(
        interchange=place.interchange,
        group=place.group,
        message=place.message,
        segment=place.segment,
        tag=place.tag,
        element=place.element if element is None else element,
        component=component,
        repeat=place.repeat if repeat is None else repeat,
        offset=offset,
    )


def _check_characters(piece: str, place: EdiPlace, own: _Segment) -> Iterator[Finding]:
    """Bytes that are no text, and releases that release nothing."""
    if not piece.isascii() and (wrong := UNDECODABLE.search(piece)):
        offset = None if place.offset is None else place.offset + own.size(piece[: wrong.start()])
        said = wrong[0].encode("ascii", "surrogateescape")
        wanted = f"text in {own.charset}"
        yield finding("edi.element.charset", replace(place, offset=offset), said=said, wanted=wanted)
    if own.releases(piece):
        at_end = piece.endswith(own.delimiters.release or "")
        rule = "edi.element.release_at_end" if at_end else "edi.element.needless_release"
        words = "a release only before a service character"
        yield finding(rule, place, said=sent(piece, own.delimiters), wanted=words)


def _check_open(piece: str, place: EdiPlace, own: _Segment) -> list[Finding]:
    service = str.maketrans("", "", own.delimiters.component + (own.delimiters.repetition or ""))
    if UNDECODABLE.search(piece) or _printable(own.meant(piece).translate(service)):
        return []
    return [finding("edi.element.characters", place, said=own.meant(piece), wanted="printable text")]


def _check(spec: ElementSpec, piece: str, place: EdiPlace, own: _Segment) -> list[Finding]:
    repetition = own.delimiters.repetition
    if repetition is None or repetition not in piece:
        return _check_one(spec, piece, place, own)
    parts = piece.split(repetition)
    found: list[Finding] = []
    if len(parts) > spec.repeat:
        wanted = f"{spec.label} at most {spec.repeat} times"
        where = replace(place, repeat=spec.repeat + 1)
        said = own.meant(parts[spec.repeat])
        found.append(finding("edi.element.too_many_repeats", where, said=said, wanted=wanted))
    offset = place.offset
    for index, part in enumerate(parts[: spec.repeat], 1):
        where = _within(place, repeat=index, offset=offset)
        if part:
            found += _check_one(spec, part, where, own)
        else:
            found.append(finding("edi.element.missing", where, said="", wanted=f"{spec.label} in each repeat"))
        offset = None if offset is None else offset + own.size(part) + 1
    return found


def _check_one(spec: ElementSpec, piece: str, place: EdiPlace, own: _Segment) -> list[Finding]:
    if UNDECODABLE.search(piece):
        return []  # told already
    if not spec.used:
        return [_not_used(spec, own.meant(piece), place)]
    component, decimal = own.delimiters.component, own.delimiters.decimal
    if not spec.components:
        found: list[Finding] = []
        if component in piece and spec.type in _TEXTS:
            wanted = f"{spec.label}: text without {component!r}"
            # EDIFACT can release the separator: here it means components. In X12 it may well be text.
            rule = "edi.element.component_separator" if own.delimiters.release is None else _TOO_MANY
            found.append(finding(rule, place, said=own.meant(piece), wanted=wanted))
            piece = piece.replace(component, " ")
        return found + check_value(spec, own.meant(piece), place, decimal)
    found = []
    components = piece.split(component)
    if len(components) > 1 and not components[-1]:
        wanted = "data after a component separator"
        said = sent(piece[-8:], own.delimiters)
        found.append(finding("edi.segment.trailing_separators", place, said=said, wanted=wanted))
    while components and not components[-1]:
        components.pop()
    if len(components) > len(spec.components):
        wanted = f"at most {len(spec.components)} components in {spec.label}"
        where = replace(place, component=len(spec.components) + 1)
        said = own.meant(components[len(spec.components)])
        found.append(finding(_TOO_MANY, where, said=said, wanted=wanted))
    offset = place.offset
    for index, one in enumerate(spec.components, 1):
        said = components[index - 1] if index <= len(components) else ""
        where = _within(place, component=index, offset=offset)
        if said and not one.used:
            found.append(_not_used(one, own.meant(said), where))
        elif said:
            found += check_value(one, own.meant(said), where, decimal)
        elif one.mandatory:
            found.append(finding("edi.element.missing", where, said="", wanted=one.label))
        offset = None if offset is None else offset + own.size(said) + 1
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
