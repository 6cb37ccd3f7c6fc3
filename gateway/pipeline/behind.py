"""A change of an order goes behind its order, and behind the changes before it: it never overtakes what is held.

The job of the change looks again by a table until what it follows is on its way; what was held wakes it when it goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from gateway.pipeline import identity, reviewing
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    ComesBack,
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Job,
    NewDocument,
    Review,
)

LOOKS: tuple[timedelta, ...] = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 5, 15, 60, 300, 900, 3600))
"""Pauses between two looks; the last one holds for all that follow."""

STUCK = {
    Direction.OUTBOUND: frozenset(
        {DocumentState.SUBMITTED, DocumentState.HELD, DocumentState.COMPOSED, DocumentState.FAILED}
    ),
    Direction.INBOUND: frozenset({DocumentState.ACCEPTED, DocumentState.HELD, DocumentState.FAILED}),
}
"""Where a document stands that the far side does not have yet."""
CHANGE = "order_change"


async def waits(station: Station, document: Document, job: Job) -> Changes | None:
    """What to do when a change must wait; None for what may go, and for all that is no change."""
    if document.kind != CHANGE or document.order_number is None:
        return None
    first = await _first_stuck(station, document, document.order_number)
    if first is None:
        return None
    pause = LOOKS[min(job.tries, len(LOOKS)) - 1]
    what = f"{first.kind.replace('_', ' ')} {first.number} is {first.state.value}; its change goes behind it"
    back = ComesBack(at=station.clock() + pause, reason=what)
    if document.review is Review.ORDER_HELD:
        return Changes(comes_back=back)
    update = DocumentUpdate(id=document.id, state=DocumentState.HELD, review=Review.ORDER_HELD)
    return Changes(
        document_updates=(update,),
        events=(reviewing.waiting(document, Review.ORDER_HELD, reason=what),),
        comes_back=back,
    )


async def _first_stuck(station: Station, document: Document, number: str) -> Document | None:
    """The order, else the first earlier change of it, that the far side does not have yet."""
    named = identity.order_ref(document.body)
    release = None if named is None else named[1]
    order = await station.queries.order(document.partner, number, document.direction, release=release)
    stuck = STUCK[document.direction]
    if order is not None and order.state in stuck:
        return order
    before = await station.queries.documents_for_order(document.partner, CHANGE, number, release=release)
    return next(
        (
            one
            for one in before
            if one.direction is document.direction
            and one.state in stuck - {DocumentState.FAILED}  # what follows may be its correction
            and (one.at, one.id) < (document.at, document.id)
        ),
        None,
    )


def went(document: Document) -> tuple[DocumentUpdate, ...]:
    """It goes, and waits no more."""
    return () if document.review is None else (DocumentUpdate(id=document.id, cleared=("review",)),)


def sent(documents: Iterable[Document]) -> tuple[str, ...]:
    """What waits behind these documents, now that the partner has them."""
    return tuple(
        identity.order_wait_key(one.partner, one.order_number)
        for one in documents
        if one.kind in {"purchase_order", CHANGE} and one.order_number is not None
    )


def delivered(document: Document) -> tuple[str, ...]:
    """What waits behind one that was held, and is at its target now. Behind what was never held nothing waits long."""
    return sent([document]) if document.state in {DocumentState.HELD, DocumentState.FAILED} else ()


def wait_key(document: Document | NewDocument) -> str | None:
    """What wakes the work on a change; None for all that is no change."""
    if document.kind != CHANGE or document.order_number is None:
        return None
    return identity.order_wait_key(document.partner, document.order_number)
