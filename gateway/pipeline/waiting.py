"""Waiting for what answers us: which answers are due when, what is said when they are not here, what a late one closes.

A wait is a job whose time is the time-out; nothing waits in memory. An answer to an order ends no job: the timer finds
it here when it runs. That something is overdue stands on the message or the order, beside its state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gateway.errors import OurFault
from gateway.events import AcknowledgmentLate, AcknowledgmentOverdue
from gateway.partners.agreement import Agreement
from gateway.pipeline import at_hand, identity
from gateway.pipeline.comparing import day_of
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    ComesBack,
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Expected,
    Job,
    Json,
    Message,
    MessageState,
    MessageUpdate,
    NewDocument,
    NewJob,
)

REMINDERS: tuple[timedelta, ...] = tuple(timedelta(days=days) for days in (1, 3, 7, 14, 28))
"""After the time was over it is said again so much later; then no more, and it stays overdue."""

ORDER, ANSWER, NOTICE = "purchase_order", "order_acknowledgement", "ship_notice"
OVER = frozenset({MessageState.ACKNOWLEDGED, MessageState.REJECTED})
_REFUSED = frozenset({DocumentState.REJECTED, DocumentState.FAILED})
_SHIPPED = _REFUSED | {DocumentState.SHIPPED}
_ANSWERED = _SHIPPED | {DocumentState.ANSWERED}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wait:
    """One kind of answer to an order."""

    expected: Expected
    kind: str
    """The document that answers."""
    over: frozenset[DocumentState]
    """Orders in these states wait no more."""
    field: str
    """Where the order says since when it is overdue."""


_WAITS = {
    "unanswered": _Wait(
        expected=Expected.ORDER_ACKNOWLEDGEMENT, kind=ANSWER, over=_ANSWERED, field="answer_overdue_since"
    ),
    "unshipped": _Wait(expected=Expected.SHIP_NOTICE, kind=NOTICE, over=_SHIPPED, field="notice_overdue_since"),
}
"""By the step that runs when the time is over."""

CLOSES = {ANSWER: ("answer_overdue_since",), NOTICE: ("answer_overdue_since", "notice_overdue_since")}
"""What an answer closes: who ships has acknowledged."""


def begun(
    agreement: Agreement, documents: Sequence[Document | NewDocument], message_id: str, now: datetime
) -> tuple[NewJob, ...]:
    """The waits that begin when the partner has the orders that a message carries."""
    levels, receives = agreement.service_levels, agreement.documents.receive
    jobs: list[NewJob] = []
    for one in documents:
        if one.kind != ORDER or one.direction is not Direction.OUTBOUND:
            continue
        timed = (
            ("unanswered", ANSWER, identity.answer_key(one.id), levels.acknowledgement_due(now)),
            ("unshipped", NOTICE, identity.notice_key(one.id), levels.notice_due(_arrival(one.body), now)),
        )
        jobs += [
            NewJob(
                message_id=message_id,
                document_id=one.id,
                step=step,
                lane=identity.outbound_lane(agreement.name, "acknowledgment"),
                run_at=due,
                wait_key=key,
            )
            for step, kind, key, due in timed
            if kind in receives and due is not None
        ]
    return tuple(jobs)


async def unacknowledged(station: Station, job: Job) -> Changes:
    """The time for the partner's functional acknowledgment is over: say so. A late one still closes the message."""
    message = await at_hand.message_of(station, job)
    if message.state in OVER:
        return Changes()
    order = next((one.order_number for one in await station.queries.documents_of(message.id)), None)
    now = station.clock()
    said, comes_back = _said(job, now)
    event = AcknowledgmentOverdue(
        message_id=message.id,
        partner=message.partner,
        order_number=order,
        awaited=Expected.FUNCTIONAL_ACKNOWLEDGEMENT.value,
        due_at=_iso(job.first_run_at),
        waited_seconds=_seconds(message.at, now),
        reminder=said,
        control_number=(message.wait_key or "").rpartition(":")[2],
    )
    update = MessageUpdate(id=message.id, overdue_since=message.overdue_since or now)
    return Changes(message_updates=(update,), events=(event,), comes_back=comes_back)


