"""Messages of ours as they are stored until they are sent: with the Message-ID that every attempt will carry."""

from __future__ import annotations

from datetime import datetime

from gateway.partners.agreement import Agreement
from gateway.pipeline import identity
from gateway.ports import Channel, Direction, MessageState, NewJob, NewMessage, Numbered, Spooled
from gateway.settings import Settings


def outbound_message(
    settings: Settings,
    agreement: Agreement,
    *,
    message_id: str,
    payload: bytes | Numbered | Spooled,
    content_type: str,
    filename: str | None,
    now: datetime,
    answers: str | None = None,
    wait_key: str | None = None,
) -> NewMessage:
    """A message ready to be sent."""
    host = "".join(one if one.isalnum() or one in "-._" else "-" for one in settings.identity.as2_id)
    return NewMessage(
        id=message_id,
        partner=agreement.name,
        direction=Direction.OUTBOUND,
        channel=Channel.AS2,
        state=MessageState.READY,
        at=now,
        payload=payload,
        content_type=content_type,
        filename=None if filename is None else _safe(filename),
        as2_message_id=f"<{message_id}@{host}>",
        answers=answers,
        wait_key=wait_key,
    )


def send_job(agreement: Agreement, message_id: str, now: datetime, *, document_id: str | None = None) -> NewJob:
    """The work of sending a message that is ready, and the document that it carries."""
    asynchronous = agreement.as2 is not None and agreement.as2.asks_asynchronously
    return NewJob(
        message_id=message_id,
        document_id=document_id,
        step="send",
        lane=identity.outbound_lane(agreement.name, "as2"),
        run_at=now,
        # A receipt that comes by itself ends the work, whether it is being sent, waits or was given up.
        wait_key=identity.receipt_key(message_id) if asynchronous else None,
    )


def _safe(filename: str) -> str:
    return "".join(one if one.isalnum() or one in "-._" else "-" for one in filename)[:100]
