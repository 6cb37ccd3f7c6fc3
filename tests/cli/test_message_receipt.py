"""`gateway message show` tells where a receipt stands, in one line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.cli.message_receipt import receipt_words
from gateway.ports import Channel, Direction, Message, MessageState, TrailEntry

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
POSTED: tuple[str, dict[str, Any]] = ("message.posted", {"as2_message_id": "<1@us>"})
OVERDUE: tuple[str, dict[str, Any]] = ("receipt.overdue", {"waited_seconds": 60})
SENT = {"disposition": "a/b; processed", "mic_algorithm": "sha-256", "mic_matched": True, "receipt_signed_by": "ab"}
BY_ITSELF = {"receipt_came": "by itself"}
ISSUED = {"disposition": "processed"}
URL = "https://acme.example/mdn"
TO = {"disposition": "processed", "deliver_to": URL}
OUT, IN = Direction.OUTBOUND, Direction.INBOUND

ROWS: list[tuple[Direction, MessageState, list[tuple[str, dict[str, Any]]], str]] = [
    (OUT, MessageState.READY, [], "none yet"),
    (OUT, MessageState.POSTED, [POSTED], "awaited: posted 2026-03-02 08:00:00"),
    (OUT, MessageState.POSTED, [POSTED, OVERDUE, POSTED], "awaited: posted 2026-03-02 08:00:00, once overdue"),
    (OUT, MessageState.FAILED, [POSTED, OVERDUE, OVERDUE], "2 times overdue; a late one still counts"),
    (
        OUT,
        MessageState.SENT,
        [("message.sent", SENT)],
        "received in the answer: a/b; processed, signed, the MIC is ours",
    ),
    (OUT, MessageState.SENT, [POSTED, ("message.sent", SENT | BY_ITSELF)], "received by itself: a/b; processed"),
    (
        OUT,
        MessageState.REJECTED,
        [("message.rejected_by_partner", {"disposition": "a/b; processed/error: x"})],
        "refused in the answer: a/b; processed/error: x",
    ),
    (IN, MessageState.PROCESSED, [("receipt.issued", ISSUED)], "sent in the answer: processed"),
    (IN, MessageState.PROCESSED, [("receipt.issued", TO)], f"waits to be sent to {URL}: processed"),
    (
        IN,
        MessageState.PROCESSED,
        [("receipt.issued", TO), ("receipt.delivered", {"url": URL})],
        f"sent to {URL} 2026-03-02 08:00:00: processed",
    ),
    (
        IN,
        MessageState.PROCESSED,
        [("receipt.issued", TO), ("work.given_up", {"step": "receipt"})],
        "given up",
    ),
]


def message(direction: Direction, state: MessageState, channel: Channel = Channel.AS2) -> Message:
    """A message as stored."""
    return Message(
        id="1",
        partner="acme",
        direction=direction,
        channel=channel,
        state=state,
        at=AT,
        content_type="application/edi-x12",
        filename=None,
        payload_sha256="",
        size=1,
        raw_headers=(),
        as2_message_id="<1@us>",
        mic=None,
        answers=None,
        receipt=None,
    )


@pytest.mark.parametrize(("direction", "state", "facts", "words"), ROWS)
def test_the_words_are_of_the_trail(direction: Direction, state: MessageState, facts: Any, words: str) -> None:
    """Row by row."""
    trail = [
        TrailEntry(
            message_id="1", number=number, kind=kind, at=AT, partner="acme", order_number=None, data=data, hash=""
        )
        for number, (kind, data) in enumerate(facts, 1)
    ]
    assert words in str(receipt_words(message(direction, state), trail))


def test_what_did_not_come_over_as2_has_no_receipt() -> None:
    """Nothing is told."""
    assert receipt_words(message(IN, MessageState.PROCESSED, Channel.REST), []) is None
    assert receipt_words(message(IN, MessageState.RECEIVED), []) is None
