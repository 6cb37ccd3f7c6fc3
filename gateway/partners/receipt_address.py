"""Where a partner may have its asynchronous receipts sent: an address out of a header, held against the agreement.

`Receipt-Delivery-Option` is written by whoever posts to us, before anything is verified. So it is read by a grammar too
narrow for two readings, and what it names must be in the agreement. Which machines a name leads to is only known when
the connection is made; `is_public` is the rule for that moment.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.partners.as2_channel import As2Channel

LONGEST = 2000
_PORTS = {"http": 80, "https": 443}
# Users, backslashes, coded dots and slashes are where readers of addresses differ: none of them is allowed.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[^\x00-\x20\x7f-\U0010ffff?#\\]*)?)(?P<query>\?[^\x00-\x20\x7f-\U0010ffff#\\]*)?"
)
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?:/|\Z)|%2f|%5c", re.IGNORECASE)
_PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")
"""Names that the public internet never has: RFC 6761 6.3, RFC 6762 3, ICANN's resolution of July 2024, RFC 8375."""
_EMBEDDED = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052 2.1: an IPv4 address behind a NAT64."""
_LOCAL_USE = ipaddress.ip_network("64:ff9b:1::/48")
"""RFC 8215 3: the same within one network; older Pythons think it public."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptAddress:
    """An address that a receipt may be posted to."""

    url: str
    named: bool
    """The agreement names it whole, so it may be a private one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parsed:
    origin: tuple[str, str, int]
    path: str
    query: str
    host: str


def receipt_address(channel: As2Channel, asked: str) -> ReceiptAddress:
    """The address asked for, if the agreement allows it. Raises ValueError in words that the partner may read."""
    found = _parsed(asked)
    if found is None:
        raise ValueError("it is not a plain http or https address")
    allowed = [one for text in channel.receipt_urls if (one := _parsed(text)) is not None]
    station = _parsed(channel.url)
    named = not found.query and any(_same(found, one) for one in (*allowed, *((station,) if station else ())))
    if channel.receipt_urls:
        if not any(_covers(one, found) for one in allowed):
            raise ValueError("it was not agreed")
    elif station is None or found.origin != station.origin:
        raise ValueError("it is not at the host and port of the station, and no other was agreed")
    if not named and _looks_numeric(found.host) and not is_public(found.host):
        raise ValueError("it is a private address")
    return ReceiptAddress(url=asked, named=named)


def plain_address(text: str) -> str:
    """`text` itself, for an agreement. Raises ValueError where no address that is asked for could ever match it."""
    if _parsed(text) is None:
        raise ValueError("a plain http:// or https:// address: ASCII, no user, no fragment, no dot segments")
    return text


def same_origin(channel: As2Channel, url: str) -> bool:
    """Whether `url` is at the partner's own station, where our credentials belong."""
    one, other = _parsed(channel.url), _parsed(url)
    return one is not None and other is not None and one.origin == other.origin


def is_private_by_its_name(url: str) -> bool:
    """Whether an address shows, without any look-up, that it is in a private network."""
    found = _parsed(url)
    if found is None:
        return False
    if _looks_numeric(found.host):
        return not is_public(found.host)
    host = found.host.rstrip(".")
    return "." not in host or any(host == one or host.endswith(f".{one}") for one in _PRIVATE_NAMES)


def is_public(host: str) -> bool:
    """Whether an IP address, as text, is one of the public internet. What is no IP address is not."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # 127.1, 2130706433, 0177.0.0.1: forms that resolvers read in ways of their own
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _EMBEDDED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address.scope_id is not None or address.is_site_local or address in _LOCAL_USE:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _parsed(text: str) -> _Parsed | None:
    """The parts of an address; None where it is not one of the plain form."""
    if len(text) > LONGEST:
        return None
    head, slash, tail = text.partition("://")
    host_and_port, rest_begins, rest = tail.partition("/")
    plain = f"{head.lower()}{slash}{host_and_port.lower()}{rest_begins}{rest}"
    match = _ADDRESS.fullmatch(plain)
    if match is None or _DOT_SEGMENT.search(match["path"]):
        return None
    port = int(match["port"]) if match["port"] else _PORTS[match["scheme"]]
    if not 0 < port <= 65535:  # noqa: PLR2004  RFC 9293 3.1: 16 bits
        return None
    host = match["host"].strip("[]")
    return _Parsed(
        origin=(match["scheme"], host, port), path=match["path"] or "/", query=match["query"] or "", host=host
    )


def _same(found: _Parsed, one: _Parsed) -> bool:
    return (found.origin, found.path) == (one.origin, one.path)


def _covers(one: _Parsed, found: _Parsed) -> bool:
    """A beginning that ends in / covers what is below it; anything else only itself, whatever the query."""
    if one.origin != found.origin:
        return False
    return found.path == one.path or (one.path.endswith("/") and found.path.startswith(one.path))


def _looks_numeric(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
