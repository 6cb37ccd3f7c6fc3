"""The shape of an HL or CPS tree: numbers, parents, levels, in the order in which the loops are written."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from gateway.edi.generate.dice import Dice

ORDER = ("S", "E", "O", "T", "P", "I")
"""HL03 from the outside in: shipment, equipment, order, pallet (tare), pack, item; nobody leaves out the shipment."""
_MOST_LEVELS = 4
"""Where a guide names no levels."""


class Node(NamedTuple):
    """One HL or CPS."""

    number: int
    parent: int
    """0 at the top."""
    level: str
    """Empty where the guide names no levels."""
    children: bool


def shape(levels: Collection[str], lines: int, dice: Dice) -> list[Node]:
    """Up to `lines` + 2 loops, parents first: numbers count from 1, a level only holds deeper ones."""
    known = [level for level in ORDER if level in levels] or sorted(levels) or [""] * _MOST_LEVELS
    deepest = len(known) - 1
    path = [(1, 0)]
    """Number and depth in `known` of the loop above, and of those above it."""
    made = [(1, 0, known[0])]
    for number in range(2, dice.between(1, lines + 2) + 1):
        while len(path) > 1 and (path[-1][1] >= deepest or dice.chance(0.4)):
            path.pop()
        parent, depth = path[-1]
        if depth >= deepest:
            break
        depth = min(deepest, depth + (2 if dice.chance(0.3) else 1))
        made.append((number, parent, known[depth]))
        path.append((number, depth))
    parents = {parent for _, parent, _ in made}
    return [Node(number, parent, level, number in parents) for number, parent, level in made]
