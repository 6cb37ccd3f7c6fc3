"""For whom a message is encrypted: kinds of keys, several recipients, and what nobody learns when it goes wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.as2 import HASHES, KeyPair, KeyTransport, Policy, Refusal, ber, cms, der
from gateway.as2.algorithms import CIPHERS, CURVES, KEY_AGREEMENTS, KEY_WRAPS, MGF1, P_SPECIFIED, RSA_OAEP
from gateway.as2.certificates import identity
from gateway.as2.key_agreement import _wrapping_key
from gateway.errors import OurFault

UNSIGNED = Policy(require_signature=False)
HEADERS = (
    ("AS2-From", "acme"),
    ("AS2-To", "us"),
    ("Message-ID", "<1@acme>"),
    ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data"),
)
PLAIN = b"Content-Type: a/b\r\n\r\nsome content"
CONTENT_KEY = bytes(range(32))
EPHEMERAL = ec.generate_private_key(ec.SECP256R1())
WRAP_256 = next(oid for oid, length in KEY_WRAPS.items() if length == 32)
SHA256_AGREEMENT = next(oid for oid, row in KEY_AGREEMENTS.items() if row.name == "sha-256")


@pytest.fixture(scope="session")
def elliptic(pair: Callable[..., KeyPair]) -> KeyPair:
    """Our EC pair on P-256."""
    return pair("ours-ec", "ec")


def point_of(key: ec.EllipticCurvePrivateKey, form: PublicFormat = PublicFormat.UncompressedPoint) -> bytes:
    """The public key as X9.62 writes it."""
    return key.public_key().public_bytes(Encoding.X962, form)


def envelope(*recipients: bytes, key: bytes = CONTENT_KEY) -> bytes:
    """An EnvelopedData around PLAIN for these recipients."""
    vector = os.urandom(16)
    cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    count = 16 - len(PLAIN) % 16
    algorithm = der.sequence(der.identifier(CIPHERS["aes-256-cbc"].oid), der.tlv(4, vector))
    octets = cipher.update(PLAIN + bytes((count,)) * count)
    content = der.sequence(der.identifier(cms.DATA), algorithm, der.tlv(0x80, octets))
    return cms.frame(cms.ENVELOPED_DATA, [der.sequence(der.integer(2), der.set_of(recipients), content)])


def agreed(who: KeyPair, **changes: Any) -> bytes:
    """A KeyAgreeRecipientInfo by hand, or with changes: what peers may write and we never do."""
    agreement = changes.get("agreement", SHA256_AGREEMENT)
    wrap = changes.get("wrap", der.sequence(der.identifier(WRAP_256)))
    ukm = changes.get("ukm")
    assert isinstance(who.private_key, ec.EllipticCurvePrivateKey)
    shared = EPHEMERAL.exchange(ec.ECDH(), who.private_key.public_key())
    length = changes.get("length", 32)
    digest = KEY_AGREEMENTS.get(agreement, KEY_AGREEMENTS[SHA256_AGREEMENT])
    kek = _wrapping_key(shared, digest, wrap, length, ukm)
    wrapped = changes.get("wrapped", aes_key_wrap(kek, changes.get("key", CONTENT_KEY)))
    name = changes.get("name", identity(who.certificate).issuer_and_serial)
    parameters = changes.get("parameters", b"")
    sender = der.sequence(der.identifier(changes.get("kind", der.oid("1.2.840.10045.2.1"))), parameters)
    origin = der.tlv(0xA1, sender, der.tlv(0x03, b"\0", changes.get("point", point_of(EPHEMERAL))))
    return der.tlv(
        0xA1,
        der.integer(3),
        der.tlv(0xA0, changes.get("origin", origin)),
        changes.get("tagged", der.tlv(0xA1, der.tlv(4, ukm)) if ukm is not None else b""),
        der.sequence(der.identifier(agreement), wrap),
        der.sequence(*changes.get("before", ()), der.sequence(name, der.tlv(4, wrapped))),
    )


# -- key agreement, written and read


@pytest.mark.parametrize("kind", ["ec", "p-384", "p-521"])
@pytest.mark.parametrize("cipher", [name for name, row in CIPHERS.items() if row.sendable])
def test_every_cipher_goes_to_every_curve(stations: Any, pair: Callable[..., KeyPair], cipher: str, kind: str) -> None:
    """RFC 5753 with the curve's hash and a wrap as long as the cipher's key."""
    mine = pair("ours", kind)
    built = stations.send(encrypt_for=[mine.certificate], cipher=cipher)
    opened = stations.take(built.headers, built.body, keys=[mine])
    assert (opened.payload, opened.cipher) == (stations.payload, cipher)


@pytest.mark.parametrize(
    ("kinds", "cipher", "version"),
    [
        (["rsa"], "aes-256-cbc", 0),
        (["rsa", "rsa"], "aes-256-cbc", 0),
        (["ec"], "aes-256-cbc", 2),
        (["rsa", "ec"], "aes-256-cbc", 2),
        (["ec"], "aes-256-gcm", 0),
        (["rsa"], "aes-256-gcm", 0),
    ],
)
def test_the_version_says_which_kinds_of_recipients_there_are(
    stations: Any, pair: Callable[..., KeyPair], kinds: list[str], cipher: str, version: int
) -> None:
    """RFC 5652 6.1 for EnvelopedData; AuthEnvelopedData is always 0 (RFC 5083 2.1)."""
    certificates = [pair(f"version-{number}", kind).certificate for number, kind in enumerate(kinds)]
    built = stations.send(encrypt_for=certificates, cipher=cipher)
    structure = cms.open_frame(built.body)[1]
    assert structure.parts[0].integer() == version
    tags = sorted(one.tag for one in structure.parts[1].parts)
    assert tags == sorted(ber.SEQUENCE if kind == "rsa" else 0xA1 for kind in kinds)


def test_any_of_several_recipients_of_both_kinds_opens_it(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """Each finds its own key among the others', whatever order they stand in."""
    pairs = [pair("mixed-a"), pair("mixed-b", "ec"), pair("mixed-c", "p-521"), pair("mixed-d")]
    built = stations.send(
        encrypt_for=[one.certificate for one in pairs], key_transport=KeyTransport.OAEP, cipher="aes-192-gcm"
    )
    for one in pairs:
        assert stations.take(built.headers, built.body, keys=[one]).payload == stations.payload
    assert stations.take(built.headers, built.body, keys=[pair("mixed-e", "ec"), *pairs]).payload == stations.payload


