"""Retention where it is tight: what is under way, what belongs together, numbers used again, very large messages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.event import listen, remove

from gateway.errors import OurFault
from gateway.partners.retention import Policy, What
from gateway.ports import Changes, NewJob, new_id
from gateway.ports.replays import Act, Replay, Replayed, ReplayItem, ReplayState, Versions
from gateway.settings import Retention
from gateway.store import Store, jobs, retention, retention_due, retention_purge, tables
from gateway.store import retention_archive as archive
from tests.store.test_retention import YEAR, gone, kept, problems, run, stayed, traded

TWO_DAYS = timedelta(days=2)


async def test_work_whose_number_was_given_again_is_begun_anew(store: Store, trade: Any, clock: Any) -> None:
    """SQLite numbers a new job as the last one that moved out: both go on, each with its own attempts."""
    old, _ = await traded(store, trade)
    clock.advance(days=3)
    await store.move_finished(TWO_DAYS)
    new, _ = await traded(store, trade, number="A-2")
    await store.database.write(lambda connection: jobs.again(connection, old, "read", "", clock()))
    (again,) = await store.claim("me", ["read"], 1)
    assert (again.message_id, again.attempt, again.tries) == (old, 2, 1)
    await store.finish(again, Changes())
    assert [len(await store.attempts(one)) for one in (old, new)] == [2, 1]
    clock.advance(days=3)
    assert (await store.move_finished(TWO_DAYS)).messages == 2
    assert [len(await store.attempts(one)) for one in (old, new)] == [2, 1]


async def test_a_message_with_more_jobs_than_a_statement_takes_moves_out(store: Store, trade: Any, clock: Any) -> None:
    """An interchange of 40,000 documents: one such message must not end the duty for all others."""
    message, _ = await traded(store, trade)
    row = {
        "message_id": message,
        "step": "deliver",
        "lane": "acme:inbound:read",
        "state": "done",
        "first_run_at": clock(),
        "attempts": 1,
        "attempts_before": 0,
        "data": {},
    }
    rows = [row | {"document_id": f"d{number}"} for number in range(40_000)]
    await store.database.write(lambda connection: connection.execute(insert(tables.job), rows).rowcount)
    clock.advance(days=3)
    assert (await store.move_finished(TWO_DAYS)).jobs == 40_001
    await store.database.write(lambda connection: jobs.again(connection, message, "deliver", "d7", clock()))
    (again,) = await store.claim("me", ["deliver"], 1)
    assert again.document_id == "d7"


async def test_what_was_put_aside_stays_in_reach_while_the_rest_moves_out(store: Store, trade: Any, clock: Any) -> None:
    """A discarded letter can be taken back; it keeps nothing else of its message in the job table."""
    message, document = await traded(store, trade)
    step = NewJob(message_id=message, document_id=document, step="deliver", lane="acme:inbound:erp", run_at=clock())
    await store.apply(Changes(jobs=(step,)))
    (job,) = await store.claim("me", ["deliver"], 1)
    await store.bury(job, outcome="permanent", reason="no", changes=Changes())
    clock.advance(days=3)
    assert (await store.move_finished(TWO_DAYS)).jobs == 0
    (letter,) = [one async for one in store.dead_letters()]
    await store.database.write(lambda connection: jobs.move_dead(connection, clock(), letter=letter, again=False))
    assert (await store.move_finished(TWO_DAYS)).jobs == 1
    (aside,) = [one async for one in store.dead_letters(discarded=True)]
    assert [one.step for one in await store.attempts(message)] == ["read", "deliver"]
    await store.database.write(lambda connection: jobs.move_dead(connection, clock(), letter=aside, again=True))
    (again,) = await store.claim("me", ["deliver"], 1)
    await store.finish(again, Changes())
    clock.advance(days=3)
    assert (await store.move_finished(TWO_DAYS)).jobs == 1
    assert [one.step for one in await store.attempts(message)] == ["read", "deliver", "deliver"]


async def test_what_a_replay_has_yet_to_come_to_stays(store: Store, trade: Any, clock: Any) -> None:
    """Paused for a year or not; cancelled or done it holds nothing."""
    first, _ = await traded(store, trade)
    second, _ = await traded(store, trade, number="A-2")
    replay = Replay(
        id="r1",
        at=clock(),
        by="ann",
        why="a wrong map",
        versions=Versions.CURRENT,
        as_new=False,
        selection={},
        total=2,
        state=ReplayState.PREPARING,
        changed_at=clock(),
    )
    await store.begin_replay(replay, [first, second])
    await store.move_replay("r1", ReplayState.RUNNING, by="ann")
    done = Replayed(replay_id="r1", item=ReplayItem(number=1, message_id=first, outcome=Act.SAME.value), last=False)
    await store.apply(Changes(replayed=done))
    await store.move_replay("r1", ReplayState.PAUSED, by="ann")
    clock.advance(days=366)
    lines = await run(store, YEAR)
    assert gone(lines) == {"payload": 1, "document": 1}
    assert stayed(lines) == {("payload", "unfinished"): 1, ("document", "unfinished"): 1}
    assert [await kept(store, one) for one in (first, second)] == [False, True]
    await store.move_replay("r1", ReplayState.CANCELLED, by="ann")
    assert gone(await run(store, YEAR)) == {"payload": 1, "document": 1}


async def test_a_replay_whose_begin_was_broken_off_holds_nothing_for_ever(store: Store, trade: Any, clock: Any) -> None:
    """It cannot be resumed, and nobody may ever cancel it."""
    message, _ = await traded(store, trade)
    replay = Replay(
        id="r1",
        at=clock(),
        by="ann",
        why="a wrong map",
        versions=Versions.CURRENT,
        as_new=False,
        selection={},
        total=2,
        state=ReplayState.PREPARING,
        changed_at=clock(),
    )
    await store.begin_replay(replay, [message])
    clock.advance(days=366)
    assert gone(await run(store, YEAR)) == {"payload": 1, "document": 1}


async def test_a_hold_on_what_brought_an_order_covers_the_answers_to_its_carrier(
    store: Store, trade: Any, clock: Any
) -> None:
    """The 997 to the interchange that carried it names neither order nor message: only its carrier."""
    brought, document = await traded(store, trade)
    carrier = trade.received()
    await store.accept(carrier)
    answer = trade.received(answers=carrier.messages[0].id)
    await store.accept(answer)
    other = trade.received()
    await store.accept(other)
    for job in await store.claim("me", ["read"], 3):
        await store.finish(job, Changes())
    sent = text("UPDATE document SET sent_as = :carrier WHERE id = :id")
    values = {"carrier": carrier.messages[0].id, "id": document}
    await store.database.write(lambda connection: connection.execute(sent, values).rowcount)
    await store.place_hold(message_id=brought, by="lea", why="case 7")
    clock.advance(days=366)
    lines = await run(store, YEAR)
    assert stayed(lines) == {("payload", "legal hold 1"): 3, ("document", "legal hold 1"): 1}
    assert gone(lines) == {"payload": 1}
    assert not await kept(store, other.messages[0].id)


async def test_of_two_messages_with_the_same_bytes_each_has_its_own(store: Store, trade: Any, clock: Any) -> None:
    """A file is never shared: the one under a hold keeps its bytes when the other one loses them."""
    large = b"S" * (1 << 21)
    ids = [(await traded(store, trade, number=number, payload=large))[0] for number in ("A-1", "A-2")]
    await store.place_hold(message_id=ids[0], by="lea", why="case 7")
    clock.advance(days=366)
    assert gone(await run(store, YEAR)) == {"payload": 1, "document": 1}
    assert await store.payload(ids[0]) == large
    assert not await kept(store, ids[1])
    assert await store.sweep_files() == 0
    assert await problems(store) == []


async def test_days_are_counted_to_the_moment_and_a_clock_set_back_removes_nothing(
    store: Store, trade: Any, clock: Any
) -> None:
    """At exactly so many days it stays; a microsecond later it goes."""
    message, _ = await traded(store, trade)
    stored = await store.message(message)
    assert stored is not None
    clock.at = stored.at + timedelta(days=365) - timedelta(microseconds=10)
    assert await store.retention_plan(YEAR) == []
    clock.at = stored.at - timedelta(days=1000)
    assert await run(store, YEAR) == []
    clock.at = stored.at + timedelta(days=365)
    assert gone(await run(store, YEAR))["payload"] == 1


async def test_a_hold_that_is_placed_while_a_purge_runs_keeps_what_was_found_before(
    store: Store, trade: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found as due by the look, judged again in the commit: nothing goes because of an older look."""
    ids = [(await traded(store, trade, number=f"A-{n}", order=f"47{n}"))[0] for n in range(4)]
    clock.advance(days=366)
    write, holds = store.database.write, iter(["473"])

    async def held_before(operation: Any, **named: Any) -> Any:
        purging = isinstance(operation, partial) and operation.func is retention_purge.of_policy
        if purging and (order := next(holds, None)):
            await store.place_hold(order_number=order, by="lea", why="case 7")
        return await write(operation, **named)

    monkeypatch.setattr(store.database, "write", held_before)
    lines = await run(store, YEAR)
    assert [await kept(store, one) for one in ids] == [False, False, False, True]
    assert stayed(lines) == {("payload", "legal hold 1"): 1, ("document", "legal hold 1"): 1}
    assert await problems(store) == []


