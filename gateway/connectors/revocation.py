"""Fetches revocation lists from the addresses that agreements name, and reads files again, every hour, beside all else.

What cannot be fetched leaves the list of before; that one is missing or too old is said in the log each time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import aiohttp
from cryptography import x509

from gateway.errors import OurFault
from gateway.partners.revocation import MAX_BYTES, CrlShelf, is_address, out_of_date
from gateway.ports import Clock

EVERY_SECONDS = 3600
LOOK_SECONDS = 10.0
SECONDS = 60

log = logging.getLogger(__name__)


Sources = Mapping[str, Sequence[x509.Certificate]]
"""Lists that are asked, each with the authorities that may sign it."""


class CrlFetcher:
    """`run` until cancelled; nothing that happens here ends the gateway."""

    def __init__(
        self, shelf: CrlShelf, sources: Callable[[], Sources], session: aiohttp.ClientSession, clock: Clock
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
            sources = self._sources()
            wanted = {one: sources[one] for one in sorted(sources) if waited >= EVERY_SECONDS or one not in known}
            if wanted:
                try:
                    await self.look(wanted)
                except Exception:
                    log.exception("Revocation lists could not be looked at")
                waited = 0.0 if len(wanted) == len(sources) else waited
            known = set(sources)
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS

    async def look(self, sources: Sources) -> None:
        """Fetch the addresses among `sources`, read the files; say which lists are missing or too old."""
        for source, authorities in sources.items():
            try:
                if is_address(source):
                    await asyncio.to_thread(self._shelf.put, source, await self._fetched(source), authorities)
                else:
                    await asyncio.to_thread(self._shelf.load, [source])
            except (OurFault, aiohttp.ClientError, TimeoutError, OSError) as error:
                how = "fetched" if is_address(source) else "read"
                log.warning(
                    "the revocation list %s could not be %s: %s", source, how, str(error) or type(error).__name__
                )
            listed = self._shelf.get(source)
            if listed is None or out_of_date(listed, self._clock()):
                log.warning("the revocation list %s is %s", source, "missing" if listed is None else "too old")

    async def _fetched(self, address: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        content = bytearray()
        async with self._session.get(
            address, headers={"Accept-Encoding": "identity"}, timeout=timeout, allow_redirects=False
        ) as answer:
            if answer.status != 200:  # noqa: PLR2004  OK
                raise OurFault(f"it answered {answer.status}", remedy="correct the address in as2.crls")
            async for chunk in answer.content.iter_chunked(65_536):
                content += chunk
                if len(content) > MAX_BYTES:
                    raise OurFault(f"more than {MAX_BYTES} bytes", remedy="name the list of the right authority")
        return bytes(content)
