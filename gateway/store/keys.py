"""API keys: identity, scope and the hash of the secret; the secret itself is never stored."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from gateway.ports import ApiKey
from gateway.store.tables import api_key

TOUCH_EVERY = timedelta(minutes=1)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(**{name: getattr(row, name) for name in ApiKey.__slots__})


def add(connection: Connection, key: ApiKey, secret_sha256: str) -> None:
    """Store a new key."""
    connection.execute(insert(api_key), asdict(key) | {"secret_sha256": secret_sha256})


def find(connection: Connection, key_id: str) -> tuple[ApiKey, str] | None:
    """A key and the hash of its secret."""
    row = connection.execute(select(api_key).where(api_key.c.id == key_id)).one_or_none()
    return None if row is None else (_key(row), row.secret_sha256)


def listed(connection: Connection, partner: str | None) -> list[ApiKey]:
    """All keys, or one partner's, oldest first."""
    statement = select(api_key).order_by(api_key.c.created_at, api_key.c.id)
    if partner is not None:
        statement = statement.where(api_key.c.partner == partner)
    return [_key(row) for row in connection.execute(statement)]


def revoke(connection: Connection, key_id: str, at: datetime) -> bool:
    """End a key; a key that was revoked before keeps its first time."""
    mine = api_key.c.id == key_id
    connection.execute(update(api_key).where(mine, api_key.c.revoked_at.is_(None)).values(revoked_at=at))
    return connection.execute(select(api_key.c.id).where(mine)).one_or_none() is not None


def touch(connection: Connection, key_id: str, at: datetime) -> None:
    """Record a use, unless one was recorded in the minute before."""
    stale = or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at <= at - TOUCH_EVERY)
    connection.execute(update(api_key).where(api_key.c.id == key_id, stale).values(last_used_at=at))
