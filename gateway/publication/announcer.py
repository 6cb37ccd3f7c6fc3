"""Facts to CloudEvents 1.0 (structured JSON), as they are written to the outbox in the commit of the fact.

An event's id is its fact's place on the trail: the message, the number in its chain, and a counter where one fact
tells several things. So whoever makes it again makes the same, and it can be found on the trail.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from gateway.events import Event
from gateway.ports import Document, NewDocument
from gateway.publication.subscribers import Subscribers
from gateway.publication.telling import Told, told
from gateway.published import TestData
from gateway.settings import Settings

_TRACE_DIGITS = 32
_HEXADECIMAL = frozenset("0123456789abcdef")
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """Where a fact stands on the trail, and since when."""

    number: int
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """One event on its way out by one way."""

    event_id: str
    way: str
    type: str
    partner: str | None
    message_id: str
    body: str
    """The CloudEvent as JSON text: the same octets at every attempt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcer:
    """Makes the events that anybody asked for; told of every fact, so what nobody asked for must cost nothing."""

    source: str
    subscribers: Subscribers

    @classmethod
    def of(cls, settings: Settings, subscribers: Subscribers) -> Announcer | None:
        """As the configuration has it; None where nobody asked for anything."""
        return cls(source=source_of(settings), subscribers=subscribers) if subscribers.kinds else None

    def announcements(
        self, facts: Sequence[Event], written: Iterable[Written], documents: Sequence[NewDocument | Document]
    ) -> list[Announcement]:
        """What goes out of the facts of one commit, and of the documents that it brings; `written` is parallel."""
        kinds = self.subscribers.kinds
        if all(fact.kind not in kinds for fact in facts):
            return []
        by_id = {one.id: one for one in documents}
        return [
            made
            for fact, where in zip(facts, written, strict=True)
            if fact.kind in kinds
            for made in self._of(fact, where, by_id)
        ]

    def _of(
        self, fact: Event, where: Written, documents: Mapping[str, NewDocument | Document]
    ) -> Iterable[Announcement]:
        for count, one in enumerate(told(fact, documents), 1):
            ways = self.subscribers.ways(one.type, fact.partner)
            if not ways:
                continue
            event_id = f"{fact.message_id}-{where.number}" + ("" if count == 1 else f"-{count}")
            body = cloud_event(self.source, event_id, fact, one, where.at)
            for way in ways:
                yield Announcement(
                    event_id=event_id,
                    way=way,
                    type=one.type,
                    partner=fact.partner,
                    message_id=fact.message_id,
                    body=body,
                )


def source_of(settings: Settings) -> str:
    """The CloudEvents source: our public address, else a relative reference with our AS2 name."""
    return settings.listen.public_url or f"/gateways/{quote(settings.identity.as2_id, safe='')}"


def cloud_event(source: str, event_id: str, fact: Event, one: Told, at: datetime) -> str:
    """A CloudEvent 1.0 in the JSON format (structured mode)."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": one.type,
        "subject": one.subject,
        "time": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
    }
    if fact.partner is not None:
        envelope["partner"] = fact.partner
    envelope |= {"correlationid": fact.message_id, "traceparent": traceparent(fact.message_id, event_id)}
    head = _encode(envelope)
    return f'{head[:-1]},"data":{one.data.model_dump_json(exclude_none=True)}}}'


def trial_event(source: str, event_id: str, endpoint: str, at: datetime) -> str:
    """An event that tries a webhook; no fact stands behind it."""
    data = TestData(message_id=event_id, endpoint=endpoint)
    one = Told(type="webhook.test", subject=f"webhook/{endpoint}", data=data)
    return cloud_event(source, event_id, Event(message_id=event_id), one, at)


def traceparent(correlation_id: str, event_id: str) -> str:
    """W3C Trace Context 3.2: the message's own 32 hex digits are the trace, the event is a span of it."""
    plain = correlation_id.replace("-", "").lower()
    known = len(plain) == _TRACE_DIGITS and _HEXADECIMAL.issuperset(plain) and plain.strip("0")
    trace = plain if known else hashlib.sha256(correlation_id.encode()).hexdigest()[:_TRACE_DIGITS]
    return f"00-{trace}-{hashlib.sha256(event_id.encode()).hexdigest()[:16]}-01"
