"""Dead letters as they stand in the store, read page by page, by indexes that hold no other work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, literal_column, or_, select, tuple_

from gateway.ports import JobState
from gateway.ports.dead_letters import DeadLetter
from gateway.store.database import Database
from gateway.store.jobs import document_and_part
from gateway.store.tables import attempt, document, job

PAGE = 500

_LETTERS = select(job, attempt.c.ended_at, attempt.c.started_at, attempt.c.outcome, attempt.c.reason).outerjoin_from(
    job, attempt, (attempt.c.job_id == job.c.id) & (attempt.c.number == job.c.attempts)
)
_STATES: dict[bool, ColumnElement[bool]] = {  # spelled out, as the indexes have them
    False: job.c.state == literal_column("'dead'"),
    True: job.c.state == literal_column("'discarded'"),
}
_BY_MESSAGE = (job.c.message_id, job.c.id)


class DeadLetters:
    """What was given up, and what somebody put aside."""

    database: Database

    async def dead_letters(
        self, *, discarded: bool = False, message_id: str | None = None, partner: str | None = None
    ) -> AsyncIterator[DeadLetter]:
        """All dead letters, or all that were put aside, by message; a page of them is in memory."""
        after: tuple[str, int] = ("", 0)
        wanted = [_STATES[discarded]]
        if message_id is not None:
            wanted.append(job.c.message_id == message_id)
        if partner is not None:
            wanted.append(job.c.lane.startswith(f"{partner}:", autoescape=True))
        while True:
            page = await self.database.read(partial(_page, wanted=tuple(wanted), after=after))
            for one in page:
                yield one
            if len(page) < PAGE:
                return
            after = (page[-1].message_id, page[-1].id)

    async def dead_letter(self, job_id: int) -> DeadLetter | None:
        """One of them, put aside or not."""
        return await self.database.read(partial(_one, job_id=job_id))


def _page(connection: Connection, *, wanted: Sequence[ColumnElement[bool]], after: tuple[str, int]) -> list[DeadLetter]:
    later = tuple_(*_BY_MESSAGE) > tuple_(*after, types=[one.type for one in _BY_MESSAGE])
    statement = _LETTERS.where(*wanted, later).order_by(*_BY_MESSAGE).limit(PAGE)
    return _letters(connection, connection.execute(statement).all())


def _one(connection: Connection, *, job_id: int) -> DeadLetter | None:
    rows = connection.execute(_LETTERS.where(job.c.id == job_id, or_(*_STATES.values()))).all()
    return next(iter(_letters(connection, rows)), None)


def _letters(connection: Connection, rows: Sequence[Row[Any]]) -> list[DeadLetter]:
    subjects = {row.id: document_and_part(row.document_id) for row in rows}
    ids = {document_id for document_id, _ in subjects.values() if document_id}
    columns = (document.c.id, document.c.kind, document.c.number, document.c.order_number)
    found = select(*columns).where(document.c.id.in_(ids))
    told: dict[str, Any] = {row.id: row for row in connection.execute(found)} if ids else {}
    return [_letter(row, *subjects[row.id], told.get(subjects[row.id][0] or "")) for row in rows]


def _letter(row: Row[Any], document_id: str | None, part: str, told: Any | None) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        message_id=row.message_id,
        document_id=document_id,
        part=part,
        step=row.step,
        lane=row.lane,
        data=row.data,
        attempts=row.attempts,
        at=row.ended_at or row.started_at or row.first_run_at,
        outcome=row.outcome or "",
        reason=row.reason or "",
        discarded=row.state == JobState.DISCARDED.value,
        kind=None if told is None else told.kind,
        number=None if told is None else told.number,
        order_number=None if told is None else told.order_number,
    )
