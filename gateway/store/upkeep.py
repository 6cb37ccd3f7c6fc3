"""What an operator has looked after: that payload files and rows belong together, and work that nobody here can do.

Looking never changes anything; files that no row names are removed only when asked, old ones only, as `orphans` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, func, select, tuple_

from gateway.errors import OurFault
from gateway.ports import Clock
from gateway.store import orphans
from gateway.store.database import Database
from gateway.store.payloads import Payloads
from gateway.store.tables import job, payload

AT_ONCE = 200
SHOWN = 1000
"""Problems and stuck jobs that are told at most; more are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stuck:
    """Work of one kind that this gateway does not know."""

    step: str
    jobs: int
    since: datetime
    """When the oldest was due."""
    message_id: str
    """One of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PayloadProblem:
    """A file and its row that do not belong together."""

    what: str
    """unreadable: missing, or not to be opened | changed | unnamed: no row names it"""
    message_id: str | None
    path: Path
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PayloadReport:
    """What was found."""

    files: int
    """Rows whose file was looked for."""
    octets: int
    problems: tuple[PayloadProblem, ...]
    """At most `SHOWN`; unnamed files last."""
    unreadable: int
    changed: int
    unnamed: int
    young: int
    """Files that no row names yet, too young to be judged: they may be on their way into a commit."""
    removed: int

    @property
    def ok(self) -> bool:
        """Whether nothing is left to be done."""
        return self.unreadable + self.changed + self.unnamed - self.removed == 0


class Upkeep:
    """Looking after the store."""

    database: Database
    payloads: Payloads
    clock: Clock

    async def stuck_work(self, known: Collection[str]) -> list[Stuck]:
        """Work that is due, or waits, in steps that are not `known`: no gateway of this version claims it."""
        return await self.database.read(partial(stuck, known=known))

    async def payload_files(self) -> int:
        """How many payloads stand in files."""
        count = select(func.count()).select_from(payload).where(payload.c.place == "folder")
        return await self.database.read(lambda connection: connection.execute(count).scalar_one())

    async def verify_payloads(
        self, *, remove: bool = False, looked: Callable[[int], None] = lambda _: None
    ) -> PayloadReport:
        """Read every file that a row names and hold it against its hash; find the files that none names.

        `looked` is told how many files were read. With `remove`, old files that no row names are removed.
        Raises OurFault when the folder cannot be looked through, or does not belong to this database.
        """
        files, octets, problems, counts = 0, 0, list[PayloadProblem](), {"unreadable": 0, "changed": 0}
        after = ("", "")
        while rows := await self.database.read(partial(_page, after=after)):
            for message_id, form, sha256, size in rows:
                wrong = await asyncio.to_thread(self._wrong, sha256, message_id, form)
                if wrong is not None and await self.database.read(partial(_stands, message_id, form, sha256)):
                    counts[wrong.what] += 1
                    problems.append(wrong)
                looked(1)
                files, octets, after = files + 1, octets + size, (message_id, form)
        found = await orphans.find(self.database, self.payloads, self.clock())
        problems += [
            PayloadProblem(what="unnamed", message_id=None, path=path, detail="no message of this database names it")
            for path in found.strange
        ]
        removed = await orphans.remove(self.database, found) if remove else 0
        return PayloadReport(
            files=files,
            octets=octets,
            problems=tuple(problems[:SHOWN]),
            **counts,
            unnamed=len(found.strange),
            young=found.young,
            removed=removed,
        )

    def _wrong(self, sha256: str, message_id: str, form: str) -> PayloadProblem | None:
        path = self.payloads.path(sha256, message_id, form)
        try:
            self.payloads.open(sha256, message_id, form)
        except OurFault as fault:
            what = "unreadable" if isinstance(fault.__cause__, OSError) else "changed"
            return PayloadProblem(what=what, message_id=message_id, path=path, detail=f"{fault}. {fault.remedy}")
        return None


def stuck(connection: Connection, known: Collection[str]) -> list[Stuck]:
    """Work in steps that are not `known`, by step."""
    columns = (job.c.step, func.count().label("jobs"), func.min(job.c.due_at).label("since"))
    statement = (
        select(*columns, func.min(job.c.message_id).label("message_id"))
        .where(job.c.due_at.is_not(None), job.c.step.not_in(list(known)))
        .group_by(job.c.step)
        .order_by(job.c.step)
        .limit(SHOWN)
    )
    return [
        Stuck(step=row.step, jobs=row.jobs, since=row.since, message_id=row.message_id)
        for row in connection.execute(statement)
    ]


def _page(connection: Connection, after: tuple[str, str]) -> list[tuple[str, str, str, int]]:
    key = tuple_(payload.c.message_id, payload.c.form)
    statement = (
        select(payload.c.message_id, payload.c.form, payload.c.sha256, payload.c.size)
        .where(payload.c.place == "folder", key > after)
        .order_by(payload.c.message_id, payload.c.form)
        .limit(AT_ONCE)
    )
    return [(row.message_id, row.form, row.sha256, row.size) for row in connection.execute(statement)]


def _stands(message_id: str, form: str, sha256: str, connection: Connection) -> bool:
    """Whether the row still names this file: it may have been purged, or posted anew, while the file was read."""
    key = (payload.c.message_id == message_id) & (payload.c.form == form) & (payload.c.place == "folder")
    return connection.execute(select(payload.c.sha256).where(key)).scalar() == sha256
