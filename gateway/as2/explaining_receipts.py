"""A receipt looked into for an operator: what it answers, what it says, whether it proves anything.

Laws: whether it counts is what `read_receipt` says of the message it is held against; without that message it is only
told what stands in it, and whether its signature holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from gateway.as2 import mime
from gateway.as2.algorithms import HASHES
from gateway.as2.explaining_signatures import SignatureFound, look_at_signature
from gateway.as2.explanation import Explanation, Layer, name_of
from gateway.as2.verdict import MAX_RECEIPT, ReceiptVerdict, Sent, read_receipt
from gateway.errors import PartnerFault

_REPORT = "message/disposition-notification"
_ACCEPTED = frozenset(HASHES) - {"md5", "sha-1"}
_HEADERS = ("as2-from", "as2-to", "message-id", "date", "content-type")
_MAX_SHOWN = 400
_Seen = tuple[SignatureFound | None, mime.Index | None]
"""The signature and the fields of the notification, as far as they could be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptSight:
    """With what a receipt is looked at."""

    certificates: Sequence[x509.Certificate]
    """The partner's; empty when he is not known here."""
    moment: datetime
    sent: Sent | None = None
    """The message that it is held against."""
    require_signature: bool = True
    hashes: frozenset[str] = _ACCEPTED


def explain_receipt(headers: mime.Headers, body: bytes, sight: ReceiptSight) -> Explanation:
    """Look into a receipt. Never raises for what the sender did."""
    layers: list[Layer] = []
    found: SignatureFound | None = None
    fields: mime.Index | None = None
    index = mime.Index(headers)
    facts = tuple((name, mime.printable(index[name])[:_MAX_SHOWN]) for name in _HEADERS if name in index)
    layers.append(Layer(title="receipt headers", facts=facts))
    whole = mime.Entity(data=body, start=0, body=0, end=len(body), headers=index)
    try:
        if len(body) > MAX_RECEIPT:
            raise mime.MimeFault(f"a receipt of {len(body)} octets; {MAX_RECEIPT} are allowed")
        report: mime.Entity | None = whole
        if whole.media_type == "multipart/signed":
            found = look_at_signature(
                whole, certificates=sight.certificates, accepted=sight.hashes, moment=sight.moment
            )
            layers.append(found.layer)
            report = found.content
        if report is not None:
            fields, shown = _report(report)
            layers.append(shown)
    except ValueError as fault:  # MimeFault
        layers.append(Layer(title="cannot be read", wrong=(str(fault),)))
    verdict, taken, sentence = _concluded(headers, body, sight, layers, (found, fields))
    said = mime.printable(fields.get("disposition", "") if fields is not None else "").strip()
    return Explanation(
        sentence=sentence or _unheld(said, layers, found),
        taken=taken,
        disposition=said[:_MAX_SHOWN] or None,
        told=None,
        error=verdict.error if verdict else None,
        says=verdict.text if verdict else None,
        mic=verdict.mic if verdict else None,
        mic_algorithm=verdict.mic_algorithm if verdict else None,
        layers=(*layers, *_compared(sight.sent, fields)),
        signed_octets=bytes(found.content.octets) if found and found.content else None,
        signature=found.signature if found else None,
        signer=found.signer if found else None,
        inside=found.inside if found else (),
    )


def _report(report: mime.Entity) -> tuple[mime.Index | None, Layer]:
    """The notification's fields (RFC 8098 3.1) and the text for people. Raises MimeFault."""
    if report.media_type != "multipart/report":
        raise mime.MimeFault(f"what came is {report.media_type[:60]!r}, a receipt is a multipart/report")
    fields: mime.Index | None = None
    facts: list[tuple[str, str]] = []
    for part in mime.parts(report):
        octets = bytes(part.decoded()[: mime.MAX_HEADER_OCTETS])
        if part.media_type == _REPORT and fields is None:
            pairs = mime.fields(octets.decode("latin-1"))
            fields = mime.Index(pairs)
            facts += [(name, mime.printable(value)[:_MAX_SHOWN]) for name, value in pairs]
        elif part.media_type == "text/plain":
            text = " ".join(octets.decode("utf-8", "replace").split())
            facts.append(("text", mime.printable(text)[:_MAX_SHOWN]))
    wrong = () if fields is not None else (f"no {_REPORT} in it",)
    return fields, Layer(title="disposition notification", facts=tuple(facts), wrong=wrong)


