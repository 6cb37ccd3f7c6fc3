"""Looks: one row or a few, found by an index, with statements that are built once (decision 0094).

The pipeline looks half a dozen times for each message. SQLAlchemy finds a statement that is built once in its cache by
identity; building it anew costs ten times what SQLite needs to answer. No look reads more than `FEW` documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Integer, bindparam, or_, select, union_all

from gateway.ports import Direction, Document, Message
from gateway.store import prepared
from gateway.store.queries import document_of, message_of
from gateway.store.tables import document, identity, message, order_mention, receipt

FEW: Final = 20
"""Documents of one look; more are read beside the event loop."""

_MESSAGE = (
    select(message, receipt.c.status, receipt.c.headers, receipt.c.body)
    .outerjoin_from(message, receipt)
    .where(message.c.id == bindparam("wanted"))
)
_OWNER = select(identity.c.message_id).where(identity.c.key == bindparam("wanted"))
_DOCUMENT = select(document).where(document.c.id == bindparam("wanted"))
_BY_KEY = select(document).where(
    document.c.partner == bindparam("of_partner"),
    document.c.direction == bindparam("way"),
    document.c.natural_key == bindparam("wanted"),
)
_ORDERS = (
    select(document)
    .where(
        document.c.number == bindparam("wanted"),
        document.c.partner == bindparam("of_partner"),
        document.c.kind == "purchase_order",
        document.c.direction == bindparam("way"),
        document.c.natural_key.is_not(None),
    )
    .order_by(document.c.at.desc(), document.c.id.desc())
    .limit(1)
)
_RELEASES = _ORDERS.where(document.c.body["release_number"].as_string() == bindparam("release"))
_NAMING = union_all(  # two probes of an index; an OR of both would make PostgreSQL read all of a partner's documents
    select(document.c.id).where(
        document.c.partner == bindparam("of_partner"),
        document.c.kind == bindparam("of_kind"),
        document.c.order_number == bindparam("wanted"),
    ),
    select(order_mention.c.document_id).where(
        order_mention.c.partner == bindparam("of_partner"), order_mention.c.order_number == bindparam("wanted")
    ),
)
_ANSWERS = (
    select(document)
    .where(
        document.c.id.in_(_NAMING),
        document.c.kind == bindparam("of_kind"),
        document.c.natural_key.is_not(None),
    )
    .order_by(document.c.at, document.c.id)
)
_named = document.c.body[("order", "release_number")].as_string()
_most = bindparam("most", type_=Integer)
_OF_NO_RELEASE = _ANSWERS.where(_named.is_(None)).limit(_most)
_OF_RELEASE = _ANSWERS.where(or_(_named.is_(None), _named == bindparam("release"))).limit(_most)
_NAMED_ANSWERS = _ANSWERS.with_only_columns(document.c.id, document.c.number)
_BY_ID = select(document).where(document.c.id.in_(bindparam("ids", expanding=True)))
_OF_MESSAGE = (
    select(document)
    .where(or_(document.c.message_id == bindparam("wanted"), document.c.sent_as == bindparam("wanted")))
    .order_by(document.c.at, document.c.id)
)
_FEW_OF_MESSAGE = _OF_MESSAGE.limit(FEW + 1)


def message_by_id(connection: Connection, id_: str) -> Message | None:
    """One message."""
    rows = prepared.fetch(connection, _MESSAGE, {"wanted": id_})
    return message_of(rows[0]) if rows else None


def key_owner(connection: Connection, key: str) -> str | None:
    """The message that took an identity."""
    rows = prepared.fetch(connection, _OWNER, {"wanted": key})
    return str(rows[0].message_id) if rows else None


def document_by_id(connection: Connection, id_: str) -> Document | None:
    """One document."""
    return _one(connection, _DOCUMENT, {"wanted": id_})


def document_by_key(connection: Connection, partner: str, direction: Direction, natural_key: str) -> Document | None:
    """The accepted document with this natural key."""
    return _one(connection, _BY_KEY, {"of_partner": partner, "way": direction.value, "wanted": natural_key})


def order(
    connection: Connection, partner: str, number: str, direction: Direction, release: str | None
) -> Document | None:
    """The newest order with this number; with a `release`, that release."""
    wanted = {"of_partner": partner, "way": direction.value, "wanted": number}
    if release is None:
        return _one(connection, _ORDERS, wanted)
    return _one(connection, _RELEASES, wanted | {"release": release})


def answers(  # noqa: PLR0917  what tells an answer
    connection: Connection, partner: str, kind: str, order_number: str, release: str | None, most: int
) -> list[Document]:
    """The oldest accepted documents of a kind that answer an order: those that name `release`, or none."""
    wanted = {"of_partner": partner, "of_kind": kind, "wanted": order_number, "most": most}
    if release is None:
        return _all(connection, _OF_NO_RELEASE, wanted)
    return _all(connection, _OF_RELEASE, wanted | {"release": release})


def named_answers(connection: Connection, partner: str, kind: str, order_number: str) -> list[tuple[str, str]]:
    """Id and number of the accepted documents of a kind that name an order, oldest first."""
    wanted = {"of_partner": partner, "of_kind": kind, "wanted": order_number}
    found = prepared.fetch(connection, _NAMED_ANSWERS, wanted)
    return [(row.id, row.number) for row in found]


def documents_by_id(connection: Connection, ids: Sequence[str]) -> list[Document]:
    """These documents."""
    return _all(connection, _BY_ID, {"ids": list(ids)}) if ids else []


def few_documents_of(connection: Connection, message_id: str) -> list[Document] | None:
    """The documents read from, or written to, a message; None where they are more than a few."""
    found = _all(connection, _FEW_OF_MESSAGE, {"wanted": message_id})
    return found if len(found) <= FEW else None


def documents_of(connection: Connection, message_id: str) -> list[Document]:
    """The same, however many they are."""
    return _all(connection, _OF_MESSAGE, {"wanted": message_id})


def _one(connection: Connection, statement: Any, wanted: dict[str, str]) -> Document | None:
    rows = prepared.fetch(connection, statement, wanted)
    return document_of(rows[0]) if rows else None


def _all(connection: Connection, statement: Any, wanted: dict[str, Any]) -> list[Document]:
    return [document_of(row) for row in prepared.fetch(connection, statement, wanted)]
