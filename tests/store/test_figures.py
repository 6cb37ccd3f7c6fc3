"""Facts about counting the work: what is due, later, running, dead, in which lanes, and no more lanes than shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import update

from gateway.ports import NewJob
from gateway.ports.figures import LANES_SHOWN
from gateway.store import Store, figures
from gateway.store.tables import job, lane


async def test_jobs_are_counted_by_lane_as_due_later_running_or_dead(store: Store, trade: Any, clock: Any) -> None:
    """Each job once; the oldest is the one that is due the longest, never one that is due later."""
    first = clock()
    changes = [trade.received(lane="acme:inbound:read") for _ in range(4)]
    for one in changes:
        await store.apply(one)
    clock.advance(seconds=90)
    later = trade.received(lane="baltic:inbound:read")
    (new,) = later.jobs
    in_an_hour = NewJob(message_id=new.message_id, step="read", lane=new.lane, run_at=clock() + timedelta(hours=1))
    await store.apply(type(later)(messages=later.messages, jobs=(in_an_hour,), events=later.events))
    running, dying = await store.claim("n1", ("read",), 2)
    await store.bury(dying, outcome="permanent", reason="no", changes=type(later)())
    found = await store.figures()
    acme, baltic = found.lanes["acme:inbound:read"], found.lanes["baltic:inbound:read"]
    assert (acme.due, acme.later, acme.running, acme.dead) == (2, 0, 1, 1)
    assert acme.oldest is not None
    assert first < acme.oldest < first + timedelta(seconds=1)
    assert acme.cap == store.cap
    assert (baltic.due, baltic.later, baltic.oldest) == (0, 1, None)
    assert (found.all.due, found.all.later, found.all.running, found.all.dead) == (2, 1, 1, 1)
    assert found.all.oldest == acme.oldest
    assert (found.others.due, found.others.oldest, found.others.cap) == (0, None, None)
    assert found.unsealed is not None
    await store.finish(running, type(later)())


async def test_breakers_are_closed_half_open_or_open_and_an_operators_pause_is_something_else(
    store: Store, trade: Any, clock: Any
) -> None:
    """As lanes stand at this moment; a lane in trouble is shown whatever is in it."""
    for name in ("a:outbound:as2", "b:outbound:as2", "c:outbound:as2"):
        await store.apply(trade.received(lane=name))
    await store.lane_failed("a:outbound:as2", lambda _: timedelta(seconds=30))
    clock.advance(seconds=31)
    await store.lane_failed("b:outbound:as2", lambda _: timedelta(seconds=30))
    await store.pause_lane("c:outbound:as2", clock() + timedelta(hours=1), by="ann", why="the ERP is moved")
    found = await store.figures()
    states = {name: one.breaker for name, one in found.lanes.items()}
    assert states == {"a:outbound:as2": "half open", "b:outbound:as2": "open", "c:outbound:as2": "closed"}
    assert found.breakers == {"closed": 1, "half open": 1, "open": 1}
    assert {name for name, one in found.lanes.items() if one.stopped} == {"c:outbound:as2"}
    clock.advance(hours=2)
    assert (await store.figures()).all.stopped == 0


async def test_of_many_lanes_those_in_trouble_and_the_fullest_are_shown_and_the_rest_summed_up(
    store: Store, trade: Any, clock: Any
) -> None:
    """The sums are right whatever is shown."""
    names = [f"p{number:03}:inbound:read" for number in range(LANES_SHOWN + 20)]
    for name in names:
        await store.apply(trade.received(lane=name))
    for _ in range(3):
        clock.advance(seconds=1)
        await store.apply(trade.received(lane=names[-1]))
    await store.database.write(
        lambda connection: connection.execute(update(lane).where(lane.c.name == names[-2]).values(failures=2))
    )
    found = await store.figures()
    assert len(found.lanes) == LANES_SHOWN
    assert list(found.lanes)[:2] == [names[-2], names[-1]]
    assert found.lanes[names[-1]].due == 4
    assert found.others.due == 20
    assert found.others.oldest is not None
    shown = [one.oldest for one in found.lanes.values() if one.oldest is not None]
    assert found.all.oldest == min(found.others.oldest, *shown)
    assert found.all.due == len(names) + 3
    await store.database.write(lambda connection: connection.execute(update(job).values(due_at=None, state="done")))
    assert (await store.figures()).all.due == 0


async def test_attempts_claims_and_commits_are_told_once_they_are_durable(store: Store, trade: Any) -> None:
    """What metrics are made of."""
    attempts: list[tuple[str, str]] = []
    claims: list[float] = []
    batches: list[int] = []
    store.on_attempt = lambda ended, outcome: attempts.append((ended.step, outcome))
    store.on_claim = claims.append
    store.database.on_batch = lambda operations, _: batches.append(operations)
    for _ in range(3):
        await store.apply(trade.received())
    done, again, dead = await store.claim("n1", ("read",), 3)
    nothing = type(trade.received())()
    await store.finish(done, nothing)
    await store.postpone(again, outcome="transient", reason="busy", run_at=store.clock(), changes=nothing)
    await store.bury(dead, outcome="permanent", reason="no", changes=nothing)
    assert attempts == [("read", "done"), ("read", "transient"), ("read", "permanent")]
    assert len(claims) == 1
    assert claims[0] > 0
    assert sum(batches) == 7


async def test_the_clock_is_compared_with_the_databases_where_that_is_another_machines(store: Store) -> None:
    """An hour too late here is an hour ahead; an SQLite file has no clock of its own."""
    wrong = partial(figures.figures, clock=lambda: datetime.now(UTC) + timedelta(hours=1), cap=1)
    found = await store.database.read(wrong)
    if store.database.dialect == "sqlite":
        assert found.ahead == 0
    else:
        assert abs(found.ahead - 3600) < 5


async def test_a_duty_that_failed_or_does_not_end_is_told(store: Store, clock: Any) -> None:
    """Until it ends well."""

    async def told() -> dict[str, bool]:
        return dict((await store.figures()).duties)

    hour = timedelta(hours=1)
    await store.plan_duty("retention", hour)
    assert await told() == {"retention": False}
    for error in ("no disk", ""):
        (seen,) = await store.schedules()
        beats = await store.take_duty(seen, "n")
        assert beats is not None
        await store.end_duty("retention", "n", beats, every=hour, took=1, error=error)
        assert await told() == {"retention": bool(error)}
    (seen,) = await store.schedules()
    await store.take_duty(seen, "n")
    assert await told() == {"retention": False}
    clock.advance(days=1.1)
    assert await told() == {"retention": True}
