"""A scope: the rules that hold between the children of one loop and one object of the document.

Children are taken in wire order by the first rule that can; what no rule takes is kept whole in its place.
Rules are written in
the map's order, or in the remembered one where the wire had another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.edi.tree import Loop, Segment, joined
from gateway.findings import JsonPlace
from gateway.mapping.memory import arrange, pack, recall, remember, squeeze
from gateway.mapping.paths import Get, Path, Put, getter, putter
from gateway.mapping.rules import finding
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.state import Json, Lost, ReadState, WriteState

Child = Segment | Loop


class Rule(Protocol):
    """One entry of a map's `segments`."""

    name: str
    """Tag or loop name of the children it takes."""
    label: str
    once: bool
    """Takes one child of a scope only."""

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Take the child, or return False with nothing done."""

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """The children that say what `target` holds."""


@dataclass(slots=True)
class Scope:
    """Rules in the order of the wire."""

    label: str
    rules: tuple[Rule, ...]
    table: dict[str, tuple[tuple[int, Rule], ...]] = field(default_factory=dict)
    contested: frozenset[int] = frozenset()
    """Ranks of lists whose items an earlier rule of the same segment might take when they are read again."""

    def __post_init__(self) -> None:
        found: dict[str, list[tuple[int, Rule]]] = {}
        for rank, rule in enumerate(self.rules):
            found.setdefault(rule.name, []).append((rank, rule))
        self.table = {name: tuple(rules) for name, rules in found.items()}
        self.contested = frozenset(rank for rules in found.values() for rank, rule in rules[1:] if not rule.once)

    def read(self, children: list[Child], target: Json, state: ReadState) -> None:
        """Read all children into `target`."""
        used: set[int] = set()
        sequence: list[Any] = []
        regular, before = True, -1
        for child in children:
            name = child.tag if isinstance(child, Segment) else child.name
            for rank, rule in self.table.get(name, ()):
                if rule.once and rank in used:
                    continue
                if rule.read(child, target, state):
                    used.add(rank)
                    regular = regular and rank >= before
                    before = rank
                    sequence.append(rule.label)
                    break
            else:
                regular = False
                sequence.append(pack(child))
                state.note(child)
        if not regular:
            remember(target).setdefault("order", {})[self.label] = squeeze(sequence)

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """All children that `target` asks for."""
        orders = recall(target).get("order") if "extensions" in target else None
        order = orders.get(self.label) if isinstance(orders, dict) else None
        children: list[Child] = []
        written: list[tuple[int, str, Child]] = []
        for rank, rule in enumerate(self.rules):
            made = rule.write(target, state, at, root)
            if made and rank in self.contested:
                self._elsewhere(rank, made, target, state, at)
            if order is None:
                children += made
            else:
                written += [(rank, rule.label, child) for child in made]
        return children if order is None else arrange(written, order)

    def _elsewhere(self, rank: int, made: list[Child], target: Json, state: WriteState, at: str) -> None:
        """A note where an item of a list says what a field of its own should say."""
        for own, rule in self.table[self.rules[rank].name]:
            first = rule.lens if isinstance(rule, (One, Scalars)) else rule.first if isinstance(rule, Inside) else None
            if own >= rank or first is None:
                continue
            if rule.once and any(lens.get(target) is not None for lens in first.lenses):
                continue  # it took a segment of its own and takes no second one
            for child in made:
                segment = child if isinstance(child, Segment) else child.children[0]
                if isinstance(segment, Segment) and first.accepts(segment):
                    path = rule.path if isinstance(rule, Scalars) else first.lenses[0].path
                    field_ = "/".join(str(step) for step in path)
                    place = JsonPlace(pointer=f"{at}/{field_}")
                    said = "*".join((segment.tag, *map(joined, segment.elements)))
                    wanted = f"the field {field_.replace('/', '.')} instead of an item of a list"
                    state.findings.append(finding("map.write.elsewhere", place, said=said, wanted=wanted))
                    return


@dataclass(slots=True)
class One:
    """A segment that occurs once and speaks of the scope's own object."""

    lens: SegmentLens
    label: str
    name: str
    once: bool = True

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Take the segment, alone in its loop if it has one."""
        segment = sole(child)
        if segment is None or not self.lens.accepts(segment) or not self.lens.read(segment, target, state):
            return False
        if self.lens.always:
            state.seen.add(self.label)
        return True

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """The segment, unless it was absent and only a count would make it."""
        if self.lens.always and _absent(root, self.label):
            return []
        segment = self.lens.write(target, state, at, root)
        return [] if segment is None else [segment]


@dataclass(slots=True)
class Repeated:
    """A segment repeated to hold one long list, or one text of several lines: N3, MSG."""

    lens: SegmentLens
    label: str
    name: str
    width: int
    joined: bool
    get: Get
    put: Put
    once: bool = False

    def read(self, child: Child, target: Json, state: ReadState) -> bool:  # noqa: ARG002  a segment with more is kept whole
        """Append the segment's items; False where another number of elements would be written."""
        segment = sole(child)
        if segment is None or not self.lens.accepts(segment):
            return False
        first = self.lens.lenses[0].first
        items = [each for each in segment.elements[first:] if isinstance(each, str) and each and "\n" not in each]
        have = self._items(target)
        fits = len(items) == len(segment.elements) - first and 0 < len(items) <= self.width
        if not fits or len(have) % self.width:
            return False
        have = [*have, *items]
        self.put(target, "\n".join(have) if self.joined else have)
        return True

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:  # noqa: ARG002  as all rules
        """As many segments as the items need."""
        first = self.lens.lenses[0].first
        items = self._items(target)
        kept = [item for item in items if item]
        if len(kept) < len(items):
            state.lose(f"{at}/{'/'.join(str(step) for step in self.lens.lenses[0].path)}", "an empty line", "text")
        children: list[Child] = []
        for start in range(0, len(kept), self.width):
            elements = [""] * first + kept[start : start + self.width]
            for constant in self.lens.constants:
                elements[constant.index] = constant.values[0]
            children.append(Segment(self.lens.tag, list(elements)))
        return children

    def _items(self, target: Json) -> list[str]:
        value = self.get(target)
        if not value:
            return []
        return value.split("\n") if self.joined else list(value)


