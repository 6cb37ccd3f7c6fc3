"""Attacks, each a row: what must never be taken, and what nobody may learn from how it is refused."""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gateway.as2 import KeyPair, Policy, Refusal, ber, cms, compression, der, signature
from gateway.as2.algorithms import CIPHERS, HASHES, RSA_ENCRYPTION
from gateway.as2.building import Layer
from gateway.as2.certificates import identity
from gateway.as2.envelope import encrypt
from gateway.as2.recipients import KeyTransport

HTTP = (("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"))
ASKS = (
    ("Disposition-Notification-To", "acme"),
    ("Disposition-Notification-Options", "signed-receipt-protocol=optional, pkcs7-signature"),
)
ENVELOPED = (*HTTP, *ASKS, ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data"))
SHA256 = HASHES["sha-256"]
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def flipped(data: bytes, at: int) -> bytes:
    """`data` with one bit changed."""
    at %= len(data)
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def signed_layer(content: bytes, octets: bytes) -> Layer:
    """A multipart/signed with any signature."""
    body = (
        b"--s\r\n"
        + content
        + b"\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\n"
        + octets
        + b"\r\n--s--\r\n"
    )
    return Layer(headers=(("Content-Type", 'multipart/signed; boundary="s"'),), content=[body])


class Forge:
    """Messages no honest station would write."""

    def __init__(self, stations: Any) -> None:
        self.acme, self.ours = stations.acme, stations.ours

    def enveloped(self, plain: bytes, cipher: str = "aes-256-cbc") -> bytes:
        """Properly encrypted for us, whatever it is."""
        return encrypt([plain], recipients=[self.ours.certificate], suite=CIPHERS[cipher], transport=KeyTransport.PKCS1)

    def with_padding(self, padded: bytes, key: bytes | None = None) -> bytes:
        """An envelope around exactly these blocks, padding and all."""
        key = key or os.urandom(32)
        vector = os.urandom(16)
        cipher = Cipher(algorithms.AES(key[:32].ljust(32, b"k")), modes.CBC(vector)).encryptor()
        who = identity(self.ours.certificate)
        wrapped = self.ours.certificate.public_key().encrypt(key, padding.PKCS1v15())
        transport = der.sequence(der.identifier(RSA_ENCRYPTION), der.tlv(ber.NULL))
        recipient = der.sequence(der.integer(0), who.issuer_and_serial, transport, der.tlv(4, wrapped))
        algorithm = der.sequence(der.identifier(CIPHERS["aes-256-cbc"].oid), der.tlv(4, vector))
        content = der.sequence(der.identifier(cms.DATA), algorithm, der.tlv(0x80, cipher.update(padded)))
        return cms.frame(cms.ENVELOPED_DATA, [der.sequence(der.integer(0), der.set_of([recipient]), content)])

    def signature(self, attributes: list[bytes] | None, over: bytes) -> bytes:
        """A SignedData of acme's key over `over`, with these attributes in it, or none."""
        octets = self.acme.private_key.sign(over, padding.PKCS1v15(), SHA256.scheme)
        hashed = der.sequence(der.identifier(SHA256.oid))
        fields = [der.integer(1), identity(self.acme.certificate).issuer_and_serial, hashed]
        if attributes is not None:
            fields.append(der.set_of(attributes, tag=0xA0))
        scheme = der.sequence(der.identifier(RSA_ENCRYPTION), der.tlv(ber.NULL))
        return self.signed_data([der.sequence(*fields, scheme, der.tlv(4, octets))])

    @staticmethod
    def signed_data(signers: list[bytes]) -> bytes:
        """A SignedData with these signers."""
        inside = der.sequence(der.identifier(cms.DATA))
        return cms.frame(cms.SIGNED_DATA, [der.sequence(der.integer(1), der.set_of([]), inside, der.set_of(signers))])


@pytest.fixture
def forge(stations: Any) -> Forge:
    """A forger."""
    return Forge(stations)


def attribute(name: str, *values: bytes) -> bytes:
    """A signed attribute with any number of values."""
    return der.sequence(der.identifier(der.oid(f"1.2.840.113549.1.9.{name}")), der.set_of(values))


# -- signatures


def test_a_signature_without_a_signer_is_refused(stations: Any, forge: Forge, anything: Policy) -> None:
    """What pyas2lib accepted in receipts."""
    layer = signed_layer(b"A: b\r\n\r\nx", forge.signed_data([]))
    fault = stations.refusal((*HTTP, *layer.headers), b"".join(layer.content), anything)
    assert fault.refusal is Refusal.AUTHENTICATION_FAILED


def test_a_signature_of_somebody_else_is_refused(stations: Any, anything: Policy, pair: Callable[..., KeyPair]) -> None:
    """Also when his certificate lies in the message, and when no certificate is configured at all."""
    built = stations.send(sign_with=pair("mallory"), encrypt_for=[])
    assert stations.refusal(built.headers, built.body, anything).refusal is Refusal.AUTHENTICATION_FAILED
    genuine = stations.send(encrypt_for=[])
    fault = stations.refusal(genuine.headers, genuine.body, anything, partner_certificates=[])
    assert fault.refusal is Refusal.AUTHENTICATION_FAILED


def test_somebody_elses_signature_under_the_partners_name_is_refused(stations: Any, forge: Forge) -> None:
    """Issuer and serial number are acme's, the key is not."""
    content = b"A: b\r\n\r\nx"
    octets = forge.signature(
        [attribute("3", der.identifier(cms.DATA)), attribute("4", der.tlv(4, SHA256.digest([content])))],
        b"not the attributes",
    )
    layer = signed_layer(content, octets)
    fault = stations.refusal((*HTTP, *layer.headers), b"".join(layer.content), Policy(require_encryption=False))
    assert fault.refusal is Refusal.INTEGRITY_FAILED


@pytest.mark.parametrize("spot", [b"ST*855", b"Content-Type: application/edi", b"order.edi"])
def test_changed_content_is_refused(stations: Any, anything: Policy, spot: bytes) -> None:
    """One bit of the payload or of its headers."""
    built = stations.send(encrypt_for=[])
    fault = stations.refusal(built.headers, flipped(built.body, built.body.index(spot) + len(spot) - 1), anything)
    assert fault.refusal is Refusal.INTEGRITY_FAILED


def test_a_line_end_more_or_less_is_changed_content(stations: Any, anything: Policy) -> None:
    """Exactly one line end belongs to the delimiter."""
    built = stations.send(b"x\r\n", encrypt_for=[])
    assert stations.take(built.headers, built.body, anything).payload == b"x\r\n"
    for other in (b"x\r\n", b"x\r\n\r\n\r\n"):
        body = built.body.replace(b"x\r\n\r\n", other, 1)
        assert stations.refusal(built.headers, body, anything).refusal is Refusal.INTEGRITY_FAILED


def test_a_signature_without_attributes_is_refused(stations: Any, forge: Forge, anything: Policy) -> None:
    """Genuine or not: the attributes of an old signature, sent as content, would verify in the same way."""
    content = b"A: b\r\n\r\nx"
    layer = signed_layer(content, forge.signature(None, content))
    assert (
        stations.refusal((*HTTP, *layer.headers), b"".join(layer.content), anything).refusal is Refusal.INTEGRITY_FAILED
    )


CONTENT_TYPE = attribute("3", der.identifier(cms.DATA))


@pytest.mark.parametrize(
    "attributes",
    [
        lambda _digest: [],
        lambda _digest: [CONTENT_TYPE],
        lambda digest: [attribute("4", digest)],
        lambda _digest: [CONTENT_TYPE, attribute("4", der.tlv(4, b"x" * 32))],
        lambda digest: [CONTENT_TYPE, attribute("4", digest), attribute("4", digest)],
        lambda digest: [CONTENT_TYPE, attribute("4", digest, der.tlv(4, b"x" * 32))],
        lambda digest: [CONTENT_TYPE, CONTENT_TYPE, attribute("4", digest)],
        lambda digest: [attribute("3", der.identifier(cms.SIGNED_DATA)), attribute("4", digest)],
    ],
)
def test_signed_attributes_must_tie_the_signature_to_the_content(
    stations: Any, forge: Forge, anything: Policy, attributes: Callable[[bytes], list[bytes]]
) -> None:
    """Missing, doubled, ambiguous or of another type, though signed with acme's key."""
    content = b"A: b\r\n\r\nx"
    chosen = attributes(der.tlv(4, SHA256.digest([content])))
    layer = signed_layer(content, forge.signature(chosen, der.set_of(chosen)))
    fault = stations.refusal((*HTTP, *layer.headers), b"".join(layer.content), anything)
    assert fault.refusal is Refusal.INTEGRITY_FAILED


def test_the_forger_can_sign_rightly_too(stations: Any, forge: Forge, anything: Policy) -> None:
    """So that the refusals above are for the reason given; attributes in another order than DER's verify as well."""
    content = b"A: b\r\n\r\nx"
    chosen = [attribute("4", der.tlv(4, SHA256.digest([content]))), CONTENT_TYPE]
    layer = signed_layer(content, forge.signature(chosen, der.set_of(chosen)))
    assert stations.take((*HTTP, *layer.headers), b"".join(layer.content), anything).payload == b"x"


def test_a_weak_hash_needs_the_partner_switch(stations: Any) -> None:
    """SHA-1 under the signature, SHA-256 asked for the MIC."""
    weak, body = stations.send_weak("sha-1")
    headers = [(name, value.replace("sha-1", "sha-256")) for name, value in weak]
    policy = Policy(require_encryption=False)
    assert stations.refusal(headers, body, policy).refusal is Refusal.INSUFFICIENT_SECURITY


def test_a_weak_hash_in_the_scheme_beside_a_strong_digest_is_refused(stations: Any, anything: Policy) -> None:
    """`sha1WithRSAEncryption` under a SHA-256 digest, though the key is acme's."""
    built = stations.send(encrypt_for=[])
    boundary = dict(built.headers)["Content-Type"].split('boundary="')[1].rstrip('"').encode()
    content, text = built.body.split(b"--" + boundary)[1:3]
    octets = base64.b64decode(text.split(b"\r\n\r\n")[1])
    plain, weak = der.oid("1.2.840.113549.1.1.1"), der.oid("1.2.840.113549.1.1.5")
    head, _, tail = octets.rpartition(plain)
    layer = signed_layer(content[2:-2], head + weak + tail)
    fault = stations.refusal((*HTTP, *layer.headers), b"".join(layer.content), anything)
    assert fault.refusal is Refusal.INTEGRITY_FAILED
    assert "does not fit" in str(fault)


# -- policy from what was done


def test_what_must_be_encrypted_or_signed_and_is_not_is_refused(stations: Any) -> None:
    """Whatever the headers claim."""
    for changes in ({"encrypt_for": []}, {"sign_with": None}, {"encrypt_for": [], "sign_with": None}):
        for compress in (False, True):
            built = stations.send(compress=compress, **changes)
            assert stations.refusal(built.headers, built.body).refusal is Refusal.INSUFFICIENT_SECURITY


def test_compressed_posing_as_encrypted_is_not_encrypted(stations: Any) -> None:
    """`smime-type=enveloped-data` around CompressedData: the structure decides."""
    built = stations.send(encrypt_for=[], compress=True, compress_after_signing=True)
    headers = [(name, value.replace("compressed-data", "enveloped-data")) for name, value in built.headers]
    assert stations.refusal(headers, built.body).refusal is Refusal.INSUFFICIENT_SECURITY
    assert stations.take(headers, built.body, Policy(require_encryption=False)).encrypted is False


def test_a_cipher_outside_the_policy_is_refused(stations: Any) -> None:
    """Before any private key is used."""
    built = stations.send(cipher="aes-128-cbc")
    fault = stations.refusal(built.headers, built.body, Policy(ciphers=frozenset({"aes-256-gcm"})))
    assert fault.refusal is Refusal.INSUFFICIENT_SECURITY


def test_layers_stand_once_and_in_order(stations: Any, forge: Forge, anything: Policy) -> None:
    """Signed twice, compressed twice, encrypted inside anything: refused at the second one, so nesting is bounded."""
    inner = stations.send(encrypt_for=[])
    plain = b"".join(Layer(headers=inner.headers[-1:], content=[inner.body]).pieces())
    sealed = b"Content-Type: application/pkcs7-mime\r\n\r\n" + forge.enveloped(plain)
    packed = b"Content-Type: application/pkcs7-mime\r\n\r\n" + compression.deflate([plain])
    twice = signed_layer(
        plain, signature.sign(SHA256.digest([plain]), key=stations.acme, algorithm=SHA256, moment=MOMENT)
    )
    assert "may not stand" in str(stations.refusal((*HTTP, *twice.headers), b"".join(twice.content), anything))
    pkcs7 = (*HTTP, ("Content-Type", "application/pkcs7-mime"))
    assert "may not stand" in str(stations.refusal(pkcs7, compression.deflate([packed]), anything))
    assert "may not stand" in str(stations.refusal(pkcs7, compression.deflate([sealed]), anything))
    assert "may not stand" in str(stations.refusal(pkcs7, forge.enveloped(sealed), anything))


# -- one uniform failure


def packed_bomb() -> bytes:
    """32 MiB of zeros as a compressed layer."""
    return b"Content-Type: application/pkcs7-mime\r\n\r\n" + compression.deflate([bytes(32 * 1024 * 1024)])


VARIANTS: dict[str, Callable[[Forge, bytes], bytes]] = {
    "bad MIME": lambda forge, _good: forge.enveloped(b"\x00\x01garbage without any header"),
    "empty": lambda forge, _good: forge.enveloped(b""),
    "bad CBC padding, last octet zero": lambda forge, _good: forge.with_padding(
        b"Content-Type: a/b\r\n\r\nxx".ljust(32, b"\0")
    ),
    "bad CBC padding, last block changed": lambda _forge, good: flipped(good, -1),
    "bad CBC padding, block before changed": lambda _forge, good: flipped(good, -17),
    "ciphertext cut": lambda forge, _good: forge.with_padding(b""),
    "session key of another length": lambda forge, _good: forge.with_padding(b"x" * 32, key=b"k" * 16),
    "wrong session key": lambda forge, _good: forge.with_padding(b"x" * 32, key=b"k" * 31),
    "damaged compression": lambda forge, _good: forge.enveloped(
        b"Content-Type: application/pkcs7-mime\r\n\r\n" + flipped(compression.deflate([os.urandom(500)]), 300)
    ),
    "bomb inside": lambda forge, _good: forge.enveloped(packed_bomb()),
    "no CMS inside": lambda forge, _good: forge.enveloped(b"Content-Type: application/pkcs7-mime\r\n\r\nhello"),
    "no parts inside": lambda forge, _good: forge.enveloped(b"Content-Type: multipart/signed; boundary=b\r\n\r\nhello"),
    "no signature inside": lambda forge, _good: forge.enveloped(
        b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\r\nnone\r\n--b--"
    ),
    "bad base64 inside": lambda forge, _good: forge.enveloped(
        b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\nAAA"
    ),
    "authenticated, tag changed": lambda forge, _good: flipped(forge.enveloped(b"A: b\r\n\r\nx", "aes-256-gcm"), -1),
}


def test_whatever_fails_inside_an_envelope_is_answered_with_the_same_bytes(stations: Any, forge: Forge) -> None:
    """Bad RSA padding, bad CBC padding, bad MIME, bad compression: one receipt, octet for octet."""
    good = forge.enveloped(b"Content-Type: a/b\r\n\r\n" + b"x" * 100)
    where = good.index(identity(stations.ours.certificate).issuer_and_serial) + 60
    bodies = {name: make(forge, good) for name, make in VARIANTS.items()}
    bodies["bad RSA padding"] = good[:where] + bytes(100) + good[where + 100 :]
    policy = Policy(require_signature=False, max_inflated=8 * 1024 * 1024)
    answers = {}
    for name, body in bodies.items():
        fault = stations.refusal(ENVELOPED, body, policy)
        assert fault.refusal is Refusal.DECRYPTION_FAILED, name
        answers[name] = stations.answer(ENVELOPED, None, fault)
    assert len({(answer.headers, answer.body) for answer in answers.values()}) == 1
    assert next(iter(answers.values())).signed


def test_the_padding_is_no_oracle_behind_a_signed_message(stations: Any) -> None:
    """Two blocks appended to a genuine ciphertext, all 256 values of the octet that decides the padding."""
    built = stations.send()
    content = cms.fields(cms.open_frame(built.body)[1], 3)[2].parts[2]
    encrypted = bytes(content.content)
    answers = set()
    for value in range(256):
        longer = encrypted + os.urandom(15) + bytes((value,)) + encrypted[-16:]
        head = cms.fields(cms.open_frame(built.body)[1], 3)
        info = der.sequence(*[part.whole for part in head[2].parts[:2]], der.tlv(0x80, longer))
        body = cms.frame(cms.ENVELOPED_DATA, [der.sequence(head[0].whole, head[1].whole, info)])
        fault = stations.refusal(built.headers, body)
        answers.add((fault.refusal, fault.public))
    assert answers == {(Refusal.DECRYPTION_FAILED, "The message could not be decrypted.")}


def test_the_padding_is_no_oracle_for_a_message_made_to_look_unsigned(stations: Any, forge: Forge) -> None:
    """Good and bad padding around an unsigned content meet the same refusal when a signature is demanded."""
    plain = b"X-Ignored: multip\r\n\r\nsome content"
    good = plain.ljust(len(plain) // 16 * 16 + 15, b".") + b"\x01"
    bad = good[:-1] + b"\x00"
    refusals = {stations.refusal(ENVELOPED, forge.with_padding(blocks)).refusal for blocks in (good, bad)}
    assert refusals == {Refusal.INSUFFICIENT_SECURITY}


def test_an_envelope_for_nobody_here_says_no_more(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """The same public text; the operator's names the reason."""
    built = stations.send(encrypt_for=[pair("other").certificate])
    fault = stations.refusal(built.headers, built.body)
    assert (fault.refusal, fault.public) == (Refusal.DECRYPTION_FAILED, "The message could not be decrypted.")
    assert "none of our certificates" in str(fault)


# -- bombs and floods


def test_a_bomb_is_stopped_by_ratio_and_by_absolute_size(stations: Any) -> None:
    """Memory never exceeds the limit; the refusal outside an envelope is `decompression-failed`."""
    pkcs7 = (*HTTP, ("Content-Type", "application/pkcs7-mime"))
    bomb = compression.deflate([b"A: b\r\n\r\n", bytes(20 * 1024 * 1024)])
    lenient = {"require_signature": False, "require_encryption": False}
    by_ratio = Policy(max_ratio=100, **lenient)
    by_size = Policy(max_ratio=100_000, max_inflated=5 * 1024 * 1024, **lenient)
    for policy in (by_ratio, by_size):
        assert stations.refusal(pkcs7, bomb, policy).refusal is Refusal.DECOMPRESSION_FAILED
    assert len(stations.take(pkcs7, bomb, Policy(max_ratio=100_000, **lenient)).payload) == 20 * 1024 * 1024


def test_compressed_data_with_something_behind_it_is_refused(stations: Any, anything: Policy) -> None:
    """Octets nobody inflates are octets nobody checked."""
    pkcs7 = (*HTTP, ("Content-Type", "application/pkcs7-mime"))
    packed = zlib.compress(b"A: b\r\n\r\nx")
    for octets in (packed + b"more", packed[:-2]):
        content = der.sequence(der.identifier(cms.DATA), der.tlv(0xA0, der.tlv(4, octets)))
        zlib_name = der.sequence(der.identifier(der.oid("1.2.840.113549.1.9.16.3.8")))
        body = cms.frame(cms.COMPRESSED_DATA, [der.sequence(der.integer(0), zlib_name, content)])
        assert stations.refusal(pkcs7, body, anything).refusal is Refusal.DECOMPRESSION_FAILED


def test_a_body_over_the_limit_is_refused_unread(stations: Any) -> None:
    """The partner's limit."""
    built = stations.send()
    fault = stations.refusal(built.headers, built.body, Policy(max_size=len(built.body) - 1))
    assert fault.refusal is Refusal.UNEXPECTED


@pytest.mark.parametrize(
    "body",
    [
        b"--s\r\n" + b"A: b\r\n\r\nx\r\n--s\r\n" * 10_000 + b"A: b\r\n\r\nx\r\n--s--",
        b"--s\r\n" + b"A: b\r\n" * 10_000 + b"\r\nx\r\n--s--",
        b"--s\r\n" + b"A" * 1_000_000 + b"\r\n--s--",
        b"--s\r\n" * 100_000,
        b"--s" + b" " * 1_000_000,
        b"\n--s" * 200_000,
    ],
    ids=["10,000 parts", "10,000 headers", "a megabyte without a header", "only delimiters", "blanks", "near misses"],
)
def test_floods_of_mime_are_refused_at_once(stations: Any, anything: Policy, body: bytes) -> None:
    """Counts are bounded; nothing is quadratic."""
    headers = (*HTTP, ("Content-Type", "multipart/signed; boundary=s"))
    assert stations.refusal(headers, body, anything).refusal is Refusal.UNEXPECTED


def test_octets_behind_the_closing_delimiter_are_refused(stations: Any, anything: Policy) -> None:
    """No signature covers them."""
    built = stations.send(encrypt_for=[])
    assert stations.take(built.headers, built.body + b"\r\n \r\n", anything)
    assert stations.refusal(built.headers, built.body + b"x", anything).refusal is Refusal.UNEXPECTED


def test_a_signature_part_may_be_binary_and_a_preamble_may_stand(stations: Any, anything: Policy) -> None:
    """Both occur in the field."""
    built = stations.send(encrypt_for=[])
    head, _, rest = built.body.partition(b"Content-Transfer-Encoding: base64\r\n")
    attached, _, tail = rest.partition(b"\r\n\r\n")
    text, _, end = tail.partition(b"\r\n--")
    binary = head + attached + b"\r\n\r\n" + base64.b64decode(text) + b"\r\n--" + end
    opened = stations.take(built.headers, b"This is a preamble.\r\n" + binary, anything)
    assert opened.mic == built.mic


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "C:\\x\\order.edi", "..", "", "\x00", "a/"]
)
def test_a_file_name_never_has_a_path(stations: Any, anything: Policy, name: str) -> None:
    """Whatever the sender wrote."""
    headers = (*HTTP, ("Content-Disposition", f"attachment; filename*=UTF-8''{name.replace('/', '%2F')}"))
    found = stations.take(headers, b"x", anything).filename
    assert found is None or not set(found) & set("/\\\x00")
    assert found not in {"", ".", ".."}


# -- what AS2 does not use


def test_an_opaque_signature_is_no_layer_of_as2(stations: Any, forge: Forge, anything: Policy) -> None:
    """RFC 4130 signs with multipart/signed; content inside a signature is never taken for the message."""
    pkcs7 = (*HTTP, ("Content-Type", "application/pkcs7-mime; smime-type=signed-data"))
    fault = stations.refusal(pkcs7, forge.signed_data([]), anything)
    assert (fault.refusal, "signed-data" in str(fault)) == (Refusal.UNEXPECTED, True)


def test_a_required_receipt_protocol_we_do_not_know_fails(stations: Any) -> None:
    """`failed/Failure: unsupported format`, unsigned."""
    built = stations.send()
    options = "signed-receipt-protocol=required, pgp-signature"
    headers = [(name, options if name.endswith("-Options") else value) for name, value in built.headers]
    fault = stations.refusal(headers, built.body)
    assert fault.refusal is Refusal.UNSUPPORTED_FORMAT
    assert not stations.answer(headers, None, fault).signed


@pytest.mark.parametrize("cipher", ["1.2.3.4", "2.16.840.1.101.3.4.1.46"])
def test_a_cipher_unknown_or_in_the_wrong_structure_is_refused(stations: Any, forge: Forge, cipher: str) -> None:
    """GCM outside AuthEnvelopedData would be GCM without its tag."""
    body = forge.enveloped(b"A: b\r\n\r\nx").replace(CIPHERS["aes-256-cbc"].oid, der.oid(cipher).ljust(9, b"\x01")[:9])
    assert stations.refusal(ENVELOPED, body).refusal in {Refusal.INSUFFICIENT_SECURITY, Refusal.DECRYPTION_FAILED}


def test_the_operator_reads_more_than_the_peer(stations: Any, forge: Forge) -> None:
    """The reasons behind the uniform answer are told apart in the log."""
    good = forge.enveloped(b"Content-Type: a/b\r\n\r\n" + b"x" * 100)
    policy = Policy(require_signature=False, max_inflated=8 * 1024 * 1024)
    reasons = {str(stations.refusal(ENVELOPED, make(forge, good), policy)) for make in VARIANTS.values()}
    assert len(reasons) > len(VARIANTS) // 2
