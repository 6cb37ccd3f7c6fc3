"""POST /as2: the body is read within the sender's limit, then the pipeline decides and answers.

Knows HTTP only. Chunked bodies and `Expect: 100-continue` are aiohttp's work; what is not AS2 at all gets a plain 400.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from gateway.errors import PartnerFault
from gateway.ports import Receipt

Headers = Sequence[tuple[str, str]]


class As2Reception(Protocol):
    """What the pipeline does with an AS2 request."""

    def limit(self, headers: Headers) -> int:
        """How many octets this sender may post."""

    async def receive(self, headers: Headers, body: bytes) -> Receipt:
        """Take a request. Raises PartnerFault for what is not AS2 at all."""

    async def too_large(self, headers: Headers, start: bytes, size: int) -> Receipt:
        """Refuse a body over the limit, of which `size` octets were read. Raises PartnerFault as `receive` does."""


class As2Endpoint:
    """The handler of our AS2 address."""

    def __init__(self, reception: As2Reception) -> None:
        self._reception = reception

    async def post(self, request: web.Request) -> web.StreamResponse:
        """One message in, one receipt out."""
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        try:
            limit = self._reception.limit(headers)
            body, complete = await _read(request, limit)
            if complete:
                receipt = await self._reception.receive(headers, body)
            else:
                receipt = await self._reception.too_large(headers, body, len(body))
        except PartnerFault as fault:
            return web.Response(status=400, text=f"{fault.public}\n", content_type="text/plain")
        answer = web.Response(status=receipt.status, body=receipt.body)
        answer.headers.update(dict(receipt.headers))
        if not complete:
            answer.force_close()  # the rest of the body is not read
        return answer

    async def get(self, request: web.Request) -> web.Response:
        """For people and monitors that look with a browser."""
        del request
        return web.Response(text="This is an AS2 endpoint: messages are POSTed here (RFC 4130).\n")


async def _read(request: web.Request, limit: int) -> tuple[bytes, bool]:
    """The body, or its first octets when it is over `limit`."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(65536):
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), False
    return bytes(body), True
