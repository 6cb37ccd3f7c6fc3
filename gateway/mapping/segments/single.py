"""Rules for what occurs once and speaks of the scope's own object: a segment, a loop; and what is read past."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.edi.tree import Loop, Segment
from gateway.mapping.memory import recall
from gateway.mapping.segments.elements import place
from gateway.mapping.segments.rule import Child, sole
from gateway.mapping.segments.scope import Scope
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.state import Json, ReadState, WriteState


@dataclass(slots=True)
class One:
    """A segment that occurs once."""

    lens: SegmentLens
    label: str
    once: bool = True
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None

    def __post_init__(self) -> None:
        self.fields = fields_of(self.lens)
        self.alone = None if self.lens.always else self.lens

    @property
    def name(self) -> str:
        """The segment's tag."""
        return self.lens.tag

    def accepts(self, segment: Segment) -> bool:
        """By its constants."""
        return self.lens.accepts(segment)

    def claims(self, target: Json) -> str | None:
        """Its first field, while it has taken no segment of its own."""
        if any(lens.get(target) is not None for lens in self.lens.lenses):
            return None
        return ".".join(map(str, self.lens.lenses[0].path)) if self.lens.lenses else None

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Take the segment, alone in its loop if it has one."""
        segment = child if isinstance(child, Segment) else sole(child)
        if segment is None or not self.lens.accepts(segment) or not self.lens.read(segment, target, state):
            return False
        if self.lens.always:
            state.seen.add(self.label)
        return True

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """The segment, unless it was absent and only a count would make it."""
        if self.lens.always and _absent(root, self.label, state.syntax):
            return []
        segment = self.lens.write(target, state, at, root)
        return [] if segment is None else [segment]


@dataclass(slots=True)
class Inside:
    """A loop that occurs once and speaks of the scope's own object: CTT with AMT."""

    scope: Scope
    label: str
    first: SegmentLens
    once: bool = True
    fields: frozenset[str] | None = None
    alone: SegmentLens | None = None

    def __post_init__(self) -> None:
        self.fields = self.scope.fields

    @property
    def name(self) -> str:
        """The tag of its first segment."""
        return self.first.tag

    def accepts(self, segment: Segment) -> bool:
        """By the constants of its first segment."""
        return self.first.accepts(segment)

    def claims(self, target: Json) -> str | None:
        """The first field of its first segment, while it has taken none of its own."""
        if any(lens.get(target) is not None for lens in self.first.lenses):
            return None
        return ".".join(map(str, self.first.lenses[0].path)) if self.first.lenses else None

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Take the loop."""
        children: list[Child] = [child] if isinstance(child, Segment) else child.children
        first = children[0]
        if not isinstance(first, Segment) or not self.first.accepts(first):
            return False
        if bare(first, self.first):
            children = children[1:]
        if children:
            self.scope.read(children, target, state)
        return bool(children)

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """The loop, if anything in it has a value."""
        inside = self.scope.write(target, state, at, root)
        start(inside, self.first)
        return [Loop(self.name, inside)] if inside else []


@dataclass(slots=True)
class Ignored:
    """A segment or loop that is read past: neither reported nor kept."""

    lens: SegmentLens
    label: str
    once: bool = False
    fields: frozenset[str] | None = frozenset()
    alone: SegmentLens | None = None

    @property
    def name(self) -> str:
        """The tag."""
        return self.lens.tag

    def accepts(self, segment: Segment) -> bool:
        """By its constants."""
        return self.lens.accepts(segment)

    def claims(self, target: Json) -> str | None:  # noqa: ARG002  as all rules
        """It has no field."""
        return None

    def read(self, child: Child, target: Json, state: ReadState) -> bool:  # noqa: ARG002  as all rules
        """Take it, with all that is in it."""
        segment = child if isinstance(child, Segment) else child.children[0]
        return isinstance(segment, Segment) and self.lens.accepts(segment)

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:  # noqa: ARG002  as all rules
        """Nothing."""
        return []


def fields_of(lens: SegmentLens) -> frozenset[str] | None:
    """The fields without which a segment is not written; None where it may be written without any."""
    if lens.always:
        return None
    names: set[str] = set()
    for each in lens.lenses:
        if each.count is not None:
            return None
        if each.path:
            names.add(each.path[0].name)
        elif each.codes is not None:  # fields of the object itself, named by a table
            names.update(word.split(".")[0] for word in each.codes.writing)
        else:
            return None
    return frozenset(names)


def _absent(root: Json, label: str, syntax: str) -> bool:
    """Whether the reading found no such segment."""
    absent = recall(root, syntax).get("absent")
    return isinstance(absent, list) and label in absent


def bare(segment: Segment, lens: SegmentLens) -> bool:
    """Whether the segment says its constants and nothing else: it only starts the loop, and is written for that."""
    if len(segment.elements) > lens.bare_size:
        return False
    return segment.elements == constants(lens).elements if lens.constants else not any(segment.elements)


def constants(lens: SegmentLens) -> Segment:
    """The segment with its constants alone."""
    segment = Segment(lens.tag, [])
    for spot, values in lens.constants:
        place(segment.elements, spot, values[0])
    return segment


def start(inside: list[Child], lens: SegmentLens) -> None:
    """Put the segment that starts a loop before what is in it."""
    if inside and not (isinstance(inside[0], Segment) and inside[0].tag == lens.tag):
        inside.insert(0, constants(lens))
