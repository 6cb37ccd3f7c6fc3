"""Legal holds: what no rule and no operator removes, until somebody lifts them. Their rows are never removed.

A hold names a partner, an order, a message, or several of these, which must then all fit. It covers a message with what
belongs to it: the documents in it, the message that carries them or brought them, and the answers to it. Placing one
and every purge take the same lock: when a hold is placed, no purge that did not see it is under way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, text, update

from gateway.errors import OurFault
from gateway.store.tables import document, event, legal_hold, message, order_mention

T = TypeVar("T")

_LOCK = 7_305_101_850_003
"""PostgreSQL advisory lock; SQLite has one writer."""
MOST = 5000
"""Holds that stand at once."""
AT_ONCE = 5000
"""Values in one IN: both databases take about 32,000."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LegalHold:
    """A hold as stored."""

    id: int
    partner: str | None
    order_number: str | None
    message_id: str | None
    at: datetime
    placed_by: str
    why: str
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    lifted_why: str | None = None


def lock(connection: Connection) -> None:
    """Hold off whoever purges or places holds, until the commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def place(
    connection: Connection,
    *,
    partner: str | None,
    order_number: str | None,
    message_id: str | None,
    by: str,
    why: str,
    now: datetime,
) -> int:
    """Add a hold; its number. Raises OurFault for a message that is not there, or too many holds."""
    lock(connection)
    if message_id is not None and connection.execute(_known(message_id)).first() is None:
        raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones.")
    standing = select(func.count()).select_from(legal_hold).where(legal_hold.c.lifted_at.is_(None))
    if connection.execute(standing).scalar_one() >= MOST:
        raise OurFault(
            f"{MOST} legal holds stand already", remedy="Hold a whole partner instead of its orders one by one."
        )
    row: dict[str, Any] = {
        "partner": partner,
        "order_number": order_number,
        "message_id": message_id,
        "at": now,
        "placed_by": by,
        "why": why,
    }
    hold: int = connection.execute(insert(legal_hold).returning(legal_hold.c.id), row).scalar_one()
    return hold


def lift(connection: Connection, hold: int, *, by: str, why: str, now: datetime) -> None:
    """End a hold. Raises OurFault when there is none of that number that stands."""
    mine = (legal_hold.c.id == hold) & legal_hold.c.lifted_at.is_(None)
    lifted = update(legal_hold).where(mine).values(lifted_at=now, lifted_by=by, lifted_why=why)
    if connection.execute(lifted).rowcount == 0:
        raise OurFault(f"No legal hold {hold} stands", remedy="`gateway retention hold list` shows those that do.")


def listed(connection: Connection, *, lifted: bool = False) -> list[LegalHold]:
    """The holds that stand, the oldest first; or with `lifted` all that there ever were."""
    wanted = select(legal_hold).order_by(legal_hold.c.id)
    if not lifted:
        wanted = wanted.where(legal_hold.c.lifted_at.is_(None))
    return [LegalHold(**row) for row in connection.execute(wanted).mappings()]


def on(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """Which of these messages a hold covers, and the number of one that does."""
    holds = listed(connection)
    if not holds or not ids:
        return {}
    family: dict[str, set[str]] = {one: {one} for one in ids}
    partners: dict[str, set[str]] = defaultdict(set)
    kin: dict[str, set[str]] = defaultdict(set, {one: {one} for one in ids})
    """By what a document may name: itself, or what it answers; whom that concerns."""
    for some in chunks(ids):
        for row in connection.execute(_MESSAGES.where(message.c.id.in_(some))):
            partners[row.id] |= {row.partner} - {None}
            if row.answers is not None:
                family[row.id].add(row.answers)
                kin[row.answers].add(row.id)
    for some in chunks(sorted(kin)):
        for one in connection.execute(_DOCUMENTS.where(_of(some))):
            named = {one.message_id, one.sent_as} - {None}
            for id_ in set().union(*(kin.get(each, ()) for each in named)):
                family[id_] |= named
                partners[id_].add(one.partner)
    orders = sorted({one.order_number for one in holds if one.order_number is not None})
    about = _about(connection, sorted(set().union(*family.values())), orders)
    found: dict[str, int] = {}
    for id_, members in family.items():
        touched = set().union(*(about.get(one, ()) for one in members))
        for hold in holds:
            if (
                (hold.message_id is None or hold.message_id in members)
                and (hold.partner is None or hold.partner in partners[id_])
                and (hold.order_number is None or hold.order_number in touched)
            ):
                found[id_] = hold.id
                break
    return found


def _about(connection: Connection, ids: Sequence[str], orders: Sequence[str]) -> dict[str, set[str]]:
    """Which of these orders the messages are about, by their documents and their trail."""
    found: dict[str, set[str]] = defaultdict(set)
    for some in chunks(orders) if orders else ():
        wanted = frozenset(some)
        for these in chunks(ids):
            for row in connection.execute(_DOCUMENTS.where(_of(these), _names(some))):
                named = {row.order_number} | ({row.number} if row.kind == "purchase_order" else set())
                for id_ in {row.message_id, row.sent_as} - {None}:
                    found[id_] |= named & wanted
            mentions = select(order_mention.c.order_number, document.c.message_id, document.c.sent_as)
            mentions = mentions.join_from(order_mention, document)
            for mention in connection.execute(mentions.where(_of(these), order_mention.c.order_number.in_(some))):
                for id_ in {mention.message_id, mention.sent_as} - {None}:
                    found[id_].add(mention.order_number)
            told = select(event.c.message_id, event.c.order_number).distinct()
            wanted_events = told.where(event.c.message_id.in_(these), event.c.order_number.in_(some))
            for id_, order_number in connection.execute(wanted_events):
                found[id_].add(order_number)
    return found


_MESSAGES = select(message.c.id, message.c.partner, message.c.answers)
_DOCUMENTS = select(
    document.c.message_id,
    document.c.sent_as,
    document.c.partner,
    document.c.kind,
    document.c.number,
    document.c.order_number,
)


def _known(message_id: str) -> Any:
    return select(message.c.id).where(message.c.id == message_id)


def _of(ids: Sequence[str]) -> ColumnElement[bool]:
    return or_(document.c.message_id.in_(ids), document.c.sent_as.in_(ids))


def _names(orders: Sequence[str]) -> ColumnElement[bool]:
    is_order = document.c.number.in_(orders) & (document.c.kind == "purchase_order")
    return or_(document.c.order_number.in_(orders), is_order)


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """These values, as many at a time as a statement takes."""
    every = list(values)
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]
