"""Receipts of theirs that come by themselves (RFC 4130 7.2): each bound to its message, then as one in the answer.

A receipt changes something only if the message it names is open, went to the partner who writes, and was posted with
the MIC that the partner signed for. What proves nothing is refused with a 4xx and kept within bounds; what proves a
thing twice is taken, recorded and has no effect.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway import as2
from gateway.errors import PartnerFault
from gateway.events import Event, ReceiptNotFinal, ReceiptRefused, ReceiptRepeated
from gateway.partners.agreement import Agreement
from gateway.pipeline import confirming, identity, receipted, refused_receipts
from gateway.pipeline.hashing import sha256_hex
from gateway.pipeline.receipting import EMPTY
from gateway.pipeline.refusals import Refusals
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    Direction,
    Message,
    NaturalKeyTaken,
    Receipt,
)

Headers = Sequence[tuple[str, str]]

BY_ITSELF = "by itself"
NOT_ASKED = "by itself, though one in the answer was asked for"
AT_ONCE = 16 * 1024
"""Octets that may be read as MIME on the event loop; a receipt is a few thousand."""
MOST_TOLD = 20
"""Receipts without effect that one message's trail tells of; what more comes is counted by nobody but the bounds."""
_TOLD = frozenset({ReceiptRefused.kind, ReceiptRepeated.kind, ReceiptNotFinal.kind})
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Arrival:
    """A receipt as it came."""

    headers: Headers
    body: bytes
    agreement: Agreement | None = None
    message: Message | None = None
    """The message it is for, once that is known to be this partner's."""
    room: bool = True
    """Whether its trail may tell of one more receipt without effect."""

    @property
    def evidence(self) -> Receipt:
        """As it is kept with the message."""
        return Receipt(status=200, headers=tuple(self.headers), body=self.body)


@dataclass(frozen=True, kw_only=True, slots=True)
class _No:
    """Why a receipt is refused: the HTTP status, for the operator, for the sender."""

    status: int
    reason: str
    public: str


async def receive(station: Station, refusals: Refusals, headers: Headers, body: bytes) -> Receipt:
    """Take a receipt; the HTTP answer. Raises PartnerFault for what is not AS2 at all."""
    addressing = as2.read_headers(headers)
    arrival = _Arrival(headers=headers, body=body)
    agreement = station.directory.by_as2_id(addressing.as2_from)
    if agreement is None or addressing.as2_to != station.settings.identity.as2_id:
        reason = f"no agreement between AS2 {addressing.as2_from!r} and {addressing.as2_to!r}"
        return await _refused(
            station, refusals, arrival, _No(status=403, reason=reason, public="unknown trading relationship")
        )
    arrival = replace(arrival, agreement=agreement)
    try:
        original = await _original(station, headers, body)
    except PartnerFault as fault:
        no = _No(status=400, reason=str(fault), public="not a receipt for a message of ours")
        return await _refused(station, refusals, arrival, no)
    message = await _message(station, agreement, original)
    if message is None:
        # The same words for a message that is unknown and for one of another partner.
        reason = f"a receipt for {original[:200]!r}, which is no message of ours to {agreement.name}"
        no = _No(status=404, reason=reason, public="no message of ours to you has this Message-ID")
        return await _refused(station, refusals, arrival, no)
    trail = await station.queries.timeline(message_id=message.id)
    arrival = replace(arrival, message=message, room=sum(one.kind in _TOLD for one in trail) < MOST_TOLD)
    posted = receipted.postings(trail)
    if not posted:
        reason = "a receipt for a message that no receipt is awaited for by itself"
        no = _No(status=409, reason=reason, public="no receipt is awaited for this message")
        return await _refused(station, refusals, arrival, no)
    judging = asyncio.get_running_loop().run_in_executor(
        station.crypto, receipted.judge, station, agreement, posted, arrival.evidence
    )
    try:
        posting, verdict = await judging
    except PartnerFault as fault:
        return await _refused(station, refusals, arrival, _No(status=400, reason=str(fault), public=fault.public))
    if message.receipt is None and receipted.final(verdict):
        asked = agreement.as2 is not None and agreement.as2.asks_asynchronously
        exchange = receipted.Exchange(
            agreement=agreement,
            message=message,
            documents=tuple(await station.queries.documents_of(message.id)),
            posting=posting,
            receipt=arrival.evidence,
            at=station.clock(),
            came=BY_ITSELF if asked else NOT_ASKED,
        )
        changes = receipted.closed(exchange, verdict)
        key = identity.receipt_key(message.id)
        # The first receipt takes the key: of two that come at once one has the effect, whichever node took it.
        proved = confirming.by_receipt(station, agreement.name, message.id, verdict, posting.signed_with)
        changes = replace(changes, met=(*changes.met, key), keys=((key, message.id),), certificates=proved)
        try:
            await station.store.apply(changes)
        except NaturalKeyTaken:
            message = await station.queries.message(message.id) or message
        else:
            return EMPTY
    await _without_effect(station, refusals, arrival, message, verdict)
    return EMPTY


async def _original(station: Station, headers: Headers, body: bytes) -> str:
    """The Message-ID that it is for, read off the event loop where it is large. Raises PartnerFault."""
    if len(body) <= AT_ONCE:
        return as2.original_message_id(headers, body)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(station.crypto, as2.original_message_id, headers, body)


async def _message(station: Station, agreement: Agreement, original: str) -> Message | None:
    """The message of ours that a receipt names. Our Message-IDs begin with the id that the message is stored by."""
    id_ = original.partition("@")[0]
    if _ID.fullmatch(id_) is None:
        return None
    message = await station.queries.message(id_)
    if message is None or message.direction is not Direction.OUTBOUND or message.partner != agreement.name:
        return None
    return message if as2.bare_message_id(message.as2_message_id or "") == original else None


async def _without_effect(
    station: Station, refusals: Refusals, arrival: _Arrival, message: Message, verdict: as2.ReceiptVerdict
) -> None:
    """A receipt that is right and changes nothing, on the trail within bounds."""
    if not arrival.room or not refusals.keep(message.partner, b"", whole=False).recorded:
        return
    sha256, order = sha256_hex(arrival.body), await receipted.order_number_of(station, message)
    event: Event
    if message.receipt is not None:
        event = ReceiptRepeated(
            message_id=message.id,
            partner=message.partner,
            order_number=order,
            disposition=verdict.disposition,
            sha256=sha256,
        )
    else:
        event = ReceiptNotFinal(
            message_id=message.id,
            partner=message.partner,
            order_number=order,
            disposition=verdict.disposition,
            sha256=sha256,
            receipt_signed_by=verdict.signed_by,
        )
    await station.store.apply(Changes(events=(event,)))


async def _refused(station: Station, refusals: Refusals, arrival: _Arrival, no: _No) -> Receipt:
    """A receipt that proves nothing: kept within bounds, told in plain words, and never a change of state."""
    partner = None if arrival.agreement is None else arrival.agreement.name
    kept = refusals.keep(partner, arrival.body, whole=True)
    if kept.recorded:
        more = f" ({kept.unrecorded_before} more before it were not recorded)" if kept.unrecorded_before else ""
        new, event = refused_receipts.refused(
            partner, arrival.headers, arrival.body, kept.payload, f"{no.reason}{more}", station.clock()
        )
        facts: list[Event] = [event]
        if arrival.message is not None and arrival.room:
            facts.append(await refused_receipts.named(station, arrival.message, no.reason, new.id))
        await station.store.accept(Changes(messages=(new,), events=tuple(facts)))
    return Receipt(
        status=no.status, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=f"{no.public}\n".encode()
    )
