"""What `Store` does to keep data no longer than agreed: plans, purges, legal holds.

Works through pages of ids, each read by itself; what is due goes some at a time, with a pause as long as each look and
each commit took, so that traffic has its turn. Stopped anywhere, the next run goes on: what is gone is not found again.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select

from gateway.events import LegalHoldLifted, LegalHoldPlaced
from gateway.partners.retention import Policy, What
from gateway.ports import RETENTION, Changes, Clock, own_chain
from gateway.store import changes as changing
from gateway.store import orphans, retention_due, retention_holds, retention_purge, retention_records
from gateway.store import retention_archive as archive
from gateway.store import retention_rows as rows
from gateway.store.database import Database
from gateway.store.figures import ahead
from gateway.store.payloads import Payloads
from gateway.store.retention_due import Due
from gateway.store.retention_holds import LegalHold
from gateway.store.retention_purge import AT_ONCE, Way, Why
from gateway.store.tables import message

NOTE = (
    b"Retention of this gateway: the trail of this message tells of legal holds, and of rows removed by the hundred.\n"
)
PAGE = 500
MOVED_AT_ONCE = 20
"""Messages whose work moves out in one commit."""
LONGEST_PAUSE = 1.0
VACUUMED_AT_ONCE = 1000
"""Pages, of 4 KiB."""
INCREMENTAL = 2
"""What `PRAGMA auto_vacuum` says of a file that can shrink."""
WAYS: dict[What, Way] = {
    What.PAYLOAD: Way(
        page=retention_due.message_page, find=retention_due.payloads, remove=retention_purge.remove_payloads
    ),
    What.DOCUMENT: Way(
        page=retention_due.document_page, find=retention_due.documents, remove=retention_purge.remove_documents
    ),
    What.ATTEMPTS: Way(page=retention_records.page, find=retention_records.due, remove=retention_records.remove),
    What.CONTROL_NUMBER: Way(page=rows.control_number_page, find=rows.control_numbers, remove=rows.remove_identities),
    What.IDEMPOTENCY: Way(page=rows.idempotency_page, find=rows.idempotency, remove=rows.remove_identities),
    What.WEBHOOK: Way(page=rows.webhook_page, find=rows.webhooks, remove=rows.remove_webhooks),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionLine:
    """What one rule does, or did, to one sort of thing; or what of it stays nevertheless."""

    what: What
    rule: str
    kept: str | None
    """None: it goes. Else why it stays: `unfinished`, or `legal hold 3`."""
    items: int
    octets: int
    oldest: datetime


Lines = dict[tuple[What, str, str | None], RetentionLine]


class Retaining:
    """Plans, purges, legal holds."""

    database: Database
    payloads: Payloads
    clock: Clock

    async def retention_plan(
        self, policy: Policy, *, looked: Callable[[int], None] = lambda _: None
    ) -> list[RetentionLine]:
        """What a run would remove now, and what it would leave; nothing is changed."""
        lines: Lines = {}
        now = self.clock()
        for what, way in WAYS.items():
            async for found in self._due(what, way, policy, looked, now=now):
                _count(lines, found)
        return list(lines.values())

    async def purge_due(
        self, policy: Policy, *, by: str, reason: str, looked: Callable[[int], None] = lambda _: None
    ) -> list[RetentionLine]:
        """Remove what the rules say, for good; what went and what stayed. Ages are those of its beginning."""
        lines: Lines = {}
        now = self.clock()  # that was believed: a clock that leaps meanwhile makes nothing older
        why = Why(by=by, reason=reason)
        await self._retention_chain()
        for what, way in WAYS.items():
            async for found in self._due(what, way, policy, looked, now=now, gently=True):
                _count(lines, [one for one in found if one.kept is not None])
                ids = [one.id for one in found if one.kept is None]
                for start in range(0, len(ids), AT_ONCE):
                    some, began = ids[start : start + AT_ONCE], time.monotonic()
                    purge = partial(retention_purge.of_policy, way=way, ids=some, policy=policy, why=why, now=now)
                    purged = await self.database.write(purge)
                    _count(lines, [*purged.gone, *purged.stayed])
                    await self._remove(purged.files)
                    await asyncio.sleep(min(LONGEST_PAUSE, time.monotonic() - began))
        return list(lines.values())

    async def move_finished(self, older: timedelta, *, looked: Callable[[int], None] = lambda _: None) -> archive.Moved:
        """Move work out of the job table with which nothing happened for so long; how much."""
        before, after, messages, jobs = self.clock() - older, 0, 0, 0
        while True:
            page = partial(archive.page, after=after, before=before, most=PAGE)
            after, ids = await self.database.read(page)
            if not ids:
                return archive.Moved(messages=messages, jobs=jobs)
            for start in range(0, len(ids), MOVED_AT_ONCE):
                began, some = time.monotonic(), ids[start : start + MOVED_AT_ONCE]
                moved = await self.database.write(partial(archive.move, ids=some, before=before))
                messages, jobs = messages + moved.messages, jobs + moved.jobs
                await asyncio.sleep(min(LONGEST_PAUSE, time.monotonic() - began))
            looked(len(ids))

    async def clock_ahead(self) -> float:
        """Seconds that our clock is before the database's; 0 on SQLite, which is on this machine."""
        return await self.database.read(partial(ahead, clock=self.clock))

    async def sweep_files(self) -> int:
        """Remove files that no message names, or whose message was purged; how many. Raises OurFault."""
        return await orphans.remove(self.database, await orphans.find(self.database, self.payloads, self.clock()))

    async def give_back(self) -> int | None:
        """Give free pages of an SQLite file back to its disk, some in each commit; how many.

        A tenth stays for what comes. None: the file was made before it could do so. On PostgreSQL vacuuming is its own.
        """
        if self.database.dialect != "sqlite":
            return 0
        given = 0
        while True:
            found = await self.database.write(_vacuum)
            if not found:
                return found if found is None else given
            given += found
            await asyncio.sleep(0.01)

    async def purge_payload(self, message_id: str, *, by: str, reason: str) -> None:
        """Remove the bytes of a message, on the wire and unwrapped; hashes and trail stay.

        From then on `payload` raises OurFault. That it was done, by whom and why, is an event.
        Raises OurFault when there is no such message, or a legal hold covers it.
        """
        why = Why(by=by, reason=reason)
        await self._remove(
            await self.database.write(
                partial(retention_purge.of_message, message_id=message_id, why=why, now=self.clock())
            )
        )

    async def place_hold(
        self,
        *,
        partner: str | None = None,
        order_number: str | None = None,
        message_id: str | None = None,
        by: str,
        why: str,
    ) -> int:
        """Keep what all that is named fits, whatever a rule or anybody says; the hold's number. Raises OurFault."""
        now = self.clock()

        def operation(connection: Connection) -> int:
            hold = retention_holds.place(
                connection,
                partner=partner,
                order_number=order_number,
                message_id=message_id,
                by=by,
                why=why,
                now=now,
            )
            fact = LegalHoldPlaced(
                message_id=RETENTION,
                hold=hold,
                by=by,
                reason=why,
                held_partner=partner,
                held_order=order_number,
                held_message=message_id,
            )
            changing.write(connection, Changes(events=(fact,)), {}, now)
            return hold

        await self._retention_chain()
        return await self.database.write(operation)

    async def lift_hold(self, hold: int, *, by: str, why: str) -> None:
        """Let the rules apply again. Raises OurFault when no hold of that number stands."""
        now = self.clock()

        def operation(connection: Connection) -> None:
            retention_holds.lift(connection, hold, by=by, why=why, now=now)
            fact = LegalHoldLifted(message_id=RETENTION, hold=hold, by=by, reason=why)
            changing.write(connection, Changes(events=(fact,)), {}, now)

        await self._retention_chain()
        await self.database.write(operation)

    async def legal_holds(self, *, lifted: bool = False) -> list[LegalHold]:
        """The holds that stand; with `lifted` also those that did."""
        return await self.database.read(partial(retention_holds.listed, lifted=lifted))

    async def _due(
        self,
        what: What,
        way: Way,
        policy: Policy,
        looked: Callable[[int], None],
        *,
        now: datetime,
        gently: bool = False,
    ) -> AsyncIterator[list[Due]]:
        """Pages of what is due, or would be if nothing kept it; `gently` with a pause as long as each look took."""
        before, after = retention_due.before(policy, what, now), ""
        while before is not None:
            page, began = partial(_page, way=way, after=after, before=before, policy=policy, now=now), time.monotonic()
            ids, found = await self.database.read(page)
            if not ids:
                return
            if gently:
                await asyncio.sleep(min(LONGEST_PAUSE, time.monotonic() - began))
            if found:
                yield found
            looked(len(ids))
            after = ids[-1]

    async def _remove(self, files: Sequence[tuple[str, str, str]]) -> None:
        for file in files:
            await asyncio.to_thread(self.payloads.remove, *file)

    async def _retention_chain(self) -> None:
        """Make the message whose chain tells of retention, unless it is there."""
        chain = own_chain(RETENTION, NOTE, at=self.clock())
        kept = {(RETENTION, "payload"): self.payloads.keep(RETENTION, "payload", NOTE)}

        def operation(connection: Connection) -> None:
            if connection.execute(select(message.c.id).where(message.c.id == RETENTION)).one_or_none() is None:
                changing.write(connection, Changes(messages=(chain,)), kept, self.clock(), duplicates=True)

        await self.database.write(operation)


def _vacuum(connection: Connection) -> int | None:
    def pragma(name: str) -> int:
        return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    if pragma("auto_vacuum") != INCREMENTAL:
        return None
    free = pragma("freelist_count")
    most = min(VACUUMED_AT_ONCE, free - pragma("page_count") // 10)
    if most > 0:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute(f"PRAGMA incremental_vacuum({most})").fetchall()  # a page a row, which has no columns
    return max(0, free - pragma("freelist_count"))


def _page(
    connection: Connection, *, way: Way, after: str, before: datetime, policy: Policy, now: datetime
) -> tuple[list[str], list[Due]]:
    ids = way.page(connection, after, before, PAGE)
    return ids, way.find(connection, ids, policy, now) if ids else []


def _count(lines: Lines, found: Sequence[Due]) -> None:
    for one in found:
        key = (one.what, one.rule, one.kept)
        line = lines.get(key) or RetentionLine(
            what=one.what, rule=one.rule, kept=one.kept, items=0, octets=0, oldest=one.at
        )
        lines[key] = replace(line, items=line.items + 1, octets=line.octets + one.size, oldest=min(line.oldest, one.at))
