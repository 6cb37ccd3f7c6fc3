"""What people said of a stored message: rejected, put aside, still to be decided. A replay is no way around it.

Only read here, from the trail and from what is held; nothing is decided.
"""

from __future__ import annotations

from gateway.events import DocumentReviewed, WorkDiscarded, WorkRetried
from gateway.pipeline.reviewing import GATEWAY
from gateway.pipeline.station import Station
from gateway.ports import DeliveryState, Document, DocumentState, Message, Review, TrailEntry

REJECTED = "somebody rejected it: gateway message show has who and why"
UNDER_REVIEW = "it waits for a decision: gateway review list"
REPLACES = f"it replaces another one; {UNDER_REVIEW}"
PUT_ASIDE = "somebody put it aside; to work it after all: gateway dead list --discarded, gateway dead retry"


class Said:
    """About one message and its documents."""

    def __init__(self, station: Station, message: Message) -> None:
        self._station = station
        self._message = message
        self._trail: list[TrailEntry] | None = None

    async def events(self) -> list[TrailEntry]:
        """The message's trail, read once."""
        if self._trail is None:
            self._trail = await self._station.queries.timeline(message_id=self._message.id)
        return self._trail

    async def rejected(self, document: Document) -> bool:
        """Whether a person rejected it."""
        return any(
            one.kind == DocumentReviewed.kind
            and one.data.get("document_id") == document.id
            and one.data.get("decision") == "rejected"
            and one.data.get("by") != GATEWAY
            for one in await self.events()
        )

    async def stays_rejected(self, document: Document, states: set[DeliveryState]) -> bool:
        """Whether a person rejected what had been taken, and nobody has had it delivered since."""
        over = document.state is DocumentState.FAILED and states <= {DeliveryState.DISCARDED}
        return over and await self.rejected(document)

    async def put_aside(self, step: str, document_id: str | None = None) -> bool:
        """Whether the last that an operator said of this dead letter is that it is put aside."""
        said = [
            one
            for one in await self.events()
            if one.kind in {WorkDiscarded.kind, WorkRetried.kind}
            and one.data.get("step") == step
            and one.data.get("document_id") in {None, document_id}
        ]
        return bool(said) and said[-1].kind == WorkDiscarded.kind

    async def held_as_replacement(self, document: Document) -> bool:
        """Whether it waits for a person: under review, or, of a time before that, waiting for no word."""
        if document.state is not DocumentState.HELD:
            return False
        if document.review is Review.REPLACEMENT:
            return True
        if document.review is not None or document.replaces is None:
            return False
        holds = await self._station.queries.holds(partner=document.partner)
        return all(one.document_id != document.id for one in holds)
