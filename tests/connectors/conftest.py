"""A real HTTP server on loopback whose answers a test writes, and the sandbox ERP as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.connectors.exchange import open_session
from gateway.ports import Delivery

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class FarSide:
    """What the server saw, and how it answers."""

    url: str = ""
    handler: Handler | None = None
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    reads: bool = True

    def streaming(self, handler: Handler) -> str:
        """Let the handler read the body itself; where to post."""
        self.handler, self.reads = handler, False
        return self.url


@pytest.fixture
async def far_side() -> AsyncIterator[FarSide]:
    """A server that takes every path; set `handler` for anything but 200 {}."""
    side = FarSide()

    async def answer(request: web.Request) -> web.StreamResponse:
        side.requests.append(request)
        if side.reads:
            side.bodies.append(await request.read())
        return web.json_response({}) if side.handler is None else await side.handler(request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(application)
    await server.start_server()
    side.url = f"http://127.0.0.1:{server.port}"
    yield side
    await server.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """The session that connectors use."""
    async with open_session() as opened:
        yield opened


@pytest.fixture
def delivery() -> Delivery:
    """An acknowledgement on its way."""
    return Delivery(
        document_id="0193-d",
        kind="order_acknowledgement",
        partner="acme",
        body={"number": "A/1 ä", "order": {"number": "PO-7"}, "lines": [{"quantity": {"value": "10.50"}}]},
        idempotency_key="0193-key",
        correlation_id="01939f9d-1111-7222-8333-444455556666",
    )


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox ERP."""

    url: str
    database: Path
    token: str


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """The sandbox ERP in its own process."""
    database = tmp_path / "north.db"
    command = [sys.executable, "-m", "gateway.demo.erp", "--port", "0", "--database", str(database)]
    process = subprocess.Popen([*command, "--token", "T", "--name", "north"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        port = json.loads(process.stdout.readline())["listening"]
        yield Sandbox(url=f"http://127.0.0.1:{port}", database=database, token="T")
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()
