"""POST /as2 and /as2/receipts: the body is read within the sender's limit, then the pipeline decides and answers.

Knows HTTP only. Chunked bodies are aiohttp's work; `Expect: 100-continue` is answered when the headers were judged.
What is not AS2 at all gets a plain 400.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiohttp import HttpVersion11, web

from gateway.as2 import MAX_RECEIPT
from gateway.errors import PartnerFault
from gateway.pipeline.admission import Denial, Shown
from gateway.ports import Receipt
from gateway.web.patience import patiently

Headers = Sequence[tuple[str, str]]


class As2Reception(Protocol):
    """What the pipeline does with an AS2 request."""

    async def admit(self, headers: Headers, shown: Shown) -> Denial | None:
        """Why a request is not let in, before its body is read; None where its content decides."""

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


_Take = Callable[[web.Request, As2Reception, Headers, bytearray], Awaitable[tuple[Receipt, bool]]]

CHUNK_SECONDS = 30
"""Longest silence within a body."""
BODY_SECONDS = 900
"""Longest time for a whole body."""
SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})
HELD = 512 * 1024 * 1024
"""Octets of bodies held at once, over all senders; what comes beyond is asked to come later."""


class As2Endpoint:
    """The handler of our AS2 address."""

    def __init__(self, reception: Callable[[], As2Reception]) -> None:
        self._current = reception
        self._held = 0

    def routes(self) -> tuple[web.AbstractRouteDef, ...]:
        """Our AS2 address, and the one for receipts."""
        return (
            web.post("/as2", self.post, expect_handler=_wait),
            web.get("/as2", self.get),
            web.post("/as2/receipts", self.post_receipt, expect_handler=_wait),
        )

    async def post(self, request: web.Request) -> web.StreamResponse:
        """One message in, one receipt out; or a receipt in, as stations do that know one address of ours."""
        return await self._answer(request, self._message)

    async def post_receipt(self, request: web.Request) -> web.StreamResponse:
        """A receipt that comes by itself (RFC 4130 7.2); messages are not taken here."""
        return await self._answer(request, self._receipt)

    async def _answer(self, request: web.Request, take: _Take) -> web.StreamResponse:
        """Judge the headers, read the body, and answer with what `take` makes of them."""
        headers, shown = _read_headers(request)
        body = bytearray()
        reception = self._current()  # once: a request ends with the configuration that it began with
        try:
            denial = await reception.admit(headers, shown)
            if denial is not None:
                return _refused(denial.status, denial.text, denial.headers)
            await _go_on(request)
            receipt, complete = await take(request, reception, headers, body)
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

    async def _message(
        self, request: web.Request, reception: As2Reception, headers: Headers, body: bytearray
    ) -> tuple[Receipt, bool]:
        """The HTTP answer, and whether the body was read whole."""
        limit = reception.limit(headers)
        complete = await self._read(request, body, limit)
        octets = bytes(body[:limit])
        if not complete:
            return await reception.too_large(headers, octets), False
        return await patiently(request, reception.receive(headers, octets), reception.patience(headers)), True

    async def _receipt(
        self, request: web.Request, reception: As2Reception, headers: Headers, body: bytearray
    ) -> tuple[Receipt, bool]:
        if not await self._read(request, body, MAX_RECEIPT):
            words = f"A receipt has {MAX_RECEIPT} octets at most.\n"
            return Receipt(status=413, headers=(("Content-Type", "text/plain"),), body=words.encode()), False
        return await reception.receive_receipt(headers, bytes(body)), True

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


async def _wait(request: web.Request) -> None:
    """Leaves `Expect: 100-continue` unanswered until the headers were judged."""


async def _go_on(request: web.Request) -> None:
    """100 (Continue), for a sender that waits for it with its body (RFC 9110 10.1.1)."""
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def _read_headers(request: web.Request) -> tuple[Headers, Shown]:
    """The headers as they came, and apart from them what shows who sends: secrets are never stored with a message."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers]
    tls = None if request.transport is None else request.transport.get_extra_info("ssl_object")
    return (
        tuple(one for one in headers if one[0].lower() not in SECRET),
        Shown(
            authorization=tuple(value for name, value in headers if name.lower() == "authorization"),
            certificate=None if tls is None else tls.getpeercert(binary_form=True),
        ),
    )


def _refused(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> web.Response:
    """What cannot be answered with a receipt, in plain words; the rest of the body is not read."""
    answer = web.Response(status=status, text=f"{text}\n", content_type="text/plain", headers=dict(headers))
    answer.force_close()
    return answer
