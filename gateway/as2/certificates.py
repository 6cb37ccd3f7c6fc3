"""Whose key is whose: key pairs, and the names CMS calls certificates by.

Certificates here are pinned: a signer is one of the configured certificates or nobody. Validity, rollover and chains
are decided by whoever configures them, before a certificate reaches this package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.as2 import ber, der
from gateway.errors import OurFault

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_VERSION = 0xA0
_KEY_IDENTIFIER = 0x80


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class KeyPair:
    """A private key of ours and its certificate. Raises `OurFault` when they do not belong together."""

    private_key: PrivateKey
    certificate: x509.Certificate

    def __post_init__(self) -> None:
        if self.private_key.public_key() != self.certificate.public_key():
            raise OurFault(
                f"private key and certificate {fingerprint(self.certificate)} do not belong together",
                remedy="Configure the certificate that was made with this key, or make a new pair.",
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What CMS may call a certificate: issuer and serial number, or its subject key identifier (RFC 5652 5.3)."""

    fingerprint: str
    der: bytes
    issuer: bytes
    """The issuer's Name as it stands in the certificate, octet for octet."""
    serial: int
    issuer_and_serial: bytes
    """Both as CMS writes them."""
    key_identifier: bytes | None


@lru_cache(maxsize=4096)
def identity(certificate: x509.Certificate) -> Identity:
    """The identity of a certificate. Raises `OurFault` when the certificate itself is broken."""
    octets = certificate.public_bytes(Encoding.DER)
    try:
        fields = ber.read(octets).parts[0].parts
        offset = 1 if fields[0].tag == _VERSION else 0
        serial, issuer = fields[offset].integer(), bytes(fields[offset + 2].whole)
        extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        key_identifier: bytes | None = extension.value.digest
    except x509.ExtensionNotFound:
        key_identifier = None
    except (ValueError, IndexError) as error:
        raise OurFault(
            f"certificate cannot be read: {error}", remedy="Ask for the certificate anew, as PEM or DER."
        ) from error
    return Identity(
        fingerprint=hashlib.sha256(octets).hexdigest(),
        der=octets,
        issuer=issuer,
        serial=serial,
        issuer_and_serial=der.sequence(issuer, der.integer(serial)),
        key_identifier=key_identifier,
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, 64 lower-case hexadecimal digits."""
    return identity(certificate).fingerprint


def valid_at(certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether `moment` (aware) lies in the certificate's validity."""
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def named(element: ber.Element, candidates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The candidate a SignerIdentifier or RecipientIdentifier names (RFC 5652 5.3, 6.2.1), or `None`."""
    if element.tag & ~0x20 == _KEY_IDENTIFIER:
        wanted = bytes(element.joined())
        return next((one for one in candidates if identity(one).key_identifier == wanted), None)
    fields = element.expect(ber.SEQUENCE).parts
    if len(fields) != 2:  # noqa: PLR2004  IssuerAndSerialNumber
        raise ber.BerFault("not an issuer and serial number")
    serial = fields[1].integer()
    for one in candidates:
        who = identity(one)
        if who.serial == serial and who.issuer == fields[0].whole:
            return one
    return None
