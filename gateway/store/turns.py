"""Turns of lanes: `lane.due_at`, when a lane may next have work, so that a claim looks at few lanes of many.

The law: a lane with a job that is due has its turn no later than that job, or than the end of the lane's rest. Who
makes a job due gives its lane a turn in the same commit (`arm`); a claim moves the turn on (`settle`): behind the
others while more is due. A turn that comes too early costs a look. One that is missing, because a node of the version
before added the job, or two commits of two nodes crossed, is found by `sweep`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.store import later, prepared
from gateway.store.tables import Moment, job, lane, microseconds

LINGER = timedelta(seconds=1)
"""A lane that was emptied is looked at once more: another node's commit may add a job that this one could not see."""
STALE = timedelta(seconds=5)
"""How long a turn without work stands before it is taken back."""
SOON, LATEST, DOUBLED = 0.01, 1.0, 10
"""Seconds until a turn is given that could not be given at once; twice as many each time, so often."""
MOST = 1000
"""Lanes that one sweep looks at closely."""

_NOW = bindparam("now", type_=Moment)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A lane that has, or will have, work for a claim."""

    lane: str
    at: datetime
    priority: int
    now: datetime


def rests() -> ColumnElement[bool]:
    """The lane gives nothing now: breaker, operator, rate."""
    return or_(lane.c.paused_until > _NOW, lane.c.stopped_until > _NOW, lane.c.tokens_at > _NOW)


_is_idle = lane.c.due_at.is_(None)
_is_later = or_(_is_idle, lane.c.due_at > bindparam("at", type_=Moment))
_is_lower = lane.c.priority > bindparam("rank", type_=Integer)
_ARM = (
    update(lane)
    .where(lane.c.name == bindparam("of_lane"), or_(_is_later, _is_lower), ~func.coalesce(rests(), literal("false")))
    .values(
        due_at=case((_is_later, bindparam("at", type_=Moment)), else_=lane.c.due_at),
        priority=case((or_(_is_idle, _is_lower), bindparam("rank", type_=Integer)), else_=lane.c.priority),
    )
)
"""Changes nothing where the lane has an earlier turn. A lane that rests has its turn at the end of the rest."""


# ruff: noqa: S608  the statements are put together of literals

_wants = "(lane.due_at IS NULL OR lane.due_at > asked.at)"
_ranks = "lane.priority > asked.rank"
_ARM_FREE = (
    text(
        "WITH asked AS MATERIALIZED (SELECT asked.* FROM unnest(:names, :ats, :ranks) AS asked(name, at, rank)"
        f" JOIN lane ON lane.name = asked.name WHERE ({_wants} OR {_ranks}) AND NOT coalesce("
        "lane.paused_until > :now OR lane.stopped_until > :now OR lane.tokens_at > :now, false)),"
        " free AS MATERIALIZED (SELECT lane.name FROM lane WHERE lane.name = ANY(ARRAY(SELECT asked.name FROM asked))"
        " FOR NO KEY UPDATE SKIP LOCKED),"
        " armed AS (UPDATE lane SET"
        f" due_at = CASE WHEN {_wants} THEN asked.at ELSE lane.due_at END,"
        f" priority = CASE WHEN lane.due_at IS NULL OR {_ranks} THEN asked.rank ELSE lane.priority END"
        " FROM asked WHERE lane.name = asked.name AND lane.name = ANY(ARRAY(SELECT free.name FROM free))"
        " RETURNING lane.name)"
        " SELECT asked.name FROM asked WHERE asked.name NOT IN (SELECT armed.name FROM armed)"
    )
    .bindparams(
        _NOW,
        bindparam("names", type_=ARRAY(Text)),
        bindparam("ats", type_=ARRAY(BigInteger)),
        bindparam("ranks", type_=ARRAY(Integer)),
    )
    .columns(lane.c.name)
)
"""PostgreSQL's `_ARM`, of many lanes: it waits for no row, and gives the lanes whose rows others hold."""


def head(name: str, columns: str) -> str:
    """The first job of the lane `name` (an expression) that is not done, or a later lane's: the caller looks.

    Said by a comparison of pairs, because of an equation PostgreSQL's planner expects many matches, and reads jobs of
    all lanes in the order of their keys until it meets one.
    """
    return (
        f"SELECT {columns} FROM job WHERE (job.lane, job.id) > ({name}, 0) AND job.due_at IS NOT NULL"
        " ORDER BY job.lane, job.id LIMIT 1"
    )


