"""Room for calls to one far side: a number of them at once, and always some left for whoever has none under way.

A partner may begin a call while it has fewer under way than there is room left. So one that waits for slow answers has
half of the room at most, two a third each, and a partner that has no call under way is kept out only when nothing is
left. Partners that wait take turns; the calls of one keep their order.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """For at most `cap` calls at once, of one event loop."""

    def __init__(self, cap: int) -> None:
        self._left = cap
        self._under_way: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """By partner, the one whose turn it is first."""

    @asynccontextmanager
    async def of(self, partner: str) -> AsyncIterator[None]:
        """Wait for room, and have it meanwhile."""
        if partner in self._waiting or not self._may(partner):
            await self._turn(partner)
        else:
            self._begin(partner)
        try:
            yield
        finally:
            self._end(partner)

    def _may(self, partner: str) -> bool:
        return self._under_way[partner] < self._left

    def _begin(self, partner: str) -> None:
        self._left -= 1
        self._under_way[partner] += 1

    def _end(self, partner: str) -> None:
        self._left += 1
        self._under_way[partner] -= 1
        if not self._under_way[partner]:
            del self._under_way[partner]
        while (next_ := next(filter(self._may, self._waiting), None)) is not None:
            behind = self._waiting.pop(next_)
            first = behind.popleft()
            if behind:
                self._waiting[next_] = behind
            if not first.done():  # cancelled meanwhile
                self._begin(next_)
                first.set_result(None)

    async def _turn(self, partner: str) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(partner, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # its turn came as it was cancelled
                self._end(partner)
            raise
