"""Whether the nodes work with one configuration. Each takes changed files up by itself, seconds apart from the others.

In these seconds work that was decided by the newer configuration could be claimed by a node that has only the older: it
steps aside, for as long as a change needs to arrive everywhere. After that the difference is one of the files: it works
on with what it has, and says so in log and readiness until the files agree.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from gateway.ports import Node, NodeState

SHORT = 12
"""Characters of a configuration's hash that people are shown."""

log = logging.getLogger(__name__)


class Accord:
    """`look` after each beat. `newest` is the configuration that was activated last, by any node."""

    def __init__(
        self,
        newest: Callable[[], Awaitable[str | None]],
        *,
        patience: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.aside = False
        """Whether this node leaves the work to those that have the newest configuration."""
        self._newest = newest
        self._patience = patience
        self._steady = steady
        self._behind: tuple[str, float] | None = None
        """The newest configuration that is lacking here, and since when."""
        self._since: float | None = None
        """When nodes were first seen to differ."""
        self._told: frozenset[tuple[str, str]] = frozenset()
        self._words: Mapping[str, str] = {}

    def words(self) -> Mapping[str, str]:
        """For the health check: how many nodes differ, once they do for longer than a change takes. No names."""
        return self._words

    async def look(self, ours: Node, others: Sequence[Node]) -> None:
        """Hold the living nodes against this one."""
        now = self._steady()
        living = [one for one in others if one.state is NodeState.READY and one.configuration]
        strange = [one for one in living if one.configuration != ours.configuration]
        if not strange:
            self.aside, self._behind, self._since, self._words = False, None, None, {}
            self._told = frozenset()
            return
        self._since = now if self._since is None else self._since
        await self._step_aside(ours, strange, now)
        if now - self._since < self._patience():
            return
        self._words = {"nodes": f"{len(strange)} of {len(living) + 1} work with another configuration"}
        told = frozenset((one.id, one.configuration) for one in strange)
        if told != self._told:
            self._told = told
            named = ", ".join(f"{one.id} with {one.configuration[:SHORT]}" for one in strange)
            log.warning("This node works with configuration %s, but %s", ours.configuration[:SHORT], named)

    async def _step_aside(self, ours: Node, strange: Sequence[Node], now: float) -> None:
        newest = await self._newest()
        if newest is None or newest == ours.configuration or all(one.configuration != newest for one in strange):
            self.aside, self._behind = False, None
            return
        if self._behind is None or self._behind[0] != newest:
            self._behind = (newest, now)
        self.aside = now - self._behind[1] < self._patience()
