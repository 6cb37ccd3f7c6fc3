"""What a scope asks of each of its rules."""

from __future__ import annotations

from typing import Protocol

from gateway.edi.tree import Loop, Segment
from gateway.mapping.segments.segment import SegmentLens
from gateway.mapping.state import Json, ReadState, WriteState

Child = Segment | Loop


class Rule(Protocol):
    """One entry of a map's `segments`."""

    label: str

    @property
    def name(self) -> str:
        """Tag or loop name of the children it takes."""

    @property
    def once(self) -> bool:
        """Whether it takes one child of a scope only."""

    @property
    def fields(self) -> frozenset[str] | None:
        """The fields of which one must be there for it to write anything; None where none need be."""

    @property
    def alone(self) -> SegmentLens | None:
        """The lens that is all there is to reading a segment; None where the rule has more to do."""

    def accepts(self, segment: Segment) -> bool:
        """Whether the segment, the first of its loop, is its by what selects."""

    def claims(self, target: Json) -> str | None:
        """The field that a segment it accepts would be read into when it came again; None where it takes no more."""

    def read(self, child: Child, target: Json, state: ReadState) -> bool:
        """Take the child, or return False with nothing done."""

    def write(self, target: Json, state: WriteState, at: str, root: Json) -> list[Child]:
        """The children that say what `target` holds."""


def sole(child: Child) -> Segment | None:
    """The segment, or the only segment of its loop."""
    if isinstance(child, Segment):
        return child
    only = child.children[0] if len(child.children) == 1 else None
    return only if isinstance(only, Segment) else None
