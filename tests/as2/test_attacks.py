"""Attacks on whole messages: genuine signed parts in places where they vouch for nothing, and refusals as an oracle."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography import x509

from bench import oracle
from gateway.as2 import As2Fault, KeyPair, Policy, Refusal, cms, der, signature
from gateway.as2.certificates import Signers, identity
from gateway.as2.recipients import session_key
from gateway.errors import PartnerFault

HTTP = (("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"))
FORGED = b"Content-Type: application/edi-x12\r\n\r\nISA*forged~"


def parts_of(built: Any) -> tuple[str, bytes, bytes]:
    """The Content-Type of a genuine signed message, its signed part and its signature part."""
    content_type = next(value for name, value in built.headers if name == "Content-Type")
    boundary = b"--" + content_type.rpartition('boundary="')[2].rstrip('"').encode("ascii")
    _, signed, signature, _ = built.body.split(boundary)
    return content_type, signed[2:-2], signature[2:-2]


def multipart(kind: str, *parts: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Headers and body of a multipart of these parts."""
    body = b"".join(b"--w\r\n" + part + b"\r\n" for part in parts) + b"--w--\r\n"
    return (*HTTP, ("Content-Type", f'multipart/{kind}; boundary="w"')), body


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        ("mixed", Refusal.INSUFFICIENT_SECURITY),
        ("related", Refusal.INSUFFICIENT_SECURITY),
        ("signed", Refusal.UNEXPECTED),
    ],
)
@pytest.mark.parametrize("forged_first", [True, False])
def test_a_genuine_signed_message_beside_a_forged_one_vouches_for_neither(
    stations: Any, kind: str, refusal: Refusal, *, forged_first: bool
) -> None:
    """Signature wrapping: what is signed must be all of the message, not some of it."""
    genuine = stations.send(encrypt_for=[])
    inner = f"Content-Type: {parts_of(genuine)[0]}\r\n\r\n".encode("ascii") + genuine.body
    parts = (FORGED, inner) if forged_first else (inner, FORGED)
    headers, body = multipart(kind, *parts)
    fault = stations.refusal(headers, body, Policy(require_encryption=False))
    assert fault.refusal is refusal


def test_a_forged_part_before_the_signed_one_is_no_signed_message(stations: Any) -> None:
    """Three parts in a multipart/signed: readers differ about which one is meant."""
    _, signed, signature = parts_of(stations.send(encrypt_for=[]))
    headers, body = multipart("signed", FORGED, signed, signature)
    assert stations.refusal(headers, body, Policy(require_encryption=False)).refusal is Refusal.UNEXPECTED


def test_a_signature_of_another_message_does_not_count(stations: Any) -> None:
    """A genuine signature of the same signer, taken from another message of his."""
    _, _, signature = parts_of(stations.send(encrypt_for=[]))
    headers, body = multipart("signed", FORGED, signature)
    assert stations.refusal(headers, body, Policy(require_encryption=False)).refusal is Refusal.INTEGRITY_FAILED


def test_a_forged_preamble_or_epilogue_is_not_the_message(stations: Any) -> None:
    """A preamble is read by nobody; behind the end nothing may stand."""
    _, signed, signature = parts_of(stations.send(encrypt_for=[]))
    headers, body = multipart("signed", signed, signature)
    opened = stations.take(headers, FORGED + b"\r\n" + body, Policy(require_encryption=False))
    assert b"forged" not in opened.payload
    assert stations.refusal(headers, body + FORGED, Policy(require_encryption=False)).refusal is Refusal.UNEXPECTED


def test_a_message_signed_inside_somebody_elses_signature_is_not_the_partners(
    stations: Any, pair: Callable[..., KeyPair]
) -> None:
    """A layer may stand once: mallory's around acme's genuine one says nothing about acme."""
    inner = stations.send(encrypt_for=[])
    content_type = next(value for name, value in inner.headers if name == "Content-Type")
    entity = f"Content-Type: {content_type}\r\n\r\n".encode("ascii") + inner.body
    _, _, signature = parts_of(stations.send(encrypt_for=[], sign_with=pair("mallory")))
    headers, body = multipart("signed", entity, signature)
    assert stations.refusal(headers, body, Policy(require_encryption=False)).refusal in {
        Refusal.AUTHENTICATION_FAILED,
        Refusal.INTEGRITY_FAILED,
    }


