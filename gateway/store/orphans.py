"""Files in the payload folder that no message names: left by a process that died between file and commit, or earlier.

Only old ones are looked at, since a younger one may be on its way into a commit. When most of the folder is unknown to
the database, it is the wrong database or the wrong folder: then nothing is removed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, select

from gateway.store import spool
from gateway.store.database import Database
from gateway.store.payloads import Payloads
from gateway.store.tables import payload

AGE = timedelta(days=1)
AT_ONCE = 500

_NAME = re.compile(r"([0-9a-f]{64})-(.+)-(payload|raw)(\.[0-9]+\.part)?")

log = logging.getLogger(__name__)


async def sweep(database: Database, payloads: Payloads, now: datetime) -> int:
    """Remove old files that no row names; how many. Blocks while it lists a folder: call it before work begins."""
    try:
        spooled = spool.sweep(payloads.folder / spool.FOLDER)
        if spooled:
            log.warning("%d unfinished files in the spool of %s were removed", spooled, payloads.folder)
        return spooled + await _sweep(database, payloads, now)
    except OSError as fault:
        log.warning("The payload folder %s could not be looked through: %s", payloads.folder, fault)
        return 0


async def _sweep(database: Database, payloads: Payloads, now: datetime) -> int:
    orphans: list[Path] = []
    named = 0
    for paths in _old(payloads.folder, (now - AGE).timestamp()):
        strange = await database.read(partial(_unnamed, paths=paths))
        named += len(paths) - len(strange)
        orphans += strange
    if len(orphans) > named:
        log.error(
            "%d files in %s are named by no message of this database, %d are: nothing was removed. Check that database "
            "and payload folder belong together.",
            len(orphans),
            payloads.folder,
            named,
        )
        return 0
    for path in orphans:
        path.unlink(missing_ok=True)
    if orphans:
        log.warning("%d files in %s that no message names were removed", len(orphans), payloads.folder)
    return len(orphans)


def _old(folder: Path, before: float) -> Iterator[list[Path]]:
    """Files of ours that were last written before then, some at a time."""
    batch: list[Path] = []
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        if _NAME.fullmatch(path.name) and path.is_file() and path.stat().st_mtime < before:
            batch.append(path)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _unnamed(connection: Connection, paths: Sequence[Path]) -> list[Path]:
    parts = {path: found.groups() for path in paths if (found := _NAME.fullmatch(path.name))}
    ids = {message_id for _, message_id, _, _ in parts.values()}
    columns = (payload.c.sha256, payload.c.message_id, payload.c.form)
    wanted = payload.c.message_id.in_(ids) & (payload.c.place == "folder")
    named = {tuple(row) for row in connection.execute(select(*columns).where(wanted))}
    return [path for path, (*name, part) in parts.items() if part is not None or tuple(name) not in named]
