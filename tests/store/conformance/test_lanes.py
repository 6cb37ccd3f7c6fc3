"""Lanes: order, priority, rate, an operator's pause, and turns: what a claim gives, and what it leaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from gateway.pipeline.giving_up import all_retried
from gateway.ports import PRIORITIES, Changes, NewJob, Terms, TermsOf, rate_of
from gateway.store import Store
from tests.store.conformance.rooms import worker

LANE = "acme:inbound:erp"


async def queued(store: Store, trade: Any, count: int, lane: str = LANE) -> list[str]:
    """Messages with a job each, one after the other."""
    changes = [trade.received(lane=lane) for _ in range(count)]
    for one in changes:
        await store.accept(one)
    return [one.messages[0].id for one in changes]


async def taken(store: Store, limit: int = 64, owner: str = "me") -> list[str]:
    """The messages whose jobs a claim gives."""
    return [job.message_id for job in await store.claim(owner, ["read"], limit)]


def ordered(name: str) -> Terms:
    """Every lane in order."""
    return Terms(ordered=True)


def having(**terms: Any) -> TermsOf:
    """Every lane alike."""
    return lambda _: Terms(**terms)


def by_name(name: str) -> Terms:
    """The priority is the lane's partner."""
    return Terms(priority=PRIORITIES.index(name.split(":", 1)[0]))


async def test_an_ordered_lane_gives_one_job_at_a_time_in_the_order_they_came(store: Store, trade: Any) -> None:
    """Whoever claims, and however many."""
    store.agree(ordered)
    ids = await queued(store, trade, 4)
    for id_ in ids:
        claims = await asyncio.gather(*(store.claim(f"node-{n}", ["read"], 5) for n in range(4)))
        (job,) = [job for jobs in claims for job in jobs]
        assert job.message_id == id_
        await store.finish(job, Changes())


async def test_the_head_of_an_ordered_lane_holds_it_while_it_is_retried(store: Store, trade: Any, clock: Any) -> None:
    """What is behind it waits for its retry, and for the one after that."""
    store.agree(ordered)
    first, second = await queued(store, trade, 2)
    for _ in range(2):
        (job,) = await store.claim("me", ["read"], 5)
        assert job.message_id == first
        run_at = clock() + timedelta(minutes=5)
        await store.postpone(job, outcome="transient", reason="503", run_at=run_at, changes=Changes())
        assert await taken(store) == []
        third = (await queued(store, trade, 1))[0]
        assert await taken(store) == [], "what comes now waits, too"
        clock.advance(minutes=5)
    (job,) = await store.claim("me", ["read"], 5)
    assert (job.message_id, job.attempt) == (first, 3)
    await store.finish(job, Changes())
    assert await taken(store) == [second]
    assert third not in {first, second}


async def test_a_dead_head_holds_an_ordered_lane_until_it_is_retried_by_hand(
    store: Store, trade: Any, clock: Any
) -> None:
    """Revived it is the head again, before all that came since; sweeping does not let others by."""
    store.agree(ordered)
    first, second = await queued(store, trade, 2)
    (job,) = await store.claim("me", ["read"], 5)
    await store.bury(job, outcome="permanent", reason="422", changes=Changes())
    assert await taken(store) == []
    clock.advance(minutes=1)
    await store.reap()
    assert await taken(store) == []
    await all_retried(store, first, by="ann", why="the ERP was fixed")
    (again,) = await store.claim("me", ["read"], 5)
    assert again.message_id == first
    await store.finish(again, Changes())
    assert await taken(store) == [second]


async def test_a_lost_head_is_the_head_again(store: Store, trade: Any, clock: Any) -> None:
    """A node that froze with it does not let the others by."""
    store.agree(ordered)
    first, second = await queued(store, trade, 2)
    assert await taken(store, owner="frozen") == [first]
    assert await taken(store) == []
    clock.advance(seconds=61)
    assert await store.reap() == 1
    (job,) = await store.claim("me", ["read"], 5)
    assert job.message_id == first
    await store.finish(job, Changes())
    assert await taken(store) == [second]


async def test_a_step_unknown_here_holds_its_ordered_lane(store: Store, trade: Any) -> None:
    """The node that knows it goes first."""
    store.agree(ordered)
    await store.accept(trade.received(lane=LANE, step="step_of_the_future"))
    await store.accept(trade.received(lane=LANE))
    assert await taken(store) == []
    (job,) = await store.claim("new", ["read", "step_of_the_future"], 5)
    assert job.step == "step_of_the_future"


async def test_an_ordered_lane_is_leased_by_a_commit_only_where_nothing_is_before_it(
    store: Store, trade: Any, clock: Any
) -> None:
    """Not past one that runs, waits for its retry, or is dead."""
    store.agree(ordered)
    taker = worker(store)
    await queued(store, trade, 2)
    (job,) = taker.leased
    later = clock() + timedelta(minutes=1)
    await store.postpone(job, outcome="transient", reason="503", run_at=later, changes=Changes())
    await queued(store, trade, 1)
    clock.advance(minutes=1)
    (job,) = await store.claim("me", ["read"], 5)
    await store.bury(job, outcome="permanent", reason="422", changes=Changes())
    await queued(store, trade, 1)
    assert len(taker.leased) == 1


