"""What becomes of a job whose handler failed: tried again at a time, or given up. A table over the kinds of failure.

Whose fault it was decides: a partner's document does not get better by waiting, our database and their station may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.connectors.said import clean
from gateway.errors import DeliveryFailed, OurFault, Outcome, PartnerFault
from gateway.events import DeliveryAttemptFailed, Event, WorkGivenUp
from gateway.ports import Awaited, Job
from gateway.publication import NOTIFY
from gateway.worker.retry import Schedule, next_run

UNEXPECTED_TRIES = 8
"""Tries of a handler that raises what it should not; then the job is a dead letter."""
LONGEST_REASON = 2000


class Unrecorded(Exception):  # noqa: N818  what happened, not a mistake
    """A call came to its end and that could not be written: to the store it may have taken place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How an attempt ended. Without `run_at` the job is given up."""

    outcome: Outcome
    reason: str
    run_at: datetime | None
    delivery: bool
    """It was a call to a far side: its lane's breaker and the trail are told."""


def judge(
    job: Job, fault: Exception, *, now: datetime, random: Callable[[], float], schedule: Schedule, reference: str
) -> Verdict:
    """What becomes of `job` after `fault`. `reference` names the log's record of an unexpected one."""
    reason = clean(str(fault) or type(fault).__name__, LONGEST_REASON, keep="\r\n\t")
    retry_after = fault.retry_after if isinstance(fault, DeliveryFailed) else None
    again = next_run(job.tries, job.first_run_at, now, retry_after, random, schedule=schedule)
    match fault:
        case DeliveryFailed(outcome=Outcome.PERMANENT):
            return Verdict(outcome=Outcome.PERMANENT, reason=reason, run_at=None, delivery=True)
        case DeliveryFailed(outcome=outcome):
            return Verdict(outcome=outcome, reason=reason, run_at=again, delivery=True)
        case Unrecorded():
            return Verdict(outcome=Outcome.UNCERTAIN, reason=reason, run_at=again, delivery=False)
        case PartnerFault():
            return Verdict(outcome=Outcome.PERMANENT, reason=reason, run_at=None, delivery=False)
        case OurFault(remedy=remedy):
            advice = f"{reason} {remedy}".strip()
            return Verdict(outcome=Outcome.TRANSIENT, reason=advice, run_at=again, delivery=False)
        case _:
            told = f"unexpected {type(fault).__name__}, log reference {reference}"
            again = again if job.tries < UNEXPECTED_TRIES else None
            return Verdict(outcome=Outcome.TRANSIENT, reason=told, run_at=again, delivery=False)


def wait(job: Job, awaited: Awaited, *, now: datetime, random: Callable[[], float], schedule: Schedule) -> Verdict:
    """When a job that waits for the far side comes back; the far side may have taken it, so it is *uncertain*."""
    again = next_run(job.tries, job.first_run_at, now, awaited.seconds, random, schedule=schedule)
    reason = clean(awaited.reason, LONGEST_REASON, keep="\r\n\t")
    return Verdict(outcome=Outcome.UNCERTAIN, reason=reason, run_at=again, delivery=False)


def facts(job: Job, verdict: Verdict) -> tuple[Event, ...]:
    """The events of a failed attempt. The partner is the first part of the lane, its contract says.

    That a webhook could not be told is no fact about the message: the attempts tell it (`gateway webhook deliveries`).
    """
    if job.step == NOTIFY:
        return ()
    partner = job.lane.split(":", 1)[0] or None
    order_number = job.data.get("order_number")
    told: list[Event] = []
    # What is ours to mend (no route, a missing map, a partner suspended) is told once, and not at every try after it.
    if verdict.delivery or (verdict.run_at is not None and job.tries <= 1):
        told.append(
            DeliveryAttemptFailed(
                message_id=job.message_id,
                partner=partner,
                order_number=order_number,
                target=str(job.data.get("target", job.lane if verdict.delivery else job.step)),
                attempt=job.attempt,
                outcome=verdict.outcome.value,
                reason=verdict.reason,
                retry_at=None if verdict.run_at is None else verdict.run_at.isoformat(timespec="seconds"),
            )
        )
    if verdict.run_at is None:
        told.append(
            WorkGivenUp(
                message_id=job.message_id,
                partner=partner,
                order_number=order_number,
                step=job.step,
                attempts=job.attempt,
                reason=verdict.reason,
                document_id=job.document_id,
            )
        )
    return tuple(told)
