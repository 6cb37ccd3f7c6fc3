"""A whole gateway behind its border, as it listens for strangers, and raw octets to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.web import Services, application, arriving, serve
from gateway.web.as2 import As2Endpoint

PROCESSED = b"automatic-action/MDN-sent-automatically; processed\r\n"
STANDS = b"<the connection stands>"


@dataclass(kw_only=True)
class Front:
    """The address of a whole gateway, and raw octets to it."""

    trade: Any
    port: int
    message: Any = field(init=False)

    def __post_init__(self) -> None:
        """One genuine message for all attacks."""
        self.message = self.trade.wire(b"ISA*genuine~")

    def head(self, *more: str, version: str = "1.1", message: Any = None) -> bytes:
        """Request line and headers of the genuine message, and these."""
        own = [f"{name}: {value}" for name, value in (message or self.message).headers]
        lines = [f"POST /as2 HTTP/{version}", "Host: gateway", *own, *more]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @property
    def length(self) -> str:
        """The right Content-Length."""
        return f"Content-Length: {len(self.message.body)}"

    @property
    def chunked(self) -> bytes:
        """The body as one chunk."""
        return b"%x\r\n" % len(self.message.body) + self.message.body + b"\r\n0\r\n\r\n"

    async def said(self, octets: bytes, *later: bytes, seconds: float = 2.0) -> bytes:
        """All that comes back until the far side closes; with `STANDS` behind it when it does not.

        What goes `later` is sent after pauses, so that the gateway reads it by itself.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answer = bytearray()
        try:
            async with asyncio.timeout(seconds):
                with contextlib.suppress(ConnectionError):
                    writer.write(octets)
                    await writer.drain()
                    for more in later:
                        await asyncio.sleep(0.05)
                        writer.write(more)
                    while chunk := await reader.read(65_536):
                        answer += chunk
        except TimeoutError:
            answer += STANDS
        finally:
            writer.transport.abort()
        return bytes(answer)

    async def taken(self) -> int:
        """How many messages the gateway has taken or kept."""
        return len(await self.trade.gateway.store.messages(limit=200))


def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence within a body ends it at once, and slowness soon."""
    monkeypatch.setattr(arriving, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(arriving, "GRACE_SECONDS", 1.5)


@asynccontextmanager
async def front_of(trade: Any, folder: Path) -> AsyncIterator[Front]:
    """The gateway of `trade` behind its border, listening as a gateway does."""

    async def ready() -> dict[str, str]:
        return {}

    station = trade.gateway.station
    endpoint = As2Endpoint(lambda: trade.gateway.reception)
    listen = station.settings.listen.model_copy(update={"port": 0, "host": "127.0.0.1"})
    services = Services(
        settings=station.settings.model_copy(update={"listen": listen}),
        directory=station.directory,
        queries=trade.gateway.store,
        keys=trade.gateway.store,
        submissions=trade.gateway.desk,
        ready=ready,
        clock=trade.clock,
        routes=endpoint.routes(),
    )
    running = await serve(application(services), listen, folder)
    yield Front(trade=trade, port=running.port)
    await running.close()
