"""Reading what is expected and has not come, what is overdue, and what waits for a decision.

The timer of a wait is its job; that something is overdue stands on the message or order itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Connection, func, literal, select, union_all

from gateway.ports import WHEN_OVER, Expected, JobState, MessageState, Overdue, Wait
from gateway.store.tables import document, job, message, moment

MOST = 10_000

_CARRIER = func.coalesce(document.c.sent_as, document.c.message_id)
"""What went out with an order in it: the interchange, or what the ERP handed over for the API."""


def waits(connection: Connection, wait_keys: Sequence[str]) -> list[Wait]:
    """What is expected under these wait keys, by the time it is due."""
    if not wait_keys:
        return []
    open_ = (JobState.WAITING.value, JobState.RUNNING.value)
    statement = (
        select(job)
        .where(job.c.wait_key.in_(wait_keys), job.c.state.in_(open_), job.c.step.in_(tuple(WHEN_OVER)))
        .order_by(job.c.first_run_at, job.c.id)
        .limit(MOST)
    )
    return [
        Wait(
            expected=WHEN_OVER[row.step],
            message_id=row.message_id,
            document_id=row.document_id or None,
            due_at=row.first_run_at,
            overdue=row.attempts > 0,
        )
        for row in connection.execute(statement)
    ]


def late() -> CompoundSelect[Any]:
    """The ids of the messages that are overdue, and of those that carry an order whose answer is; by their indexes."""
    columns = (document.c.answer_overdue_since, document.c.notice_overdue_since)
    return union_all(
        select(message.c.id).where(message.c.overdue_since.is_not(None)),
        *(select(_CARRIER).where(column.is_not(None)) for column in columns),
    )


def overdue(connection: Connection, *, partner: str | None, limit: int) -> list[Overdue]:
    """What has not come in time, the oldest first."""
    of_messages = select(
        message.c.state.label("what"),
        message.c.overdue_since.label("since"),
        message.c.id.label("message_id"),
        message.c.partner,
        literal(None).label("document_id"),
        literal(None).label("number"),
    ).where(message.c.overdue_since.is_not(None), *_of(message.c.partner, partner))
    of_orders = [
        select(
            literal(expected.value).label("what"),
            column.label("since"),
            _CARRIER.label("message_id"),
            document.c.partner,
            document.c.id.label("document_id"),
            document.c.number,
        ).where(column.is_not(None), *_of(document.c.partner, partner))
        for expected, column in (
            (Expected.ORDER_ACKNOWLEDGEMENT, document.c.answer_overdue_since),
            (Expected.SHIP_NOTICE, document.c.notice_overdue_since),
        )
    ]
    everything = union_all(of_messages, *of_orders).subquery()
    statement = select(everything).order_by(everything.c.since, everything.c.message_id).limit(min(limit, MOST))
    return [
        Overdue(
            expected=_BY_STATE.get(row.what) or Expected(row.what),
            since=row.since if not isinstance(row.since, int) else moment(row.since),
            message_id=row.message_id,
            partner=row.partner,
            document_id=row.document_id,
            number=row.number,
        )
        for row in connection.execute(statement)
    ]


_BY_STATE = {state.value: Expected.FUNCTIONAL_ACKNOWLEDGEMENT for state in MessageState} | {
    MessageState.READY.value: Expected.RECEIPT,
    MessageState.POSTED.value: Expected.RECEIPT,
    MessageState.FAILED.value: Expected.RECEIPT,
}
"""What a message whose time is over waits for."""


def _of(column: ColumnElement[str | None], partner: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if partner is None else (column == partner,)
