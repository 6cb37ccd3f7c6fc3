"""Attacks on HTTP itself, octet for octet over real sockets, against the whole border with a real store behind it.

Each request carries a genuine message, so whatever is let through would be taken: nothing may be, unless it is framed
in one way only.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway import as2
from gateway.web import connections, serve, server

from .front import PROCESSED, STANDS, Front, front_of, no_patience


@pytest.fixture
async def front(trade: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    """A whole gateway, in a hurry to close what it refused."""
    monkeypatch.setattr(server, "LINGER_SECONDS", 0.2)
    async with front_of(trade, tmp_path) as made:
        yield made


Make = Callable[[Front], bytes]
TWO_WAYS: dict[str, Make] = {
    "length and chunks": lambda one: one.head(one.length, "Transfer-Encoding: chunked") + one.chunked,
    "chunks and length": lambda one: one.head("Transfer-Encoding: chunked", one.length) + one.chunked,
    "length that ends before a second request": lambda one: (
        one.head("Content-Length: 6", "Transfer-Encoding: chunked") + b"0\r\n\r\nG" + one.head(one.length)
    ),
    "two lengths": lambda one: one.head(one.length, "Content-Length: 5") + one.message.body,
    "the same length twice": lambda one: one.head(one.length, one.length) + one.message.body,
    "a list of lengths": lambda one: one.head(f"{one.length}, 5") + one.message.body,
    "a length with a sign": lambda one: one.head(one.length.replace(": ", ": +")) + one.message.body,
    "a negative length": lambda one: one.head("Content-Length: -1") + one.message.body,
    "a length in hexadecimal": lambda one: one.head("Content-Length: 0x10") + one.message.body,
    "a length of 26 digits": lambda one: one.head(f"Content-Length: {'9' * 26}") + one.message.body,
    "chunked, then identity": lambda one: one.head("Transfer-Encoding: chunked, identity") + one.chunked,
    "chunked twice": lambda one: one.head(*["Transfer-Encoding: chunked"] * 2) + one.chunked,
    "nearly chunked": lambda one: one.head("Transfer-Encoding: xchunked") + one.chunked,
    "a blank before the colon": lambda one: one.head("Transfer-Encoding : chunked") + one.chunked,
    "a chunk with a sign": lambda one: one.head("Transfer-Encoding: chunked") + b"-" + one.chunked,
    "a chunk with a prefix": lambda one: one.head("Transfer-Encoding: chunked") + b"0x" + one.chunked,
    "a chunk of 17 digits": lambda one: one.head("Transfer-Encoding: chunked") + b"1" * 17 + b"\r\n" + one.message.body,
    "a chunk longer than it says": lambda one: (
        one.head("Transfer-Encoding: chunked") + one.chunked.replace(b"\r\n0\r\n", b"!\r\n0\r\n")
    ),
    "a chunk that ends with a line feed": lambda one: (
        one.head("Transfer-Encoding: chunked") + one.chunked.replace(b"\r\n", b"\n", 1)
    ),
    "no framing": lambda one: one.head() + one.message.body,
    "line feeds alone": lambda one: one.head(one.length).replace(b"\r\n", b"\n") + one.message.body,
    "a carriage return in a value": lambda one: one.head("X: a\rAS2-From: b", one.length) + one.message.body,
    "NUL in a value": lambda one: one.head("X: a\x00b", one.length) + one.message.body,
    "a folded header": lambda one: one.head("X: a\r\n b", one.length) + one.message.body,
    "HTTP/1.2": lambda one: one.head(one.length, version="1.2") + one.message.body,
    "an HTTP/2 preface": lambda one: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + one.head(one.length),
    "TLS": lambda _: bytes.fromhex("16030100a5010000a10303") + bytes(160),
    "a header of 100 KB": lambda one: one.head(f"X: {'a' * 100_000}", one.length) + one.message.body,
    "a header's name of 100 KB": lambda one: one.head(f"{'X' * 100_000}: a", one.length) + one.message.body,
    "an address of 100 KB": lambda one: one.head(one.length).replace(b"/as2", b"/as2?" + b"a" * 100_000),
    "10,000 headers": lambda one: one.head(*["X: y"] * 10_000, one.length) + one.message.body,
}


async def test_what_two_readers_could_frame_differently_is_refused_and_closed(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    """Request smuggling: one 400, the connection closed, nothing taken, nothing of it in answer or log."""
    caplog.set_level(logging.DEBUG)
    for name, make in TWO_WAYS.items():
        caplog.clear()
        answer = await front.said(make(front))
        assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\n"), name
        assert answer.endswith(b"\r\n\r\n" + connections.NOT_HTTP.encode()), name
        assert answer.count(b"HTTP/1.") == 2, name  # the answer's own, and the one in its text
        assert b"aiohttp" not in answer, name
        assert "Traceback" not in caplog.text, name
        assert len([one for one in caplog.records if one.name == "gateway.access"]) == 1, name
    assert await front.taken() == 0


async def test_what_the_parser_refuses_is_not_repeated_with_the_senders_key(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    """A request that is wrong after its Authorization header leaves no key in the log, nor in the answer."""
    caplog.set_level(logging.DEBUG)
    answer = await front.said(front.head("Authorization: Bearer gw_id_secretsecretsecret", "X: a\rb", front.length))
    assert answer.startswith(b"HTTP/1.0 400")
    assert b"secretsecret" not in answer
    assert "secretsecret" not in caplog.text


async def test_headers_that_say_two_things_or_too_much_are_refused(front: Front) -> None:
    """Our own rules, where HTTP's allow it; nothing is taken."""
    for more, status in (
        (("AS2-From: BALTIC-AS2",), 400),
        (("AS2-To: ELSEWHERE",), 400),
        (("Message-ID: <other@acme>",), 400),
        (("as2-from: ACME-AS2",), 400),
        (("X: y",) * 90, 400),
    ):
        answer = await front.said(front.head(*more, front.length, "Connection: close") + front.message.body)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), more
        assert PROCESSED not in answer
    assert await front.taken() == 0


