"""The ship notices that came before one: each is read and compared with its order once, and then remembered.

Without it, every notice of an order costs as much as all before it together.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.partners.agreement import Agreement
from gateway.pipeline import referencing
from gateway.pipeline.identity import OrderRef
from gateway.pipeline.matching import Shipment, shipment
from gateway.pipeline.station import Station
from gateway.ports import Document


async def before(
    station: Station, agreement: Agreement, orders: Mapping[OrderRef, Document | None], *, but: str = ""
) -> tuple[Shipment, ...]:
    """The accepted notices of these orders, in our words, oldest first; `but` is none of them."""
    queries, kept = station.queries, station.shipments
    known = {ref: order for ref, order in orders.items() if order is not None}
    state = None
    if agreement.references is not None:
        state, _ = await station.references.of(queries, agreement.name)
    asked = frozenset((ref, order.id) for ref, order in known.items())
    ids: dict[str, None] = {}
    for number in dict.fromkeys(order.number for order in known.values()):
        for id_, _ in await queries.named_answers(agreement.name, "ship_notice", number):
            ids.setdefault(id_)
    ids.pop(but, None)
    found = {id_: one for id_ in ids if (one := kept.get((id_, asked, state))) is not None}
    unread = await queries.documents_by_id([id_ for id_ in ids if id_ not in found])
    for notice in await referencing.all_in_our_words(station, agreement, unread):
        found[notice.id] = kept.keep((notice.id, asked, state), shipment(notice, known))
    return tuple(found[id_] for id_ in ids if id_ in found)
