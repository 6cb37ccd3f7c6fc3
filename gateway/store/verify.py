"""Verifying the trail: every sealed event and every seal is recomputed, and whatever differs is named.

Works through one seal at a time, so memory and the length of a snapshot are bounded however long the trail is.
Each event carries the hash before it, so a changed event is blamed alone and not the ones that follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, exists, func, or_, select
from sqlalchemy.sql.expression import alias

from gateway.store.seals import FIRST_PREVIOUS, MOST, Seal, seal_hash, signed_bytes
from gateway.store.tables import event, message, seal
from gateway.store.trail import GENESIS, hash_of

SHOWN = 1000
"""Problems named at most, by each check; the trail is as broken with more."""


class Wrong(StrEnum):
    """What is wrong at one place of the trail."""

    CHANGED = "changed"
    """An event does not say what was sealed, or its hash does not fit what it says."""
    REMOVED = "removed"
    """An event that was sealed, or that its message counts, is gone."""
    MOVED = "moved"
    """An event stands in another seal, or in another order, than it was sealed in."""
    INSERTED = "inserted"
    """An event claims to be sealed, or to belong to a chain, and does not."""
    SEAL_CHANGED = "seal_changed"
    """A seal's signature does not fit what it says, or is by a key that is not known."""
    SEAL_REMOVED = "seal_removed"
    """A seal is missing between two others, or although events or an anchor name it."""
    SEAL_MOVED = "seal_moved"
    """A seal does not continue the one before it."""
    CONTENT_CHANGED = "content_changed"
    """Stored bytes, a receipt or a document are not what the message's event says."""
    CONTENT_REMOVED = "content_removed"
    """Stored bytes, a receipt or a document that an event names are gone, and no event says that they were purged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing wrong. `number` is the event's position in its message's chain."""

    what: Wrong
    detail: str
    message_id: str | None = None
    number: int | None = None
    seal: int | None = None
    document_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """The state of the trail. `last_seal` and `last_hash` noted elsewhere are an anchor for the next verification."""

    seals: int
    sealed: int
    unsealed: int
    oldest_unsealed: datetime | None
    last_seal: int | None
    last_hash: str | None
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problems


def next_seal(connection: Connection, after: int) -> Seal | None:
    """The seal that follows number `after`."""
    row = connection.execute(select(seal).where(seal.c.number > after).order_by(seal.c.number).limit(1)).one_or_none()
    return None if row is None else Seal(**row._mapping)  # noqa: SLF001  SQLAlchemy's public name


def check_seal(this: Seal, before: Seal | None, keys: Mapping[str, Ed25519PublicKey]) -> list[Problem]:
    """Signature of a seal and its place after the one before it."""
    problems: list[Problem] = []

    def wrong(what: Wrong, detail: str, number: int = this.number) -> None:
        problems.append(Problem(what=what, detail=detail, seal=number))

    key = keys.get(this.key)
    if key is None:
        wrong(Wrong.SEAL_CHANGED, f"it names the key {this.key}, which is not among the keys given")
    else:
        try:
            key.verify(this.signature, signed_bytes(this))
        except InvalidSignature:
            wrong(Wrong.SEAL_CHANGED, "its signature does not fit what it says")
    number, last, digest = (0, 0, FIRST_PREVIOUS) if before is None else (before.number, before.last, seal_hash(before))
    for missing in range(number + 1, min(this.number, number + 1 + SHOWN)):
        wrong(Wrong.SEAL_REMOVED, f"no seal stands between {number} and {this.number}", missing)
    if this.number == number + 1 and not problems and (this.previous != digest or this.first != last + 1):
        wrong(Wrong.SEAL_MOVED, f"it does not continue seal {number}")
    return problems


