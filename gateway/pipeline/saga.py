"""Several targets of one document: `settle` says what follows when one of them ended, `undo` makes the call for it.

`settle` makes no call: it reads how all deliveries stand, and its decision holds only if they still stand so when it is
committed. Each end of a delivery brings it about again, so the last one sees all of them.
"""

from __future__ import annotations

from datetime import timedelta

from gateway.errors import OurFault, Outcome
from gateway.events import DocumentCompensated, DocumentNotCompensated, Event
from gateway.pipeline import identity, referencing
from gateway.pipeline.deliveries import settle_job
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    Delivery,
    DeliveryChange,
    DeliveryRecord,
    DeliveryState,
    Document,
    DocumentUpdate,
    Job,
    NewJob,
    document_state,
    seen,
)

NO_COMPENSATION = "has no compensation"


async def settle(station: Station, job: Job) -> Changes:
    """The document's state as its deliveries make it, and compensation where one that counts was given up."""
    document, rows = await _standing(station, job)
    because = _given_up(rows)
    changes: list[DeliveryChange] = []
    jobs: list[NewJob] = []
    events: list[Event] = []
    for row in rows if because else ():
        if row.state is not DeliveryState.DELIVERED:
            continue
        connector = station.connectors.get(row.target)
        if connector is not None and connector.undoes(document.kind, because):
            reason = f"{', '.join(because)} was given up"
            changes.append(_change(row, DeliveryState.COMPENSATING, reason))
            jobs.append(_undo_job(document, row, station))
        elif row.reason is None:
            changes.append(_change(row, None, f"{', '.join(because)} was given up, and this {NO_COMPENSATION}"))
            events.append(
                DocumentNotCompensated(
                    message_id=document.message_id,
                    partner=document.partner,
                    order_number=document.order_number,
                    document_id=document.id,
                    target=row.target,
                    because=because,
                )
            )
    update = DocumentUpdate(id=document.id, state=document_state(rows))
    return Changes(
        deliveries_seen=seen(document.id, rows),
        deliveries=tuple(changes),
        document_updates=() if document.replaced_by else (update,),
        jobs=tuple(jobs),
        events=tuple(events),
    )


async def undo(station: Station, job: Job) -> Changes:
    """Undo what a target took, under a key of its own. Raises DeliveryFailed, OurFault."""
    document, rows = await _standing(station, job)
    target = str(job.data.get("target"))
    row = next((one for one in rows if one.target == target), None)
    if row is None or row.state is not DeliveryState.COMPENSATING:
        return Changes()
    because = _given_up(rows)
    settled = settle_job(document, document.partner, target, station.clock())
    if not because and job.tries == 1:  # an operator brought the other one through meanwhile: it stands
        return Changes(deliveries=(_change(row, DeliveryState.DELIVERED),), jobs=(settled,))
    connector = station.connectors.get(target)
    if connector is None:
        raise OurFault(
            f"target {target!r} is not in gateway.yaml",
            remedy=f"add it under targets, then: gateway message retry {document.message_id}",
        )
    translated = await referencing.for_us(station, document, "deliver")
    delivery = Delivery(
        document_id=document.id,
        kind=document.kind,
        partner=document.partner,
        body=translated.body,
        idempotency_key=identity.undo_key(row.key),
        correlation_id=document.message_id,
        their_id=row.their_id,
    )
    answer = await connector.undo(delivery)
    event = DocumentCompensated(
        message_id=document.message_id,
        partner=document.partner,
        order_number=document.order_number,
        document_id=document.id,
        target=target,
        idempotency_key=delivery.idempotency_key,
        because=because,
        status=answer.status,
    )
    undone = _change(row, DeliveryState.COMPENSATED, row.reason, status=answer.status)
    return Changes(deliveries=(undone,), jobs=(settled,), events=(event,))


def undo_failed(job: Job, outcome: Outcome, reason: str, over: bool) -> Changes:  # noqa: FBT001  the worker's own form
    """The row says why it is not undone yet; what was given up waits for an operator as a dead letter."""
    del outcome
    key = str(job.data.get("key"))
    said = f"not undone{', given up' if over else ''}: {reason}"
    change = DeliveryChange(document_id=job.document_id or "", target=str(job.data.get("target")), key=key, reason=said)
    return Changes(deliveries=(change,))


async def _standing(station: Station, job: Job) -> tuple[Document, list[DeliveryRecord]]:
    document = await station.queries.document(job.document_id or "")
    if document is None:
        raise OurFault(f"document {job.document_id} is not in the store", remedy="gateway audit verify")
    return document, await station.queries.deliveries([document.id])


def _given_up(rows: list[DeliveryRecord]) -> tuple[str, ...]:
    """The targets that count and were given up. One that may have taken it was not: that is first found out."""
    return tuple(one.target for one in rows if one.critical and one.state is DeliveryState.FAILED)


def _undo_job(document: Document, row: DeliveryRecord, station: Station) -> NewJob:
    return NewJob(
        message_id=document.message_id,
        document_id=document.id,
        part=row.target,
        step="undo",
        lane=identity.inbound_lane(document.partner, row.target),
        run_at=station.clock(),
        data={"target": row.target, "key": row.key},
        again_after=timedelta(0),
    )


def _change(
    row: DeliveryRecord, state: DeliveryState | None, reason: str | None = None, status: int | None = None
) -> DeliveryChange:
    return DeliveryChange(
        document_id=row.document_id, target=row.target, key=row.key, state=state, reason=reason, status=status
    )
