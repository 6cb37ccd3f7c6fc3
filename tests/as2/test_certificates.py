"""What a certificate's key may do, and which keys are refused before they cost anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gateway.as2 import KeyPair, Refusal, Use, certificates, fingerprint, unfit, valid_at
from gateway.as2.algorithms import RSA_ENCRYPTION, RSA_OAEP
from gateway.errors import OurFault

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
BITS = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
SIGNER = ed25519.Ed25519PrivateKey.generate()


def certificate(key: CertificatePublicKeyTypes, *usage: str, serial: int = 1) -> x509.Certificate:
    """A certificate of acme's name for that key; without key usage when none is named."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(MOMENT)
        .not_valid_after(MOMENT + timedelta(days=3650))
    )
    if usage:
        named = x509.KeyUsage(**{bit: bit in usage for bit in BITS})
        builder = builder.add_extension(named, critical=True)
    return builder.sign(SIGNER, None)


@pytest.mark.parametrize(
    ("kind", "usage", "signs", "encrypts"),
    [
        ("rsa", (), True, True),
        ("rsa", ("digital_signature",), True, False),
        ("rsa", ("content_commitment",), True, False),
        ("rsa", ("key_encipherment",), False, True),
        ("rsa", ("digital_signature", "key_encipherment"), True, True),
        ("rsa", ("data_encipherment",), False, False),
        ("rsa", ("key_agreement",), False, False),
        ("rsa", ("key_cert_sign", "crl_sign"), False, False),
        ("rsa", ("key_cert_sign", "digital_signature"), True, False),
        ("ec", (), True, True),
        ("ec", ("digital_signature",), True, False),
        ("ec", ("key_agreement",), False, True),
        ("ec", ("key_encipherment",), False, False),
        ("ec", ("key_cert_sign",), False, False),
        ("brainpool", (), True, False),
    ],
)
def test_what_a_certificate_may_do(
    pair: Callable[..., KeyPair], kind: str, usage: tuple[str, ...], *, signs: bool, encrypts: bool
) -> None:
    """Key usage for the kind of key it has; without that extension whatever the key can."""
    made = certificate(pair("usage", kind).private_key.public_key(), *usage)
    assert (unfit(made, Use.SIGN) is None, unfit(made, Use.ENCRYPT) is None) == (signs, encrypts)


def test_why_a_certificate_may_not_is_said(pair: Callable[..., KeyPair]) -> None:
    """In a clause that names the bit, and an authority's certificate as such."""
    key = pair("usage").private_key.public_key()
    assert unfit(certificate(key, "digital_signature"), Use.ENCRYPT) == "its key usage has no keyEncipherment"
    assert unfit(certificate(key, "key_encipherment"), Use.SIGN) == (
        "its key usage has no digitalSignature and no nonRepudiation"
    )
    said = unfit(certificate(key, "key_cert_sign"), Use.SIGN)
    assert said is not None
    assert said.startswith("it is an authority's certificate: ")
    elliptic = certificate(pair("usage", "ec").private_key.public_key(), "digital_signature")
    assert unfit(elliptic, Use.ENCRYPT) == "its key usage has no keyAgreement"


def huge(bits: int, exponent: int = 65537) -> rsa.RSAPublicKey:
    """An RSA key of that size that nobody has the other half of."""
    return rsa.RSAPublicNumbers(exponent, (1 << bits) - 1).public_key()


UNUSABLE: dict[str, tuple[CertificatePublicKeyTypes, str]] = {
    "8 Mbit": (huge(8 * 1024 * 1024), "8388608 bits, more than 16384"),
    "one step too long": (huge(16392), "16392 bits"),
    "huge exponent": (huge(2048, (1 << 2047) + 1), "exponent"),
    "Ed25519": (SIGNER.public_key(), "neither RSA nor EC (Ed25519)"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_key_that_costs_too_much_is_refused_unused(stations: Any, name: str) -> None:
    """For verifying, for encrypting and by `unfit`, in no time."""
    key, said = UNUSABLE[name]
    made = certificate(key, serial=stations.acme.certificate.serial_number)
    built = stations.send()
    started = time.process_time()
    assert said in (unfit(made, Use.SIGN) or "")
    assert said in (unfit(made, Use.ENCRYPT) or "")
    with pytest.raises(OurFault, match="does not encrypt") as caught:
        stations.send(encrypt_for=[made])
    assert caught.value.remedy
    assert fingerprint(made) in str(caught.value)
    fault = stations.refusal(built.headers, built.body, partner_certificates=[made])
    assert fault.refusal is Refusal.INTEGRITY_FAILED
    assert said in str(fault)
    assert time.process_time() - started < 5


def test_a_key_that_cannot_be_read_is_told_and_never_a_crash(stations: Any) -> None:
    """id-RSAES-OAEP in place of rsaEncryption (RFC 4055 4): the library does not load it."""
    octets = stations.acme.certificate.public_bytes(Encoding.DER)
    assert octets.count(RSA_ENCRYPTION) == 1
    made = x509.load_der_x509_certificate(octets.replace(RSA_ENCRYPTION, RSA_OAEP))
    assert "its key cannot be read" in (unfit(made, Use.ENCRYPT) or "")
    built = stations.send()
    fault = stations.refusal(built.headers, built.body, partner_certificates=[made])
    assert fault.refusal is Refusal.INTEGRITY_FAILED


def test_an_expired_certificate_verifies_where_the_caller_gives_it(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """Validity is the keyring's: whether it counts depends on more than a date (a resend, a rollover, a dispute)."""
    key = pair("expired").private_key
    made = certificate(key.public_key())
    signer = KeyPair(private_key=key, certificate=made)
    late = made.not_valid_after_utc + timedelta(days=1)
    built = stations.send(sign_with=signer, date=late)
    assert not valid_at(made, late)
    assert stations.take(built.headers, built.body, partner_certificates=[made]).signed_by == fingerprint(made)


def test_certificates_that_messages_enclose_are_not_kept_with_those_that_are_configured(
    pair: Callable[..., KeyPair],
) -> None:
    """However many are shown: few are kept, and ours are not looked at anew."""
    ours = pair("ours").certificate
    known = certificates.identity(ours)
    octets, held = ours.public_bytes(Encoding.DER), len(certificates._held)
    for _ in range(3 * certificates._MOST_SHOWN):
        shown = certificates.readable(octets)
        assert shown is not None
        assert certificates.fingerprint(shown) == known.fingerprint
    assert len(certificates._shown) <= certificates._MOST_SHOWN
    assert len(certificates._held) == held
    assert certificates.identity(ours) is known
