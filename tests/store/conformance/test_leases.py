"""Jobs leased by the commit that adds them: the law is the claim's, and what is not leased is ready work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.errors import OurFault
from gateway.events import MessageReceived
from gateway.ports import (
    Changes,
    Direction,
    LeaseLost,
    MessageState,
    MessageUpdate,
    NewJob,
    Numbered,
)
from gateway.store import Store
from tests.store.conformance.rooms import worker


async def test_a_job_leased_by_its_commit_is_the_one_that_a_claim_would_give(store: Store, trade: Any) -> None:
    """Attempt, fence, message and payload are the same; nobody else can claim it."""
    changes = trade.received(raw_headers=(("as2-from", "ACME"),), filename="a.edi")
    claimed_too = trade.received(raw_headers=(("as2-from", "ACME"),), filename="a.edi")
    await store.accept(claimed_too)
    (claimed,) = await store.claim("here", ["read"], 5)
    taker = worker(store)
    await store.accept(changes)
    (leased,) = taker.leased
    assert taker.left == []
    assert await store.claim("other", ["read"], 5) == []
    assert leased.message == await store.message(leased.message_id)
    one = changes.messages[0]
    assert replace(leased, id=0, message_id="", message=None, first_run_at=one.at) == replace(
        claimed, id=0, message_id="", message=None, first_run_at=one.at
    )
    assert claimed.message is not None
    assert leased.message is not None
    assert replace(leased.message, id="", at=one.at) == replace(claimed.message, id="", at=one.at)
    (attempt,) = await store.attempts(leased.message_id)
    assert (attempt.number, attempt.outcome) == (1, None)
    assert (await store.unfinished())["running"] == 2
    await store.finish(leased, Changes())
    with pytest.raises(LeaseLost):
        await store.finish(leased, Changes())


async def test_the_next_step_is_leased_by_the_commit_that_ends_the_one_before(store: Store, trade: Any) -> None:
    """With the message as that commit leaves it."""
    taker = worker(store)
    await store.accept(trade.received())
    (read,) = taker.leased
    next_one = NewJob(
        message_id=read.message_id,
        document_id="d1",
        step="deliver",
        lane="acme:inbound:erp",
        run_at=read.first_run_at,
        data={"target": "erp"},
    )
    processed = MessageUpdate(id=read.message_id, state=MessageState.PROCESSED)
    await store.finish(read, Changes(message_updates=(processed,), jobs=(next_one,)))
    deliver = taker.leased[-1]
    assert (deliver.step, deliver.document_id, deliver.payload, dict(deliver.data)) == (
        "deliver",
        "d1",
        None,
        {"target": "erp"},
    )
    assert deliver.message is not None
    assert deliver.message.state is MessageState.PROCESSED
    await store.finish(deliver, Changes())
    assert (await store.unfinished()) == {"ready": 0, "running": 0, "waiting": 0, "dead": 0}


async def test_a_numbered_payload_is_brought_along_as_it_was_rendered(store: Store, trade: Any) -> None:
    """The number is known only inside the commit."""
    taker = worker(store, 64, "send")
    payload = Numbered(series="x12:US:ACME", render=lambda numbers: b"ISA*%d" % numbers.interchange)
    out = trade.message(direction=Direction.OUTBOUND, state=MessageState.READY, payload=payload)
    job = NewJob(message_id=out.id, step="send", lane="acme:outbound:as2", run_at=out.at)
    await store.apply(Changes(messages=(out,), jobs=(job,)))
    (leased,) = taker.leased
    assert (leased.payload, leased.message) == (b"ISA*1", await store.message(out.id))


async def test_no_lane_gets_more_than_its_cap_however_much_room_there_is(store: Store, trade: Any) -> None:
    """Counted in the commit, over all that run; the rest is ready, and told."""
    await store.cap_lane("acme:inbound:read", 3, by="ann")
    taker = worker(store)
    await store.accept(trade.received())
    await asyncio.gather(*(store.accept(trade.received()) for _ in range(9)))
    assert 1 <= len(taker.leased) <= 3
    assert len(taker.leased) + len(taker.left) == 10
    assert len(await store.claim("other", ["read"], 64)) == 3 - len(taker.leased)


async def test_no_more_is_leased_than_there_is_room(store: Store, trade: Any) -> None:
    """And room that was reserved comes back."""
    taker = worker(store, 2)
    for _ in range(4):
        await store.accept(trade.received())
    assert (len(taker.leased), len(taker.left), taker.room) == (2, 2, 0)


async def test_nobody_is_leased_before_a_job_that_waits_already(store: Store, trade: Any) -> None:
    """The first in a lane is the first to be worked."""
    await store.accept(trade.received())
    taker = worker(store)
    await store.accept(trade.received())
    await store.accept(trade.received(lane="other:inbound:read"))
    assert [job.lane for job in taker.leased] == ["other:inbound:read"]
    assert len(await store.claim("other", ["read"], 5)) == 2


async def test_only_what_a_worker_could_claim_now_is_leased(store: Store, trade: Any, clock: Any) -> None:
    """Not what is due later, waits for a key, is of a step unknown here, or of a lane that rests."""
    taker = worker(store)
    await store.accept(trade.received(step="step_of_the_future"))
    (stored,) = await store.messages()
    later = clock() + timedelta(minutes=1)
    waits = NewJob(message_id=stored.id, step="deliver", lane="a", run_at=clock(), wait_key="k")
    due_later = NewJob(message_id=stored.id, step="deliver", lane="a", run_at=later, document_id="d")
    await store.apply(Changes(jobs=(waits, due_later)))
    await store.pause_lane("rests:inbound:read", later, by="ann", why="")
    await store.accept(trade.received(lane="rests:inbound:read"))
    assert taker.leased == []
    assert len(taker.left) == 4


async def test_a_duplicate_and_work_that_is_there_lease_nothing(store: Store, trade: Any) -> None:
    """A commit that adds nothing gives nothing."""
    taker = worker(store)
    first = trade.received(duplicate_key="as2:acme:1")
    await store.accept(first)
    await store.accept(trade.received(duplicate_key="as2:acme:1"))
    await store.apply(Changes(jobs=first.jobs))
    assert len(taker.leased) == 1
    assert taker.room == 63


async def test_a_commit_that_fails_leases_nothing_and_gives_the_room_back(store: Store, trade: Any) -> None:
    """Also when it shared its batch with others that did not fail."""
    taker = worker(store)
    broken = trade.received()
    nobody = MessageReceived(message_id="nobody", partner=None, channel="as2", sha256="0", size=1)
    broken = replace(broken, events=(nobody,))
    good = [trade.received() for _ in range(6)]
    results = await asyncio.gather(*map(store.accept, (*good[:3], broken, *good[3:])), return_exceptions=True)
    assert [isinstance(one, OurFault) for one in results] == [False] * 3 + [True] + [False] * 3
    assert {job.message_id for job in taker.leased} <= {one.messages[0].id for one in good}
    assert len(taker.leased) == len({job.id for job in taker.leased})
    assert taker.room == 64 - len(taker.leased)
    assert len(taker.leased) + len(await store.claim("other", ["read"], 64)) == 6


async def test_a_lease_of_a_process_that_died_runs_out_like_any_other(store: Store, trade: Any, clock: Any) -> None:
    """The message was acknowledged: its work comes back."""
    taker = worker(store)
    await store.accept(trade.received())
    store.taker = None
    clock.advance(seconds=61)
    assert await store.reap() == 1
    (job,) = await store.claim("next", ["read"], 5)
    assert (job.id, job.attempt) == (taker.leased[0].id, 2)


async def test_what_was_leased_for_a_caller_who_is_gone_is_worked_all_the_same(store: Store, trade: Any) -> None:
    """The commit goes on without him: its work waits for no lease to run out."""
    taker = worker(store, room=3)
    changes = trade.received()
    for step in (store.accept(changes), store.apply(Changes())):
        caller = asyncio.create_task(step)
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    for _ in range(1000):
        if not taker.leased:
            await asyncio.sleep(0.01)
    assert [job.message_id for job in taker.leased] == [changes.messages[0].id]
    assert taker.room == 2
    assert (await store.unfinished())["running"] == 1


async def test_a_closed_store_gives_reserved_room_back(store: Store, trade: Any) -> None:
    """Nothing was queued."""
    taker = worker(store, room=3)
    changes = trade.received()
    await store.database.close()
    with pytest.raises(OurFault):
        await store.accept(changes)
    assert (taker.room, taker.leased) == (3, [])
