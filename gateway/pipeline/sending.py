"""The `send` and `overdue` steps: a message to the partner's station, its receipt verified, its answer awaited.

Every attempt carries the same Message-ID (RFC 4130 bis: retries reuse it), so a repeat cannot have a second effect.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway import as2
from gateway.errors import DeliveryFailed, OurFault, Outcome, PartnerFault
from gateway.events import AcknowledgmentOverdue, MessageRejectedByPartner, MessageSent
from gateway.partners.agreement import Agreement
from gateway.pipeline import at_hand, identity, standards, wrapping
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    Document,
    DocumentState,
    DocumentUpdate,
    HttpAnswer,
    Job,
    Message,
    MessageState,
    MessageUpdate,
    NewJob,
    Receipt,
)

_CLOSED = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.ACKNOWLEDGED, MessageState.REJECTED})

PASSING_ERRORS = frozenset({"unexpected-processing-error", "decryption-failed", None})
"""Errors in a receipt (RFC 4130 7.4.3) that may be gone at the next attempt: their fault, a certificate rolled over."""


async def send(station: Station, job: Job) -> Changes:
    """Send the job's message. Raises DeliveryFailed; an answer that is no valid receipt is *uncertain*."""
    message = await at_hand.message_of(station, job)
    if message.state in _CLOSED:
        return Changes()
    agreement = station.agreement(message.partner)
    if agreement is None or agreement.as2 is None:
        raise OurFault(
            f"partner {message.partner} does not exchange over AS2 now",
            remedy=f"set its status and as2 section, then: gateway message retry {message.id}",
        )
    payload = await at_hand.payload_of(station, job)
    loop = asyncio.get_running_loop()
    built = await loop.run_in_executor(station.crypto, wrapping.wrap, station, agreement, message, payload)
    answer = await station.as2.post(agreement, built.headers, built.body)
    documents = tuple(await station.queries.documents_of(message.id))
    exchange = _Exchange(
        agreement=agreement, message=message, documents=documents, built=built, answer=answer, at=station.clock()
    )
    if agreement.as2.receipt == "none":
        return _sent(exchange, None)
    try:
        verdict = await loop.run_in_executor(station.crypto, wrapping.verdict, station, agreement, built, answer)
    except PartnerFault as fault:
        raise DeliveryFailed(
            f"the answer of {agreement.name}'s station is no valid receipt: {fault}",
            outcome=Outcome.UNCERTAIN,
            status=answer.status,
        ) from fault
    if verdict.processed:
        return _sent(exchange, verdict)
    if verdict.signed_by is None or verdict.error in PASSING_ERRORS:
        # Nothing proves an unsigned refusal, and these errors often pass: the message is sent again, then given up
        # in a way that an operator can retry. It costs retries, never a document.
        raise DeliveryFailed(f"{agreement.name}'s station refused it: {verdict.disposition}", outcome=Outcome.TRANSIENT)
    return _rejected(exchange, verdict)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Exchange:
    """A message on the wire and what came back."""

    agreement: Agreement
    message: Message
    documents: tuple[Document, ...]
    built: as2.Built
    answer: HttpAnswer
    at: datetime

    def update(self, state: MessageState) -> MessageUpdate:
        """The message with its evidence: what was posted, what was answered."""
        return MessageUpdate(
            id=self.message.id,
            state=state,
            raw=self.built.body,
            raw_headers=self.built.headers,
            mic=self.built.mic,
            receipt=Receipt(status=self.answer.status, headers=self.answer.headers, body=self.answer.body),
        )

    @property
    def order_number(self) -> str | None:
        """The order that the message is about."""
        return next((one.order_number for one in self.documents), None)


def _sent(exchange: _Exchange, verdict: as2.ReceiptVerdict | None) -> Changes:
    message = exchange.message
    state = MessageState.DELIVERED if message.wait_key is None else MessageState.SENT
    event = MessageSent(
        message_id=message.id,
        partner=message.partner,
        order_number=exchange.order_number,
        as2_message_id=exchange.built.message_id,
        disposition=verdict.disposition if verdict else "no receipt was asked for",
        mic=exchange.built.mic,
        mic_matched=verdict.mic_matched if verdict else None,
        receipt_signed_by=verdict.signed_by if verdict else None,
        signature_hash=exchange.built.signature_hash,
        cipher=exchange.built.cipher,
        compressed=exchange.built.compressed,
        receipt_asked=exchange.agreement.as2.receipt if exchange.agreement.as2 else None,
    )
    return Changes(
        message_updates=(exchange.update(state),),
        jobs=_awaited(exchange),
        document_updates=tuple(DocumentUpdate(id=one.id, state=DocumentState.SENT) for one in exchange.documents),
        events=(event,),
    )


def _awaited(exchange: _Exchange) -> tuple[NewJob, ...]:
    """The wait for the acknowledgment begins with the receipt; a 997 or CONTRL that was quicker makes it harmless."""
    message = exchange.message
    dialect = standards.of_message(message).dialect(exchange.agreement)
    if message.wait_key is None or dialect is None:
        return ()
    return (
        NewJob(
            message_id=message.id,
            step="overdue",
            lane=identity.outbound_lane(exchange.agreement.name, "acknowledgment"),
            run_at=exchange.at + timedelta(hours=float(dialect.acknowledgment_within_hours)),
            wait_key=message.wait_key,
        ),
    )


def _rejected(exchange: _Exchange, verdict: as2.ReceiptVerdict) -> Changes:
    """The station has it and refuses it: sending the same again is pointless, nothing is awaited any more."""
    message = exchange.message
    event = MessageRejectedByPartner(
        message_id=message.id,
        partner=message.partner,
        order_number=exchange.order_number,
        as2_message_id=exchange.built.message_id,
        disposition=verdict.disposition,
    )
    return Changes(
        message_updates=(exchange.update(MessageState.REJECTED),),
        document_updates=tuple(DocumentUpdate(id=one.id, state=DocumentState.REJECTED) for one in exchange.documents),
        met=() if message.wait_key is None else (message.wait_key,),
        events=(event,),
    )


async def overdue(station: Station, job: Job) -> Changes:
    """The time for the partner's functional acknowledgment is over: say so. A late one still closes the message."""
    message = await at_hand.message_of(station, job)
    if message.state in {MessageState.ACKNOWLEDGED, MessageState.REJECTED}:
        return Changes()
    documents = await station.queries.documents_of(message.id)
    waited = int((station.clock() - message.at).total_seconds())
    event = AcknowledgmentOverdue(
        message_id=message.id,
        partner=message.partner,
        order_number=next((one.order_number for one in documents), None),
        control_number=(message.wait_key or "").rpartition(":")[2],
        waited_seconds=waited,
    )
    return Changes(events=(event,))


def given_up(job: Job) -> Changes:
    """What else becomes true when sending is given up: message and document have failed."""
    failed = () if job.document_id is None else (DocumentUpdate(id=job.document_id, state=DocumentState.FAILED),)
    return Changes(
        message_updates=(MessageUpdate(id=job.message_id, state=MessageState.FAILED),), document_updates=failed
    )
