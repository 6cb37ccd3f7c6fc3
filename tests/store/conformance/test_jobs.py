"""Jobs: claimed once, fenced, fair over lanes, returned when their worker is gone, waiting and met."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from gateway.errors import OurFault
from gateway.events import WorkGivenUp
from gateway.pipeline.giving_up import all_retried
from gateway.ports import (
    WAIT_FOR_NUMBERED,
    Changes,
    Direction,
    Job,
    LeaseLost,
    MessageState,
    MessageUpdate,
    NaturalKeyTaken,
    NewJob,
    Numbered,
)
from gateway.store import Store


async def queued(store: Store, trade: Any, count: int, lane: str = "acme:inbound:read") -> list[str]:
    """Messages with a job each."""
    changes = [trade.received(lane=lane) for _ in range(count)]
    await asyncio.gather(*(store.accept(one) for one in changes))
    return [one.messages[0].id for one in changes]


async def test_two_claimers_never_get_the_same_job(store: Store, trade: Any) -> None:
    """Many claims at once over several lanes: every job is given out exactly once."""
    for lane in range(4):
        await queued(store, trade, 12, f"p{lane}:inbound:read")
    claims = await asyncio.gather(*(store.claim(f"worker-{n}", ["read"], 5) for n in range(30)))
    given = [job.id for jobs in claims for job in jobs]
    given += [job.id for _ in range(10) for job in await store.claim("last", ["read"], 20)]
    assert len(given) == len(set(given)) == 48


async def test_the_attempt_is_written_before_it_is_made_and_completed_after(store: Store, trade: Any) -> None:
    """A crash between the two leaves the attempt without an end."""
    (message_id,) = await queued(store, trade, 1)
    (job,) = await store.claim("me", ["read"], 1)
    (attempt,) = await store.attempts(message_id)
    assert (attempt.number, attempt.step, attempt.outcome, attempt.ended_at) == (1, "read", None, None)
    await store.finish(job, Changes())
    (attempt,) = await store.attempts(message_id)
    assert attempt.outcome == "done"
    assert attempt.ended_at is not None
    assert attempt.ended_at > attempt.started_at


async def test_only_known_steps_are_claimed(store: Store, trade: Any) -> None:
    """During a rolling upgrade a node leaves what it does not know to the others."""
    await store.accept(trade.received(step="step_of_the_future"))
    assert await store.claim("old node", ["read"], 5) == []
    assert len(await store.claim("new node", ["read", "step_of_the_future"], 5)) == 1


async def test_a_job_is_not_claimed_before_it_is_due(store: Store, trade: Any, clock: Any) -> None:
    """Retry over days is nothing but a time."""
    (message_id,) = await queued(store, trade, 1)
    (job,) = await store.claim("me", ["read"], 1)
    later = clock() + timedelta(hours=1)
    await store.postpone(job, outcome="transient", reason="503", run_at=later, changes=Changes())
    assert await store.claim("me", ["read"], 1) == []
    clock.advance(hours=1)
    (again,) = await store.claim("me", ["read"], 1)
    assert (again.attempt, again.tries, again.first_run_at) == (2, 2, job.first_run_at)
    assert [(one.number, one.outcome, one.reason) for one in await store.attempts(message_id)] == [
        (1, "transient", "503"),
        (2, None, None),
    ]


async def test_a_lost_lease_returns_the_job_and_fences_its_first_owner(store: Store, trade: Any, clock: Any) -> None:
    """The first worker comes back too late and writes nothing at all."""
    (message_id,) = await queued(store, trade, 1)
    (frozen,) = await store.claim("frozen", ["read"], 1)
    assert await store.reap() == 0
    clock.advance(seconds=61)
    assert await store.reap() == 1
    (job,) = await store.claim("other", ["read"], 1)
    assert (job.id, job.attempt) == (frozen.id, 2)
    late = Changes(message_updates=(MessageUpdate(id=message_id, state=MessageState.PROCESSED),))
    with pytest.raises(LeaseLost):
        await store.finish(frozen, late)
    with pytest.raises(LeaseLost):
        await store.postpone(frozen, outcome="transient", reason="", run_at=clock(), changes=Changes())
    with pytest.raises(LeaseLost):
        await store.bury(frozen, outcome="permanent", reason="", changes=Changes())
    with pytest.raises(LeaseLost):
        await store.extend(frozen)
    message = await store.message(message_id)
    assert message is not None
    assert message.state is MessageState.RECEIVED
    assert [one.outcome for one in await store.attempts(message_id)] == ["lost", None]
    await store.finish(job, late)


async def test_a_heartbeat_keeps_a_long_job(store: Store, trade: Any, clock: Any) -> None:
    """Past the first lease, inside the renewed one."""
    await queued(store, trade, 1)
    (job,) = await store.claim("me", ["read"], 1)
    clock.advance(seconds=50)
    await store.extend(job)
    clock.advance(seconds=50)
    assert await store.reap() == 0
    await store.finish(job, Changes())


async def test_a_released_job_is_due_at_once(store: Store, trade: Any) -> None:
    """A worker that stops gives its jobs back."""
    await queued(store, trade, 1)
    (job,) = await store.claim("me", ["read"], 1)
    await store.release(job)
    assert len(await store.claim("next", ["read"], 1)) == 1


async def test_a_lane_runs_no_more_than_its_cap(store: Store, trade: Any) -> None:
    """The default is 16; a lane may have its own; an end makes room."""
    await queued(store, trade, 20, "slow:inbound:read")
    first = await store.claim("me", ["read"], 64)
    assert len(first) == 16
    assert await store.claim("me", ["read"], 64) == []
    await store.finish(first[0], Changes())
    assert len(await store.claim("me", ["read"], 64)) == 1
    await store.cap_lane("slow:inbound:read", 18, by="ann")
    assert len(await store.claim("me", ["read"], 64)) == 2


async def test_a_slow_lane_with_a_backlog_does_not_starve_the_others(store: Store, trade: Any) -> None:
    """Hundreds wait in one lane that never ends; each of the others is served by the next claim."""
    await queued(store, trade, 300, "slow:outbound:erp")
    stuck: list[Job] = await store.claim("me", ["read"], 64)
    assert {job.lane for job in stuck} == {"slow:outbound:erp"}
    await queued(store, trade, 10, "quick:outbound:erp")
    await queued(store, trade, 10, "other:outbound:erp")
    served = Counter(job.lane for job in await store.claim("me", ["read"], 20))
    assert served == {"quick:outbound:erp": 10, "other:outbound:erp": 10}


async def test_lanes_take_turns_least_recently_served_first(store: Store, trade: Any) -> None:
    """With room for one job at a time no lane is served twice before each was served once."""
    for lane in ("a", "b", "c"):
        await queued(store, trade, 3, lane)
    order = [job.lane for _ in range(9) for job in await store.claim("me", ["read"], 1)]
    assert sorted(order[:3]) == sorted(order[3:6]) == sorted(order[6:]) == ["a", "b", "c"]


async def test_a_dead_job_is_kept_and_put_back_to_work_by_name(store: Store, trade: Any, clock: Any) -> None:
    """With its attempts, a fresh schedule, and who asked for it on the trail."""
    (message_id,) = await queued(store, trade, 1)
    (job,) = await store.claim("me", ["read"], 1)
    given_up = WorkGivenUp(message_id=message_id, step="read", attempts=1, reason="422")
    await store.bury(job, outcome="permanent", reason="422", changes=Changes(events=(given_up,)))
    clock.advance(days=4)
    assert await store.claim("me", ["read"], 1) == []
    assert await all_retried(store, message_id, by="ann", why="the ERP was fixed") == 1
    assert await all_retried(store, message_id, by="ann", why="again") == 0
    (again,) = await store.claim("me", ["read"], 1)
    assert (again.attempt, again.tries) == (2, 1)
    assert again.first_run_at > job.first_run_at + timedelta(days=4)
    retried = (await store.timeline(message_id=message_id))[-1]
    assert (retried.kind, retried.data) == (
        "work.retried",
        {"by": "ann", "reason": "the ERP was fixed", "step": "read"},
    )


async def test_the_same_work_twice_is_one_job(store: Store, trade: Any, clock: Any) -> None:
    """Message, step and document identify work, also when it is done."""
    (message_id,) = await queued(store, trade, 1)
    again = NewJob(message_id=message_id, step="read", lane="acme:inbound:read", run_at=clock())
    await store.apply(Changes(jobs=(again,)))
    (job,) = await store.claim("me", ["read"], 5)
    await store.finish(job, Changes(jobs=(again,)))
    assert await store.claim("me", ["read"], 5) == []


async def test_repeated_work_is_one_job_that_is_done_again_with_what_was_asked_last(
    store: Store, trade: Any, clock: Any
) -> None:
    """New: made. Waiting for its turn: the new data. Done or dead: a new turn, not sooner than the pause allows."""
    (message_id,) = await queued(store, trade, 1)
    pause = timedelta(minutes=1)

    async def ask(url: str) -> None:
        new = NewJob(
            message_id=message_id,
            step="send",
            lane="acme:outbound:x",
            run_at=clock(),
            data={"url": url},
            again_after=pause,
        )
        await store.apply(Changes(jobs=(new,)))

    async def given() -> list[str]:
        return [str(one.data["url"]) for one in await store.claim("me", ["send"], 5)]

    await ask("a")
    await ask("b")
    (job,) = await store.claim("me", ["send"], 5)
    assert job.data == {"url": "b"}
    await ask("c")  # it runs at this moment
    await store.finish(job, Changes())
    assert await given() == []
    await asyncio.gather(*(ask("d") for _ in range(5)))
    assert await given() == []
    clock.advance(seconds=61)
    (job,) = await store.claim("me", ["send"], 5)
    assert (job.data, job.tries) == ({"url": "d"}, 1)
    await store.bury(job, outcome="permanent", reason="gone", changes=Changes())
    await ask("e")
    clock.advance(hours=1)
    assert await given() == ["e"]


async def test_messages_with_work_that_was_given_up_are_found_whatever_their_state(store: Store, trade: Any) -> None:
    """A receipt that nobody takes leaves its message as it is."""
    first, _ = await queued(store, trade, 2)
    (job,) = [one for one in await store.claim("me", ["read"], 5) if one.message_id == first]
    assert await store.messages(given_up=True) == []
    await store.bury(job, outcome="permanent", reason="gone", changes=Changes())
    assert [one.id for one in await store.messages(given_up=True)] == [first]


async def test_a_waiting_job_ends_when_its_key_is_met(store: Store, trade: Any, clock: Any) -> None:
    """The wait key may depend on the control numbers, which only the commit knows."""
    out = trade.message(
        direction=Direction.OUTBOUND,
        state=MessageState.READY,
        payload=Numbered(
            series="x12:US:ACME",
            render=lambda numbers: f"ISA*{numbers.interchange:09}".encode(),
            wait_key=lambda numbers: f"997:acme:{numbers.group}",
        ),
    )
    wait = NewJob(
        message_id=out.id,
        step="overdue",
        lane="acme:inbound:wait",
        run_at=clock() + timedelta(hours=1),
        wait_key=WAIT_FOR_NUMBERED,
    )
    await store.apply(Changes(messages=(out,), jobs=(wait,)))
    waiting = await store.waiting("997:acme:1")
    found = await store.message_by_wait_key("997:acme:1")
    assert waiting is not None
    assert found is not None
    assert waiting.message_id == found.id == out.id
    await store.apply(Changes(met=("997:acme:1", "997:nobody:7")))
    assert await store.waiting("997:acme:1") is None
    clock.advance(hours=2)
    assert await store.claim("me", ["overdue"], 5) == []


async def test_a_waiting_job_runs_when_its_time_is_out_unless_it_is_met_meanwhile(
    store: Store, trade: Any, clock: Any
) -> None:
    """What it waited for wins over the time-out that is being worked on."""
    (message_id,) = await queued(store, trade, 1)
    soon = clock() + timedelta(minutes=1)
    wait = NewJob(message_id=message_id, step="overdue", lane="acme:inbound:wait", run_at=soon, wait_key="k")
    await store.apply(Changes(jobs=(wait,)))
    assert await store.claim("me", ["overdue"], 5) == []
    clock.advance(minutes=1)
    (job,) = await store.claim("me", ["overdue"], 5)
    await store.apply(Changes(met=("k",)))
    with pytest.raises(LeaseLost):
        await store.finish(job, Changes())
    assert [one.outcome for one in await store.attempts(message_id)] == ["done"]


async def test_a_lane_rests_after_failures_and_is_probed_by_one_job(store: Store, trade: Any, clock: Any) -> None:
    """Open, half open, closed: on the lane's row, so every node sees it."""
    lane = "acme:outbound:as2"
    await queued(store, trade, 5, lane)

    def pause_for(failures: int) -> timedelta | None:
        return timedelta(seconds=30) if failures >= 2 else None

    assert await store.lane_failed(lane, pause_for) is None
    until = await store.lane_failed(lane, pause_for)
    assert until is not None
    assert await store.lane_failed(lane, pause_for) is None, "a paused lane's late failures do not count"
    assert await store.troubled_lanes() == {lane}
    assert await store.claim("me", ["read"], 5) == []
    clock.advance(seconds=31)
    (probe,) = await store.claim("me", ["read"], 5)
    assert await store.claim("me", ["read"], 5) == []
    await store.finish(probe, Changes())
    await store.lane_succeeded(lane)
    assert await store.troubled_lanes() == frozenset()
    assert len(await store.claim("me", ["read"], 5)) == 4
    (row,) = await store.lanes()
    assert (row.failures, row.paused_until, row.due, row.running) == (0, None, 0, 4)


