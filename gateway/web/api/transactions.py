"""What became of something that was handed over: the message, its documents, their findings."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.ports import Channel, DeliveryRecord, Document, DocumentState, Message
from gateway.web.api.call import Call, reply
from gateway.web.authentication import SUPPLIER
from gateway.web.problems import not_found


async def read_transaction(call: Call) -> web.Response:
    """GET /v1/transactions/{id}."""
    message = await call.services.queries.message(call.id)
    supplier = call.principal.scope == SUPPLIER
    if message is None:
        raise not_found()
    # What the ERP handed over for a supplier bears its name, and yet is the ERP's transaction.
    if supplier and (message.partner != call.principal.partner or message.channel is Channel.ERP):
        raise not_found()
    documents = await call.services.queries.documents_of(message.id)
    shown = [document for document in documents if not supplier or document.partner == call.principal.partner]
    deliveries = [] if supplier else await call.services.queries.deliveries([one.id for one in shown])
    return reply(_transaction(message, shown, deliveries, supplier=supplier))


def _transaction(
    message: Message, documents: list[Document], deliveries: list[DeliveryRecord], *, supplier: bool
) -> dict[str, Any]:
    return {
        "transaction_id": message.id,
        "status": message.state.value,
        "direction": message.direction.value,
        "channel": message.channel.value,
        "received_at": message.at.isoformat(),
        **({} if supplier else {"partner": message.partner}),
        "documents": [_document(document, deliveries, supplier=supplier) for document in documents],
    }


_FOR_SUPPLIERS = {
    DocumentState.PARTLY_DELIVERED: DocumentState.ACCEPTED,
    DocumentState.COMPENSATED: DocumentState.FAILED,
}
"""How many systems of ours take a document, and what is undone there, is not for suppliers."""


def _document(document: Document, deliveries: list[DeliveryRecord], *, supplier: bool) -> dict[str, Any]:
    state = _FOR_SUPPLIERS.get(document.state, document.state) if supplier else document.state
    told = {
        "id": document.id,
        "kind": document.kind,
        "number": document.number,
        "order_number": document.order_number,
        "status": state.value,
        "updated_at": document.updated_at.isoformat(),
        "findings": [dict(finding) for finding in document.findings],
    }
    # Which of our systems took it, and under what name, is for our own people.
    if supplier:
        return told
    mine = [_delivery(one) for one in deliveries if one.document_id == document.id]
    return told | {"target": document.target, "their_id": document.their_id, "deliveries": mine}


def _delivery(one: DeliveryRecord) -> dict[str, Any]:
    """How the document stands at one target."""
    return {
        "target": one.target,
        "optional": not one.critical,
        "status": one.state.value,
        "their_id": one.their_id,
        "updated_at": one.updated_at.isoformat(),
        "reason": one.reason,
    }
