"""Connections are bounded: one too many is told to come later, and those that stand are served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
import uvloop
from aiohttp import web

from gateway.settings import Listen
from gateway.web import connections
from gateway.web.server import serve


async def _hello(request: web.Request) -> web.Response:
    del request
    return web.Response(text="hello")


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Work:
    """A request that is at work until `done`."""

    def __init__(self) -> None:
        self.begun, self.done = asyncio.Semaphore(0), asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        """Say that it began, and wait."""
        del request
        self.begun.release()
        await self.done.wait()
        return web.Response(text="worked")


async def test_a_connection_too_many_is_told_to_come_later_where_all_others_are_at_work(tmp_path: Path) -> None:
    """They are served to their end; when one has ended, there is room again."""
    application, work = web.Application(), Work()
    application.router.add_get("/", work.answer)
    server = await serve(application, Listen(port=0, max_connections=2), tmp_path)
    try:
        busy = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
        for _, writer in busy:
            writer.write(REQUEST)
            await work.begun.acquire()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await reader.read() == connections.LATER
        writer.close()
        work.done.set()
        for reader, writer in busy:
            assert (await reader.readuntil(b"worked")).startswith(b"HTTP/1.1 200")
            writer.close()
            await writer.wait_closed()
        async with aiohttp.ClientSession() as session, session.get(server.url) as answer:
            assert answer.status == 200
    finally:
        await server.close()


async def test_for_a_connection_too_many_the_one_that_was_silent_longest_is_ended(tmp_path: Path) -> None:
    """Whether it said nothing, half a request, or nothing since its last answer; who came later stands on."""
    application = web.Application()
    application.router.add_get("/", _hello)
    server = await serve(application, Listen(port=0, max_connections=4), tmp_path)
    firsts = (b"", b"GET / HTT", REQUEST, b"")
    try:
        opened = []
        for first in firsts:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(first)
            if first == REQUEST:
                await reader.readuntil(b"hello")
            opened.append((reader, writer))
        # The first one spoke last of all: now it is the youngest.
        opened[0][1].write(REQUEST)
        await opened[0][0].readuntil(b"hello")
        for number, after in ((1, (2, 3, 0)), (2, (3, 0)), (3, (0,)), (0, ())):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(REQUEST)
            await reader.readuntil(b"hello")
            assert await opened[number][0].read() == b""
            assert not any(opened[one][0].at_eof() for one in after)
            opened.append((reader, writer))
    finally:
        for _, writer in opened:
            writer.transport.abort()
        await server.close()


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "room", "raised"),
    [
        (1024, 4096, 1000, 1000, 4096),
        (1024, 1024, 10_000, 768, None),
        (200, 200, 10_000, 1, None),
        (1024, -1, 10_000, 10_000, 10_256),
    ],
)
def test_the_limit_of_open_files_is_raised_and_leaves_room_for_files(  # noqa: PLR0917  a row of the table
    soft: int, hard: int, wanted: int, room: int, raised: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system allows decides how many connections stand."""
    set_to: list[tuple[int, int]] = []
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(connections.resource, "setrlimit", lambda _, limits: set_to.append(limits))
    assert connections.room_for(wanted) == room
    assert set_to == ([] if raised is None else [(raised, hard)])


async def _too_many_and_unread(folder: Path) -> None:
    """One connection too many, then one that reads nothing."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def large(request: web.Request) -> web.Response:
        del request
        begun.set()
        await go_on.wait()
        return web.Response(body=bytes(1_000_000))

    application = web.Application()
    application.router.add_get("/", large)
    server = await serve(application, Listen(port=0, max_connections=1), folder)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(REQUEST)
        await begun.wait()
        late, other = await asyncio.open_connection("127.0.0.1", server.port)
        assert await late.read() == connections.LATER
        other.close()
        writer.transport.pause_reading()
        go_on.set()
        for _ in range(1000):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            await asyncio.sleep(0.01)
            if writer.is_closing():
                break
        assert writer.is_closing()
        writer.transport.abort()
        del reader
    finally:
        await server.close()


@pytest.mark.parametrize("loop_of", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_connections_are_bounded_on_every_event_loop(
    loop_of: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their transports are of different classes; a gateway runs on the quicker one where it is there."""
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.2)
    with asyncio.Runner(loop_factory=loop_of) as runner:
        runner.run(_too_many_and_unread(tmp_path))


async def test_a_request_in_line_whose_framing_breaks_is_told_so_and_waits_for_nothing(tmp_path: Path) -> None:
    """The one at work before it is answered; then the broken one at once, and the connection ends."""
    application, work = web.Application(), Work()

    async def read(request: web.Request) -> web.Response:
        try:
            return web.Response(text=f"{len(await request.read())} octets")
        except web.RequestPayloadError:
            return web.Response(status=400, text="broken")

    application.router.add_get("/", work.answer)
    application.router.add_post("/", read)
    server = await serve(application, Listen(port=0), tmp_path)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(REQUEST)
        await work.begun.acquire()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.1)
        writer.write(b"3\r\nabcd\r\n")
        await asyncio.sleep(0.1)
        work.done.set()
        async with asyncio.timeout(5):
            said = await reader.read()
        assert said.count(b"HTTP/1.1 ") == 2
        assert b"worked" in said
        assert b"HTTP/1.1 400" in said
        assert said.endswith(b"broken")
    finally:
        writer.close()
        await server.close()
