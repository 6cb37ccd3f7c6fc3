"""A valid interchange as its segments, to be changed and written again: one message of it is chosen.

Text is taken byte by byte (ISO 8859-1), so that nothing but the change differs. Only for files that are right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gateway.edi.delimiters import EDIFACT, EDIFACT_4, Delimiters, repetition_of
from gateway.edi.edifact import EdifactMachine
from gateway.edi.generate.dice import Dice
from gateway.edi.guide import ElementSpec, Guide, LoopUse, SegmentSpec
from gateway.edi.library import Guides
from gateway.edi.structure import Place, choose, structure_of
from gateway.edi.x12 import X12Machine
from gateway.errors import OurFault

X12 = X12Machine.tags
EDIFACT_TAGS = EdifactMachine.tags
_UNA = 9
_ISA = 106


class Spot(NamedTuple):
    """One present value in the chosen message."""

    segment: int
    """Index of its segment."""
    element: int
    """From 1."""
    component: int | None
    """From 0; None in an element that is not composite."""
    spec: ElementSpec
    text: str


class Wire:
    """The segments of one interchange without their terminators, and one of its messages."""

    def __init__(self, data: bytes, guides: Guides, dice: Dice) -> None:
        """Raises OurFault for what is no interchange with a message that the guides know."""
        self.dice = dice
        text = data.decode("latin-1")
        self.x12 = text.startswith("ISA")
        self._advice = text[:_UNA] if text.startswith("UNA") else ""
        self.tags = X12 if self.x12 else EDIFACT_TAGS
        self.chars = _x12(text) if self.x12 else _edifact(text)
        released = f"{re.escape(self.chars.release)}." if self.chars.release else "(?!)"
        terminator = re.escape(self.chars.segment)
        found = re.finditer(f"((?:{released}|[^{terminator}])*){terminator}", text[len(self._advice) :], re.DOTALL)
        self.segments = [one[1] for one in found]
        starts = [index for index, segment in enumerate(self.segments) if self.tag(segment) == self.tags.message]
        if not starts:
            raise OurFault("there is no message to change", remedy="give an interchange with a message")
        self.starts = starts
        self.start = dice.pick(starts)
        """Index of the message's ST or UNH."""
        self.end = self.start
        """Index of its SE or UNT."""
        while self.tag(self.segments[self.end]) != self.tags.message_end:
            self.end += 1
        self.guide = self._guide(guides)
        self._places: list[Place] = []

    def written(self, segments: list[str]) -> bytes:
        """The bytes of these segments."""
        text = self._advice + "".join(segment + self.chars.segment for segment in segments)
        return text.encode("latin-1")

    @property
    def body(self) -> range:
        """Indexes of the message's segments, its header and trailer left out."""
        return range(self.start + 1, self.end)

    def tag(self, segment: str) -> str:
        """The tag of a segment."""
        return segment.partition(self.chars.element)[0]

    def elements(self, segment: str) -> list[str]:
        """The tag and the elements, cut where a separator is not released."""
        return self._split(segment, self.chars.element)

    def components(self, element: str) -> list[str]:
        """The components of an element."""
        return self._split(element, self.chars.component)

    def _split(self, text: str, separator: str) -> list[str]:
        if self.chars.release is None or self.chars.release not in text:
            return text.split(separator)
        parts, part, at = [], "", 0
        while at < len(text):
            if text[at] == separator:
                parts.append(part)
                part = ""
            else:
                part += text[at : at + (2 if text[at] == self.chars.release else 1)]
                at += text[at] == self.chars.release
            at += 1
        return [*parts, part]

    def joined(self, elements: list[str]) -> str:
        """A segment of its tag and elements, without empty ones at the end."""
        while len(elements) > 1 and not elements[-1]:
            elements.pop()
        return self.chars.element.join(elements)

    # ---- what mutations ask for

    def replaced(self, index: int, segment: str) -> list[str]:
        """The segments, one of them another."""
        return [*self.segments[:index], segment, *self.segments[index + 1 :]]

    def with_element(self, index: int, element: int, text: str) -> list[str]:
        """The segments, one element of one of them another."""
        elements = self.elements(self.segments[index])
        elements += [""] * (element + 1 - len(elements))
        elements[element] = text
        return self.replaced(index, self.joined(elements))

    def put(self, spot: Spot, text: str) -> list[str]:
        """The segments, the value at this spot another."""
        if spot.component is None:
            return self.with_element(spot.segment, spot.element, text)
        components = self.components(self.elements(self.segments[spot.segment])[spot.element])
        components[spot.component] = text
        while len(components) > 1 and not components[-1]:
            components.pop()
        return self.with_element(spot.segment, spot.element, self.chars.component.join(components))

    def with_body(self, body: list[str]) -> list[str]:
        """The segments with another body for the message; its trailer counts them."""
        trailer = self.elements(self.segments[self.end])
        trailer[1] = str(len(body) + 2)
        return [*self.segments[: self.start + 1], *body, self.joined(trailer), *self.segments[self.end + 1 :]]

    def spots(self) -> Iterator[Spot]:
        """Every present value of the message that is neither repeated nor released."""
        odd = (self.chars.release or "") + (self.chars.repetition or "")
        for index in self.body:
            pieces = self.elements(self.segments[index])
            spec = self.spec(index)
            for number, (element, text) in enumerate(zip(spec.elements, pieces[1:], strict=False), 1):
                if not text or any(c in text for c in odd):
                    continue
                if not element.components:
                    yield Spot(index, number, None, element, text)
                    continue
                for at, (component, part) in enumerate(zip(element.components, self.components(text), strict=False)):
                    if part:
                        yield Spot(index, number, at, component, part)

    def places(self) -> list[Place]:
        """Where each segment of the body stands in the guide."""
        if not self._places:
            structure = structure_of(self.guide, self.chars)
            state = structure.start
            for index in self.body:
                segment = self.segments[index]
                step = choose(state[structure.key(self.tag(segment))], segment, self.chars)
                if step is None:
                    raise OurFault(f"{self.tag(segment)} has no place in {self.guide.name}", remedy="give a valid file")
                state = step.state
                self._places.append(state.place)
        return self._places

    def spec(self, index: int) -> SegmentSpec:
        """What the guide says of the segment with that index."""
        use = self.places()[index - self.start - 1].use
        return use.start.spec if isinstance(use, LoopUse) else use.spec

    def _guide(self, guides: Guides) -> Guide:
        head = self.elements(self.segments[self.start])
        if self.x12:
            version = next(
                self.elements(one)[8] for one in reversed(self.segments[: self.start]) if self.tag(one) == "GS"
            )
            kind = head[1]
        else:
            kind, version, release = self.components(head[2])[:3]
            version += release
        guide = guides.find(version, kind)
        if guide is None:
            raise OurFault(f"there is no guide {version}/{kind}", remedy="give guides that know the message")
        return guide


Mutation = Callable[[Wire], list[str] | None]
"""The segments of the interchange made wrong, or None where that cannot be done."""


def _x12(text: str) -> Delimiters:
    elements = text[:_ISA].split(text[3])
    repetition = repetition_of(elements[11], elements[12])
    return Delimiters(element=text[3], component=text[_ISA - 2], segment=text[_ISA - 1], repetition=repetition)


def _edifact(text: str) -> Delimiters:
    if not text.startswith("UNA"):
        return EDIFACT_4 if text[4:10].endswith(":4") else EDIFACT
    component, element, decimal, release, repetition, segment = list(text[3:_UNA])
    return Delimiters(
        element=element,
        component=component,
        segment=segment,
        decimal=decimal,
        release=None if release == " " else release,
        repetition=None if repetition == " " else repetition,
    )
