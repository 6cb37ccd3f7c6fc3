"""Taking documents: the form is checked here, the meaning by the pipeline, and its receipt goes out byte for byte."""

from __future__ import annotations

from aiohttp import web
from multidict import CIMultiDict

from gateway.ports import Refused
from gateway.web.api.call import Call, idempotency_key
from gateway.web.api.orders import visible_order
from gateway.web.body import Unreadable, read_json
from gateway.web.problems import invalid

TRACES_PER_MINUTE = 60
"""Unreadable bodies that are kept for one key, as of strangers over AS2."""


async def post_order(call: Call) -> web.Response:
    """POST /v1/purchase-orders."""
    return await _submit(call, "purchase_order")


async def post_change(call: Call) -> web.Response:
    """POST /v1/order-changes: the ERP of either side, or a supplier."""
    return await _submit(call, "order_change")


async def post_acknowledgement(call: Call) -> web.Response:
    """POST /v1/order-acknowledgements: the ERP of a supplier that runs its own gateway."""
    return await _submit(call, "order_acknowledgement")


async def post_ship_notice(call: Call) -> web.Response:
    """POST /v1/ship-notices: a supplier, or the ERP of one that runs its own gateway."""
    return await _submit(call, "ship_notice")


async def acknowledge_order(call: Call) -> web.Response:
    """POST /v1/purchase-orders/{id}/acknowledgements: whose order it is comes before anything about the body."""
    order = await visible_order(call)
    return await _submit(call, "order_acknowledgement", order.id)


async def _submit(call: Call, kind: str, order_id: str | None = None) -> web.Response:
    agreement = call.principal.agreement
    limit = None if agreement is None else agreement.max_message_bytes
    key = idempotency_key(call.request)
    try:
        body = await read_json(call.request, limit or call.services.settings.max_message_bytes)
    except Unreadable as refusal:
        await _trace(call, refusal)
        raise
    outcome = await call.services.submissions.submit(
        kind=kind,
        partner=call.principal.partner,
        body=body,
        idempotency_key=key,
        order_id=order_id,
        correlation_id=call.correlation_id,
    )
    if isinstance(outcome, Refused):
        raise invalid(outcome.status, outcome.rule, outcome.title, outcome.findings)
    receipt = outcome.receipt
    return web.Response(status=receipt.status, headers=CIMultiDict(receipt.headers), body=receipt.body)


async def _trace(call: Call, refusal: Unreadable) -> None:
    """Keep what a known caller sent and we could not read: it will be asked for. So many a minute for each key."""
    if call.refusals.take(call.principal.key_id, TRACES_PER_MINUTE).wait:
        return
    await call.services.submissions.unread(
        partner=call.principal.partner,
        start=refusal.unread.start,
        size=refusal.unread.size,
        sha256=refusal.unread.sha256,
        reason=refusal.reason,
    )
