"""Reading the store: one function a question. Functions that take `partner` never show another partner's rows."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, literal_column, or_, select, tuple_

from gateway.errors import OurFault, PartnerFault
from gateway.ports import (
    OWN_CHAINS,
    Attempt,
    Channel,
    Direction,
    Document,
    DocumentState,
    Job,
    JobState,
    Message,
    MessageState,
    Page,
    Receipt,
    Review,
    TrailEntry,
    first_id,
)
from gateway.store import prepared, retention_archive, trail, waiting_for
from gateway.store.jobs import job_of
from gateway.store.tables import (
    Moment,
    attempt,
    delivery,
    document,
    event,
    job,
    message,
    microseconds,
    moment,
    order_mention,
    payload,
    receipt,
)

MOST = 1000
"""Rows a page may have."""
MOST_EVENTS = 20_000
"""Events a timeline may have."""

_MESSAGES = select(message, receipt.c.status, receipt.c.headers, receipt.c.body).outerjoin_from(message, receipt)
_BY_ID = _MESSAGES.where(message.c.id.in_(bindparam("ids", expanding=True)))
_FORM = select(payload).where(payload.c.message_id == bindparam("of_message"), payload.c.form == bindparam("of_form"))
SMALL = 65_536
"""Bytes of a payload that a claim brings along."""
_SMALL_PAYLOADS = select(payload.c.message_id, payload.c.sha256, payload.c.data).where(
    payload.c.message_id.in_(bindparam("ids", expanding=True)),
    payload.c.form == "payload",
    payload.c.place == "row",
    payload.c.size <= SMALL,
)
_MESSAGE_FIELDS = (
    "id", "partner", "at", "content_type", "filename", "payload_sha256", "size", "as2_message_id", "mic", "answers",
    "wait_key", "overdue_since",
)  # fmt: skip
_DOCUMENT_FIELDS = (
    "id", "message_id", "partner", "kind", "number", "order_number", "business_unit", "at", "updated_at", "body",
    "sha256", "agreement", "map", "guide", "position", "target", "their_id", "replaces", "replaced_by", "sent_as",
    "answer_overdue_since", "notice_overdue_since", "purged_at",
)  # fmt: skip


def message_of(row: Row[Any]) -> Message:
    """A message row, joined with its receipt, as a value."""
    return Message(
        **{name: getattr(row, name) for name in _MESSAGE_FIELDS},
        direction=Direction(row.direction),
        channel=Channel(row.channel),
        state=MessageState(row.state),
        raw_headers=_pairs(row.raw_headers),
        receipt=None if row.body is None else Receipt(status=row.status, headers=_pairs(row.headers), body=row.body),
    )


def document_of(row: Row[Any]) -> Document:
    """A document row as a value."""
    return Document(
        **{name: getattr(row, name) for name in _DOCUMENT_FIELDS},
        direction=Direction(row.direction),
        state=DocumentState(row.state),
        review=None if row.review is None else Review(row.review),
        findings=tuple(row.findings),
    )


def _pairs(rows: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in rows)


def one_message(connection: Connection, condition: ColumnElement[bool]) -> Message | None:
    """The newest message that fulfils `condition`."""
    row = connection.execute(_MESSAGES.where(condition).order_by(message.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else message_of(row)


def events_of(connection: Connection, message_id: str, kind: str, *, most: int) -> int:
    """How many events of this kind a message's trail has, counted up to `most`."""
    wanted = select(event.c.id).where(event.c.message_id == message_id, event.c.kind == kind).limit(most)
    return len(connection.execute(wanted).all())


def messages_by_id(connection: Connection, ids: Sequence[str]) -> dict[str, Message]:
    """These messages, by their ids."""
    return {row.id: message_of(row) for row in prepared.fetch(connection, _BY_ID, {"ids": ids})} if ids else {}


def small_payloads(connection: Connection, ids: Sequence[str]) -> dict[str, bytes]:
    """The payloads of these messages that stand in their rows, are small, and are what their SHA-256 says."""
    if not ids:
        return {}
    found = prepared.fetch(connection, _SMALL_PAYLOADS, {"ids": ids})
    return {row.message_id: row.data for row in found if hashlib.sha256(row.data).hexdigest() == row.sha256}


