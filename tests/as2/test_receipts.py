"""Receipts: one for every message that could be addressed, bound to its request, and what they prove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.as2 import As2Fault, KeyPair, ReceiptKind, Refusal, Sent
from gateway.errors import PartnerFault


@pytest.fixture
def answered(stations: Any) -> tuple[Any, Any, Any]:
    """A message of acme's, opened, and our receipt."""
    built = stations.send()
    opened = stations.take(built.headers, built.body)
    return built, opened, stations.answer(built.headers, opened)


def test_a_receipt_names_message_mic_and_both_stations(stations: Any, answered: tuple[Any, Any, Any]) -> None:
    """Names change sides; the MIC is in it and matches."""
    built, opened, receipt = answered
    headers = dict(receipt.headers)
    assert (headers["AS2-From"], headers["AS2-To"]) == ("us", "acme")
    assert b"Original-Message-ID: <1@acme>\r\n" in receipt.body
    verdict = stations.verdict(built, receipt)
    assert (verdict.processed, verdict.mic, verdict.mic_matched) == (True, opened.mic, True)
    assert (verdict.warning, verdict.error, verdict.message_id) == (None, None, "<r@us>")


def test_a_duplicate_answered_anew_is_processed_with_a_warning(stations: Any, answered: tuple[Any, Any, Any]) -> None:
    """The sender sees that nothing happened twice."""
    built, opened, _ = answered
    verdict = stations.verdict(built, stations.answer(built.headers, opened, duplicate=True))
    assert (verdict.processed, verdict.warning) == (True, "duplicate-document")


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_a_receipt_the_sender_understands(stations: Any, refusal: Refusal) -> None:
    """Row by row: not processed, with the words of the table, the public text and no MIC."""
    built = stations.send()
    receipt = stations.answer(built.headers, None, As2Fault("internal detail", refusal=refusal, public="Told."))
    verdict = stations.verdict(built, receipt)
    assert verdict.processed is False
    assert verdict.error == refusal.split(": ")[1]
    assert (verdict.text, verdict.mic) == ("Told.", None)
    assert b"internal detail" not in receipt.body


def test_an_unsigned_receipt_is_built_when_asked_or_without_a_key(stations: Any) -> None:
    """RFC 4130 7.3."""
    built = stations.send(receipt=ReceiptKind.UNSIGNED)
    opened = stations.take(built.headers, built.body)
    receipt = stations.answer(built.headers, opened)
    assert not receipt.signed
    assert stations.verdict(built, receipt, require_signature=False).signed_by is None
    signed_asked = stations.send()
    assert not stations.answer(signed_asked.headers, opened, key=None).signed


def test_an_unsigned_receipt_proves_nothing_when_a_signed_one_was_asked_for(stations: Any) -> None:
    """Positive and unsigned: refused."""
    built = stations.send()
    opened = stations.take(built.headers, built.body)
    with pytest.raises(PartnerFault, match="not signed"):
        stations.verdict(built, stations.answer(built.headers, opened, key=None))


def test_an_unsigned_refusal_is_a_verdict(stations: Any) -> None:
    """Receivers who do not know us cannot sign as asked; believing them costs a retry, never a document."""
    built = stations.send()
    fault = As2Fault("who?", refusal=Refusal.UNKNOWN_RELATIONSHIP)
    verdict = stations.verdict(built, stations.answer(built.headers, None, fault, key=None))
    assert (verdict.processed, verdict.signed_by) == (False, None)


def test_a_receipt_signed_by_somebody_else_is_refused(
    stations: Any, answered: tuple[Any, Any, Any], pair: Callable[..., KeyPair]
) -> None:
    """Its own certificate inside does not help; a refusal with a wrong signature is refused too."""
    built, opened, _ = answered
    forged = stations.answer(built.headers, opened, key=pair("mallory"))
    with pytest.raises(PartnerFault, match="none of the 1 signers"):
        stations.verdict(built, forged)
    fault = As2Fault("no", refusal=Refusal.UNEXPECTED)
    with pytest.raises(PartnerFault, match="signature"):
        stations.verdict(built, stations.answer(built.headers, None, fault, key=pair("mallory")))


def test_a_changed_receipt_is_refused(stations: Any) -> None:
    """An error turned into a success on the way does not verify."""
    built = stations.send()
    receipt = stations.answer(built.headers, None, As2Fault("no", refusal=Refusal.UNEXPECTED))
    body = receipt.body.replace(b"; processed/error: unexpected-processing-error", b"; processed")
    with pytest.raises(PartnerFault, match="not what was signed"):
        stations.verdict(built, receipt, body=body)


def test_a_receipt_for_another_message_is_refused(stations: Any, answered: tuple[Any, Any, Any]) -> None:
    """A genuine receipt, replayed for another message."""
    built, _, receipt = answered
    with pytest.raises(PartnerFault, match="another message"):
        stations.verdict(replace(built, message_id="<2@acme>"), receipt)
    assert stations.verdict(replace(built, message_id="1@acme"), receipt).processed


