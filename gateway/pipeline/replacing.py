"""Documents that replace or cancel earlier ones: which one is meant, and what the target has of it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.pipeline.station import Station
from gateway.ports import DeliveryState, Document, DocumentState

_LONGEST_CHAIN = 100
_THERE = frozenset({DeliveryState.DELIVERED, DeliveryState.COMPENSATING})


@dataclass(frozen=True, kw_only=True, slots=True)
class Replaced:
    """What a target has of what a document replaces."""

    there: bool = False
    their_id: str | None = None
    under_way: str | None = None
    """It may get there still: the later one waits."""
    needless: bool = False
    """A cancellation of something that never went out."""


async def at_target(station: Station, document: Document, target: str) -> Replaced:
    """Follow the chain to the newest earlier document that this target has."""
    cancels, discarded, later = document.body.get("purpose") == "cancel", False, document
    for _ in range(_LONGEST_CHAIN):
        earlier = None if later.replaces is None else await station.queries.document(later.replaces)
        if earlier is None:
            break
        row = next((one for one in await station.queries.deliveries([earlier.id]) if one.target == target), None)
        if row is None:
            if earlier.state is DocumentState.DELIVERED and earlier.target == target:  # of a time without rows
                return Replaced(there=True, their_id=earlier.their_id)
        elif row.state in {DeliveryState.PENDING, DeliveryState.UNCERTAIN}:
            return Replaced(under_way=f"{earlier.kind.replace('_', ' ')} {earlier.number}, which this one follows,")
        elif row.state in _THERE:
            return Replaced(there=True, their_id=row.their_id)
        else:
            discarded = discarded or row.state is DeliveryState.DISCARDED
        later = earlier
    return Replaced(needless=cancels and discarded)
