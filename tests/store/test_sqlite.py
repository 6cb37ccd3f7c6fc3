"""SQLite: group commit, one server a file, CLI commands beside it, durability through SIGKILL."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from gateway.errors import NoRoom, OurFault
from gateway.ports import Changes
from gateway.store import Store, migrate, schema
from gateway.store.database import Database
from gateway.store.tables import event, job, message, payload


async def test_the_disk_is_asked_to_flush_every_commit(sqlite_store: Store) -> None:
    """WAL with synchronous FULL (2), foreign keys on: on the very connection that writes."""

    def settings(connection: Connection) -> list[Any]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in names]

    assert await sqlite_store.database.write(settings) == ["wal", 2, 1]


async def test_a_reader_cannot_write(sqlite_store: Store) -> None:
    """Reading is held to it by the database."""
    with pytest.raises(OurFault, match="readonly"):
        await sqlite_store.database.read(lambda connection: connection.execute(text("DELETE FROM lane")))


async def test_a_second_server_is_refused_and_a_command_is_not(
    sqlite_store: Store, sqlite_url: str, tmp_path: Path, clock: Any, trade: Any
) -> None:
    """A command reads and writes beside the running server; the server's next reading sees it."""
    with pytest.raises(OurFault, match=f"already served by process {os.getpid()}") as refused:
        await Store.open(sqlite_url, payloads=tmp_path, clock=clock, serve=True)
    assert "PostgreSQL" in refused.value.remedy
    command = await Store.open(sqlite_url, payloads=tmp_path, clock=clock)
    busy = [asyncio.create_task(sqlite_store.accept(trade.received())) for _ in range(200)]
    mine = trade.message()
    await command.apply(Changes(messages=(mine,)))
    await asyncio.gather(*busy)
    assert await sqlite_store.message(mine.id) is not None
    assert len(await command.messages(limit=1000)) == 201
    await command.close()


async def test_jobs_of_a_killed_server_are_due_again_when_it_returns(
    sqlite_url: str, tmp_path: Path, clock: Any, trade: Any
) -> None:
    """Holding the file's lock proves that their process is gone; a command does not take them."""
    first = await Store.open(sqlite_url, payloads=tmp_path, clock=clock, serve=True)
    await first.accept(trade.received())
    (job,) = await first.claim("me", ["read"], 1)
    await first.close()
    command = await Store.open(sqlite_url, payloads=tmp_path, clock=clock)
    assert await command.claim("cli", ["read"], 1) == []
    await command.close()
    second = await Store.open(sqlite_url, payloads=tmp_path, clock=clock, serve=True)
    (again,) = await second.claim("me", ["read"], 1)
    assert (again.id, again.attempt) == (job.id, 2)
    assert [attempt.outcome for attempt in await second.attempts(job.message_id)] == ["lost", None]
    await second.close()


async def test_a_closed_store_says_so(sqlite_url: str, tmp_path: Path, clock: Any, trade: Any) -> None:
    """What was queued before is committed, what comes after is refused."""
    store = await Store.open(sqlite_url, payloads=tmp_path, clock=clock)
    queued = [asyncio.create_task(store.accept(trade.received())) for _ in range(10)]
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    assert not any(answer.duplicate for answer in await asyncio.gather(*queued))
    with pytest.raises(OurFault, match="closed"):
        await store.accept(trade.received())


