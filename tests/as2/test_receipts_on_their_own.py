"""Receipts that come by themselves (RFC 4130 7.2): asked for, told from messages, and their message named."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.as2 import MAX_RECEIPT, ReceiptKind, is_receipt, original_message_id, read_headers
from gateway.errors import OurFault, PartnerFault

ADDRESS = "https://us.example/as2/receipts"


def test_an_asynchronous_receipt_is_asked_for_by_its_address(stations: Any) -> None:
    """The header is there beside the request for a receipt, and the receiver reads it."""
    request = read_headers(stations.send(receipt_to=ADDRESS).headers).receipt
    assert (request.kind, request.delivery_url) == (ReceiptKind.SIGNED, ADDRESS)


def test_no_address_is_told_where_no_receipt_is_wanted(stations: Any) -> None:
    """The address alone asks for nothing."""
    built = stations.send(receipt_to=ADDRESS, receipt=ReceiptKind.NONE)
    assert "Receipt-Delivery-Option" not in dict(built.headers)


def test_an_address_cannot_bring_another_header(stations: Any) -> None:
    """A line end in it is our mistake, told before anything is sent."""
    with pytest.raises(OurFault, match="Receipt-Delivery-Option"):
        stations.send(receipt_to=f"{ADDRESS}\r\nX: y")


@pytest.mark.parametrize("kind", [ReceiptKind.SIGNED, ReceiptKind.UNSIGNED])
def test_a_receipt_is_told_from_a_message_and_names_it(stations: Any, kind: ReceiptKind) -> None:
    """Signed or not."""
    built = stations.send(receipt=kind)
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body))
    assert is_receipt(receipt.headers, receipt.body)
    assert original_message_id(receipt.headers, receipt.body) == "1@acme"


@pytest.mark.parametrize("how", [{}, {"encrypt_for": ()}, {"encrypt_for": (), "sign_with": None}, {"compress": True}])
def test_a_message_is_no_receipt(stations: Any, how: dict[str, Any]) -> None:
    """However it is wrapped, with or without a receipt wanted."""
    for receipt in ReceiptKind:
        built = stations.send(receipt=receipt, **how)
        assert not is_receipt(built.headers, built.body)


REPORT = 'multipart/report; report-type=disposition-notification; boundary="b"'
WRONG: dict[str, tuple[str, bytes]] = {
    "text": ("text/plain", b"fine"),
    "no boundary": ("multipart/report", b"--b\r\n\r\n--b--"),
    "no notification": (REPORT, b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"),
    "no message named": (
        REPORT,
        b"--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: a/b; processed\r\n--b--\r\n",
    ),
    "an endless name": (
        REPORT,
        b"--b\r\nContent-Type: message/disposition-notification\r\n\r\nOriginal-Message-ID: %b\r\n--b--\r\n"
        % (b"x" * 2000),
    ),
    "signed without parts": ("multipart/signed; boundary=b", b"--b--"),
    "too large": (REPORT, b"x" * (MAX_RECEIPT + 1)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_names_no_message_is_refused_in_words(name: str) -> None:
    """A PartnerFault, nothing else."""
    content_type, body = WRONG[name]
    with pytest.raises(PartnerFault):
        original_message_id([("Content-Type", content_type)], body)


def test_a_request_that_asks_for_a_receipt_is_no_receipt(stations: Any) -> None:
    """RFC 8098 2.1: nobody answers receipts with receipts."""
    built = stations.send()
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body))
    assert not is_receipt((*receipt.headers, ("Disposition-Notification-To", "x")), receipt.body)