async def test_two_runs_at_once_remove_each_thing_once(store: Store, trade: Any, clock: Any) -> None:
    """An operator's beside the gateway's: one event a removal, counted by one of them."""
    ids = [(await traded(store, trade, number=f"A-{n}"))[0] for n in range(5)]
    clock.advance(days=366)
    both = await asyncio.gather(run(store, YEAR), run(store, YEAR))
    assert sum(gone(lines).get("payload", 0) for lines in both) == len(ids)
    for one in ids:
        told = [each.kind for each in await store.timeline(message_id=one) if each.kind.endswith(".purged")]
        assert sorted(told) == ["document.purged", "payload.purged"]
    assert await problems(store) == []


async def test_what_tells_of_the_gateway_itself_is_nobodys_to_remove(store: Store) -> None:
    """Holds and purges stand on the chain of such a message."""
    await store.place_hold(partner="acme", by="lea", why="case 7")
    with pytest.raises(OurFault, match="tells of the gateway itself"):
        await store.purge_payload("retention", by="ann", reason="asked for")


async def test_keys_of_the_gateways_policy_go_by_pages_of_any_size(store: Store, trade: Any, clock: Any) -> None:
    """More keys than a page holds, among those of other sorts."""
    message, _ = await traded(store, trade)
    keys = tuple((f"{kind}:acme:{n:04}", message) for n in range(700) for kind in ("rest", "answer"))
    await store.apply(Changes(keys=keys))
    clock.advance(days=91)
    assert gone(await run(store, Policy(ours=Retention(webhook_days=0)))) == {"idempotency": 700}
    assert await store.key_owner("answer:acme:0699") == message


