"""Duties that are one node's at a time, over all nodes: a row each, taken by whoever finds it due first.

Whoever changes a row names the count of beats that it saw, so of two one wins, and whoever lost a duty learns it at its
next beat. When a duty is due, and whether its node still lives, is judged by the watcher's own steady clock: see
`gateway.worker.duties`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, select, update

from gateway.ports import Clock
from gateway.store.database import Database
from gateway.store.statements import add_or_leave
from gateway.store.tables import schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class Scheduled:
    """A duty as stored."""

    name: str
    every_seconds: int
    next_at: datetime
    beats: int
    owner: str | None = None
    """The node that does it now."""
    started_at: datetime | None = None
    done_at: datetime | None = None
    """When it last ended well."""
    took_seconds: float | None = None
    said: str | None = None
    """What came of it then."""
    failed_at: datetime | None = None
    error: str | None = None
    """Why it failed, since it last ended well."""


class Scheduling:
    """Duties over all nodes."""

    database: Database
    clock: Clock

    async def schedules(self) -> list[Scheduled]:
        """All duties, by name."""
        return await self.database.read(listed)

    async def plan_duty(self, name: str, every: timedelta) -> None:
        """Have a duty done so often from now on; one that is new is due at once."""
        await self.database.write(partial(_plan, name=name, every=every, now=self.clock()))

    async def take_duty(self, seen: Scheduled, owner: str) -> int | None:
        """Begin it, if it still stands as it was seen: its beats from now on, else None."""
        taken = {"owner": owner, "started_at": self.clock(), "beats": seen.beats + 1}
        return seen.beats + 1 if await self._change(seen.name, seen.beats, None, taken) else None

    async def beat_duty(self, name: str, owner: str, beats: int) -> int | None:
        """Say that it goes on: its beats from now on; None: it was taken over."""
        return beats + 1 if await self._change(name, beats, owner, {"beats": beats + 1}) else None

    async def end_duty(
        self, name: str, owner: str, beats: int, *, every: timedelta, took: float, said: str = "", error: str = ""
    ) -> bool:
        """It is over, well or with an error; next time after `every`. False: it was taken over meanwhile."""
        now = self.clock()
        ended: dict[str, object] = {"owner": None, "next_at": now + every, "beats": beats + 1}
        if error:
            ended |= {"failed_at": now, "error": error}
        else:
            ended |= {"done_at": now, "took_seconds": took, "said": said, "failed_at": None, "error": None}
        return await self._change(name, beats, owner, ended)

    async def _change(self, name: str, beats: int, owner: str | None, values: dict[str, object]) -> bool:
        mine: ColumnElement[bool] = (schedule.c.name == name) & (schedule.c.beats == beats)
        if owner is not None:
            mine &= schedule.c.owner == owner
        changed = update(schedule).where(mine).values(values)
        return await self.database.write(lambda connection: connection.execute(changed).rowcount > 0)


def listed(connection: Connection) -> list[Scheduled]:
    """All duties, by name."""
    return [Scheduled(**row) for row in connection.execute(select(schedule).order_by(schedule.c.name)).mappings()]


def _plan(connection: Connection, *, name: str, every: timedelta, now: datetime) -> None:
    seconds = round(every.total_seconds())
    row = {"name": name, "every_seconds": seconds, "next_at": now, "beats": 0}
    if not add_or_leave(connection, schedule, row):
        other = (schedule.c.name == name) & (schedule.c.every_seconds != seconds)
        connection.execute(update(schedule).where(other).values(every_seconds=seconds))
