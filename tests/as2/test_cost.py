"""What the worst megabyte costs: CPU of each parser, against a genuine megabyte opened in the same run.

No time is measured against a clock on the wall: both are CPU of this thread, and the ratio is generous.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from gateway.as2 import As2Fault, KeyPair, Policy, Sent, ber, cms, compression, der, mime, read_receipt, split
from gateway.as2.algorithms import HASHES, RSA_ENCRYPTION
from gateway.as2.certificates import identity
from gateway.errors import PartnerFault

MEGABYTE = 1_000_000
TIMES = 150
"""Of the genuine megabyte, which costs one or two thousandths of a second: the worst megabyte stays far under one."""
HTTP = (("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"))
SHA256 = HASHES["sha-256"]


def times(work: Callable[[], object], *, runs: int = 2) -> float:
    """CPU seconds of this thread, the least of a few runs."""
    found = []
    for _ in range(runs):
        begun = time.thread_time()
        work()
        found.append(time.thread_time() - begun)
    return min(found)


@pytest.fixture(scope="session")
def genuine(stations: Any) -> float:
    """CPU seconds for a megabyte, signed and encrypted."""
    built = stations.send(os.urandom(MEGABYTE // 2).hex().encode("ascii"))
    return times(lambda: stations.take(built.headers, built.body), runs=5)


def filled(unit: bytes) -> bytes:
    """A megabyte of it."""
    return unit * (MEGABYTE // len(unit))


def typed(content_type: str, **more: str) -> tuple[tuple[str, str], ...]:
    """The headers of a request with that Content-Type."""
    return (*HTTP, ("Content-Type", content_type), *((name.replace("_", "-"), value) for name, value in more.items()))


SIGNED = typed("multipart/signed; boundary=b")
DASHES = typed(f"multipart/signed; boundary={'-' * 199}b")
PKCS7 = typed("application/pkcs7-mime")
BASE64 = typed("a/b", Content_Transfer_Encoding="base64")
QUOTED = typed("a/b", Content_Transfer_Encoding="quoted-printable")


def parted(part: bytes) -> bytes:
    """As many parts as are read."""
    return b"--b\r\n" + b"\r\n--b\r\n".join([part] * (mime.MAX_PARTS - 1)) + b"\r\n--b--"


def compressed(content: bytes) -> bytes:
    """A CompressedData around any octet string."""
    zlib_name = der.sequence(der.identifier(der.oid("1.2.840.113549.1.9.16.3.8")))
    encapsulated = der.sequence(der.identifier(cms.DATA), der.tlv(0xA0, content))
    return cms.frame(cms.COMPRESSED_DATA, [der.sequence(der.integer(0), zlib_name, encapsulated)])


WORST: dict[str, tuple[tuple[tuple[str, str], ...], Callable[[], bytes]]] = {
    "near delimiters": (SIGNED, lambda: filled(b"\n--bX")),
    "beginnings of a delimiter": (SIGNED, lambda: filled(b"\n--")),
    "a long delimiter that never comes": (DASHES, lambda: b"\n" + filled(b"-")),
    "the long delimiter but for its end": (DASHES, lambda: filled(b"\n" + b"-" * 200)),
    "blanks behind a delimiter": (SIGNED, lambda: b"--b" + filled(b" ")),
    "parts of folded headers": (SIGNED, lambda: parted(b"A: b\n" + b" x\n" * 8000 + b"\n\nx")),
    "parts of many headers": (SIGNED, lambda: parted(b"A: b\r\n" * 99 + b"B:" + b" x" * 15_000 + b"\r\n\r\nx")),
    "short elements": (PKCS7, lambda: der.tlv(0x30, filled(b"\x05\x00"))),
    "endless elements in endless elements": (PKCS7, lambda: b"\x30\x80" * 23 + filled(b"\x30\x80\x00\x00")),
    "an octet string in small pieces": (PKCS7, lambda: compressed(der.tlv(0x24, filled(der.tlv(4, b"x" * 62))))),
    "base64 that is none": (BASE64, lambda: filled(b"!")),
    "base64 in lines of one": (BASE64, lambda: filled(b"A\n")),
    "quoted-printable soft breaks": (QUOTED, lambda: filled(b"=\n")),
    "quoted-printable that is none": (QUOTED, lambda: filled(b"=")),
}


@pytest.mark.parametrize("name", WORST)
def test_no_megabyte_costs_much_more_than_a_genuine_one(
    stations: Any, anything: Policy, genuine: float, name: str
) -> None:
    """MIME, BER and transfer encodings, each with what it likes least."""
    headers, make = WORST[name]
    body = make()

    def take() -> None:
        try:
            stations.take(headers, body, anything)
        except As2Fault:
            return

    assert times(take) < TIMES * genuine


def signed_data(signers: list[bytes]) -> bytes:
    """The SignedData with these signers, in a multipart/signed."""
    detached = der.sequence(der.identifier(cms.DATA))
    structure = der.sequence(der.integer(1), der.set_of([]), detached, der.tlv(0x31, *signers))
    octets = cms.frame(cms.SIGNED_DATA, [structure])
    part = b"Content-Type: application/pkcs7-signature\r\n\r\n"
    return b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b\r\n" + part + octets + b"\r\n--b--\r\n"


def attributes(count: int, size: int) -> bytes:
    """The two that count, and so many more."""
    digest = SHA256.digest([b"Content-Type: a/b\r\n\r\nx"])
    rows = [("1.2.840.113549.1.9.3", der.identifier(cms.DATA)), ("1.2.840.113549.1.9.4", der.tlv(4, digest))]
    rows += [("1.2.3.4", der.tlv(4, os.urandom(size))) for _ in range(count)]
    return der.tlv(0xA0, *(der.sequence(der.identifier(der.oid(name)), der.tlv(0x31, value)) for name, value in rows))


def signer(pair: KeyPair, signed: bytes) -> bytes:
    """A signer with these attributes and a signature of something else."""
    algorithm = der.sequence(der.identifier(SHA256.oid))
    scheme = der.sequence(der.identifier(RSA_ENCRYPTION), der.tlv(ber.NULL))
    octets = pair.private_key.sign(b"z", padding.PKCS1v15(), SHA256.scheme)  # type: ignore[union-attr, call-arg, arg-type]
    who = identity(pair.certificate).issuer_and_serial
    return der.sequence(der.integer(1), who, algorithm, signed, scheme, der.tlv(4, octets))


def test_no_megabyte_of_signers_and_attributes_costs_much_more(
    stations: Any, anything: Policy, genuine: float, pair: Callable[..., KeyPair]
) -> None:
    """Thousands of signers, of strangers and of the partner; thousands of attributes, small and large."""
    stranger = signer(pair("mallory"), attributes(0, 0))
    known = signer(stations.acme, attributes(0, 0))
    for name, signers in {
        "strangers": [stranger] * (MEGABYTE // len(stranger)),
        "the partner": [known] * (MEGABYTE // len(known)),
        "empty": [der.tlv(0x30)] * (MEGABYTE // 2),
        "small attributes": [signer(stations.acme, attributes(40_000, 6))],
        "large attributes": [signer(stations.acme, attributes(3_900, 230))],
    }.items():
        body = signed_data(signers)

        def take(body: bytes = body) -> None:
            stations.refusal(SIGNED, body, anything)

        assert times(take) < TIMES * genuine, name


def test_a_bomb_costs_no_more_than_the_octets_that_it_may_become(stations: Any) -> None:
    """Inflating stops at the limit, also where it is signed by nobody."""
    policy = Policy(require_signature=False, require_encryption=False, max_ratio=10_000, max_inflated=20 * MEGABYTE)
    bomb = compression.deflate([b"A: b\r\n\r\n", bytes(200 * MEGABYTE)])
    full = compression.deflate([b"A: b\r\n\r\n", bytes(19 * MEGABYTE)])
    allowed = times(lambda: stations.take(PKCS7, full, policy))
    assert times(lambda: stations.refusal(PKCS7, bomb, policy)) < 3 * allowed


NAMES = {
    "escapes": "attachment; filename*=UTF-8''" + "%41" * 1_200,
    "pieces": "attachment; " + "; ".join(f"filename*{number}*=%41" for number in range(31)),
    "encoded words": f'attachment; filename="{"=?utf-8?B?QQ==?= " * 200}"',
    "encoded words without end": f'attachment; filename="{"=?utf-8?B?" * 380}"',
    "quoted pairs": f'attachment; filename="{chr(92) + "a"}{(chr(92) + "a") * 1_900}"',
}


def test_no_file_name_costs_much(stations: Any, anything: Policy, genuine: float) -> None:
    """Of one message, and of as many attachments as it may have."""
    for name, value in NAMES.items():
        headers = typed("a/b", Content_Disposition=value)
        assert times(lambda headers=headers: stations.take(headers, b"x", anything)) < genuine * 20, name
        files = parted(f"Content-Disposition: {value}\r\n\r\nx".encode())
        assert times(lambda files=files: split("multipart/related; boundary=b", files)) < genuine * TIMES, name


def test_no_receipt_costs_much_more(stations: Any, genuine: float) -> None:
    """Theirs to us: a megabyte at most, read by the same parsers."""
    sent = Sent(message_id="<1@us>", mic="", mic_algorithm="sha-256", signed=True)
    for headers, body in (
        ((("Content-Type", "multipart/report; boundary=b"),), filled(b"\n--bX")),
        ((("Content-Type", "multipart/signed; boundary=b"),), parted(b"A: b\n" + b" x\n" * 8000 + b"\n\nx")),
        (
            (("Content-Type", "multipart/report; boundary=b"),),
            parted(b"Content-Type: text/plain\r\n\r\n" + b"\t\x00" * 12_000),
        ),
    ):

        def read(headers: Any = headers, body: bytes = body) -> None:
            with pytest.raises(PartnerFault):
                read_receipt(
                    headers, body, sent=sent, partner_certificates=[stations.ours.certificate], require_signature=True
                )

        assert times(read) < TIMES * genuine
