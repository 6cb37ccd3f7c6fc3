"""Control numbers seen so far, in little memory: whether one comes again, over millions of sets.

Numbers mostly count upwards, so long runs of them are kept as ranges; what does not is kept one by one.
"""

from __future__ import annotations

from bisect import bisect_right

LONG = 64
"""A run shorter than this is kept number by number."""
_LONGEST = 18
"""Digits of a number that may count upwards; everything else is kept as text."""


class Seen:
    """A set of control numbers: those that count upwards cost nothing, others some 60 bytes each."""

    def __init__(self) -> None:
        self._width = self._first = self._next = 0
        """The present run: numbers from `_first` up to before `_next`, written with `_width` digits."""
        self._starts: dict[int, list[int]] = {}
        self._ends: dict[int, list[int]] = {}
        """Earlier long runs by width, in order; runs never overlap."""
        self.single: set[str] = set()
        """Numbers of no run."""

    def add(self, number: str) -> bool:
        """Take note of a number; False when it was there already."""
        width = len(number)
        if number in self.single:
            return False
        if not (width <= _LONGEST and number.isascii() and number.isdigit()):
            self.single.add(number)
            return True
        value = int(number)
        if (width == self._width and self._first <= value < self._next) or self._in_run(value, width):
            return False
        if width == self._width and value == self._next:
            self._next += 1
            return True
        self._keep()
        self._width, self._first, self._next = width, value, value + 1
        return True

    def _in_run(self, value: int, width: int) -> bool:
        starts = self._starts.get(width)
        if starts is None:
            return False
        index = bisect_right(starts, value) - 1
        return index >= 0 and value < self._ends[width][index]

    def _keep(self) -> None:
        if self._next - self._first < LONG:
            self.single.update(str(value).zfill(self._width) for value in range(self._first, self._next))
            return
        index = bisect_right(self._starts.setdefault(self._width, []), self._first)
        self._starts[self._width].insert(index, self._first)
        self._ends.setdefault(self._width, []).insert(index, self._next)
