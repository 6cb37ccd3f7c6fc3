"""Which segment may follow which: the loops of a guide as states and steps, worked out once per guide and delimiters.

A state is a place in the guide; a step leads from it to the place of the next segment and says which loops end, which
one begins and which mandatory segments were passed over. Steps are found by a segment's first three characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.edi.characters import cleaner
from gateway.edi.delimiters import Delimiters
from gateway.edi.grammar import compile_message
from gateway.edi.guide import UNLIMITED, Guide, LoopUse, SegmentSpec, Use
from gateway.edi.patterns import compile_segment
from gateway.edi.tree import Wire

KEY = 3
"""Characters by which a step is found: tags have two or three, a short one is found with its separator."""

WARM = 1 << 20
"""Characters after which a guide is worth its pattern: what compiling costs is what they cost without it."""

COLD = 60
"""Questions after which a segment is worth its pattern; the slow path asks two or three times."""

ANY_ELEMENT = 40
"""More elements than any segment has."""

Match = Callable[[str], re.Match[str] | None]


@dataclass(slots=True, eq=False)
class Place:
    """Where a segment or a loop stands in the guide. A loop's `items` are the places in it; its first starts it."""

    use: Use | LoopUse
    parent: Place | None
    index: int
    items: list[Place] = field(default_factory=list)
    tag: str = field(init=False)
    """The tag that leads here; the root has none."""

    def __post_init__(self) -> None:
        # Before the first segment (index -1) stands nothing.
        self.tag = self.use.tag if self.parent is not None and self.index >= 0 else ""

    @property
    def qualifiers(self) -> frozenset[str]:
        """What its first segment says in element 01; empty for anything."""
        return self.use.start.qualifiers if isinstance(self.use, LoopUse) else self.use.qualifiers

    @property
    def loop(self) -> Place:
        """The loop this place stands in; a loop's start stands in that loop."""
        assert self.parent is not None
        return self.parent


class Patterns:
    """What is made for one kind of segment: the way to split it, and its pattern once it has come often enough.

    A pattern costs as much as reading a hundred segments without it, and every interchange may name delimiters of its
    own. Until then `match` knows nothing of any segment, so that the slow path judges.
    """

    __slots__ = ("_delimiters", "_left", "_spec", "match", "steps", "wire")

    def __init__(self, spec: SegmentSpec, delimiters: Delimiters, wire: Wire) -> None:
        self._spec, self._delimiters, self._left = spec, delimiters, COLD
        self.wire = wire
        self.match: Match = self._not_yet
        self.steps: list[Step] = []

    def _not_yet(self, raw: str) -> re.Match[str] | None:
        self._left -= 1
        if self._left:
            return None
        self.match = compile_segment(self._spec, self._delimiters).fullmatch
        for step in self.steps:
            step.match = self.match
        self.steps.clear()
        return self.match(raw)

    def known_to(self, step: Step) -> Step:
        """Tell a step when there is a pattern."""
        if self.match == self._not_yet:
            self.steps.append(step)
        return step


@dataclass(slots=True, eq=False)
class Step:
    """The way to the next segment."""

    state: State
    tag: str
    spec: SegmentSpec
    wire: Wire
    match: Match
    """Whether nothing is wrong with the segment."""
    plain: bool
    """Only append."""
    loops: bool
    """Only begin a loop, perhaps after others ended."""
    leaves: bool
    """Only end loops and append."""
    pops: int
    """Loops that end."""
    opens: str | None
    """The loop that begins."""
    again: bool
    """The segment, or the loop it starts, is repeated."""
    maximum: int
    missing: tuple[Place, ...]
    """Mandatory places passed over, with the loop each was expected in."""
    choices: tuple[Step, ...] = ()
    """Other steps for the same tag, where qualifiers select one."""
    qualifiers: frozenset[str] = frozenset()
    together: bool = False
    """One of several places that come in any order: how often it came is kept for each."""


