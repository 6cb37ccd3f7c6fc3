"""Claiming: which due jobs run next. Lanes take turns, higher priorities first; none runs more than cap and rate.

A claim looks at the lanes at the front of an index (`turns`) and probes a few indexes in each: its cost grows neither
with the backlog nor with the number of lanes. On PostgreSQL the lanes are locked with SKIP LOCKED: nodes claim from
different lanes at once, and none sees another's count half done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    func,
    not_,
    select,
    text,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.ports import PRIORITIES, Job, JobState, rate_of
from gateway.publication import NOTIFY
from gateway.store import prepared, queries, shared_rates, turns
from gateway.store.jobs import job_of, start_attempts
from gateway.store.tables import Moment, job, lane

LANES = 8
"""How many lanes one claim serves at most."""
FRONT = 32
"""Lanes of each priority that it looks at: other nodes may have locked the first of them."""
MANY = 1_000_000
AGEING = 10_000_000
"""Microseconds that a lane or job waits longer to go before one of the next higher priority: nobody starves."""

_NOW = bindparam("now", type_=Moment)
_running = (
    select(func.count())
    .where(job.c.lane == lane.c.name, job.c.lease_until.is_not(None))
    .correlate(lane)
    .scalar_subquery()
)
# Asked for as a value, not by EXISTS: PostgreSQL would join all lanes with all jobs to answer that.
_due_here = (
    select(job.c.id)
    .where(job.c.lane == lane.c.name, job.c.due_at <= _NOW, job.c.step.in_(bindparam("steps", expanding=True)))
    .order_by(job.c.due_at)
    .limit(1)
    .correlate(lane)
    .scalar_subquery()
    .is_not(None)
)
# Lanes of events hold nothing but `notify`, and no other lane does. Asked before the jobs are: a backlog of events
# would be read through in vain by each claim of a worker that does the other steps.
_its_lane = case(
    (lane.c.name.like("%:events:%"), bindparam("notifies", type_=Boolean)), else_=bindparam("works", type_=Boolean)
)
# A lane that failed and whose pause is over is half open: one job, until one succeeds and clears `paused_until`.
_cap = case((lane.c.ordered, 1), else_=func.coalesce(lane.c.cap, bindparam("cap", type_=Integer)))
_rests = func.coalesce(turns.rests(), literal("false"))
_may_give = and_(lane.c.due_at <= _NOW, not_(_rests), not_(shared_rates.rest()))


def _front(priority: int) -> Any:
    """The lanes of a priority whose turn it is, the longest waiting first."""
    its = lane.c.priority == literal(str(priority))
    found = select(lane.c.name).where(its, _may_give, _its_lane, _due_here, _running < _cap)
    inner = found.order_by(lane.c.due_at).limit(FRONT).subquery(f"front_{priority}")
    return select(inner.c.name)


_DUE_LANES = (
    select(
        lane.c.name,
        lane.c.cap,
        lane.c.paused_until,
        lane.c.priority,
        lane.c.ordered,
        func.coalesce(lane.c.rate, lane.c.agreed_rate).label("rate"),
        lane.c.tokens_at,
        case((lane.c.rate.is_(None), lane.c.shared)).label("shared"),
    )
    .where(lane.c.name.in_(union_all(*(_front(one) for one in range(len(PRIORITIES))))), _may_give)
    .order_by(type_coerce(lane.c.due_at, BigInteger) + lane.c.priority * AGEING, lane.c.name)
    .limit(LANES)
    .with_for_update(skip_locked=True, key_share=True, of=lane)
)
_RUNNING = select(lane.c.name, _running.label("running")).where(lane.c.name.in_(bindparam("lanes", expanding=True)))
_TOKENS = update(lane).where(lane.c.name == bindparam("of_lane")).values(tokens_at=bindparam("next", type_=Moment))
_turns = union_all(
    *(
        select(func.min(lane.c.due_at).label("at")).where(lane.c.priority == literal(str(one)), lane.c.due_at > _NOW)
        for one in range(len(PRIORITIES))
    ),
    shared_rates.NEXT,
).subquery()
_NEXT_TURN = select(func.min(_turns.c.at, type_=Moment).label("at"))
_TAKEN = {
    "state": JobState.RUNNING.value,
    "attempts": job.c.attempts + 1,
    "due_at": None,
    "lease_owner": bindparam("owner"),
    "lease_until": bindparam("until"),
}


# ruff: noqa: S608  the parts of the statements below are literals of this module, and numbers


def _pick(name: str, room: str, steps: str) -> str:
    """The jobs of a lane that run next: the longest due first, those of a higher priority sooner."""
    fronts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT job.id, job.due_at + {priority * AGEING} AS turn FROM job"
        f" WHERE job.lane = {name} AND job.priority = {priority} AND job.due_at <= :now AND {steps}"
        f" ORDER BY job.due_at, job.id LIMIT {room}) AS front_{priority}"
        for priority in range(len(PRIORITIES))
    )
    return f"SELECT id FROM ({fronts}) AS fronts ORDER BY turn, id LIMIT {room}"


def _head(name: str, steps: str) -> str:
    """The first job of an ordered lane, if it is due and no dead letter stands before it."""
    free = f"NOT EXISTS (SELECT 1 FROM job AS gone WHERE gone.lane = {name} AND gone.state = 'dead')"
    return (
        f"SELECT job.id FROM ({turns.head(name, 'job.*')}) AS job"
        f" WHERE job.lane = {name} AND job.due_at <= :now AND {steps} AND {free}"
    )


def _take_sqlite(picked: str) -> Any:
    ids = text(picked).bindparams(_NOW, bindparam("steps", expanding=True)).columns(job.c.id)
    return update(job).where(job.c.id.in_(ids)).values(_TAKEN).returning(*job.c)


def _take_postgresql(picked: str, *names: str) -> Any:
    """For many lanes at once; jobs that another commit holds at this moment are left.

    Arrays, not joins: of an array PostgreSQL's planner expects few, and looks each up by its key.
    """
    served = ", ".join(f":{name}" for name in names)
    ids = text(
        "SELECT job.id FROM job WHERE job.due_at IS NOT NULL AND job.id = ANY(ARRAY("
        f"SELECT picked.id FROM unnest({served}) AS served({', '.join(name.removesuffix('s') for name in names)})"
        f" CROSS JOIN LATERAL ({picked}) AS picked)) FOR UPDATE SKIP LOCKED"
    )
    types: dict[str, ARRAY[Any]] = {"names": ARRAY(Text), "rooms": ARRAY(Integer)}
    ids = ids.bindparams(_NOW, bindparam("steps", type_=ARRAY(Text)), *(bindparam(n, type_=types[n]) for n in names))
    found = ids.columns(job.c.id).cte("picked_jobs")
    these = text("job.id = ANY(ARRAY(SELECT picked_jobs.id FROM picked_jobs))")
    return update(job).where(these).values(_TAKEN).returning(*job.c).add_cte(found)


_TAKE_SQLITE = _take_sqlite(_pick(":name", ":room", "job.step IN :steps"))
_HEAD_SQLITE = _take_sqlite(_head(":name", "job.step IN :steps"))
_TAKE_POSTGRESQL = _take_postgresql(_pick("served.name", "served.room", "job.step = ANY(:steps)"), "names", "rooms")
_HEAD_POSTGRESQL = _take_postgresql(_head("served.name", "job.step = ANY(:steps)"), "names")


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """What a claim found."""

    jobs: tuple[Job, ...] = ()
    next_turn: datetime | None = None
    """When a lane has work next, as far as is known; None also where more may be due now."""


def claim(
    connection: Connection,
    *,
    owner: str,
    steps: Sequence[str],
    limit: int,
    now: datetime,
    until: datetime,
    cap: int,
) -> Claimed:
    """Take up to `limit` due jobs of these steps, leased to `owner` until `until`; their attempts are written."""
    if not steps or limit < 1:
        return Claimed()
    notifies = NOTIFY in steps
    wanted = {"now": now, "steps": list(steps), "cap": cap, "notifies": notifies, "works": len(steps) > notifies}
    due = prepared.fetch(connection, _DUE_LANES, wanted)
    if not due:
        return Claimed(next_turn=prepared.fetch(connection, _NEXT_TURN, {"now": now})[0].at)
    sharing = {row.name: row.shared for row in due if row.shared is not None}
    shared = shared_rates.Taking(connection, set(sharing.values()), now)
    rooms = _rooms(connection, due, shared, limit=limit, cap=cap, now=now)
    ordered = {row.name for row in due if row.ordered}
    common = {"owner": owner, "until": until, "now": now, "steps": list(steps)}
    taken = _take(connection, rooms, ordered, common)
    if taken:
        start_attempts(connection, ((row.id, row.attempts) for row in taken), now)
        _use_tokens(connection, due, Counter(row.lane for row in taken), now)
        shared.use(Counter(sharing[row.lane] for row in taken if row.lane in sharing))
    # Also those that had room and gave nothing: the head of an ordered lane is not due.
    turns.settle(connection, rooms, now, served=frozenset(row.lane for row in taken))
    places = {name: place for place, name in enumerate(rooms)}
    messages = queries.messages_by_id(connection, sorted({row.message_id for row in taken}))
    payloads = queries.small_payloads(connection, sorted({row.message_id for row in taken if not row.document_id}))
    jobs = (
        job_of(row, messages.get(row.message_id), None if row.document_id else payloads.get(row.message_id))
        for row in sorted(taken, key=lambda row: (places[row.lane], row.id))
    )
    return Claimed(jobs=tuple(jobs), next_turn=None if taken else shared.next_token())


def _take(
    connection: Connection, rooms: Mapping[str, int], ordered: AbstractSet[str], common: Mapping[str, Any]
) -> list[Any]:
    """The jobs that run next, as many of each lane as it has room."""
    plain = {name: room for name, room in rooms.items() if name not in ordered}
    heads = [name for name in rooms if name in ordered]
    taken: list[Any] = []
    if connection.dialect.name == "postgresql":
        if plain:
            many = {"names": list(plain), "rooms": list(plain.values())}
            taken.extend(prepared.fetch(connection, _TAKE_POSTGRESQL, {**common, **many}))
        if heads:
            taken.extend(prepared.fetch(connection, _HEAD_POSTGRESQL, {**common, "names": heads}))
        return taken
    for name, room in plain.items():
        taken.extend(prepared.fetch(connection, _TAKE_SQLITE, {**common, "name": name, "room": room}))
    for name in heads:
        taken.extend(prepared.fetch(connection, _HEAD_SQLITE, {**common, "name": name}))
    return taken


def _rooms(
    connection: Connection, due: Sequence[Any], shared: shared_rates.Taking, *, limit: int, cap: int, now: datetime
) -> dict[str, int]:
    """How many jobs each lane may give now: the higher priorities first, lanes of one share what is left.

    Counted after the lanes are locked, so no other claim can add to it.
    """
    counted = prepared.fetch(connection, _RUNNING, {"lanes": [row.name for row in due]})
    running: dict[str, int] = {row.name: row.running for row in counted}
    alike = Counter(row.priority for row in due)
    rooms: dict[str, int] = {}
    left = limit
    for row in due:
        share = -(-left // alike[row.priority])
        alike[row.priority] -= 1
        allowed = 1 if row.paused_until is not None or row.ordered else (cap if row.cap is None else row.cap)
        room = shared.most(row.shared, min(allowed - running[row.name], share, left, _tokens(row, now)))
        if room > 0:
            rooms[row.name] = room
            left -= room
    return rooms


def _tokens(row: Any, now: datetime) -> int:
    """How many jobs the lane's rate lets start now."""
    rate = None if row.rate is None else rate_of(row.rate)
    if rate is None:
        return MANY
    return shared_rates.tokens(rate, row.tokens_at, now)


def _use_tokens(connection: Connection, due: Sequence[Any], started: Mapping[str, int], now: datetime) -> None:
    """Move on when the next token is there: the time of those that came is not lost, as far as the burst goes."""
    used: list[dict[str, Any]] = []
    for row in due:
        rate = None if row.rate is None else rate_of(row.rate)
        if rate is not None and started.get(row.name):
            used.append({"of_lane": row.name, "next": shared_rates.used(rate, row.tokens_at, now, started[row.name])})
    if used:
        connection.execute(_TOKENS, used)
