"""Lanes: one for each partner, direction and endpoint. Cap, pause and the count of failures stand on the lane's row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select, update

from gateway.store.jobs import add_lanes
from gateway.store.tables import job, lane


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A lane as stored. `cap` is None for the default; `failures` counts transient failures in a row."""

    name: str
    cap: int | None
    failures: int
    paused_until: datetime | None
    due: int
    """Jobs that are ready or waiting."""
    running: int


def lanes(connection: Connection) -> list[Lane]:
    """All lanes by name."""
    due = select(func.count()).where(job.c.lane == lane.c.name, job.c.due_at.is_not(None)).scalar_subquery()
    running = select(func.count()).where(job.c.lane == lane.c.name, job.c.lease_until.is_not(None)).scalar_subquery()
    columns = (lane.c.name, lane.c.cap, lane.c.failures, lane.c.paused_until)
    rows = connection.execute(select(*columns, due.label("due"), running.label("running")).order_by(lane.c.name))
    return [Lane(**row) for row in rows.mappings()]


def troubled(connection: Connection) -> frozenset[str]:
    """The lanes whose last call failed or that are paused."""
    found = select(lane.c.name).where(or_(lane.c.failures > 0, lane.c.paused_until.is_not(None)))
    return frozenset(connection.execute(found).scalars())


def failed(
    connection: Connection, name: str, now: datetime, pause_for: Callable[[int], timedelta | None]
) -> datetime | None:
    """Count a transient failure; pause the lane as `pause_for` says of the count. Until when it is paused.

    A paused lane's late failures (calls that were under way) do not count again.
    """
    open_lane = or_(lane.c.paused_until.is_(None), lane.c.paused_until <= now)
    counted = update(lane).where(lane.c.name == name, open_lane).values(failures=lane.c.failures + 1)
    failures = connection.execute(counted.returning(lane.c.failures)).scalar_one_or_none()
    pause = None if failures is None else pause_for(failures)
    if pause is None:
        return None
    connection.execute(update(lane).where(lane.c.name == name).values(paused_until=now + pause))
    return now + pause


def succeeded(connection: Connection, name: str, now: datetime) -> None:
    """Close the breaker of a lane. A pause that is still running stays: an operator may have set it."""
    not_paused = or_(lane.c.paused_until.is_(None), lane.c.paused_until <= now)
    connection.execute(update(lane).where(lane.c.name == name, not_paused).values(failures=0, paused_until=None))


def cap(connection: Connection, name: str, value: int | None, now: datetime) -> None:
    """Set how many jobs of a lane run at once; None for the default."""
    add_lanes(connection, {name}, now)
    connection.execute(update(lane).where(lane.c.name == name).values(cap=value))


def pause(connection: Connection, name: str, until: datetime | None, now: datetime) -> None:
    """Pause a lane until then, or let it go on (None)."""
    add_lanes(connection, {name}, now)
    values = {"paused_until": until} | ({"failures": 0} if until is None else {})
    connection.execute(update(lane).where(lane.c.name == name).values(values))
