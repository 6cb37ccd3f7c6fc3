"""Webhooks as the store knows them: which are disabled, what was delivered to each, and what is sent once more.

What an endpoint is stands in the configuration; its deliveries are jobs of step `notify` in its lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, func, literal_column, select, update

from gateway.ports import JobState
from gateway.store import jobs
from gateway.store.statements import add_or_leave
from gateway.store.tables import attempt, job, webhook

_NOTIFY = job.c.step == literal_column("'notify'")


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """Whether a webhook is disabled, since when, by whom, why. One that never was has none."""

    name: str
    disabled_at: datetime | None
    changed_at: datetime
    changed_by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One event on its way to one webhook, and how the last attempt went."""

    job_id: int
    event_id: str
    type: str
    message_id: str
    state: str
    attempts: int
    due_at: datetime | None
    last_at: datetime | None
    outcome: str | None
    reason: str | None


def switch(connection: Connection, name: str, *, disabled: bool, now: datetime, by: str, reason: str) -> bool:
    """Disable or enable a webhook; False when it was so already."""
    row = {
        "name": name,
        "disabled_at": now if disabled else None,
        "changed_at": now,
        "changed_by": by,
        "reason": reason,
    }
    is_so = webhook.c.disabled_at.is_not(None) if disabled else webhook.c.disabled_at.is_(None)
    if add_or_leave(connection, webhook, row):
        return disabled
    return connection.execute(update(webhook).where(webhook.c.name == name, ~is_so).values(row)).rowcount > 0


def switches(connection: Connection) -> list[Switch]:
    """Every webhook that is disabled, or was once."""
    return [Switch(**row) for row in connection.execute(select(webhook).order_by(webhook.c.name)).mappings()]


def counts(connection: Connection, lane: str | None = None) -> dict[str, dict[str, int]]:
    """How many deliveries are in each state, by lane: of one, or of all that have any."""
    counted = select(job.c.lane, job.c.state, func.count()).where(_NOTIFY).group_by(job.c.lane, job.c.state)
    if lane is not None:
        counted = counted.where(job.c.lane == lane)
    found: dict[str, dict[str, int]] = {}
    for name, state, count in connection.execute(counted):
        found.setdefault(name, {})[state] = count
    return found


def notices(connection: Connection, lane: str, *, states: Sequence[str] = (), limit: int = 50) -> list[Notice]:
    """The newest deliveries of a lane first, with their last attempt."""
    wanted: Select[tuple[int]] = select(job.c.id).where(_NOTIFY, job.c.lane == lane)
    if states:
        wanted = wanted.where(job.c.state.in_(states))
    wanted = wanted.order_by(job.c.id.desc()).limit(limit)
    found = (
        select(job, attempt.c.started_at, attempt.c.ended_at, attempt.c.outcome, attempt.c.reason)
        .outerjoin(attempt, (attempt.c.job_id == job.c.id) & (attempt.c.number == job.c.attempts))
        .where(job.c.id.in_(wanted))
        .order_by(job.c.id.desc())
    )
    return [
        Notice(
            job_id=row.id,
            event_id=str(row.data.get("event_id", "")),
            type=str(row.data.get("type", "")),
            message_id=row.message_id,
            state=row.state,
            attempts=row.attempts,
            due_at=row.due_at,
            last_at=row.ended_at or row.started_at,
            outcome=row.outcome,
            reason=row.reason,
        )
        for row in connection.execute(found)
    ]


def again(
    connection: Connection,
    lane: str,
    now: datetime,
    *,
    event_id: str | None = None,
    since: datetime | None = None,
    failed_only: bool = True,
) -> int:
    """Put deliveries that have ended back to work with a fresh schedule; how many there were."""
    ended = [JobState.DEAD.value] if failed_only else [JobState.DEAD.value, JobState.DONE.value]
    wanted = [_NOTIFY, job.c.lane == lane, job.c.state.in_(ended)]
    if event_id is not None:
        wanted.append(job.c.data["event_id"].as_string() == event_id)
    if since is not None:
        wanted.append(job.c.first_run_at >= since)
    ready = {"state": JobState.READY.value, "due_at": now, "first_run_at": now, "attempts_before": job.c.attempts}
    again = update(job).where(*wanted).values(ready).returning(job.c.lane, job.c.priority)
    rows = connection.execute(again).all()
    jobs.due_again(connection, rows, now)
    return len(rows)
