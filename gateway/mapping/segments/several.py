"""Rules for what occurs several times: an object of a list, a text of a list, a part of one long value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gateway.edi.tree import Loop, Segment
from gateway.mapping.groups import Allocations, Many
from gateway.mapping.paths import Get, Path, Put, getter, putter
from gateway.mapping.segments.elements import place, trimmed
from gateway.mapping.segments.rule import Child, sole
from gateway.mapping.segments.scope import Scope
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.segments.single import bare, start
from gateway.mapping.state import Json, Lost, ReadState, WriteState
from gateway.mapping.trace import Note


@dataclass(slots=True)
class Each:
    """One object of a list for each segment or loop."""

    scope: Scope
    label: str
    path: Path
    is_loop: bool
    first: SegmentLens
    preset: tuple[tuple[str, str], ...] = ()
    claimed: tuple[tuple[str, str], ...] = ()
    """Items that another rule of the scope writes: the first with this key and value."""
    only: str = ""
    """Of a list of nodes: the kind it writes; other rules write the others."""
    once: bool = False
    get: Get = lambda target: None  # noqa: ARG005
    put: Put = lambda target, value: None  # noqa: ARG005
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None
    simple: bool = False
    """Whether a loop of one segment is read by its first lens alone."""

    def __post_init__(self) -> None:
        self.get, self.put = getter(self.path), putter(self.path)
        self.fields = frozenset({self.path[0].name})
        special = self.scope.conditions or self.scope.counted or self.scope.inherited
        self.simple = not special and not self.first.always

    @property
    def name(self) -> str:
        """The tag of its first segment."""
        return self.first.tag

    def accepts(self, segment: Segment) -> bool:
        """By the constants of its first segment."""
        return self.first.accepts(segment)

    def claims(self, target: Json) -> str | None:  # noqa: ARG002  as all rules
        """A list whose segments a constant selects; any other takes what is left."""
        return ".".join(map(str, self.path)) if self.first.constants else None

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Append an object; a child that says nothing is left to others."""
        item: Json = dict(self.preset)
        if child.__class__ is Segment:
            segment: Any = child
            if not self.is_loop:
                if not self.first.take(segment, item, state):
                    return False
            elif not self._read_loop([segment], segment, item, state):
                return False
        else:
            children = child.children  # type: ignore[union-attr]
            segment = children[0]
            if segment.__class__ is not Segment or not self._read_loop(children, segment, item, state):
                return False
        items = self.get(target)
        if items is None:
            self.put(target, [item])
        else:
            items.append(item)
        return True

    def _read_loop(self, children: list[Child], first: Segment, item: Json, state: ReadState) -> bool:
        """Read a loop into `item`; False, with nothing reported, where it says nothing a field can hold."""
        if self.simple and self.first.take(first, item, state):
            if len(children) > 1:
                self.scope.read(children, item, state, begun=True)
            return True
        if not self.first.accepts(first):
            return False
        marks = (len(state.unmapped), len(state.findings))
        self.scope.read(children[1:] if bare(first, self.first) else children, item, state)
        if len(item) > len(self.preset) + ("extensions" in item):
            return True
        if {key: each for key, each in item.items() if key != "extensions"} != dict(self.preset):
            return True
        del state.unmapped[marks[0] :], state.findings[marks[1] :]
        return False

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """A segment or loop for each object, but for those that another rule writes."""
        items = self.get(target)
        if not items:
            return []
        taken = [next((one for one in items if one.get(key) == value), None) for key, value in self.claimed]
        children: list[Child] = []
        below = f"{at}/{'/'.join(str(step) for step in self.path)}"
        for number, item in enumerate(items):
            if taken and any(item is one for one in taken):
                continue
            if self.only and item.get("kind") != self.only:
                continue
            pointer = f"{below}/{number}"
            if self.is_loop or "extensions" in item or not self.simple:
                inside = self.scope.write(item, state, pointer, root)
            else:
                segment = self.first.write(item, state, pointer, root)
                inside = [] if segment is None else [segment]
            if not inside:
                state.lost.append(Lost(pointer=pointer, value=str(item)[:200], reason="something to write"))
            elif self.is_loop:
                start(inside, self.first)
                children.append(Loop(self.name, inside))
            else:
                children += inside
        return children


