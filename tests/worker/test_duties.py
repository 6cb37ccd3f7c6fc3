"""Duties: one node at a time, each once in its time, whatever the clocks say, also when its node dies in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gateway.errors import OurFault
from gateway.store import Scheduled, Store
from gateway.worker import Duties, Duty, duties

HOUR = timedelta(hours=1)


class World:
    """Nodes on one store, with clocks that are moved: the wall's for all, a steady one each."""

    def __init__(self, store: Store, clock: Any) -> None:
        self.store = store
        self.clock = clock
        self.steady = 0.0
        self.done: list[str] = []
        self.fails = False

    async def work(self, name: str) -> str:
        """The duty."""
        self.done.append(name)
        if self.fails:
            raise OurFault("it does not go", remedy="Mend it.")
        return "done well"

    async def node(self, name: str, **options: Any) -> Duties:
        """A node that has planned its duties."""
        found = Duties(
            self.store,
            name,
            {"sweep": Duty(every=HOUR, work=lambda: self.work(name))},
            clock=options.pop("clock", self.clock),
            steady=lambda: self.steady,
        )
        await self.store.plan_duty("sweep", HOUR)
        return found

    def passes(self, hours: float) -> None:
        """Time, by every clock."""
        self.steady += hours * 3600
        self.clock.advance(hours=hours)

    async def until(self, holds: Callable[[Scheduled], bool]) -> None:
        """Wait for the row to stand so."""
        for _ in range(2000):
            if holds(await self.row()):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it never stood so")

    async def row(self) -> Scheduled:
        """How it stands."""
        (found,) = await self.store.schedules()
        return found


@pytest.fixture
def world(store: Store, clock: Any) -> World:
    """On each database."""
    return World(store, clock)


async def test_of_two_nodes_one_does_it_once_in_its_time(world: World) -> None:
    """A new duty at once, then every hour, by whoever comes first."""
    nodes = [await world.node("a"), await world.node("b")]
    await asyncio.gather(*(one.look() for one in nodes))
    assert len(world.done) == 1
    for _ in range(8):
        world.passes(0.5)
        await asyncio.gather(*(one.look() for one in nodes))
    assert len(world.done) == 5
    row = await world.row()
    assert (row.said, row.owner, row.error) == ("done well", None, None)


async def test_what_was_missed_is_done_once(world: World) -> None:
    """A gateway that was down for a week does not do it 168 times."""
    node = await world.node("a")
    await node.look()
    world.passes(168)
    for _ in range(5):
        await node.look()
    assert len(world.done) == 2


@pytest.mark.parametrize("jump", [-24 * 365, -25, 25, 24 * 365])
async def test_a_clock_that_jumps_makes_it_neither_often_nor_never(world: World, jump: float) -> None:
    """The wall jumps; the steady clock goes on: one more by the jump at most, then one an hour."""
    node = await world.node("a")
    await node.look()
    world.clock.advance(hours=jump)
    for _ in range(24):
        world.passes(0.25)
        await node.look()
    assert 6 <= len(world.done) <= 8


async def test_nodes_whose_clocks_differ_do_not_do_it_in_turns(world: World) -> None:
    """One is a day ahead: for it the next time is always over."""
    nodes = [await world.node("a"), await world.node("b", clock=lambda: world.clock() + timedelta(days=1))]
    for _ in range(24):
        for one in nodes:
            await one.look()
        world.passes(0.25)
    assert 6 <= len(world.done) <= 13


async def test_a_duty_whose_node_died_is_taken_over_after_its_silence(world: World) -> None:
    """And the dead one, if it was only frozen, changes nothing any more."""
    other = await world.node("b")
    beats = await world.store.take_duty(await world.row(), "a")
    assert beats == 1
    for _ in range(3):
        await other.look()
        world.passes(duties.SILENCE / 3600 / 4)
    assert world.done == []
    world.passes(duties.SILENCE / 3600)
    await other.look()
    assert world.done == ["b"]
    assert await world.store.beat_duty("sweep", "a", beats) is None
    assert not await world.store.end_duty("sweep", "a", beats, every=HOUR, took=1, said="late")
    assert (await world.row()).said == "done well"


async def test_a_long_one_beats_and_is_not_taken_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its beats go on beside it."""
    monkeypatch.setattr(duties, "BEAT_SECONDS", 0.01)
    ends = asyncio.Event()

    async def long() -> str:
        await ends.wait()
        return "at last"

    slow = Duties(world.store, "a", {"sweep": Duty(every=HOUR, work=long)}, clock=world.clock)
    other = await world.node("b")
    doing = asyncio.create_task(slow.look())
    await world.until(lambda row: row.beats >= 3)
    for _ in range(3):
        await other.look()
        before = (await world.row()).beats
        world.passes(duties.SILENCE / 3600 * 2)
        await world.until(lambda row, before=before: row.beats > before)  # type: ignore[misc]
    ends.set()
    await doing
    assert (world.done, (await world.row()).said) == ([], "at last")


async def test_one_that_fails_is_told_and_tried_again_in_its_time(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason stands in the row until it ends well."""
    node = await world.node("a")
    world.fails = True
    await node.look()
    await node.look()
    assert len(world.done) == 1
    row = await world.row()
    assert (row.error, row.done_at) == ("it does not go. Mend it.", None)
    assert "it does not go" in caplog.text
    world.fails = False
    world.passes(1)
    await node.look()
    assert (await world.row()).error is None


async def test_one_that_is_stopped_leaves_the_rest_to_others(world: World) -> None:
    """The node ends in the middle: nothing of the duty goes on behind it."""
    stopped = asyncio.Event()

    async def endless() -> str:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()
        return ""

    await world.store.plan_duty("sweep", HOUR)
    node = Duties(world.store, "a", {"sweep": Duty(every=HOUR, work=endless)}, clock=world.clock)
    doing = asyncio.create_task(node.run())
    await world.until(lambda row: row.owner is not None)
    await asyncio.sleep(0.05)
    doing.cancel()
    await asyncio.wait((doing,))
    assert stopped.is_set()
