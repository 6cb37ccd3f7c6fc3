"""Ready-made changes for the tests of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from gateway.events import Event, MessageReceived
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    DocumentState,
    MessageState,
    NewDocument,
    NewJob,
    NewMessage,
    Receipt,
    new_id,
)

ISA = b"ISA*"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hashes(message: NewMessage) -> dict[str, Any]:
    """What the first event says of a message's bytes."""
    assert isinstance(message.payload, bytes)
    said: dict[str, Any] = {"sha256": _sha256(message.payload), "size": len(message.payload)}
    if message.raw is None:
        return said
    return {"sha256": _sha256(message.raw), "payload_sha256": said["sha256"], "size": len(message.raw)}


class Trade:
    """Makes messages, documents and jobs of a supplier; everything can be overridden."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock

    def message(self, **fields: Any) -> NewMessage:
        """An inbound AS2 message of acme."""
        at = self.clock()
        given: dict[str, Any] = {
            "id": new_id(at),
            "partner": "acme",
            "direction": Direction.INBOUND,
            "channel": Channel.AS2,
            "state": MessageState.RECEIVED,
            "at": at,
            "payload": ISA,
        }
        return NewMessage(**given | fields)

    def received(self, *, lane: str = "acme:inbound:read", step: str = "read", **fields: Any) -> Changes:
        """A received message with its receipt, first job and first event."""
        receipt = Receipt(status=200, headers=(("content-type", "multipart/signed"),), body=b"MDN")
        message = self.message(**{"receipt": receipt} | fields)
        return Changes(
            messages=(message,),
            jobs=(NewJob(message_id=message.id, step=step, lane=lane, run_at=self.clock()),),
            events=(self.event(message.id, **_hashes(message)),),
        )

    def event(self, message_id: str, **fields: Any) -> Event:
        """A first event."""
        return MessageReceived(
            **{"message_id": message_id, "partner": "acme", "channel": "as2", "sha256": _sha256(ISA), "size": 4}
            | fields
        )

    def document(self, message_id: str, **fields: Any) -> NewDocument:
        """An acknowledgement of order 4711."""
        at = self.clock()
        given: dict[str, Any] = {
            "id": new_id(at),
            "message_id": message_id,
            "partner": "acme",
            "direction": Direction.INBOUND,
            "kind": "order_acknowledgement",
            "number": "A-1",
            "order_number": "4711",
            "business_unit": None,
            "state": DocumentState.ACCEPTED,
            "at": at,
            "body": {"number": "A-1", "lines": [{"line_id": "1", "quantity": "2.50"}]},
            "sha256": "00",
            "natural_key": "order_acknowledgement:A-1:0",
        }
        return NewDocument(**given | fields)


@pytest.fixture
def trade(clock: Callable[[], datetime]) -> Trade:
    """Ready-made changes."""
    return Trade(clock)
