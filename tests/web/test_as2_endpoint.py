"""POST /as2 knows HTTP only: the sender's limit, headers as they came, what is not AS2, the receipt's bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest
from aiohttp import web

from gateway.errors import PartnerFault
from gateway.pipeline.admission import Denial, Shown
from gateway.ports import Receipt
from gateway.web.as2 import As2Endpoint


class Reception:
    """Takes up to 100,000 octets of everybody who has an AS2-From."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, int]] = []

    def limit(self, headers: Sequence[tuple[str, str]]) -> int:
        """For everybody the same."""
        del headers
        return 100_000

    def patience(self, headers: Sequence[tuple[str, str]]) -> float | None:
        """For nobody."""
        del headers
        return None

    async def admit(self, headers: Sequence[tuple[str, str]], shown: Shown) -> Denial | None:
        """Whoever shows the word `wrong` stays outside."""
        assert not [name for name, _ in headers if name.lower() == "authorization"]
        if shown.authorization != ("wrong",):
            return None
        return Denial(status=401, text="no", headers=(("WWW-Authenticate", "Basic"),), reason="no")

    async def receive(self, headers: Sequence[tuple[str, str]], body: bytes) -> Receipt:
        """A receipt with a body of odd bytes."""
        name = next((value for name, value in headers if name.lower() == "as2-from"), None)
        if name is None:
            raise PartnerFault("no AS2-From at all: secret", public="not an AS2 message")
        self.taken.append((name, len(body)))
        return Receipt(status=200, headers=(("Content-Type", "x/y; a=b"), ("AS2-To", name)), body=b"\x00\xff\r\n")

    async def too_large(self, headers: Sequence[tuple[str, str]], start: bytes) -> Receipt:
        """A receipt that refuses."""
        del headers
        self.taken.append(("too large", len(start)))
        return Receipt(status=200, headers=(), body=b"refused")


@pytest.fixture
async def reception() -> Reception:
    """What is behind the endpoint."""
    return Reception()


@pytest.fixture
async def url(reception: Reception) -> AsyncIterator[str]:
    """The endpoint on a real server."""
    endpoint = As2Endpoint(lambda: reception)
    application = web.Application()
    application.add_routes(endpoint.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/as2"
    await runner.cleanup()


async def test_receipt_goes_out_byte_for_byte_with_its_own_headers(url: str, reception: Reception) -> None:
    """Body and content type are the receipt's."""
    async with aiohttp.ClientSession() as http, http.post(url, data=b"1234", headers={"AS2-From": "A"}) as answer:
        assert (answer.status, await answer.read()) == (200, b"\x00\xff\r\n")
        assert answer.headers["Content-Type"] == "x/y; a=b"
    assert reception.taken == [("A", 4)]


async def test_chunked_body_is_read_whole_and_over_the_limit_only_its_start(url: str, reception: Reception) -> None:
    """Without a Content-Length too; the connection is closed, since the rest is not read."""

    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 50_000

    async with aiohttp.ClientSession() as http:
        async with http.post(url, data=chunks(2), headers={"AS2-From": "A"}) as answer:
            assert answer.status == 200
        async with http.post(url, data=chunks(3), headers={"AS2-From": "A"}) as answer:
            assert await answer.read() == b"refused"
            assert answer.headers["Connection"] == "close"
    assert reception.taken == [("A", 100_000), ("too large", 100_000)]


async def test_what_is_not_as2_gets_a_plain_400_with_the_public_words_only(url: str) -> None:
    """No receipt can be addressed; nothing secret is said."""
    async with aiohttp.ClientSession() as http, http.post(url, data=b"hello") as answer:
        assert (answer.status, await answer.text()) == (400, "not an AS2 message\n")


async def test_browser_is_told_what_this_is(url: str) -> None:
    """GET answers in words."""
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert (answer.status, "AS2 endpoint" in await answer.text()) == (200, True)
