"""PostgreSQL through asyncpg: a writer task that commits what was queued while its last commit was under way.

A batch is one transaction without savepoints, which spares two round trips an operation. When an operation of a batch
fails, or the batch meets a deadlock with another node, it is rolled back and its operations are run again one by one,
so that each takes effect alone. Nothing is run again once a connection was lost: whether it was committed is unknown.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway import jsontext
from gateway.errors import OurFault
from gateway.store import later
from gateway.store.database import Database, Operation, T
from gateway.store.refusals import our_fault, unreachable

BATCH = 64
WRITERS = 1
CONNECTIONS = 20
"""All of them are kept: a new one learns every statement anew. The one that was used last is used first."""
KEPT = 8
"""Of them, so many stay with those who read."""
CONNECT_SECONDS = 10
SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}
"""After 30 s without a sign of life a connection is lost: half a lease. The last one is in milliseconds (tcp(7))."""
TRIES = 3
OLDEST = (14,)
"""An older PostgreSQL is refused; the tests run on the one of the wheel (18)."""
_OURS = (IntegrityError, DataError, ProgrammingError)
"""What a wrong statement or value raises; anything else is the database's trouble."""
_RETRIED = {"40001", "40P01"}
"""SQLSTATE: serialization failure, deadlock detected."""
_SETTINGS = {
    "plan_cache_mode": "force_custom_plan",  # a plan made on empty tables is slow on full ones
    "jit": "off",  # statements are short
    "application_name": "partner-gateway",
    "synchronous_commit": "on",
    # A process that is frozen, or cut off, inside a transaction holds locks that everybody else runs into.
    "idle_in_transaction_session_timeout": "15s",
}


_PutOff = tuple[float, Operation[None]]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Item:
    operation: Callable[[Connection], Any]
    collects: bool
    future: asyncio.Future[Any]


