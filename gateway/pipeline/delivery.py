"""The `deliver` step: one document to one target, with the same idempotency key on every attempt.

A call whose answer never came may have taken place: before another one the target is asked, or its honouring the key is
relied on, or, where it does neither, an operator decides. The delivery's row says which of these it stands at.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.errors import OurFault, Outcome
from gateway.events import DeliveryLookedUp, DeliveryUncertain, DocumentDelivered, Event
from gateway.pipeline import behind, identity, referencing, replacing, routing
from gateway.pipeline.deliveries import UNROUTED, planned, settle_job
from gateway.pipeline.rerouting import facts_of
from gateway.pipeline.station import Station
from gateway.ports import (
    Awaited,
    Changes,
    Connector,
    Delivered,
    Delivery,
    DeliveryChange,
    DeliveryRecord,
    DeliveryState,
    Document,
    DocumentState,
    DocumentUpdate,
    Job,
)

_OVER = frozenset(
    {DeliveryState.DELIVERED, DeliveryState.DISCARDED, DeliveryState.COMPENSATING, DeliveryState.COMPENSATED}
)
"""States in which there is nothing to deliver."""
_CERTAIN = frozenset({DeliveryState.PENDING})
"""What a failure that says nothing about earlier calls may be written over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """The document, its target, and how the delivery stands."""

    station: Station
    job: Job
    document: Document
    target: str
    key: str
    row: DeliveryRecord | None
    uncertain_since: datetime | None
    """When a call was written down as begun without an end."""

    def change(self, state: DeliveryState, reason: str | None = None, **fields: Any) -> DeliveryChange:
        """The delivery in another state."""
        return _change(self.job, self.document.id, self.key, state, reason, **fields)

    @property
    def where(self) -> dict[str, Any]:
        """The first fields of every event about it."""
        document = self.document
        return {
            "message_id": document.message_id,
            "partner": document.partner,
            "order_number": document.order_number,
        }


async def deliver(station: Station, job: Job) -> Changes:
    """Hand the job's document, in our words, to its target. Raises DeliveryFailed, OurFault where no route leads on."""
    document = await station.queries.document(job.document_id or "")
    if document is None:
        raise OurFault(f"document {job.document_id} is not in the store", remedy="gateway audit verify")
    task = await _task(station, job, document)
    if task.row.state in _OVER if task.row else document.state is DocumentState.DELIVERED and _alone(job):
        return Changes(called=False)
    if (wait := await behind.waits(station, document, job)) is not None:
        return replace(wait, called=False)
    if document.replaced_by is not None and task.uncertain_since is None:
        if task.target == UNROUTED:
            return Changes(called=False)
        return _discarded(task, f"replaced by document {document.replaced_by} before it went out")
    connector = station.connectors.get(task.target)
    if connector is None:
        return await _elsewhere(task)
    replaced = await replacing.at_target(station, document, task.target)
    if replaced.under_way is not None:
        raise OurFault(
            f"{replaced.under_way} is still on its way to {task.target}",
            remedy="it goes on by itself when that has ended; what is uncertain: gateway message list --uncertain",
        )
    if replaced.needless:
        return _discarded(task, "what it cancels never went out")
    translated = await referencing.for_us(station, document, job.step)
    if translated.held:
        return dataclasses.replace(translated.waits(), called=False)
    delivery = Delivery(
        document_id=document.id,
        kind=document.kind,
        partner=document.partner,
        body=translated.body,
        idempotency_key=task.key,
        correlation_id=document.message_id,
        their_id=replaced.their_id,
        replaces=replaced.there,
    )
    if task.uncertain_since is not None:
        resolved = await _resolved(task, connector, delivery, task.uncertain_since, translated.events)
        if resolved is not None:
            return resolved
    return _took(task, await connector.deliver(delivery), translated.events)


async def _task(station: Station, job: Job, document: Document) -> _Task:
    """A first try needs no look: its row is pending. At a later one it may be anything."""
    target, row = str(job.data.get("target")), None
    if job.attempt > 1:
        row = next((one for one in await station.queries.deliveries([document.id]) if one.target == target), None)
    key = row.key if row else _key(job, document.id)
    since = row.updated_at if row and row.state is DeliveryState.UNCERTAIN else None
    # What failed and was replaced since is worked only to end its work: such a try calls nobody.
    ending = row is not None and row.state is DeliveryState.FAILED and document.replaced_by is not None
    open_ = (row is None or row.state not in _OVER) and not ending
    may_be_called = job.attempt > 1 and open_ and target != UNROUTED
    if since is None and may_be_called and await station.queries.attempt_lost(job):
        # Written down before anything else: whatever becomes of this try, that one may have taken place.
        reason = "its process ended during a call, or before it"
        uncertain = _change(job, document.id, key, DeliveryState.UNCERTAIN, reason)
        await station.store.apply(Changes(deliveries=(uncertain,)))
        since = station.clock()
    return _Task(station=station, job=job, document=document, target=target, key=key, row=row, uncertain_since=since)


async def _resolved(
    task: _Task, connector: Connector, delivery: Delivery, since: datetime, translated: tuple[Event, ...]
) -> Changes | None:
    """Whether the call without an answer took place; None: it is made again. Raises DeliveryFailed (uncertain)."""
    kind = task.document.kind
    if not connector.looks_up(kind):
        return None if connector.honours_key else _parked(task, f"{task.target} does not honour the idempotency key")
    wait = connector.lookup_wait(kind) - (task.station.clock() - since).total_seconds()
    if wait > 0:
        return Changes(
            awaited=Awaited(seconds=wait, reason=f"{task.target} may still be at work on it; then it is asked"),
            called=False,
        )
    found = await connector.look_up(delivery)
    told = DeliveryLookedUp(
        **task.where,
        document_id=task.document.id,
        target=task.target,
        idempotency_key=task.key,
        found=found is not None,
        their_id=None if found is None else found.their_id,
    )
    if found is not None:
        return _took(task, found, (*translated, told))
    # In a commit of its own: what was found out holds, whatever becomes of the call that follows.
    not_there = task.change(DeliveryState.PENDING, "asked: it is not there")
    await task.station.store.apply(Changes(deliveries=(not_there,), events=(told,)))
    if task.document.replaced_by is not None:
        return _discarded(task, f"replaced by document {task.document.replaced_by} before it went out")
    return None


