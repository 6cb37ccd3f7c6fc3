"""How stations write HTTP around AS2, on real sockets: what the server reads, what the client reads, what neither does.

Nothing of AS2 is opened here: a handler that only looks, behind our server, and the exchange that our connectors use.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from gateway.connectors.exchange import Answer, exchange, open_session
from gateway.settings import Listen
from gateway.web import serve


@dataclass(kw_only=True)
class Seen:
    """What came through to a handler."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[Seen, int]]:
    """Our server, with a handler that only looks."""
    seen = Seen()

    async def look(request: web.Request) -> web.Response:
        seen.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.raw_headers}
        seen.body = await request.read()
        return web.Response(body=b"receipt")

    application = web.Application()
    application.router.add_post("/as2", look)
    running = await serve(application, Listen(host="127.0.0.1", port=0), tmp_path)
    yield seen, running.port
    await running.close()


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
async def test_a_request_is_read_as_that_station_writes_it(server: tuple[Seen, int], habit: str) -> None:
    """The body and the headers come through."""
    seen, port = server
    request, headers = REQUESTS[habit]
    assert b" 200 OK" in await _sent(port, request)
    assert seen.body == b"hi"
    assert headers.items() <= seen.headers.items()


@pytest.mark.parametrize("habit", REFUSED)
async def test_a_request_that_two_readers_may_read_in_two_ways_is_answered_400(
    server: tuple[Seen, int], habit: str
) -> None:
    """By the HTTP library; nothing of it reaches the seen."""
    seen, port = server
    assert b" 400 Bad Request" in await _sent(port, REFUSED[habit])
    assert not seen.body


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
