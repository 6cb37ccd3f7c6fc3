"""What an explanation is made of: layers with facts, what is wrong in each, and one sentence on top.

Frozen values for whoever prints them. They are the operator's: a receipt never tells its sender as much.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.as2 import mime
from gateway.as2.certificates import fingerprint, identity, valid_at

Facts = tuple[tuple[str, str], ...]
_MIN_RSA = 2048
_FEW_DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One layer of a message, or a thing inside a layer."""

    title: str
    facts: Facts = ()
    wrong: tuple[str, ...] = ()
    """What fails here, each a sentence without its full stop."""
    hidden: tuple[str, ...] = ()
    """What cannot be seen or judged with what is at hand."""
    notes: tuple[str, ...] = ()
    """What is odd or will be trouble, but refuses nothing."""
    inside: tuple[Layer, ...] = ()

    def all(self) -> tuple[Layer, ...]:
        """Itself and everything inside, outermost first."""
        return (self, *(one for layer in self.inside for one in layer.all()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A message or receipt, looked into."""

    sentence: str
    """What comes of it and why, in one sentence."""
    taken: bool | None
    """Whether it would be taken; `None` when that cannot be told with what is at hand."""
    disposition: str | None
    """What a receipt says: ours for a message, theirs in a receipt."""
    told: str | None
    """What the sender of a refused message reads."""
    error: str | None = None
    """Of a receipt that counts: why they refuse the message."""
    says: str | None = None
    """Of a receipt that counts: its text for people."""
    mic: str | None = None
    mic_algorithm: str | None = None
    mic_over: str | None = None
    mic_octets: bytes | None = field(default=None, repr=False)
    """What the MIC is over."""
    layers: tuple[Layer, ...]
    """From the outside in."""
    signed_octets: bytes | None = field(default=None, repr=False)
    """Exactly what was signed, and its detached signature (DER or BER), where both could be reached."""
    signature: bytes | None = field(default=None, repr=False)
    signer: x509.Certificate | None = field(default=None, repr=False)
    """Whose key the signature was made with: one of the partner's certificates, or `None`."""
    inside: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    """The certificates that came with the signature: claims, never a proof."""
    payload: bytes | None = field(default=None, repr=False)

    def every_layer(self) -> tuple[Layer, ...]:
        """All of them, however deep they stand."""
        return tuple(one for layer in self.layers for one in layer.all())


def certificate_layer(certificate: x509.Certificate, title: str, moment: datetime) -> Layer:
    """A certificate's name, key, validity; whether it is valid at `moment` (aware)."""
    who = identity(certificate)
    key = who.rsa_key or who.ec_key
    kind = f"RSA {key.key_size} bits" if isinstance(key, rsa.RSAPublicKey) else who.key_fault or ""
    if isinstance(key, ec.EllipticCurvePublicKey):
        kind = f"EC {key.curve.name}"
    notes: list[str] = []
    days = (certificate.not_valid_after_utc - moment).days
    if not valid_at(certificate, moment):
        late = moment > certificate.not_valid_after_utc
        notes.append("it has expired" if late else "it is not valid yet")
    elif days < _FEW_DAYS:
        notes.append(f"it expires in {days} days")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA:
        notes.append(f"an RSA key of {key.key_size} bits is too short")
    return Layer(
        title=title,
        facts=(
            ("subject", name_of(certificate)),
            ("serial", f"{certificate.serial_number:x}"),
            ("key", kind),
            ("valid", f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"),
            ("sha-256", fingerprint(certificate)),
        ),
        notes=tuple(notes),
    )


def name_of(certificate: x509.Certificate) -> str:
    """The subject as people read it; safe to print."""
    words = [f"{one.rfc4514_attribute_name}={one.value!s}" for one in certificate.subject]
    return mime.printable(", ".join(words))[:200] or f"serial {identity(certificate).serial:x}"
