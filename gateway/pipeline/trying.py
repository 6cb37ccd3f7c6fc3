"""A signed exchange tried with a partner's station: a small text marked as a test, its receipt verified.

Nothing is stored and nothing goes on the trail: it is no business message on our side. The partner's station sees a
real AS2 message, whose subject, type and text say that it is a test.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from cryptography import x509

from gateway.as2 import Built, Sent
from gateway.as2.explaining_receipts import ReceiptSight, explain_receipt
from gateway.as2.explanation import certificate_layer, name_of
from gateway.errors import DeliveryFailed, OurFault
from gateway.partners.agreement import Agreement
from gateway.pipeline import wrapping
from gateway.pipeline.station import Station
from gateway.ports import Channel, Direction, HttpAnswer, Message, MessageState, Step, new_id

_DAYS = 30
SUBJECT = "AS2 connection test, please ignore"

FIXES: Mapping[str, str] = {
    "unknown-trading-relationship": "they do not know these AS2 names together: compare them with theirs, "
    "to the letter",
    "authentication-failed": "they do not know the certificate that we sign with: send it again, gateway certificate "
    "letter NAME, and have them import it for signatures",
    "decryption-failed": "they cannot decrypt: ask for the certificate that they use now, import it, then confirm it: "
    "gateway certificate import, gateway certificate confirm",
    "integrity-check-failed": "they do not find the content that we signed: something between changes bodies, or they "
    "verify with another certificate",
    "insufficient-message-security": "they ask for more, or other, algorithms: compare as2.sign and as2.encrypt with "
    "what they accept",
    "decompression-failed": "they do not take compressed messages: as2.compress: no",
    "unsupported mic-algorithms": "they do not know our hash: ask which they do, choose it in as2.sign",
    "unexpected-processing-error": "they have it and could not process it: many refuse what is no EDI; ask them "
    "to look for the subject of the test",
}
"""By the error of a receipt (RFC 4130 7.4.3), what to do."""


async def exchanged(station: Station, agreement: Agreement) -> AsyncIterator[Step]:
    """Our certificates, theirs, then the exchange; each step is told when it is done."""
    now = station.clock()
    try:
        signing = station.keyring.signing(agreement.name, now).certificate
        encrypting = station.keyring.encrypting(agreement.name, now)
    except OurFault as fault:
        yield Step(name="certificates", held=False, said=str(fault), fix=fault.remedy)
        return
    yield _validity("our certificate", signing, now, "make a new one, and tell all partners before it counts")
    for one in encrypting:
        yield _validity("their certificate", one, now, "ask them for the new one: gateway certificate import")
    asking = _asking(agreement)
    message = _message(station, asking, now)
    text = _text(station, asking, now)
    try:
        loop = asyncio.get_running_loop()
        built = await loop.run_in_executor(station.crypto, wrapping.wrap, station, asking, message, text)
    except OurFault as fault:
        yield Step(name="message", held=False, said=str(fault), fix=fault.remedy)
        return
    headers = tuple((name, SUBJECT if name == "Subject" else value) for name, value in built.headers)
    began = time.monotonic()
    try:
        answer = await station.as2.post(asking, headers, built.body)
    except DeliveryFailed as failed:
        yield _undelivered(failed, time.monotonic() - began)
        return
    took = time.monotonic() - began
    said = f"{len(text)} octets of text, {len(built.body)} on the wire; answered {answer.status}"
    yield Step(name="message", held=True, said=said, facts=(("Message-ID", built.message_id),), seconds=took)
    yield await loop.run_in_executor(station.crypto, _receipt, station, asking, built, answer)


def _asking(agreement: Agreement) -> Agreement:
    """The agreement, but a signed receipt in the answer is always asked for: without one nothing is shown."""
    assert agreement.as2 is not None
    wanted = {"receipt": "signed", "receipt_mode": "sync"}
    known = type(agreement.as2).model_fields
    update = {name: value for name, value in wanted.items() if name in known}
    return agreement.model_copy(update={"as2": agreement.as2.model_copy(update=update)})


def _message(station: Station, agreement: Agreement, now: datetime) -> Message:
    """A message as the pipeline would have it, which is never stored."""
    message_id = new_id(now)
    host = "".join(one if one.isalnum() or one in "-._" else "-" for one in station.settings.identity.as2_id)
    return Message(
        id=message_id,
        partner=agreement.name,
        direction=Direction.OUTBOUND,
        channel=Channel.AS2,
        state=MessageState.READY,
        at=now,
        content_type="text/plain",
        filename="as2-test.txt",
        payload_sha256="",
        size=0,
        raw_headers=(),
        as2_message_id=f"<test-{message_id}@{host}>",
        mic=None,
        answers=None,
        receipt=None,
    )


def _text(station: Station, agreement: Agreement, now: datetime) -> bytes:
    """Harmless, and says what it is."""
    assert agreement.as2 is not None
    return (
        f"This is a test of the AS2 connection from {station.settings.identity.as2_id} to {agreement.as2.id}.\r\n"
        f"It carries no business document and needs no processing. Sent {now:%Y-%m-%d %H:%M:%S} UTC.\r\n"
    ).encode()


def _validity(name: str, certificate: x509.Certificate, now: datetime, fix: str) -> Step:
    layer = certificate_layer(certificate, "", now)
    days = (certificate.not_valid_after_utc - now).days
    early = certificate.not_valid_before_utc > now
    held: bool | None = days >= 0 and not early
    if held and (layer.notes or days < _DAYS):
        held = None
    said = f"{name_of(certificate)}: " + ("not valid yet" if early else f"{days} days left")
    if days < 0:
        said = f"{name_of(certificate)}: expired {-days} days ago"
    return Step(name=name, held=held, said=said, facts=layer.facts, fix="" if held else fix)


def _undelivered(failed: DeliveryFailed, took: float) -> Step:
    """No receipt came at all."""
    fix = {
        401: "they ask for HTTP authentication: as2.authentication",
        403: "their server forbids it: ask which address, user or client certificate they let in",
        404: "there is no station at this path: compare as2.url with theirs",
        405: "that address takes no POST: compare as2.url with theirs",
        413: "their server takes no body of this size",
        415: "their server does not take this content type: it may be no AS2 station",
    }.get(failed.status or 0, "see the steps above; ask them for the log of this attempt")
    facts = (("they said", failed.answer[:300]),) if failed.answer else ()
    return Step(name="message", held=False, said=str(failed), facts=facts, fix=fix, seconds=took)


def _receipt(station: Station, agreement: Agreement, built: Built, answer: HttpAnswer) -> Step:
    """What their receipt says, and whether it proves it."""
    sent = Sent(
        message_id=built.message_id,
        mic=built.mic,
        mic_algorithm=built.mic_algorithm,
        signed=built.signed,
        further_mics=built.further_mics,
    )
    sight = ReceiptSight(
        certificates=station.keyring.verifying(agreement.name, station.clock()),
        moment=station.clock(),
        sent=sent,
        hashes=wrapping.policy(station, agreement).hashes | wrapping.SENT_HASHES,
    )
    found = explain_receipt(answer.headers, answer.body, sight)
    facts = [(name, value) for name, value in (("disposition", found.disposition), ("MIC", found.mic)) if value]
    if found.taken:
        return Step(name="receipt", held=True, said=found.sentence, facts=tuple(facts))
    facts += [("text", found.says[:300])] if found.says else []
    fix = _unproven(answer)
    if found.error is not None:
        fix = FIXES.get(found.error.lower(), "ask them why; the Message-ID above finds it in their log")
    return Step(name="receipt", held=False, said=found.sentence, facts=tuple(facts), fix=fix)


def _unproven(answer: HttpAnswer) -> str:
    if not answer.body:
        return "they answered without a receipt: their station must send it in the answer (synchronous MDN)"
    return "their station must answer with a signed receipt, by a certificate that is in as2.certificates"
