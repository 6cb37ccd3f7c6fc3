"""A station looked at step by step: over real sockets and real TLS on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

from gateway.connectors.probing import probe
from gateway.connectors.way import Way, Ways
from gateway.partners.as2_transport import Transport
from gateway.ports import Step

Made = Callable[..., Path]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Key and certificate of a server in one file, valid for so many days."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())

    @lru_cache
    def made(host: str = "localhost", days: float = 400) -> Path:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        end = datetime.now(UTC) + timedelta(days=days)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=800))
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        path = folder / f"{host}-{days}.pem"
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
        return path

    return made


@asynccontextmanager
async def listening(pem: Path | None, *, asks: bool = False) -> AsyncIterator[int]:
    """A server that shakes hands and says nothing; its port."""
    context = None
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        if asks:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(pem)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, ssl=context, family=socket.AF_INET)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def steps(url: str, trusted: Path | None = None) -> dict[str, Step]:
    """What the probe tells, by the step's name."""
    context = ssl.create_default_context(cafile=trusted)
    return {step.name: step async for step in probe(URL(url), way=Way(tls=context), moment=datetime.now(UTC))}


async def test_a_sound_station_shows_address_cipher_and_days_left(make: Made) -> None:
    """Every step holds and says what it saw."""
    async with listening(make()) as port:
        found = await steps(f"https://localhost:{port}/as2", make())
    assert list(found) == ["name", "connection", "TLS", "their TLS certificate"]
    assert "127.0.0.1" in found["name"].said
    assert found["connection"].held is not False
    assert found["TLS"].said.startswith("TLSv1.3, ")
    assert dict(found["TLS"].facts) == {"client certificate": "not asked for"}
    assert found["their TLS certificate"].held
    assert "days left" in found["their TLS certificate"].said
    assert dict(found["their TLS certificate"].facts)["names"] == "localhost"


async def test_that_a_client_certificate_is_asked_for_is_told(make: Made) -> None:
    """Before anything is sent."""
    async with listening(make(), asks=True) as port:
        found = await steps(f"https://localhost:{port}/as2", make())
    assert dict(found["TLS"].facts) == {"client certificate": "asked for"}


@pytest.mark.parametrize(
    ("host", "days", "trust", "said", "fix"),
    [
        ("localhost", 400, False, "self-signed", "ask for their CA's certificate"),
        ("localhost", -3, True, "has expired", "they must renew it"),
        ("other.example", 400, True, "ostname mismatch", "one of the certificate's names"),
    ],
)
async def test_why_tls_fails_is_told_and_the_certificate_shown(
    make: Made, host: str, days: float, *, trust: bool, said: str, fix: str
) -> None:
    """A second handshake without verifying shows what they have."""
    pem = make(host, days)
    async with listening(pem) as port:
        found = await steps(f"https://localhost:{port}/as2", pem if trust else None)
    assert found["TLS"].held is False
    assert said in found["TLS"].said
    assert fix in found["TLS"].fix
    assert found["their TLS certificate"].held is False
    assert dict(found["their TLS certificate"].facts)["names"] == host


async def test_a_certificate_about_to_end_is_a_warning(make: Made) -> None:
    """It holds today."""
    async with listening(make("localhost", 5)) as port:
        found = await steps(f"https://localhost:{port}/as2", make("localhost", 5))
    assert found["their TLS certificate"].held is None
    assert "renew" in found["their TLS certificate"].fix


async def test_a_port_that_speaks_no_tls_and_one_where_nobody_listens() -> None:
    """Each with its own remedy; nothing after the failed step."""
    async with listening(None) as port:
        plain = await steps(f"https://127.0.0.1:{port}/")
        clear = await steps(f"http://127.0.0.1:{port}/")
    assert plain["TLS"].held is False
    assert plain["TLS"].fix
    assert clear["TLS"].held is None
    nobody = await steps(f"https://127.0.0.1:{port}/")
    assert list(nobody) == ["name", "connection"]
    assert nobody["connection"].held is False
    assert "firewall" in nobody["connection"].fix


async def test_behind_a_proxy_only_the_proxy_is_looked_at() -> None:
    """What it reaches is its own to say; one that is not there ends the check."""
    async with listening(None) as port:
        way = Way(proxy=URL(f"http://127.0.0.1:{port}"))
        found = [step async for step in probe(URL("https://as2.invalid/"), way=way, moment=datetime.now(UTC))]
    assert [(step.name, step.held) for step in found] == [("name", True), ("connection", True), ("proxy", None)]
    assert "as2.invalid is reached through it" in found[-1].said
    found = [step async for step in probe(URL("https://as2.invalid/"), way=way, moment=datetime.now(UTC))]
    assert [(step.name, step.held) for step in found] == [("name", True), ("connection", False)]


async def test_a_pinned_certificate_that_was_exchanged_is_told(make: Made) -> None:
    """By the agreement's own way, which ends the handshake."""
    pem = make()
    way = Ways(pem.parent).of("station of acme", Transport(pinned=("0" * 64,)))
    async with listening(pem) as port:
        url = URL(f"https://localhost:{port}/as2")
        found = {step.name: step async for step in probe(url, way=way, moment=datetime.now(UTC))}
    assert found["TLS"].held is False
    assert "another one is pinned" in found["TLS"].said
    assert "transport.pinned" in found["TLS"].fix


async def test_a_name_that_nobody_knows_ends_the_check() -> None:
    """`.invalid` never resolves (RFC 2606)."""
    found = await steps("https://as2.invalid/as2")
    assert [step.held for step in found.values()] == [False]
    assert "cannot be resolved" in found["name"].said
