"""The Protocol of tracing, and what stands in its place while nothing is traced."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from gateway.ports.changes import NewMessage
from gateway.ports.stored import Job

Ended = Callable[[str, int], None]
"""Says how a request ended: its route, and the status of the answer."""


class Tracing(Protocol):
    """Spans of requests and steps. Nothing here raises, waits, or sees a payload."""

    def request(self, *, method: str, traceparent: str | None) -> AbstractContextManager[Ended]:
        """A request is answered inside; `traceparent` is the caller's, when it is valid."""

    def job(self, job: Job) -> AbstractContextManager[None]:
        """A step of a message is worked inside."""

    def accepted(self, messages: Iterable[NewMessage]) -> None:
        """Messages became durable: by the request, or by the step, that runs in this task."""

    def close(self) -> None:
        """Hand on what is left, in bounded time."""


def _unheard(route: str, status: int) -> None:
    """Nobody is told."""


class NoTracing:
    """Nothing is traced."""

    def request(self, *, method: str, traceparent: str | None) -> AbstractContextManager[Ended]:
        """As `Tracing`."""
        del method, traceparent
        return nullcontext(_unheard)

    def job(self, job: Job) -> AbstractContextManager[None]:
        """As `Tracing`."""
        del job
        return nullcontext()

    def accepted(self, messages: Iterable[NewMessage]) -> None:
        """As `Tracing`."""

    def close(self) -> None:
        """As `Tracing`."""