@pytest.mark.parametrize(
    "changes",
    [
        {"agreement": oid} for oid in KEY_AGREEMENTS
    ]
    + [
        {"ukm": b"shared with this message only"},
        {"ukm": b""},
        {"parameters": der.tlv(ber.NULL)},
        {"parameters": der.identifier(der.oid("1.2.840.10045.3.1.7"))},
        {"point": point_of(EPHEMERAL, PublicFormat.CompressedPoint)},
        {"wrap": der.sequence(der.identifier(WRAP_256), der.tlv(ber.NULL))},
        {"wrap": der.sequence(der.identifier(der.oid("2.16.840.1.101.3.4.1.5"))), "length": 16},
        {"before": [der.sequence(der.sequence(der.sequence(), der.integer(1)), der.tlv(4, b"x" * 40))]},
    ],
)  # fmt: skip
def test_what_peers_may_write_is_read(stations: Any, elliptic: KeyPair, changes: dict[str, Any]) -> None:
    """Every derivation, user keying material, all three forms of parameters, a compressed point, another's key."""
    opened = stations.take(HEADERS, envelope(agreed(elliptic, **changes)), UNSIGNED, keys=[elliptic])
    assert opened.payload == b"some content"


@pytest.mark.parametrize("date", [b"", der.tlv(0x18, b"20260301120000Z")])
def test_an_ec_recipient_may_be_named_by_key_identifier(stations: Any, elliptic: KeyPair, date: bytes) -> None:
    """RecipientKeyIdentifier with and without its date (RFC 5652 6.2.2)."""
    name = der.tlv(0xA0, der.tlv(4, identity(elliptic.certificate).key_identifier or b""), date)
    assert stations.take(HEADERS, envelope(agreed(elliptic, name=name)), UNSIGNED, keys=[elliptic]).encrypted


# -- the one answer