async def unanswered(station: Station, job: Job) -> Changes:
    """The time for an order's acknowledgement, or ship notice, is over: say so, unless it came meanwhile."""
    wait = _WAITS[job.step]
    order = await station.queries.document(job.document_id or "")
    if order is None:
        raise OurFault(f"document {job.document_id} is not in the store", remedy="gateway audit verify")
    if order.state in wait.over:
        return Changes()
    now = station.clock()
    said, comes_back = _said(job, now)
    if await _called_off(station, order, wait.kind):
        cleared = () if getattr(order, wait.field) is None else (wait.field,)
        return Changes(document_updates=(DocumentUpdate(id=order.id, cleared=cleared),) if cleared else ())
    if await _is_here(station, order, wait.kind):  # it waits for a decision itself: it came, and may be refused still
        return Changes(comes_back=comes_back)
    event = AcknowledgmentOverdue(
        message_id=job.message_id,
        partner=order.partner,
        order_number=order.order_number,
        awaited=wait.expected.value,
        due_at=_iso(job.first_run_at),
        waited_seconds=_seconds(order.at, now),
        reminder=said,
        document_id=order.id,
    )
    asked = job.step == "unanswered"
    update = DocumentUpdate(
        id=order.id,
        answer_overdue_since=(order.answer_overdue_since or now) if asked else None,
        notice_overdue_since=None if asked else order.notice_overdue_since or now,
    )
    return Changes(document_updates=(update,), events=(event,), comes_back=comes_back)


def late_message(
    message: Message, expected: Expected, now: datetime, *, received_as: str | None = None, order: str | None = None
) -> tuple[AcknowledgmentLate, ...]:
    """A message is answered: that it was overdue, if it was."""
    if message.overdue_since is None:
        return ()
    event = AcknowledgmentLate(
        message_id=message.id,
        partner=message.partner,
        order_number=order,
        awaited=expected.value,
        overdue_since=_iso(message.overdue_since),
        late_seconds=_seconds(message.overdue_since, now),
        received_as=received_as,
    )
    return (event,)


def late_orders(
    kind: str, orders: Sequence[Document], message_id: str, now: datetime
) -> tuple[AcknowledgmentLate, ...]:
    """The answers that are overdue and come with a document of this kind, which is in the message."""
    closed = CLOSES.get(kind, ())
    return tuple(
        AcknowledgmentLate(
            message_id=message_id,
            partner=order.partner,
            order_number=order.order_number,
            awaited=wait.expected.value,
            overdue_since=_iso(since),
            late_seconds=_seconds(since, now),
            received_as=message_id,
            document_id=order.id,
        )
        for order in orders
        for wait in _WAITS.values()
        if wait.field in closed and (since := getattr(order, wait.field)) is not None
    )


def wait_keys(order: Document) -> tuple[str, ...]:
    """What the waits for answers to an order are found by."""
    return identity.answer_key(order.id), identity.notice_key(order.id)


def over(expected: Expected, order: Document) -> bool:
    """Whether an order waits no more for that, as its state tells."""
    return any(order.state in wait.over for wait in _WAITS.values() if wait.expected is expected)


def closed(kind: str, order: Document) -> tuple[str, ...]:
    """The fields of an order that a document of this kind empties: what was overdue is here."""
    return tuple(field for field in CLOSES.get(kind, ()) if getattr(order, field) is not None)


async def _is_here(station: Station, order: Document, kind: str) -> bool:
    return any(one.direction is Direction.INBOUND for one in await _about(station, order, kind))


async def _called_off(station: Station, order: Document, kind: str) -> bool:
    """Whether we cancelled the order, or the partner refused the goods that would be announced."""
    changes = await _about(station, order, "order_change")
    cancelled = any(one.direction is Direction.OUTBOUND and one.body.get("purpose") == "cancel" for one in changes)
    if cancelled or kind != NOTICE:
        return cancelled
    return any(one.body.get("response") == "rejected" for one in await _about(station, order, ANSWER))


async def _about(station: Station, order: Document, kind: str) -> list[Document]:
    release = order.body.get("release_number")
    return await station.queries.documents_for_order(order.partner, kind, order.number, release=release)


def _said(job: Job, now: datetime) -> tuple[int, ComesBack | None]:
    """How often it was said before, by the time that is over; and when to look again."""
    over = now - job.first_run_at
    before = sum(after <= over for after in REMINDERS)
    if before == len(REMINDERS):
        return before, None
    return before, ComesBack(at=job.first_run_at + REMINDERS[before], reason="it has not come; looked for again")


def _arrival(order: Json) -> datetime | None:
    """The first day on which an order wants goods, at 0:00 UTC: of its head, else of its lines."""
    wanted = [order, *(one for one in order.get("lines") or () if isinstance(one, dict))]
    days = [found for one in wanted if (found := requested_day(one)) is not None]
    head = requested_day(order)
    day = head if head is not None else min(days, default=None)
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def requested_day(node: Json) -> date | None:
    """The day on which the head or line of an order wants the goods; of a span its last."""
    span = node.get("requested_delivery")
    if not isinstance(span, dict):
        return None
    return next((day for name in ("at", "to", "from") if (day := day_of(span.get(name))) is not None), None)


def _seconds(since: datetime, now: datetime) -> int:
    return int((now - since).total_seconds())


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
