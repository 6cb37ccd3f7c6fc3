"""Lanes: one for each partner, direction and endpoint. What is agreed, what an operator says, the breaker's count.

All of it stands on the lane's row, so that every node sees it. When a lane is served is `turns`, how much `claims`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, or_, select, update
from sqlalchemy import literal_column as literal

from gateway.ports import PRIORITIES, Terms, TermsOf
from gateway.store import shared_rates, turns
from gateway.store.statements import add_or_leave
from gateway.store.tables import job, lane

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Until when a lane is stopped that waits to be let go."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """A lane as stored, with what is in it."""

    name: str
    cap: int | None
    """An operator's; None: the default."""
    failures: int
    """Transient failures in a row."""
    paused_until: datetime | None
    """By the breaker."""
    due: int
    """Jobs that are ready or waiting."""
    running: int
    dead: int
    oldest: datetime | None
    """When the job that is due first was, or will be, due."""
    priority: str
    ordered: bool
    rate: str | None
    """An operator's; None: the agreed one."""
    agreed_rate: str | None
    stopped_until: datetime | None
    stopped_by: str | None
    stopped_why: str | None

    def breaker(self, now: datetime) -> Literal["closed", "open", "half open"]:
        """Open: nothing is tried. Half open: one job probes it."""
        if self.paused_until is None:
            return "closed"
        return "open" if self.paused_until > now else "half open"

    def stopped(self, now: datetime) -> bool:
        """Whether an operator has paused it."""
        return self.stopped_until is not None and self.stopped_until > now


def lanes(connection: Connection, name: str | None = None) -> list[Lane]:
    """All lanes by name, or one."""
    waits = (job.c.lane == lane.c.name) & job.c.due_at.is_not(None)
    runs = (job.c.lane == lane.c.name) & job.c.lease_until.is_not(None)
    dead = (job.c.lane == lane.c.name) & (job.c.state == literal("'dead'"))
    counted = {
        label: select(what).where(condition).correlate(lane).scalar_subquery().label(label)
        for label, what, condition in (
            ("due", func.count(), waits),
            ("running", func.count(), runs),
            ("dead", func.count(), dead),
            ("oldest", func.min(job.c.due_at), waits),
        )
    }
    columns = [one for one in lane.c if one.name in Lane.__slots__]
    statement = select(*columns, *counted.values()).order_by(lane.c.name)
    if name is not None:
        statement = statement.where(lane.c.name == name)
    return [
        Lane(**dict(row) | {"priority": PRIORITIES[row["priority"]]})
        for row in connection.execute(statement).mappings()
    ]


def names(connection: Connection) -> list[str]:
    """The names of all lanes."""
    return list(connection.execute(select(lane.c.name).order_by(lane.c.name)).scalars())


def add(connection: Connection, wanted: Iterable[str], now: datetime, terms: TermsOf | None = None) -> None:
    """Make lanes that are not there yet; with `terms` those that are get what is agreed now."""
    if terms is not None:
        shared_rates.agree(connection, _shared(map(terms, wanted)))
    for name in sorted(wanted):
        agreed = {} if terms is None else _agreed(terms, name)
        row = {"name": name, "cap": None, "failures": 0, "paused_until": None, "served_at": now}
        row |= {"ordered": False, "agreed_rate": None, "shared": None} | agreed
        if not add_or_leave(connection, lane, row) and agreed:
            _agree(connection, name, agreed)


def agree(connection: Connection, terms: TermsOf) -> None:
    """Give every lane what is agreed now."""
    found = names(connection)
    shared_rates.agree(connection, _shared(map(terms, found)))
    for name in found:
        _agree(connection, name, _agreed(terms, name))


def _shared(terms: Iterable[Terms]) -> dict[str, str]:
    return {one.shared: one.rate for one in terms if one.shared is not None and one.rate is not None}


def _agreed(terms: TermsOf, name: str) -> dict[str, Any]:
    found = terms(name)
    return {"ordered": found.ordered, "agreed_rate": found.rate, "shared": found.shared}


def _agree(connection: Connection, name: str, agreed: dict[str, Any]) -> None:
    """A lane whose order or rate changes has its turn at once, and a full bucket: what held it holds it no more."""
    others = or_(*(_differs(lane.c[column], value) for column, value in agreed.items()))
    changed = update(lane).where(lane.c.name == name, others)
    connection.execute(changed.values(**agreed, tokens_at=None, due_at=lane.c.served_at))


def _differs(column: Any, value: object) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.is_distinct_from(value)
    return found


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
    _change(connection, name, now, paused_until=now + pause)
    return now + pause


def succeeded(connection: Connection, name: str, now: datetime) -> None:
    """Close the breaker of a lane."""
    not_paused = or_(lane.c.paused_until.is_(None), lane.c.paused_until <= now)
    changed = update(lane).where(lane.c.name == name, not_paused).values(failures=0, paused_until=None)
    if connection.execute(changed).rowcount:
        turns.settle(connection, [name], now)


def cap(connection: Connection, name: str, value: int | None, now: datetime) -> None:
    """Set how many jobs of a lane run at once; None for the default."""
    add(connection, {name}, now)
    _change(connection, name, now, cap=value)


def rate(connection: Connection, name: str, value: str | None, now: datetime) -> None:
    """Set how many jobs of a lane start in a time; None for what is agreed. A new bucket is full."""
    add(connection, {name}, now)
    _change(connection, name, now, rate=value, tokens_at=None)


def pause(connection: Connection, name: str, *, until: datetime | None, by: str, why: str, now: datetime) -> None:
    """Stop a lane until then, or until it is let go; what runs goes on."""
    add(connection, {name}, now)
    _change(connection, name, now, stopped_until=until or FOR_EVER, stopped_by=by, stopped_why=why)


def resume(connection: Connection, name: str, now: datetime) -> None:
    """Let a lane go on at once: an operator's pause, the breaker's and its count are forgotten."""
    add(connection, {name}, now)
    nobody = {"stopped_until": None, "stopped_by": None, "stopped_why": None}
    _change(connection, name, now, **nobody, paused_until=None, failures=0)


def _change(connection: Connection, name: str, now: datetime, **values: Any) -> None:
    connection.execute(update(lane).where(lane.c.name == name).values(**values))
    turns.settle(connection, [name], now)
