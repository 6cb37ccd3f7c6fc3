"""An agreement's words about AS2 as AS2's own: how a message is wrapped, what is demanded of theirs and of receipts.

Costs RSA work and waits for nothing: run it in a thread of `Station.crypto`.
"""

from __future__ import annotations

from gateway import as2
from gateway.partners.agreement import Agreement
from gateway.pipeline import confirming
from gateway.pipeline.station import Station
from gateway.ports import HttpAnswer, Message

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
    )


def policy(station: Station, agreement: Agreement) -> as2.Policy:
    """What the agreement demands of a message, judged by what was really decrypted and verified."""
    assert agreement.as2 is not None
    return as2.Policy(
        require_signature=agreement.as2.require_signature,
        require_encryption=agreement.as2.require_encryption,
        max_size=agreement.max_message_bytes or station.settings.max_message_bytes,
    )


def verdict(station: Station, agreement: Agreement, built: as2.Built, answer: HttpAnswer) -> as2.ReceiptVerdict:
    """What a receipt says about what was posted. Raises PartnerFault when it is none, or proves nothing."""
    assert agreement.as2 is not None
    found = as2.read_receipt(
        answer.headers,
        answer.body,
        sent=as2.Sent(
            message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=built.signed
        ),
        partner_certificates=station.keyring.verifying(agreement.name, station.clock()),
        require_signature=agreement.as2.receipt == "signed",
    )
    confirming.judge_receipt_signer(station, agreement.name, found.signed_by, station.clock())
    return found
