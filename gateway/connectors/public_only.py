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

_NOT_PUBLIC = "is not a public address"


class NotPublicError(OSError):
    """A name or address led to a machine that is not on the public internet."""


def public_connector(refused: list[str] | None = None, *, limit: int = 1, keep: bool = False) -> aiohttp.TCPConnector:
    """Connects to public addresses only; those that it would not connect to are put into `refused`."""

    def public_socket(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        if not is_public(str(address[0])):
            if refused is not None:
                refused.append(str(address[0]))
            raise NotPublicError(f"{address[0]} {_NOT_PUBLIC}")
        return socket.socket(family=family, type=kind, proto=protocol)

    return aiohttp.TCPConnector(socket_factory=public_socket, limit=limit, force_close=not keep)


@asynccontextmanager
async def public_session() -> AsyncIterator[tuple[aiohttp.ClientSession, list[str]]]:
    """A session for one exchange, and the addresses it would not connect to."""
    refused: list[str] = []
    async with aiohttp.ClientSession(
        connector=public_connector(refused), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
    ) as session:
        yield session, refused


def led_to_private(error: BaseException | None) -> bool:
    """Whether a connection failed because it led to a machine of ours, by the words: aiohttp joins several failures."""
    return isinstance(error, aiohttp.ClientConnectorError) and _NOT_PUBLIC in str(error.os_error)
