"""Two stations with keys, made once: `acme` writes, `ours` receives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.as2 import (
    HASHES,
    As2Fault,
    Built,
    BuiltReceipt,
    KeyPair,
    Opened,
    Policy,
    ReceiptKind,
    ReceiptVerdict,
    Sent,
    build_message,
    build_receipt,
    open_message,
    read_headers,
    read_receipt,
)
from gateway.as2.building import Layer, sign_layer
from gateway.as2.certificates import PrivateKey

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PAYLOAD = b"ISA*00*          *00*          ~\r\nST*855*0001~\nSE*2*0001~\r\n"
CURVES = {"ec": ec.SECP256R1(), "p-384": ec.SECP384R1(), "p-521": ec.SECP521R1(), "brainpool": ec.BrainpoolP256R1()}
ANYTHING = Policy(require_signature=False, require_encryption=False)


@lru_cache
def make_pair(name: str, kind: str = "rsa") -> KeyPair:
    """A self-signed pair; the same name gives the same one."""
    key: PrivateKey = (
        rsa.generate_private_key(public_exponent=65537, key_size=1024 if kind == "rsa-1024" else 2048)
        if kind.startswith("rsa")
        else ec.generate_private_key(CURVES[kind])
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


class Stations:
    """Both stations: what acme sends, what we make of it, and the way back."""

    def __init__(self) -> None:
        self.acme, self.ours = make_pair("acme"), make_pair("ours")
        self.payload = PAYLOAD

    def send(self, payload: bytes = PAYLOAD, **changes: Any) -> Built:
        """A signed and encrypted message from acme, or with `changes`."""
        settings: dict[str, Any] = {
            "content_type": "application/edi-x12",
            "filename": "order.edi",
            "as2_from": "acme",
            "as2_to": "us",
            "message_id": "<1@acme>",
            "date": MOMENT,
            "subject": "order",
            "sign_with": self.acme,
            "encrypt_for": [self.ours.certificate],
            "compress": False,
            "receipt": ReceiptKind.SIGNED,
        }
        return build_message(payload, **(settings | changes))

    def send_weak(self, micalg: str) -> tuple[list[tuple[str, str]], bytes]:
        """A message signed with a hash we would not sign with, asking for a receipt in it."""
        content = Layer(headers=(("Content-Type", "application/edi-x12"),), content=[self.payload])
        layer, _ = sign_layer(content, key=self.acme, algorithm=HASHES[micalg], moment=MOMENT)
        options = f"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, {micalg}"
        headers = [("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"), *layer.headers]
        headers += [("Disposition-Notification-To", "acme"), ("Disposition-Notification-Options", options)]
        return headers, b"".join(layer.content)

    def take(self, headers: Any, body: bytes, policy: Policy | None = None, **changes: Any) -> Opened:
        """Open a message as we would."""
        settings: dict[str, Any] = {"keys": [self.ours], "partner_certificates": [self.acme.certificate]}
        return open_message(headers, body, policy=policy or Policy(), **(settings | changes))

    def refusal(self, headers: Any, body: bytes, policy: Policy | None = None, **changes: Any) -> As2Fault:
        """The fault for a message that must not be taken."""
        with pytest.raises(As2Fault) as caught:
            self.take(headers, body, policy, **changes)
        return caught.value

    def answer(
        self, headers: Any, opened: Opened | None, fault: As2Fault | None = None, **changes: Any
    ) -> BuiltReceipt:
        """Our receipt, byte-stable but for its signature."""
        settings: dict[str, Any] = {"key": self.ours, "our_name": "gateway", "message_id": "<r@us>", "date": MOMENT}
        settings |= {"boundary": "b"}
        return build_receipt(request=read_headers(headers), opened=opened, fault=fault, **(settings | changes))

    def verdict(self, built: Built, receipt: BuiltReceipt | None, **changes: Any) -> ReceiptVerdict:
        """What acme reads in our receipt."""
        sent = Sent(message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=built.signed)
        settings: dict[str, Any] = {
            "sent": sent,
            "partner_certificates": [self.ours.certificate],
            "require_signature": True,
        }
        sent_back = {"headers": receipt.headers, "body": receipt.body} if receipt else {}
        return read_receipt(**(sent_back | settings | changes))


@pytest.fixture(scope="session")
def pair() -> Callable[..., KeyPair]:
    """A maker of key pairs by name."""
    return make_pair


@pytest.fixture(scope="session")
def stations() -> Stations:
    """Both stations."""
    return Stations()


@pytest.fixture(scope="session")
def anything() -> Policy:
    """A policy that demands nothing."""
    return ANYTHING


@pytest.fixture(scope="session")
def acme() -> KeyPair:
    """The partner's station."""
    return make_pair("acme")


@pytest.fixture(scope="session")
def ours() -> KeyPair:
    """Our station."""
    return make_pair("ours")
