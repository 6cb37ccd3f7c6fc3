"""The schema's versions: `migrate` brings a database up to this gateway's, `check` refuses one it cannot work on.

Migrations only add, so a gateway works on every later schema too, until a clean-up (`cleaning`) raised the database's
oldest one. Alembic runs in the process, without an ini file; its scripts are package data in `migrations/`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import create_engine
from sqlalchemy.exc import DBAPIError

from gateway.errors import OurFault
from gateway.store import postgres, sqlite
from gateway.store.database import driver_of
from gateway.store.refusals import our_fault, unreachable
from gateway.store.tables import schema_floor

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_305_101_850_001
"""PostgreSQL advisory lock: one node migrates at a time."""
LOCK_SECONDS = 15
"""How long a migration waits for a table: while it waits, everybody else waits behind it."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where a database's schema stands, seen from this gateway."""

    found: str | None
    oldest: str | None
    """The oldest schema whose gateways may work on it; None where the database is from before that was kept."""
    cleaned: str
    """The newest clean-up that was done there."""
    lacking: tuple[str, ...]
    """Migrations that this gateway would run, in their order."""

    @property
    def current(self) -> bool:
        """Whether it is this gateway's own schema."""
        return self.found == head()

    @property
    def usable(self) -> bool:
        """Whether this gateway may work on it: its own schema, or a newer one that it still fits."""
        return self.current or (not self.lacking and self.oldest in chain())


def head() -> str:
    """The version this gateway works with."""
    return chain()[-1]


def chain() -> tuple[str, ...]:
    """The versions that this gateway knows, oldest first."""
    return _chain(SCRIPTS)


@cache
def _chain(scripts: Path) -> tuple[str, ...]:
    return tuple(script.revision for script in ScriptDirectory(str(scripts)).walk_revisions())[::-1]


def standing(connection: Connection) -> Standing:
    """Where the schema stands."""
    tables = set(inspect(connection).get_table_names())
    found = None
    if "alembic_version" in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    floor = connection.execute(select(schema_floor)).one_or_none() if "schema_floor" in tables else None
    known = chain()
    lacking = known if found is None else known[known.index(found) + 1 :] if found in known else ()
    oldest, cleaned = (None, "") if floor is None else (floor.oldest, floor.cleaned)
    return Standing(found=found, oldest=oldest, cleaned=cleaned, lacking=lacking)


async def migrate(url: str) -> None:
    """Bring the database at `url` to this gateway's schema, in one transaction; harmless when it is there or newer.

    Raises OurFault when the database cannot be reached, or is one that this gateway cannot work on any more.
    """
    await alone(url, _upgrade)


async def alone(url: str, change: Callable[[Connection], T]) -> T:
    """Run `change` of the schema in a transaction, no other node changing it at the same time. Raises OurFault."""
    try:
        if driver_of(url) == "sqlite":
            return await asyncio.to_thread(_alone_on_sqlite, url, change)
        engine = postgres.engine_for(url)
        try:
            async with engine.begin() as connection:
                postgres.refuse_old(connection)
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
                return await connection.run_sync(change)
        finally:
            await engine.dispose()
    except (OSError, TimeoutError) as fault:
        raise unreachable(fault) from fault
    except DBAPIError as fault:
        raise our_fault(fault) from fault
    except sqlite3.Error as fault:  # of a connection's first statements
        raise our_fault(fault) from fault


def check(connection: Connection) -> None:
    """Refuse a database on which this gateway cannot work."""
    now = standing(connection)
    if now.lacking:
        raise OurFault(
            f"The database has schema {now.found or 'none'}, this gateway needs {head()}",
            remedy="Start `gateway serve` once, or run `gateway database migrate`: it brings the database up to date.",
        )
    if not now.usable:
        raise _newer(now)


def _alone_on_sqlite(url: str, change: Callable[[Connection], T]) -> T:
    file = sqlite.file_of(url)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise OurFault(
            f"The folder {file.parent} cannot be made: {fault.strerror}",
            remedy="Check database.url, and that the gateway's user may write there.",
        ) from fault
    engine = create_engine(url)

    # pysqlite would commit before every DDL statement; we begin ourselves, so that a migration is whole or absent.
    @sqlalchemy_event.listens_for(engine, "connect")
    def set_up(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None
        driver.execute(f"PRAGMA busy_timeout={sqlite.BUSY_SECONDS * 1000}")
        driver.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file; in one that is there it changes nothing
        sqlite.use_wal(driver)
        driver.execute("PRAGMA synchronous=FULL")

    @sqlalchemy_event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.begin() as connection:
            return change(connection)
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    now = standing(connection)
    if not now.lacking:
        if not now.usable:
            raise _newer(now)
        return
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _newer(now: Standing) -> OurFault:
    needed = f", and needs at least {now.oldest}" if now.oldest else ""
    return OurFault(
        f"The database was made by a newer gateway: it has schema {now.found}{needed}, this gateway knows {head()}",
        remedy="Run the newer gateway, or restore a backup from before the upgrade.",
    )
