"""Doing the work: claims jobs from the store, runs their handlers, and decides what becomes of failures."""

from gateway.worker.accord import Accord
from gateway.worker.breaker import PAUSES, Breaker
from gateway.worker.expiry import ExpiryWatch
from gateway.worker.loop import Handler, OnDead, OnFailed, Worker
from gateway.worker.presence import Presence
from gateway.worker.retry import SCHEDULE, Schedule, next_run
from gateway.worker.sealer import Sealer

__all__ = [
    "PAUSES",
    "SCHEDULE",
    "Accord",
    "Breaker",
    "ExpiryWatch",
    "Handler",
    "OnDead",
    "OnFailed",
    "Presence",
    "Schedule",
    "Sealer",
    "Worker",
    "next_run",
]
