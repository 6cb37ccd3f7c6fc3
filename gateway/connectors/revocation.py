"""Fetches revocation lists from the addresses that agreements name, every hour, beside everything else.

What cannot be fetched leaves the list of before; that one is missing or too old is said in the log each time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import aiohttp

from gateway.errors import OurFault
from gateway.partners.revocation import MAX_BYTES, CrlShelf, is_address, out_of_date
from gateway.ports import Clock

EVERY_SECONDS = 3600
LOOK_SECONDS = 10.0
SECONDS = 60

log = logging.getLogger(__name__)


class CrlFetcher:
    """`run` until cancelled; nothing that happens here ends the gateway."""

    def __init__(
        self, shelf: CrlShelf, sources: Callable[[], Iterable[str]], session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._shelf = shelf
        self._sources = sources
        self._session = session
        self._clock = clock

    async def run(self) -> None:
        """Fetch at the start, when a list is named for the first time, and every hour."""
        known: set[str] = set()
        waited = 0.0
        while True:
            sources = set(self._sources())
            wanted = sources if waited >= EVERY_SECONDS else sources - known
            if wanted:
                await self.look(sorted(wanted))
                waited = 0.0 if wanted == sources else waited
            known = sources
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS

    async def look(self, sources: Iterable[str]) -> None:
        """Fetch the addresses among `sources`, and say which lists are missing or too old."""
        for source in sources:
            if is_address(source):
                try:
                    await asyncio.to_thread(self._shelf.put, source, await self._fetched(source))
                except (OurFault, aiohttp.ClientError, TimeoutError, OSError) as error:
                    log.warning(
                        "the revocation list %s could not be fetched: %s", source, str(error) or type(error).__name__
                    )
            listed = self._shelf.get(source)
            if listed is None or out_of_date(listed, self._clock()):
                log.warning("the revocation list %s is %s", source, "missing" if listed is None else "too old")

    async def _fetched(self, address: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        content = bytearray()
        async with self._session.get(address, timeout=timeout, allow_redirects=False) as answer:
            if answer.status != 200:  # noqa: PLR2004  OK
                raise OurFault(f"it answered {answer.status}", remedy="correct the address in as2.crls")
            async for chunk in answer.content.iter_chunked(65_536):
                content += chunk
                if len(content) > MAX_BYTES:
                    raise OurFault(f"more than {MAX_BYTES} bytes", remedy="name the list of the right authority")
        return bytes(content)
