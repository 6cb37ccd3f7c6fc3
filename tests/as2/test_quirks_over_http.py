"""How stations write HTTP around AS2, on real sockets: what the server reads, what the client reads, what neither does.

Nothing of AS2 is opened here: a reception that only looks, and a connector that only posts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from yarl import URL

from gateway.connectors.exchange import Answer, exchange, open_session
from gateway.ports import Receipt
from gateway.web.as2 import As2Endpoint

Headers = Sequence[tuple[str, str]]


@dataclass(kw_only=True)
class Looking:
    """A reception that keeps what it is given."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def limit(self, headers: Headers) -> int:  # noqa: ARG002  the protocol has it
        """Enough."""
        return 1000

    async def receive(self, headers: Headers, body: bytes) -> Receipt:
        """Kept."""
        self.headers, self.body = {name.lower(): value for name, value in headers}, body
        return Receipt(status=200, headers=(), body=b"receipt")

    async def too_large(self, headers: Headers, start: bytes) -> Receipt:  # noqa: ARG002  the protocol has it
        """Never here."""
        raise AssertionError(start)


@pytest.fixture
async def looking() -> AsyncIterator[tuple[Looking, int]]:
    """The AS2 endpoint on a port."""
    reception = Looking()
    endpoint = As2Endpoint(lambda: reception)
    application = web.Application()
    application.router.add_post("/as2", endpoint.post)
    runner = web.AppRunner(application, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield reception, runner.addresses[0][1]
    await runner.cleanup()


CHUNKS = b"1\r\nh\r\n1;a=b\r\ni\r\n0\r\nX-Sum: 1\r\n\r\n"
REQUESTS: dict[str, tuple[bytes, dict[str, str]]] = {
    "HTTP/1.0, the connection closed (phax/as2-server#15)": (
        b"POST /as2 HTTP/1.0\r\nConnection: close\r\nAS2-From: acme\r\nContent-Length: 2\r\n\r\nhi",
        {"as2-from": "acme"},
    ),
    "the whole URL in the first line (RFC 9112 3.2.2)": (
        b"POST http://us.example/as2 HTTP/1.1\r\nHost: us.example\r\nContent-Length: 2\r\n\r\nhi",
        {"host": "us.example"},
    ),
    "chunks, with a trailer (RFC 9112 7.1.2)": (
        b"POST /as2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s" % CHUNKS,
        {},
    ),
    "octets beyond ASCII in a header (RFC 9110 5.5)": (
        b"POST /as2 HTTP/1.1\r\nHost: x\r\nSubject: Auftr\xe4ge\r\nContent-Length: 2\r\n\r\nhi",
        {"subject": "Auftr\xe4ge"},
    ),
    "TE beside Connection: close, TE (phax/phase2#54)": (
        b"POST /as2 HTTP/1.1\r\nHost: x\r\nConnection: close, TE\r\nTE: trailers\r\nContent-Length: 2\r\n\r\nhi",
        {"te": "trailers"},
    ),
}

REFUSED: dict[str, bytes] = {
    "a folded header (OpenAS2/OpenAs2App#71; RFC 9112 5.2)": (
        b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Type: a/b;\r\n\tboundary=b\r\nContent-Length: 2\r\n\r\nhi"
    ),
    "a blank before the colon (RFC 9112 5.1)": (
        b"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From : acme\r\nContent-Length: 2\r\n\r\nhi"
    ),
    "chunks and a length (RFC 9112 6.1: may smuggle a request)": (
        b"POST /as2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    ),
}


async def _sent(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    await writer.wait_closed()
    return head


@pytest.mark.parametrize("habit", REQUESTS)
async def test_a_request_is_read_as_that_station_writes_it(looking: tuple[Looking, int], habit: str) -> None:
    """The body and the headers come through."""
    reception, port = looking
    request, headers = REQUESTS[habit]
    assert b" 200 OK" in await _sent(port, request)
    assert reception.body == b"hi"
    assert headers.items() <= reception.headers.items()


@pytest.mark.parametrize("habit", REFUSED)
async def test_a_request_that_two_readers_may_read_in_two_ways_is_answered_400(
    looking: tuple[Looking, int], habit: str
) -> None:
    """By the HTTP library; nothing of it reaches the reception."""
    reception, port = looking
    assert b" 400 Bad Request" in await _sent(port, REFUSED[habit])
    assert not reception.body


ANSWERS: dict[str, tuple[bytes, int, str | None, bytes]] = {
    "folded headers (OxalisCommunity/oxalis#171)": (
        b'HTTP/1.1 200 OK\r\nContent-Type: a/b;\r\n\tboundary="b"\r\nContent-Length: 2\r\n\r\nhi',
        200,
        'a/b;\tboundary="b"',
        b"hi",
    ),
    "HTTP/1.0, no length, no reason (phax/as2-server#15)": (
        b"HTTP/1.0 200\r\nContent-Type: a/b\r\n\r\nhi",
        200,
        "a/b",
        b"hi",
    ),
    "202 and nothing": (b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202, None, b""),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, None, b""),
    "100 first, though nobody expects it": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        200,
        None,
        b"hi",
    ),
}


async def _answered(answer: bytes) -> Answer:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    async with server, open_session() as session:
        return await exchange(session, "POST", url, headers=(), body=b"x", seconds=10, limit=1000)


@pytest.mark.parametrize("habit", ANSWERS)
async def test_an_answer_is_read_as_that_station_writes_it(habit: str) -> None:
    """Status, content type, body."""
    answer, status, content_type, body = ANSWERS[habit]
    found = await _answered(answer)
    assert (found.status, found.headers.get("Content-Type"), found.body) == (status, content_type, body)
    assert found.complete
