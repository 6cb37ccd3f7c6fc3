"""AS2 in: open, decide, answer. Nothing is acknowledged before it is durable (RFC 4130 7).

Raw bytes, duplicate key, receipt bytes, first job and first events are one commit; then the receipt goes out, in the
answer or, by a job of the same commit, to the address asked for. A repeat gets the first receipt, byte for byte; one
that was made anew, and whose MIC is another, a receipt of its own where that goes in the answer.
Whatever is refused gets a receipt too, and is kept. What is too large for memory stays in files from
the first octet to the store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway import as2
from gateway.errors import OurFault, PartnerFault
from gateway.events import Event, MessageReceived, MessageRefused, ReceiptIssued
from gateway.partners.agreement import Agreement
from gateway.pipeline import confirming, files, identity, receipting, receipts, wrapping
from gateway.pipeline.admission import Denial, Shown
from gateway.pipeline.bodies import Body, as_octets, kept, scratches, size_of
from gateway.pipeline.hashing import sha256_hex
from gateway.pipeline.refusals import START_KEPT, Kept, Refusals, headers_kept
from gateway.pipeline.station import Station
from gateway.ports import Changes, Channel, Direction, MessageState, NewJob, NewMessage, Receipt, Spooled, new_id

Headers = Sequence[tuple[str, str]]
MOST_AGAIN = 100
"""Receipts of repeats that a message's trail tells of."""
NO_KEY = "The message cannot be taken at present; send it again later."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opened:
    """What became of a message in the crypto thread."""

    receipt: Receipt
    disposition: str
    opened: as2.Opened | None
    fault: as2.As2Fault | None
    payload: Body = b""
    """As the store takes it."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of what was taken: of the `payload`, and of the body as it came (`raw`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Arrival:
    """One request from a partner."""

    agreement: Agreement
    addressing: as2.Addressing
    headers: Headers
    body: Body
    at: datetime
    receipt_to: str | None = None
    """Where the receipt goes by itself, an allowed address; None: in the answer."""

    def jobs(self, message_id: str, *, again: bool = False, own: Receipt | None = None) -> tuple[NewJob, ...]:
        """The work of sending the receipt, where it does not go in the answer."""
        if self.receipt_to is None:
            return ()
        return (receipting.receipt_job(self.agreement, message_id, self.receipt_to, self.at, again=again, own=own),)

    def answer(self, receipt: Receipt, *, taken: bool = True) -> Receipt:
        """The HTTP answer: the receipt itself, or nothing where it goes by itself.

        Of a message that was taken and asks for no receipt nothing is told (RFC 8098 2.1); a refusal is told always.
        """
        if self.receipt_to is not None:
            return receipting.LATER
        unwanted = taken and self.addressing.receipt.kind is as2.ReceiptKind.NONE
        return receipting.EMPTY if unwanted else receipt


class Reception:
    """Our AS2 endpoint, below HTTP."""

    def __init__(self, station: Station, refusals: Refusals | None = None) -> None:
        self._station = station
        self._refusals = refusals or Refusals()

    def at(self, station: Station) -> Reception:
        """The endpoint of another configuration; what was refused counts on."""
        return Reception(station, self._refusals)

    def sender(self, headers: Headers) -> str:
        """The partner named in `headers`, however its AS2 name is written; empty for whom we do not know."""
        agreement = self._named(headers)
        return "" if agreement is None else agreement.name

    def limit(self, headers: Headers) -> int:
        """How many octets the sender named in `headers` may post."""
        agreement = self._named(headers)
        if agreement is None:
            return START_KEPT
        return agreement.max_message_bytes or self._station.settings.max_message_bytes

    def spool(self) -> Spooled:
        """A file for a body too large for memory, to be given to `receive`. Blocks. Raises OurFault."""
        return self._station.store.spool(kept=True)

    def patience(self, headers: Headers) -> float | None:
        """After how many seconds that sender is told that its message is still worked; None: never."""
        agreement = self._named(headers)
        return None if agreement is None or agreement.as2 is None else agreement.as2.processing_after_seconds

    def _named(self, headers: Headers) -> Agreement | None:
        try:
            return self._station.directory.by_as2_id(as2.read_headers(headers).as2_from)
        except PartnerFault:
            return None

    async def admit(self, headers: Headers, shown: Shown) -> Denial | None:
        """Why a request is not let in, before its body is read; None where nothing but its content decides.

        `headers` are without what authenticates it, which is in `shown`. Denials are recorded like refusals.
        """
        if not self._station.guards:
            return None
        agreement = self._named(headers)
        guard = None if agreement is None else self._station.guards.get(agreement.name)
        denial = None if guard is None else guard.denial(shown)
        if denial is None or agreement is None:
            return None
        kept = self._refusals.keep(agreement.name, b"", whole=False)
        if kept.recorded:
            message = self._refused_message(headers, b"", None, agreement.name)
            refusal = _refusal(message.id, agreement.name, b"", denial.reason, kept)
            await self._station.store.accept(Changes(messages=(message,), events=(refusal,)))
        return denial

    async def receive(self, headers: Headers, body: Body) -> Receipt:
        """Take one request, a message or a receipt; the HTTP answer. Raises PartnerFault for what is not AS2 at all."""
        # Stations that know one address of ours post their receipts there.
        if isinstance(body, bytes) and await self._is_receipt(headers, body):
            return await self.receive_receipt(headers, body)
        addressing = as2.read_headers(headers)
        station = self._station
        agreement = station.directory.by_as2_id(addressing.as2_from)
        if agreement is None or addressing.as2_to != station.settings.identity.as2_id:
            return await self._stranger(headers, addressing, body)
        now = station.clock()
        arrival = _Arrival(agreement=agreement, addressing=addressing, headers=headers, body=body, at=now)
        try:
            arrival = replace(arrival, receipt_to=receipting.address_of(agreement, addressing.receipt))
        except as2.As2Fault as fault:
            return await self._refused(arrival, await self._in_crypto_thread(_refuse, arrival, fault))
        result = await self._in_crypto_thread(_open, arrival)
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
            payload=result.payload,
            content_type=opened.content_type,
            filename=opened.filename,
            raw=body,
            raw_headers=tuple(headers),
            as2_message_id=addressing.message_id,
            mic=opened.mic,
            duplicate_key=identity.as2_key(agreement.name, addressing.message_id),
            receipt=result.receipt,
            digests=result.digests,
        )
        job = NewJob(message_id=message_id, step="read", lane=identity.inbound_lane(agreement.name, "read"), run_at=now)
        events: tuple[Event, ...] = (
            MessageReceived(
                message_id=message_id,
                partner=agreement.name,
                channel=Channel.AS2.value,
                sha256=result.digests["raw"],
                size=size_of(body),
                payload_sha256=result.digests["payload"],
                as2_message_id=addressing.message_id,
                signed_by=opened.signed_by,
                signature_hash=opened.signature_hash,
                encrypted=opened.encrypted,
                cipher=opened.cipher,
                compressed=opened.compressed,
                receipt_asked=opened.receipt_requested.value,
                mic=opened.mic,
                encrypted_for=opened.encrypted_for,
                as2_version=addressing.version,
                features=addressing.features or None,
                attachments=len(opened.attachments) or None,
            ),
            _issued(message_id, arrival, result),
        )
        jobs = (job, *arrival.jobs(message_id))
        proved = confirming.by_message(station, agreement.name, message_id, opened)
        accepted = await station.store.accept(
            Changes(messages=(message,), jobs=jobs, certificates=proved, events=events)
        )
        if not accepted.duplicate:
            return arrival.answer(result.receipt)
        again = files.Again(content_type=opened.content_type, payload=result.payload, sha256=result.digests["payload"])
        same = await files.came_before(station.queries, accepted.message_id, again, station.store.spool)
        if not isinstance(result.payload, bytes):
            await asyncio.to_thread(result.payload.discard)
        if not same:
            return await self._other_content(arrival)
        other = await self._with_another_mic(arrival, result, accepted.message_id)
        if arrival.receipt_to is not None:
            own = result.receipt if other else None
            await station.store.apply(Changes(jobs=arrival.jobs(accepted.message_id, again=True, own=own)))
        # Else the first receipt again, also when it was made by another node or before a crash.
        return arrival.answer(result.receipt if other or accepted.receipt is None else accepted.receipt)

    async def _with_another_mic(self, arrival: _Arrival, result: _Opened, first_id: str) -> bool:
        """Whether a repeat is to be answered by the receipt made for itself, which the first message's trail then has.

        The MIC is over what was received, boundary and headers with it, by the hash asked for (RFC 4130 7.3.1, 7.4.3):
        of a message made anew it is another one, and the first receipt would match nothing that its sender knows.
        """
        unwanted = arrival.addressing.receipt.kind is as2.ReceiptKind.NONE
        first = None if unwanted else await self._station.queries.message(first_id)
        if first is None or result.opened is None or first.mic == result.opened.mic:
            return False
        trail = await self._station.queries.timeline(message_id=first_id)
        if sum(one.kind == ReceiptIssued.kind for one in trail) <= MOST_AGAIN:
            event = replace(_issued(first_id, arrival, result), again=True)
            await self._station.store.apply(Changes(events=(event,)))
        return True

    async def _is_receipt(self, headers: Headers, body: bytes) -> bool:
        """Whether it is a receipt; what is large is looked at off the event loop, whose time strangers could take."""
        if len(body) <= receipts.AT_ONCE:
            return as2.is_receipt(headers, body)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._station.crypto, as2.is_receipt, headers, body)

    async def receive_receipt(self, headers: Headers, body: bytes) -> Receipt:
        """Take a receipt for a message of ours. Raises PartnerFault for what is not AS2 at all."""
        return await receipts.receive(self._station, self._refusals, headers, body)

    async def too_large(self, headers: Headers, start: Body) -> Receipt:
        """Refuse a body over the limit, of which `start` was read. Raises PartnerFault as `receive` does."""
        addressing = as2.read_headers(headers)
        station = self._station
        agreement = station.directory.by_as2_id(addressing.as2_from)
        if agreement is None or addressing.as2_to != station.settings.identity.as2_id:
            return await self._stranger(headers, addressing, start)
        fault = as2.As2Fault(
            f"the body is larger than agreed; hash and size are of the {size_of(start)} octets that were read",
            refusal=as2.Refusal.UNEXPECTED,
            public="the message is larger than agreed",
        )
        arrival = _Arrival(agreement=agreement, addressing=addressing, headers=headers, body=start, at=station.clock())
        with contextlib.suppress(as2.As2Fault):
            arrival = replace(arrival, receipt_to=receipting.address_of(agreement, addressing.receipt))
        return await self._refused(arrival, await self._in_crypto_thread(_refuse, arrival, fault), whole=False)

    async def _other_content(self, arrival: _Arrival) -> Receipt:
        """A Message-ID that was used before, with other content: the first receipt would claim too much for it."""
        fault = as2.As2Fault(
            f"Message-ID {arrival.addressing.message_id} came before with other content",
            refusal=as2.Refusal.UNEXPECTED,
            public="this Message-ID was used before with other content; send it with a new one",
        )
        return await self._refused(arrival, await self._in_crypto_thread(_refuse, arrival, fault))

    async def _in_crypto_thread(self, work: Callable[..., _Opened], arrival: _Arrival, *arguments: object) -> _Opened:
        loop = asyncio.get_running_loop()
        threads = self._station.crypto if isinstance(arrival.body, bytes) else self._station.large
        return await loop.run_in_executor(threads, work, self._station, arrival, *arguments)

    async def _refused(self, arrival: _Arrival, result: _Opened, *, whole: bool = True) -> Receipt:
        """Keep what was not taken, within bounds. It takes no duplicate key: the resend is a new chance.

        Beyond the bounds nothing is kept that a job could send: the receipt goes in the answer, and a flood of
        messages in a partner's name makes no flood of receipts to that partner.
        """
        partner = arrival.agreement.name
        kept = self._refusals.keep(partner, arrival.body, whole=whole)
        if not kept.recorded:
            return result.receipt
        message = self._refused_message(arrival.headers, kept.payload, result.receipt, partner)
        refusal = _refusal(message.id, partner, arrival.body, str(result.fault), kept)
        events = (refusal, _issued(message.id, arrival, result))
        await self._station.store.accept(Changes(messages=(message,), jobs=arrival.jobs(message.id), events=events))
        return arrival.answer(result.receipt, taken=False)

    def _refused_message(
        self, headers: Headers, payload: Body, receipt: Receipt | None, partner: str | None
    ) -> NewMessage:
        now = self._station.clock()
        return NewMessage(
            id=new_id(now),
            partner=partner,
            direction=Direction.INBOUND,
            channel=Channel.AS2,
            state=MessageState.REFUSED,
            at=now,
            payload=payload,
            raw_headers=headers_kept(headers),
            receipt=receipt,
        )

    async def _stranger(self, headers: Headers, addressing: as2.Addressing, body: Body) -> Receipt:
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
        kept = self._refusals.keep(None, body, whole=False)
        if kept.recorded:
            message = self._refused_message(headers, kept.payload, answer, None)
            refusal = _refusal(message.id, None, body, str(fault), kept)
            await station.store.accept(Changes(messages=(message,), events=(refusal,)))
        return answer


def _refusal(message_id: str, partner: str | None, body: Body, reason: str, kept: Kept) -> MessageRefused:
    """The event of a refusal; a partner's name in it is what the message claims."""
    more = f" ({kept.unrecorded_before} more before it were not recorded)" if kept.unrecorded_before else ""
    return MessageRefused(
        message_id=message_id,
        partner=partner,
        channel=Channel.AS2.value,
        reason=f"{reason}{more}",
        sha256=sha256_hex(body),
        size=size_of(body),
    )


