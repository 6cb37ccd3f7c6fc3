"""Reading orders and their changes: a supplier its own, the ERP any. A first reading by the supplier is recorded."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.pipeline import waiting
from gateway.ports import Direction, Document, DocumentState
from gateway.web.api.call import Call, list_query, reply
from gateway.web.authentication import SUPPLIER
from gateway.web.problems import Problem, not_found

KIND = "purchase_order"
CHANGE = "order_change"
_SHELVES = {KIND: "purchase-orders", CHANGE: "order-changes"}


async def visible_order(call: Call, kind: str = KIND) -> Document:
    """The order, or the change, named in the address, if the caller may see it. Raises Problem: the one 404."""
    document = await call.services.queries.document(call.id, partner=call.principal.partner)
    if document is None or document.kind != kind:
        raise not_found()
    if call.principal.scope == SUPPLIER and (
        # The query port sees to the partner; looking again costs nothing, and a leak would cost a supplier.
        document.partner != call.principal.partner or document.direction is not Direction.OUTBOUND
    ):
        raise not_found()
    return document


async def read_order(call: Call) -> web.Response:
    """GET /v1/purchase-orders/{id}."""
    return await _read(call, KIND)


async def read_change(call: Call) -> web.Response:
    """GET /v1/order-changes/{id}."""
    return await _read(call, CHANGE)


async def _read(call: Call, kind: str) -> web.Response:
    document = await visible_order(call, kind)
    if document.purged_at is not None:
        detail = f"What agreements say of its retention was done on {document.purged_at:%Y-%m-%d}."
        raise Problem(410, "api.document.purged", "Its content was removed", detail=detail)
    if call.principal.scope == SUPPLIER and document.state is DocumentState.AVAILABLE:
        await call.services.submissions.fetched(document)
        document = await visible_order(call, kind)
    return reply(whole(document, call.principal.scope) | await _expected(call, document))


async def list_orders(call: Call) -> web.Response:
    """GET /v1/purchase-orders: summaries, oldest change first; `number` looks up one."""
    query = list_query(call.request)
    partner = call.principal.partner
    assert partner is not None  # the route is for suppliers only
    if query.number is not None:
        found = await call.services.queries.order(partner, query.number, Direction.OUTBOUND)
        return reply({"items": [] if found is None else [summary(found)], "next_cursor": None})
    return await _list(call, partner, KIND)


async def list_changes(call: Call) -> web.Response:
    """GET /v1/order-changes: summaries, oldest change first; `number` looks up those of one order."""
    query = list_query(call.request)
    partner = call.principal.partner
    assert partner is not None  # the route is for suppliers only
    if query.number is not None:
        order = await call.services.queries.order(partner, query.number, Direction.OUTBOUND)
        release = None if order is None else order.body.get("release_number")
        found = await call.services.queries.documents_for_order(partner, CHANGE, query.number, release=release)
        items = [summary(one) for one in found if one.direction is Direction.OUTBOUND]
        return reply({"items": items, "next_cursor": None})
    return await _list(call, partner, CHANGE)


async def _list(call: Call, partner: str, kind: str) -> web.Response:
    query = list_query(call.request)
    page = await call.services.queries.documents(
        partner=partner,
        kind=kind,
        direction=Direction.OUTBOUND,
        state=query.status,
        updated_after=query.updated_after,
        cursor=query.cursor,
        limit=query.limit,
    )
    return reply({"items": [summary(document) for document in page.documents], "next_cursor": page.cursor})


async def _expected(call: Call, document: Document) -> dict[str, Any]:
    """The answers that an order of ours waits for, each with its time."""
    if document.kind != KIND or document.direction is not Direction.OUTBOUND:
        return {}
    waits = await call.services.queries.waits(waiting.wait_keys(document))
    return {
        "expected": [
            {"kind": one.expected.value, "due_at": one.due_at.isoformat(), "overdue": one.expected in document.overdue}
            for one in waits
            if not waiting.over(one.expected, document)
        ]
    }


def summary(document: Document) -> dict[str, Any]:
    """An order in a list; `overdue` names the answers to it that should be here."""
    late = sorted(what.value for what in document.overdue)
    return {
        **({"overdue": late} if late else {}),
        "id": document.id,
        "number": document.number,
        "status": document.state.value,
        "received_at": document.at.isoformat(),
        "updated_at": document.updated_at.isoformat(),
        "location": f"/v1/{_SHELVES[document.kind]}/{document.id}",
    }


def whole(document: Document, scope: str) -> dict[str, Any]:
    """An order with its canonical document; where it came from (`source`) and whose it is only the ERP is told."""
    told = summary(document)
    if scope == SUPPLIER:
        return told | {"document": {name: value for name, value in document.body.items() if name != "source"}}
    return told | {"partner": document.partner, "transaction_id": document.message_id, "document": dict(document.body)}
