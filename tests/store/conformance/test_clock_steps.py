"""A clock that was an hour ahead: what was made meanwhile is worked when it is back, at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.ports import Changes, NewJob, Node, NodeState, Terms
from gateway.store import Store

LANE = "acme:inbound:erp"


async def put(store: Store, trade: Any, *, lane: str = LANE, **fields: Any) -> str:
    """A message whose job is due as `fields` say."""
    received = trade.received(lane=lane)
    (message,) = received.messages
    await store.accept(Changes(messages=(message,), events=received.events))
    job = {"run_at": trade.clock()} | fields
    await store.apply(Changes(jobs=(NewJob(message_id=message.id, step="read", lane=lane, **job),)))
    return str(message.id)


async def taken(store: Store) -> list[str]:
    """The messages whose jobs a claim gives."""
    return [job.message_id for job in await store.claim("me", ["read"], 64)]


async def test_work_made_by_a_clock_that_was_ahead_is_done_when_it_is_back(
    store: Store, trade: Any, clock: Any
) -> None:
    """Not an hour later. It begins when the clock is right: what counts from there counts right."""
    await store.reap()
    clock.advance(hours=1)
    ids = [await put(store, trade) for _ in range(3)]
    await store.reap()
    clock.advance(hours=-1)
    assert await taken(store) == []
    assert await store.reap() == 3
    jobs = await store.claim("me", ["read"], 64)
    assert [job.message_id for job in jobs] == ids
    assert all(job.first_run_at <= clock() for job in jobs)


async def test_work_that_is_committed_after_the_clock_went_back_is_found_later(
    store: Store, trade: Any, clock: Any
) -> None:
    """Its step had looked at the clock before."""
    await store.reap()
    ahead = clock() + timedelta(hours=1)
    clock.advance(seconds=-10)
    assert await store.reap() == 0
    id_ = await put(store, trade, run_at=ahead)
    clock.advance(seconds=31)
    assert await store.reap() == 1
    assert await taken(store) == [id_]


async def test_what_was_meant_for_later_stays_so(store: Store, trade: Any, clock: Any) -> None:
    """A time-out of a wait, and a retry."""
    await put(store, trade, run_at=clock() + timedelta(minutes=9), wait_key="order:4711")
    await put(store, trade)
    (job,) = await store.claim("me", ["read"], 64)
    again = clock() + timedelta(minutes=9)
    await store.postpone(job, outcome="transient", reason="503", run_at=again, changes=Changes())
    await store.reap()
    clock.advance(hours=-1)
    await store.reap()
    clock.advance(minutes=8, seconds=58)
    assert await taken(store) == []
    clock.advance(seconds=4)
    assert await taken(store) == [job.message_id]


async def test_a_rate_and_a_breaker_do_not_rest_until_the_clock_is_there_again(
    store: Store, trade: Any, clock: Any
) -> None:
    """An operator's pause is a time that somebody said."""
    store.agree(lambda _: Terms(rate="1/second"))
    clock.advance(hours=1)
    for lane in ("a:inbound:erp", "b:inbound:erp", "c:inbound:erp"):
        for _ in range(2):
            await put(store, trade, lane=lane)
    assert len(await taken(store)) == 3
    await store.lane_failed("b:inbound:erp", lambda _: timedelta(minutes=5))
    await store.pause_lane("c:inbound:erp", clock() + timedelta(minutes=5), by="op", why="stock-taking")
    await store.reap()
    clock.advance(hours=-1)
    await store.reap()
    clock.advance(seconds=1)
    jobs = await store.claim("me", ["read"], 64)
    # b: half open, and its first job runs still
    assert {job.lane for job in jobs} == {"a:inbound:erp"}
    (b,) = await store.lanes("b:inbound:erp")
    assert b.breaker(clock()) == "half open"
    (c,) = await store.lanes("c:inbound:erp")
    assert c.stopped(clock())


async def test_a_start_finds_what_the_process_before_it_made(
    database_url: str, tmp_path: Path, trade: Any, clock: Any
) -> None:
    """It was stopped, the clock was set right, it was started."""
    clock.advance(hours=1)
    store = await Store.open(database_url, payloads=tmp_path, clock=clock, serve=True)
    id_ = await put(store, trade)
    await store.close()
    clock.advance(hours=-1)
    store = await Store.open(database_url, payloads=tmp_path, clock=clock, serve=True)
    assert await taken(store) == [id_]
    await store.close()


async def test_a_node_that_is_gone_leaves_no_work_in_the_future(store: Store, trade: Any, clock: Any) -> None:
    """Its clock was ahead of the others'."""
    await store.reap()
    fields: dict[str, Any] = dict.fromkeys(Node.__slots__, "")
    fields |= {"id": "other", "state": NodeState.READY, "beats": 1, "beat_seconds": 1.0, "pid": 1}
    fields |= {"started_at": clock(), "seen_at": clock()}
    other = Node(**fields)
    await store.beat(other)
    id_ = await put(store, trade, run_at=clock() + timedelta(hours=1))
    assert await store.lose(other, by="me") == 1
    assert await taken(store) == [id_]
