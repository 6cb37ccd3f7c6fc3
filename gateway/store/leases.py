"""Leases by the commit that adds the job: what this process has room for is running already when it becomes durable.

It saves the claim, a transaction for each job. The law is the claim's: no lane over its cap, none that rests, nobody
before a job that waits already. Whatever the commit does not lease is ready work, as if nobody had asked. A process
that dies after the commit leaves a lease like any other: it runs out, or the next start returns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import Connection, Integer, and_, bindparam, case, func, literal_column, not_, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ports import Job, JobState, Message, NewJob, NewMessage
from gateway.ports.lanes import UNLIMITED
from gateway.store import jobs, later, prepared, queries
from gateway.store.payloads import Stored
from gateway.store.statements import insert_or_leave
from gateway.store.tables import Moment, job, lane
from gateway.store.turns import arm_now

Row = dict[str, Any]


@dataclass(kw_only=True, slots=True)
class Lease:
    """What a worker offers to take from one commit, and what that commit gave it."""

    owner: str
    steps: frozenset[str]
    room: int
    """How many jobs it takes at most."""
    now: datetime
    until: datetime
    cap: int
    """Of lanes that have none of their own."""
    jobs: list[Job] = field(default_factory=list)
    """Leased to the owner, if the commit succeeds."""
    messages: dict[str, tuple[Message, bytes | None]] = field(default_factory=dict)
    """The new messages of the commit, with those payloads that are small."""

    def begin(self) -> None:
        """The operation is run, or run again: nothing is leased yet."""
        self.jobs.clear()
        self.messages.clear()

    def brings(self, new: NewMessage, body: Stored, wait_key: str | None) -> None:
        """A message that this commit stores: its jobs need not look it up."""
        small = body.data if body.place == "row" and body.size <= queries.SMALL else None
        self.messages[new.id] = (_message(new, body, wait_key), small)


class Taker(Protocol):
    """A worker in this process. Each `reserve` is followed by one `take`."""

    owner: str
    steps: frozenset[str]

    def reserve(self, wanted: int) -> int:
        """Keep room for so many jobs at most; 0 when it is full, or knows of work that waits already."""

    def take(self, reserved: int, leased: Sequence[Job], left: Sequence[NewJob]) -> None:
        """Work the leased jobs; `reserved` is given back. `left` may be claimed."""


_running = (
    select(func.count())
    .where(job.c.lane == lane.c.name, job.c.lease_until.is_not(None))
    .correlate(lane)
    .scalar_subquery()
)
_waits = select(job.c.id).where(job.c.lane == lane.c.name, job.c.due_at.is_not(None)).order_by(job.c.due_at).limit(1)
_first = _waits.correlate(lane).scalar_subquery()
_first_due = _waits.where(job.c.due_at <= bindparam("now", type_=Moment)).correlate(lane).scalar_subquery()
_held = select(job.c.id).where(job.c.lane == lane.c.name, job.c.state == literal_column("'dead'"))
# Half open lanes, and those with a rate, are a claim's.
_ROOM = select(
    lane.c.name,
    (case((lane.c.ordered, 1), else_=func.coalesce(lane.c.cap, bindparam("cap", type_=Integer))) - _running).label(
        "room"
    ),
).where(
    lane.c.name.in_(bindparam("lanes", expanding=True)),
    lane.c.paused_until.is_(None),
    lane.c.stopped_until.is_(None),
    func.coalesce(lane.c.rate, lane.c.agreed_rate, UNLIMITED) == UNLIMITED,
    _first_due.is_(None),
    or_(not_(lane.c.ordered), and_(_first.is_(None), ~_held.exists())),
)
_OPEN = _ROOM.with_for_update(skip_locked=True, key_share=True, of=lane)
"""Conditions come before the lock: nobody waits here."""


@cache
def _insert(dialect: str) -> Any:
    words = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = words(job).on_conflict_do_nothing()
    return statement.returning(job.c.id, job.c.message_id, job.c.step, job.c.document_id)  # of those that are new


def add(connection: Connection, rows: Sequence[Row], lease: Lease) -> None:
    """Add these rows at the end of the batch, each leased as `lease` and its lane allow."""
    later.call(connection, _write, [(row, lease) for row in rows])


def _write(connection: Connection, wanted: Sequence[tuple[Row, Lease]]) -> None:
    """The new jobs of a batch in their order: their numbers are the order of work."""
    lease = wanted[0][1]
    lanes = {row["lane"] for row, its in wanted if _fits(row, its)}
    rooms = _rooms(connection, sorted(lanes), lease) if lanes else {}
    given: dict[int, int] = {}
    leased: dict[tuple[str, str, str], tuple[Row, Lease]] = {}
    rows: list[Row] = []
    for row, its in wanted:
        fits, taken = _fits(row, its), given.get(id(its), 0)
        if fits and rooms.get(row["lane"], 0) > 0 and taken < its.room:
            rooms[row["lane"]] -= 1
            given[id(its)] = taken + 1
            running = {"state": JobState.RUNNING.value, "due_at": None, "attempts": 1}
            row = row | running | {"lease_owner": its.owner, "lease_until": its.until}  # noqa: PLW2901  as it is stored
            leased[row["message_id"], row["step"], row["document_id"]] = row, its
        else:
            if fits:
                rooms.pop(row["lane"], None)  # nobody behind it in its lane goes first
            row = row | {"lease_owner": None, "lease_until": None}  # noqa: PLW2901
        rows.append(row)
    if not leased:
        prepared.change_all(connection, insert_or_leave(job, connection.dialect.name), rows)
        arm_now(connection, jobs.turns_of(rows, lease.now))
        return
    stored = prepared.insert_all(connection, _insert(connection.dialect.name), rows)
    started = [(key, *leased[names]) for key, *rest in stored if (names := (rest[0], rest[1], rest[2])) in leased]
    started.sort(key=itemgetter(0))
    jobs.start_attempts(connection, [(key, 1) for key, _, _ in started], lease.now)
    _give(connection, started)
    arm_now(connection, jobs.turns_of((row for row in rows if row["lease_until"] is None), lease.now))


def _rooms(connection: Connection, lanes: Sequence[str], lease: Lease) -> dict[str, int]:
    """How many jobs these lanes may start; lanes that may start none, or that another node looks at, are absent."""
    wanted = {"cap": lease.cap, "now": lease.now}
    found = prepared.fetch(connection, _OPEN, {"lanes": lanes} | wanted)
    locked = [row.name for row in found if row.room > 0]
    if locked and connection.dialect.name == "postgresql":
        # A statement sees what was committed when it began: the lock may have come after another node's commit.
        found = prepared.fetch(connection, _ROOM, {"lanes": locked} | wanted)
    return {row.name: row.room for row in found if row.room > 0}


def _give(connection: Connection, started: Sequence[tuple[int, Row, Lease]]) -> None:
    """Hand the leased jobs to whoever offered room, with their messages."""
    old = [row for _, row, its in started if row["message_id"] not in its.messages]
    messages = queries.messages_by_id(connection, sorted({row["message_id"] for row in old}))
    whole = sorted({row["message_id"] for row in old if not row["document_id"]})
    payloads = queries.small_payloads(connection, whole)
    for key, row, its in started:
        id_ = row["message_id"]
        message, payload = its.messages.get(id_) or (messages.get(id_), payloads.get(id_))
        document_id, part = jobs.document_and_part(row["document_id"])
        its.jobs.append(
            Job(
                id=key,
                message_id=id_,
                document_id=document_id,
                part=part,
                step=row["step"],
                lane=row["lane"],
                attempt=1,
                owner=its.owner,
                wait_key=None,
                data=row["data"],
                first_run_at=row["first_run_at"],
                message=message,
                payload=None if row["document_id"] else payload,
                priority=row["priority"],
            )
        )


def _fits(row: Row, lease: Lease) -> bool:
    """Whether it is work that this worker could claim now."""
    return row["step"] in lease.steps and row["wait_key"] is None and row["due_at"] <= lease.now


def _message(new: NewMessage, body: Stored, wait_key: str | None) -> Message:
    return Message(
        id=new.id,
        partner=new.partner,
        direction=new.direction,
        channel=new.channel,
        state=new.state,
        at=new.at,
        content_type=new.content_type,
        filename=new.filename,
        payload_sha256=body.sha256,
        size=body.size,
        raw_headers=tuple((name, value) for name, value in new.raw_headers),
        as2_message_id=new.as2_message_id,
        mic=new.mic,
        answers=new.answers,
        receipt=new.receipt,
        wait_key=wait_key,
    )
