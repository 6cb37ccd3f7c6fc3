"""Signature schemes: every key with every hash, both ways; parameters that do not fit; and several signers."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.as2 import HASHES, KeyPair, Policy, Refusal, SignatureScheme, ber, cms, der
from gateway.as2.algorithms import MGF1, RSA_ENCRYPTION, RSA_PSS
from gateway.as2.certificates import identity
from gateway.as2.signature import sign
from gateway.errors import OurFault

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
CLEAR = Policy(require_encryption=False)
CONTENT = b"A: b\r\n\r\nx"
HEADERS = (
    ("AS2-From", "acme"),
    ("AS2-To", "us"),
    ("Message-ID", "<1@acme>"),
    ("Content-Type", 'multipart/signed; boundary="s"'),
)
SHA256 = HASHES["sha-256"]
SENDABLE = [name for name, row in HASHES.items() if row.sendable]


def signed_body(signature: bytes) -> bytes:
    """A multipart/signed around CONTENT."""
    attached = b"\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\n" + signature
    return b"--s\r\n" + CONTENT + attached + b"\r\n--s--\r\n"


def signature_of(headers: Any, body: bytes) -> ber.Element:
    """The SignerInfo in a message or receipt of ours."""
    boundary = dict(headers)["Content-Type"].split('boundary="')[1].rstrip('"').encode()
    text = body.split(b"--" + boundary)[2]
    structure = cms.open_frame(base64.b64decode(text.split(b"\r\n\r\n", 1)[1]))[1]
    return structure.parts[-1].parts[0]


def attribute(name: str, value: bytes) -> bytes:
    """A signed attribute."""
    return der.sequence(der.identifier(der.oid(f"1.2.840.113549.1.9.{name}")), der.tlv(ber.SET, value))


def signer(pair: KeyPair, scheme: bytes, make: Callable[[bytes], bytes], content: bytes = CONTENT) -> bytes:
    """A SignerInfo by hand: `make` signs, `scheme` is what it says of that."""
    digest = der.tlv(ber.OCTET_STRING, SHA256.digest([content]))
    signed = der.set_of([attribute("3", der.identifier(cms.DATA)), attribute("4", digest)])
    return der.sequence(
        der.integer(1),
        identity(pair.certificate).issuer_and_serial,
        der.sequence(der.identifier(SHA256.oid)),
        b"\xa0" + signed[1:],
        scheme,
        der.tlv(ber.OCTET_STRING, make(signed)),
    )


def signed_data(*signers: bytes) -> bytes:
    """A SignedData with these signers, in this order."""
    inside = der.sequence(der.identifier(cms.DATA))
    return cms.frame(
        cms.SIGNED_DATA, [der.sequence(der.integer(1), der.set_of([]), inside, der.tlv(ber.SET, *signers))]
    )


PKCS1_NAME = der.sequence(der.identifier(RSA_ENCRYPTION), der.tlv(ber.NULL))


def by_pkcs1(pair: KeyPair) -> Callable[[bytes], bytes]:
    """RSA PKCS#1 v1.5 with SHA-256."""
    return lambda signed: pair.private_key.sign(signed, padding.PKCS1v15(), SHA256.scheme)  # type: ignore[call-arg,arg-type]


# -- every key with every hash


@pytest.mark.parametrize("micalg", SENDABLE)
@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        ("rsa", SignatureScheme.PKCS1),
        ("rsa", SignatureScheme.PSS),
        ("ec", SignatureScheme.PKCS1),
        ("p-384", SignatureScheme.PSS),
        ("p-521", SignatureScheme.PKCS1),
    ],
)
def test_every_key_signs_message_and_receipt_with_every_hash(
    stations: Any, pair: Callable[..., KeyPair], kind: str, scheme: SignatureScheme, micalg: str
) -> None:
    """Hash chosen freely, also shorter or longer than the curve; the scheme is for RSA keys only."""
    theirs, mine = pair("signs", kind), pair("answers", kind)
    built = stations.send(sign_with=theirs, micalg=micalg, signature_scheme=scheme)
    opened = stations.take(built.headers, built.body, partner_certificates=[theirs.certificate])
    assert (opened.signature_hash, opened.mic) == (micalg, built.mic)
    receipt = stations.answer(built.headers, opened, key=mine, signature_scheme=scheme)
    assert stations.verdict(built, receipt, partner_certificates=[mine.certificate]).processed
    name = cms.algorithm(signature_of(receipt.headers, receipt.body).parts[4])[0]
    assert (name == RSA_PSS) == (kind == "rsa" and scheme is SignatureScheme.PSS)


