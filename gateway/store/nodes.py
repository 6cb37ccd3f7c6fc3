"""The rows of nodes: a beat, who is there, and the work of one that died given back in the commit that says so.

A node is declared lost only over the very count of beats that somebody watched stand still. One that wakes up finds its
leases gone (their fence is closed: owner and attempt) and comes back with its next beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, delete, insert, select, update

from gateway.ports import Clock, Node, NodeState
from gateway.store import clock_steps, jobs
from gateway.store.database import Database
from gateway.store.tables import node

KEPT = timedelta(days=1)
"""How long the row of a lost node is kept, for people to see."""


class Membership:
    """What a node says of itself, and what it sees of the others."""

    database: Database
    clock: Clock

    async def beat(self, ours: Node) -> bool:
        """Say that `ours` is alive, and how it is. False when others had declared it lost meanwhile."""
        return await self.database.write(partial(_beat, ours=ours))

    async def nodes(self) -> list[Node]:
        """All of them, the oldest first."""
        return await self.database.read(listed)

    async def lose(self, other: Node, *, by: str) -> int | None:
        """Declare `other` lost and return its work; how many jobs. None when it has beaten meanwhile, or is gone."""
        return await self.database.write(partial(_lose, other=other, by=by, now=self.clock()))

    async def leave(self, node_id: str) -> None:
        """The node stops in good order: its row goes."""
        await self.database.write(lambda connection: connection.execute(delete(node).where(node.c.id == node_id)))

    async def forget_lost(self) -> None:
        """Remove the rows of nodes that were lost long ago."""
        old = (node.c.state == NodeState.LOST.value) & (node.c.seen_at < self.clock() - KEPT)
        await self.database.write(lambda connection: connection.execute(delete(node).where(old)))


def listed(connection: Connection) -> list[Node]:
    """All rows, the oldest first."""
    rows: Sequence[object] = connection.execute(select(node).order_by(node.c.started_at, node.c.id)).all()
    return [_node(row) for row in rows]


def forget_all(connection: Connection) -> None:
    """Whoever serves an SQLite file is alone: whatever stands there is gone."""
    connection.execute(delete(node))


def _beat(connection: Connection, ours: Node) -> bool:
    values = asdict(ours) | {"state": ours.state.value}
    here = connection.execute(
        update(node).where(node.c.id == ours.id, node.c.state != NodeState.LOST.value).values(values)
    )
    if here.rowcount:
        return True
    lost = connection.execute(delete(node).where(node.c.id == ours.id)).rowcount > 0
    connection.execute(insert(node).values(values))
    return not lost


def _lose(connection: Connection, other: Node, by: str, now: datetime) -> int | None:
    still = (node.c.id == other.id) & (node.c.beats == other.beats) & (node.c.state != NodeState.LOST.value)
    if connection.execute(update(node).where(still).values(state=NodeState.LOST.value)).rowcount == 0:
        return None
    returned = jobs.reap(connection, now, owner=other.id, reason=f"its node stopped beating; returned by {by}")
    return returned + clock_steps.undo(connection, now, stepped=False)


def _node(row: object) -> Node:
    fields = {name: getattr(row, name) for name in Node.__slots__}
    return Node(**fields | {"state": NodeState(fields["state"])})
