"""Reading what people send: certificates as PEM, DER or PKCS#7, keys with theirs as PEM or PKCS#12.

Everything that can be wrong with such a file is one sentence and a remedy; a passphrase never stands in it. Sizes and
counts are bounded. What comes out has its own certificate first and the chain above it in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from gateway.as2.certificates import PrivateKey, identity
from gateway.errors import OurFault
from gateway.partners.certificate_facts import expired, is_authority, subject, unfit

MAX_BYTES = 1_000_000
MOST = 50
"""Certificates in a file."""
_CONVERT = "convert it: openssl pkcs12 -legacy -in FILE -out FILE.pem, then import FILE.pem"
_PRIVATE = b"PRIVATE KEY-----"


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """A certificate and those above it, next issuer first."""

    certificate: x509.Certificate
    issuers: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """All of them as one PEM file, its own first."""
        return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (self.certificate, *self.issuers))


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnKey:
    """A private key of ours and its chain."""

    private_key: PrivateKey
    chain: Chain


def read_bytes(file: Path) -> bytes:
    """A file's content; OurFault when it cannot be read or is too large to be what it should."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise OurFault(f"{file}: {error.strerror}", remedy="name a file that can be read") from error
    if len(content) > MAX_BYTES:
        raise OurFault(f"{file} is larger than {MAX_BYTES} bytes", remedy="that is no key or certificate")
    return content


def read_chain(content: bytes, name: str) -> Chain:
    """A partner's certificate. OurFault when there is none in it, or more than one that is nobody's issuer."""
    if _PRIVATE in content:
        raise OurFault(
            f"{name} holds a private key",
            remedy="delete it, and ask the partner for the certificate alone: that key must be replaced, it was shown",
        )
    return _chain(_certificates(content, name), name)


def read_own(content: bytes, name: str, passphrase: bytes | None) -> OwnKey:
    """A key pair of ours: PKCS#12, or PEM with key and certificates. OurFault with what is wrong and what to do."""
    key, found = (
        _from_pem(content, name, passphrase) if b"-----BEGIN" in content else _from_pkcs12(content, name, passphrase)
    )
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise OurFault(f"{name} holds a key that is neither RSA nor EC", remedy="AS2 needs one of these")
    if not found:
        raise OurFault(f"{name} holds a key but no certificate", remedy="put both into one file: cat key.pem cert.pem")
    return OwnKey(private_key=key, chain=belonging(key, found, name))


def read_answer(content: bytes, name: str, key: PrivateKey) -> Chain:
    """A certification authority's answer to our request: the certificate of `key`, and its chain."""
    return belonging(key, _certificates(content, name), name)


def belonging(key: PrivateKey, found: Sequence[x509.Certificate], name: str) -> Chain:
    """The chain whose certificate is that of `key`; OurFault when none is."""
    public = key.public_key()
    for one in found:
        if identity(one).key_fault is None and one.public_key() == public:
            return Chain(certificate=one, issuers=_above(one, found))
    subjects = ", ".join(subject(one) for one in found[:3])
    raise OurFault(
        f"{name}: key and certificate do not belong together (certificates of {subjects})",
        remedy="export both from where the key was made, or take the answer to this very request",
    )


def check_usable(certificate: x509.Certificate, name: str, now: datetime, *, bear_expired: bool = False) -> None:
    """OurFault for a certificate that AS2 cannot use: weak key, an authority's, expired."""
    if why := unfit(certificate):
        raise OurFault(
            f"{name}: {subject(certificate)} has {why}", remedy="ask for a certificate made for AS2 (S/MIME)"
        )
    if expired(certificate, now) and not bear_expired:
        raise OurFault(
            f"{name}: {subject(certificate)} expired on {certificate.not_valid_after_utc:%Y-%m-%d}",
            remedy="ask for the new one; to take it all the same: --force",
        )


