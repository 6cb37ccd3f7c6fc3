"""Who asks, from where, and under which correlation: read from the request once, before anything else.

Forwarding headers count only when the peer is one of `listen.trusted_proxies`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from gateway.ports import Clock, new_id

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CORRELATION = re.compile(r"[A-Za-z0-9._:-]{1,128}")
# W3C Trace Context 3.2: version, trace id, parent id, flags; all zeros are invalid, version ff is forbidden.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_HOPS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What is known of a request before it is authenticated."""

    client: str
    """The address nearest to the client that we can believe."""
    direct: bool
    """Nobody forwarded it: no forwarding header, believed or not."""
    secure: bool
    correlation_id: str
    traceparent: str | None
    """As it came, when it is valid."""


CIRCUMSTANCES: web.RequestKey[Circumstances] = web.RequestKey("circumstances", Circumstances)


def networks(trusted: Sequence[str]) -> tuple[Network, ...]:
    """`listen.trusted_proxies` as networks. Raises ValueError for what is neither address nor network."""
    return tuple(ipaddress.ip_network(one, strict=False) for one in trusted)


def observe(request: web.Request, trusted: Sequence[Network], clock: Clock) -> Circumstances:
    """Read the circumstances of `request`."""
    peer = request.remote or ""
    forwarded = request.headers.getall("X-Forwarded-For", [])
    client, secure = peer, request.secure
    if _among(peer, trusted):
        client = _nearest(peer, ",".join(forwarded), trusted)
        # A proxy appends: the last value is the one that our own proxy wrote.
        proto = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        secure = proto == "https" if proto else secure
    trace = _TRACEPARENT.fullmatch(request.headers.get("traceparent", "").strip())
    said = request.headers.get("X-Correlation-Id", "")
    return Circumstances(
        client=client,
        direct=not forwarded and "Forwarded" not in request.headers,
        secure=secure,
        correlation_id=said if _CORRELATION.fullmatch(said) else (trace[1] if trace else new_id(clock())),
        traceparent=trace[0] if trace else None,
    )


def _nearest(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The last address in X-Forwarded-For that is not one of our proxies; nonsense ends the walk."""
    client = peer
    for hop in reversed(forwarded.split(",")[-_HOPS:]):
        address = _address(hop)
        if address is None:
            break
        client = str(address)
        if not _among(client, trusted):
            break
    return client


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


def _among(text: str, trusted: Sequence[Network]) -> bool:
    if not trusted:
        return False
    address = _address(text)
    return address is not None and any(address in network for network in trusted)


def is_loopback(text: str) -> bool:
    """Whether an address is this machine's own."""
    address = _address(text)
    return address is not None and address.is_loopback
