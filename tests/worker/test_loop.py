"""The worker on a real store: what a handler decided is durable, what failed is tried again, nothing is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.errors import DeliveryFailed, OurFault, Outcome, PartnerFault
from gateway.events import DocumentRouted
from gateway.ports import (
    Awaited,
    Changes,
    Channel,
    Direction,
    Job,
    MessageState,
    MessageUpdate,
    NaturalKeyTaken,
    NewJob,
    NewMessage,
    new_id,
)
from gateway.store import Store
from gateway.worker import Breaker, Schedule, Sealer, Worker

QUICK = Schedule(seconds=(0.01,), jitter=0)


def now() -> datetime:
    """The real clock: the worker waits real time."""
    return datetime.now(UTC)


@pytest.fixture
async def work(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A store with the real clock and short leases."""
    opened = await Store.open(database_url, payloads=tmp_path, clock=now, serve=True, lease=timedelta(seconds=0.6))
    yield opened
    await opened.close()


async def received(store: Store, lane: str = "acme:inbound:read") -> str:
    """A message with a job."""
    id_ = new_id(now())
    message = NewMessage(
        id=id_,
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.RECEIVED,
        at=now(),
        payload=b"",
    )
    await store.accept(
        Changes(messages=(message,), jobs=(NewJob(message_id=id_, step="read", lane=lane, run_at=now()),))
    )
    return id_


@asynccontextmanager
async def working(store: Store, handler: Any, **options: Any) -> AsyncIterator[Worker]:
    """A running worker."""
    worker = Worker(store, {"read": handler}, now, owner="test", **{"schedule": QUICK} | options)
    store.taker = worker
    task = asyncio.create_task(worker.run())
    yield worker
    await worker.stop(grace=5)
    await task


async def until(condition: Callable[[], Any], seconds: float = 5) -> None:
    """Wait for a condition (a plain or an async one)."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.01)


async def state_of(store: Store, id_: str) -> MessageState:
    """A message's state."""
    message = await store.message(id_)
    assert message is not None
    return message.state


async def outcomes(store: Store, id_: str) -> list[str | None]:
    """How the attempts at a message ended."""
    return [attempt.outcome for attempt in await store.attempts(id_)]


def processed(job: Job) -> Changes:
    """The message is read."""
    return Changes(message_updates=(MessageUpdate(id=job.message_id, state=MessageState.PROCESSED),))


async def test_a_job_that_waits_for_the_far_side_comes_back_and_troubles_no_lane(work: Store) -> None:
    """What it decided is durable at once; its lane is not in trouble; the second time it ends."""
    seen: list[int] = []

    async def handler(job: Job) -> Changes:
        seen.append(job.tries)
        if job.tries > 1:
            return Changes()
        return replace(processed(job), awaited=Awaited(seconds=0.05, reason="the far side answers later"))

    message_id = await received(work)
    async with working(work, handler):
        await until(lambda: len(seen) == 2)
        assert await state_of(work, message_id) is MessageState.PROCESSED
        assert await work.troubled_lanes() == frozenset()
    assert await outcomes(work, message_id) == ["uncertain", "done"]
    assert "work.given_up" not in [one.kind for one in await work.timeline(message_id=message_id)]


async def test_a_job_that_waits_longer_than_its_time_is_given_up_with_what_it_decided(work: Store) -> None:
    """The last attempt's changes and those of giving up are one commit."""

    async def handler(job: Job) -> Changes:
        return replace(processed(job), awaited=Awaited(seconds=0.01, reason="nobody answers"))

    def dead(job: Job) -> Changes:
        return Changes(message_updates=(MessageUpdate(id=job.message_id, state=MessageState.FAILED),))

    short = Schedule(seconds=(0.01,), jitter=0, give_up_after=timedelta(seconds=0.1))
    message_id = await received(work)

    async def given_up() -> bool:
        return "work.given_up" in [one.kind for one in await work.timeline(message_id=message_id)]

    async with working(work, handler, schedule=short, on_dead={"read": dead}):
        await until(given_up)
    assert await state_of(work, message_id) is MessageState.FAILED
    (event,) = [one for one in await work.timeline(message_id=message_id) if one.kind == "work.given_up"]
    assert event.data["reason"] == "nobody answers"
    assert (await work.unfinished())["dead"] == 1


