"""Mutations of an HL or CPS tree: parents that are not there, numbers that come twice, cycles, unknown levels."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.edi.hierarchy import LEVEL, NUMBER, PARENT
from gateway.edi.mutate.wire import Mutation, Wire


def _heads(wire: Wire) -> list[int]:
    """Indexes of the segments that begin the loops."""
    return [index for index in wire.body if wire.guide.nests and wire.tag(wire.segments[index]) == wire.guide.nests]


def _text(wire: Wire, index: int, element: int) -> str:
    elements = wire.elements(wire.segments[index])
    return elements[element] if element < len(elements) else ""


def _parent_missing(wire: Wire) -> list[str] | None:
    """A loop names a parent that is not there."""
    heads = _heads(wire)
    return wire.with_element(wire.dice.pick(heads), PARENT, "99999") if heads else None


def _number_repeated(wire: Wire) -> list[str] | None:
    """Two loops have one number."""
    heads = _heads(wire)
    if len(heads) <= 1:
        return None
    return wire.with_element(heads[-1], NUMBER, _text(wire, heads[0], NUMBER))


def _cycle(wire: Wire) -> list[str] | None:
    """A loop is its own ancestor."""
    heads = _heads(wire)
    if not heads:
        return None
    index = wire.dice.pick(heads)
    below = [_text(wire, one, NUMBER) for one in heads if _text(wire, one, PARENT) == _text(wire, index, NUMBER)]
    return wire.with_element(index, PARENT, wire.dice.pick(below or [_text(wire, index, NUMBER)]))


def _level(wire: Wire) -> list[str] | None:
    """A level that the guide does not know."""
    heads = _heads(wire)
    known = wire.guide.levels
    if not heads or not known:
        return None
    code = next(code for code in ("ZZ", "Z9", "Q") if code not in known)
    return wire.with_element(wire.dice.pick(heads), LEVEL, code)


HIERARCHIES: Mapping[str, Mutation] = {
    "hierarchy_parent_missing": _parent_missing,
    "hierarchy_number_repeated": _number_repeated,
    "hierarchy_cycle": _cycle,
    "hierarchy_level_unknown": _level,
}
"""By name."""
