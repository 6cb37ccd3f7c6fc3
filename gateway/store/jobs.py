"""Jobs: work that is due, waiting, running, done or dead. Every end of a run is fenced by owner and attempt.

`due_at` is set only while a job may be claimed, `lease_until` only while it runs: finished jobs cost a claim nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, func, insert, literal_column, select, update

from gateway.ports import WAIT_FOR_NUMBERED, Job, JobState, LeaseLost, Message, NewJob, TermsOf
from gateway.ports.dead_letters import DeadLetter
from gateway.store import later, prepared, retention_archive
from gateway.store.statements import insert_or_leave
from gateway.store.tables import attempt, job
from gateway.store.turns import Turn, arm

LOST = "lost"
"""Outcome of an attempt whose process died, or was stopped, before it ended."""
RETURNED = "returned"
"""Outcome of an attempt that was given back before any of its work was begun."""

_ENDED = (JobState.DONE.value, JobState.DEAD.value, JobState.DISCARDED.value)
_OVER = frozenset({JobState.DONE.value, JobState.DISCARDED.value})
_PART = "/"
"""Between a document's id and which of its jobs it is."""

_RETURNED_STATE = case((job.c.wait_key.is_not(None), JobState.WAITING.value), else_=JobState.READY.value)

_mine = and_(
    job.c.id == bindparam("of_job"),
    job.c.lease_owner == bindparam("owner"),
    job.c.attempts == bindparam("of_attempt"),
    job.c.lease_until.is_not(None),
)
_END = (
    update(job)
    .where(_mine)
    .values(state=bindparam("new_state"), due_at=bindparam("new_due"), lease_owner=None, lease_until=None)
)
_RETURN = (
    update(job)
    .where(_mine)
    .values(state=_RETURNED_STATE, due_at=bindparam("new_due"), lease_owner=None, lease_until=None)
)
_EXTEND = update(job).where(_mine).values(lease_until=bindparam("until"))
_START_ATTEMPT = insert(attempt)
_END_ATTEMPT = (
    update(attempt)
    .where(attempt.c.job_id == bindparam("of_job"), attempt.c.number == bindparam("of_attempt"))
    .values(ended_at=bindparam("at"), outcome=bindparam("how"), reason=bindparam("why"))
)


