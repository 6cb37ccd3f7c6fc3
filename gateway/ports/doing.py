"""What the running task is doing, for its lines in the log and the calls that it makes: values of the task, no state.

Whoever begins something sets both; a task that began with another one's values so never keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

from gateway.ports.stored import Job

_NOTHING: Mapping[str, str | int] = MappingProxyType({})

DOING: ContextVar[Mapping[str, str | int]] = ContextVar("doing", default=_NOTHING)
"""Ids and names: message, partner, lane, step, attempt, correlation_id. Never a payload, never a secret."""

TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The span that calls to others continue (W3C Trace Context 3.2); None where nothing is traced."""


def doing_job(job: Job) -> Mapping[str, str | int]:
    """What is said of a job."""
    said: dict[str, str | int] = {"message": job.message_id}
    partner = job.lane.partition(":")[0] if job.message is None else job.message.partner
    if partner:
        said["partner"] = partner
    said |= {"lane": job.lane, "step": job.step, "attempt": job.attempt}
    if job.document_id:
        said["document"] = job.document_id
    return said
