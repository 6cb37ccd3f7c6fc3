"""Calls of a replay, told and not made: what a target would get, beside what it got."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway import jsontext
from gateway.errors import DeliveryFailed, OurFault
from gateway.events import DocumentDelivered
from gateway.mapping import JsonMap
from gateway.mapping.differences import Difference, differences
from gateway.mapping.json import text as json_text
from gateway.pipeline import referencing, versions
from gateway.pipeline.station import Station
from gateway.ports import Delivery, Document, NewDocument, Told, TrailEntry, VersionKind
from gateway.ports.replays import Act


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What a replay does at one target."""

    target: str
    act: Act
    why: str = ""
    told: Told | None = None
    """The call; None where none is made."""
    fields: tuple[Difference, ...] = ()
    """What its body says otherwise than the one that the target got."""


async def delivery_of(
    station: Station, document: Document, key: str, *, their_id: str | None = None, replaces: bool = False
) -> Delivery:
    """A document on its way, in our words. Raises DeliveryFailed where a word is missing."""
    translated = await referencing.for_us(station, document, "deliver")
    if translated.held:
        raise _held(document)
    return Delivery(
        document_id=document.id,
        kind=document.kind,
        partner=document.partner,
        body=translated.body,
        idempotency_key=key,
        correlation_id=document.message_id,
        their_id=their_id,
        replaces=replaces,
    )


def _held(document: Document) -> OurFault:
    return OurFault(
        f"{document.kind} {document.number} would wait for a word of the cross-references",
        remedy="gateway reference unknown",
    )


async def body_then(station: Station, document: Document, target: str, trail: Sequence[TrailEntry]) -> str | None:
    """The body that a target got, made again with the map of then; None where that cannot be done any more."""
    told = [
        one.data
        for one in trail
        if one.kind == DocumentDelivered.kind
        and one.data.get("document_id") == document.id
        and one.data.get("target") == target
    ]
    if not told:
        return None
    digest = told[-1].get("map_hash")
    try:
        delivery = await delivery_of(station, document, "")
        if digest is None:
            return jsontext.written(delivery.body)
        version = await station.queries.get(VersionKind.MAP, str(digest))
        made = None if version is None else versions.map_of(version, station.hooks)
    except (OurFault, DeliveryFailed):
        return None
    if not isinstance(made, JsonMap):
        return None
    return json_text.encode(made.write(plain(delivery.body)).body)


def compared(before: str | None, now: str) -> tuple[Difference, ...]:
    """What two bodies say differently; nothing where the first is not known."""
    return () if before is None else differences(_read(before), _read(now))


def _read(text: str) -> Mapping[str, Any]:
    found = json.loads(text, parse_float=str, parse_int=str) if text else {}
    return found if isinstance(found, dict) else {"": found}


def plain(value: Any) -> Any:
    """A document without what its sender's syntax left in it, as maps get it."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items() if name != "extensions"}
    return [plain(each) for each in value] if isinstance(value, list) else value


def as_stored(new: NewDocument) -> Document:
    """A document that is not stored yet, as those who read it see it."""
    return Document(
        id=new.id,
        message_id=new.message_id,
        partner=new.partner,
        direction=new.direction,
        kind=new.kind,
        number=new.number,
        order_number=new.order_number,
        business_unit=new.business_unit,
        state=new.state,
        at=new.at,
        updated_at=new.at,
        body=new.body,
        sha256=new.sha256,
        findings=new.findings,
        agreement=new.agreement,
        map=new.map,
        guide=new.guide,
        position=new.position,
        target=None,
        their_id=None,
        replaces=new.replaces,
    )
