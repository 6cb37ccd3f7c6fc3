"""POST /as2 and /as2/receipts: the body is read within the sender's limit, then the pipeline decides and answers.

Knows HTTP only. Chunked bodies are aiohttp's work; `Expect: 100-continue` is answered when the headers were judged.
What is not AS2 at all gets a plain 400.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiohttp import HttpVersion11, web

from gateway.as2 import MAX_RECEIPT
from gateway.errors import NoRoom, PartnerFault
from gateway.pipeline.admission import Denial, Shown
from gateway.ports import Receipt, Spooled
from gateway.web.arriving import GRACE_SECONDS, SILENCE_SECONDS, SLOWEST, Arrival, Arrivals
from gateway.web.patience import patiently

Headers = Sequence[tuple[str, str]]


class As2Reception(Protocol):
    """What the pipeline does with an AS2 request."""

    async def admit(self, headers: Headers, shown: Shown) -> Denial | None:
        """Why a request is not let in, before its body is read; None where its content decides."""

    def sender(self, headers: Headers) -> str:
        """The partner that the request claims to be from; empty for whom we do not know."""

    def limit(self, headers: Headers) -> int:
        """How many octets this sender may post."""

    def patience(self, headers: Headers) -> float | None:
        """After how many seconds this sender is told that its message is still worked; None: never."""

    def spool(self) -> Spooled:
        """A file for a body too large for memory. It blocks. Raises OurFault, NoRoom when the disk is full."""

    async def receive(self, headers: Headers, body: bytes | Spooled) -> Receipt:
        """Take a request. Raises PartnerFault for what is not AS2 at all, NoRoom when the disk is full."""

    async def receive_receipt(self, headers: Headers, body: bytes) -> Receipt:
        """Take a receipt that comes by itself. Raises PartnerFault for what is not AS2 at all."""

    async def too_large(self, headers: Headers, start: bytes | Spooled) -> Receipt:
        """Refuse a body over the limit, of which `start` was read. Raises PartnerFault as `receive` does."""


log = logging.getLogger(__name__)

_Take = Callable[[web.Request, As2Reception, Headers, Arrival], Awaitable[tuple[Receipt, bool]]]

SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})
_TOO_SLOW = (
    f"The body came too slowly: {SILENCE_SECONDS} s of silence, or {GRACE_SECONDS} s and less than {SLOWEST} octets a "
    "second."
)


class As2Endpoint:
    """The handler of our AS2 address."""

    def __init__(self, reception: Callable[[], As2Reception]) -> None:
        self._current = reception
        self._arrivals = Arrivals()

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
        reception = self._current()  # once: a request ends with the configuration that it began with
        async with self._arrivals.one(reception.sender(headers)) as arrival:
            try:
                denial = await reception.admit(headers, shown)
                if denial is not None:
                    return _refused(denial.status, denial.text, denial.headers)
                if request.headers.get("Content-Encoding", "identity").lower() != "identity":
                    # RFC 4130 2.4.2 has its own compression; stored unread, this would pass for the payload.
                    return _refused(415, "A body with Content-Encoding is not read; compress inside AS2 (RFC 5402).")
                await _go_on(request)
                receipt, complete = await take(request, reception, headers, arrival)
            except PartnerFault as fault:
                return _refused(400, fault.public)
            except TimeoutError:
                return _refused(408, _TOO_SLOW)
            except NoRoom as fault:
                log.warning("An AS2 message was asked to come later: %s", fault)
                return _refused(503, "There is no room for it now; send it again.", (("Retry-After", "60"),))
        answer = web.Response(status=receipt.status, body=receipt.body)
        answer.headers.update(dict(receipt.headers))
        if not complete:
            answer.force_close()  # the rest of the body is not read
        return answer

    async def _message(
        self, request: web.Request, reception: As2Reception, headers: Headers, arrival: Arrival
    ) -> tuple[Receipt, bool]:
        """The HTTP answer, and whether the body was read whole."""
        arrived = await arrival.read(request, reception.limit(headers), reception.spool)
        if not arrived.complete:
            return await reception.too_large(headers, arrived.body), False
        return await patiently(request, reception.receive(headers, arrived.body), reception.patience(headers)), True

    async def _receipt(
        self, request: web.Request, reception: As2Reception, headers: Headers, arrival: Arrival
    ) -> tuple[Receipt, bool]:
        arrived = await arrival.read(request, MAX_RECEIPT, reception.spool)
        if not arrived.complete or not isinstance(arrived.body, bytes):
            words = f"A receipt has {MAX_RECEIPT} octets at most.\n"
            return Receipt(status=413, headers=(("Content-Type", "text/plain"),), body=words.encode()), False
        return await reception.receive_receipt(headers, arrived.body), True

    async def get(self, request: web.Request) -> web.Response:
        """For people and monitors that look with a browser."""
        del request
        return web.Response(text="This is an AS2 endpoint: messages are POSTed here (RFC 4130).\n")


async def _wait(request: web.Request) -> None:
    """Leaves `Expect: 100-continue` unanswered until the headers were judged."""


async def _go_on(request: web.Request) -> None:
    """100 (Continue), for a sender that waits for it with its body (RFC 9110 10.1.1)."""
    if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def _read_headers(request: web.Request) -> tuple[Headers, Shown]:
    """The headers as they came, and apart from them what shows who sends: secrets are never stored with a message."""
    headers: list[tuple[str, str]] = []
    authorization: list[str] = []
    for octets, value in request.raw_headers:
        name = octets.decode("latin-1")
        lower = name.lower()
        if lower not in SECRET:
            headers.append((name, value.decode("latin-1")))
        elif lower == "authorization":
            authorization.append(value.decode("latin-1"))
    tls = None if request.transport is None else request.transport.get_extra_info("ssl_object")
    return (
        tuple(headers),
        Shown(
            authorization=tuple(authorization),
            certificate=None if tls is None else tls.getpeercert(binary_form=True),
        ),
    )


def _refused(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> web.Response:
    """What cannot be answered with a receipt, in plain words; the rest of the body is not read."""
    answer = web.Response(status=status, text=f"{text}\n", content_type="text/plain", headers=dict(headers))
    answer.force_close()
    return answer
