"""Nodes watch each other's beats: the work of one that died comes back at once, and nobody is killed by a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.events import MessageReceived
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    LeaseLost,
    MessageState,
    NewJob,
    NewMessage,
    Node,
    NodeState,
    new_id,
)
from gateway.store import Store, postgres
from gateway.store.nodes import KEPT
from gateway.worker import Presence


class Steady:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        """Now."""
        return self.at


@pytest.fixture
def steady() -> Steady:
    """A monotonic clock."""
    return Steady()


def presence(store: Store, name: str, clock: Any, steady: Steady) -> Presence:
    """A node that means to beat every second."""
    at = clock()
    ours = Node(
        id=name,
        host="here",
        pid=7,
        started_at=at,
        seen_at=at,
        beats=0,
        beat_seconds=1.0,
        gateway="0.1.0",
        schema="0010",
        configuration="",
        state=NodeState.STARTING,
    )
    return Presence(store, ours, clock=clock, configuration=lambda: "abc", steady=steady)


async def turn(steady: Steady, *alive: Presence) -> None:
    """A second goes by: who lives beats and looks."""
    steady.at += 1
    for one in alive:
        await one._beat()
        await one.look()


async def work(store: Store, clock: Any) -> str:
    """A message with a job."""
    at = clock()
    message = NewMessage(
        id=new_id(at),
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.RECEIVED,
        at=at,
        payload=b"ISA",
    )
    job = NewJob(message_id=message.id, step="read", lane="acme:inbound:read", run_at=at)
    told = MessageReceived(message_id=message.id, partner="acme", channel="as2", sha256="", size=3)
    await store.accept(Changes(messages=(message,), jobs=(job,), events=(told,)))
    return message.id


async def test_the_work_of_a_node_that_died_comes_back_after_three_beats(
    store: Store, clock: Any, steady: Steady
) -> None:
    """Long before its lease is over; the attempt says whose end it was."""
    a, b = (presence(store, name, clock, steady) for name in "ab")
    woken: list[int] = []
    b.returned = lambda: woken.append(1)
    await a.enter(NodeState.READY)
    message_id = await work(store, clock)
    (job,) = await store.claim("a", ["read"], 5)
    await turn(steady, b)
    assert [one.id for one in b.others] == ["a"]
    for _ in range(2):
        await turn(steady, b)
    assert await store.claim("b", ["read"], 5) == []
    await turn(steady, b)
    assert (woken, b.others) == ([1], [])
    assert {one.id: one.state for one in await store.nodes()} == {"a": NodeState.LOST, "b": NodeState.STARTING}
    (again,) = await store.claim("b", ["read"], 5)
    assert (again.id, again.attempt) == (job.id, 2)
    with pytest.raises(LeaseLost):
        await store.finish(job, Changes())
    first, _ = await store.attempts(message_id)
    assert (first.outcome, first.reason) == ("lost", "its node stopped beating; returned by b")


async def test_a_node_that_wakes_up_finds_its_fence_closed_and_comes_back(
    store: Store, clock: Any, steady: Steady, caplog: pytest.LogCaptureFixture
) -> None:
    """Even before anybody claimed its work anew; it is told, and works on as one of them."""
    a, b = (presence(store, name, clock, steady) for name in "ab")
    await a.enter(NodeState.READY)
    await work(store, clock)
    (job,) = await store.claim("a", ["read"], 5)
    for _ in range(4):
        await turn(steady, b)
    with pytest.raises(LeaseLost):
        await store.finish(job, Changes())
    await turn(steady, a, b)
    assert "silent for so long" in caplog.text
    assert [(one.id, one.state) for one in b.others] == [("a", NodeState.READY)]
    (again,) = await store.claim("a", ["read"], 5)
    with pytest.raises(LeaseLost):  # the same owner, another attempt
        await store.finish(job, Changes())
    await store.finish(again, Changes())


async def test_clocks_that_differ_and_watchers_that_slept_kill_nobody(store: Store, clock: Any, steady: Steady) -> None:
    """An hour's step of a clock, a frozen watcher, a database that stood still: only missed beats count."""
    a, b = (presence(store, name, clock, steady) for name in "ab")
    await a.enter(NodeState.READY)
    await turn(steady, b)
    clock.advance(hours=1)
    await turn(steady, a, b)
    steady.at += 600
    await turn(steady, b)
    steady.at += 600
    await turn(steady, b)
    assert [one.id for one in b.others] == ["a"]
    await turn(steady, a, b)
    assert [one.state for one in await store.nodes()] == [NodeState.READY, NodeState.STARTING]


async def test_of_two_that_see_a_death_one_returns_the_work(store: Store, clock: Any, steady: Steady) -> None:
    """And over a count that has moved on nobody is declared lost."""
    a = presence(store, "a", clock, steady)
    await a.enter(NodeState.READY)
    (then,) = await store.nodes()
    await a.enter(NodeState.READY)
    assert await store.lose(then, by="b") is None
    (now,) = await store.nodes()
    assert await store.lose(now, by="b") == 0
    assert await store.lose(now, by="c") is None


async def test_rows_go_with_a_stop_in_good_order_and_a_day_after_a_death(
    store: Store, clock: Any, steady: Steady
) -> None:
    """The table does not grow with restarts."""
    a, b, c = (presence(store, name, clock, steady) for name in "abc")
    for one in (a, b, c):
        await one.enter(NodeState.READY)
    await a.leave()
    assert [one.id for one in await store.nodes()] == ["b", "c"]
    for _ in range(4):
        await turn(steady, c)
    clock.advance(seconds=(KEPT + timedelta(minutes=1)).total_seconds())
    d = presence(store, "d", clock, steady)
    await d.enter(NodeState.READY)
    for _ in range(4):
        await turn(steady, d)
    assert [(one.id, one.state.value) for one in await store.nodes()] == [("d", "ready")]


async def test_on_sqlite_whoever_serves_is_alone(sqlite_url: str, tmp_path: Path, clock: Any, steady: Steady) -> None:
    """A row that a killed process left is gone at the next start; two on PostgreSQL see each other."""
    store = await Store.open(sqlite_url, payloads=tmp_path, clock=clock, serve=True)
    await presence(store, "a", clock, steady).enter(NodeState.READY)
    await store.close()
    store = await Store.open(sqlite_url, payloads=tmp_path, clock=clock, serve=True)
    assert await store.nodes() == []
    await store.close()


async def test_a_frozen_transaction_does_not_hold_the_others_up(
    new_postgres_database: Callable[[], str],
    tmp_path: Path,
    clock: Any,
    steady: Steady,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL ends the session of a process that stops inside a transaction, and its locks with it."""
    name = "idle_in_transaction_session_timeout"
    assert postgres._SETTINGS[name] == "15s"
    monkeypatch.setitem(postgres._SETTINGS, name, "1s")
    url = new_postgres_database()
    store = await Store.open(url, payloads=tmp_path, clock=clock)
    await presence(store, "a", clock, steady).enter(NodeState.READY)
    await work(store, clock)
    await store.claim("a", ["read"], 1)
    (row,) = await store.nodes()
    engine = postgres.engine_for(url)
    async with engine.connect() as frozen:
        await frozen.execute(text("UPDATE job SET attempts = attempts"))  # and no more: it holds the row
        async with asyncio.timeout(20):
            assert await store.lose(row, by="b") == 1
        with pytest.raises(DBAPIError):
            await frozen.commit()
        await frozen.invalidate()
    await engine.dispose()
    await store.close()