def _host(station: Station) -> str:
    """The right-hand side of our message ids: our AS2 name, made safe for it."""
    return "".join(one if one.isalnum() or one in "-._" else "-" for one in station.settings.identity.as2_id)


def _issued(message_id: str, arrival: _Arrival, result: _Opened) -> ReceiptIssued:
    return ReceiptIssued(
        message_id=message_id,
        partner=arrival.agreement.name,
        disposition=result.disposition,
        sha256=sha256_hex(result.receipt.body),
        mic=result.opened.mic if result.opened else None,
        deliver_to=None if arrival.receipt_to is None else arrival.receipt_to.partition("?")[0],
    )


def _open(station: Station, arrival: _Arrival) -> _Opened:
    """Open and answer, off the event loop: the RSA work of both."""
    opened: as2.Opened | None = None
    fault = wrapping.asked_for(arrival.agreement, arrival.addressing)
    if fault is not None:
        return _answer(station, arrival, None, fault)
    payload: Body = b""
    digests: dict[str, str] = {}
    with scratches(station) as spool:
        try:
            opened = as2.open_message(
                arrival.headers,
                as_octets(arrival.body),
                keys=station.keyring.decrypting(arrival.at),
                partner_certificates=station.keyring.verifying(arrival.agreement.name, arrival.at),
                policy=wrapping.policy(station, arrival.agreement),
                spool=spool,
            )
            confirming.judge_signer(station, arrival.agreement.name, opened.signed_by, arrival.at)
            fault = wrapping.content_agreed(arrival.agreement, opened, spool)
            if fault is None:
                payload = kept(station, opened.payload)
                digests = {"payload": sha256_hex(payload), "raw": sha256_hex(arrival.body)}
                opened = replace(opened, payload=b"")  # what holds a layer keeps its room on the disk
        except as2.As2Fault as error:
            fault = error
    return replace(_answer(station, arrival, None if fault else opened, fault), payload=payload, digests=digests)


