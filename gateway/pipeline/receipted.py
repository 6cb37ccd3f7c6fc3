"""What a partner's receipt makes true of a message of ours: sent, delivered or rejected, with its evidence.

The same for receipts in the answer and for those that come by themselves. Which receipts count at all is `as2`'s to
say; what was posted, and so what a late receipt must match, stands in the message's trail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway import as2
from gateway.errors import PartnerFault
from gateway.events import MessagePosted, MessageRejectedByPartner, MessageSent
from gateway.partners.agreement import Agreement
from gateway.pipeline import behind, identity, standards, waiting, wrapping
from gateway.pipeline.bodies import as_stored
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    Document,
    DocumentState,
    DocumentUpdate,
    Expected,
    Message,
    MessageState,
    MessageUpdate,
    NewJob,
    Receipt,
    TrailEntry,
)

PASSING_ERRORS = frozenset({"unexpected-processing-error", "decryption-failed", None})
"""Errors in a receipt (RFC 4130 7.4.3) that may be gone at the next attempt: their fault, a certificate rolled over."""

CLOSED = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.ACKNOWLEDGED, MessageState.REJECTED})
"""Messages in these states are sent no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """What was posted under a Message-ID, and the receipt that was asked for."""

    sent: as2.Sent
    signature_hash: str | None
    cipher: str | None
    compressed: bool
    receipt_asked: str
    signed_with: str | None = None
    """Fingerprint of our certificate that it was signed with; None too where that is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """A message of ours and what came back."""

    agreement: Agreement
    message: Message
    documents: tuple[Document, ...]
    posting: Posting
    receipt: Receipt | None
    """None where none was asked for."""
    at: datetime
    wire: as2.Built | None = None
    """What was posted, where it is not stored yet."""
    came: str | None = None
    """How the receipt came, unless in the answer as asked."""

    def update(self, state: MessageState) -> MessageUpdate:
        """The message with its evidence: what was posted, what was answered."""
        return MessageUpdate(
            id=self.message.id,
            state=state,
            raw=None if self.wire is None else as_stored(self.wire.body),
            raw_headers=None if self.wire is None else self.wire.headers,
            mic=self.posting.sent.mic,
            receipt=self.receipt,
            in_time=True,
        )

    @property
    def order_number(self) -> str | None:
        """The order that the message is about."""
        return next((one.order_number for one in self.documents), None)

    @property
    def carried(self) -> dict[str, str]:
        """The document that the message carries, as its events name it."""
        return next(({"document": one.kind, "document_id": one.id, "number": one.number} for one in self.documents), {})


def posting(agreement: Agreement, built: as2.Built) -> Posting:
    """What a receipt for `built` must say."""
    assert agreement.as2 is not None
    return Posting(
        sent=as2.Sent(
            message_id=built.message_id,
            mic=built.mic,
            mic_algorithm=built.mic_algorithm,
            signed=built.signed,
            further_mics=built.further_mics,
        ),
        signature_hash=built.signature_hash,
        cipher=built.cipher,
        compressed=built.compressed,
        receipt_asked=agreement.as2.receipt,
        signed_with=built.signed_by,
    )


def posted(message: Message, one: Posting, receipt_to: str | None, order_number: str | None) -> MessagePosted:
    """The record of what is posted, which a receipt that comes later is held against."""
    return MessagePosted(
        message_id=message.id,
        partner=message.partner,
        order_number=order_number,
        as2_message_id=one.sent.message_id,
        mic=one.sent.mic,
        mic_algorithm=one.sent.mic_algorithm,
        further_mics=dict(one.sent.further_mics) or None,
        signature_hash=one.signature_hash,
        cipher=one.cipher,
        compressed=one.compressed,
        receipt_asked=one.receipt_asked,
        receipt_to=receipt_to,
        signed_with=one.signed_with,
    )


def postings(trail: Iterable[TrailEntry]) -> list[Posting]:
    """Everything that a message was posted as, each once, the newest first.

    All have one Message-ID; their MICs differ where the agreement was changed between two attempts, and a station that
    took an earlier one answers for that one.
    """
    found: list[Posting] = []
    for entry in trail:
        data = entry.data
        if entry.kind not in {MessagePosted.kind, MessageSent.kind} or "mic_algorithm" not in data:
            continue
        one = Posting(
            sent=as2.Sent(
                message_id=str(data["as2_message_id"]),
                mic=str(data["mic"]),
                mic_algorithm=str(data["mic_algorithm"]),
                signed="signature_hash" in data,
                further_mics=data.get("further_mics") or {},
            ),
            signature_hash=data.get("signature_hash"),
            cipher=data.get("cipher"),
            compressed=bool(data.get("compressed")),
            receipt_asked=str(data["receipt_asked"]),
            signed_with=data.get("signed_with"),
        )
        if one not in found:
            found.append(one)
    return found[::-1]


async def order_number_of(station: Station, message: Message) -> str | None:
    """The order that a message of ours is about."""
    return next((one.order_number for one in await station.queries.documents_of(message.id)), None)


def judge(
    station: Station, agreement: Agreement, posted: Sequence[Posting], receipt: Receipt
) -> tuple[Posting, as2.ReceiptVerdict]:
    """What a receipt says, and about which posting. Raises PartnerFault when it proves nothing about any of them.

    Costs RSA work: run it in a thread of `Station.crypto`.
    """
    fault: PartnerFault | None = None
    for one in posted:
        try:
            found = wrapping.verdict(station, agreement, one.sent, receipt, signed=one.receipt_asked == "signed")
        except PartnerFault as wrong:
            fault = fault or wrong  # the newest posting's is the likeliest to help
        else:
            # One MIC is that of every attempt: with which certificate the one was signed that they answer is not known.
            known = all(other.signed_with == one.signed_with for other in posted)
            return one if known else replace(one, signed_with=None), found
    raise fault or PartnerFault("a receipt for a message that was never posted")


def final(verdict: as2.ReceiptVerdict) -> bool:
    """Whether a verdict decides about the message.

    Nothing proves an unsigned refusal, and some errors often pass: the message is sent again, then given up in a way
    that an operator can retry. It costs retries, never a document.
    """
    return verdict.processed or (verdict.signed_by is not None and verdict.error not in PASSING_ERRORS)


def closed(exchange: Exchange, verdict: as2.ReceiptVerdict | None) -> Changes:
    """What a final verdict changes; None where no receipt was asked for."""
    return _rejected(exchange, verdict) if verdict is not None and not verdict.processed else _sent(exchange, verdict)


def _sent(exchange: Exchange, verdict: as2.ReceiptVerdict | None) -> Changes:
    message = exchange.message
    state = MessageState.DELIVERED if message.wait_key is None else MessageState.SENT
    event = MessageSent(
        message_id=message.id,
        partner=message.partner,
        order_number=exchange.order_number,
        as2_message_id=exchange.posting.sent.message_id,
        disposition=verdict.disposition if verdict else "no receipt was asked for",
        mic=exchange.posting.sent.mic,
        mic_algorithm=exchange.posting.sent.mic_algorithm,
        mic_matched=verdict.mic_matched if verdict else None,
        receipt_signed_by=verdict.signed_by if verdict else None,
        signature_hash=exchange.posting.signature_hash,
        cipher=exchange.posting.cipher,
        compressed=exchange.posting.compressed,
        receipt_asked=exchange.posting.receipt_asked,
        receipt_came=exchange.came,
        signed_with=exchange.posting.signed_with,
        **exchange.carried,
    )
    return Changes(
        message_updates=(exchange.update(state),),
        jobs=_awaited(exchange),
        woken=behind.sent(exchange.documents),
        document_updates=tuple(DocumentUpdate(id=one.id, state=DocumentState.SENT) for one in exchange.documents),
        events=(
            event,
            *waiting.late_message(message, Expected.RECEIPT, exchange.at, order=exchange.order_number),
        ),
    )


def _awaited(exchange: Exchange) -> tuple[NewJob, ...]:
    """Waits begin with the receipt: for the 997 or CONTRL, and for the answers to orders. What was quicker makes its
    wait harmless.
    """
    message = exchange.message
    dialect = standards.of_message(message).dialect(exchange.agreement)
    orders = waiting.begun(exchange.agreement, exchange.documents, message.id, exchange.at)
    if message.wait_key is None or dialect is None:
        return orders
    return (
        *orders,
        NewJob(
            message_id=message.id,
            step="overdue",
            lane=identity.outbound_lane(exchange.agreement.name, "acknowledgment"),
            run_at=exchange.at + timedelta(hours=float(dialect.acknowledgment_within_hours)),
            wait_key=message.wait_key,
        ),
    )


def _rejected(exchange: Exchange, verdict: as2.ReceiptVerdict) -> Changes:
    """The station has it and refuses it: sending the same again is pointless, nothing is awaited any more."""
    message = exchange.message
    event = MessageRejectedByPartner(
        message_id=message.id,
        partner=message.partner,
        order_number=exchange.order_number,
        as2_message_id=exchange.posting.sent.message_id,
        disposition=verdict.disposition,
        receipt_came=exchange.came,
        **exchange.carried,
    )
    return Changes(
        message_updates=(exchange.update(MessageState.REJECTED),),
        document_updates=tuple(DocumentUpdate(id=one.id, state=DocumentState.REJECTED) for one in exchange.documents),
        met=() if message.wait_key is None else (message.wait_key,),
        events=(event,),
    )
