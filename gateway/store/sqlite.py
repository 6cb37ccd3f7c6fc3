"""SQLite: one writer thread that commits in groups, and a few reader threads beside it.

The writer takes whatever is queued, runs each operation in its own savepoint and commits once (WAL, synchronous FULL):
many operations share one flush of the disk. An operation that fails is rolled back alone. Other processes, such as CLI
commands, do the same with their own short transactions; `BEGIN IMMEDIATE` and the busy timeout keep them apart.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import DBAPIError, OperationalError

from gateway import jsontext
from gateway.errors import OurFault
from gateway.store import later
from gateway.store.database import Database, Operation, T
from gateway.store.folders import make_durably
from gateway.store.lock import ServeLock
from gateway.store.refusals import our_fault

BATCH = 256
READERS = 4
BUSY_SECONDS = 30
OLDEST = (3, 35, 0)
"""RETURNING came with SQLite 3.35."""
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "temp_store=MEMORY")


@dataclass(slots=True)
class _Item:
    operation: Callable[[Connection], Any]
    collects: bool
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase(Database):
    """An SQLite file."""

    dialect = "sqlite"

    def __init__(self, engine: Engine, reading: Engine, lock: ServeLock | None) -> None:
        super().__init__()
        self._engine = engine
        self._reading = reading
        self._looking = reading.connect()
        _driver(self._looking).execute("PRAGMA busy_timeout=0")
        self._lock = lock
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._writer = threading.Thread(target=self._write_batches, name="store-writer", daemon=True)
        self._closed = False
        self._writer.start()

    @classmethod
    async def connect(cls, url: str, *, serve: bool) -> SqliteDatabase:
        """Open the file, making it and its folder where needed."""
        if sqlite3.sqlite_version_info < OLDEST:
            raise OurFault(
                f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed",
                remedy="Use a Python that is built with a newer SQLite, or PostgreSQL.",
            )
        return await asyncio.to_thread(cls._connect, url, serve=serve)

    @classmethod
    def _connect(cls, url: str, *, serve: bool) -> SqliteDatabase:
        path = file_of(url)
        try:
            make_durably(path.parent)
        except OSError as fault:
            raise OurFault(
                f"The folder {path.parent} cannot be made: {fault}", remedy="Check its permissions."
            ) from fault
        lock = ServeLock.take(path) if serve else None
        engine = engine_for(url)
        try:
            with engine.connect():
                pass
        except DBAPIError as fault:
            engine.dispose()
            if lock is not None:
                lock.release()
            raise our_fault(fault) from fault
        return cls(engine, engine_for(url, reading=True), lock)

    def begin(self, operation: Operation[T], *, collects: bool = False) -> asyncio.Future[T]:
        """Queue `operation` for the next group commit."""
        if self._closed:
            raise OurFault("The store is closed", remedy="Open it again.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Item(operation, collects, future, loop))
        return future

    async def read(self, operation: Operation[T]) -> T:
        """Run `operation` in a reader thread, in one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(self._read, operation))

    async def look(self, operation: Operation[T]) -> T:
        """Run `operation` here and now, in one snapshot.

        A probe of an index costs 20 microseconds, a thread and back 60 and more, while two others contend for the
        interpreter. It never waits for a lock: what is busy is left to a reader thread, like what fails.
        """
        if self._closed:
            return await self.read(operation)
        driver = _driver(self._looking)
        try:
            driver.execute("BEGIN")
            return operation(self._looking)
        except (DBAPIError, sqlite3.Error):
            pass  # told, if it happens again, by `read`
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
        return await self.read(operation)

    async def close(self) -> None:
        """Commit what is queued, then close the file and release the lock."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._looking.close()
        self._reading.dispose()
        self._engine.dispose()
        if self._lock is not None:
            self._lock.release()

    def _read(self, operation: Operation[T]) -> T:
        with self._reading.connect() as connection:
            driver = _driver(connection)
            try:
                driver.execute("BEGIN")
                return operation(connection)
            except (DBAPIError, sqlite3.Error) as fault:
                raise our_fault(fault) from fault
            finally:
                if driver.in_transaction:
                    driver.execute("ROLLBACK")

    def _write_batches(self) -> None:
        with self._engine.connect() as connection:
            driver = _driver(connection)
            ending = False
            while not ending:
                batch: list[_Item] = []
                item = self._queue.get()
                while item is not None:
                    batch.append(item)
                    if len(batch) == BATCH or self._queue.empty():
                        break
                    item = self._queue.get()
                ending = item is None
                if batch:
                    try:
                        self._commit(connection, driver, batch)
                    except BaseException as fault:  # noqa: BLE001  the writer lives on; its callers are told
                        for waiting in batch:
                            waiting.error = waiting.error or fault
                    for loop in {waiting.loop for waiting in batch}:
                        theirs = [waiting for waiting in batch if waiting.loop is loop]
                        if not loop.is_closed():
                            loop.call_soon_threadsafe(_resolve, theirs)

    def _commit(self, connection: Connection, driver: sqlite3.Connection, batch: list[_Item]) -> None:
        """Run a batch in one transaction; when its rows cannot be written together, each operation in its own."""
        try:
            self._transaction(connection, driver, batch)
        except BaseException as fault:  # noqa: BLE001  it is raised where the operations were asked for
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            if len(batch) > 1 and not isinstance(fault, OperationalError | sqlite3.OperationalError):
                for item in batch:
                    item.error = None
                    self._commit(connection, driver, [item])
                return
            reason = fault.orig if isinstance(fault, DBAPIError) else fault
            told = our_fault(fault) if isinstance(reason, sqlite3.Error) else fault
            for item in batch:
                item.error = item.error or told

    def _transaction(self, connection: Connection, driver: sqlite3.Connection, batch: list[_Item]) -> None:
        started = time.perf_counter()
        driver.execute("BEGIN IMMEDIATE")
        with later.collecting(connection) as rows:
            for item in batch:
                try:
                    self._savepoint(connection, driver, rows, item, collects=item.collects)
                except later.RunAlone:
                    self._savepoint(connection, driver, rows, item, collects=False)
        driver.execute("COMMIT")
        self.commits += 1
        self.operations += len(batch)
        self.on_batch(len(batch), time.perf_counter() - started)

    @staticmethod
    def _savepoint(
        connection: Connection, driver: sqlite3.Connection, rows: later.Later, item: _Item, *, collects: bool
    ) -> None:
        """Run one operation; if it fails, nothing of it is left and the batch goes on."""
        if not collects:
            rows.flush(connection)  # before the savepoint: what others added must outlive this operation's failure
        mark = rows.mark()
        driver.execute("SAVEPOINT operation")
        try:
            item.result = later.perform(connection, rows, item.operation, collects=collects)
        except BaseException as fault:
            if not driver.in_transaction:  # SQLite rolled everything back: disk full, I/O error
                raise
            driver.execute("ROLLBACK TO operation")
            driver.execute("RELEASE operation")
            rows.back_to(mark)
            if isinstance(fault, later.RunAlone):
                raise
            item.error = our_fault(fault) if isinstance(fault, OperationalError | sqlite3.OperationalError) else fault
        else:
            driver.execute("RELEASE operation")


def file_of(url: str) -> Path:
    """The file of an SQLite URL. Raises OurFault for a database in memory, which could not keep a promise."""
    name = make_url(url).database
    if not name or name == ":memory:":
        raise OurFault("The database URL names no file", remedy="Use sqlite:///folder/gateway.db.")
    return Path(name)


def engine_for(url: str, *, reading: bool = False) -> Engine:
    """An engine whose connections leave transactions to us; with `reading` they refuse to change anything."""
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", pool_size=READERS + 1, max_overflow=2, json_serializer=jsontext.written
    )
    sqlalchemy_event.listen(engine, "connect", _set_up)
    if reading:
        sqlalchemy_event.listen(engine, "connect", _only_read)
    return engine


def use_wal(driver: sqlite3.Connection) -> None:
    """Switch the file to WAL, once for ever. SQLite does not wait for others here, whatever its busy timeout: we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while driver.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            driver.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _set_up(driver: sqlite3.Connection, _record: object) -> None:
    driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    use_wal(driver)
    for pragma in _PRAGMAS:
        driver.execute(f"PRAGMA {pragma}")


def _only_read(driver: sqlite3.Connection, _record: object) -> None:
    driver.execute("PRAGMA query_only=ON")


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _resolve(batch: list[_Item]) -> None:
    for item in batch:
        if item.future.done():  # whoever asked was cancelled meanwhile
            continue
        if item.error is not None:
            item.future.set_exception(item.error)
        else:
            item.future.set_result(item.result)
