"""Each key of as2.transport does what it says, over real TLS and HTTP on loopback: nothing between is faked."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.connectors.as2 import As2Connector
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.partners.agreement import Agreement

PASSPHRASE = "a passphrase of a client key"
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class Station:
    """A TLS server of the test."""

    url: str
    port: int
    seen: list[web.Request]
    names: list[str | None]
    bodies: list[bytes]


Start = Callable[..., Awaitable[Station]]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of all certificates are."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="session")
def authority(folder: Path, new_authority: Any) -> Any:
    """The CA of the stations, and what it issued."""
    made = new_authority(folder, "authority")
    made.issue("loopback", "127.0.0.1")
    made.issue("elsewhere", "as2.elsewhere.example")
    made.issue("client")
    made.issue("locked", passphrase=PASSPHRASE)
    return made


@pytest.fixture(scope="session")
def stranger(folder: Path, new_authority: Any) -> Any:
    """A CA that nobody trusts."""
    made = new_authority(folder, "stranger")
    made.issue("odd", "127.0.0.1")
    made.issue("odd-client")
    return made


@pytest.fixture
async def start(folder: Path, authority: Any, stranger: Any) -> AsyncIterator[Start]:
    """Starts TLS servers."""
    async with AsyncExitStack() as stack:

        async def make(name: str = "loopback", *, clients: str | None = None, newest: Any = None) -> Station:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
            if clients is not None:
                context.load_verify_locations(folder / clients)
                context.verify_mode = ssl.CERT_REQUIRED
            if newest is not None:
                context.maximum_version = newest
            station = Station(url="", port=0, seen=[], names=[], bodies=[])
            context.sni_callback = lambda _socket, asked, _context: station.names.append(asked)

            async def answer(request: web.Request) -> web.Response:
                station.seen.append(request)
                station.bodies.append(await request.read())
                return web.Response(text="receipt")

            application = web.Application()
            application.router.add_post("/as2", answer)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            station.port = runner.addresses[0][1]
            station.url = f"https://127.0.0.1:{station.port}/as2"
            return station

        yield make


Post = Callable[..., Awaitable[bytes]]


@pytest.fixture
def post(folder: Path, session: aiohttp.ClientSession) -> Post:
    """Post to a url by a transport; the answer's body."""

    async def make(url: str, *, body: bytes = b"x", timeout_seconds: int = 5, **transport: Any) -> bytes:
        partner = agreement(url, transport=transport, timeout_seconds=timeout_seconds)
        return (await As2Connector([partner], folder, session).post(partner, [("AS2-From", "us")], body)).body

    return make


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
            "documents": {},
        }
    )


async def test_a_ca_of_their_own_is_trusted_and_only_that_one(start: Start, post: Post) -> None:
    """With `ca` it works; without, or with another one, nothing is sent and it is tried again."""
    station = await start()
    assert await post(station.url, ca="authority.pem") == b"receipt"
    for other in ({}, {"ca": "stranger.pem"}):
        with pytest.raises(DeliveryFailed, match="certificate is not trusted: ") as caught:
            await post(station.url, **other)
        assert caught.value.outcome is Outcome.TRANSIENT
    assert len(station.seen) == 1


async def test_a_certificate_for_another_host_is_refused_unless_that_name_was_agreed(start: Start, post: Post) -> None:
    """`server_name` is the name in SNI and in their certificate; the connection goes to the url's host."""
    station = await start("elsewhere")
    with pytest.raises(DeliveryFailed, match="IP address mismatch"):
        await post(station.url, ca="authority.pem")
    named = {"ca": "authority.pem", "server_name": "as2.elsewhere.example"}
    assert await post(station.url, **named) == b"receipt"
    assert station.names[-1] == "as2.elsewhere.example"
    with pytest.raises(DeliveryFailed, match="Hostname mismatch"):
        await post(station.url, ca="authority.pem", server_name="as2.other.example")


async def test_host_header_is_the_one_agreed(start: Start, post: Post) -> None:
    """For stations behind a virtual host."""
    station = await start()
    await post(station.url, ca="authority.pem", host_header="as2.acme.example:4080")
    assert station.seen[0].headers.getall("Host") == ["as2.acme.example:4080"]


