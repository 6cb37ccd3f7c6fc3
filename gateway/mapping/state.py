"""What one reading or writing gathers on its way: unmapped elements, lost fields, findings, counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from gateway.edi.tree import Loop, Segment, joined
from gateway.findings import EdiPlace, Finding, JsonPlace
from gateway.mapping.rules import finding
from gateway.mapping.trace import Note

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmapped:
    """An element that no line of the map names. It is kept in `extensions` and written back."""

    place: EdiPlace
    tag: str
    element: int
    """From 1."""
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A field of the document that the map cannot write."""

    pointer: str
    value: str
    reason: str


@dataclass(slots=True)
class ReadState:
    """Gathered while reading one set."""

    syntax: str = "x12"
    """Under which name `extensions` keeps what the wire said."""
    unmapped: list[Unmapped] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """Labels of the segments with counts that were there."""
    nodes: int = 0
    child_codes: bool = False
    """Whether this hierarchy states HL04 everywhere."""
    depth: int = 0
    """Levels of the hierarchy that are open."""
    open: list[str] = field(default_factory=list)
    """CPS01 of the packages that are open."""
    whole: str = ""
    """CPS01 of the one that speaks of the document."""
    notes: list[Note] | None = None
    """Where each value came from, when somebody wants to know."""

    def note_element(self, segment: Segment, index: int) -> None:
        """Element `index` (from 0) has no line in the map."""
        value = segment.elements[index]
        text = joined(value)
        place = place_of(segment, index)
        self.unmapped.append(Unmapped(place=place, tag=segment.tag, element=index + 1, value=text))

    def note(self, child: Segment | Loop) -> None:
        """A whole segment or loop has no line in the map."""
        waiting: list[Segment | Loop] = [child]
        while waiting:
            here = waiting.pop()
            if isinstance(here, Loop):
                waiting.extend(reversed(here.children))
                continue
            for index, value in enumerate(here.elements):
                if value:
                    self.note_element(here, index)

    def find(self, rule: str, segment: Segment, index: int, *, wanted: str) -> None:
        """A finding at an element."""
        value = segment.elements[index]
        said = joined(value)
        self.findings.append(finding(rule, place_of(segment, index), said=said, wanted=wanted))


@dataclass(slots=True)
class WriteState:
    """Gathered while writing one set."""

    syntax: str = "x12"
    lost: list[Lost] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    nodes: int = 0
    child_codes: bool = False
    parents: list[str] = field(default_factory=list)
    """HL01 or CPS01 of the levels that are open."""
    numbers: set[str] = field(default_factory=set)
    """HL01 or CPS01 of all levels so far: none is used twice."""

    document: Json = field(default_factory=dict)
    """The whole document, for lines that repeat a field of it."""

    def number(self, kept: str | None) -> str:
        """The number of the level that begins: the wire's own, unless the document was changed and has it already."""
        number = kept or str(self.nodes)
        if number in self.numbers:
            number = next(each for each in map(str, count(self.nodes)) if each not in self.numbers)
        self.numbers.add(number)
        return number

    def coarsen(self, pointer: str, value: str, word: str) -> None:
        """A word is written as a code that says less."""
        self.lost.append(Lost(pointer=pointer, value=value, reason=f"written, but read back as {word}"))

    def lose(self, pointer: str, value: object, reason: str) -> None:
        """A field cannot be written."""
        said = str(value)
        self.lost.append(Lost(pointer=pointer, value=said[:200], reason=reason))
        self.findings.append(finding("map.write.value", JsonPlace(pointer=pointer), said=said, wanted=reason))


def place_of(segment: Segment, index: int) -> EdiPlace:
    """The place of element `index` (from 0)."""
    offset = segment.offset or None
    return EdiPlace(segment=segment.position or None, tag=segment.tag, element=index + 1, offset=offset)
