"""Mutations of the segments of a message: missing, repeated, unknown, in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gateway.edi.guide import LoopUse, Use
from gateway.edi.mutate.wire import Mutation, Wire
from gateway.edi.structure import structure_of

_FEW = 50
"""Repeats that are worth exceeding."""
_UNKNOWN = "ZQZ"


def _mandatory(wire: Wire) -> list[int]:
    """Indexes of segments that must come, once, and have one place only."""
    places = Counter(spec.tag for spec in wire.guide.segments())
    tags = [wire.tag(wire.segments[index]) for index in wire.body]
    came = Counter(tags)
    alone = {
        item.tag
        for item in wire.guide.root.items
        if isinstance(item, Use) and item.mandatory and item.maximum == 1 and places[item.tag] == came[item.tag] == 1
    }
    return [index for index, tag in zip(wire.body, tags, strict=True) if tag in alone]


def _missing(wire: Wire) -> list[str] | None:
    """A mandatory segment is left out."""
    found = _mandatory(wire)
    if not found:
        return None
    left = wire.dice.pick(found)
    return wire.with_body([wire.segments[index] for index in wire.body if index != left])


def _twice(wire: Wire) -> list[str] | None:
    """A segment that may come once comes twice."""
    found = _mandatory(wire)
    return _inserted(wire, wire.dice.pick(found), 1) if found else None


def _inserted(wire: Wire, index: int, copies: int) -> list[str]:
    segments = wire.segments
    return wire.with_body(
        [*segments[wire.start + 1 : index], *[segments[index]] * (copies + 1), *segments[index + 1 : wire.end]]
    )


def _too_often(wire: Wire) -> list[str] | None:
    """A segment comes more often than it may."""
    found = [
        (index, place.use.maximum)
        for index, place in zip(wire.body, wire.places(), strict=True)
        if isinstance(place.use, Use) and place.index > 0 and 1 < place.use.maximum <= _FEW
    ]
    return _inserted(wire, *wire.dice.pick(found)) if found else None


def _loop_too_often(wire: Wire) -> list[str] | None:
    """A loop begins more often than it may."""
    structure = structure_of(wire.guide, wire.chars)
    found: list[tuple[int, int]] = []
    for index, place in zip(wire.body, wire.places(), strict=True):
        loop = place.loop.use
        if place.index == 0 and place.loop.parent is not None and 1 < loop.maximum <= _FEW:
            step = structure.state(place)[structure.key(place.tag)]
            # A segment inside the loop may have the same tag: a copy would be that one.
            if step is not None and not step.choices and step.state.place is place:
                found.append((index, loop.maximum))
    return _inserted(wire, *wire.dice.pick(found)) if found else None


def _swapped(wire: Wire) -> list[str] | None:
    """The first two segments change places."""
    first, items = wire.start + 1, wire.guide.root.items
    second = first + 1
    if second >= wire.end or isinstance(items[0], LoopUse) or not items[0].mandatory:
        return None
    one, other = wire.segments[first], wire.segments[second]
    if wire.tag(one) == wire.tag(other):
        return None
    return wire.with_body([other, one, *wire.segments[second + 1 : wire.end]])


def _added(wire: Wire, segment: str) -> list[str]:
    """One segment more, anywhere in the message."""
    at = wire.dice.between(wire.start + 1, wire.end)
    return wire.with_body([*wire.segments[wire.start + 1 : at], segment, *wire.segments[at : wire.end]])


def _unknown(wire: Wire) -> list[str]:
    """A segment that nobody knows."""
    return _added(wire, f"{_UNKNOWN}{wire.chars.element}1")


def _empty(wire: Wire) -> list[str]:
    """Two terminators follow each other; an empty segment does not count."""
    at = wire.dice.between(wire.start + 1, wire.end)
    return [*wire.segments[:at], "", *wire.segments[at:]]


SEGMENTS: Mapping[str, Mutation] = {
    "segment_missing": _missing,
    "segment_twice": _twice,
    "segment_too_often": _too_often,
    "loop_too_often": _loop_too_often,
    "segments_swapped": _swapped,
    "segment_unknown": _unknown,
    "segment_empty": _empty,
}
"""By name."""