async def test_no_look_of_a_run_reads_a_whole_table(store: Store) -> None:
    """Every statement goes by an index, beside a million messages as beside ten; legal holds are few."""
    policy = Policy(
        ours=Retention(
            payload_days=1, document_days=1, attempts_days=1, control_number_days=1, idempotency_days=1, webhook_days=1
        )
    )
    at = datetime(2026, 3, 2, tzinfo=UTC)
    plans: list[str] = []
    postgresql = store.database.dialect == "postgresql"
    words = "EXPLAIN " if postgresql else "EXPLAIN QUERY PLAN "

    def explain(connection: Any, _: Any, statement: str, values: Any, *_more: Any) -> None:
        if statement.startswith("SELECT"):
            rows = connection.exec_driver_sql(words + statement, values).all()
            plans.extend(f"{row[-1].strip()} <- {' '.join(statement.split())[:60]}" for row in rows)

    def look(connection: Any) -> None:
        if postgresql:  # tables of a test are too small for an index to pay
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        listen(connection, "before_cursor_execute", explain)
        ids = [new_id(at), new_id(at)]
        archive.page(connection, 0, at, 500)
        for way in retention.WAYS.values():
            way.page(connection, "", at, 500)
        retention_due.unfinished(connection, ids)
        for way in (retention.WAYS[What.PAYLOAD], retention.WAYS[What.DOCUMENT], retention.WAYS[What.ATTEMPTS]):
            way.find(connection, ids, policy, at)
        remove(connection, "before_cursor_execute", explain)

    await store.database.write(look)
    assert len(plans) > 20
    whole = [one for one in plans if ("Seq Scan" in one or one.startswith("SCAN")) and "legal_hold" not in one]
    assert [one for one in whole if "USING" not in one] == []


async def test_a_file_that_cannot_be_removed_is_said_and_goes_with_the_next_sweep(
    store: Store, trade: Any, clock: Any
) -> None:
    """The row says that it is purged already: nothing is served of it, and nothing is removed twice."""
    message, _ = await traded(store, trade, payload=b"F" * (1 << 21))
    (file,) = [path for path in store.payloads.folder.rglob("*") if path.is_file()]
    aside = file.rename(file.with_name("aside"))
    file.mkdir()
    clock.advance(days=366)
    with pytest.raises(OurFault, match="cannot be removed"):
        await run(store, YEAR)
    assert not await kept(store, message)
    file.rmdir()
    aside.rename(file)
    assert await store.sweep_files() == 1
    assert not file.exists()
    assert "payload" not in gone(await run(store, YEAR))
    assert await problems(store) == []
