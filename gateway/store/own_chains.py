"""The chains that tell what befell the gateway itself: webhooks, lanes, replays. Each is a message of no partner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection, select

from gateway.events import Event
from gateway.ports import LANES, REPLAYS, WEBHOOKS, Changes, own_chain
from gateway.store import changes as changing
from gateway.store.database import Database
from gateway.store.payloads import Payloads
from gateway.store.tables import message

NOTES: Mapping[str, bytes] = MappingProxyType(
    {
        LANES: b"The lanes of this gateway: the trail of this message says who paused, resumed or limited which.\n",
        REPLAYS: b"The replays of this gateway: the trail of this message says who had which messages worked again, and"
        b" why.\n",
        WEBHOOKS: b"The webhooks of this gateway: the trail of this message says which were disabled, enabled or sent"
        b" to again.\n",
    }
)


async def begin(database: Database, payloads: Payloads, id_: str, now: datetime) -> None:
    """Make the message whose chain it is, unless it is there."""
    chain = own_chain(id_, NOTES[id_], at=now)
    kept = {(id_, "payload"): payloads.keep(id_, "payload", NOTES[id_])}

    def operation(connection: Connection) -> None:
        if connection.execute(select(message.c.id).where(message.c.id == id_)).one_or_none() is None:
            changing.write(connection, Changes(messages=(chain,)), kept, now, duplicates=True)

    await database.write(operation)


def record(connection: Connection, fact: Event, now: datetime) -> None:
    """Write a fact; its chain was begun."""
    changing.write(connection, Changes(events=(fact,)), {}, now)
