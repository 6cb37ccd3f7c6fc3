"""Seals: the gateway signs, in order, which events it has. A sealed event cannot be changed, removed or moved unseen.

A seal lists its events by message, number and hash, names the seal before it by hash and is signed with Ed25519.
docs/audit-trail.md states the format for auditors; `signed_bytes` and `seal_hash` are that page in code.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, insert, select, text, update

from gateway.store.tables import event, seal
from gateway.store.trail import encode, moment_text

MOST = 5000
"""Events in one seal at most: a seal is read and written whole."""
FIRST_PREVIOUS = ""
"""What stands for the seal before the first one."""
_LOCK = 7_305_101_850_002
"""PostgreSQL advisory lock: one node seals at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seal:
    """A seal as stored. `first` and `last` are positions of events counted from 1 over the whole trail."""

    number: int
    at: datetime
    first: int
    last: int
    entries: str
    """One line for each event: message id, number in its chain, hash; each line ends with a line feed."""
    previous: str
    key: str
    signature: bytes


def key_name(key: Ed25519PublicKey) -> str:
    """The name of a public key: SHA-256, hexadecimal, of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def signed_bytes(unsigned: Seal) -> bytes:
    """What the signature of a seal is over."""
    digest = hashlib.sha256(unsigned.entries.encode()).hexdigest()
    numbers = (str(unsigned.number), moment_text(unsigned.at), str(unsigned.first), str(unsigned.last))
    return encode("seal.1", *numbers, digest, unsigned.previous, unsigned.key)


def seal_hash(sealed: Seal) -> str:
    """What the next seal calls this one: SHA-256, hexadecimal, of its signed bytes and its signature."""
    return hashlib.sha256(signed_bytes(sealed) + sealed.signature).hexdigest()


def make(connection: Connection, key: Ed25519PrivateKey, now: datetime) -> int:
    """Seal up to `MOST` events that are not sealed yet; how many there were. One commit of the caller.

    None where another node is sealing at this moment: what it does not see yet is for the next time. To wait for it
    would hold up whatever else is in the caller's commit.
    """
    if connection.dialect.name == "postgresql":
        free = connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not free.scalar_one():
            return 0
    waiting = select(event.c.id).where(event.c.seal.is_(None)).order_by(event.c.id).limit(MOST)
    if connection.execute(waiting.limit(1)).one_or_none() is None:
        return 0
    before = last_seal(connection)
    number = 1 if before is None else before.number + 1
    first = 1 if before is None else before.last + 1
    marked = update(event).where(event.c.id.in_(waiting.correlate(None))).values(seal=number)
    columns = (event.c.id, event.c.message_id, event.c.number, event.c.hash)
    rows = sorted(tuple(row) for row in connection.execute(marked.returning(*columns)))
    unsigned = Seal(
        number=number,
        at=now,
        first=first,
        last=first + len(rows) - 1,
        entries="".join(f"{message_id} {position} {digest}\n" for _, message_id, position, digest in rows),
        previous=FIRST_PREVIOUS if before is None else seal_hash(before),
        key=key_name(key.public_key()),
        signature=b"",
    )
    values = {name: getattr(unsigned, name) for name in Seal.__slots__}
    connection.execute(insert(seal), values | {"signature": key.sign(signed_bytes(unsigned))})
    return len(rows)


def last_seal(connection: Connection) -> Seal | None:
    """The newest seal."""
    row = connection.execute(select(seal).order_by(seal.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else Seal(**row._mapping)  # noqa: SLF001  SQLAlchemy's public name
