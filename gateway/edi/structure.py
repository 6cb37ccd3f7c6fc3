"""Which segment may follow which: the loops of a guide as states and steps, worked out once per guide and delimiters.

A state is a place in the guide; a step leads from it to the place of the next segment and says which loops end, which
one begins and which mandatory segments were passed over. Steps are found by a segment's first three bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.edi.delimiters import Delimiters
from gateway.edi.guide import Guide, LoopUse, SegmentSpec, Use
from gateway.edi.patterns import compile_segment
from gateway.edi.tree import Wire

KEY = 3
"""Bytes by which a step is found: tags have two or three (X12.6), a short one is found with its separator."""

Match = Callable[[bytes], re.Match[bytes] | None]


@dataclass(slots=True, eq=False)
class Place:
    """Where a segment or a loop stands in the guide. A loop's `items` are the places in it; its first starts it."""

    use: Use | LoopUse
    parent: Place | None
    index: int
    items: list[Place] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The tag that leads here; the root has none."""
        return self.use.tag if self.parent is not None else ""

    @property
    def loop(self) -> Place:
        """The loop this place stands in; a loop's start stands in that loop."""
        assert self.parent is not None
        return self.parent


@dataclass(slots=True, eq=False)
class Step:
    """The way to the next segment. Steps with `plain` only append; all others end or begin loops, or count."""

    state: State
    tag: str
    spec: SegmentSpec
    wire: Wire
    match: Match
    plain: bool
    pops: int
    """Loops that end."""
    opens: LoopUse | None
    """The loop that begins."""
    again: bool
    """The segment, or the loop it starts, is repeated."""
    maximum: int
    missing: tuple[Place, ...]
    """Mandatory places passed over, with the loop each was expected in."""
    choices: tuple[Step, ...] = ()
    """Other steps for the same tag, where qualifiers select one."""
    qualifiers: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class State:
    """A place in the guide, and the steps from it by a segment's first three bytes."""

    place: Place
    steps: dict[bytes, Step | None]
    ending: tuple[Place, ...] = ()
    """Mandatory places not reached when the set ends here."""


class Structure:
    """A guide compiled for one set of delimiters and a charset. States and patterns are made when first needed."""

    def __init__(self, guide: Guide, delimiters: Delimiters, charset: str) -> None:
        self.guide = guide
        self.delimiters = delimiters
        self.charset = charset
        self.root = _places(guide.root, None, 0)
        self.tags = {spec.tag for spec in guide.segments()}
        self._states: dict[int, State] = {}
        self._compiled: dict[int, tuple[Match, Wire]] = {}
        self._specs: list[SegmentSpec] = []
        before = Place(guide.root, self.root, -1)
        self.start = State(before, {})
        self._fill(self.start)

    def state(self, place: Place) -> State:
        """The state behind the segment at `place`."""
        known = self._states.get(id(place))
        if known is None:
            known = self._states[id(place)] = State(place, {})
            self._fill(known)
        return known

    def compiled(self, spec: SegmentSpec) -> tuple[Match, Wire]:
        """The pattern and the way to split a segment."""
        known = self._compiled.get(id(spec))
        if known is None:
            self._specs.append(spec)  # kept, so that its id stays its own
            composites = tuple(index for index, element in enumerate(spec.elements) if element.components)
            wire = Wire(self.delimiters.element, self.delimiters.component, self.charset, composites)
            known = self._compiled[id(spec)] = (compile_segment(spec, self.delimiters).fullmatch, wire)
        return known

    def _fill(self, state: State) -> None:
        found: dict[bytes, list[_Target]] = {}
        ending: tuple[Place, ...] = ()
        for target in _targets(state.place):
            if target.place is None:
                ending = target.missing
            else:
                found.setdefault(self.key(target.place.tag), []).append(target)
        state.ending = ending
        state.steps = _Steps(self, found)

    def key(self, tag: str) -> bytes:
        """The first three bytes of a segment with this tag."""
        return (tag + self.delimiters.element)[:KEY].encode()

    def step(self, target: _Target) -> Step:
        """The step to a target."""
        place = target.place
        assert place is not None
        use = place.use
        opens = use if isinstance(use, LoopUse) else None
        start = use.start if isinstance(use, LoopUse) else use
        match, wire = self.compiled(start.spec)
        again = target.again
        plain = not (target.pops or opens or target.missing or start.qualifiers or (again and use.maximum < 1 << 30))
        landing = place.items[0] if opens else place
        return Step(
            state=self.state(landing) if landing is not None else self.start,
            tag=start.tag,
            spec=start.spec,
            wire=wire,
            match=match,
            plain=plain,
            pops=target.pops,
            opens=opens,
            again=again,
            maximum=use.maximum,
            missing=target.missing,
            qualifiers=start.qualifiers,
        )


@dataclass(slots=True)
class _Target:
    place: Place | None
    pops: int
    again: bool
    missing: tuple[Place, ...]


class _Steps(dict[bytes, Step | None]):
    """Steps made when first asked for; a key without one stays unknown (None)."""

    def __init__(self, structure: Structure, targets: dict[bytes, list[_Target]]) -> None:
        super().__init__()
        self._structure = structure
        self._targets = targets

    def __missing__(self, key: bytes) -> Step | None:
        targets = self._targets.get(key)
        if targets is None:
            return None
        steps = [self._structure.step(target) for target in targets]
        first = steps[0]
        if first.qualifiers:
            first.plain = False
            first.choices = tuple(steps)
        self[key] = first
        return first


def _places(use: LoopUse, parent: Place | None, index: int) -> Place:
    place = Place(use, parent, index)
    place.items = [
        _places(item, place, at) if isinstance(item, LoopUse) else Place(item, place, at)
        for at, item in enumerate(use.items)
    ]
    return place


def _targets(place: Place) -> Iterator[_Target]:
    """Every place that may follow, nearest first; at last one without a place: the end of the set."""
    missing: tuple[Place, ...] = ()
    if isinstance(place.use, Use) and place.use.maximum > 1:
        yield _Target(place, 0, again=True, missing=())
    pops = 0
    loop, index = place.parent, place.index
    while loop is not None:
        for item in loop.items[index + 1 :]:
            yield _Target(item, pops, again=False, missing=missing)
            if item.use.mandatory:
                missing = (*missing, item)
        if loop.parent is not None and loop.use.maximum > 1:
            # The loop begins anew: its own end is reached first.
            yield _Target(loop, pops + 1, again=True, missing=missing)
        pops += 1
        loop, index = loop.parent, loop.index
    yield _Target(None, pops, again=False, missing=missing)


@lru_cache(maxsize=64)
def _compiled(guide: _Same, delimiters: Delimiters, charset: str) -> Structure:
    return Structure(guide.guide, delimiters, charset)


class _Same:
    """A guide compared by identity: hashing a whole guide for every set would cost more than reading the set."""

    __slots__ = ("guide",)

    def __init__(self, guide: Guide) -> None:
        self.guide = guide

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.guide is self.guide

    def __hash__(self) -> int:
        return id(self.guide)


def structure_of(guide: Guide, delimiters: Delimiters, charset: str) -> Structure:
    """The guide compiled for these delimiters; compiled once and kept."""
    return _compiled(_Same(guide), delimiters, charset)
