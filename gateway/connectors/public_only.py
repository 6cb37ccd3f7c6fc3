"""Connections to the public internet only: for addresses that somebody else chose.

The address is judged when the socket is made, after every resolution: whatever a name, a number or a changed answer of
the name server leads to, no socket is opened to a machine of ours (RFC 1918, loopback, link-local and their kind).
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from gateway.partners.receipt_address import is_public


class NotPublicError(OSError):
    """A name or address led to a machine that is not on the public internet."""


@asynccontextmanager
async def public_session() -> AsyncIterator[tuple[aiohttp.ClientSession, list[str]]]:
    """A session for one exchange, and the addresses it would not connect to."""
    refused: list[str] = []

    def public_socket(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        if not is_public(str(address[0])):
            refused.append(str(address[0]))
            raise NotPublicError(f"{address[0]} is not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)

    connector = aiohttp.TCPConnector(socket_factory=public_socket, limit=1, force_close=True)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
    ) as session:
        yield session, refused
