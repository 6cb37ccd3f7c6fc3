"""What the stations of the matrix share: keys made for the run, one payload, and our side of a combination."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway import as2

from .combinations import Combination, Way

MOMENT = datetime.now(UTC)
PAYLOAD = (
    b"ISA*00*          *00*          *ZZ*MATRIX         *ZZ*PEER           *260301*1200*U*00401*000000001*0*P*>~\r\n"
    b"GS*PO*MATRIX*PEER*20260301*1200*1*X*004010~\r\nST*850*0001~\r\nBEG*00*SA*1**20260301~\r\nPO1*1*1*EA*1**VN*A~\r\n"
    b"CTT*1~\r\nSE*5*0001~\r\nGE*1*1~\r\nIEA*1*000000001~\r\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Public:
    """Somebody whose certificate is all that we have."""

    certificate: x509.Certificate


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """An RSA pair and an EC pair each."""

    ours: as2.KeyPair
    theirs: as2.KeyPair | Public
    ours_ec: as2.KeyPair
    theirs_ec: as2.KeyPair

    def signing(self, one: Combination) -> Any:
        """Of whoever sends the message."""
        pairs = (self.ours, self.ours_ec) if one.way is Way.OUT else (self.theirs, self.theirs_ec)
        return pairs[one.sign.endswith("ecdsa")]

    def decrypting(self, one: Combination) -> Any:
        """Of whoever gets it."""
        pairs = (self.ours, self.ours_ec) if one.way is Way.IN else (self.theirs, self.theirs_ec)
        return pairs[one.encrypt.endswith("ecdh")]


def certificate_pem(pair: as2.KeyPair) -> bytes:
    """Its certificate alone."""
    return pair.certificate.public_bytes(Encoding.PEM)


def pem(pair: as2.KeyPair) -> bytes:
    """A pair as a peer loads it: key and certificate in one file."""
    key = pair.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key + certificate_pem(pair)


def build(one: Combination, keys: Keys, payload: bytes = PAYLOAD, **changes: Any) -> as2.Built:
    """The message of a combination, from `us` to `acme`."""
    settings: dict[str, Any] = {
        "content_type": "application/edi-x12",
        "filename": "order.edi",
        "as2_from": "us",
        "as2_to": "acme",
        "message_id": "<1@us>",
        "date": MOMENT,
        "subject": "order",
        "sign_with": None if one.sign == "no" else keys.signing(one),
        "micalg": one.hash,
        "encrypt_for": () if one.encrypt == "no" else (keys.decrypting(one).certificate,),
        "cipher": "aes-256-cbc" if one.encrypt == "no" else one.cipher,
        "compress": one.compress != "no",
        "compress_after_signing": one.compress == "after",
        "receipt": as2.ReceiptKind(one.receipt_kind),
    }
    if one.encrypt.endswith("oaep"):
        settings["key_transport"] = as2.KeyTransport.OAEP
    if one.sign.endswith("pss"):
        settings["signature_scheme"] = as2.SignatureScheme.PSS
    return as2.build_message(payload, **(settings | changes))


def policy(one: Combination) -> as2.Policy:
    """What an agreement about exactly this combination would demand, weak algorithms by the switch included."""
    usual = as2.Policy()
    return as2.Policy(
        require_signature=one.sign != "no",
        require_encryption=one.encrypt != "no",
        hashes=usual.hashes | {one.hash},
        ciphers=usual.ciphers | {one.cipher},
    )