async def test_a_body_shorter_than_it_says_is_waited_for_within_bounds(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """408, closed; one that is longer is refused as damaged, and its rest is no request."""
    no_patience(monkeypatch)
    body = front.message.body
    answer = await front.said(front.head(f"Content-Length: {len(body) + 10}") + body)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert STANDS not in answer
    assert await front.taken() == 0
    answer = await front.said(front.head(f"Content-Length: {len(body) - 10}") + body)
    assert PROCESSED not in answer
    assert STANDS not in answer
    assert answer.count(b"HTTP/1.1 200") <= 1


async def test_a_body_that_trickles_is_cut_off(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never silent, and never done: 408 in time, and nothing taken."""
    no_patience(monkeypatch)
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(front.head(front.length))
    answer = b""
    with contextlib.suppress(ConnectionError):
        for octet in front.message.body[:500]:
            writer.write(bytes((octet,)))
            await writer.drain()
            try:
                async with asyncio.timeout(0.05):
                    answer += await reader.read(65_536)
            except TimeoutError:
                continue
            break
    writer.transport.abort()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert await front.taken() == 0


async def test_chunks_that_never_end_are_cut_off(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Extensions and trailers carry no octet of a body, so silence is what they are; a body has its limit."""
    no_patience(monkeypatch)
    for what, endless in {
        "extensions": b"5;" + b"a" * 1_000_000,
        "trailers": b"0\r\n" + b"X: y\r\n" * 100_000,
        "one-octet chunks": b"1\r\nx\r\n" * 400_000,
    }.items():
        answer = await front.said(front.head("Transfer-Encoding: chunked") + endless, seconds=10)
        assert STANDS not in answer, what
        assert PROCESSED not in answer, what


BROKEN_LATER = {
    "no number": b"zz\r\n",
    "a chunk longer than it says": b"3\r\nabcd\r\n",
    "a sign": b"+3\r\nabc\r\n",
    "a line feed alone": b"3\nabc\n",
    "a second request": b"POST /as2 HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("path", ["/as2", "/as2/receipts"])
async def test_framing_that_breaks_within_the_body_is_refused_at_once(
    front: Front, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Not when the silence is cut off, 30 s later: one 400, the connection closed, nothing taken, no traceback."""
    head = front.head("Transfer-Encoding: chunked").replace(b"/as2", path.encode(), 1)
    for name, broken in BROKEN_LATER.items():
        answer = await front.said(head + b"5\r\n12345\r\n", broken)
        assert answer.startswith(b"HTTP/1.1 400"), name
        assert b"not framed as HTTP/1.1 has it" in answer, name
        assert answer.count(b"HTTP/1.1 4") == 1, name
        assert STANDS not in answer, name
    assert "Traceback" not in caplog.text
    assert await front.taken() == 0


async def test_what_is_broken_behind_a_whole_request_harms_only_itself(front: Front) -> None:
    """The message is taken and has its receipt; what follows gets the 400."""
    whole = front.head("Transfer-Encoding: chunked") + front.chunked
    answer = await front.said(whole, b"zz zz\r\n\r\n")
    assert PROCESSED in answer
    assert answer.endswith(connections.NOT_HTTP.encode())
    assert await front.taken() == 1


async def test_chunk_extensions_and_other_spellings_of_one_framing_are_read(front: Front) -> None:
    """What RFC 9112 7.1.1 allows is allowed; a recipient ignores extensions."""
    extended = front.chunked.replace(b"\r\n", b";a=b\r\n", 1)
    answer = await front.said(front.head("Transfer-Encoding: chunked", "Connection: close") + extended)
    assert PROCESSED in answer


async def test_headers_that_trickle_are_cut_off(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """However steadily they come: the time is for all of them, and for the connection's first request too."""
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.3)
    async with _listening(front) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /as2 HTTP/1.1\r\n")
        begun = asyncio.get_running_loop().time()
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                writer.write(b"X: y\r\n")
                await writer.drain()
                if reader.at_eof():
                    break
                await asyncio.sleep(0.05)
        assert await reader.read() == b""
        assert asyncio.get_running_loop().time() - begun < 4
        writer.close()


async def test_an_answer_that_nobody_reads_is_cut_off(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of requests and no reading: the connection ends, and what it held is given back."""
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port, limit=1024)
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    ended = asyncio.Event()

    async def flood() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
                await writer.drain()
        ended.set()

    flooding = asyncio.create_task(flood())
    await asyncio.wait_for(ended.wait(), 20)
    await flooding
    writer.transport.abort()
    assert (await front.said(b"GET /as2 HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.0 200")


async def test_pipelined_requests_are_answered_in_order_and_taken_once(front: Front) -> None:
    """Twenty times the same message: the same receipt twenty times, one message."""
    one = front.head(front.length) + front.message.body
    last = front.head(front.length, "Connection: close") + front.message.body
    answer = await front.said(one * 19 + last, seconds=10)
    receipts = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert len(receipts) == 20
    assert len(set(receipts)) == 1
    assert await front.taken() == 1


async def test_an_expectation_that_nobody_knows_is_passed_over(front: Front) -> None:
    """As RFC 9110 10.1.1 allows; the message is what counts."""
    answer = await front.said(front.head(front.length, "Expect: x", "Connection: close") + front.message.body)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert PROCESSED in answer


async def test_http_1_0_is_answered_and_closed(front: Front) -> None:
    """Old stations speak it; chunks and `Expect` are not of it (RFC 9110 10.1.1)."""
    answer = await front.said(front.head(front.length, "Expect: 100-continue", version="1.0") + front.message.body)
    assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
    assert PROCESSED in answer
    assert STANDS not in answer


async def test_a_continue_that_is_never_used_is_waited_for_within_bounds(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Expect: 100-continue`, and then nothing."""
    no_patience(monkeypatch)
    answer = await front.said(front.head(front.length, "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 ")
    assert STANDS not in answer


async def test_other_methods_repeat_nothing_and_open_nothing(front: Front) -> None:
    """No tunnel, no echo of a key."""
    for method in ("TRACE", "CONNECT", "PUT", "DELETE", "PROPFIND"):
        line = f"{method} /as2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secretsecret\r\nConnection: close\r\n\r\n"
        answer = await front.said(line.encode())
        assert answer[9:12] in {b"404", b"405", b"400"}, method
        assert b"secretsecret" not in answer, method


async def test_a_wish_for_another_protocol_is_not_fulfilled(front: Front) -> None:
    """WebSocket and HTTP/2 in the clear: answered as the plain request that it is, and what follows is no request."""
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA==")
    answer = await front.said(front.head(*upgrade, front.length) + front.message.body, seconds=0.5)
    assert b"101" not in answer.partition(b"\r\n")[0]


@contextlib.asynccontextmanager
async def _listening(front: Front) -> AsyncIterator[int]:
    """A server of its own with the limits of now."""

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    bare = web.Application()
    bare.router.add_get("/as2", hello)
    listen = front.trade.gateway.station.settings.listen.model_copy(update={"port": 0, "host": "127.0.0.1"})
    running = await serve(bare, listen, Path())
    yield running.port
    await running.close()


async def test_a_large_body_that_may_be_a_receipt_is_read_off_the_event_loop(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst megabyte of MIME, by somebody who proves nothing, holds up nobody else."""
    on_loop: list[bool] = []

    def seen(work: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(headers: Any, body: bytes) -> Any:
            on_loop.append(threading.current_thread() is threading.main_thread())
            return work(headers, body)

        return wrapped

    for name in ("is_receipt", "original_message_id"):
        monkeypatch.setattr(f"gateway.as2.{name}", seen(getattr(as2, name)))
    body = b"--b\r\nContent-Type: multipart/report; boundary=c\r\n\r\n" + b"\n--bX" * 40_000
    names = "AS2-From: ACME-AS2\r\nAS2-To: HARBORLINE\r\nMessage-ID: <flood@x>"
    for path in ("/as2", "/as2/receipts"):
        lines = f"POST {path} HTTP/1.1\r\nHost: x\r\n{names}\r\nContent-Type: multipart/signed; boundary=b"
        head = f"{lines}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        answer = await front.said(head.encode() + body)
        assert PROCESSED not in answer
        assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))
    assert on_loop
    assert not any(on_loop)


async def test_a_content_encoding_is_not_undone(front: Front) -> None:
    """A bomb of HTTP's own compression: refused unread, and not kept as if the sender had meant these octets."""
    bomb = gzip.compress(bytes(20_000_000))
    answer = await front.said(
        front.head("Content-Encoding: gzip", f"Content-Length: {len(bomb)}", "Connection: close") + bomb
    )
    assert answer.startswith(b"HTTP/1.1 415")
    assert await front.trade.gateway.store.messages(limit=5) == []
