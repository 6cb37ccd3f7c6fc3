"""One way to both databases: an operation is a synchronous function of a SQLAlchemy connection.

`write` runs operations in batches that share one commit; each operation takes effect whole or not at all, and `write`
returns only when its commit is on disk. An operation may be run again after a conflict, so it changes nothing but the
database. Batching, threads and drivers are in `sqlite` and `postgres`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from gateway.errors import OurFault

T = TypeVar("T")
Operation = Callable[[Connection], T]

FORMS = "sqlite:///folder/gateway.db or postgresql+asyncpg://user@host/database"


class Database(ABC):
    """An open database. `commits` and `operations` count since it was opened: their ratio is the group commit."""

    dialect: str

    def __init__(self) -> None:
        self.commits = 0
        self.operations = 0
        self.on_batch: Callable[[int, float], None] = _nobody_counts
        """Told of every group commit: how many operations, how many seconds. It may be told in another thread."""

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

    async def write(self, operation: Operation[T], *, collects: bool = False) -> T:
        """Run `operation` in a transaction; its result once the commit is durable.

        With `collects` its added rows may be written together with those of others, see `later`.
        """
        return await self.begin(operation, collects=collects)

    @abstractmethod
    def begin(self, operation: Operation[T], *, collects: bool = False) -> asyncio.Future[T]:
        """Queue `operation` for the next group commit. It is committed also when nobody waits for it any more."""

    @abstractmethod
    async def read(self, operation: Operation[T]) -> T:
        """Run `operation`, which only reads."""

    async def look(self, operation: Operation[T]) -> T:
        """Run `operation`, which reads one row or a few by an index: at once, where a thread would cost more."""
        return await self.read(operation)

    @abstractmethod
    async def close(self) -> None:
        """Finish what is queued and let go of everything."""


def _nobody_counts(operations: int, seconds: float) -> None:
    """The default of `on_batch`."""


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
