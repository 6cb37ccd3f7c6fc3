"""Messages go round in every combination of layers and algorithms, and both sides compute the same MIC."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from gateway.as2 import HASHES, KeyPair, KeyTransport, Policy, ReceiptKind
from gateway.as2.mime import entity
from gateway.errors import OurFault

SENDABLE = ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm"]
COMBINATIONS = [
    (sign, encrypt, compress, after)
    for sign, encrypt, compress, after in itertools.product((False, True), repeat=4)
    if compress or not after
]


@pytest.mark.parametrize(("sign", "encrypt", "compress", "after"), COMBINATIONS)
def test_every_combination_of_layers_comes_back(
    stations: Any, anything: Policy, *, sign: bool, encrypt: bool, compress: bool, after: bool
) -> None:
    """Payload, name, type, MIC and the layers found are those that were sent."""
    built = stations.send(
        sign_with=stations.acme if sign else None,
        encrypt_for=[stations.ours.certificate] if encrypt else [],
        compress=compress,
        compress_after_signing=after,
    )
    opened = stations.take(built.headers, built.body, anything)
    assert opened.payload == stations.payload
    assert opened.message_id == built.message_id
    assert (opened.content_type, opened.filename) == ("application/edi-x12", "order.edi")
    assert (opened.signed_by is not None, opened.encrypted, opened.compressed) == (sign, encrypt, compress)
    assert (opened.mic, opened.mic_algorithm) == (built.mic, "sha-256")
    verdict = stations.verdict(built, stations.answer(built.headers, opened))
    assert verdict.processed
    assert verdict.mic_matched


HEADERS = (
    b"Content-Type: application/edi-x12\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b'Content-Disposition: attachment; filename="order.edi"\r\n\r\n'
)


@pytest.mark.parametrize(
    ("sign", "encrypt", "compress", "with_headers"),
    [
        (True, False, False, True),
        (True, True, False, True),
        (False, False, True, True),
        (False, True, True, True),
        (False, True, False, True),
        (False, False, False, False),
    ],
)
def test_the_mic_covers_what_the_rule_says(
    stations: Any, *, sign: bool, encrypt: bool, compress: bool, with_headers: bool
) -> None:
    """By hand: headers included but for a message without any layer (RFC 4130 7.3.1, RFC 5402 section 4)."""
    built = stations.send(
        sign_with=stations.acme if sign else None,
        encrypt_for=[stations.ours.certificate] if encrypt else [],
        compress=compress,
    )
    covered = (HEADERS if with_headers else b"") + stations.payload
    assert built.mic == base64.b64encode(hashlib.sha256(covered).digest()).decode()


@pytest.mark.parametrize("after", [False, True])
def test_the_mic_of_a_signed_and_compressed_message_covers_what_was_signed(stations: Any, *, after: bool) -> None:
    """Compressed before: the compressed part. Compressed after: the plain part."""
    built = stations.send(encrypt_for=[], compress=True, compress_after_signing=after)
    if after:
        covered = HEADERS + stations.payload
    else:
        boundary = dict(built.headers)["Content-Type"].split('boundary="')[1].rstrip('"').encode()
        covered = built.body.split(b"--" + boundary)[1][2:-2]
        assert b"compressed-data" in bytes(entity(covered).octets)
    assert built.mic == base64.b64encode(hashlib.sha256(covered).digest()).decode()


@pytest.mark.parametrize("transport", list(KeyTransport))
@pytest.mark.parametrize("cipher", SENDABLE)
def test_every_cipher_and_key_transport(stations: Any, cipher: str, transport: KeyTransport) -> None:
    """Each row of the table, also with content of whole blocks."""
    for payload in (stations.payload, b"x" * 4096, b""):
        built = stations.send(payload, cipher=cipher, key_transport=transport)
        opened = stations.take(built.headers, built.body)
        assert (opened.payload, opened.cipher) == (payload, cipher)


@pytest.mark.parametrize("micalg", list(HASHES))
def test_every_hash_signs_and_counts_only_where_it_is_accepted(stations: Any, micalg: str) -> None:
    """SHA-1 and MD5 need the partner switch."""
    if HASHES[micalg].sendable:
        built = stations.send(micalg=micalg)
        assert stations.take(built.headers, built.body).mic == built.mic
        return
    headers, body = stations.send_weak(micalg)
    opened = stations.take(headers, body, Policy(hashes=frozenset({micalg}), require_encryption=False))
    assert (opened.signature_hash, opened.mic_algorithm) == (micalg, micalg)
    signed_with = "sha-256" if micalg == "md5" else micalg
    assert f"micalg={signed_with};" in dict(stations.answer(headers, opened).headers)["Content-Type"]
    assert stations.refusal(headers, body).refusal == "failed/Failure: unsupported MIC-algorithms"
    with pytest.raises(OurFault, match="never sent"):
        stations.send(micalg=micalg)


def test_any_of_several_recipients_can_open_it(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """Each finds the key that was wrapped for it; during a rollover we try old and new."""
    other = pair("other")
    built = stations.send(encrypt_for=[other.certificate, stations.ours.certificate])
    assert stations.take(built.headers, built.body).payload == stations.payload
    assert stations.take(built.headers, built.body, keys=[other]).payload == stations.payload
    assert stations.take(built.headers, built.body, keys=[pair("third"), stations.ours]).payload == stations.payload


def test_an_elliptic_curve_key_signs_message_and_receipt(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """ECDSA with SHA-256, both ways."""
    theirs, mine = pair("acme-ec", "ec"), pair("ours-ec", "ec")
    built = stations.send(sign_with=theirs)
    opened = stations.take(built.headers, built.body, partner_certificates=[theirs.certificate])
    receipt = stations.answer(built.headers, opened, key=mine)
    assert stations.verdict(built, receipt, partner_certificates=[mine.certificate]).processed


def test_several_partner_certificates_are_valid_at_once(stations: Any, pair: Callable[..., KeyPair]) -> None:
    """A rollover on their side: old and new both verify, and we know which one it was."""
    new = pair("acme-new")
    certificates = [stations.acme.certificate, new.certificate]
    old = stations.send()
    rolled = stations.send(sign_with=new)
    first = stations.take(old.headers, old.body, partner_certificates=certificates).signed_by
    second = stations.take(rolled.headers, rolled.body, partner_certificates=certificates).signed_by
    assert first != second


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("sha-256", "sha-256"),
        ("sha256", "sha-256"),
        ("SHA512", "sha-512"),
        ("whirlpool, sha-384, sha-256", "sha-384"),
        ("sha1, sha-256", "sha-256"),
        ("sha-1, md5, sha512, sha-256", "sha-512"),
        ("", "sha-256"),
    ],
)
def test_the_first_supported_micalg_wins(stations: Any, asked: str, answered: str) -> None:
    """RFC 4130 7.3: unknown and not accepted ones are passed over, whatever hash the signature has."""
    built = stations.send()
    options = f"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, {asked}"
    headers = [
        (name, options if name == "Disposition-Notification-Options" else value) for name, value in built.headers
    ]
    opened = stations.take(headers, built.body)
    assert opened.mic_algorithm == answered
    receipt = stations.answer(headers, opened)
    assert f"micalg={answered}" in dict(receipt.headers)["Content-Type"]


def test_no_supported_micalg_is_a_failure_answered_unsigned(stations: Any) -> None:
    """`failed/Failure: unsupported MIC-algorithms`, with the blank."""
    built = stations.send()
    options = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=required, sha1, whirlpool"
    headers = [
        (name, options if name == "Disposition-Notification-Options" else value) for name, value in built.headers
    ]
    fault = stations.refusal(headers, built.body)
    receipt = stations.answer(headers, None, fault)
    assert b"; failed/Failure: unsupported MIC-algorithms\r\n" in receipt.body
    assert not receipt.signed


def test_sha_1_is_answered_by_partner_switch(stations: Any) -> None:
    """Accepted in the policy, it counts in its place of the list."""
    headers, body = stations.send_weak("sha-1")
    policy = Policy(hashes=frozenset({"sha-1", "sha-256"}), require_encryption=False)
    assert stations.take(headers, body, policy).mic_algorithm == "sha-1"


@pytest.mark.parametrize("name", ["order 1.edi", 'quo"te.edi', "bestellung-äöü-注文.edi", "a;b=c.edi"])
def test_file_names_come_back(stations: Any, name: str) -> None:
    """Quoted or by RFC 2231."""
    built = stations.send(filename=name)
    assert stations.take(built.headers, built.body).filename == name


def test_a_message_without_a_receipt_asks_for_none(stations: Any) -> None:
    """And an unsigned one asks for an unsigned one."""
    for kind in ReceiptKind:
        built = stations.send(receipt=kind)
        assert stations.take(built.headers, built.body).receipt_requested is kind


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": "<1@a>\r\nX-Evil: 1"},
        {"subject": "order\nX: y"},
        {"filename": "a\r\nb"},
        {"filename": "../etc/passwd"},
        {"content_type": "text/plain\r\n"},
        {"as2_from": "a\nb"},
        {"as2_to": "x" * 129},
        {"boundary": "b\r\n"},
        {"cipher": "3des-cbc"},
        {"cipher": "rot13"},
        {"micalg": "crc32"},
        {"micalg": "sha-1"},
    ],
)
def test_what_could_split_a_header_or_is_unknown_is_our_fault(stations: Any, changes: dict[str, Any]) -> None:
    """Refused before a byte is built, with a remedy."""
    with pytest.raises(OurFault) as caught:
        stations.send(**changes)
    assert caught.value.remedy


def test_a_key_pair_that_does_not_belong_together_is_our_fault(stations: Any) -> None:
    """Found when configured, not when the first message fails."""
    with pytest.raises(OurFault, match="do not belong together"):
        KeyPair(private_key=stations.ours.private_key, certificate=stations.acme.certificate)
