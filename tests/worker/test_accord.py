"""Nodes with different configurations: aside while a change arrives, working and warning when it never does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.events import MessageReceived
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    Job,
    MessageState,
    NewJob,
    NewMessage,
    Node,
    NodeState,
    new_id,
)
from gateway.store import Store
from gateway.worker import Accord, Worker

AT = datetime(2026, 3, 2, tzinfo=UTC)


def node(name: str, configuration: str, state: NodeState = NodeState.READY) -> Node:
    """A node that works with a configuration."""
    return Node(
        id=name,
        host="h",
        pid=1,
        started_at=AT,
        seen_at=AT,
        beats=1,
        beat_seconds=5.0,
        gateway="0.1.0",
        schema="0010",
        configuration=configuration,
        state=state,
    )


class World:
    """What was activated last, and a clock."""

    def __init__(self) -> None:
        self.newest = "old"
        self.at = 0.0
        self.accord = Accord(self.last, patience=lambda: 15.0, steady=lambda: self.at)

    async def last(self) -> str:
        """The newest activation."""
        return self.newest

    async def look(self, seconds: float, ours: str, *others: Node) -> bool:
        """A look after some seconds; whether this node steps aside."""
        self.at += seconds
        await self.accord.look(node("us", ours), others)
        return self.accord.aside


async def test_a_node_behind_leaves_the_work_until_it_has_caught_up(caplog: pytest.LogCaptureFixture) -> None:
    """The one that has the newest does not; nothing is said about a difference of seconds."""
    behind, ahead = World(), World()
    behind.newest = ahead.newest = "new"
    assert await behind.look(5, "old", node("b", "new"))
    assert not await ahead.look(5, "new", node("a", "old"))
    assert await behind.look(5, "old", node("b", "new"))
    assert not await behind.look(4, "new", node("b", "new"))
    assert behind.accord.words() == {}
    assert caplog.text == ""


async def test_nodes_whose_files_differ_work_on_and_name_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """Two of three must not be idle for ever because somebody forgot a file; it is said once, and until it is over."""
    world = World()
    world.newest = "new"
    others = node("b", "new"), node("c", "old")
    assert await world.look(0, "old", *others)
    assert await world.look(14, "old", *others)
    assert not await world.look(2, "old", *others)
    assert not await world.look(5, "old", *others)
    assert world.accord.words() == {"nodes": "1 of 3 work with another configuration"}
    assert [record.message for record in caplog.records] == ["This node works with configuration old, but b with new"]
    world.newest = "newer"
    assert await world.look(5, "old", node("b", "newer"), node("c", "old"))
    await world.look(5, "newer", node("b", "newer"), node("c", "newer"))
    assert world.accord.words() == {}


@pytest.mark.parametrize("other", [node("b", "new", NodeState.DRAINING), node("b", "new", NodeState.STARTING)])
async def test_nobody_steps_aside_for_a_node_that_does_not_work(other: Node) -> None:
    """It is stopping, or does not listen yet: the work would be nobody's."""
    world = World()
    world.newest = "new"
    assert not await world.look(5, "old", other)


async def test_a_worker_that_steps_aside_claims_nothing_and_keeps_no_commit_s_work(
    sqlite_store: Store, clock: Any
) -> None:
    """Both ways to work are closed, and open again."""

    async def nothing(job: Job) -> Changes:
        raise AssertionError(job)

    worker = Worker(sqlite_store, {"read": nothing}, clock, owner="us")
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
    await sqlite_store.accept(Changes(messages=(message,), jobs=(job,), events=(told,)))
    worker.aside = lambda: True
    worker._behind = False
    assert worker.reserve(3) == 0
    assert await worker._claim() == []
    worker.aside = lambda: False
    assert worker.reserve(3) == 3
    assert [one.step for one in await worker._claim()] == ["read"]
