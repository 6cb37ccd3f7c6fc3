"""The schema's versions: `migrate` brings a database up to this gateway's, `check` refuses one that is not.

Alembic runs in the process, without an ini file; its scripts are package data in `migrations/`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.engine import create_engine
from sqlalchemy.exc import DBAPIError

from gateway.errors import OurFault
from gateway.store import postgres, sqlite
from gateway.store.database import driver_of, our_fault

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_305_101_850_001
"""PostgreSQL advisory lock: one node migrates at a time."""


def head() -> str:
    """The version this gateway works with."""
    found = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert found is not None
    return found


async def migrate(url: str) -> None:
    """Bring the database at `url` to this gateway's schema, in one transaction; harmless when it is there.

    Raises OurFault when the database cannot be reached or was made by a newer gateway.
    """
    try:
        if driver_of(url) == "sqlite":
            await asyncio.to_thread(_migrate_sqlite, url)
        else:
            engine = postgres.engine_for(url)
            try:
                async with engine.begin() as connection:
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                    await connection.run_sync(_upgrade)
            finally:
                await engine.dispose()
    except CommandError as fault:
        raise _newer() from fault
    except OSError as fault:
        raise OurFault(f"The database cannot be reached: {fault}", remedy="Check that it runs, and its URL.") from fault
    except DBAPIError as fault:
        raise our_fault(fault) from fault


def check(connection: Connection) -> None:
    """Refuse a database whose schema is not this gateway's."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found == head():
        return
    if found is None or found in {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}:
        raise OurFault(
            f"The database has schema {found or 'none'}, this gateway needs {head()}",
            remedy="Start `gateway serve` once: it brings the database up to date.",
        )
    raise _newer()


def _migrate_sqlite(url: str) -> None:
    sqlite.file_of(url).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(url)

    # pysqlite would commit before every DDL statement; we begin ourselves, so that a migration is whole or absent.
    @sqlalchemy_event.listens_for(engine, "connect")
    def set_up(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None
        driver.execute(f"PRAGMA busy_timeout={sqlite.BUSY_SECONDS * 1000}")
        sqlite.use_wal(driver)
        driver.execute("PRAGMA synchronous=FULL")

    @sqlalchemy_event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.begin() as connection:
            _upgrade(connection)
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _newer() -> OurFault:
    return OurFault(
        "The database was made by a newer gateway: its schema is unknown to this one",
        remedy="Run the newer gateway, or restore a backup from before the upgrade.",
    )
