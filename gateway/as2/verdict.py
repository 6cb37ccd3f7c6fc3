"""Their receipts for our messages: read, verified, and bound to the message they answer (RFC 4130 section 7).

Laws: a positive receipt counts only when it is signed as asked, by this partner, for this message, with this MIC. A
negative one is a verdict, not a fault. It may come unsigned though a signature was asked for: RFC 4130 7.3 has
receivers answer unsigned when they cannot sign as asked or do not know the sender; believing it costs a retry, never a
document. A signature that is there is always verified, whatever it stands around. A duplicate that they signed for is a
document they have: such a receipt may come without a MIC.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509

from gateway.as2 import cms, mime, signature
from gateway.as2.algorithms import HASHES, hash_named
from gateway.as2.certificates import fingerprint
from gateway.as2.faults import As2Fault
from gateway.errors import PartnerFault

MAX_RECEIPT = 1024 * 1024
_MAX_TEXT = 2000
_MAX_DISPOSITION = 1000
_MAX_MESSAGE_ID = 998
"""RFC 5322 2.1.1: the longest line."""
# Linear: what repeats is possessive and shares no character with what follows. Blanks at the ends are taken off before.
_DISPOSITION = re.compile(
    r"[\w-]++\s*+/\s*+[\w-]++\s*+;\s*+(processed|failed)\s*+(?:/\s*+([\w-]++)\s*+(?::\s*+(.*+))?)?", re.IGNORECASE
)
_DUPLICATE = "duplicate-document"
_REPORTS = {"message/disposition-notification"}
_ANY_HASH = frozenset(HASHES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What we remember of a message: `Built` has the same fields."""

    message_id: str
    mic: str
    mic_algorithm: str
    signed: bool
    further_mics: Mapping[str, str] = field(default_factory=dict)
    """By the other hashes that the receipt could choose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptVerdict:
    """What the partner's station says about our message."""

    disposition: str
    """As it came, mode included."""
    processed: bool
    """True: taken, perhaps with `warning`. False: refused, `error` says why; send again only after a remedy."""
    warning: str | None
    error: str | None
    mic: str | None
    mic_algorithm: str | None
    mic_matched: bool | None
    """`None` when the receipt carries no MIC (a signed duplicate), or the message was refused."""
    signed_by: str | None
    """Fingerprint of the certificate that verified the receipt's signature."""
    message_id: str | None
    """The receipt's own Message-ID, at most 998 characters."""
    text: str
    """What it says to people, at most 2,000 characters; like all text here without controls but line ends."""


def read_receipt(
    headers: mime.Headers,
    body: bytes,
    *,
    sent: Sent,
    partner_certificates: Sequence[x509.Certificate],
    require_signature: bool,
    hashes: frozenset[str] = _ANY_HASH - {"md5", "sha-1"},
) -> ReceiptVerdict:
    """The verdict a receipt brings. Raises PartnerFault when it is none for `sent`, or proves nothing.

    `require_signature` is True when a signed receipt was asked for. `hashes` may sign it. Of a message that was not
    signed, a MIC that differs is reported (`mic_matched`), not refused: it secures nothing there.
    """
    if len(body) > MAX_RECEIPT:
        raise PartnerFault(f"a receipt of {len(body)} octets; {MAX_RECEIPT} are allowed")
    whole = mime.Entity(data=body, start=0, body=0, end=len(body), headers=mime.Index(headers))
    try:
        signed_by, report = _unsigned(whole, partner_certificates, hashes)
        fields, text = _report(report)
        message_id = mime.printable(whole.header("message-id") or "").strip()[:_MAX_MESSAGE_ID] or None
        original = fields.one("original-message-id") or ""
        disposition = mime.printable(fields.one("disposition") or "").strip()
        mic, mic_algorithm = _mic(fields.one("received-content-mic"))
    except As2Fault as fault:
        raise PartnerFault(f"the receipt's signature does not hold: {fault}") from fault
    except ValueError as fault:  # MimeFault, BerFault
        raise PartnerFault(f"not a receipt: {fault}") from fault
    if _bare(original) != _bare(sent.message_id):
        raise PartnerFault(f"a receipt for another message: {original[:100]!r}, not {sent.message_id!r}")
    match = _DISPOSITION.fullmatch(disposition) if len(disposition) <= _MAX_DISPOSITION else None
    if match is None:
        raise PartnerFault(f"a receipt with an unknown disposition: {disposition[:100]!r}")
    modifier = (match[2] or "").lower()
    explanation = match[3] or match[2]
    processed = match[1].lower() == "processed" and modifier not in {"error", "failure"}
    if processed and require_signature and signed_by is None:
        raise PartnerFault("the receipt is not signed, though a signed one was asked for")
    matched = _matches(sent, mic, mic_algorithm) if processed and mic is not None else None
    # A station that kept no MIC of what it took the first time has none to give; one that is there must match.
    duplicate = modifier == "warning" and (explanation or "").lower() == _DUPLICATE
    delivered = matched or (mic is None and duplicate and signed_by is not None)
    if processed and sent.signed and not delivered:
        raise PartnerFault(
            f"the receipt's MIC ({mic}, {mic_algorithm}) is not that of our message ({sent.mic}, {sent.mic_algorithm})"
        )
    return ReceiptVerdict(
        disposition=disposition,
        processed=processed,
        warning=explanation if processed and modifier else None,
        error=None if processed else (explanation or match[1].lower()),
        mic=mic,
        mic_algorithm=mic_algorithm,
        mic_matched=matched,
        signed_by=signed_by,
        message_id=message_id,
        text=text,
    )


