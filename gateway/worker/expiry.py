"""Warns before certificates end: an event for each threshold, once over all nodes; figures; a line in the log.

Looks when the configuration changes and every hour. Which node says it first is decided by the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.errors import OurFault
from gateway.events import CertificateExpiring
from gateway.partners.certificate_facts import days_left, subject
from gateway.partners.inventory import Held, due
from gateway.ports import CERTIFICATES, Changes, Clock, own_chain

if TYPE_CHECKING:
    from gateway.store import Store

EVERY_SECONDS = 3600
LOOK_SECONDS = 10.0
NOTE = b"The certificates of this gateway: the trail of this message says which came near their end, and when.\n"

log = logging.getLogger(__name__)

Source = Callable[[], tuple[object, Callable[[], Sequence[Held]]]]
"""What is active now, and how to read its certificates; another object means that they may have changed."""


class ExpiryWatch:
    """`run` until cancelled; nothing that happens here ends the gateway."""

    def __init__(
        self, store: Store, source: Source, figures: Callable[[Sequence[tuple[Held, int]]], None], clock: Clock
    ) -> None:
        self._store = store
        self._source = source
        self._figures = figures
        self._clock = clock
        self._logged: set[tuple[str, str, int]] = set()

    async def run(self) -> None:
        """Look, and look again."""
        seen: object = None
        last: datetime | None = None
        while True:
            active, read = self._source()
            now = self._clock()
            if active is not seen or last is None or (now - last).total_seconds() >= EVERY_SECONDS:
                try:
                    await self.look(await asyncio.to_thread(read), now)
                    seen, last = active, now
                except OurFault as fault:
                    log.error("Certificates could not be looked at: %s %s", fault, fault.remedy)  # noqa: TRY400  ours
                except Exception:
                    log.exception("Certificates could not be looked at")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, held: Sequence[Held], now: datetime) -> tuple[CertificateExpiring, ...]:
        """Figures for all, a warning for each that is due; the events that nobody gave before."""
        self._figures([(one, days_left(one.certificate, now)) for one in held if not one.retired])
        warnings = due(held, now)
        for one, days in warnings:
            self._say(one, days, now)
        if not warnings:
            return ()
        await self._chain()
        return await self._store.warn([_event(one, days, now) for one, days in warnings])

    def _say(self, held: Held, days: int, now: datetime) -> None:
        """Once for each threshold and process: a start tells everything that is due."""
        key = (held.fingerprint, held.partner, days)
        if key not in self._logged:
            self._logged.add(key)
            left = days_left(held.certificate, now)
            end = f"{held.certificate.not_valid_after_utc:%Y-%m-%d}"
            words = f"has expired on {end}" if left < 0 else f"ends on {end}, in {left} days"
            log.warning(
                "certificate %s (%s%s) %s", held.file, held.role, f" of {held.partner}" if held.partner else "", words
            )

    async def _chain(self) -> None:
        if await self._store.message(CERTIFICATES) is not None:
            return
        chain = own_chain(CERTIFICATES, NOTE, at=self._clock())
        try:
            await self._store.apply(Changes(messages=(chain,)))
        except OurFault:
            if await self._store.message(CERTIFICATES) is None:  # else another node was quicker
                raise


def _event(held: Held, days: int, now: datetime) -> CertificateExpiring:
    return CertificateExpiring(
        message_id=CERTIFICATES,
        partner=held.partner or None,
        role=held.role.value,
        file=held.file,
        certificate=held.fingerprint,
        subject=subject(held.certificate)[:300],
        not_after=held.certificate.not_valid_after_utc.isoformat(),
        days_left=days_left(held.certificate, now),
        threshold=days,
    )
