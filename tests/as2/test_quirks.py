"""What real stations write, and that we read it: the tables of `peers/quirks.py`, row by row."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gateway.as2 import Policy, ReceiptKind, Sent, read_headers, read_receipt
from gateway.as2.algorithms import HASHES
from gateway.as2.building import http_date
from gateway.as2.signature import sign
from gateway.errors import PartnerFault

from .conftest import MOMENT
from .peers.quirks import ENVELOPES, MESSAGES, MULTIPART, NOT_READ, RECEIPTS, Envelope, Headers, Message, Receipt

OPEN = Policy(require_encryption=False)
RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d010101")
SHA256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")


def _headers(quirk: Message | Envelope | Receipt, usual: Headers) -> list[tuple[str, str]]:
    own = {name.lower() for name, _ in quirk.headers}
    left_out = {name.lower() for name in getattr(quirk, "without", ())}
    return [*quirk.headers, *(one for one in usual if one[0].lower() not in own | left_out)]


def _signed(stations: Any, part: bytes, body: bytes, key: Any) -> bytes:
    digest = HASHES["sha-256"].digest([part])
    octets = sign(digest, key=key, algorithm=HASHES["sha-256"], moment=MOMENT)
    filled = body.replace(b"<part>", part).replace(b"<base64>", base64.b64encode(octets))
    if b"<with hash>" in filled:
        before, _, after = octets.rpartition(RSA_ENCRYPTION)
        filled = filled.replace(b"<with hash>", before + SHA256_WITH_RSA + after)
    return filled.replace(b"<der>", octets)


def _message(stations: Any, quirk: Message) -> tuple[list[tuple[str, str]], bytes]:
    usual = [
        ("AS2-Version", "1.1"),
        ("AS2-From", "acme"),
        ("AS2-To", "us"),
        ("Message-ID", "<1@acme>"),
        ("Subject", "order"),
        ("Date", http_date(MOMENT)),
        ("MIME-Version", "1.0"),
        ("Disposition-Notification-To", "edi@acme.example"),
        ("Disposition-Notification-Options", "signed-receipt-protocol=optional, pkcs7-signature"),
        ("Content-Type", MULTIPART),
    ]
    return _headers(quirk, usual), _signed(stations, quirk.part, quirk.body, stations.acme)


@pytest.mark.parametrize("habit", MESSAGES)
def test_a_signed_message_is_read_as_that_station_writes_it(stations: Any, habit: str) -> None:
    """The payload as it was, the MIC over what was signed, and a receipt that can be addressed."""
    quirk = MESSAGES[habit]
    headers, body = _message(stations, quirk)
    opened = stations.take(headers, body, OPEN)
    assert opened.payload == quirk.payload
    assert quirk.filename in {None, opened.filename}
    assert opened.mic == base64.b64encode(HASHES["sha-256"].digest([quirk.part])).decode()
    receipt = stations.answer(headers, opened)
    assert receipt.signed
    assert f"Original-Message-ID: {read_headers(headers).message_id}".encode() in receipt.body


@pytest.mark.parametrize("habit", ENVELOPES)
def test_an_encrypted_message_is_read_as_that_station_writes_it(stations: Any, habit: str) -> None:
    """What the structure is decides, not what headers say of it."""
    quirk = ENVELOPES[habit]
    built = stations.send()
    usual = [one for one in built.headers if one[0] != "Content-Transfer-Encoding"]
    opened = stations.take(_headers(quirk, usual), quirk.change(built.body))
    assert opened.payload == stations.payload
    assert opened.encrypted


def _receipt(stations: Any, quirk: Receipt, sent: Sent) -> tuple[list[tuple[str, str]], bytes]:
    def filled(text: str) -> str:
        text = text.replace("<id>", sent.message_id).replace("<bare>", sent.message_id.strip("<>"))
        return text.replace("<mic>", sent.mic)

    fields = filled(quirk.fields)
    if "<base64 fields>" in fields:
        plain = filled(Receipt(source="").fields).replace("\n", "\r\n")
        fields = base64.encodebytes(plain.encode()).decode()
    report = quirk.report.replace("<text>", quirk.text).replace("<notification>", quirk.notification)
    text = report.replace("<fields>", fields).replace("\n", quirk.line_end).replace("<lf>", "\n")
    if not quirk.signed:
        return _headers(quirk, [("Content-Type", quirk.content_type)]), text.encode("latin-1")
    head = f"Content-Type: {quirk.content_type}\n\n".replace("\n", quirk.line_end)
    envelope = quirk.envelope.replace(b"\r\n", quirk.line_end.encode())
    body = _signed(stations, (head + text).encode("latin-1"), envelope, stations.ours)
    return _headers(quirk, [("Content-Type", MULTIPART)]), body


@pytest.mark.parametrize("habit", RECEIPTS)
def test_a_receipt_is_read_as_that_station_writes_it(stations: Any, habit: str) -> None:
    """Its verdict is the one it means: taken with our MIC, or refused with its reason."""
    quirk = RECEIPTS[habit]
    built = stations.send(receipt=ReceiptKind.SIGNED)
    sent = Sent(message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=built.signed)
    headers, body = _receipt(stations, quirk, sent)
    verdict = read_receipt(
        headers, body, sent=sent, partner_certificates=[stations.ours.certificate], require_signature=True
    )
    assert (verdict.processed, verdict.error) == (quirk.processed, quirk.error)
    assert verdict.mic_matched is (True if quirk.processed else None)


def test_every_row_names_where_the_habit_is_told() -> None:
    """So that it can be looked up when a row is in the way."""
    assert all(row.source for table in (MESSAGES, ENVELOPES, RECEIPTS) for row in table.values())


@pytest.mark.parametrize("habit", NOT_READ)
def test_what_cannot_be_read_safely_is_refused_by_name(stations: Any, habit: str) -> None:
    """These are decisions: whoever changes one changes the security of the reader."""
    quirk, refusal, _ = NOT_READ[habit]
    headers, body = _message(stations, quirk)
    assert refusal in str(stations.refusal(headers, body, OPEN).refusal)


def test_an_empty_answer_is_no_receipt(stations: Any) -> None:
    """HTTP 200 or 204 without a body, where a receipt was asked for in the answer, proves nothing."""
    built = stations.send()
    with pytest.raises(PartnerFault, match="not a receipt"):
        stations.verdict(built, None, headers=[("Content-Length", "0")], body=b"")
