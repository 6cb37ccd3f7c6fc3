"""Files in the payload folder that no message names: left by a process that died between file and commit, or earlier.

Only old ones are looked at, since a younger one may be on its way into a commit, of this node or of another that shares
the folder. Their age is by the folder's own clock as well as by ours: one that is wrong here makes no file old. When
most of the folder is unknown to the database, it is the wrong database or the wrong folder: then nothing is removed.
Files of payloads that were purged are known by their rows, and go at any age: their process died after the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select

from gateway.errors import OurFault
from gateway.store import spool
from gateway.store.database import Database
from gateway.store.payloads import Payloads, remove_file
from gateway.store.tables import payload

AGE = timedelta(days=1)
AT_ONCE = 500

_NAME = re.compile(r"([0-9a-f]{64})-(.+)-(payload|raw)(\.[0-9]+\.part)?")

_BEGINNING = re.compile("[0-9a-f]{2}")

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a look through the folder found."""

    named: int
    """Old files that rows name."""
    strange: tuple[Path, ...]
    """Old files that none does."""
    young: int
    """Younger ones that none does."""
    purged: tuple[Path, ...] = ()
    """Files of payloads that were purged."""


async def sweep(database: Database, payloads: Payloads, now: datetime) -> int:
    """Remove old files that no row names; how many. Call it before work begins."""
    try:
        spooled = spool.sweep(payloads.folder / spool.FOLDER)
        if spooled:
            log.warning("%d unfinished files in the spool of %s were removed", spooled, payloads.folder)
        found = await find(database, payloads, now)
        removed = await remove(database, found)
    except OSError as fault:
        log.warning("The payload folder %s could not be looked through: %s", payloads.folder, fault)
        return 0
    except OurFault as fault:
        log.error("%s. %s", fault, fault.remedy)  # noqa: TRY400  ours, expected
        return 0
    if removed:
        log.warning("%d files in %s that no message names were removed", removed, payloads.folder)
    return spooled + removed


async def find(database: Database, payloads: Payloads, now: datetime) -> Found:
    """Look through the folder. Raises OurFault when it cannot be."""
    try:
        before = min(now.timestamp(), await asyncio.to_thread(_clock_of, payloads.folder)) - AGE.total_seconds()
        strange: list[Path] = []
        purged: list[Path] = []
        named = young = 0
        for beginning in await asyncio.to_thread(_beginnings, payloads.folder):
            files = await asyncio.to_thread(_files, beginning)
            for start in range(0, len(files), AT_ONCE):
                some = files[start : start + AT_ONCE]
                paths = [path for path, _ in some]
                gone = set(await database.read(partial(_named, paths=paths, place="purged")))
                unnamed = set(await database.read(partial(_unnamed, paths=paths))) - gone
                purged += sorted(gone)
                old = {path for path, at in some if at < before}
                named += len(old - unnamed)
                young += len(unnamed - old)
                strange += sorted(unnamed & old)
    except OSError as fault:
        raise OurFault(
            f"The payload folder {payloads.folder} cannot be looked through: {fault.strerror}",
            remedy="Give the folder and all in it to the gateway's user; it must be mounted, and writable.",
        ) from fault
    return Found(named=named, strange=tuple(strange), young=young, purged=tuple(purged))


async def remove(database: Database, found: Found) -> int:
    """Remove what was purged, and what was strange and still is; how many.

    Raises OurFault when folder and database do not belong together, or a file cannot be removed.
    """
    removed = 0
    for start in range(0, len(found.purged), AT_ONCE):
        some = found.purged[start : start + AT_ONCE]
        for path in await database.read(partial(_named, paths=some, place="purged")):
            await asyncio.to_thread(remove_file, path)
            removed += 1
    if len(found.strange) > found.named:
        raise OurFault(
            f"{len(found.strange)} files, such as {found.strange[0]}, are named by no message of this database, "
            f"{found.named} are: nothing was removed",
            remedy="Check that database and payload folder belong together.",
        )
    for start in range(0, len(found.strange), AT_ONCE):
        some = found.strange[start : start + AT_ONCE]
        for path in await database.read(partial(_unnamed, paths=some)):
            await asyncio.to_thread(remove_file, path)
            removed += 1
    return removed


def _clock_of(folder: Path) -> float:
    """What time it is where the files are: on a network folder that is another machine's clock."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".clock-") as file:
        return Path(file.name).stat().st_mtime


def _beginnings(folder: Path) -> list[Path]:
    """The folders of files whose names begin alike: what is in memory at once is one of 256."""
    with os.scandir(folder) as entries:
        return sorted(Path(one.path) for one in entries if _BEGINNING.fullmatch(one.name) and one.is_dir())


def _files(beginning: Path) -> list[tuple[Path, float]]:
    """Files of ours and when they were last written."""
    found: list[tuple[Path, float]] = []
    with os.scandir(beginning) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # another node was done with it meanwhile
                if _NAME.fullmatch(entry.name) and entry.is_file():
                    found.append((Path(entry.path), entry.stat().st_mtime))
    return found


def _unnamed(connection: Connection, paths: Sequence[Path]) -> list[Path]:
    """Which of these are no payload's, or were not finished."""
    named = set(_named(connection, paths, place="folder"))
    return [path for path in paths if path not in named and _NAME.fullmatch(path.name)]


def _named(connection: Connection, paths: Sequence[Path], place: str) -> list[Path]:
    """Which of these are whole files of payloads that are in this place."""
    parts = {path: found.groups() for path in paths if (found := _NAME.fullmatch(path.name))}
    ids = {message_id for _, message_id, _, _ in parts.values()}
    columns = (payload.c.sha256, payload.c.message_id, payload.c.form)
    wanted = payload.c.message_id.in_(ids) & (payload.c.place == place)
    named = {tuple(row) for row in connection.execute(select(*columns).where(wanted))}
    return [path for path, (*name, part) in parts.items() if part is None and tuple(name) in named]
