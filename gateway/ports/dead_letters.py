"""Dead letters: work that was given up, or that somebody put aside, with all that is needed to decide about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.ports.values import Json

DELIVER = "deliver"
"""The step that hands a document to a target."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A job that was given up."""

    id: int
    message_id: str
    document_id: str | None
    part: str
    step: str
    lane: str
    data: Json
    attempts: int
    at: datetime
    """When the last attempt ended."""
    outcome: str
    reason: str
    discarded: bool
    """Somebody put it aside."""
    kind: str | None = None
    """Of its document, with its number below."""
    number: str | None = None
    order_number: str | None = None

    @property
    def partner(self) -> str:
        """Whose lane it stands in."""
        return self.lane.partition(":")[0]

    @property
    def target(self) -> str:
        """The far side: of a delivery its target, else the lane's endpoint."""
        return str(self.data.get("target") or self.lane.rpartition(":")[2])
