"""A request body that is too large for memory, read from its file while it goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import payload
from aiohttp.abc import AbstractStreamWriter

from gateway.as2 import Stretch

A_SECOND = 8 * 1024 * 1024
"""Octets of a large message that a station is thought to open in a second, before it answers."""


class StretchPayload(payload.Payload):
    """A stretch as aiohttp sends it: its length is known, and `progress` is told what is left after each piece."""

    def __init__(self, body: Stretch, progress: Callable[[int], None]) -> None:
        super().__init__(body)
        self._size = len(body)
        self._body, self._progress = body, progress

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Piece by piece; the file is read in a thread."""
        pieces, left = self._body.pieces(), len(self._body)
        while piece := await asyncio.to_thread(next, pieces, b""):
            await writer.write(piece)
            left -= len(piece)
            self._progress(left)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Never: nobody wants a message of a gigabyte as a text."""
        raise NotImplementedError
