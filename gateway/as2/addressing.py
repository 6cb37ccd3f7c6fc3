"""Who writes to whom, which message, and which receipt is wanted: the AS2 headers of a request (RFC 4130 6, 7.3).

Read before anything else, from headers nothing vouches for: `as2_from` finds the partner, a signature proves him.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gateway.as2.mime import MAX_HEADER_OCTETS, MAX_HEADERS, Headers, Index, MimeFault, printable
from gateway.errors import OurFault, PartnerFault

_STATIONS = 256
"""A station says most of its headers alike in every message: what so many of them said is not read again."""
_MAX_NAME = 128
_MAX_MESSAGE_ID = 998
"""RFC 5322 2.1.1: the longest line."""
_FEATURE = re.compile(r"[0-9A-Za-z-]{1,64}")
_MAX_FEATURES = 16
_MAX_FEATURES_VALUE = 2000
_ATOM = re.compile(r"[!#-\[\]-~]+")
_PLAIN_NAME = re.compile(r"[!#-\[\]-~](?:[ !#-\[\]-~]*[!#-\[\]-~])?")
_QUOTED_PAIR = re.compile(r"\\(.)")
_TO_QUOTE = re.compile(r'(["\\])')
_QUOTED_NAME = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')


class ReceiptKind(StrEnum):
    """What the sender wants back."""

    NONE = "none"
    UNSIGNED = "unsigned"
    SIGNED = "signed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptRequest:
    """The receipt asked for."""

    kind: ReceiptKind = ReceiptKind.NONE
    micalgs: tuple[str, ...] = ()
    """Hash names in the sender's order and spelling."""
    supported: bool = True
    """False when a receipt protocol unknown to us is required."""
    delivery_url: str | None = None
    """Asks for an asynchronous receipt; only an address allowed for that partner may ever be called."""


_NO_RECEIPT = ReceiptRequest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressing:
    """The AS2 headers of one request. Names are without their quotes, the message id as it came."""

    as2_from: str
    as2_to: str
    message_id: str
    subject: str | None = None
    version: str = "1.0"
    features: tuple[str, ...] = ()
    """What the sender's station says it is able to (RFC 6017), in its spelling: told, never decided by."""
    receipt: ReceiptRequest = _NO_RECEIPT


def read_headers(headers: Headers) -> Addressing:
    """The addressing of a request. Raises PartnerFault when it is not AS2: no receipt can be addressed then.

    Cheap for the same headers again: limits, admission and policy of one request ask for it one after another.
    """
    return indexed(headers)[1]


def indexed(headers: Headers) -> tuple[Index, Addressing]:
    """As `read_headers`, and the headers by name."""
    return _read_once(tuple(headers))


@lru_cache(maxsize=64)
def _read_once(headers: tuple[tuple[str, str], ...]) -> tuple[Index, Addressing]:
    index = index_of(headers)
    return index, addressing(index)


def index_of(headers: Headers) -> Index:
    """The headers of a request by name. Raises PartnerFault when there are too many, or too large ones."""
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_OCTETS:
        raise PartnerFault("too many or too large headers")
    return Index(headers)


def addressing(index: Index) -> Addressing:
    """As `read_headers`, of headers already indexed."""
    try:
        sender, receiver = index.one("as2-from"), index.one("as2-to")
        message_id = index.one("message-id")
        subject = index.one("subject")
        version = index.one("as2-version")
        receipt = _receipt_request(index)
    except MimeFault as fault:
        raise PartnerFault(str(fault)) from fault
    if sender is None or receiver is None or message_id is None:
        raise PartnerFault("not an AS2 message: AS2-From, AS2-To and Message-ID are required")
    return Addressing(
        as2_from=read_name(sender, "AS2-From"),
        as2_to=read_name(receiver, "AS2-To"),
        message_id=_printable(message_id, "Message-ID"),
        subject=subject if subject and _is_printable(subject) else None,
        version=printable(version or "1.0").strip()[:16],
        features=_features(index.get("ediint-features", "")),
        receipt=receipt,
    )


