"""What a routing decision comes to: for each target a delivery with a state, a job in the target's own lane, an event.

A critical target never waits for an optional one, nor for another critical one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.events import DocumentRouted
from gateway.pipeline import behind, identity
from gateway.pipeline.routing import Decision
from gateway.ports import DeliveryChange, Document, Job, Json, NewDocument, NewJob

UNROUTED = "unrouted"
"""Stands for the target where no route fits; no delivery has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """The deliveries of a document."""

    deliveries: tuple[DeliveryChange, ...]
    jobs: tuple[NewJob, ...]
    events: tuple[DocumentRouted, ...]


def planned(
    document: NewDocument | Document, decision: Decision | None, now: datetime, *, anew: bool = False
) -> Planned:
    """By the decision; without one a job that waits for a route. `anew`: the document's first job is at work on this,
    so that each target gets a job of its own.
    """
    destinations = () if decision is None else decision.destinations
    several = len(destinations) > 1
    deliveries, jobs = [], []
    for index, one in enumerate(destinations):
        part = one.target if index or anew else ""
        key = identity.delivery_key(document.id, part)
        deliveries.append(
            DeliveryChange(document_id=document.id, target=one.target, key=key, critical=not one.optional)
        )
        data = (
            {"target": one.target}
            | ({"several": True} if several else {})
            | ({"optional": True} if one.optional else {})
        )
        jobs.append(_job(document, one.target, part, now, data))
    if decision is None:
        jobs.append(_job(document, UNROUTED, "", now, {"target": UNROUTED}))
    events = [
        DocumentRouted(
            message_id=document.message_id,
            partner=document.partner,
            order_number=document.order_number,
            document_id=document.id,
            target=target,
            rule=decision.rule if decision else "no route fits",
        )
        for target in [one.target for one in destinations] or [UNROUTED]
    ]
    return Planned(deliveries=tuple(deliveries), jobs=tuple(jobs), events=tuple(events))


def _job(document: NewDocument | Document, target: str, part: str, now: datetime, data: Json) -> NewJob:
    return NewJob(
        message_id=document.message_id,
        document_id=document.id,
        part=part,
        step="deliver",
        lane=identity.inbound_lane(document.partner, target),
        run_at=now,
        wait_key=behind.wait_key(document),
        data=data,
    )


def settle_job(document: Document | Job, partner: str, target: str, now: datetime) -> NewJob:
    """What follows for the document from how the delivery to this target ended; done again at each end."""
    return NewJob(
        message_id=document.message_id,
        document_id=document.id if isinstance(document, Document) else document.document_id,
        part=target,
        step="settle",
        lane=identity.inbound_lane(partner, "settle"),
        run_at=now,
        data={"target": target},
        again_after=timedelta(0),
    )
