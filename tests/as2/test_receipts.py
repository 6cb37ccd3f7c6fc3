"""Receipts: one for every message that could be addressed, bound to its request, and what they prove."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.as2 import As2Fault, KeyPair, ReceiptKind, Refusal, Sent
from gateway.as2.algorithms import HASHES
from gateway.as2.building import Layer, sign_layer
from gateway.as2.mime import Entity, Index, parts
from gateway.as2.receipt import BuiltReceipt
from gateway.errors import PartnerFault

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


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


def resigned(stations: Any, receipt: BuiltReceipt, change: Callable[[bytes], bytes]) -> BuiltReceipt:
    """The receipt with its report changed, and signed by our station again."""
    whole = Entity(data=receipt.body, start=0, body=0, end=len(receipt.body), headers=Index(receipt.headers))
    report = parts(whole)[0]
    layer, _ = sign_layer(
        Layer(headers=(("Content-Type", report.content_type),), content=[change(bytes(report.content))]),
        key=stations.ours,
        algorithm=HASHES["sha-256"],
        moment=MOMENT,
    )
    return replace(receipt, headers=layer.headers, body=b"".join(layer.content))


MIC_LINE = re.compile(rb"Received-Content-MIC:[^\r\n]*\r\n")


def test_a_signed_duplicate_without_a_mic_is_a_delivered_message(stations: Any, answered: tuple[Any, Any, Any]) -> None:
    """They have it and signed for that; sending again would bring the same answer for ever."""
    built, opened, _ = answered
    receipt = stations.answer(built.headers, opened, duplicate=True)
    bare = resigned(stations, receipt, lambda report: MIC_LINE.sub(b"", report))
    verdict = stations.verdict(built, bare)
    assert (verdict.processed, verdict.warning, verdict.mic_matched) == (True, "duplicate-document", None)
    assert verdict.signed_by is not None


def test_a_duplicate_counts_without_a_mic_only_when_signed_and_ours(
    stations: Any, answered: tuple[Any, Any, Any]
) -> None:
    """A wrong MIC, an empty one, another message, no signature, another warning, plain success: all refused."""
    built, opened, first = answered
    receipt = stations.answer(built.headers, opened, duplicate=True)

    def without(report: bytes) -> bytes:
        return MIC_LINE.sub(b"", report)

    changes: list[Callable[[bytes], bytes]] = [
        lambda report: MIC_LINE.sub(b"Received-Content-MIC: AAAA, sha-256\r\n", report),
        lambda report: MIC_LINE.sub(b"Received-Content-MIC: , sha-256\r\n", report),
        lambda report: without(report).replace(b"duplicate-document", b"something else"),
        lambda report: without(report).replace(b"/warning: duplicate-document", b"/duplicate-document"),
    ]
    for change in changes:
        with pytest.raises(PartnerFault, match="MIC"):
            stations.verdict(built, resigned(stations, receipt, change))
    with pytest.raises(PartnerFault, match="MIC"):
        stations.verdict(built, resigned(stations, first, without))
    with pytest.raises(PartnerFault, match="another message"):
        stations.verdict(replace(built, message_id="<2@acme>"), resigned(stations, receipt, without))
    unsigned = stations.answer(built.headers, opened, duplicate=True, key=None)
    with pytest.raises(PartnerFault, match="MIC"):
        stations.verdict(built, unsigned, body=without(unsigned.body), require_signature=False)


def test_what_a_receipt_says_can_always_be_shown_and_stored(stations: Any) -> None:
    """No NUL, controls or surrogates: a database refuses them, a terminal obeys them."""
    built = stations.send(receipt=ReceiptKind.UNSIGNED)
    fault = As2Fault("no", refusal=Refusal.UNEXPECTED, public="Told.")
    receipt = stations.answer(built.headers, None, fault)
    body = receipt.body.replace(b"Told.", b"T\x00o\x1b[2Jl\td\r\n\xed\xa0\x80line\xc2\x85 three")
    body = body.replace(b"unexpected-processing-error", b"un\x01ex\x9b\x7fpected")
    headers = [pair for pair in receipt.headers if pair[0] != "Message-ID"]
    headers.append(("Message-ID", "<r\udcfc\x01@us>" + "x" * 5000))
    verdict = stations.verdict(built, receipt, headers=headers, body=body)
    assert verdict.text == "To[2Jl d\n\ufffd\ufffd\ufffdline\n three"
    assert (verdict.error, verdict.processed) == ("unexpected", False)
    assert verdict.disposition == "automatic-action/MDN-sent-automatically; processed/error: unexpected"
    assert (verdict.message_id[:6], len(verdict.message_id)) == ("<r@us>", 998)


@pytest.mark.parametrize("flood", [b" " * 30_000 + b"x", b"/" * 30_000, b"/a : " + b" " * 30_000, b"a" * 30_000])
def test_a_disposition_is_bounded_before_it_is_read(stations: Any, flood: bytes) -> None:
    """More than a thousand characters are no disposition."""
    built = stations.send(receipt=ReceiptKind.UNSIGNED)
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body))
    body = receipt.body.replace(b"; processed", b"; processed/warning: x" + flood + b"y")
    started = time.process_time()
    with pytest.raises(PartnerFault, match="disposition"):
        stations.verdict(built, receipt, body=body, require_signature=False)
    assert time.process_time() - started < 1


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
