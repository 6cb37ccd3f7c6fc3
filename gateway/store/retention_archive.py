"""Finished work moves out: the jobs of a message and their attempts become one row of `work_done`.

`job` and `attempt` stay as small as what is open, and nothing is lost: the attempts are told as before, and work that
is begun again is put back first. Deliveries to webhooks stay where they are, by rules of their own; so does what an
operator put aside, since it can be taken back.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, literal_column, select

from gateway.ports import Attempt, JobState
from gateway.store.retention_due import ENDED, unfinished
from gateway.store.retention_holds import chunks
from gateway.store.tables import attempt, job, microseconds, moment, work_done

_OURS = job.c.step != literal_column("'notify'")
_KEPT = (
    "id", "document_id", "step", "lane", "first_run_at", "attempts", "attempts_before", "wait_key", "data", "priority",
)  # fmt: skip
_TRIES = ("number", "started_at", "ended_at", "outcome", "reason")
_TIMES = frozenset({"first_run_at", "started_at", "ended_at"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """What one commit moved."""

    messages: int
    jobs: int


def page(connection: Connection, after: int, before: datetime, most: int) -> tuple[int, list[str]]:
    """The messages of the next finished jobs from before a time, and the last job's id; 0: there is none."""
    wanted = (job.c.id > after, job.c.state == JobState.DONE.value, _OURS, job.c.first_run_at < before)
    rows = connection.execute(select(job.c.id, job.c.message_id).where(*wanted).order_by(job.c.id).limit(most)).all()
    return (rows[-1].id if rows else 0), list(dict.fromkeys(row.message_id for row in rows))


def move(connection: Connection, ids: Sequence[str], before: datetime) -> Moved:
    """Move the work of those of these messages with which nothing has happened since `before`, and nothing will."""
    still = unfinished(connection, ids)
    wanted = (job.c.message_id.in_([one for one in ids if one not in still]), _OURS)
    found: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(select(job).where(*wanted).order_by(job.c.id).with_for_update()):
        found[row.message_id].append(row)
    tries: dict[int, list[Any]] = defaultdict(list)
    for some in chunks(row.id for rows in found.values() for row in rows):
        made = select(attempt).where(attempt.c.job_id.in_(some)).order_by(*attempt.primary_key)
        for one in connection.execute(made):
            tries[one.job_id].append(one)
    messages, moved = 0, list[int]()
    for message_id, rows in found.items():
        ended = all(row.state in ENDED and row.first_run_at < before for row in rows)
        ends = [one.ended_at or one.started_at for row in rows for one in tries[row.id]]
        last = max((*ends, *(row.first_run_at for row in rows)))
        done = [row for row in rows if row.state == JobState.DONE.value]
        if not ended or last >= before or not done:
            continue
        work = [[*_values(row, _KEPT), [_values(one, _TRIES) for one in tries[row.id]]] for row in done]
        _keep(connection, message_id, work, last)
        messages, moved = messages + 1, moved + [row.id for row in done]
    for some in chunks(moved):
        connection.execute(delete(attempt).where(attempt.c.job_id.in_(some)))
        connection.execute(delete(job).where(job.c.id.in_(some)))
    return Moved(messages=messages, jobs=len(moved))


def put_back(connection: Connection, message_id: str) -> bool:
    """Make finished work jobs again, done as they were: somebody begins it anew. Whether there was any.

    What was done several times under one name is one job again, the last; the others stay where they are.
    """
    row = connection.execute(delete(work_done).where(_of(message_id)).returning(*work_done.c)).one_or_none()
    if row is None:
        return False
    names = select(job.c.step, job.c.document_id).where(job.c.message_id == message_id)
    there = {(found.step, found.document_id) for found in connection.execute(names)}
    jobs: list[tuple[dict[str, Any], list[Any]]] = []
    stays: list[Any] = []
    for one in reversed(_read(row.work)):
        *values, made = one
        its = _row(_KEPT, values)
        if (its["step"], its["document_id"]) in there:
            stays.insert(0, one)
            continue
        there.add((its["step"], its["document_id"]))
        jobs.append((its | {"message_id": message_id, "state": JobState.DONE.value}, made))
    _write(connection, message_id, stays, row.ended_at, row.steps)
    if jobs:
        _insert(connection, jobs)
    return bool(jobs)


def _insert(connection: Connection, jobs: Sequence[tuple[dict[str, Any], list[Any]]]) -> None:
    """Jobs and their attempts. SQLite gives the numbers of removed rows to others: then it is a new one here."""
    taken: set[int] = set()
    for some in chunks(its["id"] for its, _ in jobs):
        taken.update(connection.execute(select(job.c.id).where(job.c.id.in_(some))).scalars())
    tries: list[dict[str, Any]] = []
    if theirs := [its for its, _ in jobs if its["id"] not in taken]:
        connection.execute(insert(job), theirs)
    for its, made in jobs:
        id_ = its["id"]
        if id_ in taken:
            new = {name: value for name, value in its.items() if name != "id"}
            id_ = connection.execute(insert(job).returning(job.c.id), new).scalar_one()
        tries += [_row(_TRIES, each) | {"job_id": id_} for each in made]
    if tries:
        connection.execute(insert(attempt), tries)


def attempts(connection: Connection, message_id: str) -> list[Attempt]:
    """Every try at the work on a message that has moved out."""
    row = connection.execute(select(work_done.c.work).where(_of(message_id))).one_or_none()
    if row is None:
        return []
    found: list[Attempt] = []
    for *values, made in _read(row.work):
        its = _row(_KEPT, values)
        found += [Attempt(job_id=its["id"], step=its["step"], **_row(_TRIES, each)) for each in made]
    return found


def _keep(connection: Connection, message_id: str, work: list[Any], ended_at: datetime) -> None:
    """Write a message's row; what had moved out before is put before it."""
    before = delete(work_done).where(_of(message_id)).returning(work_done.c.work, work_done.c.steps)
    row = connection.execute(before).one_or_none()
    earlier, steps = ([], "") if row is None else (_read(row.work), row.steps)
    _write(connection, message_id, earlier + work, ended_at, steps)


def _write(connection: Connection, message_id: str, work: list[Any], ended_at: datetime, steps: str) -> None:
    known = {one for one in steps.split(",") if one} | {one[_KEPT.index("step")] for one in work}
    values = {
        "message_id": message_id,
        "ended_at": ended_at,
        "steps": f",{','.join(sorted(known))},",
        "jobs": len(work),
        "attempts": sum(len(one[-1]) for one in work),
        "work": deflated(work),
    }
    connection.execute(insert(work_done), values)


def deflated(work: list[Any]) -> bytes:
    """Jobs as a row has them."""
    return zlib.compress(json.dumps(work, separators=(",", ":"), ensure_ascii=False).encode())


def _of(message_id: str) -> Any:
    return work_done.c.message_id == message_id


def text_of(work: bytes) -> str:
    """The JSON of a row."""
    return zlib.decompress(work).decode()


def _read(work: bytes) -> list[Any]:
    found: list[Any] = json.loads(text_of(work))
    return found


def _values(row: Any, names: Sequence[str]) -> list[Any]:
    """Columns as JSON values; times as the tables have them."""
    found = {name: getattr(row, name) for name in names}
    return [microseconds(value) if name in _TIMES and value is not None else value for name, value in found.items()]


def _row(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    found = dict(zip(names, values, strict=True))
    return {name: moment(value) if name in _TIMES and value is not None else value for name, value in found.items()}
