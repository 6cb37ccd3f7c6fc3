"""How many connections stand at once: beyond the limit the oldest silent one makes room for a new one.

Silent is who has not sent a whole request's headers, or none since the last answer; a server may end such a connection
at any time (RFC 9112 9.5). Only where all are at work is a new one told to come later; what is at work is never ended.

Each connection is an open file of the process. How long one may be silent or send headers is aiohttp's
`keepalive_timeout`, from its first moment on; how slow a body may be is its endpoint's; how slowly an answer may be
taken is said here. What is not HTTP costs one line in the log that holds nothing of what was sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
from http import HTTPStatus
from itertools import islice
from typing import Any, cast

from aiohttp import web
from aiohttp.web_protocol import _ErrInfo
from aiohttp.web_request import BaseRequest

from gateway.web.border import SECURITY

ANSWER_SECONDS = 60
"""What a client may take to read an answer, all of it: beyond that the connection is cut."""
FILES_KEPT = 256
"""Open files kept free for everything else: database, payloads, calls to far sides."""
LATER = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

LOOKED_AT = 64
"""Connections that are looked at, oldest first, to find a silent one: the work for one too many is bounded."""

NOT_HTTP = "This is no request that HTTP/1.1 has (RFC 9112).\n"

_log = logging.getLogger("gateway.access")


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
        self._standing: Standing = {}

    def __call__(self) -> web.RequestHandler:
        if len(self._inner.connections) < self._limit or self._room_made():
            loop, arguments = self._inner._loop, self._inner._kwargs  # noqa: SLF001  as it does itself
            return _Connection(self._inner, standing=self._standing, loop=loop, **arguments)
        return cast("web.RequestHandler", _Later())  # asyncio asks for a protocol, no more

    def _room_made(self) -> bool:
        """Whether one that was silent longest could be ended; those found at work are looked at last next time."""
        for one in list(islice(self._standing, LOOKED_AT)):
            del self._standing[one]
            if one.silent:
                one.end()
                return True
            self._standing[one] = None
        return False


class _Connection(web.RequestHandler):
    """aiohttp's protocol, bounded where it waits for ever, and silent where it repeats what strangers sent."""

    def __init__(self, manager: web.Server, *, standing: Standing, **arguments: Any) -> None:
        super().__init__(manager, **arguments)
        self._standing = standing
        self._broken = False
        """Whether nothing that follows can be told apart."""

    @property
    def silent(self) -> bool:
        """Whether a request is waited for: aiohttp's own sign, by which it ends those that are silent too long."""
        return self._waiter is not None and not self._waiter.done()

    def end(self) -> None:
        """At once: TLS's goodbye may take ten seconds, and the place is needed now."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """An answer counts as taken when the system has all of it: nothing of it lies in our memory then."""
        cast("asyncio.Transport", transport).set_write_buffer_limits(high=0)  # uvloop's is none by its class
        self._standing[self] = None
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It stands no more."""
        self._standing.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Tell the request under way, too, that the framing of its body is broken: aiohttp only keeps it for the next.

        It would wait for the rest until it is cut off for its silence.
        """
        super().data_received(data)
        request = self._current_request
        if request is None or not self._messages or not isinstance(self._messages[-1][0], _ErrInfo):
            return
        if not request.content.is_eof():  # else it is what follows that is broken
            request.content.set_exception(web.RequestPayloadError("its body is not framed as HTTP/1.1 has it"))
            request.content.feed_eof()  # nobody reads on: not even to throw the rest away
            self._broken = True

    async def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer, or cut off a client that does not read it."""
        if self._standing.pop(self, self) is None:  # the youngest again: it was silent least
            self._standing[self] = None
        if self._broken:
            resp.force_close()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            if self.transport is not None:
                self.transport.abort()
            return resp, True

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """A plain 400 for what the parser refuses: aiohttp would log and answer a piece of it, keys and all."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return super().handle_error(request, status, exc, message)
        _log.info(json.dumps({"client": request.remote, "status": status, "refused": type(exc).__name__}))
        answer = web.Response(status=status, text=NOT_HTTP, headers=SECURITY)
        answer.force_close()
        return answer


Standing = dict[_Connection, None]
"""Connections in the order of their last answer, or of their beginning while there was none."""


class _Later(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say so, and end it."""
        cast("asyncio.Transport", transport).write(LATER)
        transport.close()