class State(dict[str, "Step | None"]):
    """A place in the guide; maps a segment's first three characters to the step from here, made when first asked for.

    A key without a step gives None. `ending` are the mandatory places not reached when the set ends here.
    """

    __slots__ = ("_structure", "_targets", "ending", "place")

    def __init__(self, structure: Structure, place: Place) -> None:
        super().__init__()
        self.place = place
        self.ending: tuple[Place, ...] = ()
        self._structure = structure
        self._targets: dict[str, list[_Target]] = {}
        for target in _targets(place):
            if target.place is None:
                self.ending = target.missing
            else:
                self._targets.setdefault(structure.key(target.place.tag), []).append(target)

    def __missing__(self, key: str) -> Step | None:
        targets = self._targets.get(key)
        if targets is None:
            return None
        steps = [self._structure.step(target) for target in targets]
        first = steps[0]
        if first.qualifiers:
            first.plain = first.loops = first.leaves = False
            first.choices = tuple(steps)
        self[key] = first
        return first


class Structure:
    """A guide compiled for one set of delimiters. States and patterns are made when first needed."""

    def __init__(self, guide: Guide, delimiters: Delimiters) -> None:
        if guide.standard == "edifact" and delimiters.repetition is None:
            guide = guide.in_positions()
        self.guide = guide
        self.delimiters = delimiters
        self.root = _places(guide.root, None, 0)
        self.specs = {spec.tag: spec for spec in guide.segments()}
        self._states: dict[int, State] = {}
        self._compiled: dict[int, Patterns] = {}
        self._kept: list[SegmentSpec] = []
        self._read = 0
        self._grammar: Match | None = None
        self.unknown = self.wire()
        """How a segment is split that the guide does not know."""
        self.start = State(self, Place(guide.root, self.root, -1))

    def clean(self, text: str) -> bool:
        """Whether a whole message (segments with their terminators) is known to be right; False may mean unknown."""
        if self._grammar is None:
            self._read += len(text)
            if self._read < WARM:
                return False
        return self.grammar(text) is not None

    @property
    def grammar(self) -> Match:
        """The pattern of the whole message, compiled when first asked for."""
        if self._grammar is None:
            self._grammar = compile_message(self.guide, self.delimiters).fullmatch
        return self._grammar

    def state(self, place: Place) -> State:
        """The state behind the segment at `place`."""
        known = self._states.get(id(place))
        if known is None:
            known = self._states[id(place)] = State(self, place)
        return known

    def compiled(self, spec: SegmentSpec) -> Patterns:
        """The patterns of a segment and the way to split it."""
        known = self._compiled.get(id(spec))
        if known is None:
            self._kept.append(spec)  # so that its id stays its own
            known = self._compiled[id(spec)] = Patterns(spec, self.delimiters, self.wire(spec))
        return known

    def wire(self, spec: SegmentSpec | None = None) -> Wire:
        """How a segment is split; without `spec` it is one that the guide does not know."""
        elements = () if spec is None or spec.open else spec.elements
        composites = tuple(index for index, element in enumerate(elements) if element.components)
        repeating = tuple(index for index, element in enumerate(elements) if element.repeat > 1)
        if (spec is None and self.guide.standard == "edifact") or (spec is not None and spec.open):
            # Nothing is known of its elements: any of them may have components.
            composites = tuple(range(ANY_ELEMENT))
        chars = self.delimiters
        return Wire(
            chars.element, chars.component, composites, chars.repetition, repeating, cleaner(chars), chars.release
        )

    def key(self, tag: str) -> str:
        """The first three characters of a segment with this tag."""
        return (tag + self.delimiters.element)[:KEY]

    def step(self, target: _Target) -> Step:
        """The step to a target."""
        place = target.place
        assert place is not None
        use = place.use
        opens = use if isinstance(use, LoopUse) else None
        start = use.start if isinstance(use, LoopUse) else use
        patterns = self.compiled(start.spec)
        again = target.again
        run = len(together(place)) > 1
        simple = not target.missing and not start.qualifiers and not run
        counted = opens is None and again and use.maximum < UNLIMITED
        nested = place.tag == self.guide.nests
        step = Step(
            state=self.state(place.items[0] if opens else place),
            tag=start.tag,
            spec=start.spec,
            wire=patterns.wire,
            match=patterns.match,
            plain=simple and opens is None and not target.pops and not counted,
            loops=simple and opens is not None and not nested,
            leaves=simple and opens is None and target.pops > 0 and not counted,
            pops=target.pops,
            opens=None if opens is None else opens.name,
            again=again,
            maximum=use.maximum,
            missing=target.missing,
            qualifiers=start.qualifiers,
            together=run,
        )
        return patterns.known_to(step)


