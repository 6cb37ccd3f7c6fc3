"""A message as an indented outline for people: loops, segments, and elements with the guide's labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.edi.guide import UNLIMITED, ElementSpec, Guide, LoopUse, SegmentSpec, Use
from gateway.edi.tree import Loop, Message, Repeats, Segment, Simple


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One segment of the outline. `values` pairs the guide's label (or the position) with what was sent."""

    depth: int
    position: int
    tag: str
    label: str
    loop: bool
    """It starts a loop."""
    group: str
    """The standard's own name of the loop it starts, such as SG25; empty where there is none."""
    values: tuple[tuple[str, str], ...]
    segment: Segment


def lines(message: Message, guide: Guide | None) -> Iterator[Line]:
    """The segments of a message in wire order; without a guide they are named by position only. Never recursive."""
    specs: dict[str, SegmentSpec] = {}
    if guide is not None:
        specs = {spec.tag: spec for spec in guide.segments()}
    root = None if guide is None else guide.root
    stack: list[tuple[LoopUse | None, Iterator[Segment | Loop]]] = [(root, iter(message.root.children))]
    starts: LoopUse | None = None
    first = False
    while stack:
        use, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
        elif isinstance(child, Loop):
            starts, first = _use_of(child, use), True
            stack.append((starts, iter(child.children)))
        else:
            spec = _spec_of(child, use) or specs.get(child.tag)
            yield _line(child, spec, guide, len(stack) - 1, starts if first else None, first=first)
            first = False


def _line(
    segment: Segment, spec: SegmentSpec | None, guide: Guide | None, depth: int, starts: LoopUse | None, *, first: bool
) -> Line:
    level = guide.level_labels.get(segment.text(3)) if guide is not None and segment.tag == "HL" else None
    return Line(
        depth=depth,
        position=segment.position,
        tag=segment.tag,
        label=level or ("" if spec is None else spec.label),
        loop=first,
        group="" if starts is None else starts.group,
        values=tuple(_values(segment, spec)),
        segment=segment,
    )


def _use_of(loop: Loop, parent: LoopUse | None) -> LoopUse | None:
    """The guide's place for a loop: by its tag, among several by the qualifier; a nested HL or CPS is its own place."""
    if parent is None:
        return None
    named = [item for item in parent.items if isinstance(item, LoopUse) and item.name == loop.name]
    if not named:
        return parent if parent.name == loop.name else None
    first = loop.children[0] if loop.children else None
    code = first.text(1) if isinstance(first, Segment) else ""
    return next((item for item in named if code in item.start.qualifiers), named[0])


def _spec_of(segment: Segment, loop: LoopUse | None) -> SegmentSpec | None:
    """The segment as this place has it."""
    items = () if loop is None else loop.items
    return next((item.spec for item in items if isinstance(item, Use) and item.tag == segment.tag), None)


def _values(segment: Segment, spec: SegmentSpec | None) -> Iterator[tuple[str, str]]:
    for index, element in enumerate(segment.elements, 1):
        known = spec.elements[index - 1] if spec is not None and index <= len(spec.elements) else None
        label = known.label if known is not None else f"{segment.tag}{index:02d}"
        # Each repeat is shown like an element that came alone.
        for one in element.values if isinstance(element, Repeats) else (element,):
            yield from _element(label, one, known)


def _element(label: str, element: Simple, known: ElementSpec | None) -> Iterator[tuple[str, str]]:
    components = known.components if known is not None else ()
    if isinstance(element, str):
        if element:
            yield components[0].label if components else label, element
    else:
        for index, component in enumerate(element):
            if component:
                yield components[index].label if index < len(components) else f"{label}.{index + 1}", component


def guide_lines(guide: Guide) -> Iterator[tuple[int, Use | LoopUse]]:
    """The places of a guide in the order of the wire, with their depth; a loop comes before its first segment."""
    stack: list[Iterator[Use | LoopUse]] = [iter(guide.root.items)]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            continue
        yield len(stack) - 1, item
        if isinstance(item, LoopUse):
            stack.append(iter(item.items))


def times(maximum: int) -> str:
    """A repeat count for people."""
    return "any number" if maximum >= UNLIMITED else f"up to {maximum:,}"
