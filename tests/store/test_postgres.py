"""PostgreSQL: connections that break, operations that lock each other out, settings every connection has."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Text, func, text

from gateway.errors import NoRoom, OurFault
from gateway.ports import Changes, MessageUpdate
from gateway.store import Store, leases, postgres, seals, turns
from tests.store.conformance.rooms import worker


@pytest.fixture
async def nodes(new_postgres_database: Callable[[], str], tmp_path: Path, clock: Any) -> AsyncIterator[list[Store]]:
    """Two nodes on one database."""
    url = new_postgres_database()
    opened = [await Store.open(url, payloads=tmp_path, clock=clock, serve=True) for _ in range(2)]
    yield opened
    for store in opened:
        await store.close()


async def test_every_connection_plans_anew_and_waits_for_the_disk(nodes: list[Store]) -> None:
    """A plan made on empty tables is slow on full ones."""

    def settings(connection: Connection) -> list[str]:
        names = ("plan_cache_mode", "synchronous_commit")
        return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]

    assert await nodes[0].database.write(settings) == ["force_custom_plan", "on"]


async def test_a_broken_connection_is_our_fault_and_the_next_call_gets_a_new_one(
    nodes: list[Store], trade: Any
) -> None:
    """The server ends every session of the node; what was acknowledged stays, the node goes on by itself."""
    store, other = nodes
    first = await store.accept(trade.received())

    def end_sessions(connection: Connection) -> None:
        mine = "pid <> pg_backend_pid() AND datname = current_database()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"))  # noqa: S608

    await other.database.write(end_sessions)
    changes = trade.received()
    results = [await asyncio.gather(store.accept(changes), return_exceptions=True) for _ in range(10)]
    faults = [result for (result,) in results if isinstance(result, BaseException)]
    assert len(faults) < 10
    assert all(isinstance(fault, OurFault) and fault.remedy for fault in faults)
    assert await store.message(changes.messages[0].id) is not None
    assert await store.message(first.message_id) is not None


async def test_a_node_does_not_wait_while_another_one_seals(
    new_postgres_database: Callable[[], str], tmp_path: Path, clock: Any, trade: Any
) -> None:
    """Its own seal comes the next time; whatever shares the commit goes on at once."""
    key, url = Ed25519PrivateKey.generate(), new_postgres_database()
    store, engine = await Store.open(url, payloads=tmp_path, clock=clock, serve=True), postgres.engine_for(url)
    try:
        await store.accept(trade.received())
        async with engine.begin() as another:
            assert await another.run_sync(partial(seals.make, key=key, now=clock())) == 1
            assert await asyncio.wait_for(store.seal(key), 5) == 0
        await store.accept(trade.received())
        assert await store.seal(key) == 1
        assert (await store.verify([key.public_key()])).ok
    finally:
        await store.close()
        await engine.dispose()


async def test_nobody_waits_for_a_lane_that_another_node_holds(
    new_postgres_database: Callable[[], str], tmp_path: Path, clock: Any, trade: Any
) -> None:
    """The message is accepted at once; its lane gets its turn when the other one has committed."""
    url = new_postgres_database()
    store, engine = await Store.open(url, payloads=tmp_path, clock=clock, serve=True), postgres.engine_for(url)
    try:
        await store.accept(trade.received())
        (first,) = await store.claim("node", ["read"], 10)
        await store.finish(first, Changes())
        await store.database.write(lambda it: it.execute(text("UPDATE lane SET due_at = NULL")))
        async with engine.begin() as another:
            await another.execute(text("UPDATE lane SET failures = failures"))
            accepted = await asyncio.wait_for(store.accept(trade.received()), 5)
            await asyncio.sleep(0.05)
            assert await store.claim("node", ["read"], 10) == []
        for _ in range(100):
            if claimed := await store.claim("node", ["read"], 10):
                break
            await asyncio.sleep(0.05)
        assert [one.message_id for one in claimed] == [accepted.message_id]
    finally:
        await store.close()
        await engine.dispose()


async def test_a_reader_that_failed_is_not_used_again(nodes: list[Store]) -> None:
    """Also one that was called off in the middle of its answer; the next one reads what it asked for."""
    database = nodes[0].database
    slow = asyncio.create_task(database.read(lambda it: it.execute(text("SELECT pg_sleep(10)")).all()))
    await asyncio.sleep(0.1)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    for number in range(20):
        answers = await asyncio.gather(
            *(database.read(lambda it, n=n: it.execute(text(f"SELECT {n}")).scalar()) for n in range(number))
        )
        assert answers == list(range(number))


async def test_many_who_read_leave_a_connection_to_whoever_writes(nodes: list[Store]) -> None:
    """Also while none of them ever is without a successor: what they hand to each other is not all there is."""
    database, over = nodes[0].database, asyncio.Event()

    async def read(seconds: float) -> None:
        await database.read(lambda it: it.execute(text(f"SELECT pg_sleep({seconds})")).all())

    async def keep_reading() -> None:
        while not over.is_set():
            await read(0.05)

    once = [asyncio.create_task(read(0.2)) for _ in range(postgres.KEPT // 2)]
    always = [asyncio.create_task(keep_reading()) for _ in range(postgres.CONNECTIONS - postgres.KEPT // 2)]
    try:
        await asyncio.sleep(0.15)
        assert await asyncio.wait_for(database.write(lambda it: it.execute(text("SELECT 1")).scalar()), 5) == 1
    finally:
        over.set()
        await asyncio.gather(*once, *always)


async def test_a_connection_that_the_server_has_closed_is_noticed_before_it_is_used(
    nodes: list[Store], trade: Any
) -> None:
    """Whoever writes or reads after a restart of the server is told of no fault."""
    store, other = nodes
    first = await store.accept(trade.received())
    await asyncio.gather(*(store.message(first.message_id) for _ in range(12)))

    def end_sessions(connection: Connection) -> None:
        mine = "pid <> pg_backend_pid() AND datname = current_database()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"))  # noqa: S608

    await other.database.write(end_sessions)
    await asyncio.sleep(0.2)
    accepted = await store.accept(trade.received())
    found = await asyncio.gather(*(store.message(accepted.message_id) for _ in range(12)))
    assert None not in found


async def test_a_turn_is_put_off_as_often_as_it_takes(nodes: list[Store], trade: Any, clock: Any) -> None:
    """The row of its lane may be held for hours."""
    store, other = nodes
    await store.accept(trade.received(lane="held"))
    await store.database.write(lambda it: it.execute(text("UPDATE lane SET due_at = NULL")))
    turn = turns.Turn(lane="held", at=clock(), priority=0, now=clock())

    def held(connection: Connection) -> None:
        connection.execute(text("UPDATE lane SET failures = failures"))
        connection.execute(text("SELECT pg_sleep(0.5)"))

    holding = asyncio.create_task(other.database.write(held))
    await asyncio.sleep(0.2)
    await store.database.write(lambda it: turns.arm_now(it, [turn], tries=5000))
    await holding


async def test_two_commits_that_lease_at_once_keep_a_lanes_cap(
    nodes: list[Store], trade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One counts, the other commits, the first one locks: what it counted is old by then."""
    takers = [worker(store) for store in nodes]
    await nodes[0].cap_lane("acme:inbound:read", 1, by="ann")
    slow = leases._OPEN.where(func.pg_sleep(0.5).cast(Text) != "never")
    with monkeypatch.context() as patched:
        patched.setattr(leases, "_OPEN", slow)
        first = asyncio.create_task(nodes[0].accept(trade.received()))
        await asyncio.sleep(0.25)
    await nodes[1].accept(trade.received())
    await first
    assert sum(len(taker.leased) for taker in takers) == 1


