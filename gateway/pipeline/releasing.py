"""The steps `match` and `release`: a held answer is matched again, and what was approved goes on.

Decided anew from what stands in the store at that moment, by the agreement of that moment.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.errors import OurFault
from gateway.findings import Severity
from gateway.partners.agreement import Agreement
from gateway.pipeline import documents, reviewing
from gateway.pipeline.finding_json import as_json
from gateway.pipeline.station import Station
from gateway.ports import Changes, Document, DocumentState, DocumentUpdate, Job, Json, Review


async def look(station: Station, job: Job) -> Changes:
    """Is the order here now? Match the answer, or look again later, or decide when the time is over."""
    document, agreement = await _held(station, job)
    if document.review is not Review.ORDER_UNKNOWN or document.state is not DocumentState.HELD:
        return Changes()  # somebody decided meanwhile
    named = await documents.orders_named(station, agreement, document.kind, document.body)
    now, end = station.clock(), reviewing.until(agreement, document.at)
    missing = reviewing.unknown_number(named)
    again = None if missing is None else reviewing.next_look(document.at, now, end)
    if again is not None:
        return reviewing.comes_back(again, missing)
    matched = await documents.match(station, agreement, document.kind, document.body, named, but=document.id)
    weighed = reviewing.weigh(agreement, matched.findings, looking=False)
    findings = (*_own(document), *(as_json(one) for one in weighed.findings))
    if weighed.refused:
        fatal = next(one for one in weighed.findings if one.severity is Severity.REJECT)
        why = f"order {missing} did not come in time" if missing else "its order came, and it does not fit"
        return reviewing.refusal(document, by=reviewing.GATEWAY, why=why, findings=findings, reason=fatal.text)
    if weighed.review is Review.ORDER_UNKNOWN:
        return Changes()  # for a person
    if weighed.review is not None:
        update = DocumentUpdate(id=document.id, review=weighed.review, findings=findings)
        return Changes(
            document_updates=(update,), events=(reviewing.begun(document, weighed.review, weighed.findings),)
        )
    why = "its order is not here, and the agreement lets it go on" if missing else "its order is here"
    orders = list({order.id: order for order in named.values() if order is not None}.values())
    onward = await _onward(station, agreement, document, orders, findings=findings, why=why)
    return replace(onward, answers_seen=matched.seen)


async def release(station: Station, job: Job) -> Changes:
    """Somebody approved it: it goes on, whatever differs."""
    document, agreement = await _held(station, job)
    if document.state is not DocumentState.HELD or document.review is not None:
        return Changes()
    named = await documents.orders_named(station, agreement, document.kind, document.body)
    orders = list({order.id: order for order in named.values() if order is not None}.values())
    return await _onward(station, agreement, document, orders)


async def _onward(
    station: Station,
    agreement: Agreement,
    document: Document,
    orders: list[Document],
    *,
    findings: tuple[Json, ...] | None = None,
    why: str | None = None,
) -> Changes:
    onward = documents.on_its_way(station, agreement, document, orders, station.clock())
    update = DocumentUpdate(id=document.id, state=DocumentState.ACCEPTED, cleared=("review",), findings=findings)
    told = () if why is None else (reviewing.reviewed(document, "approved", by=reviewing.GATEWAY, why=why),)
    # Another answer may have become the order's first one meanwhile: whoever approves this one knows of it.
    keys = [one for one in onward.keys if await station.queries.key_owner(one[0]) is None]
    return Changes(
        document_updates=(update, *_replaced(document), *onward.updates),
        deliveries=onward.deliveries,
        jobs=onward.jobs,
        keys=tuple(keys),
        released=(document,),
        events=(*told, documents.accepted(document), *onward.events),
    )


def _replaced(document: Document) -> tuple[DocumentUpdate, ...]:
    """What it replaces is replaced now, and not before."""
    return () if document.replaces is None else (DocumentUpdate(id=document.replaces, replaced_by=document.id),)


def _own(document: Document) -> tuple[Json, ...]:
    """What is wrong with it in itself."""
    return tuple(one for one in document.findings if not str(one.get("rule")).startswith("matching."))


async def _held(station: Station, job: Job) -> tuple[Document, Agreement]:
    document = await station.queries.document(job.document_id or "")
    if document is None:
        raise OurFault(f"document {job.document_id} is not in the store", remedy="gateway audit verify")
    agreement = station.agreement(document.partner)
    if agreement is None:
        raise OurFault(
            f"partner {document.partner} does not exchange documents now",
            remedy=f"set its status to active, then: gateway message retry {document.message_id}",
        )
    return document, agreement
