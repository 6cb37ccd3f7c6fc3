"""What a guide says: elements, segments, loops. Frozen values; `library` loads them, `check` applies them.

A guide lists what our documents use, as facts and with our own labels. Codes are open unless a guide closes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

UNLIMITED = 1 << 30
"""A repeat count that stands for "any number"."""
MOST_POSITIONS = 99
"""Positions that one repeating element is given where there is no repetition separator."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementSpec:
    """One element position: type AN ID DT TM R B or N0..N6 (X12), an a n (EDIFACT); length in characters (digits for
    numbers).
    """

    mandatory: bool
    type: str
    minimum: int
    maximum: int
    number: str
    """Its number in the data element dictionary; AK402 repeats it."""
    label: str
    codes: frozenset[str] | None = None
    """The codes allowed, or None where the list is open."""
    components: tuple[ElementSpec, ...] = ()
    """Not empty for a composite."""
    repeat: int = 1
    """How often it may be repeated (X12 from 00402, EDIFACT syntax 4)."""
    used: bool = True
    """False where a partner's guide forbids it; it has then no codes either, so that no value of it matches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A syntax note: P all or none, R at least one, E at most one, C if the first then all, L if the first then one."""

    kind: str
    elements: tuple[int, ...]

    def __str__(self) -> str:
        return self.kind + "".join(f"{element:02d}" for element in self.elements)


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentSpec:
    """A segment's elements and notes. `open` means: known, its elements are not checked."""

    tag: str
    label: str
    elements: tuple[ElementSpec, ...] = ()
    notes: tuple[Note, ...] = ()
    open: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """A segment at a place in a set. `qualifiers` (element 01) select it among uses of one tag; empty takes any."""

    spec: SegmentSpec
    mandatory: bool = False
    maximum: int = 1
    qualifiers: frozenset[str] = frozenset()

    @property
    def tag(self) -> str:
        """The segment's tag."""
        return self.spec.tag


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopUse:
    """A loop at a place in a set; `items[0]` is the segment that starts it. The root's name is empty.

    `name` is the tag of that segment, in both standards; `group` is EDIFACT's own name of it, such as `SG25`.
    """

    name: str
    label: str
    items: tuple[Use | LoopUse, ...]
    mandatory: bool = False
    maximum: int = 1
    group: str = ""

    @property
    def start(self) -> Use:
        """The segment that starts the loop."""
        first = self.items[0]
        assert isinstance(first, Use)
        return first

    @property
    def tag(self) -> str:
        """The tag of the segment that starts the loop."""
        return self.start.tag


@dataclass(frozen=True, kw_only=True, slots=True)
class Guide:
    """One transaction set or message in one version."""

    type: str
    """850, ORDERS."""
    version: str
    """004010, D96A."""
    label: str
    root: LoopUse
    standard: str = "x12"
    """x12 or edifact."""
    functional_id: str = ""
    """GS01 of its groups; empty for EDIFACT."""
    nests: str = ""
    """HL or CPS: the loops that nest, by their elements 01 (number) and 02 (parent)."""
    levels: frozenset[str] = frozenset()
    """The level codes known (element 03); empty where any is taken."""
    level_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`x12/004010/855`, `edifact/D96A/ORDERS`."""
        return f"{self.standard}/{self.version}/{self.type}"

    def segments(self) -> Iterator[SegmentSpec]:
        """Every segment the set knows, some of them several times."""
        loops = [self.root]
        while loops:
            for item in loops.pop().items:
                if isinstance(item, LoopUse):
                    loops.append(item)
                else:
                    yield item.spec

    def in_positions(self) -> Guide:
        """The guide for EDIFACT before syntax 4: an element that repeats has so many positions (ISO 9735:1988)."""
        known: dict[int, SegmentSpec] = {}

        def spec_of(spec: SegmentSpec) -> SegmentSpec:
            if all(element.repeat == 1 for element in spec.elements):
                return spec
            if id(spec) not in known:
                positions = [
                    replace(element, repeat=1, mandatory=element.mandatory and not index)
                    for element in spec.elements
                    for index in range(min(element.repeat, MOST_POSITIONS))
                ]
                known[id(spec)] = replace(spec, elements=tuple(positions))
            return known[id(spec)]

        def loop_of(loop: LoopUse) -> LoopUse:
            items = tuple(
                loop_of(item) if isinstance(item, LoopUse) else replace(item, spec=spec_of(item.spec))
                for item in loop.items
            )
            return replace(loop, items=items)

        return replace(self, root=loop_of(self.root))

    def closing(self, codes: Mapping[str, Collection[str]]) -> Guide:
        """A guide with these code lists closed, wherever the segment stands: `{"ACK01": ("IA", "IB")}`.

        Raises ValueError for an element that the guide does not have.
        """
        closed: set[str] = set()
        root = _close(self.root, {key: frozenset(value) for key, value in codes.items()}, closed)
        if missing := sorted(set(codes) - closed):
            raise ValueError(f"guide {self.name} has no element {', '.join(missing)}")
        return replace(self, root=root)


def _close(loop: LoopUse, codes: Mapping[str, frozenset[str]], closed: set[str]) -> LoopUse:
    items: list[Use | LoopUse] = []
    for item in loop.items:
        if isinstance(item, LoopUse):
            items.append(_close(item, codes, closed))
            continue
        elements = list(item.spec.elements)
        for index, element in enumerate(elements):
            key = f"{item.tag}{index + 1:02d}"
            if key in codes:
                elements[index] = replace(element, codes=codes[key])
                closed.add(key)
        spec = replace(item.spec, elements=tuple(elements)) if tuple(elements) != item.spec.elements else item.spec
        items.append(replace(item, spec=spec))
    return replace(loop, items=tuple(items))
