"""Duties that are one node's at a time: each node looks at all of them, and does what is due and nobody does.

Clocks may jump, and differ between nodes. So a duty is due when its time has come, unless this node saw it done less
than half of its interval ago; and it is due, whatever its time says, when nothing happened for a whole interval by this
node's steady clock. One whose node is silent for `SILENCE` by the same clock is taken over. What was missed is done
once, not as often as it was missed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.errors import OurFault
from gateway.ports import Clock

if TYPE_CHECKING:
    from gateway.store import Scheduled, Store

LOOK_SECONDS = 10.0
BEAT_SECONDS = 15.0
SILENCE = 60.0
LONGEST_SAID = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """What is done, how often; `work` says in a few words what came of it."""

    every: timedelta
    work: Callable[[], Awaitable[str]]


@dataclass(slots=True)
class _Watched:
    """Since when, by the steady clock, a duty's beats stand still; `first`: since this node's first look."""

    beats: int
    since: float
    first: bool = True


class Duties:
    """`run` until cancelled; nothing that happens in a duty ends the gateway."""

    def __init__(
        self,
        store: Store,
        owner: str,
        duties: Mapping[str, Duty],
        *,
        clock: Clock,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._owner = owner
        self._duties = duties
        self._clock = clock
        self._steady = steady
        self._watched: dict[str, _Watched] = {}

    async def run(self) -> None:
        """Look, do what is due, and look again."""
        planned = False
        while True:
            try:
                if not planned:
                    for name, duty in self._duties.items():
                        await self._store.plan_duty(name, duty.every)
                    planned = True
                await self.look()
            except OurFault as fault:
                log.error("Duties could not be looked at: %s %s", fault, fault.remedy)  # noqa: TRY400  ours
            except Exception:
                log.exception("Duties could not be looked at")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Do, one after the other, what is due here and now."""
        for seen in await self._store.schedules():
            duty = self._duties.get(seen.name)
            if duty is not None and self._is_due(seen):
                beats = await self._store.take_duty(seen, self._owner)
                if beats is not None:  # else another node was quicker
                    await self._do(seen.name, duty, beats)

    def _is_due(self, seen: Scheduled) -> bool:
        now = self._steady()
        watched = self._watched.get(seen.name)
        if watched is None or watched.beats != seen.beats:
            watched = self._watched[seen.name] = _Watched(beats=seen.beats, since=now, first=watched is None)
        still = now - watched.since
        if seen.owner is not None:
            return still >= SILENCE
        if still >= seen.every_seconds:
            return True
        return seen.next_at <= self._clock() and (watched.first or still >= seen.every_seconds / 2)

    async def _do(self, name: str, duty: Duty, beats: int) -> None:
        """Do it while it is ours: the beats of a long one go on beside it."""
        began = self._steady()
        work: asyncio.Task[str] = asyncio.ensure_future(_said(duty))
        said = error = ""
        try:
            while not (await asyncio.wait((work,), timeout=BEAT_SECONDS))[0]:
                taken = await self._store.beat_duty(name, self._owner, beats)
                if taken is None:
                    log.warning("%s was taken over by another node, since this one was silent for so long", name)
                    return
                beats = taken
            said = work.result()
        except OurFault as fault:
            error = f"{fault}. {fault.remedy}"
            log.error("%s failed: %s", name, error)  # noqa: TRY400  ours, expected
        except Exception as fault:
            error = f"{type(fault).__name__}: see the log"
            log.exception("%s failed", name)
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
        took = self._steady() - began
        said, error = said[:LONGEST_SAID], error[:LONGEST_SAID]
        await self._store.end_duty(name, self._owner, beats, every=duty.every, took=took, said=said, error=error)
        self._watched[name] = _Watched(beats=beats + 1, since=self._steady(), first=False)
        log.info("%s: %s (%.1f s)", name, said or error, took)


async def _said(duty: Duty) -> str:
    return await duty.work()
