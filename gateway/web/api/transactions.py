"""What became of something that was handed over: the message, its documents, their findings."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.ports import Channel, Document, Message
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
    return reply(_transaction(message, shown, supplier=supplier))


def _transaction(message: Message, documents: list[Document], *, supplier: bool) -> dict[str, Any]:
    return {
        "transaction_id": message.id,
        "status": message.state.value,
        "direction": message.direction.value,
        "channel": message.channel.value,
        "received_at": message.at.isoformat(),
        **({} if supplier else {"partner": message.partner}),
        "documents": [_document(document, supplier=supplier) for document in documents],
    }


def _document(document: Document, *, supplier: bool) -> dict[str, Any]:
    told = {
        "id": document.id,
        "kind": document.kind,
        "number": document.number,
        "order_number": document.order_number,
        "status": document.state.value,
        "updated_at": document.updated_at.isoformat(),
        "findings": [dict(finding) for finding in document.findings],
    }
    # Which of our systems took it, and under what name, is for our own people.
    return told if supplier else told | {"target": document.target, "their_id": document.their_id}
