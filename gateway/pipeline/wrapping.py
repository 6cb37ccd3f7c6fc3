"""An agreement's words about AS2 as AS2's own: how a message is wrapped, what is demanded of theirs and of receipts.

Costs RSA work and waits for nothing: run it in a thread of `Station.crypto`.
"""

from __future__ import annotations

import re
from functools import partial

from gateway import as2
from gateway.as2.octets import Spool
from gateway.errors import OurFault
from gateway.partners.agreement import Agreement
from gateway.partners.as2_channel import RECEIPTS_PATH, As2Channel
from gateway.pipeline import confirming
from gateway.pipeline.bodies import as_octets
from gateway.pipeline.station import Station
from gateway.ports import Message, OctetSource, Receipt

_SHORT_NAME = re.compile(r"^(sha|aes)(?=[0-9])")
MAX_FILENAME = 255
MAX_INFLATED = 200 * 1024 * 1024
"""What a compressed message may become where nothing else is agreed and its own limit is not larger."""
SIGNATURE_SCHEMES = {"pkcs1": as2.SignatureScheme.PKCS1, "pss": as2.SignatureScheme.PSS}
KEY_TRANSPORTS = {
    "pkcs1": as2.KeyTransport.PKCS1,
    "oaep": as2.KeyTransport.OAEP,
    "oaep-sha384": as2.KeyTransport.OAEP_SHA384,
    "oaep-sha512": as2.KeyTransport.OAEP_SHA512,
}
SENT_HASHES = frozenset(one.name for one in as2.HASHES.values() if one.sendable)
"""A receipt may be signed with any hash that we could ask for."""


def wire_name(word: str) -> str:
    """`sha256` and `aes128-gcm` of an agreement as AS2 writes them (RFC 5751 3.4.3.2): `sha-256`, `aes-128-gcm`."""
    return _SHORT_NAME.sub(r"\1-", word)


def wrap(station: Station, agreement: Agreement, message: Message, payload: bytes | OctetSource) -> as2.Built:
    """The message as it is posted. Every attempt has the same Message-ID, and octets of its own.

    What is too large for memory is built into a file of the spool.
    """
    channel = agreement.as2
    assert channel is not None
    now = station.clock()
    return as2.build_message(
        as_octets(payload),
        content_type=content_type(channel, message),
        filename=file_name(channel, message),
        as2_from=station.settings.identity.as2_id,
        as2_to=channel.id,
        message_id=message.as2_message_id or f"<{message.id}@gateway>",
        date=now,
        subject=channel.subject or f"EDI from {station.settings.identity.as2_id}",
        sign_with=None if channel.sign == "no" else station.keyring.signing(agreement.name, now),
        micalg="sha-256" if channel.sign == "no" else wire_name(channel.sign),
        micalgs=tuple(map(wire_name, channel.micalgs)),
        encrypt_for=() if channel.encrypt == "no" else station.keyring.encrypting(agreement.name, now),
        cipher=wire_name(channel.encrypt),
        signature_scheme=SIGNATURE_SCHEMES[channel.signature_scheme],
        key_transport=KEY_TRANSPORTS[channel.key_transport],
        compress=channel.compress != "no",
        compress_after_signing=channel.compress == "after",
        receipt=as2.ReceiptKind(channel.receipt),
        spool=partial(station.store.spool, kept=True),
        receipt_to=receipt_to(station, channel),
    )


def content_type(channel: As2Channel, message: Message) -> str:
    """What the payload is called; what encloses several files is always called what it is."""
    several = as2.is_multipart(message.content_type)
    return message.content_type if several or channel.content_type is None else channel.content_type


def file_name(channel: As2Channel, message: Message) -> str | None:
    """The name that the payload travels under: the message's own, as the agreement shapes it."""
    if message.filename is None or channel.filename == "no":
        return None
    stem, _, extension = message.filename.rpartition(".")
    made = channel.filename.format(
        name=message.filename,
        stem=stem or message.filename,
        extension=extension if stem else "",
        id=message.id,
        date=f"{message.at:%Y%m%d}",
        time=f"{message.at:%H%M%S}",
    )
    return made[:MAX_FILENAME]


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
    channel = agreement.as2
    assert channel is not None
    largest = agreement.max_message_bytes or station.settings.max_message_bytes
    return as2.Policy(
        require_signature=channel.require_signature,
        require_encryption=channel.require_encryption,
        require_compression=channel.require_compression,
        hashes=accepted_hashes(channel),
        ciphers=frozenset(map(wire_name, channel.accept_ciphers)) | (weak(channel) & as2.CIPHERS.keys()),
        max_size=largest,
        max_inflated=channel.max_inflated_bytes or max(MAX_INFLATED, 2 * largest),
        max_ratio=channel.max_inflate_ratio,
    )


def accepted_hashes(channel: As2Channel) -> frozenset[str]:
    """The hashes that may stand in the partner's signatures, of messages and of receipts."""
    return frozenset(map(wire_name, channel.accept_hashes)) | (weak(channel) & as2.HASHES.keys())


def weak(channel: As2Channel) -> frozenset[str]:
    """The broken algorithms that are read from this partner by its agreement's switch."""
    return frozenset(map(wire_name, channel.accept_weak))


def asked_for(agreement: Agreement, addressing: as2.Addressing) -> as2.As2Fault | None:
    """The refusal of a message that does not ask for a receipt though it must; told before anything is opened."""
    assert agreement.as2 is not None
    if not agreement.as2.require_receipt_request or addressing.receipt.kind is not as2.ReceiptKind.NONE:
        return None
    return as2.As2Fault(
        "it asks for no receipt, though this partner's messages must",
        refusal=as2.Refusal.INSUFFICIENT_SECURITY,
        public="Messages must ask for a receipt.",
    )


def content_agreed(agreement: Agreement, opened: as2.Opened, spool: Spool | None = None) -> as2.As2Fault | None:
    """The refusal of a message with a file of no type agreed; judged when all layers are off and sound."""
    assert agreement.as2 is not None
    if not agreement.as2.accept_content_types:
        return None
    types = [opened.content_type]
    if as2.is_multipart(opened.content_type):
        types = [one.content_type for one in as2.split(opened.content_type, opened.payload, spool)]
    other = next((one for one in types if not agreement.as2.media_type_accepted(one)), None)
    if other is None:
        return None
    return as2.As2Fault(
        f"content type {other[:100]!r} is not agreed",
        refusal=as2.Refusal.UNEXPECTED,
        public="The content type is not one of those agreed.",
    )


def verdict(
    station: Station, agreement: Agreement, sent: as2.Sent, receipt: Receipt, *, signed: bool
) -> as2.ReceiptVerdict:
    """What a receipt says about what was posted. Raises PartnerFault when it is none, or proves nothing.

    `signed` says that a signed one was asked for.
    """
    assert agreement.as2 is not None
    found = as2.read_receipt(
        receipt.headers,
        receipt.body,
        sent=sent,
        partner_certificates=station.keyring.verifying(agreement.name, station.clock()),
        require_signature=signed,
        hashes=accepted_hashes(agreement.as2) | SENT_HASHES,
    )
    confirming.judge_receipt_signer(station, agreement.name, found.signed_by, station.clock())
    return found
