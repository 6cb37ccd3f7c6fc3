"""An agreement's words about AS2 as AS2's own: how a message is wrapped, what is demanded of theirs and of receipts.

Costs RSA work and waits for nothing: run it in a thread of `Station.crypto`.
"""

from __future__ import annotations

from gateway import as2
from gateway.errors import OurFault
from gateway.partners.agreement import Agreement
from gateway.partners.as2_channel import As2Channel
from gateway.pipeline.station import Station
from gateway.ports import Message, Receipt

RECEIPTS_PATH = "/as2/receipts"
"""Below our public address; the web layer has an endpoint there."""

HASH_NAMES = {"sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512", "no": "sha-256"}
"""Configuration's words as AS2's (RFC 5751 3.4.3.2); an unsigned message has a MIC all the same."""
CIPHER_NAMES = {
    "aes128-cbc": "aes-128-cbc",
    "aes192-cbc": "aes-192-cbc",
    "aes256-cbc": "aes-256-cbc",
    "no": "aes-256-cbc",
}


def wrap(station: Station, agreement: Agreement, message: Message, payload: bytes) -> as2.Built:
    """The message as it is posted. Every attempt has the same Message-ID, and octets of its own."""
    channel = agreement.as2
    assert channel is not None
    now = station.clock()
    return as2.build_message(
        payload,
        content_type=message.content_type,
        filename=message.filename,
        as2_from=station.settings.identity.as2_id,
        as2_to=channel.id,
        message_id=message.as2_message_id or f"<{message.id}@gateway>",
        date=now,
        subject=f"EDI from {station.settings.identity.as2_id}",
        sign_with=None if channel.sign == "no" else station.keyring.signing(agreement.name, now),
        micalg=HASH_NAMES[channel.sign],
        encrypt_for=() if channel.encrypt == "no" else station.keyring.encrypting(agreement.name, now),
        cipher=CIPHER_NAMES[channel.encrypt],
        compress=channel.compress,
        receipt=as2.ReceiptKind(channel.receipt),
        receipt_to=receipt_to(station, channel),
    )


def receipt_to(station: Station, channel: As2Channel) -> str | None:
    """Where our partner's asynchronous receipts shall go. Raises OurFault when nobody could reach us there."""
    if not channel.asks_asynchronously:
        return None
    ours = station.settings.listen.public_url
    if ours is None:
        raise OurFault(
            "asynchronous receipts are asked for, and partners are told no address of ours",
            remedy="set listen.public_url in gateway.yaml, or receipt_mode: sync in the partner's file",
        )
    return f"{ours.rstrip('/')}{RECEIPTS_PATH}"


def policy(station: Station, agreement: Agreement) -> as2.Policy:
    """What the agreement demands of a message, judged by what was really decrypted and verified."""
    assert agreement.as2 is not None
    return as2.Policy(
        require_signature=agreement.as2.require_signature,
        require_encryption=agreement.as2.require_encryption,
        max_size=agreement.max_message_bytes or station.settings.max_message_bytes,
    )


def verdict(
    station: Station, agreement: Agreement, sent: as2.Sent, receipt: Receipt, *, signed: bool
) -> as2.ReceiptVerdict:
    """What a receipt says about what was posted. Raises PartnerFault when it is none, or proves nothing.

    `signed` says that a signed one was asked for.
    """
    return as2.read_receipt(
        receipt.headers,
        receipt.body,
        sent=sent,
        partner_certificates=station.keyring.verifying(agreement.name, station.clock()),
        require_signature=signed,
    )
