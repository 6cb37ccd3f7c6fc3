"""Many suppliers, some nodes, an ERP that costs little: what is measured over lanes and nodes stands on this.

No balancer stands between: the sender itself takes the nodes in turns, and the next where one does not answer, so that
one node and three cost it the same.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from typing import Any

import aiohttp

from bench.chaos.nodes import Node
from bench.chaos.site import nodes_of, workspace_of
from bench.load import Json, Parties, Prepared
from bench.station import Station, station
from bench.suppliers import Suppliers
from bench.surroundings import cpu_seconds, lean_erp, parties_of
from gateway.demo.outside import Http, command
from gateway.demo.processes import Process
from gateway.demo.workspaces import Demo
from gateway.errors import OurFault

PLACED_AT_ONCE = 8
PATIENCE_SECONDS = 600
_FIGURES = re.compile(r"^gateway_(claim|commit)_seconds_(sum|count) (\S+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """What the ERP has taken: effect by name, and when it came for the first time, in that order."""

    seen: dict[str, float]
    repeats: int
    doubled: int


@dataclass(kw_only=True)
class Fleet:
    """What runs, and who talks to it."""

    demo: Demo
    nodes: list[Node]
    erp: Process
    sender: Station
    parties: Parties
    suppliers: Suppliers
    http: aiohttp.ClientSession

    def build(self, numbers: Iterable[int], *, cartons: int) -> list[Prepared]:
        """Notices with these numbers."""
        return list(self.suppliers.notices(self.parties, numbers, cartons=cartons))

    async def place(self, orders: Sequence[Json]) -> None:
        """The ERP posts these orders, over all nodes."""
        made = await command(self.demo.gateway, "partner", "key", "new", "--erp", "--name", "load", "--json")
        token, left = str(json.loads(made)["key"]), iter(enumerate(orders))

        async def some() -> None:
            for index, one in left:
                base = f"http://127.0.0.1:{self.nodes[index % len(self.nodes)].port}"
                there = Http(session=self.http, base=base, token=token)
                await there.post("/v1/purchase-orders", one, key=f"order-{one['number']}")

        await asyncio.gather(*(some() for _ in range(PLACED_AT_ONCE)))

    async def command(self, *arguments: str) -> str:
        """`gateway …` in the workspace."""
        return str(await command(self.demo.gateway, *arguments))

    async def count(self) -> int:
        """How many documents the ERP has."""
        async with self.http.get(f"{self.demo.url('north')}/count") as answer:
            return int(await answer.read())

    async def until(self, documents: int) -> None:
        """Wait until the ERP has so many. Raises OurFault when that takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (there := await self.count()) < documents:
            if time.monotonic() > deadline:
                raise OurFault(f"the ERP has {there} of {documents} documents after {PATIENCE_SECONDS} s")
            await asyncio.sleep(0.2)

    async def books(self) -> Books:
        """All that the ERP has."""
        async with self.http.get(f"{self.demo.url('north')}/seen") as answer:
            return Books(**json.loads(await answer.read()))

    def cpu_seconds(self) -> float:
        """Of all nodes, so far."""
        return sum(cpu_seconds(node) for node in self.nodes)

    def memory_megabytes(self) -> list[float]:
        """What each node holds now (VmRSS)."""
        return [_resident(node.pid) for node in self.nodes]

    async def figures(self) -> dict[tuple[str, str], float]:
        """What claims and commits took: sum and count of each, over all nodes, so far."""
        summed = dict.fromkeys(product(("claim", "commit"), ("sum", "count")), 0.0)
        for node in self.nodes:
            async with self.http.get(f"http://127.0.0.1:{node.port}/metrics") as answer:
                for what, which, value in _FIGURES.findall(await answer.text()):
                    summed[what, which] += float(value)
        return summed

    async def quiet(self) -> None:
        """Until the nodes rest: less than 6 % of a core each for half a second, housekeeping included."""
        before = self.cpu_seconds()
        while True:
            await asyncio.sleep(0.5)
            now = self.cpu_seconds()
            if now - before < 0.03 * len(self.nodes):
                return
            before = now


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@asynccontextmanager
async def fleet(
    suppliers: Suppliers,
    *,
    nodes: int = 1,
    server: Any = None,
    settings: Callable[[str], str] = str,
    terms: Callable[[int], str] = lambda _: "",
    slow: tuple[str, float] | None = None,
) -> AsyncIterator[Fleet]:
    """All of it, ready; everything is gone afterwards.

    `settings` changes the text of gateway.yaml, `terms` gives further lines of each agreement. The ERP is `slow`, by so
    many seconds, with documents whose number begins so. `server`: PostgreSQL's, of the wheel; None: SQLite.
    """
    async with AsyncExitStack() as stack:
        demo = await workspace_of(stack, server=server, settings=settings, suppliers=suppliers, terms=terms)
        erp = lean_erp(demo, *((slow[0], str(slow[1])) if slow else ()))
        stack.callback(erp.stop)
        await asyncio.to_thread(erp.start)
        running = await nodes_of(stack, demo, nodes)
        turns = count()
        parties = parties_of(demo)
        sender = await stack.enter_async_context(
            station(
                parties,
                gateway=lambda: f"http://127.0.0.1:{running[next(turns) % nodes].port}/as2",
                port=demo.ports["station"],
            )
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        made = Fleet(demo=demo, nodes=running, erp=erp, sender=sender, parties=parties, suppliers=suppliers, http=http)
        for node in running:
            await _ready(http, node)
        yield made


async def _ready(http: aiohttp.ClientSession, node: Node) -> None:
    for _ in range(600):
        async with http.get(f"http://127.0.0.1:{node.port}/health/ready") as answer:
            if answer.status == 200:
                return
        await asyncio.sleep(0.1)
    raise OurFault(f"{node.name} does not get ready")