def _took(task: _Task, answer: Delivered, events: tuple[Event, ...]) -> Changes:
    """The target has it."""
    document, alone = task.document, _alone(task.job)
    update = DocumentUpdate(
        id=document.id,
        state=DocumentState.DELIVERED if alone else None,
        target=task.target,
        their_id=answer.their_id,
    )
    done = DocumentDelivered(
        **task.where,
        document_id=document.id,
        target=task.target,
        idempotency_key=task.key,
        status=answer.status,
        their_id=answer.their_id,
        map=answer.map,
        map_hash=answer.map_hash,
        left_out=answer.left_out,
        after_uncertain=None if task.uncertain_since is None else True,
    )
    return Changes(
        deliveries=(task.change(DeliveryState.DELIVERED, their_id=answer.their_id, status=answer.status),),
        document_updates=(*((update,) if alone or not task.job.part else ()), *behind.went(document)),
        woken=behind.delivered(document),
        jobs=() if alone else (settle_job(document, document.partner, task.target, task.station.clock()),),
        events=(*events, done),
    )


def _parked(task: _Task, why: str) -> Changes:
    """Nobody can find out but a person; the job is done, an operator's decision is what goes on from here."""
    advice = (
        f"no answer came, and {why}: ask there whether it has the document, then: gateway message settle "
        f"{task.document.message_id} --target {task.target} --delivered, or --again"
    )
    event = DeliveryUncertain(
        **task.where, document_id=task.document.id, target=task.target, idempotency_key=task.key, reason=advice
    )
    return Changes(deliveries=(task.change(DeliveryState.UNCERTAIN, advice),), events=(event,), called=False)


def _discarded(task: _Task, reason: str) -> Changes:
    document = task.document
    settled = () if _alone(task.job) else (settle_job(document, document.partner, task.target, task.station.clock()),)
    return Changes(deliveries=(task.change(DeliveryState.DISCARDED, reason),), jobs=settled, called=False)


async def _elsewhere(task: _Task) -> Changes:
    """The target decided when the document came is gone, or never was: decided anew, each target with its own job."""
    station, document = task.station, task.document
    if task.uncertain_since is not None:
        return _parked(task, f"the target {task.target} is no longer in gateway.yaml")
    agreement = station.directory.known(document.partner)
    facts = await facts_of(station.queries, document)
    decision = routing.decide(station.settings, agreement, facts) if agreement else None
    if decision is None:
        raise OurFault(
            f"no route for a {document.kind} of {document.partner}, business unit {document.business_unit}",
            remedy=f"add a route to gateway.yaml, then: gateway message retry {document.message_id}",
        )
    gone = next((one.target for one in decision.destinations if one.target not in station.connectors), None)
    if task.job.part or gone is not None:
        raise OurFault(
            f"target {gone or task.target!r} is not in gateway.yaml",
            remedy=f"add it under targets, then: gateway message retry {document.message_id}",
        )
    plan = planned(document, decision, station.clock(), anew=True)
    left = () if task.target == UNROUTED else (task.change(DeliveryState.DISCARDED, f"routed anew: {decision.rule}"),)
    return Changes(deliveries=(*left, *plan.deliveries), jobs=plan.jobs, events=plan.events, called=False)


def failed(job: Job, outcome: Outcome, reason: str, over: bool) -> Changes:  # noqa: FBT001  the worker's own form
    """What else becomes true when a try failed: the row says why; one that is given up failed, if nothing may be there.

    A failure that says nothing about the calls before it leaves what is uncertain so.
    """
    if job.document_id is None:
        return Changes()
    target = str(job.data.get("target"))
    alone = _alone(job)
    updates = (DocumentUpdate(id=job.document_id, state=DocumentState.FAILED),) if over and alone else ()
    if target == UNROUTED:
        return Changes(document_updates=updates)
    state = None
    if outcome is Outcome.UNCERTAIN:
        state = DeliveryState.UNCERTAIN
    elif over:
        state = DeliveryState.FAILED
    key = _key(job, job.document_id)
    change = _change(
        job, job.document_id, key, state, reason, only_from=None if outcome is not Outcome.TRANSIENT else _CERTAIN
    )
    partner = job.lane.split(":", 1)[0]
    settled = (settle_job(job, partner, target, job.first_run_at),) if over and not alone else ()
    return Changes(deliveries=(change,), document_updates=updates, jobs=settled)


def _key(job: Job, document_id: str) -> str:
    """The key of a delivery's calls: where the document stands in another one's place, that one's."""
    return str(job.data.get("key") or identity.delivery_key(document_id, job.part))


def _alone(job: Job) -> bool:
    """Whether the document has no other target."""
    return not job.data.get("several")


def _change(
    job: Job, document_id: str, key: str, state: DeliveryState | None, reason: str | None = None, **fields: Any
) -> DeliveryChange:
    return DeliveryChange(
        document_id=document_id,
        target=str(job.data.get("target")),
        key=key,
        state=state,
        critical=not job.data.get("optional"),
        reason=reason,
        **fields,
    )