def messages(
    connection: Connection,
    *,
    partner: str | None,
    state: MessageState | None,
    before: str | None,
    limit: int,
    given_up: bool = False,
    uncertain: bool = False,
    overdue: bool = False,
    strange_to: Collection[str] | None = None,
    order_number: str | None = None,
    since: datetime | None = None,
    lane: str | None = None,
) -> list[Message]:
    """The newest first; those older than the message `before`, when it is given; or those with a dead job, with a
    delivery of which nobody knows whether it took place, or with work in a step outside `strange_to`.

    `overdue`: those that wait too long for an answer, or carry an order that does.
    """
    statement = _MESSAGES.where(message.c.id.not_in(OWN_CHAINS)).order_by(message.c.id.desc()).limit(_bounded(limit))
    if partner is not None:
        statement = statement.where(message.c.partner == partner)
    if state is not None:
        statement = statement.where(message.c.state == state.value)
    if before is not None:
        statement = statement.where(message.c.id < before)
    if given_up:
        dead = select(job.c.message_id).where(job.c.state == literal_column("'dead'"))  # as the index has it
        statement = statement.where(message.c.id.in_(dead))
    if overdue:
        statement = statement.where(message.c.id.in_(waiting_for.late()))
    if uncertain:
        unknown = delivery.c.state == literal_column("'uncertain'")  # as the index has it
        of = select(document.c.message_id).join_from(delivery, document).where(unknown)
        statement = statement.where(message.c.id.in_(of))
    if strange_to is not None:
        strange = job.c.due_at.is_not(None) & job.c.step.not_in(list(strange_to))
        statement = statement.where(message.c.id.in_(select(job.c.message_id).where(strange)))
    if order_number is not None:
        statement = statement.where(_about(order_number, message.c.id))
    if since is not None:
        statement = statement.where(message.c.id >= first_id(since), message.c.at >= since)
    if lane is not None:
        open_ = or_(job.c.due_at.is_not(None), job.c.lease_until.is_not(None))
        statement = statement.where(message.c.id.in_(select(job.c.message_id).where(job.c.lane == lane, open_)))
    return [message_of(row) for row in connection.execute(statement)]


def answers_to(connection: Connection, message_id: str) -> list[Message]:
    """The messages that answer a message, oldest first."""
    statement = _MESSAGES.where(message.c.answers == message_id).order_by(message.c.id).limit(MOST)
    return [message_of(row) for row in connection.execute(statement)]


def place_of(connection: Connection, message_id: str, form: str) -> bytes | str | None:
    """One form of a message: its bytes when they stand in the row, the SHA-256 that names its file, None when there is
    no such form. Raises OurFault when it was purged or changed.
    """
    found = prepared.fetch(connection, _FORM, {"of_message": message_id, "of_form": form})
    if not found:
        return None
    (row,) = found
    match row.place:
        case "row":
            data = bytes(row.data or b"")
            if hashlib.sha256(data).hexdigest() != row.sha256:
                raise OurFault(
                    f"The {form} of message {message_id} was changed: its SHA-256 is not the stored one",
                    remedy="Restore it from a backup, and find out who changed it: gateway audit verify.",
                )
            return data
        case "folder":
            return str(row.sha256)
    raise OurFault(
        f"The {form} of message {message_id} was purged; its SHA-256 was {row.sha256}",
        remedy="Ask the partner to send it again, or look into a backup from before the purge.",
    )


def waiting(connection: Connection, wait_key: str) -> Job | None:
    """The newest job that waits for `wait_key`, or runs because its time is out."""
    states = (JobState.WAITING.value, JobState.RUNNING.value)
    statement = select(job).where(job.c.wait_key == wait_key, job.c.state.in_(states)).order_by(job.c.id.desc())
    row = connection.execute(statement.limit(1)).one_or_none()
    return None if row is None else job_of(row)


_NUMBERED = (
    select(document)
    .where(
        document.c.number == bindparam("wanted"),
        document.c.partner == bindparam("of_partner"),
        document.c.kind == bindparam("of_kind"),
        document.c.direction == bindparam("way"),
        document.c.natural_key.is_not(None),
    )
    .order_by(document.c.at.desc(), document.c.id.desc())
    .limit(MOST)
)


def numbered(connection: Connection, *, partner: str, direction: Direction, kind: str, number: str) -> list[Document]:
    """The accepted documents of one kind with this number, oldest first."""
    wanted = {"wanted": number, "of_partner": partner, "of_kind": kind, "way": direction.value}
    return [document_of(row) for row in connection.execute(_NUMBERED, wanted)][::-1]


def orders(connection: Connection, *, number: str, partner: str | None) -> list[Document]:
    """The purchase orders of this number that were not rejected, whoever's and whichever way, oldest first."""
    wanted = (document.c.number == number, document.c.kind == "purchase_order", document.c.natural_key.is_not(None))
    return _documents(connection, *wanted, *_of(partner), limit=MOST)


def under_review(connection: Connection, *, partner: str | None, limit: int) -> list[Document]:
    """The documents that wait for a decision, the oldest first."""
    return _documents(connection, document.c.review.is_not(None), *_of(partner), limit=_bounded(limit))


