"""The circuit breaker of a lane: after some transient failures in a row the lane rests, then one job probes it.

The count and the pause stand on the lane's row, so all nodes see them; here is only when to pause and for how long.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

THRESHOLD = 5
"""Transient failures in a row that open the breaker."""
PAUSES: tuple[float, ...] = (30, 60, 120, 300)
"""Seconds the lane rests when it opens, and after each probe that fails; the last one holds for all that follow."""


class Breaker:
    """When a lane is paused."""

    def __init__(self, *, threshold: int = THRESHOLD, pauses: Sequence[float] = PAUSES) -> None:
        self.threshold = threshold
        self.pauses = tuple(pauses)

    def pause_for(self, failures: int) -> timedelta | None:
        """How long a lane rests after this many failures in a row; None when it does not."""
        if failures < self.threshold:
            return None
        return timedelta(seconds=self.pauses[min(failures - self.threshold, len(self.pauses) - 1)])
