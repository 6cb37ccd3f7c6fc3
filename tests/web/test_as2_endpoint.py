"""POST /as2 knows HTTP only: the sender's limit, headers as they came, what is not AS2, the receipt's bytes."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.errors import PartnerFault
from gateway.pipeline.admission import Denial, Shown
from gateway.ports import Receipt, Spooled
from gateway.store.spool import SpoolFile
from gateway.web import arriving
from gateway.web.as2 import As2Endpoint


class Reception:
    """Takes up to 100,000 octets of everybody who has an AS2-From, or another limit."""

    def __init__(self, folder: Path) -> None:
        self.taken: list[tuple[str, int]] = []
        self.folder = folder
        self.most = 100_000
        self.hold: asyncio.Event | None = None
        self.arrived = asyncio.Semaphore(0)

    def sender(self, headers: Sequence[tuple[str, str]]) -> str:
        """A and B are partners, quoted or not."""
        name = next((value.strip('"') for name, value in headers if name.lower() == "as2-from"), "")
        return name if name in {"A", "B"} else ""

    def limit(self, headers: Sequence[tuple[str, str]]) -> int:
        """For everybody the same."""
        del headers
        return self.most

    def spool(self) -> Spooled:
        """A file in the test's folder."""
        return SpoolFile(self.folder, kept=True)

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

    async def receive(self, headers: Sequence[tuple[str, str]], body: bytes | Spooled) -> Receipt:
        """A receipt with a body of odd bytes."""
        if not isinstance(body, bytes):
            self.taken.append((f"file {body.sha256[:8]}", body.size))
            self.arrived.release()
            if self.hold is not None:
                await self.hold.wait()
            return Receipt(status=200, headers=(), body=b"")
        name = next((value for name, value in headers if name.lower() == "as2-from"), None)
        if name is None:
            raise PartnerFault("no AS2-From at all: secret", public="not an AS2 message")
        self.taken.append((name, len(body)))
        return Receipt(status=200, headers=(("Content-Type", "x/y; a=b"), ("AS2-To", name)), body=b"\x00\xff\r\n")

    async def too_large(self, headers: Sequence[tuple[str, str]], start: bytes | Spooled) -> Receipt:
        """A receipt that refuses."""
        assert isinstance(start, bytes)
        del headers
        self.taken.append(("too large", len(start)))
        return Receipt(status=200, headers=(), body=b"refused")


@pytest.fixture
async def reception(tmp_path: Path) -> Reception:
    """What is behind the endpoint."""
    return Reception(tmp_path)


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


BODY = bytes(range(256)) * 12_000


async def test_body_too_large_for_memory_is_a_file_that_is_gone_afterwards(url: str, reception: Reception) -> None:
    """With its SHA-256; announced by its length or in chunks."""
    reception.most = len(BODY)

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(BODY), 100_001):
            yield BODY[at : at + 100_001]

    async with aiohttp.ClientSession() as http:
        for data in (io.BytesIO(BODY), chunks()):
            async with http.post(url, data=data, headers={"AS2-From": "A"}) as answer:
                assert answer.status == 200
    assert reception.taken == [(f"file {hashlib.sha256(BODY).hexdigest()[:8]}", len(BODY))] * 2
    assert list(reception.folder.iterdir()) == []


