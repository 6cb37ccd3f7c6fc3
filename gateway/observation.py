"""Joins what is seen of the work: figures, spans and what lines of the log say of the task that wrote them.

For `gateway.wiring` alone. Nothing here changes what the gateway does; what fails here is logged and goes on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from gateway.errors import OurFault
from gateway.ports import Changes, Job, Node, Tracing
from gateway.ports.doing import DOING, TRACEPARENT, doing_job
from gateway.ports.tracing import NoTracing
from gateway.settings import Settings, Traces
from gateway.store import Store
from gateway.store.disks import room
from gateway.web.metrics import Metrics
from gateway.worker import Handler

COUNT_SECONDS = 10.0
COUNTING_SHARE = 0.02
"""Of a million waiting jobs the count takes a second: the pause after it grows so that it costs no more than this."""

log = logging.getLogger(__name__)


class Observation:
    """What one process shows."""

    def __init__(self, store: Store, node: Node, settings: Settings, *, folder: Path, url: str) -> None:
        self._store = store
        self._room = partial(room, url, folder / settings.database.payloads)
        self.metrics = Metrics()
        self.metrics.built(version=node.gateway, schema=node.schema)
        self.tracing = _tracing(settings.traces, node)
        store.on_attempt = self.metrics.attempted
        store.on_claim = self.metrics.claimed
        store.database.on_batch = self.metrics.committed

    @classmethod
    @asynccontextmanager
    async def of(
        cls, store: Store, node: Node, settings: Settings, folder: Path, *, url: str
    ) -> AsyncIterator[Observation]:
        """As configured; the spans that are left at the end are handed on, beside the loop."""
        made = cls(store, node, settings, folder=folder, url=url)
        try:
            yield made
        finally:
            await asyncio.to_thread(made.tracing.close)

    def committed(self, changes: Changes) -> None:
        """It is durable."""
        for event in changes.events:
            self.metrics.record(event)
        if changes.messages:
            self.tracing.accepted(changes.messages)
            said = DOING.get()
            if "message" not in said:  # the request that brought it
                first = changes.messages[0]
                own = {"message": first.id} | ({"partner": first.partner} if first.partner else {})
                DOING.set({**said, **own})

    def seen(self, step: str, handler: Handler) -> Handler:
        """The handler of a step, timed and traced. Its task is the job's own, so what is set here ends with it."""

        async def work(job: Job) -> Changes:
            DOING.set(doing_job(job))
            TRACEPARENT.set(None)
            started = time.perf_counter()
            try:
                with self.tracing.job(job):
                    return await handler(job)
            finally:
                self.metrics.stepped(step, time.perf_counter() - started)

        return work

    async def run(self) -> None:
        """Count what stands in the database and the room on the disks, now and then."""
        while True:
            started = time.perf_counter()
            try:
                found = await self._store.figures()
                self.metrics.worked(found, seconds=time.perf_counter() - started)
                self.metrics.disks(await asyncio.to_thread(self._room))
            except OurFault:
                pass  # a database that does not answer is readiness's business, and the time of the last count stays
            except Exception:
                log.exception("The work could not be counted")
            await asyncio.sleep(max(COUNT_SECONDS, (time.perf_counter() - started) / COUNTING_SHARE))


def _tracing(settings: Traces | None, node: Node) -> Tracing:
    """As configured. Raises OurFault where the extra is not installed."""
    if settings is None:
        return NoTracing()
    from gateway.connectors.otlp import OtlpTracing  # noqa: PLC0415  an extra

    return OtlpTracing(node=node.id, version=node.gateway, endpoint=settings.endpoint, share=float(settings.share))