@dataclass(slots=True)
class _Target:
    place: Place | None
    pops: int
    again: bool
    missing: tuple[Place, ...]


def _places(use: LoopUse, parent: Place | None, index: int) -> Place:
    place = Place(use, parent, index)
    place.items = [
        _places(item, place, at) if isinstance(item, LoopUse) else Place(item, place, at)
        for at, item in enumerate(use.items)
    ]
    return place


def together(place: Place) -> list[Place]:
    """The places of one tag that stand side by side and that qualifiers tell apart: they come in any order."""
    loop = place.parent
    if loop is None or place.index < 0 or (place.index == 0 and loop.parent is not None):
        return [place]
    items, kind = loop.items, type(place.use)
    lowest = 0 if loop.parent is None else 1
    first = last = place.index
    while first > lowest and items[first - 1].tag == place.tag and type(items[first - 1].use) is kind:
        first -= 1
    while last + 1 < len(items) and items[last + 1].tag == place.tag and type(items[last + 1].use) is kind:
        last += 1
    run = items[first : last + 1]
    return run if len(run) > 1 and any(one.qualifiers for one in run) else [place]


def _targets(place: Place) -> Iterator[_Target]:
    """Every place that may follow, nearest first; at last one without a place: the end of the set."""
    missing: tuple[Place, ...] = ()
    pops, index = 0, place.index
    if isinstance(place.use, Use):
        run = together(place)
        if len(run) > 1:
            yield from (_Target(one, 0, again=True, missing=()) for one in run)
            missing = tuple(one for one in run if one.use.mandatory and one is not place)
            index = run[-1].index
        elif place.use.maximum > 1:
            yield _Target(place, 0, again=True, missing=())
    loop = place.parent
    while loop is not None:
        before = missing
        for item in loop.items[index + 1 :]:
            if item is together(item)[0]:
                before = missing
            yield _Target(item, pops, again=False, missing=before)
            if item.use.mandatory:
                missing = (*missing, item)
        index = loop.index
        if loop.parent is not None:
            # The loop begins anew: its own end is reached first.
            run = together(loop)
            if len(run) > 1:
                yield from (_Target(one, pops + 1, again=True, missing=missing) for one in run)
                missing += tuple(one for one in run if one.use.mandatory and one is not loop)
                index = run[-1].index
            elif loop.use.maximum > 1:
                yield _Target(loop, pops + 1, again=True, missing=missing)
        pops += 1
        loop = loop.parent
    yield _Target(None, pops, again=False, missing=missing)


def choose(step: Step | None, raw: str, delimiters: Delimiters) -> Step | None:
    """Of several steps for one tag, the first whose qualifiers have this segment's element 01."""
    if step is None or not step.choices:
        return step
    element = raw.split(delimiters.element, 2)[1:2]
    code = element[0].partition(delimiters.component)[0].rstrip("\r\n") if element else ""
    return next((one for one in step.choices if not one.qualifiers or code in one.qualifiers), None)


@lru_cache(maxsize=256)
def _compiled(guide: _Same, delimiters: Delimiters) -> Structure:
    return Structure(guide.guide, delimiters)


class _Same:
    """A guide compared by identity: hashing a whole guide for every set would cost more than reading the set."""

    __slots__ = ("guide",)

    def __init__(self, guide: Guide) -> None:
        self.guide = guide

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.guide is self.guide

    def __hash__(self) -> int:
        return id(self.guide)


def structure_of(guide: Guide, delimiters: Delimiters) -> Structure:
    """The guide compiled for these delimiters; compiled once and kept."""
    return _compiled(_Same(guide), delimiters)
