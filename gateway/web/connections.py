"""How many connections stand at once: beyond the limit a new one is told to come later, and what stands is served.

Each connection is an open file of the process. How long one may be silent is aiohttp's `keepalive_timeout`, from its
first moment on; how slow a body may be is its endpoint's.
"""

from __future__ import annotations

import asyncio
import resource
from typing import cast

from aiohttp import web

FILES_KEPT = 256
"""Open files kept free for everything else: database, payloads, calls to far sides."""
LATER = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def room_for(wanted: int) -> int:
    """Let the process open as many files as the system allows it; how many of `wanted` connections that bears."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    if unlimited or soft < hard:
        soft = max(soft, wanted + FILES_KEPT) if unlimited else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(wanted, soft - FILES_KEPT))


class BoundedRunner(web.AppRunner):
    """An AppRunner with at most `limit` connections at once."""

    limit = 1

    @property
    def server(self) -> web.Server | None:
        """What makes the protocol of each new connection."""
        inner = super().server
        return None if inner is None else _Bounded(inner, self.limit)


class _Bounded(web.Server):
    """Makes protocols: aiohttp's own, or one that says `LATER`. It is no server of its own and keeps no connections."""

    def __init__(self, inner: web.Server, limit: int) -> None:  # pylint: disable=super-init-not-called
        self._inner, self._limit = inner, limit

    def __call__(self) -> web.RequestHandler:
        if len(self._inner.connections) < self._limit:
            return self._inner()
        return cast("web.RequestHandler", _Later())  # asyncio asks for a protocol, no more


class _Later(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say so, and end it."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(LATER)
        transport.close()
