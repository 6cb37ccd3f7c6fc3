"""Room for calls: never more than the cap, half of it for one partner, and nobody is kept out by somebody slow."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from gateway.connectors.room import Room


class Calls:
    """Calls that begin when they may, and end when they are told to."""

    def __init__(self, cap: int) -> None:
        self.room = Room(cap)
        self.begun: list[str] = []
        self.ends: dict[str, list[asyncio.Event]] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, *partners: str) -> None:
        """One more call of each, in this order."""
        for partner in partners:
            self.tasks.append(asyncio.create_task(self._call(partner)))
        await self.settle()

    async def _call(self, partner: str) -> None:
        async with self.room.of(partner):
            over = asyncio.Event()
            self.ends.setdefault(partner, []).append(over)
            self.begun.append(partner)
            await over.wait()

    async def end(self, partner: str) -> None:
        """The oldest call of a partner that is under way ends."""
        self.ends[partner].pop(0).set()
        await self.settle()

    async def settle(self) -> None:
        """Whatever can go on has."""
        for _ in range(5):
            await asyncio.sleep(0)

    @property
    def under_way(self) -> Counter[str]:
        """By partner."""
        return Counter({partner: len(ends) for partner, ends in self.ends.items() if ends})

    async def close(self) -> None:
        """Cancel what is left."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("cap", "partners", "each"), [(1, 1, 1), (2, 1, 1), (3, 1, 2), (8, 1, 4), (8, 2, 3), (8, 3, 2), (16, 1, 8)]
)
async def test_partners_that_are_slow_leave_room_for_others(cap: int, partners: int, each: int) -> None:
    """Half of it for one alone, a third each for two; a cap of one is one call."""
    calls = Calls(cap)
    names = [f"slow-{number}" for number in range(partners)]
    await calls.ask(*(names * cap))
    assert max(calls.under_way.values()) == each
    assert cap == 1 or calls.under_way.total() < cap
    await calls.close()


async def test_a_partner_without_a_call_goes_at_once_beside_a_slow_one() -> None:
    """However many calls of the slow one wait."""
    calls = Calls(4)
    await calls.ask(*["slow"] * 20, "other")
    assert calls.under_way == {"slow": 2, "other": 1}
    await calls.close()


async def test_many_partners_use_all_of_it_and_no_more() -> None:
    """One call each, until nothing is left."""
    calls = Calls(3)
    await calls.ask(*"abcdef")
    assert calls.begun == ["a", "b", "c"]
    await calls.close()


async def test_those_that_wait_take_turns_and_each_keeps_its_order() -> None:
    """One call of each partner, then the next of each; not all of the first one's."""
    calls = Calls(1)
    await calls.ask("z", "a", "a", "b", "b")
    for _ in range(4):
        await calls.end(calls.begun[-1])
    assert calls.begun == ["z", "a", "b", "a", "b"]
    await calls.close()


async def test_whoever_is_cancelled_gives_its_room_back() -> None:
    """While it waits, as its turn comes, and during its call: afterwards there is room for all."""
    calls = Calls(2)
    await calls.ask("a", "b", "c", "d")
    calls.tasks[2].cancel()
    calls.ends["a"].pop(0).set()
    calls.tasks[3].cancel()
    calls.tasks[1].cancel()
    await calls.settle()
    await calls.settle()
    assert all(task.done() for task in calls.tasks)
    calls.ends.clear()
    await calls.ask("e", "f")
    assert calls.under_way == {"e": 1, "f": 1}
    await calls.close()