@pytest.mark.parametrize("micalg", SENDABLE)
def test_pss_says_its_hash_its_mask_and_a_salt_as_long_as_the_hash(stations: Any, micalg: str) -> None:
    """RFC 4056 section 3, RFC 4055 3.1: all three written out, as none is the default."""
    built = stations.send(micalg=micalg, signature_scheme=SignatureScheme.PSS, encrypt_for=[])
    identifier, parameters = cms.algorithm(signature_of(built.headers, built.body).parts[4])
    assert identifier == RSA_PSS
    assert parameters is not None
    hashed, mask, salt = parameters.parts
    row = HASHES[micalg]
    assert cms.algorithm(hashed.parts[0])[0] == row.oid
    function, arguments = cms.algorithm(mask.parts[0])
    assert arguments is not None
    assert (function, cms.algorithm(arguments)[0]) == (MGF1, row.oid)
    assert salt.parts[0].integer() == row.scheme.digest_size


def test_a_key_too_short_for_pss_is_our_fault(pair: Callable[..., KeyPair]) -> None:
    """With what to do; 1024 bits hold no salt of 64 octets beside a hash of 64."""
    short = pair("short", "rsa-1024")
    with pytest.raises(OurFault, match="too short for PSS") as caught:
        sign(b"x" * 64, key=short, algorithm=HASHES["sha-512"], moment=MOMENT, scheme=SignatureScheme.PSS)
    assert caught.value.remedy


def test_an_elliptic_curve_key_never_signs_with_md5(pair: Callable[..., KeyPair]) -> None:
    """There is no name for it."""
    with pytest.raises(OurFault, match="ECDSA does not sign with md5"):
        sign(b"x" * 16, key=pair("signs", "ec"), algorithm=HASHES["md5"], moment=MOMENT)


# -- parameters of PSS


def pss_name(**changes: Any) -> bytes:
    """RSASSA-PSS with SHA-256 throughout and 32 octets of salt, or with changes; `None` leaves one out."""
    hashed = der.sequence(der.identifier(SHA256.oid), der.tlv(ber.NULL))
    fields = {
        0xA0: changes.get("hashed", hashed),
        0xA1: changes.get("mask", der.sequence(der.identifier(MGF1), hashed)),
        0xA2: changes.get("salt", der.integer(32)),
        0xA3: changes.get("trailer"),
        0xA4: changes.get("more"),
    }
    parameters = [der.tlv(tag, value) for tag, value in fields.items() if value is not None]
    return der.sequence(der.identifier(RSA_PSS), *([der.sequence(*parameters)] if changes != {"none": True} else []))


def by_pss(pair: KeyPair, salt: int) -> Callable[[bytes], bytes]:
    """RSASSA-PSS with SHA-256."""
    scheme = padding.PSS(mgf=padding.MGF1(SHA256.scheme), salt_length=salt)
    return lambda signed: pair.private_key.sign(signed, scheme, SHA256.scheme)  # type: ignore[call-arg,arg-type]


@pytest.mark.parametrize(
    ("salt", "changes"),
    [(32, {}), (20, {"salt": None}), (0, {"salt": der.integer(0)}), (32, {"trailer": der.integer(1)})],
)
def test_pss_with_any_salt_is_read(stations: Any, salt: int, changes: dict[str, Any]) -> None:
    """Its length is a parameter, 20 by default; NULL beside the hash or nothing (RFC 4055 2.1)."""
    octets = signed_data(signer(stations.acme, pss_name(**changes), by_pss(stations.acme, salt)))
    assert stations.take(HEADERS, signed_body(octets), CLEAR).payload == b"x"


SHA1_NAME = der.sequence(der.identifier(HASHES["sha-1"].oid))


