"""The duties that keep what is stored in bounds, as `gateway serve` has them."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.errors import OurFault
from gateway.ports import Changes
from gateway.settings import Retention
from gateway.store import Store
from gateway.worker import Duties, keeping
from gateway.worker.believing import Belief
from tests.store.conftest import Trade


async def test_the_rules_of_now_count_and_what_came_of_it_is_told(store: Store, clock: Any) -> None:
    """A changed configuration counts from the next run on."""
    settings = SimpleNamespace(retention=Retention())
    loaded: Any = SimpleNamespace(settings=settings, agreements=())
    changes = Trade(clock).received()
    await store.accept(changes)
    (job,) = await store.claim("me", ["read"], 1)
    await store.finish(job, Changes())
    clock.advance(days=10)
    duties = keeping(store, lambda: loaded)
    node = Duties(store, "a", duties, clock=clock)
    for name, duty in duties.items():
        await store.plan_duty(name, duty.every)
    await node.look()
    said = {one.name: one.said for one in await store.schedules()}
    assert said == {
        "retention": "1 finished jobs moved, 0 things purged, 0 kept though due",
        "files": "0 files removed that no message names",
    }
    settings.retention = Retention(payload_days=5)
    assert await duties["retention"].work() == "0 finished jobs moved, 1 things purged, 0 kept though due"
    settings.retention = Retention(finished_days=0)
    assert await duties["retention"].work() == "0 finished jobs moved, 0 things purged, 0 kept though due"


DAY = 86400.0


class Time:
    """A wall clock and a steady one."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.steady = 0.0

    def passes(self, days: float) -> None:
        """By both."""
        self.clock.advance(days=days)
        self.steady += days * DAY


@pytest.fixture
async def old(sqlite_store: Store, clock: Any) -> str:
    """A message of which nothing is open; SQLite has no other clock."""
    changes = Trade(clock).received()
    await sqlite_store.accept(changes)
    (job,) = await sqlite_store.claim("me", ["read"], 1)
    await sqlite_store.finish(job, Changes())
    return changes.messages[0].id


async def test_by_a_clock_that_leapt_nothing_is_removed_for_days(sqlite_store: Store, clock: Any, old: str) -> None:
    """In these somebody sets it right; one that stands so then is believed: the machine was asleep."""
    settings = SimpleNamespace(retention=Retention(payload_days=365))
    time = Time(clock)
    workspace: Any = SimpleNamespace(settings=settings, agreements=())
    work = keeping(sqlite_store, lambda: workspace, steady=lambda: time.steady)["retention"].work
    time.passes(0.25)
    await work()
    clock.advance(days=4000)
    for _ in range(11):
        with pytest.raises(OurFault, match=r"went 4000\.0 days ahead"):
            await work()
        time.passes(0.25)
    assert await sqlite_store.payload(old)
    clock.advance(days=-4000)
    assert "0 things purged" in await work()
    clock.advance(days=4000)
    with pytest.raises(OurFault, match="ahead"):
        await work()
    time.passes(3)
    assert "1 things purged" in await work()


async def test_years_that_go_by_are_no_leap(sqlite_store: Store, clock: Any, old: str) -> None:
    """A gateway that runs on keeps its rules."""
    settings = SimpleNamespace(retention=Retention(payload_days=365))
    time = Time(clock)
    workspace: Any = SimpleNamespace(settings=settings, agreements=())
    work = keeping(sqlite_store, lambda: workspace, steady=lambda: time.steady)["retention"].work
    time.passes(364)
    assert "0 things purged" in await work()
    time.passes(2)
    assert "1 things purged" in await work()
    with pytest.raises(OurFault, match="was purged"):
        await sqlite_store.payload(old)


async def test_by_a_clock_that_is_ahead_of_the_databases_nothing_is_removed(clock: Any) -> None:
    """Also right after the gateway began."""
    ahead = 0.0

    async def by() -> float:
        return ahead

    belief = Belief(clock, by)
    await belief.check()
    ahead = 2 * DAY
    with pytest.raises(OurFault, match=r"2\.0 days before the database's"):
        await belief.check()
    ahead = -2 * DAY
    await belief.check()


async def test_a_clock_that_is_set_back_in_part_is_not_believed(clock: Any) -> None:
    """Ten days ahead, then two back: eight are left. The rest back, and it is right again; or three days, and it is."""

    async def none() -> float:
        return 0.0

    def steady() -> float:
        return gone.total_seconds()

    gone = timedelta(0)
    belief = Belief(clock, none, steady=steady)
    clock.advance(days=10)
    for days in (0, -2, 0):
        clock.advance(days=days)
        with pytest.raises(OurFault, match="nothing is removed"):
            await belief.check()
    clock.advance(days=-8)
    await belief.check()
    clock.advance(days=10)
    with pytest.raises(OurFault, match=r"10\.0 days ahead"):
        await belief.check()
    gone += timedelta(days=3)
    clock.advance(days=3)
    await belief.check()