async def test_body_announced_too_large_is_refused_by_its_start(url: str, reception: Reception) -> None:
    """64 KiB are read, not three megabytes."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=io.BytesIO(BODY), headers={"AS2-From": "A"}) as answer,
    ):
        assert await answer.read() == b"refused"
    assert reception.taken == [("too large", 65_536)]


async def test_body_that_trickles_is_cut_off(url: str, reception: Reception, monkeypatch: pytest.MonkeyPatch) -> None:
    """However regularly a few octets come; a large body may take its time as long as it comes fast enough."""
    monkeypatch.setattr(arriving, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(arriving, "SLOWEST", 1000)
    reception.most = len(BODY)

    async def paced(count: int, size: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * size
            await asyncio.sleep(0.04)

    async with aiohttp.ClientSession() as http:
        async with http.post(url, data=paced(12, 50_000), headers={"AS2-From": "A"}) as answer:
            assert answer.status == 200
        async with http.post(url, data=paced(100, 10), headers={"AS2-From": "A"}) as answer:
            assert (answer.status, "too slowly" in await answer.text()) == (408, True)
    assert len(reception.taken) == 1


@pytest.mark.parametrize(("name", "most"), [("SPOOLED_AT_ONCE", 2), ("SPOOLED_FROM_ONE", 1), ("HELD", 2 * 2**20)])
async def test_more_at_once_than_there_is_room_for_comes_later(
    url: str, reception: Reception, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    """503 with Retry-After; small ones pass, and the large one does when the others are done."""
    monkeypatch.setattr(arriving, name, most)
    reception.most = len(BODY)
    reception.hold = asyncio.Event() if name != "HELD" else None

    async def send(http: aiohttp.ClientSession, sender: str, data: bytes) -> tuple[int, str | None]:
        async with http.post(url, data=io.BytesIO(data), headers={"AS2-From": sender}) as answer:
            return answer.status, answer.headers.get("Retry-After")

    async with aiohttp.ClientSession() as http:
        if reception.hold is None:
            monkeypatch.setattr(arriving, name, 1000)
            assert await send(http, "A", BODY) == (503, "60")
            monkeypatch.setattr(arriving, name, most)
        else:
            others = ["A"] if name == "SPOOLED_FROM_ONE" else ["A", "B"]
            waiting = [asyncio.create_task(send(http, one, BODY)) for one in others]
            for _ in others:
                await reception.arrived.acquire()
            assert await send(http, "A", BODY) == (503, "60")
            assert await send(http, "A", b"small") == (200, None)
            reception.hold.set()
            assert await asyncio.gather(*waiting) == [(200, None)] * len(others)
        assert await send(http, "A", BODY) == (200, None)
    assert list(reception.folder.iterdir()) == []


@pytest.mark.parametrize("spelled", [("A", '"A"'), ("stranger", "another stranger")])
async def test_strangers_share_one_part_of_the_memory_and_partners_have_one_each(
    url: str, reception: Reception, monkeypatch: pytest.MonkeyPatch, spelled: tuple[str, str]
) -> None:
    """A second spelling of a partner's name, or a second name of nobody, finds no room of its own; partner B does."""
    monkeypatch.setattr(arriving, "HELD_FROM_ONE", 60_000)
    port = int(url.rpartition(":")[2].partition("/")[0])
    first, second = spelled
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From: {first}\r\nContent-Length: 90000\r\n\r\n".encode())
    writer.write(bytes(50_000))
    await writer.drain()

    async def send(http: aiohttp.ClientSession, sender: str) -> int:
        async with http.post(url, data=bytes(20_000), headers={"AS2-From": sender}) as answer:
            return answer.status

    async with aiohttp.ClientSession() as http:
        async with asyncio.timeout(5):
            while await send(http, second) != 503:  # noqa: ASYNC110  the first has not arrived yet
                await asyncio.sleep(0.01)
        assert await send(http, "B") == 200
        writer.transport.abort()
        async with asyncio.timeout(5):
            while await send(http, second) != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_sender_that_breaks_off_leaves_neither_file_nor_place(
    url: str, reception: Reception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In the middle of a body that is spooled already; the next one finds room. Strangers cannot fill the log."""
    monkeypatch.setattr(arriving, "SPOOLED_AT_ONCE", 1)
    reception.most = len(BODY)
    port = int(url.rpartition(":")[2].partition("/")[0])
    for _ in range(3):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From: A\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
        writer.write(BODY[: 2 * 2**20])
        await writer.drain()
        async with asyncio.timeout(5):
            while not list(reception.folder.iterdir()):  # noqa: ASYNC110  the file system tells nobody
                await asyncio.sleep(0.01)
            writer.transport.abort()
            while list(reception.folder.iterdir()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=io.BytesIO(BODY), headers={"AS2-From": "A"}) as answer,
    ):
        assert answer.status == 200
    assert not [one for one in caplog.records if one.exc_info]


async def test_a_body_compressed_by_http_is_refused_before_it_is_read(url: str, reception: Reception) -> None:
    """Nobody inflates it: it would be kept and receipted as if the sender had meant these octets."""
    headers = {"AS2-From": "A", "Content-Encoding": "gzip"}
    async with aiohttp.ClientSession() as http, http.post(url, data=b"\x1f\x8b", headers=headers) as answer:
        assert answer.status == 415
        assert "RFC 5402" in await answer.text()
    assert reception.taken == []
