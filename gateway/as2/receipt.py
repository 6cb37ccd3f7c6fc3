"""Receipts (message disposition notifications, RFC 4130 section 7, RFC 8098): ours for their messages.

Every message that could be addressed gets one, also when it was refused. A refusal's receipt carries the fault's public
text and no MIC: its bytes do not depend on what went wrong inside an envelope.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from gateway.as2.addressing import Addressing, ReceiptKind, write_name, write_printable
from gateway.as2.algorithms import HASHES, hash_named
from gateway.as2.building import ANNOUNCED, Headers, Layer, http_date, new_boundary, sign_layer
from gateway.as2.certificates import KeyPair
from gateway.as2.faults import As2Fault, Refusal
from gateway.as2.octets import flat
from gateway.as2.opening import Opened
from gateway.as2.schemes import SignatureScheme

PROCESSED = "processed"
DUPLICATE = "processed/warning: duplicate-document"

_MODE = "automatic-action/MDN-sent-automatically"
_UNSIGNED = {Refusal.UNSUPPORTED_FORMAT, Refusal.UNSUPPORTED_MICALG, Refusal.UNKNOWN_RELATIONSHIP}
"""RFC 4130 7.3: whoever cannot be answered in the way asked for is answered unsigned."""
_TEXT = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
_NOTIFICATION = "Content-Type: message/disposition-notification\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
_DEFAULT_HASH = "sha-256"


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltReceipt:
    """An MDN ready to be sent as the HTTP answer, and stored byte for byte."""

    headers: Headers
    body: bytes = field(repr=False)
    message_id: str
    disposition: str
    """Type and modifier: `processed`, `processed/error: decryption-failed`."""
    mic: str | None
    mic_algorithm: str | None
    signed: bool


def build_receipt(
    *,
    request: Addressing,
    opened: Opened | None,
    fault: As2Fault | None,
    key: KeyPair | None,
    our_name: str,
    message_id: str,
    date: datetime,
    duplicate: bool = False,
    signature_scheme: SignatureScheme = SignatureScheme.PKCS1,
    boundary: str | None = None,
) -> BuiltReceipt:
    """The receipt for a message that was taken (`opened`) or refused (`fault`; exactly one of the two).

    Signed when the sender asked for it and `key` is given, with the hash the sender asked for. `our_name` is the
    Reporting-UA; `message_id` (with angle brackets) and `date` are the receipt's own. `duplicate` says that a repeated
    message was recognised and is answered anew. `signature_scheme` is for an RSA `key`; `boundary`
    for reproducible tests.
    """
    if (opened is None) == (fault is None):
        raise ValueError("a receipt is for a message that was either taken or refused")
    disposition = DUPLICATE if duplicate else PROCESSED
    text = "The message was received, verified and stored."
    if fault is not None:
        disposition, text = str(fault.refusal), fault.public
    boundary = new_boundary(boundary)
    who = write_name(request.as2_to)
    mic = "" if opened is None else f"Received-Content-MIC: {opened.mic}, {opened.mic_algorithm}\r\n"
    content = (
        f"--{boundary}-report\r\n{_TEXT}{text}\r\n\r\n"
        f"--{boundary}-report\r\n{_NOTIFICATION}"
        f"Reporting-UA: {write_printable(our_name, 'Reporting-UA')}\r\n"
        f"Original-Recipient: rfc822; {who}\r\n"
        f"Final-Recipient: rfc822; {who}\r\n"
        f"Original-Message-ID: {request.message_id}\r\n"
        f"Disposition: {_MODE}; {disposition}\r\n"
        f"{mic}\r\n"
        f"--{boundary}-report--\r\n"
    )
    kind = f'multipart/report; report-type=disposition-notification; boundary="{boundary}-report"'
    report = Layer(headers=(("Content-Type", kind),), content=[content.encode()])
    refused_unsigned = fault is not None and fault.refusal in _UNSIGNED
    signed = key is not None and request.receipt.kind is ReceiptKind.SIGNED and not refused_unsigned
    if signed:
        assert key is not None
        # With what was asked for, SHA-1 too where the partner's switch let it in; MD5 is never generated.
        name = opened.mic_algorithm if opened is not None and opened.mic_algorithm != "md5" else _asked(request)
        report, _ = sign_layer(
            report,
            key=key,
            algorithm=HASHES[name],
            moment=date,
            scheme=signature_scheme,
            boundary=f"{boundary}-signed",
        )
    headers = (
        *ANNOUNCED,
        ("AS2-From", who),
        ("AS2-To", write_name(request.as2_from)),
        ("Message-ID", write_printable(message_id, "Message-ID")),
        ("Date", http_date(date)),
        ("MIME-Version", "1.0"),
        *report.headers,
    )
    return BuiltReceipt(
        headers=headers,
        body=b"".join(flat(report.content)),
        message_id=message_id,
        disposition=disposition,
        mic=opened.mic if opened is not None else None,
        mic_algorithm=opened.mic_algorithm if opened is not None else None,
        signed=signed,
    )


def _asked(request: Addressing) -> str:
    """The hash for signing a refusal: the first one asked for that is not broken."""
    for asked in request.receipt.micalgs:
        found = hash_named(asked)
        if found is not None and found.name.startswith("sha-") and found.name != "sha-1":
            return found.name
    return _DEFAULT_HASH
