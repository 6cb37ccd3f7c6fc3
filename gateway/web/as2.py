"""POST /as2 and /as2/receipts: the body is read within the sender's limit, then the pipeline decides and answers.

Knows HTTP only. Chunked bodies and `Expect: 100-continue` are aiohttp's work; what is not AS2 at all gets a plain 400.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import web

from gateway.as2 import MAX_RECEIPT
from gateway.errors import PartnerFault
from gateway.ports import Receipt
from gateway.web.patience import patiently

Headers = Sequence[tuple[str, str]]


class As2Reception(Protocol):
    """What the pipeline does with an AS2 request."""

    def limit(self, headers: Headers) -> int:
        """How many octets this sender may post."""

    def patience(self, headers: Headers) -> float | None:
        """After how many seconds this sender is told that its message is still worked; None: never."""

    async def receive(self, headers: Headers, body: bytes) -> Receipt:
        """Take a request. Raises PartnerFault for what is not AS2 at all."""

    async def receive_receipt(self, headers: Headers, body: bytes) -> Receipt:
        """Take a receipt that comes by itself. Raises PartnerFault for what is not AS2 at all."""

    async def too_large(self, headers: Headers, start: bytes) -> Receipt:
        """Refuse a body over the limit, of which `start` was read. Raises PartnerFault as `receive` does."""


CHUNK_SECONDS = 30
"""Longest silence within a body."""
BODY_SECONDS = 900
"""Longest time for a whole body."""
HELD = 512 * 1024 * 1024
"""Octets of bodies held at once, over all senders; what comes beyond is asked to come later."""


class As2Endpoint:
    """The handler of our AS2 address."""

    def __init__(self, reception: Callable[[], As2Reception]) -> None:
        self._current = reception
        self._held = 0

    async def post(self, request: web.Request) -> web.StreamResponse:
        """One message in, one receipt out."""
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        body = bytearray()
        reception = self._current()  # once: a request ends with the configuration that it began with
        try:
            limit = reception.limit(headers)
            complete = await self._read(request, body, limit)
            octets = bytes(body[:limit])
            if complete:
                receipt = await patiently(request, reception.receive(headers, octets), reception.patience(headers))
            else:
                receipt = await reception.too_large(headers, octets)
        except PartnerFault as fault:
            return _refused(400, fault.public)
        except TimeoutError:
            return _refused(408, f"The body came too slowly: {CHUNK_SECONDS} s of silence, {BODY_SECONDS} s in all.")
        except _TooMuchAtOnceError:
            return _refused(503, "Too much is being received at once; send it again.", (("Retry-After", "30"),))
        finally:
            self._held -= len(body)
        answer = web.Response(status=receipt.status, body=receipt.body)
        answer.headers.update(dict(receipt.headers))
        if not complete:
            answer.force_close()  # the rest of the body is not read
        return answer

    async def post_receipt(self, request: web.Request) -> web.StreamResponse:
        """A receipt that comes by itself (RFC 4130 7.2); messages are not taken here."""
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        body = bytearray()
        try:
            if not await self._read(request, body, MAX_RECEIPT):
                return _refused(413, f"A receipt has {MAX_RECEIPT} octets at most.")
            answer = await self._current().receive_receipt(headers, bytes(body))
        except PartnerFault as fault:
            return _refused(400, fault.public)
        except TimeoutError:
            return _refused(408, f"The body came too slowly: {CHUNK_SECONDS} s of silence, {BODY_SECONDS} s in all.")
        except _TooMuchAtOnceError:
            return _refused(503, "Too much is being received at once; send it again.", (("Retry-After", "30"),))
        finally:
            self._held -= len(body)
        return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))

    async def _read(self, request: web.Request, body: bytearray, limit: int) -> bool:
        """The body into `body`; False when it is over `limit`. Raises TimeoutError and _TooMuchAtOnceError."""
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                async with asyncio.timeout(CHUNK_SECONDS):
                    chunk = await request.content.readany()
                if not chunk:
                    return True
                chunk = chunk[: limit + 1 - len(body)]
                if self._held + len(chunk) > HELD:
                    raise _TooMuchAtOnceError
                body += chunk
                self._held += len(chunk)
                if len(body) > limit:
                    return False

    async def get(self, request: web.Request) -> web.Response:
        """For people and monitors that look with a browser."""
        del request
        return web.Response(text="This is an AS2 endpoint: messages are POSTed here (RFC 4130).\n")


class _TooMuchAtOnceError(Exception):
    """More octets of bodies than may be held."""


def _refused(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> web.Response:
    """What cannot be answered with a receipt, in plain words; the rest of the body is not read."""
    answer = web.Response(status=status, text=f"{text}\n", content_type="text/plain", headers=dict(headers))
    answer.force_close()
    return answer
