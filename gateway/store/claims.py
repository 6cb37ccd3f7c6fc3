"""Claiming: which due jobs run next. Lanes take turns (least recently served first), none runs more than its cap.

A claim looks at a few lanes and probes one index in each, so its cost does not grow with the backlog. On PostgreSQL the
lanes are locked with SKIP LOCKED: nodes claim from different lanes at once, and none sees another's count half done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Connection, Integer, Row, Text, bindparam, case, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.ports import Job, JobState
from gateway.publication import NOTIFY
from gateway.store import queries
from gateway.store.jobs import job_of, start_attempts
from gateway.store.tables import Moment, job, lane

LANES = 8
"""How many lanes one claim serves at most."""

_running = (
    select(func.count())
    .where(job.c.lane == lane.c.name, job.c.lease_until.is_not(None))
    .correlate(lane)
    .scalar_subquery()
)
_due_here = exists().where(
    job.c.lane == lane.c.name,
    job.c.due_at <= bindparam("now", type_=Moment),
    job.c.step.in_(bindparam("steps", expanding=True)),
)
# Lanes of events hold nothing but `notify`, and no other lane does. Asked before the jobs are: a backlog of events
# would be read through in vain by each claim of a worker that does the other steps.
_its_lane = case(
    (lane.c.name.like("%:events:%"), bindparam("notifies", type_=Boolean)), else_=bindparam("works", type_=Boolean)
)
# A lane that failed and whose pause is over is half open: one job, until one succeeds and clears `paused_until`.
_room = func.coalesce(lane.c.cap, bindparam("cap", type_=Integer))
_DUE_LANES = (
    select(lane.c.name, lane.c.cap, lane.c.paused_until)
    .where(
        or_(lane.c.paused_until.is_(None), lane.c.paused_until <= bindparam("now", type_=Moment)),
        _its_lane,
        _due_here,
        _running < _room,
    )
    .order_by(lane.c.served_at, lane.c.name)
    .limit(LANES)
    .with_for_update(skip_locked=True, key_share=True, of=lane)
)
_RUNNING = (
    select(job.c.lane, func.count().label("running"))
    .where(job.c.lane.in_(bindparam("lanes", expanding=True)), job.c.lease_until.is_not(None))
    .group_by(job.c.lane)
)
_SERVED = update(lane).where(lane.c.name.in_(bindparam("lanes", expanding=True))).values(served_at=bindparam("now"))
_TAKEN = {
    "state": JobState.RUNNING.value,
    "attempts": job.c.attempts + 1,
    "due_at": None,
    "lease_owner": bindparam("owner"),
    "lease_until": bindparam("until"),
}

_TAKE_SQLITE = (
    update(job)
    .where(
        job.c.id.in_(
            select(job.c.id)
            .where(
                job.c.lane == bindparam("name"),
                job.c.due_at <= bindparam("now", type_=Moment),
                job.c.step.in_(bindparam("steps", expanding=True)),
            )
            .order_by(job.c.due_at, job.c.id)
            .limit(bindparam("room", type_=Integer))
            .correlate(None)
        )
    )
    .values(_TAKEN)
    .returning(*job.c)
)

_PICKED = (
    text(
        """
        SELECT picked.id FROM unnest(:names, :rooms) AS served(name, room)
        CROSS JOIN LATERAL (
            SELECT job.id FROM job
            WHERE job.lane = served.name AND job.due_at <= :now AND job.step = ANY(:steps)
            ORDER BY job.due_at, job.id LIMIT served.room FOR UPDATE SKIP LOCKED
        ) AS picked
        """
    )
    .bindparams(
        bindparam("names", type_=ARRAY(Text)),
        bindparam("rooms", type_=ARRAY(Integer)),
        bindparam("steps", type_=ARRAY(Text)),
        bindparam("now", type_=Moment),
    )
    .columns(job.c.id)
    .cte("picked_jobs")
)
_TAKE_POSTGRESQL = update(job).where(job.c.id == _PICKED.c.id).values(_TAKEN).returning(*job.c)


def claim(
    connection: Connection,
    *,
    owner: str,
    steps: Sequence[str],
    limit: int,
    now: datetime,
    until: datetime,
    cap: int,
) -> list[Job]:
    """Take up to `limit` due jobs of these steps, leased to `owner` until `until`; their attempts are written."""
    if not steps or limit < 1:
        return []
    notifies = NOTIFY in steps
    wanted = {"now": now, "steps": list(steps), "cap": cap, "notifies": notifies, "works": len(steps) > notifies}
    due = connection.execute(_DUE_LANES, wanted).all()
    if not due:
        return []
    rooms = _rooms(connection, due, limit=limit, cap=cap)
    taken: list[Row[Any]] = []
    common = {"owner": owner, "until": until, "now": now, "steps": list(steps)}
    if connection.dialect.name == "postgresql":
        names = list(rooms)
        taken.extend(connection.execute(_TAKE_POSTGRESQL, common | {"names": names, "rooms": [*rooms.values()]}))
    else:
        for name, room in rooms.items():
            taken.extend(connection.execute(_TAKE_SQLITE, common | {"name": name, "room": room}))
    if taken:
        connection.execute(_SERVED, {"lanes": sorted({row.lane for row in taken}), "now": now})
        start_attempts(connection, taken, now)
    turns = {name: turn for turn, name in enumerate(rooms)}
    messages = queries.messages_by_id(connection, sorted({row.message_id for row in taken}))
    payloads = queries.small_payloads(connection, sorted({row.message_id for row in taken if not row.document_id}))
    return [
        job_of(row, messages.get(row.message_id), None if row.document_id else payloads.get(row.message_id))
        for row in sorted(taken, key=lambda row: (turns[row.lane], row.id))
    ]


def _rooms(
    connection: Connection, due: Sequence[Row[str, int | None, datetime | None]], *, limit: int, cap: int
) -> dict[str, int]:
    """How many jobs each lane may give now. Counted after the lanes are locked, so no other claim can add to it."""
    counted = connection.execute(_RUNNING, {"lanes": [row.name for row in due]})
    running: dict[str, int] = {row.lane: row.running for row in counted}
    share = -(-limit // len(due))
    rooms: dict[str, int] = {}
    left = limit
    for row in due:
        allowed = 1 if row.paused_until is not None else (cap if row.cap is None else row.cap)
        room = min(allowed - running.get(row.name, 0), share, left)
        if room > 0:
            rooms[row.name] = room
            left -= room
    return rooms