async def test_a_lane_that_becomes_ordered_or_free_again_is_so_from_the_next_claim_on(
    store: Store, trade: Any, clock: Any
) -> None:
    """A new configuration holds for what waits, too, without new work in the lane."""
    await queued(store, trade, 5)
    store.agree(ordered)
    await store.reap()
    assert len(await taken(store)) == 1
    assert await taken(store) == []
    store.agree(having())
    await store.reap()
    assert len(await taken(store)) == 4


async def test_higher_priorities_go_first(store: Store, trade: Any) -> None:
    """Over lanes: with little room the critical lane gets all of it, however long the others waited."""
    store.agree(by_name)
    for partner in reversed(PRIORITIES):
        await queued(store, trade, 4, f"{partner}:inbound:erp")
    order = [job.lane.split(":")[0] for _ in range(8) for job in await store.claim("me", ["read"], 2)]
    assert order == [partner for partner in PRIORITIES for _ in range(4)]


async def test_within_a_lane_the_higher_priority_goes_first(store: Store, trade: Any) -> None:
    """A document that became critical overtakes; without priorities the order is that of coming."""
    low = await queued(store, trade, 3)
    store.agree(having(priority=0))
    high = await queued(store, trade, 2)
    assert await taken(store, 3) == [low[0], *high], "in the order of their numbers, once taken"
    assert await taken(store, 3) == low[1:]


async def test_nobody_starves(store: Store, trade: Any, clock: Any) -> None:
    """What has waited long enough goes before what is more urgent and came just now."""
    store.agree(by_name)
    await queued(store, trade, 4, "low:inbound:erp")
    served: Counter[str] = Counter()
    for _ in range(60):
        await queued(store, trade, 1, "critical:inbound:erp")
        for job in await store.claim("me", ["read"], 1):
            served[job.lane] += 1
            await store.finish(job, Changes())
        clock.advance(seconds=1)
    assert 1 <= served["low:inbound:erp"] < served["critical:inbound:erp"]


async def test_no_more_jobs_start_than_the_rate_allows(store: Store, trade: Any, clock: Any) -> None:
    """Ten a second, five at once after a rest: exact over any time, and no token is lost by looking late."""
    store.agree(having(rate="10/second burst 5"))
    await queued(store, trade, 200)
    started = clock()
    given = len(await taken(store))
    assert given == 5
    assert await taken(store) == []
    for step in (0.05, 0.1, 0.25, 0.31, 0.02, 0.4, 0.13) * 8:
        clock.advance(seconds=step)
        for job in await store.claim("me", ["read"], 64):
            given += 1
            await store.finish(job, Changes())
        seconds = (clock() - started).total_seconds()
        assert 10 * seconds - 1 <= given <= 10 * seconds + 5.01


async def test_a_claim_tells_when_the_next_token_is_there(store: Store, trade: Any, clock: Any) -> None:
    """A worker waits so long and no longer; work that comes meanwhile does not make it look in vain."""
    store.agree(having(rate="6/minute"))
    await queued(store, trade, 3)
    assert len(await taken(store)) == 1
    await queued(store, trade, 1)
    assert await taken(store) == []
    assert store.next_turn is not None
    assert timedelta(seconds=9.9) < store.next_turn - clock() <= timedelta(seconds=10)
    clock.advance(seconds=10)
    assert len(await taken(store)) == 1


async def test_an_operators_rate_and_cap_go_before_what_is_agreed(store: Store, trade: Any) -> None:
    """And are taken back by None."""
    store.agree(having(rate="1/hour"))
    await queued(store, trade, 30)
    assert len(await taken(store)) == 1
    await store.rate_lane(LANE, "unlimited", by="ann")
    assert len(await taken(store)) == 15
    await store.cap_lane(LANE, 20, by="ann")
    assert len(await taken(store)) == 4
    await store.cap_lane(LANE, None, by="ann")
    await store.rate_lane(LANE, None, by="ann")
    (lane,) = await store.lanes(LANE)
    assert (lane.cap, lane.rate, lane.agreed_rate, lane.running, lane.due) == (None, None, "1/hour", 20, 10)


async def test_an_operator_pauses_a_lane_with_a_reason_and_lets_it_go_on(store: Store, trade: Any, clock: Any) -> None:
    """Before it ever had a job, too; what runs may end; work that comes meanwhile waits."""
    until = clock() + timedelta(days=1)
    await store.pause_lane(LANE, until, by="ann", why="their ERP is moved")
    await queued(store, trade, 2)
    assert await taken(store) == []
    (lane,) = await store.lanes()
    assert (lane.stopped(clock()), lane.stopped_by, lane.stopped_why, lane.stopped_until, lane.due) == (
        True,
        "ann",
        "their ERP is moved",
        until,
        2,
    )
    await store.resume_lane(LANE, by="ann")
    (job, _) = await store.claim("me", ["read"], 5)
    await store.pause_lane(LANE, by="ann", why="again")
    await store.lane_succeeded(LANE)
    await queued(store, trade, 1)
    await store.finish(job, Changes())
    assert await taken(store) == [], "an end, or a success, does not lift an operator's pause"
    clock.advance(days=4000)
    await store.reap()
    assert await taken(store) == [], "without an end it lasts until it is lifted"


