"""The audit trail: events are appended to their message's hash chain, never changed.

docs/audit-trail.md states the format for auditors; `encode` and `event_hash` are that page in code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from gateway.errors import OurFault
from gateway.events import Event
from gateway.ports import TrailEntry
from gateway.store import later, prepared
from gateway.store.tables import event, message

GENESIS = ""
"""The previous hash of a message's first event."""

_HEAD = (
    select(message.c.chain_length, message.c.chain_head)
    .where(message.c.id == bindparam("wanted"))
    .with_for_update(key_share=True)
)
_INSERT = insert(event)
_ENCODED = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

Head = tuple[int, str]
"""How many events a chain has, and the hash of its last one."""


def encode(*fields: str | None) -> bytes:
    """Fields as bytes that can be read only one way: `<length>:<UTF-8>,` each (a netstring), `-` for an absent one."""
    return b"".join([b"-" if field is None else b"%d:%b," % (len(data := field.encode()), data) for field in fields])


def moment_text(at: datetime) -> str:
    """UTC with microseconds: `2026-03-01T08:15:00.000000Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def event_hash(
    *,
    message_id: str,
    number: int,
    kind: str,
    at: datetime,
    partner: str | None,
    order_number: str | None,
    data: str,
    previous: str,
) -> str:
    """SHA-256, hexadecimal, of everything an event says and of the event before it in its chain."""
    return _hash(message_id, number, kind, moment_text(at), partner, order_number, data, previous)


def _hash(message_id: str, number: int, kind: str, at: str, *others: str | None) -> str:
    return hashlib.sha256(encode("event.1", message_id, str(number), kind, at, *others)).hexdigest()


def hashed_bytes(row: Row[Any]) -> bytes:
    """What the hash of a stored event is over."""
    at, number = moment_text(row.at), str(row.number)
    return encode(
        "event.1", row.message_id, number, row.kind, at, row.partner, row.order_number, row.data, row.previous
    )


def link(events: Iterable[Event], heads: dict[str, Head], at: datetime) -> list[dict[str, Any]]:
    """Rows for `events`, each linked to the head of its chain; `heads` is moved along."""
    rows: list[dict[str, Any]] = []
    when = moment_text(at)
    for fact in events:
        of, kind, partner, order = fact.message_id, fact.kind, fact.partner, fact.order_number
        length, previous = heads[of]
        number, data = length + 1, _ENCODED(fact.data)
        head = _hash(of, number, kind, when, partner, order, data, previous)
        heads[of] = (number, head)
        rows.append(
            {
                "message_id": of,
                "number": number,
                "kind": kind,
                "at": at,
                "partner": partner,
                "order_number": order,
                "data": data,
                "previous": previous,
                "hash": head,
            }
        )
    return rows


def heads_of(connection: Connection, message_ids: Iterable[str]) -> dict[str, Head]:
    """The heads of stored chains, locked until the commit. Raises OurFault when a message does not exist."""
    wanted = sorted(set(message_ids))
    heads: dict[str, Head] = {}
    for message_id in wanted:  # one by one in order: the same statement from the cache, and no deadlocks
        found = prepared.fetch(connection, _HEAD, {"wanted": message_id})
        if not found:
            raise OurFault(
                f"An event names message {message_id}, which is not stored",
                remedy="This is a fault of the gateway: report it with the log.",
            )
        heads[message_id] = (found[0].chain_length, found[0].chain_head)
    return heads


def append(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Store linked rows. The heads on the message rows are the caller's to update, in the same commit."""
    later.add(connection, _INSERT, rows)


def hash_of(row: Row[Any]) -> str:
    """The hash that a stored event should have by what it says."""
    fields = ("message_id", "number", "kind", "at", "partner", "order_number", "data", "previous")
    return event_hash(**{name: getattr(row, name) for name in fields})


def entry(row: Row[Any]) -> TrailEntry:
    """A stored event."""
    fields = row._mapping  # noqa: SLF001  SQLAlchemy's public name for a row's mapping
    kept = {key: fields[key] for key in ("message_id", "number", "kind", "at", "partner", "order_number", "hash")}
    return TrailEntry(**kept, data=json.loads(fields["data"]))
