"""What the store does with lanes: shown, limited, paused and let go; the breaker told of failures and successes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from gateway.ports import Clock
from gateway.store import lanes
from gateway.store.database import Database
from gateway.store.lanes import Lane


class LaneKeeping:
    """Lanes by name. What each method writes stands on the lane's row, for all nodes."""

    database: Database
    clock: Clock

    async def lanes(self, name: str | None = None) -> list[Lane]:
        """All lanes with what is due and running, or the one of this name."""
        return await self.database.read(partial(lanes.lanes, name=name))

    async def lane_names(self) -> list[str]:
        """The names of all lanes."""
        return await self.database.read(lanes.names)

    async def troubled_lanes(self) -> frozenset[str]:
        """The lanes whose last call failed or that are paused."""
        return await self.database.read(lanes.troubled)

    async def lane_failed(self, name: str, pause_for: Callable[[int], timedelta | None]) -> datetime | None:
        """Count a transient failure in a row; `pause_for(count)` says how long to pause. Until when it is paused."""
        return await self.database.write(partial(lanes.failed, name=name, now=self.clock(), pause_for=pause_for))

    async def lane_succeeded(self, name: str) -> None:
        """A call went through: forget the lane's failures and end its probing."""
        await self.database.write(partial(lanes.succeeded, name=name, now=self.clock()))

    async def cap_lane(self, name: str, cap: int | None) -> None:
        """Set how many jobs of a lane run at once; None for the default."""
        await self.database.write(partial(lanes.cap, name=name, value=cap, now=self.clock()))

    async def rate_lane(self, name: str, rate: str | None) -> None:
        """Set how many jobs of a lane start in a time (`gateway.ports.lanes.rate_of`); None for what is agreed."""
        await self.database.write(partial(lanes.rate, name=name, value=rate, now=self.clock()))

    async def pause_lane(self, name: str, until: datetime | None = None, *, by: str, why: str) -> None:
        """Stop a lane until then, or until it is let go; what runs goes on."""
        await self.database.write(partial(lanes.pause, name=name, until=until, by=by, why=why, now=self.clock()))

    async def resume_lane(self, name: str) -> None:
        """Let a lane go on at once, whoever paused it."""
        await self.database.write(partial(lanes.resume, name=name, now=self.clock()))
