"""The outbox: published events from the commit of their fact until they are handed on.

Rows are claimed, never read "after the last one seen": of two commits the one with the lower number may come later.
Each way out has rows of its own. Webhooks: a row becomes a job for each endpoint that asked, in the transaction that
removes it. A stream: a claim moves `due_at` into the future, and a row is removed when the stream has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from gateway.ports import Document, NewDocument, NewJob
from gateway.ports.lanes import plain
from gateway.publication import NOTIFY, WEBHOOKS, Announcement, Announcer, Endpoint, Subscribers, Written
from gateway.store import jobs, lanes, later
from gateway.store.tables import Moment, outbox, webhook

_INSERT = insert(outbox)
_DUE = (
    select(outbox.c.id)
    .where(outbox.c.way == bindparam("of_way"), outbox.c.due_at <= bindparam("now", type_=Moment))
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")  # with its locks PostgreSQL runs it once; a sub-select may be run again, and lock more than it gives
)
_DUE_IDS = select(_DUE.c.id)
_TAKE = delete(outbox).where(outbox.c.id.in_(_DUE_IDS)).returning(*outbox.c)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(_DUE_IDS))
    .values(due_at=bindparam("until"), tries=outbox.c.tries + 1)
    .returning(*outbox.c)
)
_GONE = delete(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))
_PUT_OFF = (
    update(outbox).where(outbox.c.id == bindparam("of_row")).values(due_at=bindparam("until"), reason=bindparam("why"))
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A claimed row."""

    id: int
    event_id: str
    type: str
    partner: str | None
    body: str
    tries: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """What waits for one way out."""

    way: str
    events: int
    oldest: datetime
    """When the oldest was written."""
    failing: int
    """How many were tried in vain."""
    reason: str | None
    """Why one of them was not taken."""


def add(
    connection: Connection,
    announcer: Announcer | None,
    facts: Sequence[Any],
    *,
    chained: Sequence[dict[str, Any]],
    documents: Sequence[NewDocument | Document],
    now: datetime,
) -> None:
    """Write what is published of `facts`, whose rows on the trail are `chained`."""
    if announcer is None or not facts:
        return
    written = (Written(number=row["number"], at=row["at"]) for row in chained)
    rows = [row_of(one, now) for one in announcer.announcements(facts, written, documents)]
    later.add(connection, _INSERT, rows)


def row_of(one: Announcement, now: datetime) -> dict[str, Any]:
    """A new row."""
    return {
        "event_id": one.event_id,
        "way": one.way,
        "type": one.type,
        "partner": one.partner,
        "message_id": one.message_id,
        "at": now,
        "due_at": now,
        "tries": 0,
        "reason": None,
        "body": one.body,
    }


def hand_on(connection: Connection, subscribers: Subscribers, *, now: datetime, most: int) -> tuple[int, set[str]]:
    """Make the jobs of the webhooks that asked for what is due; how many events there were, and the jobs' lanes."""
    rows = connection.execute(_TAKE, {"of_way": WEBHOOKS, "now": now, "most": most}).all()
    if not rows:
        return 0, set()
    off = set(connection.execute(select(webhook.c.name).where(webhook.c.disabled_at.is_not(None))).scalars())
    new = [
        job_of(row, endpoint, now)
        for row in sorted(rows, key=lambda row: row.id)
        for endpoint in subscribers.told(row.type, row.partner)
        if endpoint.name not in off
    ]
    lanes.add(connection, {one.lane for one in new}, now)
    jobs.add(connection, new, jobs.rows_of(new, {}, plain), now)
    return len(rows), {one.lane for one in new}


def job_of(row: Any, endpoint: Endpoint, now: datetime) -> NewJob:
    """The work of telling one webhook of one event. Its identity is both of them."""
    return NewJob(
        message_id=row.message_id,
        document_id=row.event_id,
        part=endpoint.name,
        step=NOTIFY,
        lane=endpoint.lane,
        run_at=now,
        data={"endpoint": endpoint.name, "event_id": row.event_id, "type": row.type, "body": row.body},
    )


def claim(connection: Connection, *, way: str, now: datetime, lease: timedelta, most: int) -> list[Outgoing]:
    """Take what is due on a way; it comes back when the lease is over, unless it is done."""
    rows = connection.execute(_CLAIM, {"of_way": way, "now": now, "most": most, "until": now + lease}).all()
    return [
        Outgoing(id=row.id, event_id=row.event_id, type=row.type, partner=row.partner, body=row.body, tries=row.tries)
        for row in sorted(rows, key=lambda row: row.id)
    ]


def settle(connection: Connection, *, done: Sequence[int], put_off: Iterable[tuple[int, datetime, str]]) -> None:
    """Remove what was handed on; what was not comes back at its time, with the reason."""
    if done:
        connection.execute(_GONE, {"ids": list(done)})
    for row, until, why in put_off:
        connection.execute(_PUT_OFF, {"of_row": row, "until": until, "why": why})


def waiting(connection: Connection) -> list[Waiting]:
    """What waits, by way."""
    found = select(
        outbox.c.way,
        func.count().label("events"),
        func.min(outbox.c.at).label("oldest"),
        func.count(outbox.c.reason).label("failing"),
        func.max(outbox.c.reason).label("reason"),
    ).group_by(outbox.c.way)
    return [Waiting(**row) for row in connection.execute(found.order_by(outbox.c.way)).mappings()]
