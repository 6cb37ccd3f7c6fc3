"""An ERP that goes wrong in every way an HTTP server can, and keeps book of what it took: the only witness that counts.

It takes a document once for each idempotency key. `calls` tells what an ERP would have that does not honour the key.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from bench.load import Effect

KINDS = {"/api/order-acknowledgements": "order_acknowledgement", "/api/ship-notices": "ship_notice"}
HUGE = 64 * 2**20


class Manner(StrEnum):
    """How it answers. In the rows marked with *, it takes the document or does not, by chance: nobody can tell."""

    WELL = "201 with its id"
    NOT_HTTP = "octets that are not HTTP *"
    RESET = "a reset before the answer *"
    HALF_A_HEAD = "half a status line *"
    SERVER_ERROR = "500 with a page of HTML"
    CUT_BODY = "201 whose body breaks off"
    HUGE_BODY = "201 with 64 MiB"
    NONSENSE = "200 with what is not JSON"


GARBAGE = tuple(Manner)[1:]
_PERHAPS = {Manner.NOT_HTTP, Manner.RESET, Manner.HALF_A_HEAD}


@dataclass(kw_only=True)
class Erp:
    """Its books and its mood."""

    port: int
    chance: random.Random
    calls: Counter[str] = field(default_factory=Counter)
    """Calls by idempotency key that took effect, or would have had the key not been known."""
    effects: Counter[Effect] = field(default_factory=Counter)
    """Documents as they stand in its books: twice the same one would be two keys."""
    manners: tuple[Manner, ...] = (Manner.WELL,)
    """One is chosen for each call."""
    seconds: float = 0.0
    """How long a call takes, from its commit to its answer."""
    answered: Counter[Manner] = field(default_factory=Counter)
    _server: asyncio.Server | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    async def up(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=16 * 2**20)

    async def down(self) -> None:
        """Hang up, listen no more."""
        if self._server is not None:
            self._server.close()
            for writer in self._connections:
                writer.transport.abort()
            await asyncio.sleep(0)
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._call(reader, writer):
                    pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One call; whether the connection goes on."""
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path, key = start.split(" ")[1], headers.get("idempotency-key", "")
        manner = self.chance.choice(self.manners)
        self.answered[manner] += 1
        perhaps = manner not in _PERHAPS or self.chance.random() < 0.5
        if path in KINDS and manner is not Manner.SERVER_ERROR and perhaps:
            self._take(KINDS[path], key, json.loads(body))
        if self.seconds:
            await asyncio.sleep(self.seconds)
        await self._answer(writer, manner, key)
        return manner in {Manner.WELL, Manner.NONSENSE, Manner.SERVER_ERROR}

    def _take(self, kind: str, key: str, document: dict[str, object]) -> None:
        self.calls[key] += 1
        if self.calls[key] == 1:
            order = document["order"]["number"] if kind == "order_acknowledgement" else None
            self.effects[kind, str(order or document["number"])] += 1

    async def _answer(self, writer: asyncio.StreamWriter, manner: Manner, key: str) -> None:
        match manner:
            case Manner.WELL:
                writer.write(_http("201 Created", json.dumps({"id": key}).encode()))
            case Manner.NONSENSE:
                writer.write(_http("200 OK", b"\xff{[<xml/>" * 20))
            case Manner.SERVER_ERROR:
                writer.write(_http("500 Internal Server Error", b"<html>" + b"x" * 5000, kind="text/html"))
            case Manner.NOT_HTTP:
                writer.write(bytes(self.chance.randrange(256) for _ in range(300)))
            case Manner.HALF_A_HEAD:
                writer.write(b"HTTP/1.1 20")
            case Manner.RESET:
                writer.transport.abort()
            case Manner.CUT_BODY:
                writer.write(_http("201 Created", b'{"id": "', length=400))
            case Manner.HUGE_BODY:
                writer.write(_http("201 Created", b"", length=HUGE))
                with contextlib.suppress(OSError):
                    for _ in range(HUGE // 2**20):
                        writer.write(b" " * 2**20)
                        await writer.drain()
        with contextlib.suppress(OSError):
            await writer.drain()

    @property
    def repeats(self) -> dict[str, int]:
        """By key: how often it would have been taken once more, had the key meant nothing."""
        return {key: times - 1 for key, times in self.calls.items() if times > 1}


def _http(status: str, body: bytes, *, length: int | None = None, kind: str = "application/json") -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n".encode() + body


@asynccontextmanager
async def erp(port: int, chance: random.Random) -> AsyncIterator[Erp]:
    """An ERP that listens."""
    made = Erp(port=port, chance=chance)
    await made.up()
    try:
        yield made
    finally:
        await made.down()