@lru_cache(maxsize=_STATIONS)
def read_name(value: str, header: str) -> str:
    """An AS2 name, unquoted (RFC 4130 6.2): 1 to 128 printable ASCII characters, case-sensitive."""
    value = value.strip(" \t")
    if len(value) > 2 * _MAX_NAME + 2:  # every character escaped, and the quotes
        raise PartnerFault(f"{header} has {len(value)} characters; 1 to {_MAX_NAME} are allowed")
    if _PLAIN_NAME.fullmatch(value):
        name = value
    elif (quoted := _QUOTED_NAME.fullmatch(value)) is not None:
        name = _QUOTED_PAIR.sub(r"\1", quoted[1])
    else:
        raise PartnerFault(f"{header} is not an AS2 name: {value[:40]!r}")
    if not 0 < len(name) <= _MAX_NAME:
        raise PartnerFault(f"{header} has {len(name)} characters; 1 to {_MAX_NAME} are allowed")
    return name


@lru_cache(maxsize=_STATIONS)
def write_name(name: str) -> str:
    """An AS2 name for a header, quoted where it must be. Raises OurFault when it cannot be one."""
    if not 0 < len(name) <= _MAX_NAME or not (name.isascii() and name.isprintable()):
        raise OurFault(f"{name!r} is not an AS2 name", remedy="Use 1 to 128 printable ASCII characters.")
    if _ATOM.fullmatch(name):
        return name
    return '"' + _TO_QUOTE.sub(r"\\\1", name) + '"'


def write_printable(value: str, header: str) -> str:
    """A value that may go into a header as it is. Raises OurFault on line ends and whatever else could split it."""
    if not _is_printable(value):
        raise OurFault(f"{header} cannot carry {value[:60]!r}", remedy="Use printable ASCII on one line.")
    return value


def _is_printable(value: str) -> bool:
    """Printable ASCII on one line, with no blank at either end."""
    return 0 < len(value) <= _MAX_MESSAGE_ID and value.isascii() and value.isprintable() and value == value.strip()


def _printable(value: str, header: str) -> str:
    value = value.strip(" \t")
    if not _is_printable(value):
        raise PartnerFault(f"{header} is not printable ASCII on one line: {value[:40]!r}")
    return value


@lru_cache(maxsize=_STATIONS)
def _features(value: str) -> tuple[str, ...]:
    """RFC 6017: names between commas. Nobody must fail for one, so those that are odd or too many are left out."""
    names = (name.strip(" \t") for name in value[:_MAX_FEATURES_VALUE].split(","))
    return tuple([name for name in names if _FEATURE.fullmatch(name)][:_MAX_FEATURES])


def _receipt_request(headers: Index) -> ReceiptRequest:
    """`Disposition-Notification-*` and `Receipt-Delivery-Option` (RFC 4130 7.3)."""
    if not (headers.one("disposition-notification-to") or "").strip():
        return _NO_RECEIPT
    delivery = headers.one("receipt-delivery-option") or ""
    return _asked_for(headers.one("disposition-notification-options") or "", delivery)


@lru_cache(maxsize=_STATIONS)
def _asked_for(options: str, delivery: str) -> ReceiptRequest:
    url = printable(delivery).strip() or None
    said: dict[str, list[str]] = {}
    for option in printable(options).split(";"):
        name, _, value = option.partition("=")
        said.setdefault(name.strip().lower(), [item.strip() for item in value.split(",")])
    importance, *protocols = said.get("signed-receipt-protocol", [""])
    if "pkcs7-signature" in map(str.lower, protocols):
        micalgs = tuple(name for name in said.get("signed-receipt-micalg", [""])[1:] if name)
        return ReceiptRequest(kind=ReceiptKind.SIGNED, micalgs=micalgs, delivery_url=url)
    # RFC 4130 7.3: a required protocol we cannot honour is a failure, an optional one an unsigned receipt.
    return ReceiptRequest(kind=ReceiptKind.UNSIGNED, supported=importance.lower() != "required", delivery_url=url)
