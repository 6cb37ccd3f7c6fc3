"""Seals the audit trail at a steady interval while there is something to seal."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.errors import OurFault

if TYPE_CHECKING:
    from gateway.store import Store

INTERVAL = 30.0
"""Seconds; an event is sealed within twice this time, well inside the promised 60 s."""

log = logging.getLogger(__name__)


class Sealer:
    """`run` until cancelled; a last seal is made when it is."""

    def __init__(self, store: Store, key: Ed25519PrivateKey, *, interval: float = INTERVAL) -> None:
        self._store = store
        self._key = key
        self.interval = interval

    async def run(self) -> None:
        """Seal now and then every `interval` seconds. A failure is logged and tried again."""
        try:
            while True:
                await self._seal()
                await asyncio.sleep(self.interval)
        finally:
            await self._seal()

    async def _seal(self) -> None:
        try:
            await self._store.seal(self._key)
        except OurFault as fault:
            log.error("The audit trail could not be sealed: %s %s", fault, fault.remedy)  # noqa: TRY400  ours, expected
        except Exception:
            log.exception("The audit trail could not be sealed")