def check_events(connection: Connection, this: Seal) -> list[Problem]:
    """Every event that a seal lists is there, unchanged, in order; and no other claims to be in it."""
    problems: list[Problem] = []

    def wrong(what: Wrong, place: tuple[str, int] | None, detail: str) -> None:
        message_id, number = place or (None, None)
        problems.append(Problem(what=what, detail=detail, message_id=message_id, number=number, seal=this.number))

    listed = _entries(this.entries)
    if listed is None or len(listed) != this.last - this.first + 1:
        wrong(Wrong.SEAL_CHANGED, None, "its list of events cannot be read")
        listed = listed or {}
    query = select(event).where(event.c.seal == this.number).order_by(event.c.id).limit(2 * MOST)
    found = {(row.message_id, row.number): row for row in connection.execute(query)}
    for place, digest in listed.items():
        row = found.get(place)
        if row is None:
            elsewhere = select(event.c.seal).where(event.c.message_id == place[0], event.c.number == place[1])
            other = connection.execute(elsewhere).one_or_none()
            if other is None:
                wrong(Wrong.REMOVED, place, "it was sealed and is gone")
            else:
                wrong(Wrong.MOVED, place, f"it stands in {'no seal' if other.seal is None else f'seal {other.seal}'}")
        elif row.hash != digest or _hash(row) != digest:
            wrong(Wrong.CHANGED, place, "it does not say what was sealed")
    order = {place: position for position, place in enumerate(listed)}
    furthest = -1
    for place in found:
        position = order.get(place)
        if position is None:
            wrong(Wrong.INSERTED, place, "it claims to be in this seal, which does not list it")
        elif position < furthest:
            wrong(Wrong.MOVED, place, "it stands behind an event that was sealed after it")
        else:
            furthest = position
    return problems


def check_claims(connection: Connection) -> list[Problem]:
    """No event names a seal that is not there; every message has as many events as it counts."""
    unknown = event.c.seal.is_not(None) & ~exists().where(seal.c.number == event.c.seal)
    columns = (event.c.message_id, event.c.number, event.c.seal)
    problems = [
        Problem(
            what=Wrong.SEAL_REMOVED,
            detail="the event names a seal that is not there",
            message_id=row.message_id,
            number=row.number,
            seal=row.seal,
        )
        for row in connection.execute(select(*columns).where(unknown).limit(SHOWN))
    ]
    more = alias(event, "more")
    beyond = exists().where(more.c.message_id == message.c.id, more.c.number == message.c.chain_length + 1)
    head = (event.c.message_id == message.c.id) & (event.c.number == message.c.chain_length)
    heads = (
        select(message.c.id, message.c.chain_length, event.c.hash)
        .outerjoin_from(message, event, head)
        .where(or_((message.c.chain_length > 0) & event.c.hash.is_(None), event.c.hash != message.c.chain_head, beyond))
        .limit(SHOWN)
    )
    for row in connection.execute(heads):
        what = Wrong.REMOVED if row.hash is None else Wrong.CHANGED
        detail = f"the message counts {row.chain_length} events, the last one of the trail is another"
        problems.append(Problem(what=what, detail=detail, message_id=row.id, number=row.chain_length))
    return problems


def check_unsealed(connection: Connection, after: int) -> tuple[list[Problem], int, int | None, datetime | None]:
    """A stretch of the unsealed tail after event id `after`: problems, how many, the last id, the oldest time."""
    before = alias(event, "before")
    follows = (before.c.message_id == event.c.message_id) & (before.c.number == event.c.number - 1)
    query = (
        select(event, before.c.hash.label("hash_before"))
        .outerjoin_from(event, before, follows)
        .where(event.c.seal.is_(None), event.c.id > after)
        .order_by(event.c.id)
        .limit(MOST)
    )
    rows = connection.execute(query).all()
    problems = [
        Problem(
            what=Wrong.CHANGED,
            detail="not sealed yet; its hash, or its link to the event before it, is wrong",
            message_id=row.message_id,
            number=row.number,
        )
        for row in rows
        if _hash(row) != row.hash or row.previous != (GENESIS if row.number == 1 else row.hash_before)
    ]
    return problems, len(rows), rows[-1].id if rows else None, min((row.at for row in rows), default=None)


def count_sealed(connection: Connection) -> int:
    """How many events name a seal."""
    return connection.execute(select(func.count()).select_from(event).where(event.c.seal.is_not(None))).scalar_one()


def _entries(text: str) -> dict[tuple[str, int], str] | None:
    """The lines of a seal, in order; None when they are not such lines."""
    entries: dict[tuple[str, int], str] = {}
    try:
        for line in text.splitlines():
            message_id, number, digest = line.split(" ")
            entries[message_id, int(number)] = digest
    except ValueError:
        return None
    return entries


def _hash(row: Row[Any]) -> str | None:
    """What the event should hash to; None when it says something that cannot be hashed at all."""
    try:
        return hash_of(row)
    except (AttributeError, TypeError, ValueError):
        return None