def _of(partner: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if partner is None else (document.c.partner == partner,)


def _documents(connection: Connection, *conditions: ColumnElement[bool], limit: int) -> list[Document]:
    statement = select(document).where(*conditions).order_by(document.c.at, document.c.id).limit(limit)
    return [document_of(row) for row in connection.execute(statement)]


def page(
    connection: Connection,
    *,
    partner: str,
    kind: str,
    direction: Direction,
    state: DocumentState | None,
    updated_after: datetime | None,
    cursor: str | None,
    limit: int,
) -> Page:
    """Oldest change first; the cursor stands after the last one of the page."""
    order = (document.c.updated_at, document.c.id)
    statement = (
        select(document)
        .where(document.c.partner == partner, document.c.kind == kind, document.c.direction == direction.value)
        .order_by(*order)
        .limit(_bounded(limit) + 1)
    )
    if state is not None:
        statement = statement.where(document.c.state == state.value)
    if updated_after is not None:
        statement = statement.where(document.c.updated_at > updated_after)
    if cursor is not None:
        statement = statement.where(tuple_(*order) > tuple_(*_after(cursor), types=(Moment, document.c.id.type)))
    found = [document_of(row) for row in connection.execute(statement)]
    shown = found[: _bounded(limit)]
    return Page(documents=tuple(shown), cursor=_cursor(shown[-1]) if len(found) > len(shown) else None)


def _cursor(last: Document) -> str:
    return base64.urlsafe_b64encode(f"{microseconds(last.updated_at)} {last.id}".encode()).decode().rstrip("=")


def _after(cursor: str) -> tuple[datetime, str]:
    try:
        since_1970, id_ = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        return moment(int(since_1970)), id_
    except (ValueError, OverflowError, binascii.Error) as fault:
        raise PartnerFault("The cursor is not one that this gateway gave out") from fault


def _bounded(limit: int) -> int:
    return max(1, min(limit, MOST))


def attempts(connection: Connection, message_id: str) -> list[Attempt]:
    """Every try at the work on a message, in the order they were made."""
    statement = (
        select(attempt, job.c.step)
        .join_from(attempt, job)
        .where(job.c.message_id == message_id)
        .order_by(attempt.c.started_at, attempt.c.job_id, attempt.c.number)
    )
    found = [Attempt(**row) for row in connection.execute(statement).mappings()]
    moved = retention_archive.attempts(connection, message_id)
    return sorted([*moved, *found], key=lambda one: (one.started_at, one.job_id, one.number))


def timeline(
    connection: Connection, *, message_id: str | None, order_number: str | None, partner: str | None
) -> list[TrailEntry]:
    """The events of a message; or of an order: its own, and those of its messages that name no other order."""
    conditions: list[ColumnElement[bool]] = []
    if message_id is not None:
        conditions.append(event.c.message_id == message_id)
    if order_number is not None:
        conditions.append(_of_order(order_number))
    if partner is not None:
        theirs = select(message.c.id).where(message.c.partner == partner)
        conditions.append(
            or_(event.c.partner == partner, and_(event.c.partner.is_(None), event.c.message_id.in_(theirs)))
        )
    if not conditions:
        return []
    statement = select(event).where(*conditions).order_by(event.c.at, event.c.id).limit(MOST_EVENTS)
    return [trail.entry(row) for row in connection.execute(statement)]


def newest_events(connection: Connection, *, message_id: str, limit: int) -> list[TrailEntry]:
    """The last events of a message's chain, oldest first."""
    statement = select(event).where(event.c.message_id == message_id).order_by(event.c.number.desc())
    return [trail.entry(row) for row in connection.execute(statement.limit(_bounded(limit)))][::-1]


def mentioning(order_number: str, partner: str | None = None) -> Select[tuple[str]]:
    """The ids of the documents that name this order behind their first."""
    found = select(order_mention.c.document_id).where(order_mention.c.order_number == order_number)
    return found if partner is None else found.where(order_mention.c.partner == partner)


def _about(order_number: str, id_: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the message `id_` has to do with the order: it carries it or an answer to it, or answers such a one."""
    is_order = and_(document.c.number == order_number, document.c.kind == "purchase_order")
    touching = (
        select(document.c.message_id)
        .where(or_(document.c.order_number == order_number, is_order, document.c.id.in_(mentioning(order_number))))
        .union(select(event.c.message_id).where(event.c.order_number == order_number))
    ).scalar_subquery()
    answers = select(message.c.id).where(message.c.answers.in_(touching)).scalar_subquery()
    return or_(id_.in_(touching), id_.in_(answers))


def _of_order(order_number: str) -> ColumnElement[bool]:
    named = or_(event.c.order_number.is_(None), event.c.order_number == order_number)
    return and_(_about(order_number, event.c.message_id), named)