async def test_an_operator_pauses_a_lane_and_lets_it_go_on(store: Store, trade: Any, clock: Any) -> None:
    """Before it ever had a job, too."""
    await store.pause_lane("acme:inbound:read", clock() + timedelta(days=1), by="ann", why="their ERP")
    await queued(store, trade, 1)
    assert await store.claim("me", ["read"], 5) == []
    await store.resume_lane("acme:inbound:read", by="ann")
    assert len(await store.claim("me", ["read"], 5)) == 1


async def test_what_a_change_names_must_be_stored(store: Store) -> None:
    """A change of an unknown message or document is our fault, not a silence."""
    with pytest.raises(OurFault, match="not stored"):
        await store.apply(Changes(message_updates=(MessageUpdate(id="nobody", mic="x"),)))


async def test_control_numbers_have_no_gap_and_no_repeat(store: Store, trade: Any) -> None:
    """Also when the change that took one is not kept."""
    rendered: list[int] = []

    def changes(*, broken: bool) -> Changes:
        payload = Numbered(series="x12:US:ACME", render=lambda numbers: b"%d" % numbers.interchange)
        message = trade.message(payload=payload)
        rendered.append(0)
        return Changes(messages=(message,), events=(trade.event("nobody"),) if broken else ())

    made = [changes(broken=number % 3 == 0) for number in range(12)]
    await asyncio.gather(*(store.apply(one) for one in made), return_exceptions=True)
    numbers = [int(await store.payload(message.id)) for message in await store.messages()]
    assert sorted(numbers) == list(range(1, 9))


async def test_unfinished_work_is_counted_by_state(store: Store, trade: Any) -> None:
    """Done jobs are nobody's gauge."""
    ids = await queued(store, trade, 4)
    first, second, _ = await store.claim("me", ["read"], 3)
    await store.finish(first, Changes())
    await store.bury(second, outcome="permanent", reason="no", changes=Changes())
    assert len(ids) == 4
    assert await store.unfinished() == {"ready": 1, "running": 1, "waiting": 0, "dead": 1}


async def test_an_identity_is_taken_once_and_for_ever(store: Store, trade: Any) -> None:
    """A control number that another message has taken stops the commit; its owner can be asked for."""
    first, second = trade.received(), trade.received()
    await store.accept(first)
    await store.accept(second)
    owner, other = first.messages[0].id, second.messages[0].id
    await store.apply(Changes(keys=(("x12:acme:1", owner),)))
    assert await store.key_owner("x12:acme:1") == owner
    assert await store.key_owner("x12:acme:2") is None
    with pytest.raises(NaturalKeyTaken):
        await store.apply(Changes(keys=(("x12:acme:2", other), ("x12:acme:1", other))))
    assert await store.key_owner("x12:acme:2") is None