async def test_a_pause_with_an_end_ends_by_itself(store: Store, trade: Any, clock: Any) -> None:
    """Nobody need be there."""
    await queued(store, trade, 1)
    await store.pause_lane(LANE, clock() + timedelta(hours=1), by="ann", why="maintenance")
    assert await taken(store) == []
    clock.advance(hours=1)
    assert len(await taken(store)) == 1


async def test_the_breaker_is_readable(store: Store, trade: Any, clock: Any) -> None:
    """Closed, open, half open, closed."""
    await queued(store, trade, 1)
    states = []

    async def look() -> None:
        (lane,) = await store.lanes()
        states.append(lane.breaker(clock()))

    await look()
    await store.lane_failed(LANE, lambda _: timedelta(seconds=30))
    await look()
    clock.advance(seconds=31)
    await look()
    await store.lane_succeeded(LANE)
    await look()
    assert states == ["closed", "open", "half open", "closed"]


async def test_work_that_a_node_of_the_version_before_added_is_found(store: Store, trade: Any, clock: Any) -> None:
    """It gives no lane a turn; whoever sweeps does."""
    await queued(store, trade, 1)

    def as_before(connection: Connection) -> None:
        connection.execute(text("UPDATE lane SET due_at = NULL"))

    await store.database.write(as_before)
    assert await taken(store) == []
    clock.advance(seconds=31)
    await store.reap()
    assert len(await taken(store)) == 1


async def test_a_turn_without_work_is_taken_back(store: Store, trade: Any, clock: Any) -> None:
    """What waited was met: its lane costs later claims nothing."""
    (message_id,) = await queued(store, trade, 1, "other:inbound:read")
    soon = clock() + timedelta(minutes=1)
    await store.apply(
        Changes(
            jobs=(NewJob(message_id=message_id, step="read", document_id="d", lane=LANE, run_at=soon, wait_key="k"),)
        )
    )
    await store.apply(Changes(met=("k",)))
    clock.advance(minutes=2)
    await store.reap()

    def turns(connection: Connection) -> list[Any]:
        return list(connection.execute(text("SELECT due_at FROM lane WHERE name = :name"), {"name": LANE}).scalars())

    assert await store.database.read(turns) == [None]


@pytest.mark.parametrize(
    ("text_of_it", "every", "burst"),
    [
        ("10/second", 0.1, 10),
        ("1/second", 1.0, 1),
        ("600/minute", 0.1, 10),
        ("30/hour", 120.0, 1),
        ("600/minute burst 50", 0.1, 50),
    ],
)
def test_rates_are_written_as_people_say_them(text_of_it: str, every: float, burst: int) -> None:
    """Without a burst, a second's worth may start at once."""
    rate = rate_of(text_of_it)
    assert rate is not None
    assert (rate.every.total_seconds(), rate.burst) == (every, burst)


@pytest.mark.parametrize("wrong", ["", "10", "10/day", "0/second", "-1/second", "10/second burst", "1.5/second"])
def test_what_is_no_rate_is_refused(wrong: str) -> None:
    """With the form that is meant."""
    with pytest.raises(ValueError, match="10/second"):
        rate_of(wrong)


async def test_what_an_operator_says_of_a_lane_is_on_the_trail(store: Store, clock: Any) -> None:
    """Who, what and why, in the order it was said; the list of messages does not show the chain."""
    until = clock() + timedelta(hours=2)
    await store.pause_lane(LANE, until, by="ann", why="the ERP is moved")
    await store.resume_lane(LANE, by="bob")
    await store.cap_lane(LANE, 3, by="bob", why="their wish")
    await store.rate_lane(LANE, "2/second", by="bob")
    await store.rate_lane(LANE, None, by="bob")
    told = [(one.kind, one.data) for one in await store.timeline(message_id="lanes")]
    assert [(kind, data["lane"], data["by"], data["reason"]) for kind, data in told] == [
        ("lane.paused", LANE, "ann", "the ERP is moved"),
        ("lane.resumed", LANE, "bob", ""),
        ("lane.capped", LANE, "bob", "their wish"),
        ("lane.rated", LANE, "bob", ""),
        ("lane.rated", LANE, "bob", ""),
    ]
    assert told[0][1]["until"] == until.isoformat(timespec="seconds")
    assert [data.get("cap", data.get("rate")) for _, data in told[2:]] == [3, "2/second", None]
    assert await store.messages() == []