def _refuse(station: Station, arrival: _Arrival, fault: as2.As2Fault) -> _Opened:
    return _answer(station, arrival, None, fault)


def _answer(station: Station, arrival: _Arrival, opened: as2.Opened | None, fault: as2.As2Fault | None) -> _Opened:
    channel = arrival.agreement.as2
    assert channel is not None
    key: as2.KeyPair | None = None
    try:
        key = station.keyring.signing(arrival.agreement.name, arrival.at)
    except OurFault as ours:
        if opened is not None and arrival.addressing.receipt.kind is as2.ReceiptKind.SIGNED:
            # An unsigned receipt would prove nothing to them, and be given again for ever: refused, a resend is taken.
            opened, fault = None, as2.As2Fault(f"{ours}; {ours.remedy}", refusal=as2.Refusal.UNEXPECTED, public=NO_KEY)
    receipt = as2.build_receipt(
        request=arrival.addressing,
        opened=opened,
        fault=fault,
        key=key,
        our_name=station.settings.identity.as2_id,
        message_id=f"<{new_id(arrival.at)}@{_host(station)}>",
        date=arrival.at,
        signature_scheme=wrapping.SIGNATURE_SCHEMES[channel.signature_scheme],
    )
    answer = Receipt(status=200, headers=receipt.headers, body=receipt.body)
    return _Opened(receipt=answer, disposition=receipt.disposition, opened=opened, fault=fault)
