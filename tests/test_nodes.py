"""Real gateway processes on one real PostgreSQL behind a small balancer: killed, frozen, stopped; nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway import wiring
from gateway.demo import scenario
from gateway.partners.api_keys import mint_api_key
from gateway.partners.initial import Company, create_workspace
from gateway.ports import ApiKey
from gateway.store import head

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]

SETTINGS = """\
identity: {{name: Example, as2_id: EXAMPLE, x12: {{qualifier: ZZ, id: EXAMPLE}}}}
passphrase: {{file: keys/passphrase}}
listen: {{port: 0}}
nodes: {{heartbeat_seconds: 0.5, drain_seconds: 1}}
database: {{url: "{database}"}}
targets:
  erp: {{kind: http, base_url: "{erp}", documents: {{ship_notice: {{path: /asn}}}}, cap: 32}}
routes: [{{to: erp}}]
retries: {{schedule_seconds: [1, 1, 2]}}
"""
PARTNER = """\
title: Baltic Fasteners
ids: [{scheme: assigned_by_buyer, value: V-2002}]
channel: rest
rest: {requests_per_minute: 100000}
documents: {send: {purchase_order: {}}, receive: {ship_notice: {}}}
"""
PATIENCE = 40


@dataclass(kw_only=True)
class Erp:
    """Takes ship notices, each key once, as an ERP that honours it does."""

    url: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    """By idempotency key."""
    effects: Counter[str] = field(default_factory=Counter)
    """By number of the ship notice."""
    slow: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is set, calls wait, as they do at an ERP that hangs."""
    hanging: int = 0

    async def take(self, request: web.Request) -> web.Response:
        """One call."""
        body = await request.json()
        while self.slow.is_set():
            self.hanging += 1
            await asyncio.sleep(0.05)
        key = request.headers["Idempotency-Key"]
        self.calls[key] += 1
        if self.calls[key] == 1:
            self.effects[body["number"]] += 1
        return web.json_response({"id": key}, status=201)


@dataclass(kw_only=True)
class GatewayProcess:
    """`gateway serve`, with the address that it logs."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    async def listening(self) -> None:
        """Wait until it says where."""
        for _ in range(PATIENCE * 10):
            if found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", self.said):
                self.port = int(found[1])
                return
            assert self.process.poll() is None, self.said
            await asyncio.sleep(0.1)
        raise AssertionError(self.said)

    async def ended(self) -> int:
        """Its exit code."""
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    async def readiness(self) -> tuple[int, dict[str, Any]]:
        """Its health check."""
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{self.port}/health/ready") as answer:
            return answer.status, await answer.json()


@dataclass(kw_only=True)
class Balancer:
    """A layer 4 balancer: asks readiness ten times a second, gives new connections to the ready ones in turn."""

    nodes: list[GatewayProcess]
    port: int = 0
    ready: list[GatewayProcess] = field(default_factory=list)
    _turn: int = 0
    _pipes: set[asyncio.Task[None]] = field(default_factory=set)

    async def watch(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as http:
            while True:
                ready = []
                for node in self.nodes:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        async with http.get(f"http://127.0.0.1:{node.port}/health/ready") as answer:
                            if answer.status == 200:
                                ready.append(node)
                self.ready = ready
                await asyncio.sleep(0.1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client; a node that does not even connect is passed over."""
        for _ in range(len(self.nodes)):
            if not self.ready:
                break
            self._turn += 1
            node = self.ready[self._turn % len(self.ready)]
            try:
                theirs, ours = await asyncio.open_connection("127.0.0.1", node.port)
            except OSError:
                continue
            await asyncio.gather(_pipe(reader, ours), _pipe(theirs, writer))
            break
        writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@dataclass(kw_only=True)
