"""Segments to bytes, in either standard: what may stand in data, what is released, what is refused. Never altered.

X12 has no release character: data that holds a delimiter is refused. EDIFACT releases it (ISO 9735 5.1). What the
charset or the repertoire lacks is refused in both. Each refusal is a finding that names the place and the characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gateway.edi.delimiters import Delimiters, refusals
from gateway.edi.rules import finding
from gateway.edi.tree import Element, Repeats, Segment
from gateway.errors import OurFault, PartnerFault
from gateway.findings import EdiPlace, Finding

_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
_NAMED = 10
"""Characters that a finding names."""
_LOWEST_PRINTABLE, _LOWEST_HIGH = 0x20, 0x80

Row = tuple[str, int, str, int, int]
"""A value of a service segment: tag, element, text, fewest and most characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repertoire:
    """The characters that an interchange may hold, by the name that its header gives them."""

    name: str
    characters: str


class _Spot(NamedTuple):
    """Where an element stands; a place is made of it only for a finding."""

    within: EdiPlace
    segment: int
    tag: str
    element: int

    def place(self, repeat: int | None = None, component: int | None = None) -> EdiPlace:
        return replace(
            self.within,
            segment=self.segment,
            tag=self.tag,
            element=self.element,
            repeat=repeat,
            component=component,
        )


@dataclass(frozen=True, kw_only=True)
class Writer:
    """How the segments of one interchange become bytes.

    Raises OurFault for delimiters that cannot be delimiters and for a charset that is unknown or hides ASCII.
    """

    delimiters: Delimiters
    charset: str = "utf-8"
    newline: str = ""
    """What follows each terminator: nothing, or line breaks that some partners want to see."""
    repertoire: Repertoire | None = None
    """None: whatever the charset has."""
    _doubtful: re.Pattern[str] = field(init=False, repr=False)
    _strange: re.Pattern[str] = field(init=False, repr=False)
    """As `_doubtful`, of elements with their separator between them."""
    _service: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _usable(self.delimiters, self.newline)
        _transparent(self.charset)
        service = self.delimiters.all
        clean = "".join(c for c in (self.repertoire.characters if self.repertoire else _PRINTABLE) if c not in service)
        object.__setattr__(self, "_doubtful", re.compile(f"[^{re.escape(clean)}]"))
        object.__setattr__(self, "_strange", re.compile(f"[^{re.escape(clean + self.delimiters.element)}]"))
        object.__setattr__(self, "_service", re.compile(f"[{re.escape(service)}]"))

    def write(self, segments: Iterable[Segment], place: EdiPlace) -> bytes:
        """The bytes of these segments, the first of which is segment 1 of `place`.

        Raises PartnerFault with a finding for every value that cannot be written.
        """
        found: list[Finding] = []
        end = self.delimiters.segment + self.newline
        text = "".join(
            self._segment(segment, position, place, found) + end for position, segment in enumerate(segments, 1)
        )
        if found:
            raise PartnerFault(found[0].text, findings=tuple(found))
        return text.encode(self.charset)

    def _segment(self, segment: Segment, position: int, place: EdiPlace, found: list[Finding]) -> str:
        elements = segment.elements
        separator = self.delimiters.element
        try:
            text = separator.join(elements)  # type: ignore[arg-type]  # a composite raises
        except TypeError:
            text = ""
        # All elements at once, where each of them is plain data and the last one is there.
        if text and elements[-1] and text.count(separator) == len(elements) - 1 and not self._strange.search(text):
            return segment.tag + separator + text
        texts = [segment.tag]
        for index, element in enumerate(segment.elements, 1):
            if isinstance(element, str) and not self._doubtful.search(element):
                texts.append(element)
            else:
                texts.append(self._element(element, _Spot(place, position, segment.tag, index), found))
        return self.delimiters.element.join(_cut(texts))

    def _element(self, element: Element, spot: _Spot, found: list[Finding]) -> str:
        values = simple_values(element)
        if len(values) == 1:
            return self._simple(values[0], spot, None, found)
        separator = self.delimiters.repetition
        if separator is None:
            said = ", ".join(value if isinstance(value, str) else ":".join(value) for value in values)
            wanted = "one value: this interchange has no repetition separator"
            found.append(finding("edi.write.repetition", spot.place(), said=said, wanted=wanted))
            return ""
        return separator.join(_cut([self._simple(value, spot, at, found) for at, value in enumerate(values, 1)]))

    def _simple(self, value: str | tuple[str, ...], spot: _Spot, repeat: int | None, found: list[Finding]) -> str:
        if isinstance(value, str):
            return self._text(value, spot, repeat, None, found)
        if len(value) == 1:
            return self._text(value[0], spot, repeat, None, found)
        texts = [self._text(text, spot, repeat, at, found) for at, text in enumerate(value, 1)]
        return self.delimiters.component.join(_cut(texts))

    def _text(self, text: str, spot: _Spot, repeat: int | None, component: int | None, found: list[Finding]) -> str:
        """Data as it stands on the wire. What cannot be written is a finding."""
        if not self._doubtful.search(text):
            return text
        found += self._refused(text, spot.place(repeat, component))
        release = self.delimiters.release
        return text if release is None else self._service.sub(lambda one: release + one[0], text)

    def _refused(self, text: str, place: EdiPlace) -> Iterator[Finding]:
        characters = dict.fromkeys(text)
        if self.delimiters.release is None and (held := [c for c in self.delimiters.all if c in characters]):
            yield finding("edi.write.delimiter", place, said=text, wanted=f"text without {_named(held)}")
            return
        lost = [c for c in characters if not _exchangeable(c) or not self._encodable(c)]
        if lost:
            wanted = f"printable characters that {self.charset} has, not {_named(lost)}"
            yield finding("edi.write.characters", place, said=text, wanted=wanted)
        elif self.repertoire and (foreign := [c for c in characters if c not in self.repertoire.characters]):
            wanted = f"characters of {self.repertoire.name}, not {_named(foreign)}"
            yield finding("edi.write.repertoire", place, said=text, wanted=wanted)

    def _encodable(self, character: str) -> bool:
        try:
            data = character.encode(self.charset)
        except UnicodeEncodeError:
            return False
        # A letter whose bytes hold ASCII (Shift JIS, ISO 2022) would be cut in two by a reader.
        return character.isascii() or min(data) >= _LOWEST_HIGH


