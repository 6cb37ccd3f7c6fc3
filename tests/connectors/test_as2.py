"""Facts about the way to an AS2 station: octets out and in, outcomes by table."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.as2 import Stretch
from gateway.connectors.as2 import As2Connector
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.partners.agreement import Agreement
from gateway.store.spool import SpoolFile


def agreement(url: str, **as2: object) -> Agreement:
    """A partner whose station is at `url`."""
    channel = {"id": "ACME", "url": url, "certificates": ["certs/acme.pem"]} | as2
    return Agreement.model_validate(
        {
            "name": "acme",
            "title": "Acme",
            "ids": [{"scheme": "gln", "value": "1"}],
            "channel": "as2",
            "as2": channel,
            "x12": {"identity": {"qualifier": "ZZ", "id": "ACME"}},
            "documents": {},
        }
    )


async def test_octets_and_headers_arrive_unaltered_and_the_answer_comes_back(
    far_side: Any, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Binary body, AS2 headers, credentials; the answer's bytes and headers for the pipeline to read."""
    monkeypatch.setenv("STATION_TOKEN", "t")
    partner = agreement(far_side.url, authentication={"kind": "bearer", "token": {"env": "STATION_TOKEN"}})

    async def receipt(request: web.Request) -> web.Response:
        return web.Response(body=b"\0mdn\r\n", headers={"AS2-From": '"A C"', "Content-Type": "multipart/signed"})

    far_side.handler = receipt
    octets = bytes(range(256)) * 8
    own = [("AS2-From", '"us x"'), ("Content-Type", "application/pkcs7-mime"), ("Message-ID", "<1@us>")]
    answer = await As2Connector([partner], Path(), session).post(partner, own, octets)
    seen = far_side.requests[0].headers
    assert far_side.bodies == [octets]
    assert {name: seen[name] for name, _ in own} == dict(own)
    assert seen["Authorization"] == "Bearer t"
    assert (answer.status, answer.body) == (200, b"\0mdn\r\n")
    assert dict(answer.headers)["AS2-From"] == '"A C"'


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(400, Outcome.PERMANENT), (403, Outcome.PERMANENT), (429, Outcome.TRANSIENT), (503, Outcome.TRANSIENT)],
)
async def test_outcome_of_each_refusing_answer(
    far_side: Any, session: aiohttp.ClientSession, status: int, outcome: Outcome
) -> None:
    """A station that refuses the request has not judged the message."""

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status, text="no", headers={"Retry-After": "7"})

    far_side.handler = refuse
    partner = agreement(far_side.url)
    with pytest.raises(DeliveryFailed) as caught:
        await As2Connector([partner], Path(), session).post(partner, [], b"x")
    assert (caught.value.outcome, caught.value.answer) == (outcome, "no")
    assert caught.value.retry_after == (7.0 if outcome is Outcome.TRANSIENT else None)


async def test_a_receipt_that_is_too_long_or_breaks_off_is_uncertain(
    far_side: Any, session: aiohttp.ClientSession
) -> None:
    """Without the whole receipt nobody knows what the station said."""

    async def long(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 1_048_577)

    far_side.handler = long
    partner = agreement(far_side.url)
    with pytest.raises(DeliveryFailed) as caught:
        await As2Connector([partner], Path(), session).post(partner, [], b"x")
    assert caught.value.outcome is Outcome.UNCERTAIN


async def test_what_a_station_answers_can_be_stored(far_side: Any, session: aiohttp.ClientSession) -> None:
    """Octets in headers that are no text, NUL in a refusal: replaced."""

    async def hostile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-Odd: a\xff\r\nContent-Length: 3\r\nConnection: close\r\n\r\nmdn")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hostile, "127.0.0.1", 0) as server:
        partner = agreement(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        headers = dict((await As2Connector([partner], Path(), session).post(partner, [], b"x")).headers)
    assert headers["X-Odd"] == "a\ufffd"

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=400, body=b"no\0\x1b\n")

    far_side.handler = refuse
    partner = agreement(far_side.url)
    with pytest.raises(DeliveryFailed) as caught:
        await As2Connector([partner], Path(), session).post(partner, [], b"x")
    assert caught.value.answer == "no\ufffd\ufffd\n"


async def test_a_missing_secret_stops_the_start(session: aiohttp.ClientSession) -> None:
    """Before the first message, naming the variable."""
    partner = agreement("http://127.0.0.1:1", authentication={"kind": "bearer", "token": {"env": "NOT_SET_HERE"}})
    with pytest.raises(OurFault, match="NOT_SET_HERE"):
        As2Connector([partner], Path(), session)


def stretch(folder: Path, size: int) -> Stretch:
    """So many octets of a file."""
    file = SpoolFile(folder)
    file.write(bytes(range(256)) * (size // 256))
    return Stretch(file)


async def test_a_body_from_a_file_arrives_whole_with_its_length(
    far_side: Any, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """In pieces, and however long it takes as long as it goes on."""
    body = stretch(tmp_path, 3 * 2**20)
    hashed = hashlib.sha256()

    async def slowly(request: web.Request) -> web.Response:
        async for chunk in request.content.iter_chunked(2**18):
            hashed.update(chunk)
            await asyncio.sleep(0.03)
        return web.Response(body=b"mdn")

    url = far_side.streaming(slowly)
    partner = agreement(url, timeout_seconds=0.3)
    answer = await As2Connector([partner], Path(), session).post(partner, [], body)
    assert answer.body == b"mdn"
    assert hashed.hexdigest() == hashlib.sha256(b"".join(body.pieces())).hexdigest()
    assert far_side.requests[0].headers["Content-Length"] == str(len(body))


async def test_a_station_that_stops_taking_a_large_body_is_given_up(
    far_side: Any, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """After the time for one piece, not for all of them; it may have taken effect."""
    end = asyncio.Event()

    async def stop(request: web.Request) -> web.Response:
        await request.content.readany()
        await end.wait()
        return web.Response()

    partner = agreement(far_side.streaming(stop), timeout_seconds=0.2)
    with pytest.raises(DeliveryFailed, match="no answer in time") as caught:
        await As2Connector([partner], Path(), session).post(partner, [], stretch(tmp_path, 2**25))
    end.set()
    assert caught.value.outcome is Outcome.UNCERTAIN
