"""AS2 in: open, decide, answer. Nothing is acknowledged before it is durable (RFC 4130 7).

Raw bytes, duplicate key, receipt bytes, first job and first events are one commit; then the receipt goes out. A repeat
gets the first receipt, byte for byte. Whatever is refused gets a receipt too, and is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway import as2
from gateway.errors import PartnerFault
from gateway.events import Event, MessageReceived, MessageRefused, ReceiptIssued
from gateway.partners.agreement import Agreement
from gateway.pipeline import identity
from gateway.pipeline.hashing import sha256_hex
from gateway.pipeline.station import Station
from gateway.ports import Changes, Channel, Direction, MessageState, NewJob, NewMessage, Receipt, new_id

KEPT_OF_STRANGERS = 65_536
"""Octets kept of what an unknown sender posts; hash and size are kept of all of it."""
STRANGERS_PER_MINUTE = 60
"""Refusals of unknown senders that are recorded each minute; more are answered and only counted in the last one."""

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opened:
    """What became of a message in the crypto thread."""

    receipt: Receipt
    disposition: str
    opened: as2.Opened | None
    fault: as2.As2Fault | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Arrival:
    """One request from a partner."""

    agreement: Agreement
    addressing: as2.Addressing
    headers: Headers
    body: bytes
    at: datetime


class Reception:
    """Our AS2 endpoint, below HTTP."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._minute = 0
        self._strangers = 0

    def limit(self, headers: Headers) -> int:
        """How many octets the sender named in `headers` may post."""
        try:
            agreement = self._station.directory.by_as2_id(as2.read_headers(headers).as2_from)
        except PartnerFault:
            return KEPT_OF_STRANGERS
        if agreement is None:
            return KEPT_OF_STRANGERS
        return agreement.max_message_bytes or self._station.settings.max_message_bytes

    async def receive(self, headers: Headers, body: bytes) -> Receipt:
        """Take one request; the receipt to answer with. Raises PartnerFault for what is not AS2 at all."""
        addressing = as2.read_headers(headers)
        station = self._station
        agreement = station.directory.by_as2_id(addressing.as2_from)
        if agreement is None or addressing.as2_to != station.settings.identity.as2_id:
            return await self._stranger(headers, addressing, body)
        now = station.clock()
        arrival = _Arrival(agreement=agreement, addressing=addressing, headers=headers, body=body, at=now)
        result = await asyncio.get_running_loop().run_in_executor(station.crypto, _open, station, arrival)
        if result.opened is None:
            return await self._refused(arrival, result)
        message_id = new_id(now)
        opened = result.opened
        message = NewMessage(
            id=message_id,
            partner=agreement.name,
            direction=Direction.INBOUND,
            channel=Channel.AS2,
            state=MessageState.RECEIVED,
            at=now,
            payload=opened.payload,
            content_type=opened.content_type,
            filename=opened.filename,
            raw=body,
            raw_headers=tuple(headers),
            as2_message_id=addressing.message_id,
            mic=opened.mic,
            duplicate_key=identity.as2_key(agreement.name, addressing.message_id),
            receipt=result.receipt,
        )
        job = NewJob(message_id=message_id, step="read", lane=identity.inbound_lane(agreement.name, "read"), run_at=now)
        events: tuple[Event, ...] = (
            MessageReceived(
                message_id=message_id,
                partner=agreement.name,
                channel=Channel.AS2.value,
                sha256=sha256_hex(body),
                size=len(body),
                payload_sha256=sha256_hex(opened.payload),
                as2_message_id=addressing.message_id,
                signed_by=opened.signed_by,
                encrypted=opened.encrypted,
                compressed=opened.compressed,
                mic=opened.mic,
            ),
            _issued(message_id, agreement.name, result),
        )
        accepted = await station.store.accept(Changes(messages=(message,), jobs=(job,), events=events))
        # The first receipt again, also when it was made by another node or before a crash.
        return accepted.receipt if accepted.duplicate and accepted.receipt is not None else result.receipt

    async def too_large(self, headers: Headers, start: bytes, size: int) -> Receipt:
        """Refuse a body over the limit unread: its first octets are kept. Raises PartnerFault as `receive` does."""
        addressing = as2.read_headers(headers)
        station = self._station
        agreement = station.directory.by_as2_id(addressing.as2_from)
        kept = start[:KEPT_OF_STRANGERS]
        if agreement is None or addressing.as2_to != station.settings.identity.as2_id:
            return await self._stranger(headers, addressing, kept)
        now = station.clock()
        fault = as2.As2Fault(
            f"the body is larger than the {size} octets agreed",
            refusal=as2.Refusal.UNEXPECTED,
            public="the message is larger than agreed",
        )
        arrival = _Arrival(agreement=agreement, addressing=addressing, headers=headers, body=kept, at=now)
        return await self._refused(arrival, _answer(station, arrival, None, fault))

    async def _refused(self, arrival: _Arrival, result: _Opened) -> Receipt:
        """Keep a partner's message that was not taken. It takes no duplicate key: the resend is a new chance."""
        message_id = new_id(arrival.at)
        partner = arrival.agreement.name
        message = NewMessage(
            id=message_id,
            partner=partner,
            direction=Direction.INBOUND,
            channel=Channel.AS2,
            state=MessageState.REFUSED,
            at=arrival.at,
            payload=arrival.body,
            raw_headers=tuple(arrival.headers),
            receipt=result.receipt,
        )
        refusal = MessageRefused(
            message_id=message_id,
            partner=partner,
            channel=Channel.AS2.value,
            reason=str(result.fault),
            sha256=sha256_hex(arrival.body),
            size=len(arrival.body),
        )
        events = (refusal, _issued(message_id, partner, result))
        await self._station.store.accept(Changes(messages=(message,), events=events))
        return result.receipt

    async def _stranger(self, headers: Headers, addressing: as2.Addressing, body: bytes) -> Receipt:
        """An unknown relationship: a synchronous, unsigned receipt, and a bounded record."""
        station = self._station
        now = station.clock()
        fault = as2.As2Fault(
            f"no agreement between AS2 {addressing.as2_from!r} and {addressing.as2_to!r}",
            refusal=as2.Refusal.UNKNOWN_RELATIONSHIP,
            public="unknown trading relationship",
        )
        receipt = as2.build_receipt(
            request=addressing,
            opened=None,
            fault=fault,
            key=None,
            our_name=station.settings.identity.as2_id,
            message_id=f"<{new_id(now)}@{_host(station)}>",
            date=now,
        )
        answer = Receipt(status=200, headers=receipt.headers, body=receipt.body)
        if self._may_record_stranger():
            message_id = new_id(now)
            message = NewMessage(
                id=message_id,
                partner=None,
                direction=Direction.INBOUND,
                channel=Channel.AS2,
                state=MessageState.REFUSED,
                at=now,
                payload=body[:KEPT_OF_STRANGERS],
                raw_headers=tuple(headers),
                receipt=answer,
            )
            event = MessageRefused(
                message_id=message_id,
                channel=Channel.AS2.value,
                reason=str(fault),
                sha256=hashlib.sha256(body).hexdigest(),
                size=len(body),
            )
            await station.store.accept(Changes(messages=(message,), events=(event,)))
        return answer

    def _may_record_stranger(self) -> bool:
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._strangers = minute, 0
        self._strangers += 1
        return self._strangers <= STRANGERS_PER_MINUTE


