"""One segment from its specification: mandatory elements always, others by chance, syntax notes satisfied."""

from __future__ import annotations

from collections.abc import Callable, Collection

from gateway.edi.delimiters import Delimiters
from gateway.edi.generate.values import Draw, Values
from gateway.edi.guide import ElementSpec, Note, SegmentSpec, Use
from gateway.edi.tree import Element, Repeats, Segment, Simple
from gateway.errors import OurFault

_ROUNDS = 24
"""Repairs of one choice of elements; after that many, only what must be there is tried."""
_MOST_REPEATS = 3
_OPEN_ELEMENTS = 2


class Segments:
    """Makes segments of one guide."""

    def __init__(self, values: Values, density: float, delimiters: Delimiters) -> None:
        self.density = density
        """The chance of what is optional."""
        self._values = values
        self._repeats = delimiters.repetition is not None
        self._known: dict[int, tuple[SegmentSpec, frozenset[int], list[int]]] = {}
        """Of each specification: the mandatory elements, and those that may have a value."""

    def make(self, use: Use, draw: Draw) -> Segment:
        """A segment for this place. Raises OurFault where the guide asks for what cannot be."""
        spec = use.spec
        if spec.open:
            return Segment(spec.tag, [str(draw.dice.between(1, 99)) for _ in range(_OPEN_ELEMENTS)])
        present = self._present(spec, draw, first=bool(use.qualifiers))
        elements: list[Element] = [
            self._element(element, draw) if index in present else "" for index, element in enumerate(spec.elements, 1)
        ]
        if use.qualifiers:
            elements[0] = _qualified(elements[0], draw.dice.pick(sorted(use.qualifiers)))
        while elements and not elements[-1]:
            elements.pop()
        return Segment(spec.tag, elements)

    def _present(self, spec: SegmentSpec, draw: Draw, *, first: bool) -> set[int]:
        """Which elements (from 1) are present."""
        known = self._known.get(id(spec))
        if known is None:
            mandatory = frozenset(index for index, one in enumerate(spec.elements, 1) if one.mandatory)
            some = [index for index, one in enumerate(spec.elements, 1) if _possible(one)]
            known = self._known[id(spec)] = (spec, mandatory, some)  # the spec is kept, so that its id stays its own
        _, must, possible = known
        if first:
            must |= {1}
        chance, density = draw.dice.chance, self.density
        chosen = {index for index in possible if index in must or chance(density)} | must
        for start in (chosen, set(must), set(must)):
            for _ in range(_ROUNDS):
                broken = next((note for note in spec.notes if BROKEN[note.kind](note.elements, start)), None)
                if broken is None and (start or not possible):
                    return start
                if broken is None:
                    # A repair took away the last one; a segment says something.
                    start.add(draw.dice.pick(possible))
                else:
                    _repair(broken, start, must, draw)
        raise OurFault(f"the notes of {spec.tag} cannot be met together", remedy="correct the guide")

    def _element(self, spec: ElementSpec, draw: Draw) -> Element:
        if spec.repeat == 1 or not self._repeats or not draw.dice.chance(self.density):
            return self._simple(spec, draw)
        times = draw.dice.between(2, min(spec.repeat, _MOST_REPEATS))
        return Repeats(tuple(self._simple(spec, draw) for _ in range(times)))

    def _simple(self, spec: ElementSpec, draw: Draw) -> Simple:
        if not spec.components:
            return self._values.simple(spec, draw)
        density = self.density
        texts = [
            self._values.simple(one, draw) if one.mandatory or (draw.dice.chance(density) and _possible(one)) else ""
            for one in spec.components
        ]
        if not any(texts):
            at = next((index for index, one in enumerate(spec.components) if _possible(one)), 0)
            texts[at] = self._values.simple(spec.components[at], draw)
        while not texts[-1]:
            texts.pop()
        return texts[0] if len(texts) == 1 else tuple(texts)


def _possible(spec: ElementSpec) -> bool:
    """Whether it may have any value: what a partner's guide forbids has none."""
    return spec.used and (spec.codes is None or bool(spec.codes))


def _qualified(element: Element, code: str) -> Element:
    """Element 01 with the code that selects the place."""
    return (code, *element[1:]) if isinstance(element, tuple) else code


BROKEN: dict[str, Callable[[tuple[int, ...], Collection[int]], bool]] = {
    "P": lambda note, present: 0 < sum(one in present for one in note) < len(note),
    "R": lambda note, present: not any(one in present for one in note),
    "E": lambda note, present: sum(one in present for one in note) > 1,
    "C": lambda note, present: note[0] in present and not all(one in present for one in note),
    "L": lambda note, present: note[0] in present and not any(one in present for one in note[1:]),
}
"""By the kind of a syntax note: whether these elements break it (X12.6 5.3)."""


def _repair(note: Note, present: set[int], must: Collection[int], draw: Draw) -> None:
    """Add or take away elements so that this note is met; another one may be broken then."""
    dice = draw.dice
    free = [one for one in note.elements if one in present and one not in must]
    match note.kind:
        case "E":
            kept = next((one for one in note.elements if one in must), None) or dice.pick(
                [one for one in note.elements if one in present]
            )
            present.difference_update(one for one in note.elements if one != kept and one not in must)
        case "R":
            present.add(dice.pick(note.elements))
        case "P" if len(free) == sum(one in present for one in note.elements) and dice.chance(0.5):
            present.difference_update(free)
        case "C" | "L" if note.elements[0] in free and dice.chance(0.5):
            present.discard(note.elements[0])
        case "L":
            present.add(dice.pick(note.elements[1:]))
        case _:
            present.update(note.elements)