async def test_what_a_handler_decided_is_durable_with_the_end_of_its_job(work: Store) -> None:
    """New work wakes the worker: nothing waits for the next poll."""

    async def handler(job: Job) -> Changes:
        return processed(job)

    async with working(work, handler):
        await asyncio.sleep(0.5)
        ids = [await received(work) for _ in range(5)]
        for id_ in ids:
            await until(partial(_is, work, id_, MessageState.PROCESSED), 2)
    assert [await outcomes(work, id_) for id_ in ids] == [["done"]] * 5


async def test_what_comes_while_nothing_waits_is_worked_without_a_claim(
    work: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit of a message leases its job; only what finds no room is claimed, as soon as there is some."""
    claimed: list[Job] = []
    claim = work.claim

    async def counting(*arguments: Any) -> list[Job]:
        jobs = await claim(*arguments)
        claimed.extend(jobs)
        return jobs

    async def handler(job: Job) -> Changes:
        await asyncio.sleep(0.02)
        return processed(job)

    monkeypatch.setattr(work, "claim", counting)
    await work.cap_lane("full", 1, by="ann")
    async with working(work, handler):
        await asyncio.sleep(0.3)
        ids = [await received(work) for _ in range(8)]
        for id_ in ids:
            await until(partial(_is, work, id_, MessageState.PROCESSED), 5)
        assert claimed == []
        started = now()
        ids = await asyncio.gather(*(received(work, "full") for _ in range(8)))
        for id_ in ids:
            await until(partial(_is, work, id_, MessageState.PROCESSED), 5)
    assert 1 <= len(claimed) <= 8
    assert (now() - started).total_seconds() < 4, "each is claimed when the one before it ends, not by polling"


async def test_a_job_that_a_commit_leases_while_the_worker_stops_goes_back(work: Store) -> None:
    """Nobody would wait for it, so it is not begun."""
    worker = Worker(work, {"read": _never}, now, owner="test")
    id_ = await received(work)
    jobs = await work.claim(worker.owner, ["read"], 5)
    await worker.stop()
    worker.take(1, jobs, ())

    async def returned() -> bool:
        return await outcomes(work, id_) == ["returned"]

    await until(returned)
    assert [one.message_id for one in await work.claim("next", ["read"], 5)] == [id_]


async def test_the_worker_waits_for_the_next_token_and_no_longer(work: Store) -> None:
    """Twenty jobs at twenty a second, none kept: polling would take four times as long."""
    done: list[str] = []

    async def handler(job: Job) -> Changes:
        done.append(job.message_id)
        return processed(job)

    await work.rate_lane("limited", "20/second burst 1", by="ann")
    for _ in range(20):
        await received(work, "limited")
    started = now()
    async with working(work, handler):
        await until(lambda: len(done) == 20, 10)
    assert 0.94 <= (now() - started).total_seconds() < 3


async def _never(job: Job) -> Changes:
    await asyncio.Event().wait()
    return Changes()


async def _is(store: Store, id_: str, state: MessageState) -> bool:
    return await state_of(store, id_) is state


async def test_a_delivery_that_fails_is_tried_again_until_it_succeeds(work: Store) -> None:
    """Each try is kept with its outcome; the trail tells of those that failed."""
    tries = 0

    async def handler(job: Job) -> Changes:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise DeliveryFailed("503", outcome=Outcome.TRANSIENT if tries == 1 else Outcome.UNCERTAIN)
        return processed(job)

    async with working(work, handler):
        id_ = await received(work)
        await until(lambda: _is(work, id_, MessageState.PROCESSED))
    assert await outcomes(work, id_) == ["transient", "uncertain", "done"]
    assert [entry.kind for entry in await work.timeline(message_id=id_)] == ["delivery.attempt_failed"] * 2
    assert await work.troubled_lanes() == frozenset()


async def test_a_permanent_refusal_is_a_dead_letter_with_what_follows_from_it(work: Store) -> None:
    """One commit: the job dead, the message failed, the trail told."""

    async def handler(job: Job) -> Changes:
        raise DeliveryFailed("422", outcome=Outcome.PERMANENT)

    def on_dead(job: Job) -> Changes:
        return Changes(message_updates=(MessageUpdate(id=job.message_id, state=MessageState.FAILED),))

    async with working(work, handler, on_dead={"read": on_dead}):
        id_ = await received(work)
        await until(lambda: _is(work, id_, MessageState.FAILED))
    kinds = [entry.kind for entry in await work.timeline(message_id=id_)]
    assert kinds == ["delivery.attempt_failed", "work.given_up"]
    assert await outcomes(work, id_) == ["permanent"]


@pytest.mark.parametrize("fault", [PartnerFault("not ISA"), OurFault("no key", remedy="Make one."), ValueError("bug")])
async def test_other_failures_are_kept_and_do_not_stop_the_worker(
    work: Store, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The next message is worked on."""
    caplog.set_level(logging.CRITICAL)
    first: list[str] = []

    async def handler(job: Job) -> Changes:
        if job.message_id in first:
            raise fault
        return processed(job)

    async with working(work, handler, schedule=Schedule(seconds=(60,))):
        first.append(await received(work))
        await until(lambda: _ended(work, first[0]))
        second = await received(work)
        await until(lambda: _is(work, second, MessageState.PROCESSED))
    assert await outcomes(work, first[0]) == ["permanent" if isinstance(fault, PartnerFault) else "transient"]


async def _ended(store: Store, id_: str) -> bool:
    return bool([attempt for attempt in await store.attempts(id_) if attempt.ended_at])


async def test_a_taken_natural_key_is_decided_anew(work: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, in the same attempt; the handler then sees the other document."""
    decisions = 0
    finish = work.finish

    async def taken_once(job: Job, changes: Changes) -> None:
        if decisions == 1:
            raise NaturalKeyTaken
        await finish(job, changes)

    async def handler(job: Job) -> Changes:
        nonlocal decisions
        decisions += 1
        return processed(job)

    monkeypatch.setattr(work, "finish", taken_once)
    async with working(work, handler):
        id_ = await received(work)
        await until(lambda: _is(work, id_, MessageState.PROCESSED))
    assert (decisions, await outcomes(work, id_)) == (2, ["done"])


async def test_a_job_whose_end_could_not_be_written_comes_back_as_soon_as_anything_can_be(
    work: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk was full: the lease, however long, is not waited for."""
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr("gateway.worker.loop.DUTIES_EVERY", 0.05)
    work.lease = timedelta(hours=1)
    begin, full, seen = work.database.begin, False, 0

    def no_room(*arguments: Any, **named: Any) -> Any:
        if full:
            raise OurFault("The disk is full", remedy="Make room.")
        return begin(*arguments, **named)

    async def handler(job: Job) -> Changes:
        nonlocal full, seen
        seen += 1
        full = seen == 1
        return processed(job)

    monkeypatch.setattr(work.database, "begin", no_room)
    id_ = await received(work)
    async with working(work, handler):
        await until(lambda: full)
        await asyncio.sleep(0.2)
        full = False
        await until(lambda: _is(work, id_, MessageState.PROCESSED), 3)
    assert await outcomes(work, id_) == ["lost", "done"]


async def test_a_handler_longer_than_the_lease_keeps_its_job(work: Store) -> None:
    """The heartbeat renews the lease; the handler runs once."""
    runs = 0

    async def handler(job: Job) -> Changes:
        nonlocal runs
        runs += 1
        await asyncio.sleep(1.5)
        return processed(job)

    async with working(work, handler):
        id_ = await received(work)
        await until(lambda: _is(work, id_, MessageState.PROCESSED))
    assert (runs, await outcomes(work, id_)) == (1, ["done"])


async def test_stopping_waits_for_handlers_and_returns_what_is_left(work: Store) -> None:
    """The quick one ends, the stuck one goes back and is due at once."""
    stuck = asyncio.Event()

    async def handler(job: Job) -> Changes:
        if job.lane == "stuck":
            stuck.set()
            await asyncio.sleep(60)
        await asyncio.sleep(0.1)
        return processed(job)

    worker = Worker(work, {"read": handler}, now, owner="test")
    task = asyncio.create_task(worker.run())
    lost, quick = await received(work, "stuck"), await received(work)
    worker.wake()
    await stuck.wait()
    await until(lambda: _claimed(work, quick))
    await worker.stop(grace=0.5)
    await task
    assert await state_of(work, quick) is MessageState.PROCESSED
    assert await outcomes(work, lost) == ["lost"]
    assert [job.message_id for job in await work.claim("next", ["read"], 5)] == [lost]


async def _claimed(store: Store, id_: str) -> bool:
    return bool(await store.attempts(id_))


async def test_a_lane_whose_far_side_is_down_rests(work: Store) -> None:
    """It is not called for each of its jobs; another lane goes on."""
    calls = 0

    async def handler(job: Job) -> Changes:
        nonlocal calls
        if job.lane == "down":
            calls += 1
            raise DeliveryFailed("no route", outcome=Outcome.TRANSIENT)
        return processed(job)

    await work.cap_lane("down", 1, by="ann")
    async with working(work, handler, breaker=Breaker(threshold=3, pauses=(60,))):
        for _ in range(10):
            await received(work, "down")
        await until(lambda: _resting(work))
        up = await received(work, "up")
        await until(lambda: _is(work, up, MessageState.PROCESSED))
    assert calls == 3


@pytest.mark.parametrize("called", [True, False])
async def test_a_step_that_called_nobody_says_nothing_of_a_lane_in_trouble(work: Store, *, called: bool) -> None:
    """What is parked, held or discarded does not end a far side's failures; a call that went through does."""
    done: list[Job] = []

    async def handler(job: Job) -> Changes:
        done.append(job)
        if len(done) == 1:
            raise DeliveryFailed("no route", outcome=Outcome.TRANSIENT)
        return Changes(called=called)

    worker = Worker(work, {"read": handler}, now, owner="test", breaker=Breaker(threshold=3, pauses=(60,)))
    for _ in range(2):
        await received(work, "down")
    for job in await work.claim("test", ["read"], 2):
        await worker._work(job)
    assert [lane.failures for lane in await work.lanes()] == [0 if called else 1]


async def _resting(store: Store) -> bool:
    return any(lane.paused_until is not None for lane in await store.lanes())


async def test_the_sealer_seals_while_it_runs_and_once_more_at_the_end(work: Store) -> None:
    """Nothing written before the stop is left unsealed."""
    key = Ed25519PrivateKey.generate()
    sealer = asyncio.create_task(Sealer(work, key, interval=0.05).run())
    id_ = await received(work)
    event = DocumentRouted(message_id=id_, document_id="d", target="t", rule="r")
    await work.apply(Changes(events=(event,)))

    async def sealed() -> bool:
        return (await work.verify([key.public_key()])).seals == 1

    await until(sealed)
    await work.apply(Changes(events=(event,)))
    sealer.cancel()
    await asyncio.gather(sealer, return_exceptions=True)
    found = await work.verify([key.public_key()])
    assert (found.ok, found.unsealed, found.seals) == (True, 0, 2)


async def test_a_job_claimed_while_the_worker_stops_is_returned_and_never_started(
    work: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would wait for its handler."""
    started: list[Job] = []
    claimed, go_on = asyncio.Event(), asyncio.Event()
    claim = work.claim

    async def slow_claim(*arguments: Any) -> list[Job]:
        jobs = await claim(*arguments)
        claimed.set()
        await go_on.wait()
        return jobs

    async def handler(job: Job) -> Changes:
        started.append(job)
        return processed(job)

    id_ = await received(work)
    monkeypatch.setattr(work, "claim", slow_claim)
    worker = Worker(work, {"read": handler}, now, owner="test")
    task = asyncio.create_task(worker.run())
    await claimed.wait()
    await worker.stop()
    go_on.set()
    await task
    assert started == []
    assert await outcomes(work, id_) == ["returned"]
    assert [job.message_id for job in await claim("next", ["read"], 5)] == [id_]


async def test_the_sealer_outlives_what_it_does_not_expect(work: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seal that fails for any reason is tried again."""
    seal, tries = work.seal, 0

    async def failing_once(key: Ed25519PrivateKey) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("a pool that timed out")
        return await seal(key)

    monkeypatch.setattr(work, "seal", failing_once)
    task = asyncio.create_task(Sealer(work, Ed25519PrivateKey.generate(), interval=0.01).run())
    await until(lambda: tries > 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
