"""The ship notices that came before one: each is read and compared with its order once, and then remembered.

Without it, every notice of an order costs as much as all before it together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.partners.agreement import Agreement
from gateway.pipeline import referencing
from gateway.pipeline.identity import OrderRef
from gateway.pipeline.matching import Shipment, shipment
from gateway.pipeline.station import Station
from gateway.ports import AnswersSeen, Document, DocumentState, NewDocument

KIND = "ship_notice"


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """What was shipped before, and what was looked at to say so."""

    shipments: tuple[Shipment, ...]
    seen: tuple[AnswersSeen, ...]


async def before(
    station: Station,
    agreement: Agreement,
    orders: Mapping[OrderRef, Document | None],
    *,
    but: str = "",
    beside: Sequence[NewDocument] = (),
) -> Before:
    """The accepted notices of these orders, in our words, oldest first; `but` is none of them.

    `beside` is what came before it in the same message.
    """
    queries, kept = station.queries, station.shipments
    known = {ref: order for ref, order in orders.items() if order is not None}
    state = None
    if agreement.references is not None:
        state, _ = await station.references.of(queries, agreement.name)
    asked = frozenset((ref, order.id) for ref, order in known.items())
    ids: dict[str, None] = {}
    seen: list[AnswersSeen] = []
    for number in dict.fromkeys(order.number for order in known.values()):
        named = [id_ for id_, _ in await queries.named_answers(agreement.name, KIND, number)]
        ids |= dict.fromkeys(named)
        same = {order.id for order in known.values() if order.number == number}
        seen.append(
            AnswersSeen(
                partner=agreement.name,
                kind=KIND,
                order_number=number,
                orders=tuple(sorted(same)),
                ids=frozenset(named),
            )
        )
    ids.pop(but, None)
    found = {id_: one for id_ in ids if (one := kept.get((id_, asked, state))) is not None}
    unread = await queries.documents_by_id([id_ for id_ in ids if id_ not in found])
    for notice in await referencing.all_in_our_words(station, agreement, unread):
        found[notice.id] = kept.keep((notice.id, asked, state), shipment(notice, known))
    shipments = [found[id_] for id_ in ids if id_ in found]
    numbers = {order.number for order in known.values()}
    for new in beside:
        if new.kind != KIND or new.state is DocumentState.REJECTED:
            continue
        if numbers.isdisjoint((new.order_number, *new.further_orders)):
            continue
        read = kept.get((new.id, asked, state))
        if read is None:
            body = await referencing.in_our_words(station, agreement, new.body, new.at.date())
            read = kept.keep((new.id, asked, state), shipment(replace(new, body=body), known))
        shipments.append(read)
    return Before(shipments=tuple(shipments), seen=tuple(seen))
