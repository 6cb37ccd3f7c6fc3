"""Stored traffic as `gateway map diff` reads it: payloads of the workspace's store, newest first, never changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.answers import say_fault
from gateway.cli.edi_reading import Reading, of_agreement, reading
from gateway.edi.library import standard
from gateway.edi.reading import standard_at
from gateway.errors import OurFault, PartnerFault
from gateway.partners.guide_files import with_workspace_guides
from gateway.partners.workspace import load
from gateway.pipeline.bodies import as_octets
from gateway.pipeline.files import files_of

if TYPE_CHECKING:
    from gateway.store import Store

PAGE = 200
"""Messages that are listed at once; the bytes of one at a time are held."""

Stored = Annotated[
    bool, typer.Option("--stored", help="Instead of files: the messages of the workspace's store, newest first.")
]
Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="With --stored: none that is older (UTC)."),
]
Limit = Annotated[int, typer.Option(min=1, help="With --stored: at most so many messages, the newest.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which messages."""

    partner: str | None
    since: datetime | None
    limit: int


Take = Callable[[str, bytes, str | None], None]
"""What is done with a message: its name, its bytes, its partner."""


async def each_stored(store: Store, wanted: Wanted, take: Take) -> tuple[int, int]:
    """Give `take` every message that is wanted; how many there were, and of how many the bytes were purged."""
    since = wanted.since.replace(tzinfo=UTC) if wanted.since is not None else None
    seen = purged = 0
    before: str | None = None
    while seen < wanted.limit:
        page = await store.messages(partner=wanted.partner, before=before, limit=min(PAGE, wanted.limit - seen))
        for message in page:
            if since is not None and message.at < since:
                return seen, purged
            seen += 1
            try:
                octets = as_octets(await store.octets(message.id) or b"")
                found = files_of(message.content_type, octets, name=message.filename, spool=store.spool)
            except OurFault:
                purged += 1
                continue
            except PartnerFault:  # several files that cannot be told apart
                continue
            for one in (
                file for file in found if file.edi and (isinstance(file.data, bytes) or standard_at(file.start))
            ):
                also = f", {one.name}" if one.name and len(found) > 1 else ""
                take(f"message {message.id}{also}", one.whole(), message.partner)
        if not page:
            break
        before = page[-1].id
    return seen, purged


async def asked(workspace: Path, work: Callable[[Store], Awaitable[tuple[int, int]]]) -> tuple[int, int]:
    """The outcome of `work` on the workspace's store, beside a running server or without one."""
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need a store pay for loading it

    async with open_store(workspace) as store:
        return await work(store)


class Readings:
    """How each partner's messages are read, by the agreements of now; without agreements, as any file is read."""

    def __init__(self, workspace: Path, tolerate: list[str] | None, charset: str | None) -> None:
        self._plain = reading(tolerate, charset, None, workspace)
        self._of: dict[str, Reading] = {}
        try:
            loaded = load(workspace)
        except OurFault as fault:  # a partner's file is being mended
            say_fault(fault)
            return
        guides = with_workspace_guides(standard(), workspace)
        for one in loaded.agreements:
            self._of[one.name] = of_agreement(one, loaded, guides, tolerate=tolerate, charset=charset)

    def of(self, partner: str | None) -> Reading:
        """How this partner's messages are read."""
        return self._of.get(partner or "", self._plain)
