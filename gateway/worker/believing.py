"""Whether the clock is to be believed by work that cannot be taken back: what goes by age goes for good.

A clock that leaps ahead makes everything old. So it is held against the steady clock of this process, and against the
database's, where that is another machine's; a leap is believed once it has stood for days, in which a person can look.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from gateway.errors import OurFault
from gateway.ports import Clock

LEAP = timedelta(days=1)
"""What no drift comes to, and no rule of retention is short enough to be harmed by."""
PATIENCE = timedelta(days=3)


class Belief:
    """Made when the process begins; asked before each run."""

    def __init__(
        self, clock: Clock, ahead: Callable[[], Awaitable[float]], *, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._ahead = ahead
        """Seconds that our clock is before the database's."""
        self._steady = steady
        self._wall, self._then = clock(), steady()
        self._leapt: tuple[timedelta, float] | None = None

    async def check(self) -> None:
        """Raises OurFault while the clock may be wrong by more than a day."""
        beside = timedelta(seconds=await self._ahead())
        if beside > LEAP:
            raise OurFault(
                f"The clock here is {_days(beside)} before the database's: nothing is removed by it",
                remedy="Set it right; docs/operations.md#a-clock-is-wrong.",
            )
        wall, now = self._clock(), self._steady()
        leap = wall - self._wall - timedelta(seconds=now - self._then)
        self._wall, self._then = wall, now
        if self._leapt is not None and now - self._leapt[1] >= PATIENCE.total_seconds():
            self._leapt = None  # it stood for so long that it is believed
        if leap > LEAP:
            before = timedelta(0) if self._leapt is None else self._leapt[0]
            self._leapt = before + leap, now
        elif self._leapt is not None:  # in doubt what is set back counts, also in part
            left = self._leapt[0] + leap
            self._leapt = (left, self._leapt[1]) if left > LEAP else None
        if self._leapt is not None:
            raise OurFault(
                f"The clock went {_days(self._leapt[0])} ahead of what has gone by: nothing is removed by it for "
                f"{_days(PATIENCE)}",
                remedy="Set it right. If it is right now (the machine was asleep), wait, or: gateway retention run.",
            )


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.1f} days"
