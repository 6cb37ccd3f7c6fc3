"""Our receipts that go by themselves (RFC 4130 7.2): whether they may, the job that sends one, the `receipt` step.

The receipt is made and stored with the message it is for, in one commit with the job; every attempt posts the same
octets. That of a repeat with another MIC stands with the job itself. Where it may go the agreement says, and the
connector when it knows which machine an address leads to.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

from gateway import as2
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.events import ReceiptDelivered
from gateway.partners.agreement import Agreement
from gateway.partners.receipt_address import receipt_address
from gateway.pipeline import at_hand, identity
from gateway.pipeline.hashing import sha256_hex
from gateway.pipeline.station import Station
from gateway.ports import Changes, Job, Json, NewJob, Receipt

AGAIN_AFTER = timedelta(minutes=1)
"""A repeated message has its receipt sent again; a flood of repeats not more often than so."""
EMPTY = Receipt(status=200, headers=(), body=b"")
"""The HTTP answer to a message that asks for no receipt, and to a receipt."""
LATER = Receipt(status=202, headers=(), body=b"")
"""The HTTP answer to a message whose receipt goes by itself (RFC 9110 15.3.3: accepted, more will be told)."""


def address_of(agreement: Agreement, request: as2.ReceiptRequest) -> str | None:
    """Where the receipt of a message shall go; None: in the answer. Raises As2Fault for an address not allowed.

    A message that cannot be receipted as asked is not taken: its sender would wait for a receipt that never comes, and
    send again what we had taken. RFC 4130 7.3 leaves it open; the refusal goes in the answer, where nobody chose.
    """
    if request.delivery_url is None:
        return None
    assert agreement.as2 is not None
    try:
        return receipt_address(agreement.as2, request.delivery_url).url
    except ValueError as fault:
        raise as2.As2Fault(
            f"Receipt-Delivery-Option {_shown(request.delivery_url)!r}: {fault}; see receipt_urls",
            refusal=as2.Refusal.UNEXPECTED,
            public=f"the receipt cannot be sent to the address asked for: {fault}",
        ) from fault


def receipt_job(
    agreement: Agreement, message_id: str, url: str, now: datetime, *, again: bool = False, own: Receipt | None = None
) -> NewJob:
    """The work of sending the stored receipt of a message; `again` for a repeated message, `own` the repeat's own."""
    data: dict[str, Any] = {"url": url, "target": f"receipts of {agreement.name}"}
    if own is not None:
        data["receipt"] = {
            "headers": [list(one) for one in own.headers],
            "body": base64.b64encode(own.body).decode("ascii"),
        }
    return NewJob(
        message_id=message_id,
        step="receipt",
        lane=identity.outbound_lane(agreement.name, "receipt"),
        run_at=now,
        data=data,
        again_after=AGAIN_AFTER if again else None,
    )


async def send(station: Station, job: Job) -> Changes:
    """Post the receipt of the job's message. Raises DeliveryFailed: permanent where the address is not allowed now."""
    message = await at_hand.message_of(station, job)
    if message.receipt is None:
        raise OurFault(f"message {job.message_id} has no receipt in the store", remedy="gateway audit verify")
    agreement = station.agreement(message.partner)
    if agreement is None or agreement.as2 is None:
        raise OurFault(
            f"partner {message.partner} does not exchange over AS2 now",
            remedy=f"set its status and as2 section, then: gateway message retry {message.id}",
        )
    url = str(job.data.get("url"))
    try:
        address = receipt_address(agreement.as2, url)
    except ValueError as fault:
        raise DeliveryFailed(f"the receipt may not go to {url} any more: {fault}", outcome=Outcome.PERMANENT) from fault
    receipt = _own(job.data) or message.receipt
    answer = await station.as2.post_receipt(agreement, address, receipt.headers, receipt.body)
    event = ReceiptDelivered(
        message_id=message.id,
        partner=message.partner,
        url=_shown(url),
        status=answer.status,
        sha256=sha256_hex(receipt.body),
    )
    return Changes(events=(event,))


def _own(data: Json) -> Receipt | None:
    """The receipt that a repeat was given for itself."""
    kept = data.get("receipt")
    if kept is None:
        return None
    headers = tuple((str(name), str(value)) for name, value in kept["headers"])
    return Receipt(status=200, headers=headers, body=base64.b64decode(kept["body"]))


def _shown(url: str) -> str:
    """An address for the trail: without what may be a secret in it, the user and the query."""
    head, slashes, tail = url.partition("?")[0][:200].partition("//")
    host, slash, path = tail.partition("/")
    return f"{head}{slashes}{host.rpartition('@')[2]}{slash}{path}"