def _certificates(content: bytes, name: str) -> list[x509.Certificate]:
    """Every certificate in PEM, DER or PKCS#7 (RFC 2315, RFC 5652), in whatever order."""
    found: list[x509.Certificate] = []
    try:
        if b"-----BEGIN PKCS7" in content:
            found = pkcs7.load_pem_pkcs7_certificates(content)
        elif b"-----BEGIN" in content:
            found = x509.load_pem_x509_certificates(content)
        else:
            try:
                found = [x509.load_der_x509_certificate(content)]
            except ValueError:
                found = pkcs7.load_der_pkcs7_certificates(content)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        found = []
    if not found:
        raise OurFault(
            f"{name} holds no readable certificate",
            remedy="it may be PEM, DER (.cer, .crt) or PKCS#7 (.p7b, .p7c); ask the partner for one of these",
        )
    if len(found) > MOST:
        raise OurFault(
            f"{name} holds {len(found)} certificates", remedy=f"at most {MOST}; leave out what is not needed"
        )
    for one in found:
        identity(one)  # OurFault for one whose extensions cannot be read
    return list(dict.fromkeys(found))


def _chain(found: Sequence[x509.Certificate], name: str) -> Chain:
    issuers = {id(above) for one in found for above in found if above is not one and _issued(above, one)}
    own = [one for one in found if id(one) not in issuers]
    if len(own) > 1:
        own = [one for one in own if not is_authority(one)] or own
    if len(own) != 1:
        subjects = "; ".join(subject(one) for one in own[:5])
        raise OurFault(
            f"{name} holds {len(own)} certificates of which none is another's issuer: {subjects}",
            remedy="import them one by one, each from a file of its own",
        )
    return Chain(certificate=own[0], issuers=_above(own[0], found))


def _above(certificate: x509.Certificate, found: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    above: list[x509.Certificate] = []
    current = certificate
    while current.issuer != current.subject:
        issuer = next((one for one in found if one is not current and one not in above and _issued(one, current)), None)
        if issuer is None:
            break
        above.append(issuer)
        current = issuer
    return tuple(above)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    if issuer.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001  whatever does not verify was not issued by it; InvalidSignature, ValueError, TypeError
        return False
    return True


def _from_pkcs12(content: bytes, name: str, passphrase: bytes | None) -> tuple[object, list[x509.Certificate]]:
    try:
        found = pkcs12.load_pkcs12(content, passphrase)
    except UnsupportedAlgorithm:
        raise OurFault(f"{name} is encrypted with RC2 or 3DES, which is not read here", remedy=_CONVERT) from None
    except ValueError:
        if passphrase is None:
            said, remedy = (
                "needs a passphrase, or is no PKCS#12",
                "give it: --passphrase-file FILE or --passphrase-env NAME",
            )
        else:
            said, remedy = "does not open: wrong passphrase, or no PKCS#12", f"check the passphrase; else {_CONVERT}"
        raise OurFault(f"{name} {said}", remedy=remedy) from None
    if found.key is None:
        raise OurFault(
            f"{name} holds no private key", remedy="export it with its key, or use --partner for a partner's"
        )
    certificates = [one.certificate for one in ([found.cert] if found.cert else []) + list(found.additional_certs)]
    return found.key, certificates


def _from_pem(content: bytes, name: str, passphrase: bytes | None) -> tuple[object, list[x509.Certificate]]:
    if _PRIVATE not in content:
        raise OurFault(f"{name} holds no private key", remedy="add it to the file, or use --partner for a partner's")
    key = _private_key(_block(content), name, passphrase)
    return key, _certificates(content, name) if b"-----BEGIN CERTIFICATE" in content else []


def _private_key(pem: bytes, name: str, passphrase: bytes | None) -> object:
    try:
        return serialization.load_pem_private_key(pem, passphrase)
    except TypeError:
        if passphrase is not None:  # not encrypted: the passphrase is not needed
            return _private_key(pem, name, None)
        raise OurFault(
            f"{name}: its key needs a passphrase", remedy="give it: --passphrase-file FILE or --passphrase-env NAME"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise OurFault(
            f"{name}: its key does not open: wrong passphrase, or not a private key", remedy="check the passphrase"
        ) from None


def _block(content: bytes) -> bytes:
    """The first private key block: what stands around it is no business of the key's reader."""
    end = content.index(_PRIVATE) + len(_PRIVATE)
    begin = content.rindex(b"-----BEGIN", 0, end)
    close = content.find(_PRIVATE, end)
    return content[begin:] if close < 0 else content[begin : close + len(_PRIVATE)] + b"\n"
