"""Header values that lines inherit: a segment of the header says it once for all items of a list that do not say it.

Reading hands it down to every item that lacks it. Writing takes it up, and out of the items, where all of them say the
same (`hoist: when_equal`), or leaves it with them (`hoist: never`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from gateway.edi.tree import Segment
from gateway.mapping.paths import Get, Path, getter, putter
from gateway.mapping.segments.lens import Lens
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.state import Json, ReadState, WriteState

_COMMON = "\0common"
"""Where a scope's object holds what was taken up while it is written, and what was read until it is handed down."""


@dataclass(slots=True)
class Inherited:
    """A segment of the header that speaks of each item of a list."""

    lens: SegmentLens
    label: str
    path: Path
    hoist: bool
    once: bool = True
    get: Get = field(default=lambda target: None)  # noqa: ARG005
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None

    def __post_init__(self) -> None:
        self.get = getter(self.path)

    @property
    def name(self) -> str:
        """The segment's tag."""
        return self.lens.tag

    @property
    def key(self) -> str:
        """Under which the object holds its values for a while."""
        return f"{_COMMON}{self.label}"

    def accepts(self, segment: Segment) -> bool:
        """By its constants."""
        return self.lens.accepts(segment)

    def claims(self, target: Json) -> str | None:  # noqa: ARG002  as all rules
        """It takes one segment."""
        return None

    def read(self, child: Any, target: Json, state: ReadState) -> bool:
        """Hold what the segment says until all items are there."""
        common: Json = {}
        if not isinstance(child, Segment) or not self.lens.accepts(child) or not self.lens.read(child, common, state):
            return False
        target[self.key] = common
        return True

    def hand_down(self, target: Json, state: ReadState) -> None:
        """Give each item what it does not say itself."""
        common = target.pop(self.key, None)
        if common is None:
            return
        extensions = common.pop("extensions", None)
        if extensions is not None:  # what the segment said beyond its lines is the header's
            mine = target.setdefault("extensions", {}).setdefault(state.syntax, {})
            mine.setdefault("kept", {}).update(extensions[state.syntax].get("kept", {}))
        notes = [note for note in state.notes or () if note.target is common]
        for item in self.get(target) or ():
            for lens in self.lens.lenses:
                value = lens.get(common)
                if value is not None and lens.get(item) is None:
                    lens.put(item, value)
                    if state.notes is not None:
                        state.notes += [replace(note, target=item) for note in notes if note.lens is lens]

    def take_up(self, target: Json) -> Json:
        """`target` with what all items say the same in its own place."""
        items = self.get(target)
        if not items or not self.hoist:
            return target
        common: Json = {}
        for lens in self.lens.lenses:
            values = [lens.get(item) for item in items]
            if values[0] is None or any(value != values[0] for value in values):
                return target
            lens.put(common, values[0])
        changed = {**target, self.key: common}
        putter(self.path)(changed, [_without(item, self.lens.lenses) for item in items])
        return changed

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Any]:
        """The segment with what was taken up."""
        common = target.get(self.key)
        segment = None if common is None else self.lens.write(common, state, at, root)
        return [] if segment is None else [segment]


def _without(item: Json, lenses: tuple[Lens, ...]) -> Json:
    """The item without the fields of the lenses; what becomes empty on the way goes too."""
    for lens in lenses:
        item = removed(item, lens.path)
    return item


def removed(item: Json, path: Path) -> Json:
    """A copy of the item without the field at `path`, and without what becomes empty on the way."""
    first, *rest = path
    copy = dict(item)
    below = copy.pop(first.name, None)
    if rest and isinstance(below, dict):
        inside = removed(below, tuple(rest))
        if inside:
            copy[first.name] = inside
    return copy