_TYPE = "content-type"


def is_receipt(headers: mime.Headers, body: bytes) -> bool:
    """Whether a request is a receipt that comes by itself (RFC 4130 7.2), and not a message. Nothing is verified."""
    if not any(
        len(name) == len(_TYPE) and name.lower() == _TYPE and value.lstrip()[:10].lower() == "multipart/"
        for name, value in headers
    ):
        return False  # most messages: they are encrypted
    index = mime.Index(headers)
    # RFC 8098 2.1: a receipt never asks for a receipt, and one over the limit would not be read as a receipt either.
    if "disposition-notification-to" in index or len(body) > MAX_RECEIPT:
        return False
    whole = mime.Entity(data=body, start=0, body=0, end=len(body), headers=index)
    try:
        if whole.media_type == "multipart/signed":
            whole = mime.parts(whole)[0]
        media_type = whole.media_type
    except (mime.MimeFault, IndexError):
        return False
    return media_type == "multipart/report"


def original_message_id(headers: mime.Headers, body: bytes) -> str:
    """The Message-ID that a receipt says it is for, without brackets. Raises PartnerFault when it is no receipt.

    Nothing is verified: it only finds the message that `read_receipt` then binds the receipt to.
    """
    if len(body) > MAX_RECEIPT:
        raise PartnerFault(f"a receipt of {len(body)} octets; {MAX_RECEIPT} are allowed")
    whole = mime.Entity(data=body, start=0, body=0, end=len(body), headers=mime.Index(headers))
    try:
        report = mime.parts(whole)[0] if whole.media_type == "multipart/signed" else whole
        original = _bare(mime.printable(_report(report)[0].one("original-message-id") or ""))
    except (ValueError, IndexError) as fault:  # MimeFault
        raise PartnerFault(f"not a receipt: {fault}") from fault
    if not 0 < len(original) <= _MAX_MESSAGE_ID:
        raise PartnerFault("a receipt without an Original-Message-ID")
    return original


def bare_message_id(message_id: str) -> str:
    """A Message-ID as it is compared: some stations drop or add the angle brackets."""
    return _bare(message_id)


def _unsigned(
    whole: mime.Entity, certificates: Sequence[x509.Certificate], hashes: frozenset[str]
) -> tuple[str | None, mime.Entity]:
    """Who signed, and the report inside. Raises As2Fault, MimeFault, BerFault."""
    if whole.media_type != "multipart/signed":
        return None, whole
    parts = mime.parts(whole)
    if len(parts) != 2:  # noqa: PLR2004  RFC 1847 2.1
        raise mime.MimeFault(f"multipart/signed with {len(parts)} parts")
    verified = signature.verify(cms.octets(parts[1]), parts[0].octets, certificates=certificates, accepted=hashes)
    return fingerprint(verified.certificate), parts[0]


def _report(report: mime.Entity) -> tuple[mime.Index, str]:
    """The fields of the notification (RFC 8098 3.1), and the text for people."""
    if report.media_type in _REPORTS:  # some stations leave the multipart away (RFC 6522 3 wants it)
        return _fields(report), ""
    if report.media_type != "multipart/report":
        raise mime.MimeFault(f"{report.media_type[:60]!r} where multipart/report belongs")
    fields: mime.Index | None = None
    text = ""
    for part in mime.parts(report):
        word = part.media_type
        if word in _REPORTS and fields is None:
            fields = _fields(part)
        elif word == "text/plain" and not text:
            text = _text(part)
    if fields is None:
        raise mime.MimeFault("no message/disposition-notification in it")
    return fields, text


def _fields(notification: mime.Entity) -> mime.Index:
    content = bytes(notification.decoded())
    if len(content) > mime.MAX_HEADER_OCTETS:
        raise mime.MimeFault("a notification beyond all measure")
    return mime.Index(mime.fields(content.decode("latin-1")))


def _text(part: mime.Entity) -> str:
    """What a part says to people: nothing, when its encoding is none; that is no reason to refuse a receipt."""
    try:
        said = bytes(part.decoded()[: 4 * _MAX_TEXT]).decode("utf-8", "replace")
    except mime.MimeFault:
        return ""
    return "\n".join(map(mime.printable, said.replace("\t", " ").splitlines())).strip()[:_MAX_TEXT]


def _bare(message_id: str) -> str:
    """Some stations drop or add the angle brackets."""
    return message_id.strip().removeprefix("<").removesuffix(">")


def _mic(value: str | None) -> tuple[str | None, str | None]:
    """`digest, algorithm` (RFC 4130 7.4.3). An algorithm we do not know keeps its spelling."""
    if not value:
        return None, None
    digest, _, algorithm = mime.printable(value).partition(",")
    known = hash_named(algorithm)
    return digest.strip()[:200], known.name if known else algorithm.strip()[:40]


def _matches(sent: Sent, mic: str, algorithm: str | None) -> bool:
    """Whether both MICs are the same octets, by the same hash."""
    known = {**sent.further_mics, sent.mic_algorithm: sent.mic}.get(algorithm or "")
    if known is None:
        return False
    try:
        return hmac.compare_digest(base64.b64decode(mic), base64.b64decode(known))
    except (binascii.Error, ValueError):
        return False
