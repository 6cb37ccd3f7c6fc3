"""What a document says to the routes when the store has to be asked for the order that it answers.

For whoever decides again about what is stored, or asks why. Decides nothing itself.
"""

from __future__ import annotations

from datetime import datetime

from gateway.pipeline import identity, routing
from gateway.ports import Direction, Document, Json, Queries


async def facts_of(queries: Queries, document: Document) -> routing.Facts:
    """Of a stored document: the same as when it came."""
    return await facts_of_body(
        queries, document.partner, document.kind, document.body, at=document.at, business_unit=document.business_unit
    )


async def facts_of_body(
    queries: Queries, partner: str, kind: str, body: Json, *, at: datetime, business_unit: str | None = None
) -> routing.Facts:
    """Of a canonical document that came, or would come, at that moment."""
    order = None if kind == "purchase_order" else await _answered(queries, partner, kind, body)
    return routing.Facts(
        partner=partner,
        kind=kind,
        day=(order.at if order else at).date(),
        number=identity.order_number_of(kind, body) or identity.number_of(kind, body),
        business_unit=business_unit or body.get("business_unit") or (order.business_unit if order else None),
        bodies=(body,) if order is None else (body, order.body),
    )


async def _answered(queries: Queries, partner: str, kind: str, body: Json) -> Document | None:
    """The order that a document answers or changes, ours or theirs; of a ship notice the first that is known."""
    for number, release in identity.refs(kind, body):
        for direction in (Direction.OUTBOUND, Direction.INBOUND):
            order = await queries.order(partner, number, direction, release=release)
            if order is not None:
                return order
    return None
