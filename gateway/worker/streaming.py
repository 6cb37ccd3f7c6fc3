"""Publishes the outbox to an event stream: a row goes when the stream has acknowledged it, not before.

An event that the stream does not take is put off and keeps no other waiting; while the stream is away nothing is
claimed. What was sent twice (its acknowledgment was lost, or the process died) has the same id.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random as randomness
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from gateway.errors import DeliveryFailed, OurFault
from gateway.ports import Clock
from gateway.publication import STREAM

if TYPE_CHECKING:
    from gateway.store import Store
    from gateway.store.outbox import Outgoing

BATCH = 256
LEASE = timedelta(seconds=60)
"""Longer than any try takes; a row of a process that died comes back after it."""
POLL_SECONDS = 1.0
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before the stream is connected to again, and before an event is tried again; the last one holds."""
LONGEST_REASON = 500

log = logging.getLogger(__name__)


class EventStream(Protocol):
    """A stream that acknowledges. Made for one configuration; closed when another one holds."""

    @property
    def connected(self) -> bool:
        """Whether publishing makes sense now."""

    async def connect(self) -> None:
        """Raises OurFault where that fails."""

    async def publish(self, event_id: str, type_: str, partner: str | None, body: str) -> None:
        """Returns when the stream has it. Raises DeliveryFailed."""

    async def close(self) -> None:
        """Let go."""


class StreamPublisher:
    """`run` until cancelled. `source` gives the stream of the active configuration, the same as long as that holds."""

    def __init__(
        self,
        store: Store,
        source: Callable[[], EventStream | None],
        clock: Clock,
        *,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self._store = store
        self._source = source
        self._clock = clock
        self._random = random
        self._woken = asyncio.Event()
        self._open: EventStream | None = None
        self._failures = 0

    def wake(self) -> None:
        """There may be something in the outbox."""
        self._woken.set()

    async def run(self) -> None:
        """Publish, and wait."""
        try:
            while True:
                self._woken.clear()
                pause = POLL_SECONDS
                try:
                    if await self.publish() == BATCH:
                        continue
                    self._failures = 0
                except OurFault as fault:
                    pause = self._pause(self._failures)
                    if not self._failures:
                        log.error("Events cannot be published: %s %s", fault, fault.remedy)  # noqa: TRY400  ours
                    self._failures += 1
                except Exception:
                    pause = self._pause(self._failures)
                    self._failures += 1
                    log.exception("Events cannot be published")
                if self._failures:
                    await asyncio.sleep(pause)
                else:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._woken.wait(), pause)
        finally:
            await self._close()

    async def publish(self) -> int:
        """One batch; how many events were claimed. Raises OurFault while the stream, or the store, is away."""
        wanted = self._source()
        if wanted is not self._open:
            await self._close()
        if wanted is None:
            return 0
        if not wanted.connected:
            await wanted.connect()
        self._open = wanted
        rows = await self._store.claim_events(STREAM, lease=LEASE, most=BATCH)
        if rows:
            await self._settle(rows, await asyncio.gather(*(self._one(wanted, row) for row in rows)))
        return len(rows)

    async def _one(self, stream: EventStream, row: Outgoing) -> str | None:
        """Why a row was not taken; None where it was."""
        try:
            await stream.publish(row.event_id, row.type, row.partner, row.body)
        except DeliveryFailed as failed:
            return str(failed)[:LONGEST_REASON]
        except Exception as fault:
            log.exception("Event %s could not be published", row.event_id)
            return f"unexpected {type(fault).__name__}"
        return None

    async def _settle(self, rows: Sequence[Outgoing], reasons: Sequence[str | None]) -> None:
        now = self._clock()
        done = [row.id for row, reason in zip(rows, reasons, strict=True) if reason is None]
        put_off: list[tuple[int, datetime, str]] = [
            (row.id, now + timedelta(seconds=self._pause(row.tries - 1)), reason)
            for row, reason in zip(rows, reasons, strict=True)
            if reason is not None
        ]
        if put_off:
            log.warning("%d events were not taken by the stream: %s", len(put_off), put_off[0][2])
        await self._store.settle_events(done, put_off)

    async def _close(self) -> None:
        if self._open is not None:
            await self._open.close()
            self._open = None

    def _pause(self, failures: int) -> float:
        return PAUSES[min(failures, len(PAUSES) - 1)] * (0.8 + 0.4 * self._random())