def test_a_thousand_unreadable_envelopes_are_answered_with_the_same_octets() -> None:
    """RSA padding, key length, CBC padding, MIME, compression, random octets: nobody learns which it was."""
    answers, times = oracle.run(180)
    assert len(answers) == 1
    assert sum(map(len, times.values())) > 1000


def test_the_same_envelope_again_is_opened_with_the_same_spare_key(stations: Any) -> None:
    """A key that differed from time to time would tell that the wrapped one never came out."""
    forge = oracle.Forge(stations.ours, b"")
    structure = cms.open_frame(forge.bad_rsa_padding())[1]
    infos = cms.fields(structure, 3)[1].parts
    assert len({session_key(infos, [stations.ours], 32) for _ in range(20)}) == 1
    other = cms.fields(cms.open_frame(forge.bad_rsa_padding())[1], 3)[1].parts
    assert session_key(other, [stations.ours], 32) != session_key(infos, [stations.ours], 32)


ECHOED = {
    "AS2-From": "acme{}",
    "AS2-To": "us{}",
    "Message-ID": "<1{}@acme>",
    "Subject": "order{}",
    "Disposition-Notification-To": "acme{}",
    "Disposition-Notification-Options": "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=x{}",
    "Receipt-Delivery-Option": "https://acme.example/{}",
    "AS2-Version": "1.1{}",
    "Content-Type": "application/edi-x12; name=x{}",
    "Content-Disposition": 'attachment; filename="x{}"',
}
"""Headers of a request, and where in them a stranger may write. They are read as ISO-8859-1."""
SPLITTING = ("\r\nEvil: y", "\nEvil: y", "\rEvil: y", "\x00Evil: y", "\x85Evil: y", "%0D%0AEvil: y", "\r\n\r\nEvil: y")


@pytest.mark.parametrize("header", ECHOED)
def test_nothing_that_is_echoed_brings_a_line_of_its_own(stations: Any, anything: Policy, header: str) -> None:
    """Refused, or out of what we answer: also where a parser before us let it through. A file name is one line, too."""
    base = {name: value.format("") for name, value in ECHOED.items()}
    for splitting in SPLITTING:
        headers = tuple((base | {header: ECHOED[header].format(splitting)}).items())
        opened = fault = None
        try:
            opened = stations.take(headers, b"ISA*x~", anything)
        except As2Fault as refused:
            fault = refused
        except PartnerFault:
            continue  # no receipt can be addressed
        receipt = stations.answer(headers, opened, fault)
        assert all(value.isprintable() for _, value in receipt.headers), (splitting, receipt.headers)
        assert not re.search(rb"(?m)^[ \t]*Evil:", receipt.body.replace(b"\r", b"\n")), splitting
        if opened is not None:
            shown = (opened.filename or "") + opened.content_type + (opened.addressing.subject or "")
            assert shown.isprintable()


def test_whoever_judges_enclosed_certificates_gets_the_signers_first(
    stations: Any, pair: Callable[..., KeyPair]
) -> None:
    """A station encloses its old certificate and the one that it decrypts with as well; few are looked at."""
    _, signed, part = parts_of(stations.send(encrypt_for=[]))
    fields = cms.fields(cms.open_frame(base64.b64decode(part.partition(b"\r\n\r\n")[2]))[1], 5)
    version, digests, inside, _, signers = (bytes(one.whole) for one in fields)
    certificates = [*(pair(f"acme {number}").certificate for number in range(3)), stations.acme.certificate]
    enclosed = der.tlv(cms.EXPLICIT_0, *(identity(one).der for one in certificates))
    octets = cms.frame(cms.SIGNED_DATA, [der.sequence(version, digests, inside, enclosed, signers)])
    asked: list[x509.Certificate] = []

    def judge(found: Sequence[x509.Certificate]) -> tuple[Sequence[x509.Certificate], str]:
        asked.extend(found)
        return found[:1], ""

    found = signature.verify(octets, memoryview(signed), certificates=Signers((), judge), accepted=Policy().hashes)
    assert found.certificate == asked[0] == stations.acme.certificate
    assert len(asked) == len(certificates)
