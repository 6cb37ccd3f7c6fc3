"""One way to both databases: an operation is a synchronous function of a SQLAlchemy connection.

`write` runs operations in batches that share one commit; each operation takes effect whole or not at all, and `write`
returns only when its commit is on disk. An operation may be run again after a conflict, so it changes nothing but the
database. Batching, threads and drivers are in `sqlite` and `postgres`.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from gateway.errors import NoRoom, OurFault

T = TypeVar("T")
Operation = Callable[[Connection], T]

DISK_FULL = "53100"
"""SQLSTATE of PostgreSQL: disk_full."""
FORMS = "sqlite:///folder/gateway.db or postgresql+asyncpg://user@host/database"


class Database(ABC):
    """An open database. `commits` and `operations` count since it was opened: their ratio is the group commit."""

    dialect: str

    def __init__(self) -> None:
        self.commits = 0
        self.operations = 0

    @staticmethod
    async def open(url: str, *, serve: bool = False) -> Database:
        """Open `url`. With `serve` an SQLite file is locked against a second server. Raises OurFault."""
        from gateway.store.postgres import PostgresDatabase  # noqa: PLC0415  they are subclasses of this class
        from gateway.store.sqlite import SqliteDatabase  # noqa: PLC0415

        match driver_of(url):
            case "sqlite":
                return await SqliteDatabase.connect(url, serve=serve)
            case _:
                return await PostgresDatabase.connect(url)

    @abstractmethod
    async def write(self, operation: Operation[T], *, collects: bool = False) -> T:
        """Run `operation` in a transaction; its result once the commit is durable.

        With `collects` its added rows may be written together with those of others, see `later`.
        """

    @abstractmethod
    async def read(self, operation: Operation[T]) -> T:
        """Run `operation`, which only reads."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what is queued and let go of everything."""


def driver_of(url: str) -> str:
    """`sqlite` or `postgresql`. Raises OurFault for anything else, never repeating a password."""
    try:
        backend = make_url(url).drivername
    except ArgumentError:
        backend = ""
    match backend:
        case "sqlite":
            return "sqlite"
        case "postgresql+asyncpg":
            return "postgresql"
    raise OurFault(
        f"The database URL is not one the gateway can open ({backend or 'not a URL'})", remedy=f"Use {FORMS}."
    )


def our_fault(fault: DBAPIError) -> OurFault:
    """What to tell when the database itself fails, without the statement and its values."""
    if fault.orig is not None and is_full(fault.orig):
        return full(fault.orig)
    return OurFault(
        f"The database failed: {fault.orig}",
        remedy="Check that the database is running, reachable and has free space; nothing of the operation was kept.",
    )


def is_full(reason: BaseException) -> bool:
    """Whether the database had no room on its disk, which passes."""
    if isinstance(reason, sqlite3.Error):
        return getattr(reason, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(reason, "sqlstate", None) == DISK_FULL


def full(reason: BaseException) -> NoRoom:
    """What to tell of it."""
    return NoRoom(
        f"The database failed: {reason}", remedy="Make room on its disk; nothing was kept, what was sent is sent again."
    )
