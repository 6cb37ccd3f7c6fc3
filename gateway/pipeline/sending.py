"""The `send` and `overdue` steps: a message to the partner's station, its receipt verified, its answer awaited.

Every attempt carries the same Message-ID (RFC 4130 bis: retries reuse it), so a repeat cannot have a second effect.
Where the receipt comes by itself the step ends as *posted* and returns when the receipt is overdue, to send again.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from gateway import as2
from gateway.errors import DeliveryFailed, OurFault, Outcome, PartnerFault
from gateway.events import ReceiptOverdue
from gateway.partners.agreement import Agreement
from gateway.partners.as2_channel import As2Channel
from gateway.pipeline import at_hand, confirming, receipted, refused_receipts, wrapping
from gateway.pipeline.bodies import as_stored, let_go
from gateway.pipeline.station import Station
from gateway.ports import (
    Awaited,
    Changes,
    DocumentState,
    DocumentUpdate,
    HttpAnswer,
    Job,
    Message,
    MessageState,
    MessageUpdate,
    Receipt,
    TrailEntry,
)

IN_THE_ANSWER = "in the answer, though one that comes by itself was asked for"
SAID = 200
"""Characters of a receipt's words to people that are kept with a failed attempt."""


async def send(station: Station, job: Job) -> Changes:
    """Send the job's message. Raises DeliveryFailed; an answer that is no valid receipt is *uncertain*."""
    message = await at_hand.message_of(station, job)
    if message.state in receipted.CLOSED:
        return Changes()
    agreement = station.agreement(message.partner)
    if agreement is None or agreement.as2 is None:
        raise OurFault(
            f"partner {message.partner} does not exchange over AS2 now",
            remedy=f"set its status and as2 section, then: gateway message retry {message.id}",
        )
    payload = await at_hand.octets_of(station, job)
    loop = asyncio.get_running_loop()
    threads = station.crypto if isinstance(payload, bytes) else station.large
    built = await loop.run_in_executor(threads, wrapping.wrap, station, agreement, message, payload)
    try:
        return await _posted_and_judged(station, agreement, message, built)
    except Exception:
        await asyncio.to_thread(let_go, built.body)
        raise


async def _posted_and_judged(station: Station, agreement: Agreement, message: Message, built: as2.Built) -> Changes:
    """One attempt. Raises DeliveryFailed."""
    channel = agreement.as2
    assert channel is not None
    if channel.asks_asynchronously:
        # Before it is posted: the receipt may be here sooner than the answer to the post.
        await _write_down(station, agreement, message, built)
    try:
        answer = await station.as2.post(agreement, built.headers, built.body)
        return await _judged(station, agreement, message, built, answer)
    except DeliveryFailed as failed:
        reached = failed.outcome is Outcome.UNCERTAIN or failed.status is not None
        if reached and not channel.asks_asynchronously and channel.receipt != "none":
            # It may be there, and answered for at any later attempt, or by a receipt that nobody asked for; also where
            # an error was answered: a proxy in front of the station says 502 or 504 of what is being worked behind it.
            await _write_down(station, agreement, message, built)
        raise


async def _judged(
    station: Station, agreement: Agreement, message: Message, built: as2.Built, answer: HttpAnswer
) -> Changes:
    """What the station's 2xx answer means."""
    channel = agreement.as2
    assert channel is not None
    receipt = Receipt(status=answer.status, headers=answer.headers, body=answer.body)
    comes_later = channel.asks_asynchronously and not as2.is_receipt(receipt.headers, receipt.body)
    if comes_later:
        return _posted(message, channel)
    exchange = receipted.Exchange(
        agreement=agreement,
        message=message,
        documents=tuple(await station.queries.documents_of(message.id)),
        posting=receipted.posting(agreement, built),
        receipt=receipt,
        at=station.clock(),
        wire=built,
        came=IN_THE_ANSWER if channel.asks_asynchronously else None,
    )
    if channel.receipt == "none":
        return receipted.closed(exchange, None)
    verdict = await _verdict(station, agreement, message, built, receipt)
    if not receipted.final(verdict):
        said = " ".join(verdict.text.split())[:SAID]
        raise DeliveryFailed(
            f"{agreement.name}'s station refused it: {verdict.disposition}{said and f' ({said})'}",
            outcome=Outcome.TRANSIENT,
        )
    proved = confirming.by_receipt(station, agreement.name, message.id, verdict, exchange.posting.signed_with)
    return replace(receipted.closed(exchange, verdict), certificates=proved)


