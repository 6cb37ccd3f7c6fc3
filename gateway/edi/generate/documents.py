"""Whole documents: the loops of a guide filled by chance, so that a reader finds every segment at the place meant.

A reader takes the nearest place for a segment, repeats before later places. Each segment is therefore tried against
the same steps (`structure`): an optional one that would be read elsewhere is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.edi.delimiters import EDIFACT, EDIFACT_4, REPETITION_FROM, STANDARD, Delimiters, repetition_of
from gateway.edi.generate.dice import Dice
from gateway.edi.generate.hierarchies import Node, shape
from gateway.edi.generate.segments import Segments
from gateway.edi.generate.values import Draw, Values
from gateway.edi.guide import Guide, LoopUse, Use
from gateway.edi.structure import Place, State, Structure, choose, structure_of
from gateway.edi.tree import Loop, Segment, first_text
from gateway.edi.walk import BINARY
from gateway.errors import OurFault

LINES = 5
DENSITY = 0.3
MANY = 1000
"""A loop of the outermost level that may come so often holds the lines of the document."""
_MOST = 3
"""Repeats of anything else."""
_SHARES = (1.0, 0.5, 0.25, 0.0)
"""Of the density, for one document: less where an optional segment took the place of a mandatory one."""


def documents(
    guide: Guide, *, count: int, seed: int, density: float = DENSITY, lines: int = LINES, first: int = 1
) -> Iterator[Loop]:
    """The roots of `count` valid documents, each without ST and SE (UNH and UNT).

    `density` from 0 to 1 is the chance of what is optional, `lines` the most lines (levels of an HL tree) of a
    document. Document n of a seed is always the same, whatever `count` and `first`, the number of the first one.
    Raises OurFault for a guide that no document can meet.
    """
    factory = Factory(guide, density=density, lines=lines)
    for number in range(first, first + count):
        yield factory.document(seed, number)


def delimiters_of(guide: Guide) -> Delimiters:
    """The delimiters that documents of a guide are made for: with a repetition separator where its version has one."""
    if guide.standard == "edifact":
        return EDIFACT_4 if fourth(guide) else EDIFACT
    repetition = repetition_of("^", guide.version[: len(REPETITION_FROM)])
    return Delimiters(
        element=STANDARD.element, component=STANDARD.component, segment=STANDARD.segment, repetition=repetition
    )


def fourth(guide: Guide) -> bool:
    """Whether a guide is for syntax 4 of EDIFACT: that of its service messages, or one with repeated elements."""
    return guide.version.startswith("4") or any(
        element.repeat > 1 for spec in guide.segments() for element in spec.elements
    )


class Factory:
    """Makes the documents of one guide."""

    def __init__(self, guide: Guide, *, density: float = DENSITY, lines: int = LINES) -> None:
        if not 0 <= density <= 1:
            raise OurFault(f"a density of {density} is no chance", remedy="choose a number from 0 to 1")
        if lines < 1:
            raise OurFault(f"documents of {lines} lines do not exist", remedy="choose at least 1")
        self.guide = guide
        self.lines = lines
        delimiters = delimiters_of(guide)
        self.structure = structure_of(guide, delimiters)
        values = Values(guide.standard, delimiters)
        self._segments = [Segments(values, share * density, delimiters) for share in _SHARES]

    def document(self, seed: int, number: int) -> Loop:
        """Document `number` of a seed. Raises OurFault where the guide cannot be met."""
        for attempt, segments in enumerate(self._segments):
            draw = Draw(Dice(seed, number * len(_SHARES) + attempt))
            document = _Document(self.guide, self.structure, segments, draw, self.lines)
            try:
                return document.made()
            except _HiddenError as hidden:
                tag = hidden.args[0]
        remedy = "correct the guide: something before it takes its segments"
        raise OurFault(f"no document of {self.guide.name} can hold its mandatory {tag}", remedy=remedy)


class _HiddenError(Exception):
    """A mandatory segment would be read at another place; its tag."""


class _Document:
    """One document while it is made."""

    def __init__(self, guide: Guide, structure: Structure, segments: Segments, draw: Draw, lines: int) -> None:
        self._nests = guide.nests
        self._levels = guide.levels
        self._edifact = guide.standard == "edifact"
        self._structure = structure
        self._segments = segments
        self._density = segments.density
        self._draw = draw
        self._lines = lines
        self._state: State = structure.start

    def made(self) -> Loop:
        """The document. Raises _HiddenError."""
        root = Loop("", [])
        self._fill(self._structure.root.items, root)
        return root

    def _fill(self, items: list[Place], parent: Loop) -> None:
        """What stands at these places."""
        dice, density = self._draw.dice, self._density
        for place in items:
            use = place.use
            main = use.maximum >= MANY and place.loop.parent is None and isinstance(use, LoopUse)
            if not use.mandatory and not main and not dice.chance(density):
                continue
            if use.tag == self._nests:
                self._nest(place, parent)
                continue
            times = dice.between(1, self._lines) if main else self._times(use)
            for time in range(times):
                if main:
                    self._draw.lines += 1
                if not self._one(place, parent):
                    if main:
                        self._draw.lines -= 1
                    if place.use.mandatory and not time:
                        raise _HiddenError(place.tag)
                    break

    def _times(self, use: Use | LoopUse) -> int:
        """How often a place is filled that holds no lines."""
        if use.tag in BINARY and not self._edifact and not use.mandatory:
            return 0  # its payload is bytes, not elements
        times, most = 1, min(use.maximum, _MOST)
        while times < most and self._draw.dice.chance(self._density):
            times += 1
        return times

    def _one(self, place: Place, parent: Loop, node: Node | None = None) -> Loop | Segment | None:
        """One segment or loop at a place, with all that is in it; None where it would be read at another place."""
        use = place.use
        if isinstance(use, Use):
            segment = self._segment(place, use, None)
            if segment is not None:
                parent.children.append(segment)
            return segment
        segment = self._segment(place.items[0], use.start, node)
        if segment is None:
            return None
        loop = Loop(use.name, [segment])
        parent.children.append(loop)
        self._fill(place.items[1:], loop)
        return loop

    def _segment(self, target: Place, use: Use, node: Node | None) -> Segment | None:
        """A segment if the reader's step from here leads to `target`; the state moves on."""
        step = self._state[self._structure.key(use.tag)]
        if step is None or (not step.choices and step.state.place is not target):
            return None
        segment = self._segments.make(use, self._draw)
        if node is not None:
            _head(segment, node)
        if step.choices:
            chars = self._structure.delimiters
            first = first_text(segment.elements[0]) if segment.elements else ""
            step = choose(step, f"{use.tag}{chars.element}{first}", chars)
        if step is None or step.state.place is not target:
            return None
        self._state = step.state
        return segment

    def _nest(self, place: Place, root: Loop) -> None:
        """A tree of HL or CPS loops: written parents first, each below its parent."""
        hung = {0: root}
        for node in shape(self._levels, self._lines, self._draw.dice):
            loop = self._one(place, hung[node.parent], node)
            if not isinstance(loop, Loop):
                raise _HiddenError(place.tag)
            hung[node.number] = loop
            self._draw.lines += 1


def _head(segment: Segment, node: Node) -> None:
    """Number, parent and level; HL04 says whether there are children, CPS has no such element."""
    elements = segment.elements
    said = [str(node.number), str(node.parent or ""), node.level, "1" if node.children else "0"]
    elements += [""] * (3 - len(elements))
    elements[:2] = said[:2]
    if node.level:
        elements[2:] = said[2:]
    while not elements[-1]:
        elements.pop()