async def test_a_full_disk_is_told_as_passing(nodes: list[Store], trade: Any) -> None:
    """SQLSTATE 53100, to whose operation it happened; the others of its batch are kept."""

    def no_room(connection: Connection) -> None:
        connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"))

    store, changes = nodes[0], trade.received()
    failed, kept = await asyncio.gather(store.database.write(no_room), store.accept(changes), return_exceptions=True)
    assert isinstance(failed, NoRoom)
    assert not isinstance(kept, BaseException)
    with pytest.raises(NoRoom):
        await store.database.read(no_room)


async def test_operations_that_deadlock_are_run_again(nodes: list[Store], trade: Any) -> None:
    """Two nodes change the same messages in opposite order, many times; nobody sees it."""
    messages = [trade.message() for _ in range(6)]
    await nodes[0].apply(Changes(messages=tuple(messages)))

    def touch(store: Store, order: list[Any]) -> list[Any]:
        return [store.apply(Changes(message_updates=(MessageUpdate(id=one.id, mic="x"),))) for one in order]

    await asyncio.gather(*(step for _ in range(8) for step in touch(nodes[0], messages)),
                         *(step for _ in range(8) for step in touch(nodes[1], messages[::-1])))  # fmt: skip


async def test_files_of_payloads_are_never_read_on_the_event_loop(
    nodes: list[Store], trade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reads the database runs on the loop's own thread here: fifty megabytes would stop everybody else."""
    store = nodes[0]
    changes = trade.received(payload=b"x" * 1_100_000)
    await store.accept(changes)
    readers: list[int] = []
    for name in ("read", "open"):
        real = getattr(store.payloads, name)

        def noted(*arguments: Any, real: Any = real) -> Any:
            readers.append(threading.get_ident())
            return real(*arguments)

        monkeypatch.setattr(store.payloads, name, noted)
    assert len(await store.payload(changes.messages[0].id)) == 1_100_000
    assert (await store.octets(changes.messages[0].id)).size == 1_100_000
    assert not (await store.verify({})).problems
    assert len(readers) == 3
    assert threading.get_ident() not in readers