def _host(station: Station) -> str:
    """The right-hand side of our message ids: our AS2 name, made safe for it."""
    return "".join(one if one.isalnum() or one in "-._" else "-" for one in station.settings.identity.as2_id)


def _issued(message_id: str, partner: str, result: _Opened) -> ReceiptIssued:
    return ReceiptIssued(
        message_id=message_id,
        partner=partner,
        disposition=result.disposition,
        sha256=sha256_hex(result.receipt.body),
        mic=result.opened.mic if result.opened else None,
    )


def _open(station: Station, arrival: _Arrival) -> _Opened:
    """Open and answer, off the event loop: the RSA work of both."""
    opened: as2.Opened | None = None
    fault: as2.As2Fault | None = None
    try:
        opened = as2.open_message(
            arrival.headers,
            arrival.body,
            keys=station.keys,
            partner_certificates=station.certificates[arrival.agreement.name],
            policy=as2_policy(station, arrival.agreement),
        )
    except as2.As2Fault as error:
        fault = error
    return _answer(station, arrival, opened, fault)


def _answer(station: Station, arrival: _Arrival, opened: as2.Opened | None, fault: as2.As2Fault | None) -> _Opened:
    receipt = as2.build_receipt(
        request=arrival.addressing,
        opened=opened,
        fault=fault,
        key=station.keys[0],
        our_name=station.settings.identity.as2_id,
        message_id=f"<{new_id(arrival.at)}@{_host(station)}>",
        date=arrival.at,
    )
    answer = Receipt(status=200, headers=receipt.headers, body=receipt.body)
    return _Opened(receipt=answer, disposition=receipt.disposition, opened=opened, fault=fault)


def as2_policy(station: Station, agreement: Agreement) -> as2.Policy:
    """What the agreement demands of a message, judged by what was really decrypted and verified."""
    assert agreement.as2 is not None
    return as2.Policy(
        require_signature=agreement.as2.require_signature,
        require_encryption=agreement.as2.require_encryption,
        max_size=agreement.max_message_bytes or station.settings.max_message_bytes,
    )
