"""Doing the work: claims jobs from the store, runs their handlers, and decides what becomes of failures."""

from gateway.worker.accord import Accord
from gateway.worker.breaker import PAUSES, Breaker
from gateway.worker.duties import Duties, Duty
from gateway.worker.expiry import ExpiryWatch
from gateway.worker.keeping import keeping
from gateway.worker.loop import Handler, OnDead, OnFailed, Worker
from gateway.worker.presence import Presence
from gateway.worker.relay import Relay
from gateway.worker.retry import SCHEDULE, Schedule, next_run
from gateway.worker.sealer import Sealer
from gateway.worker.streaming import EventStream, StreamPublisher

__all__ = [
    "PAUSES",
    "SCHEDULE",
    "Accord",
    "Breaker",
    "Duties",
    "Duty",
    "EventStream",
    "ExpiryWatch",
    "Handler",
    "OnDead",
    "OnFailed",
    "Presence",
    "Relay",
    "Schedule",
    "Sealer",
    "StreamPublisher",
    "Worker",
    "keeping",
    "next_run",
]
