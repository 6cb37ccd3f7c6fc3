"""A message as an indented outline for people: loops, segments, and elements with the guide's labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.edi.guide import Guide, SegmentSpec
from gateway.edi.tree import Message, Segment, joined, walk


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One segment of the outline. `values` pairs the guide's label (or the position) with what was sent."""

    depth: int
    position: int
    tag: str
    label: str
    loop: bool
    values: tuple[tuple[str, str], ...]


def lines(message: Message, guide: Guide | None) -> Iterator[Line]:
    """The segments of a message in wire order; without a guide they are named by position only."""
    specs: dict[str, SegmentSpec] = {}
    if guide is not None:
        specs = {spec.tag: spec for spec in guide.segments()}
    for depth, segment, first in walk(message.root):
        spec = specs.get(segment.tag)
        level = guide.level_labels.get(segment.text(3)) if guide is not None and segment.tag == "HL" else None
        label = "" if spec is None else spec.label
        yield Line(
            depth=depth,
            position=segment.position,
            tag=segment.tag,
            label=level or label,
            loop=first,
            values=tuple(_values(segment, spec)),
        )


def _values(segment: Segment, spec: SegmentSpec | None) -> Iterator[tuple[str, str]]:
    for index, element in enumerate(segment.elements, 1):
        if element:
            known = spec is not None and index <= len(spec.elements)
            label = spec.elements[index - 1].label if spec is not None and known else f"{segment.tag}{index:02d}"
            yield label, joined(element, " ", ", ")
