"""One document's deliveries, a state for each target, and the document's own state as the table makes it of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.ports.values import DocumentState


class DeliveryState(StrEnum):
    """Where the delivery of a document to one target stands."""

    PENDING = "pending"
    """It is called, or will be."""
    DELIVERED = "delivered"
    """The target has it."""
    UNCERTAIN = "uncertain"
    """A call began and no answer came: the target may have it. A look-up or an operator decides."""
    FAILED = "failed"
    """Given up: the target has it not. An operator can retry."""
    COMPENSATING = "compensating"
    """It is being undone at the target, because a target that counts was given up."""
    COMPENSATED = "compensated"
    """It was undone."""
    DISCARDED = "discarded"
    """It shall not be delivered: routed elsewhere, replaced before it went out, or an operator said so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryChange:
    """A delivery's row is made, or changed; `None` leaves a field as it is, a new row is pending.

    A state that the present one may not be left for (`gateway.store.states`) changes nothing of the row.
    """

    document_id: str
    target: str
    key: str
    """Only of a new row: the idempotency key of its calls."""
    new_key: str | None = None
    """Of a row that is there: its key from now on."""
    state: DeliveryState | None = None
    critical: bool = True
    """Only of a new row: whether the document is not delivered without it."""
    their_id: str | None = None
    status: int | None = None
    reason: str | None = None
    only_from: frozenset[DeliveryState] | None = None
    """The states that may be left for `state`, where they are fewer than the table has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryRecord:
    """A delivery as stored."""

    document_id: str
    target: str
    critical: bool
    state: DeliveryState
    key: str
    their_id: str | None
    status: int | None
    """Of the answer that ended it."""
    updated_at: datetime
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveriesSeen:
    """The deliveries of a document as somebody decided over them; others meanwhile make it decide anew."""

    document_id: str
    states: tuple[tuple[str, DeliveryState], ...]
    """Target and state, by target."""


def seen(document_id: str, rows: Iterable[DeliveryRecord]) -> DeliveriesSeen:
    """What was decided over."""
    return DeliveriesSeen(document_id=document_id, states=tuple(sorted((one.target, one.state) for one in rows)))


HAS = frozenset({DeliveryState.DELIVERED, DeliveryState.COMPENSATING})
"""States in which the target has the document."""


def document_state(rows: Iterable[DeliveryRecord]) -> DocumentState:
    """The state of a document with several targets. The first line that fits decides; discarded ones do not count.

    | its targets                                                    | the document     |
    |----------------------------------------------------------------|------------------|
    | one that counts failed, what others took was undone, all of it | compensated      |
    | one that counts failed, or none is left                        | failed           |
    | every one that counts has it                                   | delivered        |
    | some have it                                                   | partly delivered |
    | none has it yet                                                | accepted         |
    """
    left = [one for one in rows if one.state is not DeliveryState.DISCARDED]
    critical = [one.state for one in left if one.critical]
    undone = any(one.state is DeliveryState.COMPENSATED for one in left)
    held = any(one.state in HAS for one in left)
    if DeliveryState.FAILED in critical or not critical:
        return DocumentState.COMPENSATED if undone and not held else DocumentState.FAILED
    if all(one is DeliveryState.DELIVERED for one in critical):
        return DocumentState.DELIVERED
    return DocumentState.PARTLY_DELIVERED if held else DocumentState.ACCEPTED
