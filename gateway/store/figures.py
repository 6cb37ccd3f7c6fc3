"""Counting the work for monitors: one look at a time, whose cost grows with what waits, so it is taken now and then.

Only indexes that hold no finished rows are read, and of ten thousand lanes no more rows than are shown come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, case, func, or_, select, text
from sqlalchemy import literal_column as literal

from gateway.ports import OWN_CHAINS, Clock, Direction, MessageState, NodeState, first_id
from gateway.ports.figures import BREAKERS, LANES_SHOWN, LaneFigures, Traffic, WorkFigures
from gateway.store.tables import delivery, event, job, lane, message, moment, node, outbox, schedule

_COUNTS = ("due", "later", "running", "dead", "stopped")
_DUTIES = select(schedule.c.name, schedule.c.error, schedule.c.owner, schedule.c.started_at)
_LONG = timedelta(days=1)
"""No duty takes so long: it hangs, or never comes to its end."""
_BREAKERS = {number: name for name, number in BREAKERS.items()}


def figures(connection: Connection, *, clock: Clock, cap: int) -> WorkFigures:
    """Count everything. `cap` is the default of lanes."""
    now = clock()
    rows = sorted(connection.execute(_lanes(now)).mappings(), key=lambda row: int(row["place"]))
    first = select(event.c.at).where(event.c.seal.is_(None)).order_by(event.c.id).limit(1)
    return WorkFigures(
        at=now,
        all=_together(rows),
        lanes={row["name"]: _lane(row, cap) for row in rows if row["place"] <= LANES_SHOWN},
        others=_together([row for row in rows if row["place"] > LANES_SHOWN]),
        breakers={name: sum(int(row[name]) for row in rows) for name in BREAKERS},
        uncertain=_count(connection, select(func.count()).where(delivery.c.state == literal("'uncertain'"))),
        outbox=_outbox(connection),
        unsealed=connection.execute(first).scalar(),
        nodes=_states(connection),
        configurations=_count(
            connection,
            select(func.count(node.c.configuration.distinct())).where(node.c.state == NodeState.READY.value),
        ),
        ahead=ahead(connection, clock),
        duties={row.name: _fails(row, now) for row in connection.execute(_DUTIES)},
    )


def traffic(connection: Connection, since: datetime) -> Traffic:
    """Count the messages that were made since then: their ids begin with the time, so only they are read."""
    statement = (
        select(message.c.direction, message.c.state, func.count())
        .where(message.c.id >= first_id(since), message.c.at >= since, message.c.id.not_in(OWN_CHAINS))
        .group_by(message.c.direction, message.c.state)
    )
    counted = {(Direction(way), MessageState(state)): int(count) for way, state, count in connection.execute(statement)}
    return Traffic(since=since, counts=counted)


def _lanes(now: datetime) -> Any:
    """A row for each lane to be shown, and one for the rest: its place is behind all of them."""
    is_due = job.c.due_at <= now
    waiting = (
        select(
            job.c.lane,
            func.count(case((is_due, 1))).label("due"),
            func.count(case((~is_due, 1))).label("later"),
            func.min(job.c.due_at).label("first"),
        )
        .where(job.c.due_at.is_not(None))
        .group_by(job.c.lane)
        .subquery("waiting")
    )
    running = _per_lane("running", job.c.lease_until.is_not(None))
    dead = _per_lane("dead", job.c.state == literal("'dead'"))
    breaker = case(
        (lane.c.paused_until > now, BREAKERS["open"]),
        (lane.c.paused_until.is_not(None), BREAKERS["half open"]),
        else_=BREAKERS["closed"],
    )
    stopped = case((lane.c.stopped_until > now, 1), else_=0)
    troubled = case((or_(breaker > 0, stopped > 0, lane.c.failures > 0), 0), (dead.c.dead > 0, 1), else_=2)
    order = (troubled, func.coalesce(waiting.c.due, 0).desc(), lane.c.served_at.desc(), lane.c.name)
    placed = (
        select(
            lane.c.name,
            case((lane.c.ordered, 1), else_=lane.c.cap).label("cap"),
            breaker.label("breaker"),
            stopped.label("stopped"),
            case((waiting.c.first <= now, waiting.c.first)).label("oldest"),
            waiting.c.due,
            waiting.c.later,
            running.c.running,
            dead.c.dead,
            func.row_number().over(order_by=order).label("number"),
        )
        .select_from(
            lane.outerjoin(waiting, waiting.c.lane == lane.c.name)
            .outerjoin(running, running.c.lane == lane.c.name)
            .outerjoin(dead, dead.c.lane == lane.c.name)
        )
        .subquery("placed")
    )
    place = case((placed.c.number <= LANES_SHOWN, placed.c.number), else_=LANES_SHOWN + 1).label("place")
    states = [func.count(case((placed.c.breaker == number, 1))).label(name) for name, number in BREAKERS.items()]
    return select(
        place,
        *(func.min(placed.c[name]).label(name) for name in ("name", "cap", "oldest")),
        func.max(placed.c.breaker).label("breaker"),
        *(func.coalesce(func.sum(placed.c[name]), 0).label(name) for name in _COUNTS),
        *states,
    ).group_by(place)


def _per_lane(name: str, condition: ColumnElement[bool]) -> Any:
    return select(job.c.lane, func.count().label(name)).where(condition).group_by(job.c.lane).subquery(name)


def _lane(row: RowMapping, cap: int) -> LaneFigures:
    own = cap if row["cap"] is None else row["cap"]
    return LaneFigures(**_counts([row]), oldest=row["oldest"], cap=own, breaker=_BREAKERS[row["breaker"]])


def _fails(duty: Any, now: datetime) -> bool:
    return duty.error is not None or (duty.owner is not None and now - duty.started_at > _LONG)


def _together(rows: Sequence[RowMapping]) -> LaneFigures:
    oldest = min((row["oldest"] for row in rows if row["oldest"] is not None), default=None)
    worst = max((row["breaker"] for row in rows), default=BREAKERS["closed"])
    return LaneFigures(**_counts(rows), oldest=oldest, cap=None, breaker=_BREAKERS[worst])


def _counts(rows: Sequence[RowMapping]) -> dict[str, int]:
    return {name: sum(int(row[name]) for row in rows) for name in _COUNTS}


def _states(connection: Connection) -> dict[str, int]:
    found = {state.value: 0 for state in NodeState}
    counted = connection.execute(select(node.c.state, func.count()).group_by(node.c.state))
    return found | {str(state): int(count) for state, count in counted}


def _outbox(connection: Connection) -> dict[str, tuple[int, datetime | None]]:
    found: dict[str, tuple[int, datetime | None]] = {"webhooks": (0, None), "nats": (0, None)}
    counted = connection.execute(select(outbox.c.way, func.count(), func.min(outbox.c.at)).group_by(outbox.c.way))
    return found | {str(way): (int(count), oldest) for way, count, oldest in counted}


def _count(connection: Connection, statement: Any) -> int:
    return int(connection.execute(statement).scalar() or 0)


def ahead(connection: Connection, clock: Clock) -> float:
    """Seconds that our clock is before the database's; 0 on SQLite, which is on this machine."""
    if connection.dialect.name == "sqlite":
        return 0.0
    before = clock()
    theirs = connection.execute(text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"))
    said, after = moment(int(theirs.scalar_one())), clock()
    return (before + (after - before) / 2 - said).total_seconds()
