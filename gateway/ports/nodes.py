"""Nodes: the running gateway processes that share one database, as each of them told last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MISSED = 3
"""Beats that a node may miss until it counts as dead."""


class NodeState(StrEnum):
    """How far a node has come, or that it is gone."""

    STARTING = "starting"
    """It is not listening yet."""
    READY = "ready"
    """It listens and works."""
    DRAINING = "draining"
    """It was told to stop: what it has begun is finished, nothing new is claimed."""
    LOST = "lost"
    """It stopped beating, and another node gave its work back. It may wake up and come back by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One process. Its id is the owner of the leases that it holds, and never another process's."""

    id: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    """Its last beat, by its own clock."""
    beats: int
    """Grows with each beat: whether it lives is seen by this, whatever clocks say."""
    beat_seconds: float
    """How often it means to beat."""
    gateway: str
    """The version of the program."""
    schema: str
    """The schema that the program works with."""
    configuration: str
    """The hash of the configuration that is active there; empty before there is one."""
    state: NodeState

    def quiet_at(self, now: datetime) -> bool:
        """Whether its last beat is longer ago than a living node's can be, were all clocks right."""
        return (now - self.seen_at).total_seconds() > MISSED * self.beat_seconds