BAD: dict[str, dict[str, Any]] = {
    "wrap changed": {"wrapped": bytes(40)},
    "wrap of another length": {"wrapped": bytes(33)},
    "no wrap": {"wrapped": b""},
    "wrap too long": {"wrapped": bytes(65)},
    "session key of another length": {"key": CONTENT_KEY[:16]},
    "wrong session key": {"key": bytes(32)},
    "point off the curve": {"point": b"\x04" + bytes(63) + b"\x01"},
    "point of another curve": {"point": point_of(ec.generate_private_key(ec.SECP384R1()))},
    "point at infinity": {"point": b"\0"},
    "no point": {"point": b""},
    "point too long": {"point": b"\x04" + bytes(2000)},
    "unknown derivation": {"agreement": der.oid("1.3.132.1.14.1")},
    "unknown wrap": {"wrap": der.sequence(der.identifier(der.oid("1.2.840.113549.1.9.16.3.6")), der.tlv(ber.NULL))},
    "other length than the wrap's": {"length": 16},
    "key of another kind": {"kind": der.oid("1.2.840.113549.1.1.1")},
    "static key of the sender": {"origin": der.sequence(der.sequence(), der.integer(1))},
    "too much keying material": {"ukm": bytes(2000)},
    "empty keying material": {"tagged": der.tlv(0xA1)},
    "unknown field": {"tagged": der.tlv(0xA2, der.tlv(4))},
    "empty originator": {"origin": b""},
    "recipient without a name": {"name": der.tlv(0xA0)},
    "somebody else's": {"name": der.sequence(der.sequence(), der.integer(1))},
}


@pytest.mark.parametrize("variant", BAD)
def test_whatever_is_wrong_with_a_key_agreement_is_answered_with_the_same_bytes(
    stations: Any, elliptic: KeyPair, variant: str
) -> None:
    """Bad wrap, bad point, unknown algorithm: as a wrong key for an RSA recipient."""
    fault = stations.refusal(HEADERS, envelope(agreed(elliptic, **BAD[variant])), UNSIGNED, keys=[elliptic])
    assert (fault.refusal, fault.public) == (Refusal.DECRYPTION_FAILED, "The message could not be decrypted.")


def test_a_wrap_that_does_not_open_is_found_out_no_sooner_than_bad_padding(stations: Any, elliptic: KeyPair) -> None:
    """The content is decrypted all the same, with a random key: both are refused at the end, for the same reason."""
    reasons = {
        str(stations.refusal(HEADERS, envelope(agreed(elliptic, **BAD[variant])), keys=[elliptic]))
        for variant in ("wrap changed", "point off the curve", "session key of another length", "wrong session key")
    }
    assert all(reason.startswith(("inside the envelope: ", "not signed, though")) for reason in reasons)


# -- RSA-OAEP


def oaep(who: KeyPair, parameters: bytes, *, label: bytes | None = None, octets: bytes | None = None) -> bytes:
    """A KeyTransRecipientInfo with OAEP by SHA-1 throughout, whatever its parameters say."""
    public = who.certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    digest = hashes.SHA1()  # noqa: S303  the default of RFC 4055 4.1
    scheme = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=label)
    algorithm = der.sequence(der.identifier(RSA_OAEP), parameters)
    wrapped = der.tlv(4, octets if octets is not None else public.encrypt(CONTENT_KEY, scheme))
    return der.sequence(der.integer(0), identity(who.certificate).issuer_and_serial, algorithm, wrapped)


SHA1 = der.sequence(der.identifier(HASHES["sha-1"].oid), der.tlv(ber.NULL))
EMPTY_LABEL = der.sequence(der.identifier(P_SPECIFIED), der.tlv(4))


@pytest.mark.parametrize(
    "parameters",
    [
        b"",
        der.sequence(),
        der.sequence(der.tlv(0xA0, SHA1)),
        der.sequence(der.tlv(0xA1, der.sequence(der.identifier(MGF1), SHA1))),
        der.sequence(der.tlv(0xA2, EMPTY_LABEL)),
        der.sequence(der.tlv(0xA0, SHA1), der.tlv(0xA2, der.sequence(der.identifier(P_SPECIFIED)))),
    ],
)
def test_oaep_by_default_is_sha_1_without_a_label(stations: Any, parameters: bytes) -> None:
    """RFC 4055 4.1: what is left out is SHA-1, MGF1 with SHA-1 and the empty label."""
    assert stations.take(HEADERS, envelope(oaep(stations.ours, parameters)), UNSIGNED).encrypted


LABEL = der.sequence(der.identifier(P_SPECIFIED), der.tlv(4, b"label"))


