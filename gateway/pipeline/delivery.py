"""The `deliver` step: one document to one target, with the same idempotency key on every attempt."""

from __future__ import annotations

from gateway.errors import OurFault
from gateway.events import DocumentDelivered, DocumentRouted, Event
from gateway.pipeline import behind, referencing, routing
from gateway.pipeline.rerouting import facts_of
from gateway.pipeline.station import Station
from gateway.ports import Changes, Delivery, Document, DocumentState, DocumentUpdate, Job


async def deliver(station: Station, job: Job) -> Changes:
    """Hand the job's document, in our words, to its target. Raises DeliveryFailed, OurFault where no route leads on."""
    document = await station.queries.document(job.document_id or "")
    if document is None:
        raise OurFault(f"document {job.document_id} is not in the store", remedy="gateway audit verify")
    if document.state is DocumentState.DELIVERED:
        return Changes()
    if (wait := await behind.waits(station, document, job)) is not None:
        return wait
    target, rerouted = await _target(station, document, str(job.data.get("target")))
    connector = station.connectors.get(target)
    if connector is None:
        raise OurFault(
            f"target {target!r} is not in gateway.yaml",
            remedy=f"add it under targets, then: gateway message retry {job.message_id}",
        )
    translated = await referencing.for_us(station, document, job.step)
    if translated.held:
        return translated.waits()
    delivery = Delivery(
        document_id=document.id,
        kind=document.kind,
        partner=document.partner,
        body=translated.body,
        idempotency_key=document.id,
        correlation_id=document.message_id,
    )
    answer = await connector.deliver(delivery)
    return Changes(
        document_updates=(
            DocumentUpdate(id=document.id, state=DocumentState.DELIVERED, target=target, their_id=answer.their_id),
            *behind.went(document),
        ),
        woken=behind.wakes(document),
        events=(
            *rerouted,
            *translated.events,
            DocumentDelivered(
                message_id=document.message_id,
                partner=document.partner,
                order_number=document.order_number,
                document_id=document.id,
                target=target,
                idempotency_key=delivery.idempotency_key,
                status=answer.status,
                their_id=answer.their_id,
                map=answer.map,
                map_hash=answer.map_hash,
                left_out=answer.left_out,
            ),
        ),
    )


async def _target(station: Station, document: Document, decided: str) -> tuple[str, tuple[Event, ...]]:
    """The target decided when the document came; one that is gone, or never was, is decided anew."""
    if decided in station.connectors:
        return decided, ()
    agreement = station.directory.known(document.partner)
    facts = await facts_of(station.queries, document)
    decision = routing.decide(station.settings, agreement, facts) if agreement else None
    if decision is None:
        raise OurFault(
            f"no route for a {document.kind} of {document.partner}, business unit {document.business_unit}",
            remedy=f"add a route to gateway.yaml, then: gateway message retry {document.message_id}",
        )
    event = DocumentRouted(
        message_id=document.message_id,
        partner=document.partner,
        order_number=document.order_number,
        document_id=document.id,
        target=decision.target,
        rule=decision.rule,
    )
    return decision.target, (event,)


def given_up(job: Job) -> Changes:
    """What else becomes true when a delivery is given up: the document has failed."""
    if job.document_id is None:
        return Changes()
    return Changes(document_updates=(DocumentUpdate(id=job.document_id, state=DocumentState.FAILED),))