@dataclass(slots=True)
class Each:
    """One object of a list for each segment or loop."""

    scope: Scope
    label: str
    name: str
    path: Path
    is_loop: bool
    first: SegmentLens
    preset: tuple[tuple[str, str], ...] = ()
    claimed: tuple[tuple[str, str], ...] = ()
    """Items that another rule of the scope writes: the first with this key and value."""
    once: bool = False
    get: Get = lambda target: None  # noqa: ARG005
    put: Put = lambda target, value: None  # noqa: ARG005

    def __post_init__(self) -> None:
        self.get, self.put = getter(self.path), putter(self.path)

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Append an object; a child that says nothing is left to others."""
        segment = child if isinstance(child, Segment) else child.children[0]
        if not isinstance(segment, Segment) or not self.first.accepts(segment):
            return False
        item: Json = dict(self.preset)
        if isinstance(child, Segment) and not self.is_loop:
            if not self.first.read(segment, item, state):
                return False
        else:
            marks = (len(state.unmapped), len(state.findings))
            children: list[Child] = [child] if isinstance(child, Segment) else child.children
            self.scope.read(children[1:] if _bare(segment, self.first) else children, item, state)
            if {key: each for key, each in item.items() if key != "extensions"} == dict(self.preset):
                del state.unmapped[marks[0] :], state.findings[marks[1] :]
                return False
        items = self.get(target)
        if items is None:
            self.put(target, [item])
        else:
            items.append(item)
        return True

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """A segment or loop for each object, but for those that another rule writes."""
        items = self.get(target)
        if not items:
            return []
        taken = [next((one for one in items if one.get(key) == value), None) for key, value in self.claimed]
        children: list[Child] = []
        below = f"{at}/{'/'.join(str(step) for step in self.path)}"
        for number, item in enumerate(items):
            if any(item is one for one in taken):
                continue
            inside = self.scope.write(item, state, f"{below}/{number}", root)
            if not inside:
                state.lost.append(Lost(pointer=f"{below}/{number}", value=str(item)[:200], reason="something to write"))
                continue
            if not self.is_loop:
                children += inside
                continue
            _start(inside, self.first)
            children.append(Loop(self.name, inside))
        return children


@dataclass(slots=True)
class Inside:
    """A loop that occurs once and speaks of the scope's own object: CTT with AMT."""

    scope: Scope
    label: str
    name: str
    first: SegmentLens
    once: bool = True

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Take the loop."""
        children: list[Child] = [child] if isinstance(child, Segment) else child.children
        if not isinstance(children[0], Segment) or not self.first.accepts(children[0]):
            return False
        if _bare(children[0], self.first):
            children = children[1:]
        if children:
            self.scope.read(children, target, state)
        return bool(children)

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """The loop, if anything in it has a value."""
        inside = self.scope.write(target, state, at, root)
        _start(inside, self.first)
        return [Loop(self.name, inside)] if inside else []


@dataclass(slots=True)
class Scalars:
    """One text of a list for each segment: tracking numbers, seals."""

    lens: SegmentLens
    label: str
    name: str
    path: Path
    once: bool = False
    get: Get = lambda target: None  # noqa: ARG005
    put: Put = lambda target, value: None  # noqa: ARG005

    def __post_init__(self) -> None:
        self.get, self.put = getter(self.path), putter(self.path)

    def read(self, child: Child, target: Json, state: ReadState) -> bool:  # noqa: ARG002  a segment with more is kept whole
        """Append the text; False where the segment says more than it."""
        segment = sole(child)
        lens = self.lens.lenses[0]
        if segment is None or not self.lens.accepts(segment) or len(segment.elements) != lens.first + 1:
            return False
        text = segment.elements[lens.first]
        named = {constant.index for constant in self.lens.constants} | {lens.first}
        if any(each for index, each in enumerate(segment.elements) if index not in named):
            return False
        if not isinstance(text, str) or lens.pair.read(text) is None or not lens.exact:  # type: ignore[arg-type]
            return False
        self.put(target, [*(self.get(target) or ()), lens.pair.read(text)])  # type: ignore[arg-type]
        return True

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:  # noqa: ARG002  as all rules
        """A segment for each text."""
        lens = self.lens.lenses[0]
        children: list[Child] = []
        for value in self.get(target) or ():
            text = lens.pair.write(value)  # type: ignore[call-arg]
            if text is None:
                state.lose(at, value, f"a value that {lens.key} can hold")
                continue
            elements = _constants(self.lens)
            elements += [""] * (lens.first + 1 - len(elements))
            elements[lens.first] = text
            children.append(Segment(self.lens.tag, list(elements)))
        return children


def sole(child: Child) -> Segment | None:
    """The segment, or the only segment of its loop."""
    if isinstance(child, Segment):
        return child
    only = child.children[0] if len(child.children) == 1 else None
    return only if isinstance(only, Segment) else None


def _absent(root: Json, label: str) -> bool:
    """Whether the reading found no such segment."""
    absent = recall(root).get("absent")
    return isinstance(absent, list) and label in absent


def _bare(segment: Segment, lens: SegmentLens) -> bool:
    """Whether the segment says its constants and nothing else: it only starts the loop, and is written for that."""
    if len(segment.elements) > lens.bare_size:
        return False
    named = {index for index, _ in lens.selectors}
    return all(not each or index in named for index, each in enumerate(segment.elements))


def _start(inside: list[Child], lens: SegmentLens) -> None:
    """Put the segment that starts a loop before what is in it."""
    if inside and not (isinstance(inside[0], Segment) and inside[0].tag == lens.tag):
        inside.insert(0, Segment(lens.tag, _constants(lens)))


def _constants(lens: SegmentLens) -> list[Any]:
    elements: list[Any] = []
    for constant in lens.constants:
        if constant.companion is None and len(constant.values) == 1:
            elements += [""] * (constant.index + 1 - len(elements))
            elements[constant.index] = constant.values[0]
    return elements
