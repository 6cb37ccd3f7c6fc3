"""The message that a replay has in hand: what it is read with, what was said of it, and what comes of it.

It tells the calls that targets would get; none is made.
"""

from __future__ import annotations

from datetime import timedelta

from gateway.errors import DeliveryFailed, OurFault
from gateway.pipeline import identity
from gateway.pipeline.deliveries import UNROUTED
from gateway.pipeline.replaying_calls import Call, body_then, compared, delivery_of
from gateway.pipeline.replaying_plan import How, Sum
from gateway.pipeline.replaying_said import Said
from gateway.pipeline.rereading import Eyes, Reread
from gateway.pipeline.station import Station
from gateway.ports import DeliveryRecord, Direction, Document, Message, NewDocument, NewJob
from gateway.ports.replays import Act


class Hand:
    """One message."""

    def __init__(self, station: Station, message: Message, how: How, eyes: Eyes) -> None:
        self.station = station
        self.message = message
        self.how = how
        self.eyes = eyes
        self.sum = Sum()
        self.said = Said(station, message)
        self.fresh: list[NewDocument] = []
        """What is taken now of what was refused: it counts for the sets behind it."""
        self.named: dict[str, NewDocument] = {}
        """Everything that is taken now, by each of its identities."""

    async def told(self, document: Document, target: str, key: str, act: Act) -> Call:
        """A call to a target that has nothing of it."""
        connector = self.station.connectors.get(target)
        if connector is None:
            return Call(target=target, act=act, why="it is no target any more: routed anew")
        try:
            return Call(target=target, act=act, told=connector.told(await delivery_of(self.station, document, key)))
        except (DeliveryFailed, OurFault) as fault:
            return Call(target=target, act=act, why=str(fault))

    async def compared(self, document: Document, row: DeliveryRecord, *, of: Document | None = None) -> Call:
        """What a target that has `of` (by default the document itself) would get now, and whether it can be told."""
        connector = self.station.connectors.get(row.target)
        if connector is None:
            return Call(target=row.target, act=Act.SAME, why="it has it, and is no target any more")
        before = await body_then(self.station, of or document, row.target, await self.said.events())
        try:
            plain = connector.told(await delivery_of(self.station, document, row.key))
            fields = compared(before, plain.body)
            if not fields and (before is not None or of is None):
                return Call(target=row.target, act=Act.SAME, why="it has what would be sent")
            if not connector.replaces(document.kind):
                why = f"{row.target} has it, and has no replace call for {document.kind}"
                return Call(target=row.target, act=Act.LEFT, why=why, fields=fields)
            anew = await delivery_of(self.station, document, document.id, their_id=row.their_id, replaces=True)
            return Call(target=row.target, act=Act.REPLACED, told=connector.told(anew), fields=fields)
        except (DeliveryFailed, OurFault) as fault:
            return Call(target=row.target, act=Act.LEFT, why=f"{row.target} has it, and what it would get now: {fault}")

    async def holder(self, one: Reread) -> Document | None:
        """The document that has its natural key now."""
        partner = self.eyes.agreement.name
        return await self.station.queries.document_by_key(
            partner, Direction.INBOUND, identity.natural_key(one.kind, one.body)
        )

    def unrouted(self, document: Document) -> NewJob:
        """The work on a document that no route led on."""
        return NewJob(
            message_id=document.message_id,
            document_id=document.id,
            step="deliver",
            lane=identity.inbound_lane(document.partner, UNROUTED),
            run_at=self.station.clock(),
            data={"target": UNROUTED},
            again_after=timedelta(0),
        )

    @property
    def reason(self) -> str:
        """Why deliveries stand otherwise now."""
        return f"replay {self.how.replay_id}, {self.how.by}: {self.how.why}"
