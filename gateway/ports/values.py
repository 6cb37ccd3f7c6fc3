"""Words and small values that every side of the gateway uses: identifiers, directions, channels, states, receipts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

Json = Mapping[str, Any]
"""A JSON object; decimals are strings."""


def new_id(now: datetime) -> str:
    """A UUIDv7 (RFC 9562 5.7) as text: sorts by the time of `now`, 74 bits are random."""
    milliseconds = int(now.timestamp() * 1000)
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def first_id(at: datetime) -> str:
    """What no id of `at`, or later, comes before."""
    text = f"{int(at.timestamp() * 1000):012x}"
    return f"{text[:8]}-{text[8:]}"


CONFIGURATION = "configuration"
"""The message whose chain tells which configuration was activated or refused, and when. It is no partner's."""


CERTIFICATES = "certificates"
"""The message whose chain tells which certificates came near their end. It is no partner's."""


WEBHOOKS = "webhooks"
"""The message whose chain tells which webhooks were disabled, enabled or sent to again. It is no partner's."""


RETENTION = "retention"
"""The message whose chain tells of legal holds, and of rows that were removed by the hundred. It is no partner's."""


LANES = "lanes"
"""The message whose chain tells which lanes an operator paused, resumed or limited. It is no partner's."""


REPLAYS = "replays"
"""The message whose chain tells which replays were begun, paused and ended. It is no partner's."""


OWN_CHAINS = (CERTIFICATES, CONFIGURATION, LANES, REPLAYS, RETENTION, WEBHOOKS)
"""Messages that nobody sent: their chains tell of the gateway itself. Never listed, counted or purged."""


class Direction(StrEnum):
    """Seen from us."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Channel(StrEnum):
    """How a message came or goes."""

    AS2 = "as2"
    REST = "rest"
    ERP = "erp"
    FOLDER = "folder"
    CLI = "cli"


class MessageState(StrEnum):
    """Where a message stands. Terminal: processed, acknowledged, delivered, rejected, refused."""

    RECEIVED = "received"
    """In: durable, waiting to be read."""
    PROCESSED = "processed"
    """In: read; every set in it is accepted or was answered with its findings."""
    REJECTED = "rejected"
    """In: nothing in it was accepted. Out: the partner's station or acknowledgment refused it."""
    REFUSED = "refused"
    """In: refused unread (not decrypted, not verified, too large); the sender was told."""
    READY = "ready"
    """Out: composed and numbered, waiting to be sent."""
    POSTED = "posted"
    """Out: the partner's station has it, its asynchronous receipt is awaited."""
    SENT = "sent"
    """Out: receipt verified, functional acknowledgment awaited."""
    DELIVERED = "delivered"
    """Out: receipt verified, no functional acknowledgment is awaited."""
    ACKNOWLEDGED = "acknowledged"
    """Out: the partner's functional acknowledgment accepted it."""
    FAILED = "failed"
    """Work on it was given up; an operator can retry."""


class DocumentState(StrEnum):
    """Where a document stands."""

    ACCEPTED = "accepted"
    """In: checked and matched, delivery under way."""
    DELIVERED = "delivered"
    """In: its target has it; of several, every one that counts."""
    PARTLY_DELIVERED = "partly_delivered"
    """In: one of its targets has it, another that counts has not yet."""
    COMPENSATED = "compensated"
    """In: a target that counts was given up, and what others took was undone."""
    HELD = "held"
    """In or out: waits for a word of the cross-references, a decision or its order: `gateway order show` says which."""
    REJECTED = "rejected"
    """In: refused; `findings` say why. Out: the partner's station or acknowledgment refused it."""
    SUBMITTED = "submitted"
    """Out: the ERP handed it over."""
    COMPOSED = "composed"
    """Out: written as an interchange, on its way."""
    AVAILABLE = "available"
    """Out: waits for the partner at the REST API."""
    FETCHED = "fetched"
    """Out: the partner has read it over REST."""
    SENT = "sent"
    """Out: the partner's station has it."""
    ACKNOWLEDGED = "acknowledged"
    """Out: the partner's 997 or CONTRL accepted it."""
    ANSWERED = "answered"
    """Out: a business answer (855, REST acknowledgement) is here."""
    SHIPPED = "shipped"
    """Out: a ship notice for it is here."""
    FAILED = "failed"
    """Work on it was given up; an operator can retry."""


class Expected(StrEnum):
    """What we wait for after we sent something."""

    RECEIPT = "receipt"
    """The MDN of a message."""
    FUNCTIONAL_ACKNOWLEDGEMENT = "functional_acknowledgement"
    """The 997, 999 or CONTRL of a message."""
    ORDER_ACKNOWLEDGEMENT = "order_acknowledgement"
    """The 855, ORDRSP or REST answer to an order."""
    SHIP_NOTICE = "ship_notice"
    """The 856, DESADV or REST notice of an order's goods."""


WHEN_OVER: Mapping[str, Expected] = {
    "overdue": Expected.FUNCTIONAL_ACKNOWLEDGEMENT,
    "unanswered": Expected.ORDER_ACKNOWLEDGEMENT,
    "unshipped": Expected.SHIP_NOTICE,
}
"""The steps that run when the time for something is over."""


class Review(StrEnum):
    """Why a document that came is held for a decision."""

    OUTSIDE_TOLERANCE = "outside_tolerance"
    """It differs from its order by more than was agreed; a person approves or rejects it."""
    ORDER_UNKNOWN = "order_unknown"
    """Its order may come later: it is looked for until the time agreed is over."""
    ORDER_HELD = "order_held"
    """A change of an order that has not gone its way itself: it goes on behind it."""
    REPLACEMENT = "replacement"
    """It takes the place of an earlier one, which the agreement leaves to a person."""


class JobState(StrEnum):
    """`waiting` jobs run when their time-out comes or end when their `wait_key` is met."""

    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"
    DISCARDED = "discarded"
    """A dead letter that somebody put aside; it can be put back to work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What the sender was or will be answered, byte for byte (an MDN with its HTTP headers)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpAnswer:
    """A bounded HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Clock(Protocol):
    """Now, aware, in UTC."""

    def __call__(self) -> datetime:
        """The present moment."""
