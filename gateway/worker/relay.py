"""Hands the outbox on: events become jobs for the webhooks that asked.

Which webhooks there are is asked at each round, so a changed configuration holds from the next event on. Waking is a
hint; polling is the truth.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.errors import OurFault
from gateway.publication import Subscribers

if TYPE_CHECKING:
    from gateway.store import Store

BATCH = 200
POLL_SECONDS = 1.0
GATHER_SECONDS = 0.1
"""What is written in this time goes out together: webhooks are not in a hurry, the store has better things to do."""

log = logging.getLogger(__name__)


class Relay:
    """`run` until cancelled; nothing that happens here ends the gateway."""

    def __init__(self, store: Store, subscribers: Callable[[], Subscribers], handed: Callable[[], None]) -> None:
        self._store = store
        self._subscribers = subscribers
        self._handed = handed
        """Told that there are jobs now."""
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something in the outbox."""
        self._woken.set()

    async def run(self) -> None:
        """Hand on, and wait."""
        while True:
            self._woken.clear()
            try:
                while await self.hand_on() == BATCH:
                    pass
            except OurFault as fault:
                log.error("Events cannot be handed on: %s %s", fault, fault.remedy)  # noqa: TRY400  ours, expected
            except Exception:
                log.exception("Events cannot be handed on")
            await asyncio.sleep(GATHER_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL_SECONDS)

    async def hand_on(self) -> int:
        """One batch; how many events it had."""
        count = await self._store.hand_on(self._subscribers(), BATCH)
        if count:
            self._handed()
        return count