def _concluded(
    headers: mime.Headers, body: bytes, sight: ReceiptSight, layers: Sequence[Layer], seen: _Seen
) -> tuple[ReceiptVerdict | None, bool | None, str]:
    """The verdict of `read_receipt`, whether the message is taken, and the sentence; "" where no message is given."""
    found, fields = seen
    wrong, hidden = _faults(layers)
    if sight.sent is None:
        return None, False if wrong else None, ""
    try:
        verdict = read_receipt(
            headers,
            body,
            sent=sight.sent,
            partner_certificates=sight.certificates,
            require_signature=sight.require_signature,
            hashes=sight.hashes,
        )
    except PartnerFault as fault:
        if hidden and not wrong:
            return None, None, f"Cannot be judged here: {hidden[0]}."
        return None, False, f"Proves nothing: {wrong[0] if wrong else _why(fault, sight.sent, fields)}."
    return verdict, verdict.processed, _said(verdict, found)


def _why(fault: PartnerFault, sent: Sent, fields: mime.Index | None) -> str:
    """The fault; of a MIC also what it means."""
    said = str(fault)
    if fields is None or not said.startswith("the receipt's MIC"):
        return said
    theirs = mime.printable(fields.get("received-content-mic", "")).partition(",")[0].strip()
    if not theirs:
        return "it carries no MIC, so it does not say what they received"
    return f"what they received is not what we sent: their MIC is {theirs[:90]}, ours {sent.mic}"


def _faults(layers: Sequence[Layer]) -> tuple[list[str], list[str]]:
    every = [one for layer in layers for one in layer.all()]
    return [said for one in every for said in one.wrong], [said for one in every for said in one.hidden]


def _unheld(said: str, layers: Sequence[Layer], found: SignatureFound | None) -> str:
    """The sentence of a receipt that was not held against a message."""
    wrong, hidden = _faults(layers)
    if wrong:
        return f"Proves nothing: {wrong[0]}."
    says = said.partition(";")[2].strip()[:_MAX_SHOWN] or "nothing"
    if hidden:
        return f"It says {says}, but cannot be judged here: {hidden[0]}."
    who = f"signed by {name_of(found.signer)}" if found and found.signer else "not signed"
    return f"It says {says}, {who}; it was not held against the message that it answers."


def hash_of(mic: str) -> str:
    """Which hash made a MIC, by its length."""
    lengths = {28: "sha-1", 24: "md5", 44: "sha-256", 64: "sha-384", 88: "sha-512"}
    return lengths.get(len(mic), "sha-256")


def _said(verdict: ReceiptVerdict, found: SignatureFound | None) -> str:
    who = f"signed by {name_of(found.signer)}" if found and found.signer else "unsigned"
    if not verdict.processed:
        return f"The message was refused: {verdict.error}, {who}."
    mic = {True: "its MIC is ours", False: "its MIC is not ours", None: "without a MIC"}[verdict.mic_matched]
    return f"The message was taken: {verdict.warning or 'processed'}, {who}, {mic}."


def _compared(sent: Sent | None, fields: mime.Index | None) -> list[Layer]:
    """Our message beside theirs."""
    if sent is None or fields is None:
        return []
    theirs = mime.printable(fields.get("received-content-mic", "none")).strip()[:_MAX_SHOWN]
    answered = mime.printable(fields.get("original-message-id", "none")).strip()[:_MAX_SHOWN]
    facts = (
        ("message id, ours", sent.message_id),
        ("message id, theirs", answered),
        ("MIC, ours", f"{sent.mic}, {sent.mic_algorithm}"),
        ("MIC, theirs", theirs),
    )
    return [Layer(title="held against our message", facts=facts)]
