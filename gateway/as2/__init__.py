"""AS2 without I/O (RFC 4130, RFC 5402): bytes and frozen values in and out; time, ids and limits are parameters.

Everything here costs CPU and waits for nothing: run it in a thread, off the event loop; RSA work releases the GIL.
"""

from __future__ import annotations

from gateway.as2.addressing import Addressing, ReceiptKind, ReceiptRequest, read_headers, read_name, write_name
from gateway.as2.algorithms import CIPHERS, HASHES
from gateway.as2.attachments import (
    MAX_ATTACHMENTS,
    Attachment,
    Joined,
    is_multipart,
    join,
    media_type,
    root_type,
    split,
)
from gateway.as2.building import Built, build_message
from gateway.as2.certificates import KeyPair, Use, fingerprint, unfit, valid_at
from gateway.as2.faults import As2Fault, Refusal
from gateway.as2.octets import Stretch
from gateway.as2.opening import Opened, open_message
from gateway.as2.policy import Policy
from gateway.as2.receipt import BuiltReceipt, build_receipt
from gateway.as2.recipients import KeyTransport
from gateway.as2.schemes import SignatureScheme
from gateway.as2.verdict import (
    MAX_RECEIPT,
    ReceiptVerdict,
    Sent,
    bare_message_id,
    is_receipt,
    original_message_id,
    read_receipt,
)

__all__ = [
    "CIPHERS",
    "HASHES",
    "MAX_ATTACHMENTS",
    "MAX_RECEIPT",
    "Addressing",
    "As2Fault",
    "Attachment",
    "Built",
    "BuiltReceipt",
    "Joined",
    "KeyPair",
    "KeyTransport",
    "Opened",
    "Policy",
    "ReceiptKind",
    "ReceiptRequest",
    "ReceiptVerdict",
    "Refusal",
    "Sent",
    "SignatureScheme",
    "Stretch",
    "Use",
    "bare_message_id",
    "build_message",
    "build_receipt",
    "fingerprint",
    "is_multipart",
    "is_receipt",
    "join",
    "media_type",
    "open_message",
    "original_message_id",
    "read_headers",
    "read_name",
    "read_receipt",
    "root_type",
    "split",
    "unfit",
    "valid_at",
    "write_name",
]
