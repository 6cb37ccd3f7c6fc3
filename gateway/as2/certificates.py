"""Whose key is whose: key pairs, and the names CMS calls certificates by.

Certificates here are pinned: a signer is one of the configured certificates or nobody. Validity, rollover and chains
are decided by whoever configures them, before a certificate reaches this package; `Signers` lets them judge those that
come with a message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import PublicKeyAlgorithmOID

from gateway.as2 import ber, der
from gateway.as2.algorithms import CURVES
from gateway.errors import OurFault

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

MAX_RSA_BITS = 16384
MAX_RSA_EXPONENT_BITS = 64
"""What an RSA key may cost: OpenSSL's own bounds, held here too, and told before a message depends on them."""

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
    pss_only: bool
    """An RSA key that signs by RSASSA-PSS and does nothing else (RFC 4055 1.2)."""
    rsa_key: rsa.RSAPublicKey | None
    ec_key: ec.EllipticCurvePublicKey | None
    key_fault: str | None
    """Why its key is of no use to AS2 at all, as a clause, and both keys `None`; otherwise one of them is there."""


def identity(certificate: x509.Certificate) -> Identity:
    """The identity of a certificate. Raises `OurFault` when the certificate itself is broken."""
    held = _held.get(id(certificate)) or _shown.get(id(certificate))
    if held is not None and held[0] is certificate:
        return held[1]
    return _hold(_held, _MOST_HELD, certificate, _identity(certificate))


_Identities = dict[int, tuple[x509.Certificate, Identity]]
"""By the very object, which is asked for several times in every message: to compare certificates is to hash them."""
_MOST_HELD = 4096
_held: _Identities = {}
"""Of those that are configured."""
_MOST_SHOWN = 128
_shown: _Identities = {}
"""Of those that messages enclose, each an object of its own: however many come, they drop none that is configured."""


def _hold(among: _Identities, most: int, certificate: x509.Certificate, who: Identity) -> Identity:
    if len(among) >= most:
        among.clear()
    among[id(certificate)] = certificate, who
    return who


@lru_cache(maxsize=_MOST_HELD)
def _identity(certificate: x509.Certificate) -> Identity:
    return _looked_at(certificate)


def _looked_at(certificate: x509.Certificate) -> Identity:
    octets = certificate.public_bytes(Encoding.DER)
    try:
        fields = ber.read(octets).parts[0].parts
        offset = 1 if fields[0].tag == _VERSION else 0
        serial, issuer = fields[offset].integer(), bytes(fields[offset + 2].whole)
        _ = certificate.subject, certificate.issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc
        extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        key_identifier: bytes | None = extension.value.digest
    except x509.ExtensionNotFound:
        key_identifier = None
    except (ValueError, TypeError, IndexError, x509.DuplicateExtension) as error:
        raise OurFault(
            f"certificate cannot be read: {error}", remedy="Ask for the certificate anew, as PEM or DER."
        ) from error
    key, key_fault = _key(certificate)
    return Identity(
        fingerprint=hashlib.sha256(octets).hexdigest(),
        der=octets,
        issuer=issuer,
        serial=serial,
        issuer_and_serial=der.sequence(issuer, der.integer(serial)),
        key_identifier=key_identifier,
        pss_only=certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS,
        rsa_key=key if isinstance(key, rsa.RSAPublicKey) else None,
        ec_key=key if isinstance(key, ec.EllipticCurvePublicKey) else None,
        key_fault=key_fault,
    )


def readable(octets: bytes) -> x509.Certificate | None:
    """A certificate that somebody else shows, if all of it can be looked at; one that cannot is nobody's."""
    try:
        fields = ber.read(octets).parts[0].parts
        if fields[1 if fields[0].tag == _VERSION else 0].integer() <= 0:  # RFC 5280 4.1.2.2: positive
            return None
        certificate = x509.load_der_x509_certificate(octets)
        _hold(_shown, _MOST_SHOWN, certificate, _looked_at(certificate))
        certificate.public_key()
    except (ValueError, TypeError, IndexError, OurFault, UnsupportedAlgorithm, x509.InvalidVersion):
        return None
    return certificate


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, 64 lower-case hexadecimal digits."""
    return identity(certificate).fingerprint


def valid_at(certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether `moment` (aware) lies in the certificate's validity."""
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


