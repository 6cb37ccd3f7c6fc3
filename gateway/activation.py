"""Hot reload: a changed workspace is read and checked whole, then activated at once, or refused with its findings.

Files are looked at (time, size, inode) every few seconds, and on SIGHUP; no more than that is asked of the system. What
is half written is never read: a change counts when two looks in a row saw the same, and when it is still the same after
it was read. Whoever works a message takes the current value once and keeps it to the end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from gateway.errors import OurFault
from gateway.events import ConfigurationActivated, ConfigurationRefused, Event
from gateway.partners.configuration import SHORT, Configuration, Stamp, agreed_maps, stamps
from gateway.pipeline import versions
from gateway.ports import (
    CONFIGURATION,
    Changes,
    Clock,
    Queries,
    Store,
    TrailEntry,
    VersionShelf,
    own_chain,
)
from gateway.settings import Settings

SHOWN = 20
"""Findings that a refusal keeps; `gateway partner check` prints all."""
LONGEST = 300
MOST_CHANGED = 100
ONLY_AT_START = ("listen", "database", "seal_seconds", "nodes", "traces")
"""Sections of gateway.yaml that a running process cannot change."""
NOTE = b"The configurations of this gateway: the trail of this message says which was active, and when.\n"

T = TypeVar("T")
log = logging.getLogger(__name__)


class Kept(Store, Queries, VersionShelf, Protocol):
    """What activation needs of the store."""

    async def newest_events(self, message_id: str, *, limit: int = 200) -> list[TrailEntry]:
        """The last events of a message's chain, oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Active(Generic[T]):
    """A configuration and what was built of it: one value, replaced whole."""

    configuration: Configuration
    built: T
    since: datetime
    needs_restart: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a changed configuration did not become active."""

    at: datetime
    fault: OurFault
    stamps: Mapping[str, Stamp] = field(repr=False)


class Activation(Generic[T]):
    """Keeps `current` as the workspace says, and the trail of how it changed."""

    def __init__(
        self,
        folder: Path,
        first: Configuration,
        built: T,
        *,
        read: Callable[[], Configuration],
        build: Callable[[Configuration, T], T],
        store: Kept,
        clock: Clock,
        node: str,
        seen: Mapping[str, Stamp],
    ) -> None:
        self._folder = folder
        self._read = read
        self._build = build
        self._store = store
        self._clock = clock
        self._node = node
        self._started_with = first.workspace.settings
        self.current = Active(configuration=first, built=built, since=clock())
        self.refused: Refusal | None = None
        """The last change, where it was refused; None again when the folder is as it should be."""
        self._seen = seen
        """The files as they were when `current` was read."""
        self._pending: Mapping[str, Stamp] | None = None
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Read again now, whatever the files' times say (SIGHUP): secrets and keys are read anew, too."""
        self._asked.set()

    def words(self) -> dict[str, str]:
        """What is active and how the last change went, for the health check: no names, no contents."""
        active = self.current
        said = {"version": active.configuration.version[:SHORT], "since": f"{active.since:%Y-%m-%dT%H:%M:%SZ}"}
        said["state"] = "active" if self.refused is None else "active; a newer one is refused"
        if active.needs_restart:
            said["needs_restart"] = ", ".join(active.needs_restart)
        return said

    async def begin(self) -> None:
        """Record the configuration that the gateway starts with, unless the last one recorded is the same."""
        await self._record(self.current.configuration, changed=(), needs_restart=())

    async def run(self) -> None:
        """Look, and look again, until cancelled. Nothing that happens here ends the gateway."""
        while True:
            seconds = self.current.configuration.workspace.settings.reload_seconds
            asked = False
            try:
                async with asyncio.timeout(seconds or None):
                    await self._asked.wait()
                self._asked.clear()
                asked = True
            except TimeoutError:
                pass
            try:
                await self.look(asked=asked)
            except OurFault as fault:
                log.error("The configuration could not be looked at: %s %s", fault, fault.remedy)  # noqa: TRY400  ours
            except Exception:
                log.exception("The configuration could not be looked at")

    async def look(self, *, asked: bool = False) -> None:
        """One look; what was the same in the look before is read, and activated or refused."""
        now = await asyncio.to_thread(stamps, self._folder)
        if not asked:
            refused = self.refused
            if now == self._seen and refused is None:
                self._pending = None
                return
            if refused is not None and now == refused.stamps:
                return
            if now != self._pending:
                self._pending = now
                return
        try:
            configuration = await asyncio.to_thread(self._read)
            built = await asyncio.to_thread(self._build, configuration, self.current.built)
        except Exception as error:  # noqa: BLE001  whatever it is, what was active stays and the refusal is told
            fault = error if isinstance(error, OurFault) else _unforeseen(error)
            if await asyncio.to_thread(stamps, self._folder) == now:
                await self._refuse(fault, now)
            return
        self._pending = await asyncio.to_thread(stamps, self._folder)
        if self._pending == now:  # else it was written meanwhile: wait until it is not
            await self._activate(configuration, built, now, asked=asked)

    async def _activate(self, new: Configuration, built: T, now: Mapping[str, Stamp], *, asked: bool) -> None:
        before = self.current
        same = new.version == before.configuration.version
        if not same:
            changed = new.changed(before.configuration.files)
            needs_restart = self._needs_restart(new.workspace.settings)
            await self._record(new, changed=changed, needs_restart=needs_restart)
            self.current = Active(configuration=new, built=built, since=self._clock(), needs_restart=needs_restart)
            log.info("configuration %s is active: %s changed", new.version[:SHORT], _few(changed))
            for section in needs_restart:
                log.warning("%s in gateway.yaml was changed: that needs a restart, the rest holds now", section)
        elif asked:
            self.current = Active(
                configuration=new, built=built, since=before.since, needs_restart=before.needs_restart
            )
            log.info("configuration %s was read again: nothing in it has changed", new.version[:SHORT])
        elif self.refused is not None:
            log.info("configuration %s, which stayed active, is the one in the folder again", new.version[:SHORT])
        self.refused = None
        self._seen, self._pending = now, None

    async def _refuse(self, fault: OurFault, now: Mapping[str, Stamp]) -> None:
        active = self.current.configuration.version
        self.refused = Refusal(at=self._clock(), fault=fault, stamps=now)
        texts = tuple(finding.text[:LONGEST] for finding in fault.findings[:SHOWN])
        log.error("the changed configuration is refused, %s stays active: %s; %s", active[:SHORT], fault, fault.remedy)
        for text in texts[1:]:
            log.error("  %s", text)
        event = ConfigurationRefused(
            message_id=CONFIGURATION,
            node=self._node,
            active=active,
            reason=str(fault)[:LONGEST],
            remedy=fault.remedy[:LONGEST],
            findings=len(fault.findings),
            texts=texts,
        )
        await self._append(event)

    def _needs_restart(self, settings: Settings) -> tuple[str, ...]:
        return tuple(name for name in ONLY_AT_START if getattr(settings, name) != getattr(self._started_with, name))

    async def _record(self, new: Configuration, *, changed: tuple[str, ...], needs_restart: tuple[str, ...]) -> None:
        """Keep what decides from now on, by its hashes, then say so on the trail."""
        await self._store.put(await asyncio.to_thread(lambda: tuple(versions.of(new))))
        last = last_activated(await self._store.newest_events(CONFIGURATION))
        if last is not None and last.data.get("version") == new.version:
            return  # by another node, or before this start
        event = ConfigurationActivated(
            message_id=CONFIGURATION,
            version=new.version,
            gateway=versions.gateway_version(),
            node=self._node,
            agreements=len(new.workspace.agreements),
            maps=len(agreed_maps(new.workspace)),
            guides=len(new.workspace.guides),
            changed=changed[:MOST_CHANGED],
            needs_restart=needs_restart,
        )
        await self._append(event)

    async def _append(self, event: Event) -> None:
        if await self._store.message(CONFIGURATION) is None:
            chain = own_chain(CONFIGURATION, NOTE, at=self._clock())
            try:
                await self._store.apply(Changes(messages=(chain,), events=(event,)))
            except OurFault:  # another node was quicker, or the database is in trouble: then this says so
                await self._store.apply(Changes(events=(event,)))
        else:
            await self._store.apply(Changes(events=(event,)))


def last_activated(trail: list[TrailEntry]) -> TrailEntry | None:
    """The newest activation on the trail of the configurations."""
    return next((entry for entry in reversed(trail) if entry.kind == ConfigurationActivated.kind), None)


def last_refused(trail: list[TrailEntry]) -> TrailEntry | None:
    """The newest refusal, where nothing was activated after it."""
    return trail[-1] if trail and trail[-1].kind == ConfigurationRefused.kind else None


def _unforeseen(error: Exception) -> OurFault:
    """A fault of ours while reading: what was active stays, and it is told like any refusal."""
    log.error("The configuration could not be read", exc_info=error)
    said = f"the configuration could not be read: {type(error).__name__}"
    return OurFault(said, remedy="it is a fault of the gateway, its log has the traceback; undo the last change")


def _few(names: tuple[str, ...], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or "nothing"
