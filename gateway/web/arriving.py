"""The body of a request as it arrives: in memory while it is small, into a file of the spool from then on.

Bounded in size, time, silence and number: a sender that trickles is cut off, and bodies beyond what memory and spool
may hold at once are asked to come later. Knows HTTP only.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from gateway.errors import NoRoom, PartnerFault
from gateway.ports import IN_MEMORY, Spooled

SILENCE_SECONDS = 30
"""Longest silence within a body."""
GRACE_SECONDS = 120
"""What any body may take; a large one may take longer as long as it comes fast enough."""
SLOWEST = 32 * 1024
"""Octets a second that a body must come with, beyond the grace: 1 GB in nine hours at most."""
HELD = 128 * 1024 * 1024
"""Octets of bodies in memory at once, over all senders."""
HELD_FROM_ONE = HELD // 4
"""Of those, as many from one sender; all whom we do not know are one."""
SPOOLED_AT_ONCE = 16
"""Bodies that are spooled at once, over all senders."""
SPOOLED_FROM_ONE = 4
"""Of those, as many from one sender, by the name it gives itself, however it is written."""
REFUSED_START = 64 * 1024
"""Octets that are read of a body that is announced too large."""


@dataclass(kw_only=True, slots=True)
class Arrived:
    """A body, whole or its beginning."""

    body: bytes | Spooled
    complete: bool
    """False when it is over the limit: the rest was not read."""


class Arrivals:
    """All bodies that are arriving at this process."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._spooled: Counter[str] = Counter()

    @asynccontextmanager
    async def one(self, sender: str) -> AsyncIterator[Arrival]:
        """Room for one body of a partner, or of "": strangers. What was spooled and nobody took is removed at the end.

        A stranger who could choose the name that is counted would have as much as all others together.
        """
        arrival = Arrival(self, sender)
        try:
            yield arrival
        finally:
            await arrival.end()

    def hold(self, sender: str, octets: int) -> None:
        """Take memory, or give it back. Raises NoRoom."""
        mine = self._held[sender] + octets
        if octets > 0 and (self._held.total() + octets > HELD or mine > HELD_FROM_ONE):
            raise NoRoom("too much is being received at once")
        self._held[sender] = mine
        if not mine:
            del self._held[sender]

    def spool(self, sender: str, count: int) -> None:
        """Take a place in the spool, or give it back. Raises NoRoom."""
        if count > 0 and (self._spooled.total() >= SPOOLED_AT_ONCE or self._spooled[sender] >= SPOOLED_FROM_ONE):
            raise NoRoom("too many large messages are being received at once")
        self._spooled[sender] += count
        self._spooled += Counter()  # forget those who have none


class Arrival:
    """One body that is arriving."""

    def __init__(self, arrivals: Arrivals, sender: str) -> None:
        self._arrivals = arrivals
        self._sender = sender
        self._memory = bytearray()
        self._held = 0
        self._file: Spooled | None = None
        self._spooling = False
        self._size = 0
        self._waited = 0.0

    async def read(self, request: web.Request, limit: int, spool: Callable[[], Spooled]) -> Arrived:
        """The body up to `limit`. Raises TimeoutError when it is too slow, PartnerFault when it breaks off, NoRoom."""
        if (request.content_length or 0) > limit:
            limit = min(limit, REFUSED_START)  # it is refused whatever it holds
        while chunk := await self._next(request):
            room = limit - self._size
            await self._add(chunk[:room], spool)
            if len(chunk) > room:
                return Arrived(body=await self._done(), complete=False)
        return Arrived(body=await self._done(), complete=True)

    async def end(self) -> None:
        """Give back what was taken."""
        self._arrivals.hold(self._sender, -self._held)
        if self._spooling:
            self._arrivals.spool(self._sender, -1)
        if self._file is not None:
            await asyncio.to_thread(self._file.discard)

    async def _next(self, request: web.Request) -> bytes:
        """What came next; time is counted only while we wait for the sender. Raises TimeoutError, PartnerFault."""
        loop = asyncio.get_running_loop()
        left = GRACE_SECONDS + self._size / SLOWEST - self._waited
        begun = loop.time()
        async with asyncio.timeout(min(SILENCE_SECONDS, max(left, 0.0))):
            try:
                chunk = await request.content.readany()
            except ConnectionError as fault:  # no fault of ours, so no traceback in the log
                raise PartnerFault("the sender broke off within the body", public="The body broke off.") from fault
            except web.RequestPayloadError as fault:
                words = "The body is not framed as HTTP/1.1 has it (RFC 9112 7.1)."
                raise PartnerFault("the framing of the body is broken", public=words) from fault
        self._waited += loop.time() - begun
        return chunk

    async def _add(self, chunk: bytes, spool: Callable[[], Spooled]) -> None:
        self._size += len(chunk)
        self._arrivals.hold(self._sender, len(chunk))
        self._held += len(chunk)
        self._memory += chunk
        if len(self._memory) <= IN_MEMORY:
            return
        if not self._spooling:
            self._arrivals.spool(self._sender, 1)
            self._spooling = True
            self._file = await asyncio.to_thread(spool)
        await self._write()

    async def _write(self) -> None:
        assert self._file is not None
        await asyncio.to_thread(self._file.write, memoryview(self._memory))
        self._memory = bytearray()
        self._arrivals.hold(self._sender, -self._held)
        self._held = 0

    async def _done(self) -> bytes | Spooled:
        if self._file is None:
            return bytes(self._memory)
        if self._memory:
            await self._write()
        return self._file