def misfits(rows: Iterable[Row], place: EdiPlace) -> list[Finding]:
    """Values of service segments that do not have the length of their elements; fewest 0 is an optional element."""
    return [
        misfit(place, tag, element, text, f"{low} to {high} characters")
        for tag, element, text, low, high in rows
        if not low <= len(text) <= high
    ]


def misfit(place: EdiPlace, tag: str, element: int, said: str, wanted: str) -> Finding:
    """The finding for one value of a service segment."""
    where = replace(place, tag=tag, element=element)
    return finding("edi.write.envelope", where, said=said, wanted=f"{tag}{element:02d}: {wanted}")


def refuse(found: list[Finding]) -> None:
    """Raise PartnerFault when there is any finding."""
    if found:
        raise PartnerFault(found[0].text, findings=tuple(found))


def simple_values(element: Element) -> tuple[str | tuple[str, ...], ...]:
    """The repeats of an element: one for all but `tree.Repeats`."""
    return element.values if isinstance(element, Repeats) else (element,)


def _cut(texts: list[str]) -> list[str]:
    """Without the empty texts at the end; the first stays in any case."""
    while len(texts) > 1 and not texts[-1]:
        texts.pop()
    return texts


def _exchangeable(character: str) -> bool:
    """No control (C0, DEL, C1) and no noncharacter of Unicode; blanks that Unicode calls unprintable are text."""
    code = ord(character)
    if code < _LOWEST_PRINTABLE or 0x7F <= code <= 0x9F:  # noqa: PLR2004  DEL and C1
        return False
    return not (0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE)  # noqa: PLR2004  Unicode 23.7


def _named(characters: Sequence[str]) -> str:
    shown = [c if c.isprintable() else repr(c)[1:-1] for c in characters[:_NAMED]]
    return ", ".join(shown) + (" …" if len(characters) > _NAMED else "")


def _usable(delimiters: Delimiters, newline: str) -> None:
    wrong = [f"the {name} cannot be {said}" for name, said, _ in refusals(delimiters)]
    further = {"repetition separator": delimiters.repetition, "release character": delimiters.release}
    for name, character in further.items():
        if character is None:
            continue
        if len(character) != 1 or character.isalnum() or character.isspace() or not character.isascii():
            wrong.append(f"the {name} cannot be {character!r}, which occurs in data")
        elif delimiters.all.count(character) > 1:
            wrong.append(f"the {name} cannot be {character!r}, which has another meaning")
    if newline.strip("\r\n"):
        wrong.append(f"terminators cannot be followed by {newline!r}")
    if wrong:
        raise OurFault(wrong[0], remedy="choose other delimiters in the partner's agreement")


def _transparent(charset: str) -> None:
    """Refuse a charset in which ASCII is not ASCII: delimiters could not be found in it."""
    try:
        clear = _PRINTABLE.encode(charset) == _PRINTABLE.encode("ascii")
    except (LookupError, UnicodeError):
        clear = False
    if not clear:
        raise OurFault(
            f"{charset} cannot be the charset of an interchange",
            remedy="choose a charset that contains ASCII, such as utf-8 or latin-1",
        )