_waits = and_(job.c.lane == lane.c.name, job.c.due_at.is_not(None))
_NEXT = select(
    lane.c.name,
    lane.c.ordered,
    lane.c.due_at,
    lane.c.paused_until,
    lane.c.stopped_until,
    lane.c.tokens_at,
    select(func.min(job.c.due_at)).where(_waits).correlate(lane).scalar_subquery().label("first"),
    literal(
        "CASE WHEN lane.ordered THEN (SELECT first.due_at FROM"
        f" ({head('lane.name', 'job.lane, job.due_at')}) AS first WHERE first.lane = lane.name) END",
        Moment,
    ).label("head"),
    case(
        (
            lane.c.ordered,
            exists().where(job.c.lane == lane.c.name, job.c.state == literal("'dead'")).correlate(lane),
        ),
        else_=false(),
    ).label("held"),
    select(func.min(job.c.priority)).where(_waits).correlate(lane).scalar_subquery().label("rank"),
).where(lane.c.name.in_(bindparam("lanes", expanding=True)))
_MOVE = (
    update(lane)
    .where(lane.c.name == bindparam("of_lane"))
    .values(
        due_at=bindparam("turn", type_=Moment),
        priority=func.coalesce(bindparam("rank", type_=Integer), lane.c.priority),
        served_at=case(
            (bindparam("served", type_=Integer) == 1, bindparam("now", type_=Moment)), else_=lane.c.served_at
        ),
    )
)

_due = (
    select(job.c.id)
    .where(job.c.lane == lane.c.name, job.c.due_at <= _NOW)
    .order_by(job.c.due_at)
    .limit(1)
    .correlate(lane)
    .scalar_subquery()
)
_EMPTY = (
    select(lane.c.name)
    .where(lane.c.due_at <= bindparam("stale", type_=Moment), _due.is_(None))
    .limit(MOST)
    .with_for_update(skip_locked=True, key_share=True, of=lane)
)
_FORGOTTEN = (
    select(lane.c.name)
    .where(or_(lane.c.due_at.is_(None), lane.c.due_at > bindparam("soon", type_=Moment)), _due.is_not(None))
    .where(~func.coalesce(rests(), literal("false")))
    .limit(MOST)
    .with_for_update(skip_locked=True, key_share=True, of=lane)
)


def arm(connection: Connection, turns: Sequence[Turn]) -> None:
    """Give lanes their turns at the end of the batch: nothing is locked after the rows of lanes, in one order."""
    later.call(connection, arm_now, turns)


def arm_now(connection: Connection, turns: Sequence[Turn], *, tries: int = 0) -> None:
    """Give lanes their turns: the earliest, and the highest priority, of those asked for.

    Where another node's commit holds a lane's row, the turn is given after this commit: nobody waits for lanes with
    rows in hand that others wait for. A process that ends before that leaves a turn for `sweep` to find.
    """
    first: dict[str, dict[str, Any]] = {}
    for one in turns:
        known = first.setdefault(one.lane, {"of_lane": one.lane, "at": one.at, "rank": one.priority, "now": one.now})
        known["at"], known["rank"] = min(known["at"], one.at), min(known["rank"], one.priority)
    if not first:
        return
    if connection.dialect.name == "sqlite":
        prepared.change_all(connection, _ARM, [first[name] for name in sorted(first)])
        return
    wanted = {
        "names": list(first),
        "ats": [microseconds(one["at"]) for one in first.values()],
        "ranks": [one["rank"] for one in first.values()],
        "now": max(one["now"] for one in first.values()),
    }
    if held := {row.name for row in prepared.fetch(connection, _ARM_FREE, wanted)}:
        left = [one for one in turns if one.lane in held]
        again = partial(_arm_again, turns=left, since=time.monotonic(), tries=tries + 1)
        later.afterwards(connection, min(SOON * 2 ** min(tries, DOUBLED), LATEST), again)


def _arm_again(connection: Connection, turns: Sequence[Turn], since: float, tries: int) -> None:
    """Give turns that were put off; a lane's rest may be over by now."""
    passed = timedelta(seconds=time.monotonic() - since)
    arm_now(connection, [replace(one, now=one.now + passed) for one in turns], tries=tries)


def settle(
    connection: Connection, names: Iterable[str], now: datetime, *, served: frozenset[str] = frozenset()
) -> None:
    """Move the turns of lanes on, which this commit has locked: behind all others while more is due, else to the next
    job. Lanes in `served` gave jobs.
    """
    moved: list[dict[str, Any]] = []
    one_node = connection.dialect.name == "sqlite"
    for row in prepared.fetch(connection, _NEXT, {"lanes": sorted(names)}):
        turn = row.first if not row.ordered else None if row.held else row.head
        if turn is not None:
            turn = max(turn, now)
        if row.name in served and not one_node:
            turn = now + LINGER if turn is None else min(turn, now + LINGER)
        rest = max(
            (end for end in (row.paused_until, row.stopped_until, row.tokens_at) if end and end > now), default=None
        )
        if rest is not None:
            turn = rest if turn is None else max(turn, rest)
        if turn != row.due_at or row.name in served:
            values = {"of_lane": row.name, "turn": turn, "rank": row.rank, "served": int(row.name in served)}
            moved.append(values | {"now": now})
    if moved:
        prepared.change_all(connection, _MOVE, moved)


def sweep(connection: Connection, now: datetime, *, whole: bool) -> None:
    """Take back turns that stand without work; with `whole` look at every lane for work without a turn."""
    found = connection.execute(_EMPTY, {"now": now, "stale": now - STALE}).scalars().all()
    if whole:
        found = [*found, *connection.execute(_FORGOTTEN, {"now": now, "soon": now + LINGER}).scalars()]
    if found:
        settle(connection, found, now)
