"""A certification authority for tests: root, intermediate, signers and revocation lists, made once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.as2 import KeyPair

_BITS = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
_BITS += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def name(common: str, organisation: str | None = None) -> x509.Name:
    """A subject."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    parts += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    return x509.Name(parts)


def usage(*allowed: str) -> x509.KeyUsage:
    """A key usage."""
    return x509.KeyUsage(**{bit: bit in allowed for bit in _BITS})


_UNSAID: Sequence[x509.ObjectIdentifier] = ()
"""Signers are for messages, authorities for everything."""


@cache
def _key(label: str) -> ec.EllipticCurvePrivateKey:
    del label
    return ec.generate_private_key(ec.SECP256R1())


def issue(
    subject: x509.Name,
    issuer: KeyPair | None,
    *,
    at: datetime,
    label: str = "",
    days: int = 100,
    authority: bool = False,
    allowed: Sequence[str] | None = None,
    extended: Sequence[x509.ObjectIdentifier] | None = _UNSAID,
    serial: int | None = None,
) -> KeyPair:
    """A pair whose certificate `issuer` signed (None: itself), valid from a day before `at`."""
    key = _key(label or subject.rfc4514_string())
    signer: Any = key if issuer is None else issuer.private_key
    above = subject if issuer is None else issuer.certificate.subject
    bits = allowed if allowed is not None else ("key_cert_sign", "crl_sign") if authority else ("digital_signature",)
    if extended is _UNSAID:
        extended = None if authority else (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if bits:
        builder = builder.add_extension(usage(*bits), critical=True)
    if extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(extended)), critical=False)
    return KeyPair(private_key=key, certificate=builder.sign(signer, hashes.SHA256()))


def revoked(
    issuer: KeyPair, certificates: Sequence[x509.Certificate], *, at: datetime, days: int = 7
) -> x509.CertificateRevocationList:
    """A list made at `at`, due again after `days`."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(at)
        .next_update(at + timedelta(days=days))
    )
    for one in certificates:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    key: Any = issuer.private_key
    return builder.sign(key, hashes.SHA256())
