"""Figures of the work in the database, as a monitor shows them: taken by one look now and then, never by a scrape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.ports.values import Direction, MessageState

LANES_SHOWN = 100
"""Lanes with figures of their own; the rest is summed up. A series each costs a monitor memory for weeks."""
BREAKERS: Mapping[str, int] = {"closed": 0, "half open": 1, "open": 2}
"""How the state of a breaker is shown as a number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneFigures:
    """What is in one lane, or in many together."""

    due: int
    """Jobs that should run now, or wait for room."""
    later: int
    """Jobs for a later time: tried again then, or waiting for an answer."""
    running: int
    dead: int
    oldest: datetime | None
    """When the job that is due the longest became due; None where none is due."""
    cap: int | None
    """How many may run at once; None for several lanes."""
    breaker: str
    """Of several lanes the worst."""
    stopped: int
    """1: an operator paused it; how many of several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """Messages that came and went since a moment, by direction and state."""

    since: datetime
    counts: Mapping[tuple[Direction, MessageState], int]

    def by(self, direction: Direction) -> dict[str, int]:
        """How many there are in each state."""
        return {state.value: count for (way, state), count in self.counts.items() if way is direction}


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkFigures:
    """Everything that was counted at one moment, over all nodes."""

    at: datetime
    all: LaneFigures
    lanes: Mapping[str, LaneFigures]
    """At most `LANES_SHOWN`: those in trouble first, then the fullest, then those that were served last."""
    others: LaneFigures
    """The rest of them."""
    breakers: Mapping[str, int]
    """How many lanes have their breaker in each state."""
    uncertain: int
    """Deliveries of which nobody knows whether they took place."""
    outbox: Mapping[str, tuple[int, datetime | None]]
    """By way out: events that are not handed on yet, and when the oldest was written."""
    unsealed: datetime | None
    """When the first event that is not sealed yet was written."""
    nodes: Mapping[str, int]
    """How many nodes are in each state."""
    configurations: int
    """How many different configurations are active on the nodes that are ready."""
    ahead: float
    """Seconds that the clock here is before the database's; 0 where both are one machine's."""
    duties: Mapping[str, bool] = field(default_factory=dict)
    """By name: whether the last time of one that is a node's at a time failed, or it has been at work for a day."""