@dataclass(slots=True)
class Repeated:
    """A segment repeated to hold one long list, or one text of several lines: N3, MSG, SDQ."""

    lens: SegmentLens
    label: str
    once: bool = False
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None

    def __post_init__(self) -> None:
        path = self.lens.lenses[0].path
        self.fields = frozenset({path[0].name}) if path else None

    @property
    def name(self) -> str:
        """The segment's tag."""
        return self.lens.tag

    def accepts(self, segment: Segment) -> bool:
        """By its constants."""
        return self.lens.accepts(segment)

    def claims(self, target: Json) -> str | None:  # noqa: ARG002  as all rules
        """It takes one after the other."""
        return None

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Append the segment's items; False where another number of elements would be written."""
        segment = sole(child)
        if segment is None or not self.lens.accepts(segment):
            return False
        lens = self.lens.lenses[0]
        texts = lens.texts(segment.elements)
        items = lens.read(texts) if texts else None
        if not items or (lens.joined and any("\n" in item for item in items)):
            return False
        have = self._items(target)
        if have and not self._full(have, items):
            return False
        if self._segment(items).elements != segment.elements:
            return False
        if state.notes is not None:
            state.notes.append(Note(target, lens, segment, texts or [], items, len(have)))
        have = [*have, *items]
        lens.put(target, "\n".join(have) if lens.joined else have)
        return True

    def _full(self, have: list[Any], items: list[Any]) -> bool:
        """Whether what is there fills its segments, so that `items` would start another one."""
        lens = self.lens.lenses[0]
        if isinstance(lens.pair, Allocations):
            tail = have[-lens.address.width :]
            runs = lens.pair.runs([*tail, *items], lens.address.width)
            return bool(runs[-1] == items)
        return len(have) % lens.address.width == 0

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:  # noqa: ARG002  as all rules
        """As many segments as the items need."""
        lens = self.lens.lenses[0]
        items = self._items(target)
        kept = [item for item in items if item]
        pointer = f"{at}/{'/'.join(str(step) for step in lens.path)}"
        if len(kept) < len(items):
            state.lose(pointer, "an empty line", "text")
        width = lens.address.width
        if isinstance(lens.pair, Allocations):
            runs = lens.pair.runs(kept, width)
        else:
            runs = [kept[place : place + width] for place in range(0, len(kept), width)]
        children: list[Child] = []
        for run in runs:
            if lens.write(run) is None:
                state.lose(pointer, run, lens.reason)
            else:
                children.append(self._segment(run))
        return children

    def _segment(self, items: list[Any]) -> Segment:
        lens = self.lens.lenses[0]
        segment = Segment(self.lens.tag, [])
        lens.place(segment.elements, lens.write(items) or [])
        for spot, values in self.lens.constants:
            place(segment.elements, spot, values[0])
        return Segment(self.lens.tag, trimmed(segment.elements))

    def _items(self, target: Json) -> list[Any]:
        lens = self.lens.lenses[0]
        value = lens.get(target)
        if not value:
            return []
        return value.split("\n") if lens.joined else list(value)


@dataclass(slots=True)
class Scalars:
    """One text of a list for each segment: tracking numbers, seals."""

    lens: SegmentLens
    label: str
    path: Path
    once: bool = False
    get: Get = lambda target: None  # noqa: ARG005
    put: Put = lambda target, value: None  # noqa: ARG005
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None

    def __post_init__(self) -> None:
        self.get, self.put = getter(self.path), putter(self.path)
        self.fields = frozenset({self.path[0].name})

    @property
    def name(self) -> str:
        """The segment's tag."""
        return self.lens.tag

    def accepts(self, segment: Segment) -> bool:
        """By its constants."""
        return self.lens.accepts(segment)

    def claims(self, target: Json) -> str | None:  # noqa: ARG002  as all rules
        """The list itself."""
        return ".".join(map(str, self.path))

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Append the text; False where the segment says more than it."""
        segment = sole(child)
        if segment is None or not self.lens.accepts(segment):
            return False
        lens = self.lens.lenses[0]
        texts = lens.texts(segment.elements)
        value = lens.read(texts) if texts else None
        if value is None or self._segment(value) != segment:
            return False
        have = self.get(target) or ()
        self.put(target, [*have, value])
        if state.notes is not None:
            own = replace(lens, path=self.path, pair=Many())
            state.notes.append(Note(target, own, segment, texts or [], [value], len(have)))
        return True

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:  # noqa: ARG002  as all rules
        """A segment for each text."""
        lens = self.lens.lenses[0]
        children: list[Child] = []
        for value in self.get(target) or ():
            if lens.write(value) is None:
                state.lose(at, value, lens.reason)
            else:
                children.append(self._segment(value))
        return children

    def _segment(self, value: Any) -> Segment:
        lens = self.lens.lenses[0]
        segment = Segment(self.lens.tag, [])
        lens.place(segment.elements, lens.write(value) or [])
        for spot, values in self.lens.constants:
            if len(values) == 1:
                place(segment.elements, spot, values[0])
        return Segment(self.lens.tag, trimmed(segment.elements))
