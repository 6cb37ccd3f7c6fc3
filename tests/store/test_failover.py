"""The primary dies, its synchronous standby takes over: what was acknowledged is there, and the gateway goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.errors import OurFault
from gateway.store import Store, migrate
from gateway.store.postgres import SILENCE

PATIENCE = 60


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One PostgreSQL server of the wheel, on a port of its own."""

    folder: Path
    port: int
    programs: Path
    user: str | None
    """Whom it runs as, where the tests run as root."""

    def run(self, program: str, *arguments: str) -> None:
        """A program of PostgreSQL."""
        command = [str(self.programs / program), *arguments]
        log = self.folder.parent / "programs.log"
        with log.open("ab") as output:  # pg_ctl's server keeps the output open: no pipe would ever end
            subprocess.run(command, user=self.user, stdout=output, stderr=output, check=True, cwd="/")

    def start(self) -> None:
        """Start it and wait."""
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        self.run("pg_ctl", "-w", "-D", str(self.folder), "-o", options, "start")

    def ask(self, statement: str) -> str:
        """The answer of one statement."""
        command = [str(self.programs / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-Atc"]
        done = subprocess.run([*command, statement, "postgres"], capture_output=True, text=True, check=True)
        return done.stdout.strip()


@pytest.fixture
def pair(postgres_server: Any) -> Iterator[tuple[Cluster, Cluster]]:
    """A primary and its synchronous standby."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-failover-"))
    user = postgres_server.system_user
    if user is not None:
        shutil.chown(folder, user)
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    primary, standby = (
        Cluster(folder=folder / name, port=port, programs=Path(postgres_server.bin_path), user=user)
        for name, port in zip(("primary", "standby"), ports, strict=True)
    )
    (folder / "programs.log").touch()
    primary.run("initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(primary.folder))
    primary.start()
    try:
        come = ("-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres")
        standby.run("pg_basebackup", *come, "-D", str(standby.folder), "-R", "-X", "stream", "-c", "fast")
        standby.start()
        primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.ask("SELECT pg_reload_conf()")
        yield primary, standby
    finally:
        for one in (primary, standby):
            with contextlib.suppress(subprocess.CalledProcessError):
                one.run("pg_ctl", "-D", str(one.folder), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _options(connection: Connection) -> list[int]:
    """What the socket of a connection says of a server that says nothing any more."""
    driver = connection.connection.driver_connection
    with socket.socket(fileno=os.dup(driver._transport.get_extra_info("socket").fileno())) as same:  # type: ignore[union-attr]
        alive = same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return [alive, *(same.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in SILENCE)]


async def test_nothing_acknowledged_is_lost_when_a_synchronous_standby_takes_over(
    pair: tuple[Cluster, Cluster], trade: Any, clock: Any, tmp_path: Path
) -> None:
    """Both machines in one URL; what was asked while none was primary is asked again, and is there once."""
    primary, standby = pair
    where = f"host=127.0.0.1:{primary.port}&host=127.0.0.1:{standby.port}&target_session_attrs=primary"
    url = f"postgresql+asyncpg://postgres@/postgres?{where}"
    await migrate(url)
    store = await Store.open(url, payloads=tmp_path, clock=clock, serve=True)
    silence = await store.database.read(_options)
    assert silence == [1, *SILENCE.values()]
    for _ in range(PATIENCE * 10):
        if await asyncio.to_thread(primary.ask, "SELECT sync_state FROM pg_stat_replication") == "sync":
            break
        await asyncio.sleep(0.1)
    acknowledged: list[str] = []
    faults: list[OurFault] = []

    enough = asyncio.Event()

    async def send() -> None:
        while not enough.is_set():
            changes = trade.received(duplicate_key=f"key-{len(acknowledged)}")
            for _ in range(PATIENCE * 5):
                try:
                    accepted = await store.accept(changes)
                except OurFault as fault:
                    faults.append(fault)
                    await asyncio.sleep(0.2)
                else:
                    acknowledged.append(accepted.message_id)
                    break
            else:
                raise AssertionError(faults[-1])
            await asyncio.sleep(0.01)

    sending = asyncio.create_task(send())
    await asyncio.sleep(0.5)
    await asyncio.to_thread(primary.run, "pg_ctl", "-D", str(primary.folder), "-m", "immediate", "stop")
    before = len(acknowledged)
    await asyncio.to_thread(standby.run, "pg_ctl", "-w", "-D", str(standby.folder), "promote")
    for _ in range(PATIENCE * 10):
        if len(acknowledged) > before + 10 or sending.done():
            break
        await asyncio.sleep(0.1)
    enough.set()
    await sending
    await store.close()
    assert faults
    assert all(fault.remedy for fault in faults)
    assert 0 < before < len(acknowledged) < 1000
    again = await Store.open(url, payloads=tmp_path, clock=clock, serve=True)
    for id_ in acknowledged:
        assert await again.message(id_) is not None
    assert len(acknowledged) == len(set(acknowledged)) == len(await again.messages(limit=1000))
    assert len(await again.claim("me", ["read"], 5)) == 5
    await again.close()
