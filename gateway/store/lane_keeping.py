"""What the store does with lanes: shown, limited, paused and let go; the breaker told of failures and successes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from gateway.events import Event, LaneCapped, LanePaused, LaneRated, LaneResumed
from gateway.ports import LANES, Clock
from gateway.store import lanes, own_chains
from gateway.store.database import Database
from gateway.store.lanes import Lane
from gateway.store.payloads import Payloads


class LaneKeeping:
    """Lanes by name. What each method writes stands on the lane's row, for all nodes;
    what an operator says, on the trail of the message `lanes` besides.
    """

    database: Database
    payloads: Payloads
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

    async def cap_lane(self, name: str, cap: int | None, *, by: str, why: str = "") -> None:
        """Set how many jobs of a lane run at once; None for the default."""
        fact = LaneCapped(message_id=LANES, lane=name, by=by, reason=why, cap=cap)
        await self._said(fact, partial(lanes.cap, name=name, value=cap))

    async def rate_lane(self, name: str, rate: str | None, *, by: str, why: str = "") -> None:
        """Set how many jobs of a lane start in a time (`gateway.ports.lanes.rate_of`); None for what is agreed."""
        fact = LaneRated(message_id=LANES, lane=name, by=by, reason=why, rate=rate)
        await self._said(fact, partial(lanes.rate, name=name, value=rate))

    async def pause_lane(self, name: str, until: datetime | None = None, *, by: str, why: str) -> None:
        """Stop a lane until then, or until it is let go; what runs goes on."""
        end = None if until is None else until.isoformat(timespec="seconds")
        fact = LanePaused(message_id=LANES, lane=name, by=by, reason=why, until=end)
        await self._said(fact, partial(lanes.pause, name=name, until=until, by=by, why=why))

    async def resume_lane(self, name: str, *, by: str, why: str = "") -> None:
        """Let a lane go on at once, whoever paused it."""
        await self._said(LaneResumed(message_id=LANES, lane=name, by=by, reason=why), partial(lanes.resume, name=name))

    async def _said(self, fact: Event, change: Callable[..., None]) -> None:
        """What an operator says of a lane, and that he did, in one commit."""
        now = self.clock()

        def operation(connection: Connection) -> None:
            own_chains.record(connection, fact, now)
            change(connection, now=now)

        await own_chains.begin(self.database, self.payloads, LANES, now)
        await self.database.write(operation)