class Site:
    """A workspace, two nodes on it, a balancer before them, an ERP behind them."""

    folder: Path
    erp: Erp
    nodes: list[GatewayProcess]
    balancer: Balancer
    key: str
    order: dict[str, Any]
    started: list[GatewayProcess] = field(default_factory=list)
    """Nodes that a test started itself."""
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    """What went wrong with single requests; each was tried again."""

    async def send(self, http: aiohttp.ClientSession, number: str) -> None:
        """A ship notice, sent again with the same key until it is acknowledged."""
        notice = scenario.ship_notice(self.order, number=number, now=datetime.now(UTC))
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f"key-{number}"}
        url = f"http://127.0.0.1:{self.balancer.port}/v1/ship-notices"
        for _ in range(PATIENCE * 5):
            try:
                async with http.post(url, json=notice, headers=headers) as answer:
                    if answer.status == 202:
                        self.acknowledged.add(number)
                        return
                    self.failed.append(f"{answer.status} {await answer.text()}")
            except aiohttp.ClientError as fault:
                self.failed.append(repr(fault))
            await asyncio.sleep(0.2)
        raise AssertionError(self.failed[-3:])

    async def send_many(self, name: str, count: int, *, at_once: int = 6, pause: float = 0.0) -> None:
        """So many, some at a time; fewer when `enough` is set meanwhile."""
        numbers = iter([f"{name}-{number}" for number in range(count)])

        async def sender() -> None:
            async with aiohttp.ClientSession() as http:  # its connection stays, until the gateway ends it
                for number in numbers:
                    if self.enough.is_set():
                        return
                    await self.send(http, number)
                    await asyncio.sleep(pause)

        await asyncio.gather(*(sender() for _ in range(at_once)))

    async def all_delivered(self) -> None:
        """Every acknowledged ship notice is at the ERP, and had one effect there."""
        for _ in range(PATIENCE * 10):
            if self.acknowledged <= set(self.erp.effects):
                break
            await asyncio.sleep(0.1)
        missing = self.acknowledged - set(self.erp.effects)
        assert not missing, (sorted(missing)[:5], [node.said[-2000:] for node in self.nodes])
        assert set(self.erp.effects.values()) == {1}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its keys are made once."""
    folder = tmp_path_factory.mktemp("nodes") / "workspace"
    company = Company(name="Example", as2_id="EXAMPLE", x12_qualifier="ZZ", x12_id="EXAMPLE")
    create_workspace(folder, company, passphrase_variable=None, now=datetime.now(UTC), days=30, bits=2048)
    (folder / "partners" / "baltic.yaml").write_text(PARTNER)
    return folder


@pytest.fixture
async def site(
    workspace: Path, new_postgres_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    """Two nodes that are ready."""
    monkeypatch.delenv("GATEWAY_DATABASE_URL", raising=False)
    async with contextlib.AsyncExitStack() as stack:
        erp = Erp()
        application = web.Application()
        application.router.add_post("/asn", erp.take)
        runner = web.AppRunner(application)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site_ = web.TCPSite(runner, "127.0.0.1", 0)
        await site_.start()
        erp.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        database = new_postgres_database()
        (workspace / "gateway.yaml").write_text(SETTINGS.format(database=database, erp=erp.url))
        keys = {scope: mint_api_key() for scope in ("erp", "supplier")}
        async with wiring.open_store(workspace) as store:
            for scope, key in keys.items():
                row = ApiKey(
                    id=key.id,
                    partner="baltic" if scope == "supplier" else None,
                    scope=scope,
                    name=scope,
                    created_at=datetime.now(UTC),
                    expires_at=None,
                    revoked_at=None,
                    last_used_at=None,
                )
                await store.add_key(row, secret_sha256=key.secret_sha256)
        nodes = [start(workspace, tmp_path / f"node-{name}.log") for name in "ab"]
        for node in nodes:
            stack.callback(_kill, node.process)
        await asyncio.gather(*(node.listening() for node in nodes))
        balancer = Balancer(nodes=nodes)
        watching = asyncio.create_task(balancer.watch())
        stack.push_async_callback(_cancelled, watching)
        server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0)
        stack.callback(server.close)
        balancer.port = server.sockets[0].getsockname()[1]
        seller = {"scheme": "assigned_by_buyer", "value": "V-2002"}
        order = scenario.order(
            "4500000001", seller, name="Baltic", business_unit="north", today=datetime.now(UTC).date()
        )
        await until(lambda: len(balancer.ready) == 2)
        headers = {"Authorization": f"Bearer {keys['erp'].text}"}
        url = f"http://127.0.0.1:{balancer.port}/v1/purchase-orders"
        async with aiohttp.ClientSession() as http, http.post(url, json=order, headers=headers) as answer:
            assert answer.status == 202, await answer.text()
        made = Site(folder=workspace, erp=erp, nodes=nodes, balancer=balancer, key=keys["supplier"].text, order=order)
        yield made
        for node in made.started:
            _kill(node.process)


def start(workspace: Path, log: Path, *, program: Path = ROOT) -> GatewayProcess:
    """A node; its log is a file. `program` is the folder that the package is in."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--workspace", str(workspace)],
            cwd=program,  # -m looks there first
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    return GatewayProcess(process=process, log=log)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.wait()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))