@pytest.mark.parametrize(
    ("parameters", "changes"),
    [
        (der.sequence(der.tlv(0xA2, LABEL)), {"label": b"label"}),
        (b"", {"label": b"label"}),
        (der.sequence(der.tlv(0xA0)), {}),
        (der.sequence(der.tlv(0xA1)), {}),
        (der.sequence(der.tlv(0xA2)), {}),
        (der.sequence(der.tlv(0xA0, der.sequence(der.identifier(der.oid("1.2.3.4"))))), {}),
        (der.sequence(der.tlv(0xA1, SHA1)), {}),
        (der.sequence(der.tlv(0xA0, der.sequence(der.identifier(HASHES["md5"].oid)))), {}),
        (b"", {"octets": bytes(256)}),
        (b"", {"octets": b"\xff" * 256}),
        (b"", {"octets": b""}),
        (b"", {"octets": bytes(100_000)}),
    ],
)
def test_oaep_that_does_not_come_out_right_is_answered_with_the_same_bytes(
    stations: Any, parameters: bytes, changes: dict[str, Any]
) -> None:
    """A label, unknown or empty parameters, octets that are no ciphertext of this key."""
    fault = stations.refusal(HEADERS, envelope(oaep(stations.ours, parameters, **changes)), UNSIGNED)
    assert (fault.refusal, fault.public) == (Refusal.DECRYPTION_FAILED, "The message could not be decrypted.")


# -- bounds


def test_recipients_are_looked_at_up_to_a_bound(stations: Any) -> None:
    """The 65th is not ours, whoever it is; the operator reads how many were looked at."""
    built = stations.send()
    structure = cms.open_frame(built.body)[1]
    ours = bytes(structure.parts[1].parts[0].whole)
    other = der.sequence(der.integer(0), der.sequence(der.sequence(), der.integer(1)), der.sequence(), der.tlv(4))
    for count, taken in ((63, True), (64, False), (3_000, False)):
        infos = der.tlv(ber.SET, other * count, ours)
        body = cms.frame(cms.ENVELOPED_DATA, [der.sequence(structure.parts[0].whole, infos, structure.parts[2].whole)])
        if taken:
            assert stations.take(built.headers, body).payload == stations.payload
        else:
            assert f"64 of {count + 1} looked at" in str(stations.refusal(built.headers, body))


def test_encrypted_keys_of_one_agreement_are_looked_at_up_to_a_bound(stations: Any, elliptic: KeyPair) -> None:
    """Likewise for one sender's key shared by many."""
    other = der.sequence(der.sequence(der.sequence(), der.integer(1)), der.tlv(4))
    assert stations.take(HEADERS, envelope(agreed(elliptic, before=[other] * 63)), UNSIGNED, keys=[elliptic])
    fault = stations.refusal(HEADERS, envelope(agreed(elliptic, before=[other] * 64)), UNSIGNED, keys=[elliptic])
    assert "none of our certificates" in str(fault)


def test_recipients_of_kinds_we_do_not_use_are_passed_over(stations: Any, elliptic: KeyPair) -> None:
    """A shared key, a password and another's RSA key beside ours (RFC 5652 6.2.3 to 6.2.5)."""
    others = [der.tlv(tag, der.integer(0)) for tag in (0xA2, 0xA3, 0xA4)]
    body = envelope(*others, agreed(elliptic))
    assert stations.take(HEADERS, body, UNSIGNED, keys=[stations.ours, elliptic]).encrypted


# -- whom nothing can be encrypted for


def test_a_key_too_short_for_oaep_is_our_fault(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """1024 bits hold no key beside two hashes of 64 octets."""
    with pytest.raises(OurFault, match="1024 bits is too short for rsa-oaep-sha-512") as caught:
        stations.send(encrypt_for=[pair("short", "rsa-1024").certificate], key_transport=KeyTransport.OAEP_SHA512)
    assert caught.value.remedy


def test_a_curve_outside_the_table_is_our_fault(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """With the curve's name and what to ask for."""
    with pytest.raises(OurFault, match="brainpoolP256r1 is none of secp256r1, secp384r1, secp521r1") as caught:
        stations.send(encrypt_for=[pair("brainpool", "brainpool").certificate])
    assert "P-256" in caught.value.remedy
    assert set(CURVES) == {"secp256r1", "secp384r1", "secp521r1"}
