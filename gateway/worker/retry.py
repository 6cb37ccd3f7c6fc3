"""The retry schedule, as a table of pauses. Pure: time and randomness are parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

SCHEDULE: tuple[float, ...] = (5, 15, 60, 300, 900, 3600)
"""Seconds to wait after the first, second, … failure; the last one holds for all that follow."""
GIVE_UP_AFTER = timedelta(days=3)
"""Counted from when the job was first due, or revived."""
JITTER = 0.2
"""Each wait is lengthened or shortened by up to this part, so that jobs that failed together do not return together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """How long to wait between tries, in seconds, and for how long to go on."""

    seconds: tuple[float, ...] = SCHEDULE
    give_up_after: timedelta = GIVE_UP_AFTER
    jitter: float = JITTER


def next_run(
    attempt: int,
    first_run_at: datetime,
    now: datetime,
    retry_after: float | None,
    random: Callable[[], float],
    *,
    schedule: Schedule | None = None,
) -> datetime | None:
    """When to try again after `attempt` (from 1) failed; None when the time for it is over.

    `retry_after`, in seconds, is what the far side asked for: it is never undercut, and never leads past the end.
    `random` gives numbers from 0 to 1.
    """
    schedule = schedule or Schedule()
    end = first_run_at + schedule.give_up_after
    if now >= end:
        return None
    wait = schedule.seconds[min(attempt, len(schedule.seconds)) - 1]
    wait *= 1 + schedule.jitter * (2 * random() - 1)
    return min(now + timedelta(seconds=max(wait, retry_after or 0)), end)