class PostgresDatabase(Database):
    """A PostgreSQL database, shared by any number of nodes."""

    dialect = "postgresql"

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__()
        self._engine = engine
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._idle: list[AsyncConnection] = []
        """Readers: to take one from the pool and give it back costs twice what a look does."""
        self._readers = asyncio.Semaphore(CONNECTIONS - WRITERS)
        """What readers hand to each other the pool never sees: a writer that waits there would wait for ever."""
        self._queue: deque[_Item] = deque()
        self._queued = asyncio.Event()
        self._closed = False
        self._writers = [asyncio.create_task(self._write_batches(), name="store-writer") for _ in range(WRITERS)]

    @classmethod
    async def connect(cls, url: str) -> PostgresDatabase:
        """Connect once, to fail early and clearly."""
        engine = engine_for(url)
        try:
            async with engine.connect() as connection:
                refuse_old(connection)
        except (OSError, DBAPIError, TimeoutError) as fault:
            await engine.dispose()
            raise unreachable(fault) from fault
        except OurFault:
            await engine.dispose()
            raise
        return cls(engine)

    def begin(self, operation: Operation[T], *, collects: bool = False) -> asyncio.Future[T]:
        """Queue `operation` for the next group commit."""
        if self._closed:
            raise OurFault("The store is closed", remedy="Open it again.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.append(_Item(operation, collects, future))
        self._queued.set()
        return future

    async def read(self, operation: Operation[T]) -> T:
        """Run `operation` on a pooled connection, without a transaction around it: one round trip for three.

        Under READ COMMITTED, PostgreSQL's default, each statement has a snapshot of its own all the same.
        """
        try:
            async with self._readers:
                return await self._read(operation)
        except (OSError, DBAPIError, NoConnection) as fault:
            raise _fault(fault) from fault

    async def _read(self, operation: Operation[T]) -> T:
        connection = await self._reader()
        try:
            result = await connection.run_sync(operation)
        except BaseException:
            await asyncio.shield(asyncio.create_task(connection.close()))
            raise
        if len(self._idle) < KEPT and not self._closed:
            self._idle.append(connection)
        else:
            await connection.close()
        return result

    async def _reader(self) -> AsyncConnection:
        """A connection that nobody uses; one that the server has closed meanwhile is none."""
        while self._idle:
            connection = self._idle.pop()
            driver = (await connection.get_raw_connection()).driver_connection
            if driver is not None and not driver.is_closed():
                return connection
            await connection.invalidate()
            await connection.close()
        return await self._reading.connect()

    async def close(self) -> None:
        """Commit what is queued, then close the connections."""
        self._closed = True
        self._queued.set()
        await asyncio.gather(*self._writers)
        while self._idle:
            await self._idle.pop().close()
        await self._engine.dispose()

    async def _write_batches(self) -> None:
        while True:
            await self._queued.wait()
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            if batch:
                batch.sort(key=lambda item: not item.collects)  # then what is collected is written once; claims go last
                await self._commit(batch)
            elif self._closed:
                return
            else:
                self._queued.clear()

    async def _commit(self, batch: list[_Item]) -> None:
        try:
            results = await self._transaction(batch)
        except Exception as fault:  # noqa: BLE001  it is raised where the operation was asked for
            if _lost(fault) or (len(batch) == 1 and not _conflict(fault)):
                _fail(batch, fault)
            else:
                for item in batch:
                    await self._commit_alone(item)
            return
        for item, result in zip(batch, results, strict=True):
            if not item.future.done():
                item.future.set_result(result)

    async def _commit_alone(self, item: _Item) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                (result,) = await self._transaction([item])
            except Exception as fault:  # noqa: BLE001  as above
                if _conflict(fault) and attempt < TRIES:
                    continue
                _fail([item], fault)
            else:
                if not item.future.done():
                    item.future.set_result(result)
            return

    async def _transaction(self, batch: list[_Item]) -> list[Any]:
        def run(connection: Connection) -> tuple[list[Any], list[_PutOff]]:
            later.put_off(connection)  # by a transaction that failed
            if len(batch) == 1:
                return [batch[0].operation(connection)], later.put_off(connection)
            results = []
            with later.collecting(connection) as rows:
                for item in batch:
                    try:
                        result = later.perform(connection, rows, item.operation, collects=item.collects)
                    except later.RunAlone:
                        result = later.perform(connection, rows, item.operation, collects=False)
                    results.append(result)
            return results, later.put_off(connection)

        started = time.perf_counter()
        async with self._engine.begin() as connection:
            results, put_off = await connection.run_sync(run)
        self.commits += 1
        self.operations += len(batch)
        for seconds, operation in put_off:
            asyncio.get_running_loop().call_later(seconds, self._follow, operation)
        self.on_batch(len(batch), time.perf_counter() - started)
        return results

    def _follow(self, operation: Operation[None]) -> None:
        """Queue what a commit has put off; whoever needs it badly finds it missing, see `turns`."""
        if not self._closed:
            self.begin(operation).add_done_callback(_say_failure)


def _say_failure(following: asyncio.Future[None]) -> None:
    if not following.cancelled() and (fault := following.exception()) is not None:
        log.warning("What was put off after a commit failed: %s", fault)


def refuse_old(connection: AsyncConnection) -> None:
    """Raises OurFault when the server is older than `OLDEST`."""
    version = connection.dialect.server_version_info or (0,)
    if version < OLDEST:
        raise OurFault(
            f"PostgreSQL {version[0]} is too old: {OLDEST[0]} is needed",
            remedy=f"Upgrade the server (pg_upgrade, or dump and restore) to {OLDEST[0]} or newer.",
        )


def engine_for(url: str) -> AsyncEngine:
    """An engine with the settings every connection needs."""
    engine = create_async_engine(
        url,
        json_serializer=jsontext.written,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_use_lifo=True,
        connect_args={
            "server_settings": _SETTINGS,
            "prepared_statement_cache_size": 500,
            "timeout": CONNECT_SECONDS,
        },
    )
    event.listen(engine.sync_engine, "connect", _notice_silence)
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _notice_silence(connection: Any, _record: object) -> None:
    """Have the system end a TCP connection whose server says nothing any more: it lost its power, or the cable.

    The driver waits for an answer as long as it takes, and offers no such setting: only the socket has it.
    """
    theirs = connection.driver_connection._transport.get_extra_info("socket")  # noqa: SLF001  see above
    if theirs is None or theirs.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    with socket.socket(fileno=os.dup(theirs.fileno())) as same:  # uvloop's own object takes no options
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in SILENCE.items():
            if (number := getattr(socket, option, None)) is not None:  # not on every system
                same.setsockopt(socket.IPPROTO_TCP, number, value)


def _refuse_closed(connection: Any, _record: object, _borrowed: object) -> None:
    """The server has closed it meanwhile (a restart, a failover): the pool makes another one in its place."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _conflict(fault: BaseException) -> bool:
    return isinstance(fault, DBAPIError) and getattr(fault.orig, "sqlstate", None) in _RETRIED


def _lost(fault: BaseException) -> bool:
    return isinstance(fault, OSError) or (isinstance(fault, DBAPIError) and fault.connection_invalidated)


def _fault(fault: BaseException) -> BaseException:
    if isinstance(fault, DBAPIError) and (_lost(fault) or not isinstance(fault, _OURS)):
        return our_fault(fault)
    if isinstance(fault, OSError | NoConnection):
        return OurFault(f"PostgreSQL cannot be reached: {fault}", remedy="Check that it runs; the gateway tries again.")
    return fault


def _fail(batch: list[_Item], fault: BaseException) -> None:
    for item in batch:
        if not item.future.done():
            item.future.set_exception(_fault(fault))
