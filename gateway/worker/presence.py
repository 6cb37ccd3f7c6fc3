"""The presence of this node among others: it beats, watches the others' beats, and gives the work of dead ones back.

Clocks are not compared: a node is dead when its count of beats stood still while this one committed three of its own,
and three of the other's intervals went by here. A database that stalls, or a watcher that slept, so kills nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.errors import OurFault
from gateway.ports import MISSED, Clock, Node, NodeState

if TYPE_CHECKING:
    from gateway.store import Store

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watched:
    """How long another node's count stands still."""

    beats: int
    since: float
    looks: int = 0


class Presence:
    """`run` until cancelled, then `leave`. `ours` is this node as it is now."""

    def __init__(
        self,
        store: Store,
        ours: Node,
        *,
        clock: Clock,
        configuration: Callable[[], str],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self.ours = ours
        self.others: Sequence[Node] = ()
        """The living ones, as of the last look."""
        self._clock = clock
        self._configuration = configuration
        self.looked: Callable[[Node, Sequence[Node]], Awaitable[None]] | None = None
        """Told of this node and the living others after each look."""
        self.returned: Callable[[], None] = lambda: None
        """Told that work was given back."""
        self._steady = steady
        self._watched: dict[str, _Watched] = {}

    async def enter(self, state: NodeState) -> None:
        """Be in this state from now on, and tell it at once. Raises OurFault."""
        self.ours = replace(self.ours, state=state)
        await self._beat()

    async def leave(self) -> None:
        """Stopped in good order. A database that does not answer learns it by the silence."""
        with contextlib.suppress(OurFault):
            await self._store.leave(self.ours.id)

    async def run(self) -> None:
        """Beat and look, until cancelled. A failure is logged and tried again."""
        while True:
            await asyncio.sleep(self.ours.beat_seconds)
            try:
                await self._beat()
                await self.look()
            except OurFault as fault:
                log.error("This node could not say that it is alive: %s %s", fault, fault.remedy)  # noqa: TRY400  ours
            except Exception:
                log.exception("This node could not say that it is alive")

    async def _beat(self) -> None:
        ours = replace(self.ours, seen_at=self._clock(), beats=self.ours.beats + 1, configuration=self._configuration())
        if not await self._store.beat(ours):
            log.warning("This node was silent for so long that others gave its work back; it goes on with new work")
        self.ours = replace(ours, state=self.ours.state)

    async def look(self) -> None:
        """Who lives; the work of those that do not is given back."""
        now, found = self._steady(), await self._store.nodes()
        living: list[Node] = []
        for one in found:
            if one.id == self.ours.id or one.state is NodeState.LOST:
                continue
            watched = self._watched.get(one.id)
            if watched is None or watched.beats != one.beats:
                self._watched[one.id] = _Watched(beats=one.beats, since=now)
            else:
                watched.looks += 1
                if watched.looks >= MISSED and now - watched.since >= MISSED * one.beat_seconds:
                    await self._lose(one)
                    continue
            living.append(one)
        self.others = living
        self._watched = {one.id: self._watched[one.id] for one in living}
        if self.looked is not None:
            await self.looked(self.ours, self.others)

    async def _lose(self, other: Node) -> None:
        returned = await self._store.lose(other, by=self.ours.id)
        if returned is None:  # it has beaten, or somebody else was quicker
            return
        log.warning("Node %s stopped beating: %d jobs of it are given back", other.id, returned)
        await self._store.forget_lost()
        if returned:
            self.returned()
