"""Receipts that prove nothing, kept as evidence: each as a refused message, named on the trail of the one it was for.

They change no state. Those that come by themselves are bounded by `refusals`; of those in answers each message keeps a
few, and each content once, because a station that errs gives the same answer to every attempt.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from gateway.events import MessageRefused, ReceiptRefused
from gateway.pipeline import receipted
from gateway.pipeline.bodies import Body, size_of
from gateway.pipeline.hashing import sha256_hex
from gateway.pipeline.refusals import START_KEPT, headers_kept
from gateway.pipeline.station import Station
from gateway.ports import Changes, Channel, Direction, Message, MessageState, NewMessage, Receipt, new_id

log = logging.getLogger(__name__)

MOST_IN_ANSWERS = 5
"""Kept for one message, of START_KEPT octets each."""


def refused(  # noqa: PLR0917  what came, who sent it, why it counts for nothing
    partner: str | None, headers: Sequence[tuple[str, str]], body: Body, payload: Body, reason: str, at: datetime
) -> tuple[NewMessage, MessageRefused]:
    """The message that keeps `payload`, which is what may be kept of `body`."""
    new = NewMessage(
        id=new_id(at),
        partner=partner,
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.REFUSED,
        at=at,
        payload=payload,
        raw_headers=headers_kept(headers),
    )
    event = MessageRefused(
        message_id=new.id,
        partner=partner,
        channel=Channel.AS2.value,
        reason=f"a receipt: {reason}",
        sha256=sha256_hex(body),
        size=size_of(body),
    )
    return new, event


async def named(station: Station, message: Message, reason: str, received_as: str) -> ReceiptRefused:
    """On the trail of the message that it was for."""
    return ReceiptRefused(
        message_id=message.id,
        partner=message.partner,
        order_number=await receipted.order_number_of(station, message),
        reason=reason,
        received_as=received_as,
    )


async def keep(station: Station, message: Message, receipt: Receipt, reason: str) -> None:
    """Keep what a station gave in its answer to `message`, before the attempt fails for it.

    Where that fails it is in the log only: how the attempt ended is the answer's business, not the store's.
    """
    if not receipt.body.strip():
        return
    try:
        await _keep(station, message, receipt, reason)
    except Exception:
        log.exception("What came as a receipt of message %s, and is none, could not be kept", message.id)


async def _keep(station: Station, message: Message, receipt: Receipt, reason: str) -> None:
    payload = receipt.body[:START_KEPT]
    trail = await station.queries.timeline(message_id=message.id)
    before = [str(one.data["received_as"]) for one in trail if one.kind == ReceiptRefused.kind]
    if len(before) >= MOST_IN_ANSWERS:
        return
    known = [await station.queries.message(one) for one in before]
    if sha256_hex(payload) in {one.payload_sha256 for one in known if one is not None}:
        return
    new, event = refused(message.partner, receipt.headers, receipt.body, payload, reason, station.clock())
    facts = (event, await named(station, message, reason, new.id))
    await station.store.accept(Changes(messages=(new,), events=facts))