@pytest.mark.parametrize(
    "changes",
    [
        {"hashed": SHA1_NAME},
        {"hashed": None},
        {"hashed": der.sequence(der.identifier(der.oid("1.2.3.4")))},
        {"mask": der.sequence(der.identifier(MGF1), SHA1_NAME)},
        {"mask": None},
        {"mask": der.sequence(der.identifier(MGF1))},
        {"mask": der.sequence(der.identifier(der.oid("1.2.3.4")), SHA1_NAME)},
        {"salt": der.integer(-1)},
        {"salt": der.integer(1 << 40)},
        {"salt": der.integer(31)},
        {"trailer": der.integer(2)},
        {"more": der.integer(1)},
        {"none": True},
        {"hashed": b""},
        {"mask": b""},
        {"salt": b""},
        {"trailer": b""},
    ],
)
def test_pss_parameters_that_do_not_fit_are_refused(stations: Any, changes: dict[str, Any]) -> None:
    """A weak hash beside a strong digest too, though acme's key made the signature with SHA-256."""
    octets = signed_data(signer(stations.acme, pss_name(**changes), by_pss(stations.acme, 32)))
    assert stations.refusal(HEADERS, signed_body(octets), CLEAR).refusal is Refusal.INTEGRITY_FAILED


# -- keys that say they are for PSS


def pss_pair(pair: KeyPair) -> KeyPair:
    """The same key in a certificate whose key information is id-RSASSA-PSS (RFC 4055 1.2)."""
    whole = ber.read(pair.certificate.public_bytes(Encoding.DER)).parts
    fields = [bytes(field.whole) for field in whole[0].parts]
    key = whole[0].parts[6].parts[1].whole  # version, serial, algorithm, issuer, validity, subject, key
    fields[6] = der.sequence(der.sequence(der.identifier(RSA_PSS)), key)
    changed = x509.load_der_x509_certificate(der.sequence(der.sequence(*fields), *(one.whole for one in whole[1:])))
    return KeyPair(private_key=pair.private_key, certificate=changed)


def test_a_key_for_pss_only_signs_so_whatever_is_configured(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """And its PKCS#1 v1.5 signatures are not taken (RFC 4055 1.2)."""
    mine = pss_pair(pair("pss"))
    built = stations.send(sign_with=mine, encrypt_for=[])
    assert cms.algorithm(signature_of(built.headers, built.body).parts[4])[0] == RSA_PSS
    assert stations.take(built.headers, built.body, CLEAR, partner_certificates=[mine.certificate]).signed_by
    octets = signed_data(signer(mine, PKCS1_NAME, by_pkcs1(mine)))
    fault = stations.refusal(HEADERS, signed_body(octets), CLEAR, partner_certificates=[mine.certificate])
    assert fault.refusal is Refusal.INTEGRITY_FAILED


def test_nothing_is_encrypted_for_a_key_for_pss_only(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """RFC 4055 1.2, said with the reason."""
    with pytest.raises(OurFault, match="for RSASSA-PSS signatures only"):
        stations.send(encrypt_for=[pss_pair(pair("pss")).certificate])


# -- several signers


def test_the_first_signer_who_is_known_decides(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """Strangers before are passed over; after a known one that fails nobody else is asked."""
    stranger, other = pair("stranger"), pair("acme-ec", "ec")
    good = signer(stations.acme, PKCS1_NAME, by_pkcs1(stations.acme))
    strange = signer(stranger, PKCS1_NAME, by_pkcs1(stranger))
    bad = signer(stations.acme, PKCS1_NAME, lambda _signed: bytes(256))
    assert stations.take(HEADERS, signed_body(signed_data(strange, good)), CLEAR).payload == b"x"
    assert stations.take(HEADERS, signed_body(signed_data(good, bad)), CLEAR).payload == b"x"
    known = [stations.acme.certificate, other.certificate]
    fault = stations.refusal(HEADERS, signed_body(signed_data(bad, good)), CLEAR, partner_certificates=known)
    assert fault.refusal is Refusal.INTEGRITY_FAILED


def test_signers_are_looked_at_up_to_a_bound(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """Sixteen, and a thousand of ours cost what one costs."""
    stranger = signer(pair("stranger"), PKCS1_NAME, by_pkcs1(pair("stranger")))
    good = signer(stations.acme, PKCS1_NAME, by_pkcs1(stations.acme))
    bad = signer(stations.acme, PKCS1_NAME, lambda _signed: bytes(256))
    assert stations.take(HEADERS, signed_body(signed_data(*[stranger] * 15, good)), CLEAR).payload == b"x"
    fault = stations.refusal(HEADERS, signed_body(signed_data(*[stranger] * 16, good)), CLEAR)
    assert fault.refusal is Refusal.AUTHENTICATION_FAILED
    assert "first 16 of 17 signers" in str(fault)
    started = time.process_time()
    fault = stations.refusal(HEADERS, signed_body(signed_data(*[bad] * 1000)), CLEAR)
    assert fault.refusal is Refusal.INTEGRITY_FAILED
    assert time.process_time() - started < 1
