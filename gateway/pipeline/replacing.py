"""One number, several documents: a repeat, other content, a replacement by its purpose code; what targets have of it.

The domain is partner, kind, number and revision, whatever way a document came. What is replaced is kept, and both know
of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gateway.events import DocumentReplaced
from gateway.findings import Finding, JsonPlace
from gateway.partners.agreement import Agreement
from gateway.pipeline import identity
from gateway.pipeline.matching import already_acknowledged
from gateway.pipeline.station import Station
from gateway.ports import (
    DeliveryState,
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Json,
    NewDocument,
)

REPLACING = frozenset({"replace", "cancel"})
"""Purposes that are about the earlier document of the same number. An order change is about its order: never."""
_LONGEST_CHAIN = 100
_THERE = frozenset({DeliveryState.DELIVERED, DeliveryState.COMPENSATING})


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a document stands to an earlier one of its number."""

    repeats: Document | None = None
    """It is this one again."""
    follows: Document | None = None
    """It replaces or cancels this one."""
    ends: Document | None = None
    """Its natural key is this one's until now."""
    findings: tuple[Finding, ...] = ()
    held: bool = False
    """It waits for an operator."""


async def standing(station: Station, agreement: Agreement, kind: str, body: Json, sha256: str) -> Standing:
    """Whether a document came before, or one that it takes the place of."""
    purpose = body.get("purpose")
    key = identity.natural_key(kind, body)
    first = await station.queries.document_by_key(agreement.name, Direction.INBOUND, key)
    if first is not None and first.sha256 == sha256:
        return Standing(repeats=first)
    if first is not None and (same := await _came_before(station, agreement, kind, body, sha256)) is not None:
        return Standing(repeats=same)
    if purpose in REPLACING and kind != "order_change":
        earlier = first or await _earlier(station, agreement, kind, body)
        if earlier is None:
            return Standing()
        if agreement.replacements == "refuse":
            return Standing(findings=(_refused(kind, body, earlier),))
        return Standing(follows=earlier, ends=first, held=agreement.replacements == "hold")
    if first is None:
        return Standing()
    days = agreement.duplicates.window_days
    if days is not None and station.clock() - first.at > timedelta(days=days):
        return Standing(ends=first)
    return Standing(findings=(other_content(kind, body, first),))


async def _came_before(station: Station, agreement: Agreement, kind: str, body: Json, sha256: str) -> Document | None:
    """What was replaced meanwhile and comes once more, late: still a repeat."""
    number = identity.number_of(kind, body)
    found = await station.queries.documents_by_number(agreement.name, Direction.INBOUND, kind, number)
    return next((one for one in found if one.sha256 == sha256), None)


async def _earlier(station: Station, agreement: Agreement, kind: str, body: Json) -> Document | None:
    """The one that counts now, of any purpose and revision: acknowledgements go by their order, the rest by number."""
    number, order = identity.number_of(kind, body), identity.order_ref(body)
    if kind != "order_acknowledgement" or order is None:
        found = await station.queries.documents_by_number(agreement.name, Direction.INBOUND, kind, number)
    else:
        found = await station.queries.documents_for_order(agreement.name, kind, order[0], release=order[1])
    return next((one for one in reversed(found) if one.replaced_by is None), None)


def other_content(kind: str, body: Json, first: Document | NewDocument) -> Finding:
    """The number is another document's already; of an acknowledgement without its number, the order."""
    key = identity.natural_key(kind, body)
    if kind == "order_acknowledgement" and identity.natural_key(kind, first.body) != key:
        return already_acknowledged(str(first.order_number), first)
    place, fix = _OTHER.get(kind, ("/number", "use a new number, or send it with purpose replace"))
    return Finding(
        rule="duplicate.other_content",
        place=JsonPlace(pointer=place),
        said=f"{kind.replace('_', ' ')} {identity.number_of(kind, body)} with other content",
        wanted=f"one that is new: message {first.message_id} brought this one at {first.at:%Y-%m-%d %H:%M} UTC",
        fix=fix,
    )


_OTHER = {
    "order_acknowledgement": ("/order/number", "send it with purpose change or replace (BAK01 04 or 05)"),
    "order_change": (
        "/change_sequence",
        "count each change of an order (860: BCH05), and send a correction as the next one",
    ),
    "ship_notice": ("/number", "use a new number, or send it with purpose replace (BSN01 05)"),
    "purchase_order": ("/number", "use a new number, or send it with purpose replace (BEG01 05)"),
}
"""Where the number stands, and what the sender can do."""


def _refused(kind: str, body: Json, earlier: Document) -> Finding:
    return Finding(
        rule="duplicate.replacement_refused",
        place=JsonPlace(pointer="/purpose"),
        said=f"{body.get('purpose')} of {kind.replace('_', ' ')} {earlier.number}",
        wanted=f"no replacement: message {earlier.message_id} of {earlier.at:%Y-%m-%d %H:%M} UTC stands",
        fix="agree with us on replacements, or send what has changed as a new document",
    )


def changes(document: NewDocument, found: Standing) -> tuple[tuple[DocumentUpdate, ...], tuple[DocumentReplaced, ...]]:
    """What becomes of the earlier one, and the event. One that is held replaces nothing until an operator says so."""
    updates: dict[str, DocumentUpdate] = {}
    if found.ends is not None:
        updates[found.ends.id] = DocumentUpdate(id=found.ends.id, key_ended=True)
    if found.follows is None:
        return tuple(updates.values()), ()
    earlier = found.follows
    if not found.held:
        ended = earlier.id in updates
        updates[earlier.id] = DocumentUpdate(id=earlier.id, replaced_by=document.id, key_ended=ended)
    event = DocumentReplaced(
        message_id=document.message_id,
        partner=document.partner,
        order_number=document.order_number,
        document_id=document.id,
        replaces=earlier.id,
        purpose=str(document.body.get("purpose")),
        held=found.held,
    )
    return tuple(updates.values()), (event,)


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
        elif earlier.state is DocumentState.HELD and earlier.replaced_by is not None:
            discarded = True  # it waited for an operator, who chose a later one
        elif row.state in {DeliveryState.PENDING, DeliveryState.UNCERTAIN}:
            return Replaced(under_way=f"{earlier.kind.replace('_', ' ')} {earlier.number}, which this one follows,")
        elif row.state in _THERE:
            return Replaced(there=True, their_id=row.their_id)
        else:
            discarded = discarded or row.state is DeliveryState.DISCARDED
        later = earlier
    return Replaced(needless=cancels and discarded)