async def test_a_pinned_certificate_is_trusted_whoever_signed_it_and_no_other_one(
    start: Start, post: Post, folder: Path
) -> None:
    """An unknown CA and a wrong name do not matter, another certificate of the right CA does; colons may stand."""
    pem = x509.load_pem_x509_certificate((folder / "odd.crt").read_bytes())
    pin = hashlib.sha256(pem.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    station = await start("odd")
    spaced = ":".join(pin[at : at + 2] for at in range(0, len(pin), 2))
    assert await post(station.url, pinned=["ab" * 32, spaced]) == b"receipt"
    other = await start("loopback")
    with pytest.raises(DeliveryFailed, match="another one is pinned") as caught:
        await post(other.url, pinned=[pin], ca="authority.pem")
    assert caught.value.outcome is Outcome.TRANSIENT
    assert other.seen == []


async def test_a_client_certificate_is_shown_and_one_of_a_stranger_is_refused(start: Start, post: Post) -> None:
    """Mutual TLS: with the agreed certificate the message is there, without or with another one never."""
    station = await start(clients="authority.pem")
    ours = {"ca": "authority.pem", "client_certificate": "client.crt", "client_key": "client.key"}
    assert await post(station.url, **ours) == b"receipt"
    shown = station.seen[0].transport.get_extra_info("peercert")  # type: ignore[union-attr]
    assert shown["subject"] == ((("commonName", "client"),),)
    for other in (
        {"ca": "authority.pem"},
        ours | {"client_certificate": "odd-client.crt", "client_key": "odd-client.key"},
    ):
        with pytest.raises(DeliveryFailed) as caught:
            await post(station.url, **other)
        assert caught.value.outcome in {Outcome.TRANSIENT, Outcome.UNCERTAIN}
    assert len(station.seen) == 1


async def test_a_client_key_is_opened_with_its_passphrase(
    start: Start, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment; a wrong one, or none, stops the start and asks nobody at a terminal."""
    station = await start(clients="authority.pem")
    ours = {"ca": "authority.pem", "client_certificate": "locked.crt", "client_key": "locked.key"}
    monkeypatch.setenv("CLIENT_KEY", PASSPHRASE)
    assert await post(station.url, **ours, client_passphrase={"env": "CLIENT_KEY"}) == b"receipt"
    monkeypatch.setenv("CLIENT_KEY", "wrong")
    for passphrase in ({"client_passphrase": {"env": "CLIENT_KEY"}}, {}):
        with pytest.raises(OurFault, match=r"locked\.key") as caught:
            await post(station.url, **ours, **passphrase)
        assert "wrong" not in str(caught.value)


async def test_tls_older_than_agreed_is_refused(start: Start, post: Post) -> None:
    """`minimum_tls: 1.3` does not talk to a station of 1.2."""
    station = await start(newest=ssl.TLSVersion.TLSv1_2)
    assert await post(station.url, ca="authority.pem") == b"receipt"
    with pytest.raises(DeliveryFailed) as caught:
        await post(station.url, ca="authority.pem", minimum_tls="1.3")
    assert caught.value.outcome is Outcome.TRANSIENT
    assert len(station.seen) == 1


@dataclass(kw_only=True)
class Tunnel:
    """A CONNECT proxy that remembers what it was asked."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    refuses: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head)
        if self.refuses or not head.startswith("CONNECT "):
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        host, _, port = head.split()[1].partition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def tunnel() -> AsyncIterator[Tunnel]:
    """The proxy, listening."""
    made = Tunnel()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


async def test_a_proxy_tunnels_and_cannot_read_along(
    start: Start, post: Post, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONNECT with our credentials at the proxy, TLS to the station itself inside; the session is closed first."""
    station = await start(clients="authority.pem")
    monkeypatch.setenv("PROXY_PASSWORD", "p ä")
    proxy = {
        "url": tunnel.url,
        "authentication": {"kind": "basic", "username": "us", "password": {"env": "PROXY_PASSWORD"}},
    }
    ours = {"ca": "authority.pem", "client_certificate": "client.crt", "client_key": "client.key"}
    assert await post(station.url, proxy=proxy, **ours) == b"receipt"
    (asked,) = tunnel.asked
    assert asked.startswith(f"CONNECT 127.0.0.1:{station.port} HTTP/1.1\r\n")
    assert f"\r\nProxy-Authorization: Basic {base64.b64encode('us:p ä'.encode()).decode()}\r\n" in asked
    assert "Proxy-Authorization" not in station.seen[0].headers
    with pytest.raises(DeliveryFailed, match="certificate is not trusted"):
        await post(station.url, proxy=proxy, **ours | {"ca": "stranger.pem"})


async def test_a_proxy_that_refuses_or_is_not_there_costs_a_retry_only(
    start: Start, post: Post, tunnel: Tunnel
) -> None:
    """Nothing of the message left us: transient."""
    station = await start()
    tunnel.refuses = True
    for url, words in ((tunnel.url, "the proxy refused to connect: 407"), ("http://127.0.0.1:1", "cannot be reached")):
        with pytest.raises(DeliveryFailed, match=words) as caught:
            await post(station.url, ca="authority.pem", proxy={"url": url})
        assert caught.value.outcome is Outcome.TRANSIENT
    assert station.seen == []


async def test_a_proxy_forwards_what_goes_to_http_and_knows_who_we_are(
    far_side: Any, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server of the test stands for the proxy: it gets the whole address and our credentials there."""
    monkeypatch.setenv("PROXY_PASSWORD", "p")
    user = {"kind": "basic", "username": "us", "password": {"env": "PROXY_PASSWORD"}}
    await post("http://station.invalid:81/as2", proxy={"url": far_side.url, "authentication": user})
    (request,) = far_side.requests
    assert request.headers["Host"] == "station.invalid:81"
    assert request.headers["Proxy-Authorization"] == "Basic " + base64.b64encode(b"us:p").decode()


async def test_environment_proxies_are_not_used(
    start: Start, post: Post, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is agreed."""
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    station = await start()
    assert await post(station.url, ca="authority.pem") == b"receipt"
    assert tunnel.asked == []


async def test_fixed_headers_go_with_every_message(far_side: Any, post: Post) -> None:
    """Beside those of the message."""
    await post(f"{far_side.url}/as2", headers={"X-Route": "edi 7"})
    assert far_side.requests[0].headers["X-Route"] == "edi 7"
    assert far_side.requests[0].headers["AS2-From"] == "us"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_is_framed_as_agreed(far_side: Any, post: Post, *, chunked: bool) -> None:
    """Content-Length, or chunks; the same octets."""
    await post(f"{far_side.url}/as2", body=b"y" * 70_000, chunked=chunked)
    headers = far_side.requests[0].headers
    assert headers.get("Transfer-Encoding") == ("chunked" if chunked else None)
    assert headers.get("Content-Length") == (None if chunked else "70000")
    assert far_side.bodies == [b"y" * 70_000]


async def test_large_bodies_wait_for_100_continue_and_small_ones_do_not(far_side: Any, post: Post) -> None:
    """`expect_continue_bytes` is the size from which they do."""
    for size in (999, 1000):
        await post(f"{far_side.url}/as2", body=b"z" * size, expect_continue_bytes=1000)
    assert [one.headers.get("Expect") for one in far_side.requests] == [None, "100-continue"]


async def test_a_refusal_instead_of_100_continue_saves_the_body(post: Post) -> None:
    """The station's 503 comes before a byte of the body went."""
    bodies: asyncio.Queue[bytes] = asyncio.Queue()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        bodies.put_nowait(await reader.read(100))
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/as2"
        with pytest.raises(DeliveryFailed, match="503") as caught:
            await post(url, body=b"z" * 1000, expect_continue_bytes=1)
        assert await bodies.get() == b""
    assert caught.value.outcome is Outcome.TRANSIENT


async def test_connecting_takes_no_longer_than_agreed(post: Post) -> None:
    """A station that accepts and never speaks TLS: transient after connect_seconds, not after the receipt's time."""
    held: list[asyncio.StreamWriter] = []

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/as2"
    with pytest.raises(DeliveryFailed, match="no connection in time") as caught:
        await post(url, connect_seconds="0.2", timeout_seconds=60)
    assert caught.value.outcome is Outcome.TRANSIENT
    for writer in held:
        writer.close()
    server.close()


async def test_partners_that_agree_in_tls_share_a_context_and_others_do_not(
    folder: Path, authority: Any, session: aiohttp.ClientSession
) -> None:
    """A connection is used again only under the very same TLS setting; the default needs no context at all."""
    same = {"transport": {"ca": "authority.pem"}}
    newer = {"transport": {"ca": "authority.pem", "minimum_tls": "1.3"}}
    given = {"a": same, "b": same, "c": newer, "d": {}}
    partners = [agreement("https://x.example/", **as2).model_copy(update={"name": name}) for name, as2 in given.items()]
    ways = As2Connector(partners, folder, session)._ways
    assert ways["a"].tls is ways["b"].tls
    assert ways["a"].tls is not ways["c"].tls
    assert ways["d"].tls is True
