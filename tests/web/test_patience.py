"""HTTP 102 while a message is worked: where agreed, to HTTP/1.1 only, and never in the way of the answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from gateway.connectors.exchange import exchange, open_session
from gateway.errors import DeliveryFailed, Outcome
from gateway.pipeline.admission import Denial, Shown
from gateway.ports import Receipt, Spooled
from gateway.web.as2 import As2Endpoint

Headers = Sequence[tuple[str, str]]


class Slow:
    """Takes some time for each message."""

    seconds: float = 0.15
    patience_seconds: float | None = 0.04
    done: int = 0

    async def admit(self, headers: Headers, shown: Shown) -> Denial | None:
        """Everybody may come in."""
        del headers, shown
        return None

    def limit(self, headers: Headers) -> int:
        """For everybody the same."""
        del headers
        return 100_000

    def patience(self, headers: Headers) -> float | None:
        """As the test says."""
        del headers
        return self.patience_seconds

    def spool(self) -> Spooled:
        """Nothing is so large here."""
        raise NotImplementedError

    async def receive(self, headers: Headers, body: bytes | Spooled) -> Receipt:
        """A receipt, at last."""
        del headers, body
        await asyncio.sleep(self.seconds)
        self.done += 1
        return Receipt(status=200, headers=(("Content-Type", "text/plain"),), body=b"receipt")

    async def receive_receipt(self, headers: Headers, body: bytes | Spooled) -> Receipt:
        """None comes here."""
        raise NotImplementedError

    async def too_large(self, headers: Headers, start: bytes | Spooled) -> Receipt:
        """Nothing is."""
        raise NotImplementedError


@pytest.fixture
async def slow() -> Slow:
    """What is behind the endpoint."""
    return Slow()


@pytest.fixture
async def port(slow: Slow) -> AsyncIterator[int]:
    """The endpoint on a real server."""
    endpoint = As2Endpoint(lambda: slow)
    application = web.Application()
    application.add_routes([web.post("/as2", endpoint.post)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1, handler_cancellation=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


async def said(port: int, version: str = "1.1", *, requests: int = 1) -> bytes:
    """Everything that the server sends, octet for octet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(requests):
        close = "close" if number == requests - 1 else "keep-alive"
        head = f"POST /as2 HTTP/{version}\r\nHost: x\r\nConnection: {close}\r\nContent-Length: 1\r\n\r\nx"
        writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_the_sender_is_told_to_wait_until_the_receipt_is_made(port: int) -> None:
    """Several times 102 without anything else, then the whole answer; the connection goes on."""
    answer = await said(port, requests=2)
    first, second = answer.split(b"\r\n\r\nreceipt")[:2]
    for one in (first, second):
        interim, _, final = one.rpartition(b"HTTP/1.1 102 Processing\r\n\r\n")
        assert interim.count(b"102") >= 1
        assert final.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Content-Length: 7" in final


@pytest.mark.parametrize(("version", "patience"), [("1.0", 0.04), ("1.1", None), ("1.1", 5.0)])
async def test_nobody_else_is_told(port: int, slow: Slow, version: str, patience: float | None) -> None:
    """HTTP/1.0, no such agreement, quick work."""
    slow.patience_seconds = patience
    answer = await said(port, version)
    assert b"102" not in answer.partition(b"\r\n\r\n")[0]
    assert answer.endswith(b"receipt")


async def test_a_sender_who_goes_does_not_end_the_work(port: int, slow: Slow) -> None:
    """What was begun is finished: the receipt is there for the repeat."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.transport.abort()
    await asyncio.sleep(0.4)
    assert slow.done == 1


@asynccontextmanager
async def station(lines: bytes, *, forever: bool = False) -> AsyncIterator[URL]:
    """A station that says `lines` to what is posted, for ever or once."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(lines)
            while forever:
                writer.write(lines)
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await ended.wait()


async def test_we_wait_for_the_answer_behind_any_number_of_interim_ones(session: aiohttp.ClientSession) -> None:
    """102 with and without fields, 103, then the receipt."""
    interim = b"HTTP/1.1 102 Processing\r\n\r\n" * 300 + b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    async with station(interim + final) as url:
        answer = await exchange(session, "POST", url, headers=(), body=b"x", seconds=5, limit=100)
    assert (answer.status, answer.body) == (200, b"ok")


async def test_interim_answers_without_end_are_an_uncertain_failure_in_time(session: aiohttp.ClientSession) -> None:
    """The time agreed for the receipt bounds them."""
    async with station(b"HTTP/1.1 102 Processing\r\n\r\n", forever=True) as url:
        with pytest.raises(DeliveryFailed) as caught:
            await exchange(session, "POST", url, headers=(), body=b"x", seconds=0.3, limit=100)
    assert caught.value.outcome is Outcome.UNCERTAIN


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """As connectors open it."""
    async with open_session() as opened:
        yield opened
