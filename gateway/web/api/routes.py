"""The table of routes: who may call what, what it takes, what it answers. Server and OpenAPI document both read it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.web.api.call import Call
from gateway.web.api.orders import list_changes, list_orders, read_change, read_order
from gateway.web.api.submitting import (
    acknowledge_order,
    post_acknowledgement,
    post_change,
    post_order,
    post_ship_notice,
)
from gateway.web.api.transactions import read_transaction
from gateway.web.authentication import ERP, SUPPLIER


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One row. `takes` is a canonical kind; `gives` names the schema of the answer with `status`."""

    method: str
    path: str
    scopes: frozenset[str]
    handler: Callable[[Call], Awaitable[web.Response]]
    operation: str
    summary: str
    status: int
    gives: str
    takes: str | None = None
    refusals: frozenset[int] = frozenset()
    """Beside those that every route may give (401, 403, 429, 500)."""
    listed: bool = False
    """Has the parameters of a list."""


_SUBMISSION = frozenset({400, 404, 408, 409, 413, 415, 422})
_ERP, _SUPPLIER, _BOTH = frozenset({ERP}), frozenset({SUPPLIER}), frozenset({ERP, SUPPLIER})

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/v1/purchase-orders",
        scopes=_ERP,
        handler=post_order,
        operation="submitPurchaseOrder",
        summary="Hand over a purchase order for a partner; its seller's ids say which one.",
        takes="purchase_order",
        status=202,
        gives="Receipt",
        refusals=_SUBMISSION,
    ),
    Route(
        method="POST",
        path="/v1/order-changes",
        scopes=_BOTH,
        handler=post_change,
        operation="submitOrderChange",
        summary="Change an order, or answer or propose a change as its seller.",
        takes="order_change",
        status=202,
        gives="Receipt",
        refusals=_SUBMISSION,
    ),
    Route(
        method="GET",
        path="/v1/order-changes",
        scopes=_SUPPLIER,
        handler=list_changes,
        operation="listOrderChanges",
        summary="Changes of your orders, oldest first; number looks up those of one order.",
        status=200,
        gives="OrderList",
        refusals=frozenset({400}),
        listed=True,
    ),
    Route(
        method="GET",
        path="/v1/order-changes/{id}",
        scopes=_BOTH,
        handler=read_change,
        operation="readOrderChange",
        summary="One change with its whole document; a supplier's first reading is recorded.",
        status=200,
        gives="Change",
        refusals=frozenset({404, 410}),
    ),
    Route(
        method="POST",
        path="/v1/order-acknowledgements",
        scopes=_ERP,
        handler=post_acknowledgement,
        operation="submitOrderAcknowledgement",
        summary="Answer a partner's order, for a supplier that runs its own gateway.",
        takes="order_acknowledgement",
        status=202,
        gives="Receipt",
        refusals=_SUBMISSION,
    ),
    Route(
        method="GET",
        path="/v1/purchase-orders",
        scopes=_SUPPLIER,
        handler=list_orders,
        operation="listPurchaseOrders",
        summary="Your orders, oldest change first; number looks up one.",
        status=200,
        gives="OrderList",
        refusals=frozenset({400}),
        listed=True,
    ),
    Route(
        method="GET",
        path="/v1/purchase-orders/{id}",
        scopes=_BOTH,
        handler=read_order,
        operation="readPurchaseOrder",
        summary="One order with its whole document; a supplier's first reading is recorded.",
        status=200,
        gives="Order",
        refusals=frozenset({404, 410}),
    ),
    Route(
        method="POST",
        path="/v1/purchase-orders/{id}/acknowledgements",
        scopes=_SUPPLIER,
        handler=acknowledge_order,
        operation="acknowledgePurchaseOrder",
        summary="Answer one of your orders; the body may leave out which one.",
        takes="order_acknowledgement",
        status=202,
        gives="Receipt",
        refusals=_SUBMISSION,
    ),
    Route(
        method="POST",
        path="/v1/ship-notices",
        scopes=_BOTH,
        handler=post_ship_notice,
        operation="submitShipNotice",
        summary="Announce a shipment.",
        takes="ship_notice",
        status=202,
        gives="Receipt",
        refusals=_SUBMISSION,
    ),
    Route(
        method="GET",
        path="/v1/transactions/{id}",
        scopes=_BOTH,
        handler=read_transaction,
        operation="readTransaction",
        summary="What became of something that was handed over: its state, its documents, their findings.",
        status=200,
        gives="Transaction",
        refusals=frozenset({404}),
    ),
)