class Use(StrEnum):
    """What a certificate's key does in AS2: `sign` also means that signatures are verified with it."""

    SIGN = "sign"
    ENCRYPT = "encrypt"


def _key(certificate: x509.Certificate) -> tuple[rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None, str | None]:
    """The key of a certificate, or why it is of no use."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        return None, f"its key cannot be read: {error}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key, None
    if not isinstance(key, rsa.RSAPublicKey):
        return None, f"its key is neither RSA nor EC ({type(key).__name__.removesuffix('PublicKey')})"
    if key.key_size > MAX_RSA_BITS:
        return None, f"its RSA key has {key.key_size} bits, more than {MAX_RSA_BITS}"
    exponent = key.public_numbers().e
    if exponent.bit_length() > MAX_RSA_EXPONENT_BITS or exponent < 3 or exponent % 2 == 0:  # noqa: PLR2004  RFC 8017 3.1
        return None, f"its RSA exponent is even, or not between 3 and {MAX_RSA_EXPONENT_BITS} bits"
    return key, None


def unfit(certificate: x509.Certificate, use: Use) -> str | None:
    """Why a certificate may not be used so, as a clause; `None` when it may.

    By its key and its key usage (RFC 5280 4.2.1.3, RFC 8550 4.4.2): a certificate without that extension may do what
    its key can. One that may only sign certificates is an authority's, and neither. Extended key usage is not asked:
    stations commonly use certificates made for TLS. Validity is another question (`valid_at`).
    """
    who = identity(certificate)
    if who.key_fault is not None:
        return who.key_fault
    if use is Use.ENCRYPT and who.ec_key is not None and who.ec_key.curve.name not in CURVES:
        return f"its curve {who.ec_key.curve.name} is none of {', '.join(CURVES)}"
    if use is Use.ENCRYPT and who.pss_only:
        return "its RSA key is for RSASSA-PSS signatures only"
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
    if use is Use.SIGN:
        fits, wanted = usage.digital_signature or usage.content_commitment, "digitalSignature and no nonRepudiation"
    elif who.rsa_key is not None:
        fits, wanted = usage.key_encipherment, "keyEncipherment"
    else:
        fits, wanted = usage.key_agreement, "keyAgreement"
    if fits:
        return None
    whose = "it is an authority's certificate: " if usage.key_cert_sign or usage.crl_sign else ""
    return f"{whose}its key usage has no {wanted}"


class Signers(tuple[x509.Certificate, ...]):  # noqa: SLOT001  a tuple subclass cannot have slots of its own
    """Certificates that may have signed, and who judges further ones that come with a message.

    `trusting` gets what the message encloses and answers with those that count, and why the others do not.
    """

    trusting: Callable[[Sequence[x509.Certificate]], tuple[Sequence[x509.Certificate], str]]

    def __new__(
        cls,
        pinned: Iterable[x509.Certificate],
        trusting: Callable[[Sequence[x509.Certificate]], tuple[Sequence[x509.Certificate], str]],
    ) -> Self:
        """The pinned ones, tried first."""
        made = super().__new__(cls, tuple(pinned))
        made.trusting = trusting
        return made


def named(element: ber.Element, candidates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The candidate a SignerIdentifier or RecipientIdentifier names (RFC 5652 5.3, 6.2.1), or `None`."""
    if element.tag & ~0x20 == _KEY_IDENTIFIER:
        return identified(bytes(element.joined()), candidates)
    whole = element.whole
    for one in candidates:  # as nearly all write it: no need to look into it
        if identity(one).issuer_and_serial == whole:
            return one
    fields = element.expect(ber.SEQUENCE).parts
    if len(fields) != 2:  # noqa: PLR2004  IssuerAndSerialNumber
        raise ber.BerFault("not an issuer and serial number")
    serial = fields[1].integer()
    for one in candidates:
        who = identity(one)
        if who.serial == serial and who.issuer == fields[0].whole:
            return one
    return None


def identified(key_identifier: bytes, candidates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The candidate with that subject key identifier, or `None`."""
    return next((one for one in candidates if identity(one).key_identifier == key_identifier), None)
