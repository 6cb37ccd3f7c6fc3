"""Numbers that look random and are the same for the same seed, on every Python and machine: SplitMix64.

Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (OOPSLA 2014). For test data, never for secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15

ItemT = TypeVar("ItemT")


class Dice:
    """One stream of numbers."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, stream: int = 0) -> None:
        """`stream` tells apart what is drawn from one seed: document 5 is the same whatever document 4 was."""
        self._state = seed & _MASK
        self._state = (self.draw() + stream * _GOLDEN) & _MASK
        self._state = self.draw()

    def draw(self) -> int:
        """64 bits."""
        self._state = state = (self._state + _GOLDEN) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        return state ^ (state >> 31)

    def below(self, bound: int) -> int:
        """A number from 0, below `bound`."""
        return self.draw() % bound

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.draw() % (high - low + 1)

    def chance(self, share: float) -> bool:
        """True in this share of the draws, from 0 to 1."""
        # `draw` once more, without the call: this is what is asked most. Of 53 bits a float is exact.
        self._state = state = (self._state + _GOLDEN) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        return (state ^ (state >> 31)) >> 11 < share * (1 << 53)

    def pick(self, items: Sequence[ItemT]) -> ItemT:
        """One of these."""
        return items[self.draw() % len(items)]
