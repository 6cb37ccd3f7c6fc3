"""The `notify` step: one event to one webhook. What an endpoint answers never changes what became of the message.

410 (Gone) disables the endpoint, and so does a delivery whose time is over while nothing else got through either.
"""

from __future__ import annotations

from datetime import timedelta

from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.pipeline.station import Station
from gateway.ports import Changes, Job
from gateway.settings import Webhook

BY = "the endpoint"
IN_A_ROW = 5
"""Failures in a row of its lane that say: it is the endpoint, not the event."""


async def notify(station: Station, job: Job) -> Changes:
    """Tell the job's webhook of the job's event. Raises DeliveryFailed, OurFault where it is not configured."""
    name = str(job.data.get("endpoint"))
    endpoint = station.webhooks.get(name)
    if endpoint is None:
        raise OurFault(
            f"webhook {name} is not in the configuration",
            remedy="add it again, or leave it: it is given up when its time is over",
        )
    if await station.store.webhook_disabled(name):
        raise DeliveryFailed(f"it is disabled; gateway webhook enable {name}", outcome=Outcome.PERMANENT)
    try:
        await endpoint.post(str(job.data["event_id"]), str(job.data["body"]))
    except DeliveryFailed as failed:
        if failed.outcome is Outcome.PERMANENT:
            await station.store.disable_webhook(name, by=BY, reason=str(failed))
        elif await _dead(station, job, name):
            reason = f"nothing got through for {_patience(station, name).days} days: {failed}"
            await station.store.disable_webhook(name, by="the gateway", reason=reason)
        raise
    return Changes()


async def _dead(station: Station, job: Job, name: str) -> bool:
    """Whether this was the last try of the job, and those of others before it failed, too."""
    over = station.clock() - job.first_run_at >= _patience(station, name)
    return over and await station.store.lane_failures(job.lane) >= IN_A_ROW


def _patience(station: Station, name: str) -> timedelta:
    webhook = webhook_of(station, name)
    return timedelta(hours=float(webhook.retries.give_up_after_hours)) if webhook else timedelta.max


def webhook_of(station: Station, name: str) -> Webhook | None:
    """The settings of a webhook, ours or a partner's (`<partner>/<name>`)."""
    partner, slash, own = name.rpartition("/")
    if not slash:
        return station.settings.webhooks.get(name)
    agreement = station.directory.known(partner)
    return None if agreement is None else agreement.webhooks.get(own)