def test_a_receipt_with_another_mic_is_refused(stations: Any, answered: tuple[Any, Any, Any]) -> None:
    """They signed for content that is not what we sent; another hash cannot be compared and is refused as well."""
    built, _, receipt = answered
    for changes in ({"mic": "AAAA"}, {"mic_algorithm": "sha-512"}):
        with pytest.raises(PartnerFault, match="MIC"):
            stations.verdict(replace(built, **changes), receipt)


def test_a_receipt_without_a_mic_for_a_signed_message_is_refused(stations: Any) -> None:
    """RFC 4130 7.3.1: a positive signed receipt carries it."""
    built = stations.send(receipt=ReceiptKind.UNSIGNED)
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body))
    body = receipt.body.replace(b"Received-Content-MIC", b"X-Received")
    with pytest.raises(PartnerFault, match="MIC"):
        stations.verdict(built, receipt, body=body, require_signature=False)


def test_the_mic_of_an_unsigned_message_is_reported_not_judged(stations: Any, anything: Any) -> None:
    """It secures nothing there."""
    built = stations.send(sign_with=None)
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body, anything))
    assert stations.verdict(replace(built, mic="AAAA"), receipt).mic_matched is False


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((("Content-Type", "text/html"),), b"<h1>502 Bad Gateway</h1>"),
        ((), b""),
        ((("Content-Type", "multipart/report"),), b"x"),
        ((("Content-Type", 'multipart/report; boundary="b"'),), b"--b\r\n\r\nhello\r\n--b--\r\n"),
        ((("Content-Type", 'multipart/signed; boundary="b"'),), b"--b\r\n\r\nhello\r\n--b--\r\n"),
        ((("Content-Type", "a"), ("Content-Type", "b")), b"x"),
        ((("Content-Type", "text/plain"),), b"x" * (1024 * 1024 + 1)),
    ],
)
def test_an_answer_that_is_no_receipt_says_so(stations: Any, headers: Any, body: bytes) -> None:
    """A proxy's page, an empty answer, half a receipt: a fault, never a traceback."""
    built = stations.send()
    with pytest.raises(PartnerFault):
        stations.verdict(
            built, stations.answer(built.headers, stations.take(built.headers, built.body)), headers=headers, body=body
        )


@pytest.mark.parametrize(
    ("disposition", "processed", "warning", "error"),
    [
        ("automatic-action/MDN-sent-automatically; processed", True, None, None),
        ("manual-action/MDN-sent-manually;processed", True, None, None),
        (
            "automatic-action/MDN-sent-automatically; processed/warning: duplicate-document",
            True,
            "duplicate-document",
            None,
        ),
        ("automatic-action/MDN-sent-automatically; processed/Warning", True, "Warning", None),
        (
            "automatic-action/MDN-sent-automatically; processed/Error: decryption-failed",
            False,
            None,
            "decryption-failed",
        ),
        ("automatic-action/MDN-sent-automatically; processed/error", False, None, "error"),
        (
            "automatic-action/MDN-sent-automatically; failed/Failure: unsupported format",
            False,
            None,
            "unsupported format",
        ),
        ("automatic-action/MDN-sent-automatically; failed", False, None, "failed"),
    ],
)
def test_dispositions_are_read_as_they_are_written(
    stations: Any, *, disposition: str, processed: bool, warning: str | None, error: str | None
) -> None:
    """Modes, cases and blanks differ by station."""
    built = stations.send(receipt=ReceiptKind.UNSIGNED)
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body))
    body = receipt.body.replace(b"automatic-action/MDN-sent-automatically; processed", disposition.encode())
    verdict = stations.verdict(built, receipt, body=body, require_signature=False)
    assert (verdict.processed, verdict.warning, verdict.error) == (processed, warning, error)


def test_an_unknown_disposition_is_a_fault(stations: Any) -> None:
    """`displayed`, `deleted` and inventions say nothing about our document."""
    built = stations.send(receipt=ReceiptKind.UNSIGNED)
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body))
    for word in (b"deleted", b"x" * 2000):
        with pytest.raises(PartnerFault, match="disposition"):
            stations.verdict(
                built, receipt, body=receipt.body.replace(b"; processed", b"; " + word), require_signature=False
            )


def test_a_receipt_is_for_a_message_taken_or_refused(stations: Any) -> None:
    """Neither and both are programming mistakes."""
    built = stations.send()
    with pytest.raises(ValueError, match="either taken or refused"):
        stations.answer(built.headers, None)


def test_what_was_built_is_what_is_remembered(stations: Any) -> None:
    """`Sent` takes its four fields from `Built`."""
    built = stations.send()
    assert {field: getattr(built, field) for field in Sent.__slots__}