def add(connection: Connection, new_jobs: Sequence[NewJob], rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Store new work; work that is there already (message, step, document) is left as it is."""
    for message_id in {new.message_id for new in new_jobs if new.again_after is not None}:
        retention_archive.put_back(connection, message_id)
    later.add(connection, insert_or_leave(job, connection.dialect.name), rows)
    arm(connection, turns_of(rows, now))
    for new in new_jobs:
        if new.again_after is not None:
            _repeat(connection, new, new.again_after, now)


def turns_of(rows: Iterable[dict[str, Any]], now: datetime) -> list[Turn]:
    """When their lanes have work."""
    return [Turn(lane=row["lane"], at=row["due_at"], priority=row["priority"], now=now) for row in rows]


def rows_of(new_jobs: Sequence[NewJob], wait_keys: Mapping[str, str | None], terms: TermsOf) -> list[dict[str, Any]]:
    """New jobs as rows: ready, or waiting for their keys."""
    rows: list[dict[str, Any]] = []
    for new in new_jobs:
        wait_key = wait_keys.get(new.message_id) if new.wait_key == WAIT_FOR_NUMBERED else new.wait_key
        row = {
            "message_id": new.message_id,
            "document_id": _subject(new.document_id, new.part),
            "step": new.step,
            "lane": new.lane,
            "state": (JobState.READY if wait_key is None else JobState.WAITING).value,
            "due_at": new.run_at,
            "first_run_at": new.run_at,
            "attempts": 0,
            "attempts_before": 0,
            "wait_key": wait_key,
            "data": dict(new.data),
            "priority": terms(new.lane).priority if new.priority is None else new.priority,
        }
        rows.append(row)
    return rows


def _repeat(connection: Connection, new: NewJob, pause: timedelta, now: datetime) -> None:
    """The same work once more: one that waits for its turn gets the new data, one that has ended a new turn."""
    subject = _subject(new.document_id, new.part)
    mine = (job.c.message_id == new.message_id) & (job.c.step == new.step) & (job.c.document_id == subject)
    row = connection.execute(select(job).where(mine & job.c.lease_until.is_(None)).with_for_update()).one_or_none()
    if row is None:  # it runs at this moment
        return
    values: dict[str, Any] = {"data": dict(new.data)}
    if row.state in _ENDED:
        due = max(new.run_at, row.first_run_at + pause)
        values |= {"state": _RETURNED_STATE, "due_at": due, "first_run_at": due, "attempts_before": row.attempts}
        arm(connection, [Turn(lane=row.lane, at=due, priority=row.priority, now=now)])
    connection.execute(update(job).where(job.c.id == row.id).values(values))


def meet(connection: Connection, wait_keys: Sequence[str], now: datetime) -> None:
    """End the jobs that wait for these keys; one that runs at this moment loses its lease, its attempt is done."""
    if not wait_keys:
        return
    open_jobs = job.c.wait_key.in_(wait_keys) & (job.c.state != JobState.DONE.value)
    running = select(job.c.id, job.c.attempts).where(open_jobs & job.c.lease_until.is_not(None)).with_for_update()
    for row in connection.execute(running).all():
        end_attempt(connection, row.id, row.attempts, at=now, outcome="done", reason="what it waited for came")
    ended = {"state": JobState.DONE.value, "due_at": None, "lease_owner": None, "lease_until": None}
    connection.execute(update(job).where(open_jobs).values(ended))


def wake(connection: Connection, wait_keys: Sequence[str], now: datetime) -> None:
    """Let the jobs that wait for these keys run now; one that runs at this moment comes back by itself."""
    if wait_keys:
        waits = job.c.wait_key.in_(wait_keys) & (job.c.state == JobState.WAITING.value)
        woken = update(job).where(waits).values(due_at=now).returning(job.c.lane, job.c.priority)
        due_again(connection, connection.execute(woken).all(), now)


def end(
    connection: Connection,
    ours: Job,
    state: JobState,
    *,
    now: datetime,
    outcome: str,
    reason: str | None = None,
    run_at: datetime | None = None,
) -> None:
    """End this run of `ours`: done, dead, or due again at `run_at`. Raises LeaseLost when it is not ours any more."""
    fence = {"of_job": ours.id, "owner": ours.owner, "of_attempt": ours.attempt, "new_due": run_at}
    if run_at is None:
        changed = prepared.change(connection, _END, fence | {"new_state": state.value})
    else:
        changed = prepared.change(connection, _RETURN, fence)
    if changed == 0:
        raise LeaseLost(f"Job {ours.id} ({ours.step} of message {ours.message_id}) was given to another worker")
    end_attempt(connection, ours.id, ours.attempt, at=now, outcome=outcome, reason=reason)
    if run_at is not None:
        arm(connection, [Turn(lane=ours.lane, at=run_at, priority=ours.priority, now=now)])


def end_attempt(
    connection: Connection, job_id: int, number: int, *, at: datetime, outcome: str, reason: str | None
) -> None:
    """Complete the record of an attempt."""
    values = {"of_job": job_id, "of_attempt": number, "at": at, "how": outcome, "why": reason}
    later.add(connection, _END_ATTEMPT, [values])


def lost_before(connection: Connection, ours: Job) -> bool:
    """Whether the attempt before this one began and never ended."""
    before = (attempt.c.job_id == ours.id) & (attempt.c.number == ours.attempt - 1)
    return connection.execute(select(attempt.c.outcome).where(before)).scalar() == LOST


def extend(connection: Connection, ours: Job, until: datetime) -> None:
    """Keep a long run's lease. Raises LeaseLost."""
    fence = {"of_job": ours.id, "owner": ours.owner, "of_attempt": ours.attempt}
    if connection.execute(_EXTEND, fence | {"until": until}).rowcount == 0:
        raise LeaseLost(f"Job {ours.id} ({ours.step} of message {ours.message_id}) was given to another worker")


def reap(
    connection: Connection,
    now: datetime,
    *,
    everything: bool = False,
    owner: str | None = None,
    reason: str = "its process did not finish it",
) -> int:
    """Return jobs whose lease has run out, or all running ones (of `owner`) when their process is known to be gone."""
    running = job.c.lease_until.is_not(None) if everything or owner is not None else job.c.lease_until < now
    if owner is not None:
        running &= job.c.lease_owner == owner
    returned = (
        update(job)
        .where(running)
        .values(state=_RETURNED_STATE, due_at=now, lease_owner=None, lease_until=None)
        .returning(job.c.id, job.c.attempts, job.c.lane, job.c.priority)
    )
    rows = connection.execute(returned).all()
    for row in rows:
        end_attempt(connection, row.id, row.attempts, at=now, outcome=LOST, reason=reason)
    due_again(connection, rows, now)
    return len(rows)


def move_dead(connection: Connection, now: datetime, *, letter: DeadLetter, again: bool) -> bool:
    """Put a dead letter back to work with a fresh schedule, or aside; False when it stands otherwise by now."""
    was = JobState.DISCARDED if letter.discarded else JobState.DEAD
    mine = (job.c.id == letter.id) & (job.c.state == was.value) & (job.c.attempts == letter.attempts)
    values: dict[str, Any] = {"state": JobState.DISCARDED.value}
    if again:
        values = {"state": _RETURNED_STATE, "due_at": now, "first_run_at": now, "attempts_before": job.c.attempts}
    moved = update(job).where(mine).values(values).returning(job.c.lane, job.c.priority)
    rows = connection.execute(moved).all()
    due_again(connection, rows, now)  # put aside, it holds a lane that keeps its order no more: that has a turn, too
    return bool(rows)


def _subject(document_id: str | None, part: str) -> str:
    return f"{document_id}{_PART}{part}" if document_id and part else document_id or ""


def document_and_part(subject: str) -> tuple[str | None, str]:
    """What a row's `document_id` names."""
    document_id, _, part = subject.partition(_PART)
    return document_id or None, part


def again(connection: Connection, message_id: str, step: str, document_id: str, now: datetime) -> None:
    """Put the jobs of a step for a document, done or dead, back to work with a fresh schedule."""
    ended = job.c.state.in_(_ENDED)
    parts = job.c.document_id.startswith(f"{document_id}{_PART}", autoescape=True)
    mine = (job.c.message_id == message_id) & (job.c.step == step) & ((job.c.document_id == document_id) | parts)
    ready = {"state": JobState.READY.value, "due_at": now, "first_run_at": now, "attempts_before": job.c.attempts}
    returned = update(job).where(mine & ended).values(ready).returning(job.c.lane, job.c.priority)
    rows = connection.execute(returned).all()
    if not rows and retention_archive.put_back(connection, message_id):
        rows = connection.execute(returned).all()
    due_again(connection, rows, now)


def due_again(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Give the lanes of jobs that became due their turns; rows with lane and priority."""
    arm(connection, [Turn(lane=row.lane, at=now, priority=row.priority, now=now) for row in rows])


def start_attempts(connection: Connection, started: Iterable[tuple[int, int]], now: datetime) -> None:
    """Write down the attempts about to be made: jobs, and the numbers of their attempts."""
    if rows := [{"job_id": id_, "number": number, "started_at": now} for id_, number in started]:
        prepared.change_all(connection, _START_ATTEMPT, rows)


def job_of(row: Row[Any], message: Message | None = None, payload: bytes | None = None) -> Job:
    """A row of the job table as a value, with what the claim brings along."""
    document_id, part = document_and_part(row.document_id)
    return Job(
        id=row.id,
        message_id=row.message_id,
        document_id=document_id,
        part=part,
        step=row.step,
        lane=row.lane,
        attempt=row.attempts,
        tries=row.attempts - row.attempts_before,
        owner=row.lease_owner or "",
        wait_key=row.wait_key,
        data=row.data,
        first_run_at=row.first_run_at,
        message=message,
        payload=payload,
        priority=row.priority,
    )


def unfinished(connection: Connection) -> dict[str, int]:
    """How many jobs are in each state but done, by indexes that hold no finished rows."""
    found = {state.value: 0 for state in JobState if state.value not in _OVER}
    conditions = (job.c.due_at.is_not(None), job.c.lease_until.is_not(None), job.c.state == literal_column("'dead'"))
    for condition in conditions:
        counted = select(job.c.state, func.count()).where(condition).group_by(job.c.state)
        found.update({str(state): int(count) for state, count in connection.execute(counted)})
    return found