@pytest.mark.parametrize(
    "url", ["mysql://x", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql://u:secret@h/d"]
)
async def test_a_wrong_url_is_refused_with_the_right_forms_and_without_its_password(url: str) -> None:
    """Before anything is made."""
    with pytest.raises(OurFault) as refused:
        await Database.open(url)
    assert "sqlite:///" in refused.value.remedy
    assert "secret" not in str(refused.value)


async def test_a_file_that_is_no_database_is_our_fault(tmp_path: Path, clock: Any) -> None:
    """No traceback, a remedy."""
    (tmp_path / "gateway.db").write_bytes(b"not a database, long enough to be looked at" * 50)
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    with pytest.raises(OurFault, match="not a database"):
        await migrate(url)
    with pytest.raises(OurFault, match="not a database"):
        await Store.open(url, payloads=tmp_path, clock=clock)


async def test_a_full_disk_fails_the_batch_and_keeps_what_was_there(sqlite_store: Store, trade: Any) -> None:
    """Nothing is acknowledged that is not stored; when there is room again the store goes on."""
    await sqlite_store.accept(trade.received())

    def limit(pages: int) -> Callable[[Connection], Any]:
        return lambda connection: connection.execute(text(f"PRAGMA max_page_count={pages}")).scalar_one()

    await sqlite_store.database.write(limit(1))
    big = [trade.received(payload=os.urandom(500_000)) for _ in range(3)]
    results = await asyncio.gather(*(sqlite_store.accept(one) for one in big), return_exceptions=True)
    assert all(isinstance(result, NoRoom) for result in results), "it passes: whoever sent it may come again"
    await sqlite_store.database.write(limit(1_000_000))
    await sqlite_store.accept(trade.received())
    assert len(await sqlite_store.messages()) == 2


CHILD = """
import asyncio, sys, pathlib
from datetime import UTC, datetime
from gateway.ports import *
from gateway.events import MessageReceived
from gateway.store import Store as Durable

def now():
    return datetime.now(UTC)

async def main(url, folder):
    store = await Durable.open(url, payloads=pathlib.Path(folder), clock=now, serve=True)
    async def send(lane):
        while True:
            message_id = new_id(now())
            message = NewMessage(id=message_id, partner="p", direction=Direction.INBOUND, channel=Channel.AS2,
                state=MessageState.RECEIVED, at=now(), payload=message_id.encode() * 50, duplicate_key=message_id)
            job = NewJob(message_id=message_id, step="read", lane=f"lane-{lane}", run_at=now())
            event = MessageReceived(message_id=message_id, channel="as2", sha256="", size=0)
            await store.accept(Changes(messages=(message,), jobs=(job,), events=(event,)))
            sys.stdout.write(message_id + "\\n")
            sys.stdout.flush()
    await asyncio.gather(*(send(lane) for lane in range(8)))

asyncio.run(main(*sys.argv[1:]))
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(database_url: str, tmp_path: Path) -> None:
    """SIGKILL at random moments, several times, on both databases: message, payload, job and event are all there."""
    acknowledged: list[str] = []
    for kill in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, database_url, str(tmp_path / "payloads")],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None
        acknowledged.append(child.stdout.readline().strip())
        time.sleep(random.Random(kill).uniform(0.05, 0.3))
        child.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in child.stdout if line.endswith("\n")]
        child.stdout.close()
        child.wait()
    assert len(acknowledged) > 20
    asyncio.run(_check(database_url, tmp_path, acknowledged))


async def _check(url: str, folder: Path, acknowledged: list[str]) -> None:
    """Every acknowledged message has its payload, its job and its event; so has every other one that is there."""
    store = await Store.open(url, payloads=folder / "payloads", clock=lambda: datetime.now(UTC), serve=True)
    whole = select(payload.c.message_id, payload.c.data).join_from(payload, message).join(job).join(event)
    found = dict(await store.database.read(lambda connection: [tuple(row) for row in connection.execute(whole)]))
    stored = await store.database.read(lambda connection: connection.execute(select(message.c.id)).scalars().all())
    assert set(acknowledged) <= set(found) == set(stored)
    assert all(data == message_id.encode() * 50 for message_id, data in found.items())
    await store.close()


def test_a_change_made_by_plain_sqlite3_is_seen(sqlite_url: str) -> None:
    """The file is an ordinary SQLite database."""
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as plain:
        assert plain.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.head(),)]
    plain.close()


async def test_a_folder_made_for_the_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    """What partners sent lies in it; one that is there already stays as whoever made it wanted."""
    url = f"sqlite:///{tmp_path / 'data' / 'gateway.db'}"
    await migrate(url)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    (tmp_path / "shared").mkdir(mode=0o750)
    await migrate(f"sqlite:///{tmp_path / 'shared' / 'gateway.db'}")
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o750
