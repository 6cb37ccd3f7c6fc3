"""Two stations with keys, made once: `acme` writes, `ours` receives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.as2 import KeyPair
from gateway.as2.certificates import PrivateKey

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@lru_cache
def make_pair(name: str, kind: str = "rsa") -> KeyPair:
    """A self-signed pair; the same name gives the same one."""
    key: PrivateKey = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if kind == "rsa"
        else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(MOMENT - timedelta(days=1))
        .not_valid_after(MOMENT + timedelta(days=3650))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(private_key=key, certificate=certificate)


@pytest.fixture(scope="session")
def pair() -> Callable[..., KeyPair]:
    """A maker of key pairs by name."""
    return make_pair


@pytest.fixture(scope="session")
def acme() -> KeyPair:
    """The partner's station."""
    return make_pair("acme")


@pytest.fixture(scope="session")
def ours() -> KeyPair:
    """Our station."""
    return make_pair("ours")