async def nodes_of(site: Site) -> dict[int, str]:
    """State by process id, as the command says it."""
    listed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway", "node", "list", "--json", "--workspace", str(site.folder)],
        capture_output=True,
        check=False,
    )
    return {one["pid"]: one["seen"] for one in json.loads(listed.stdout)}


NEXT = """\
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9001", "{head}", None, None
def upgrade():
    op.create_table("next", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("job", sa.Column("new", sa.Text(), nullable=False, server_default=""))
"""


def next_version(folder: Path) -> Path:
    """This program with one more migration, as the next version has it."""
    for name in ("gateway", "maps"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    made = folder / "gateway/store/migrations/versions/9001_next.py"
    made.write_text(NEXT.format(head=head()))
    return folder


async def until(look: Callable[[], bool | Coroutine[Any, Any, bool]]) -> None:
    """Wait for it."""
    for _ in range(PATIENCE * 20):
        seen = look()
        if seen if isinstance(seen, bool) else await seen:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


async def test_a_node_is_killed_under_load_and_its_work_goes_on_at_the_other(site: Site) -> None:
    """Senders see broken connections, send again, and lose nothing; the ERP has each notice once."""
    killed, other = site.nodes
    sending = asyncio.create_task(site.send_many("k", 50))
    await until(lambda: len(site.acknowledged) >= 15)
    killed.process.kill()
    await killed.ended()
    await sending
    await site.all_delivered()
    assert len(site.acknowledged) == 50

    async def lost() -> bool:
        return await nodes_of(site) == {killed.process.pid: "lost", other.process.pid: "ready"}

    await until(lost)
    assert "stopped beating" in other.said


async def test_a_node_drains_and_no_request_fails(site: Site) -> None:
    """SIGTERM under load: 503 at once, requests are still answered until the balancer saw it, exit code 0."""
    stopping, other = site.nodes
    sending = asyncio.create_task(site.send_many("d", 50))
    await until(lambda: len(site.acknowledged) >= 10)
    stopping.process.terminate()

    async def draining() -> bool:
        return (await stopping.readiness())[0] == 503

    await until(draining)
    assert (await stopping.readiness())[1]["checks"] == {"node": "draining"}
    assert await stopping.ended() == 0, stopping.said
    await sending
    await site.all_delivered()
    assert site.failed == []
    assert len(site.acknowledged) == 50
    assert await nodes_of(site) == {other.process.pid: "ready"}
    assert other.process.poll() is None


async def test_a_frozen_node_that_wakes_up_finds_its_fence_closed(site: Site) -> None:
    """SIGSTOP while its calls hang at the ERP: others do its work; awake it writes nothing of it, and works on."""
    frozen, other = site.nodes
    site.erp.slow.set()
    await site.send_many("f", 24)
    await until(lambda: site.erp.hanging >= 12)
    os.kill(frozen.process.pid, signal.SIGSTOP)
    site.erp.slow.clear()

    await until(lambda: "stopped beating" in other.said)
    await site.all_delivered()
    os.kill(frozen.process.pid, signal.SIGCONT)

    await until(lambda: "silent for so long" in frozen.said and len(site.balancer.ready) == 2)
    async with wiring.open_store(site.folder) as store:
        tries = [await store.attempts(message.id) for message in await store.messages(limit=100)]
        attempts = Counter(one.outcome for of_message in tries for one in of_message if one.step == "deliver")
        assert attempts["done"] == 24
        assert attempts["lost"] > 0
        assert (await store.verify([wiring.public_seal_key(site.folder)])).ok
    await site.send_many("after", 10)
    await site.all_delivered()


async def test_a_rolling_upgrade_under_load_fails_no_request(site: Site, tmp_path: Path) -> None:
    """One node after the other is replaced by the next version, whose first start migrates beside the old one."""
    new = await asyncio.to_thread(next_version, tmp_path / "next")
    sending = asyncio.create_task(site.send_many("u", 5000, at_once=3, pause=0.2))
    for place, name in enumerate("ab"):
        old = site.nodes[place]
        old.process.terminate()
        assert await old.ended() == 0, old.said
        upgraded = start(site.folder, tmp_path / f"next-{name}.log", program=new)
        site.started.append(upgraded)
        await upgraded.listening()
        site.nodes[place] = upgraded
        await until(lambda upgraded=upgraded: upgraded in site.balancer.ready)
        rest = [node for node in site.nodes if node is not upgraded]
        assert [(await node.readiness())[0] for node in rest] == [200]  # the old one beside a newer schema
    site.enough.set()
    await sending
    await site.all_delivered()
    assert site.failed == []
    async with wiring.open_store(site.folder) as store:
        assert {one.schema for one in await store.nodes()} == {"9001"}
