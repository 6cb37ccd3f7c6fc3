"""What a certificate says of itself: names, times, what its key may be used for, and whether it is fit for AS2.

Pure: no files, no clock. Whether it counts at a moment is the keyring's business.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.as2 import certificates

MIN_RSA_BITS = 2048
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
"""Bits of RFC 5280 4.2.1.3, by the names of `cryptography`."""


def weakness(certificate: x509.Certificate) -> str | None:
    """Why this certificate's key is not fit for AS2; None when it is."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"a key that cannot be read: {error}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"an RSA key of {key.key_size} bits" if key.key_size < MIN_RSA_BITS else None
    return None if isinstance(key, ec.EllipticCurvePublicKey) else "a key that is neither RSA nor EC"


def usages(certificate: x509.Certificate) -> frozenset[str] | None:
    """What its key usage allows (RFC 5280 4.2.1.3); None where it says nothing, which allows everything."""
    try:
        said = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None
    return frozenset(name for name in USAGES if getattr(said, name))


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it says that it is a certification authority (RFC 5280 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False


@lru_cache(maxsize=4096)
def may_sign(certificate: x509.Certificate) -> bool:
    """Whether what it signed may be believed, by its key and its key usage (RFC 8550 4.4.2)."""
    return certificates.unfit(certificate, certificates.Use.SIGN) is None


@lru_cache(maxsize=4096)
def may_receive(certificate: x509.Certificate) -> bool:
    """Whether one may encrypt for it, by its key and its key usage."""
    return certificates.unfit(certificate, certificates.Use.ENCRYPT) is None


def unfit(certificate: x509.Certificate) -> str | None:
    """Why it can be used neither to sign nor to encrypt in AS2; None when it can."""
    if weak := weakness(certificate):
        return weak
    if may_sign(certificate) or may_receive(certificate):
        return None
    return f"a key that is of no use: {certificates.unfit(certificate, certificates.Use.SIGN)}"


def key_words(certificate: x509.Certificate) -> str:
    """`RSA 3072`, `EC secp256r1`."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "unknown"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return f"EC {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__


def with_colons(certificate: x509.Certificate, algorithm: str) -> str:
    """The fingerprint as partners ask for it: upper-case pairs with colons; `algorithm` is sha1 or sha256."""
    digest = hashlib.new(algorithm, certificate.public_bytes(Encoding.DER), usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def expired(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether its time is over."""
    return certificate.not_valid_after_utc < now


def days_left(certificate: x509.Certificate, now: datetime) -> int:
    """Whole days until its time is over; negative when it is."""
    return (certificate.not_valid_after_utc - now).days


def subject(certificate: x509.Certificate) -> str:
    """Its subject, for people."""
    return certificate.subject.rfc4514_string() or "(no subject)"
