"""Making AS2 key pairs: a key, its self-signed certificate, or the request that a certification authority signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.as2.certificates import KeyPair, PrivateKey

KINDS: Mapping[str, Callable[[], PrivateKey]] = {
    "rsa-2048": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "rsa-3072": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
    "rsa-4096": lambda: rsa.generate_private_key(public_exponent=65537, key_size=4096),
    "ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
}
"""Keys that we make. Many AS2 stations know RSA only: agree on an EC key with the partner first."""
DEFAULT_KIND = "rsa-3072"
BACKDATED = timedelta(hours=1)
"""A partner's clock may be behind ours."""


def self_signed(key: PrivateKey, *, company: str, as2_id: str, now: datetime, days: int) -> KeyPair:
    """The pair of `key` and a certificate of its own, valid from an hour before `now` for `days`."""
    name = _name(company, as2_id)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
    )
    for extension, critical in (
        *_extensions(key),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return KeyPair(private_key=key, certificate=builder.sign(key, hashes.SHA256()))


def request(key: PrivateKey, *, company: str, as2_id: str) -> x509.CertificateSigningRequest:
    """A request for a certificate (PKCS#10, RFC 2986) that asks for what `self_signed` gives itself."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(company, as2_id))
    for extension, critical in _extensions(key):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


def _name(company: str, as2_id: str) -> x509.Name:
    # RFC 5280 appendix A: a common name and an organisation have at most 64 characters.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, as2_id[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, company[:64]),
        ]
    )


def _extensions(key: PrivateKey) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """RFC 8550 4.4: digitalSignature, and keyEncipherment (RSA) or keyAgreement (EC, RFC 5753); emailProtection.

    RFC 5280 4.2.1.9: not an authority.
    """
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=is_rsa,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=not is_rsa,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False),
    )