async def _verdict(
    station: Station, agreement: Agreement, message: Message, built: as2.Built, receipt: Receipt
) -> as2.ReceiptVerdict:
    """The verdict about what was posted now, or at an attempt before it under another agreement."""
    loop = asyncio.get_running_loop()
    now = [receipted.posting(agreement, built)]
    try:
        _, verdict = await loop.run_in_executor(station.crypto, receipted.judge, station, agreement, now, receipt)
    except PartnerFault as fault:
        before = receipted.postings(await station.queries.timeline(message_id=message.id))
        try:
            _, verdict = await loop.run_in_executor(
                station.crypto, receipted.judge, station, agreement, before, receipt
            )
        except PartnerFault:
            await refused_receipts.keep(station, message, receipt, str(fault))
            raise DeliveryFailed(
                f"the answer of {agreement.name}'s station is no valid receipt: "
                f"{fault if receipt.body.strip() else 'it is empty, though the receipt was to be in it'}",
                outcome=Outcome.UNCERTAIN,
                status=receipt.status,
            ) from fault
    return verdict


async def _write_down(station: Station, agreement: Agreement, message: Message, built: as2.Built) -> None:
    """What is posted, durable: octets, MIC, and on the trail what a receipt for it must say."""
    assert agreement.as2 is not None
    trail = await station.queries.timeline(message_id=message.id)
    posting = receipted.posting(agreement, built)
    if not agreement.as2.asks_asynchronously and posting in receipted.postings(trail):
        return  # known from the attempt before
    order = await receipted.order_number_of(station, message)
    posted = receipted.posted(message, posting, wrapping.receipt_to(station, agreement.as2), order)
    overdue = _overdue(station, message, trail, order)
    update = MessageUpdate(
        id=message.id,
        raw=as_stored(built.body),
        raw_headers=built.headers,
        mic=built.mic,
        overdue_since=message.overdue_since or (station.clock() if overdue else None),
    )
    events = (*overdue, posted)
    await station.store.apply(Changes(message_updates=(update,), events=events))


def _overdue(
    station: Station, message: Message, trail: list[TrailEntry], order_number: str | None
) -> tuple[ReceiptOverdue, ...]:
    """That the receipt of the attempt before did not come, where that one was posted."""
    if message.state is not MessageState.POSTED:
        return ()
    last = next((one.at for one in reversed(trail) if one.kind == "message.posted"), message.at)
    return (
        ReceiptOverdue(
            message_id=message.id,
            partner=message.partner,
            order_number=order_number,
            as2_message_id=message.as2_message_id or "",
            waited_seconds=int((station.clock() - last).total_seconds()),
        ),
    )


def _posted(message: Message, channel: As2Channel) -> Changes:
    within = timedelta(minutes=channel.receipt_within_minutes)
    return Changes(
        message_updates=(MessageUpdate(id=message.id, state=MessageState.POSTED),),
        awaited=Awaited(
            seconds=within.total_seconds(),
            reason=f"posted; its receipt is awaited for {channel.receipt_within_minutes} minutes, then it goes again",
        ),
    )


def given_up(job: Job) -> Changes:
    """What else becomes true when sending is given up: message and document have failed."""
    failed = () if job.document_id is None else (DocumentUpdate(id=job.document_id, state=DocumentState.FAILED),)
    return Changes(
        message_updates=(MessageUpdate(id=job.message_id, state=MessageState.FAILED),), document_updates=failed
    )
