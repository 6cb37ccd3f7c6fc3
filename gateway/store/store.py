"""The store: each method is one operation on the database. What an operation does stands in the module it calls.

Payloads that are too large for a row are made durable before the operation, so the commit never names a missing file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from gateway.errors import OurFault
from gateway.events import CertificateExpiring, DuplicateReceived
from gateway.ports import (
    Accepted,
    Changes,
    Clock,
    Job,
    JobState,
    LeaseLost,
    NaturalKeyTaken,
    NewJob,
    NewMessage,
    Numbered,
    TermsOf,
    Version,
    VersionKind,
)
from gateway.ports.dead_letters import DeadLetter
from gateway.ports.figures import WorkFigures
from gateway.ports.lanes import plain
from gateway.store import (
    certificates,
    claims,
    clock_steps,
    figures,
    holds,
    jobs,
    lanes,
    leases,
    nodes,
    orphans,
    queries,
    schema,
    turns,
)
from gateway.store import changes as changing
from gateway.store import versions as shelf
from gateway.store.asking import Asking
from gateway.store.auditing import Auditing
from gateway.store.database import Database, Operation, T
from gateway.store.dead_letters import DeadLetters
from gateway.store.lane_keeping import LaneKeeping
from gateway.store.nodes import Membership
from gateway.store.payloads import Payloads, Stored
from gateway.store.publishing import Publishing
from gateway.store.replay_keeping import ReplayKeeping
from gateway.store.retention import Retaining
from gateway.store.schedules import Scheduling
from gateway.store.spool import SpoolFile
from gateway.store.tables import EPOCH, document, message
from gateway.store.upkeep import Upkeep

LEASE = timedelta(seconds=60)
LANE_CAP = 16
SWEEP = timedelta(seconds=30)
"""How often all lanes are looked at for work without a turn."""
MOST_REPEATS = 100
"""Repeats of one message that its trail tells of."""


class Store(
    Asking,
    Auditing,
    DeadLetters,
    LaneKeeping,
    Membership,
    Publishing,
    ReplayKeeping,
    Retaining,
    Scheduling,
    Upkeep,
):
    """Durable state. Open it with `Store.open`; every method is one commit, or one reading."""

    def __init__(
        self, database: Database, payloads: Payloads, clock: Clock, *, lease: timedelta = LEASE, cap: int = LANE_CAP
    ) -> None:
        self.database = database
        self.payloads = payloads
        self.clock = clock
        self.lease = lease
        self.cap = cap
        self.announcer = _nobody_asked
        self._lanes: set[str] = set()
        self._terms: TermsOf | None = None
        self._terms_are_new = False
        self._swept = EPOCH
        self._watch = clock_steps.Watch()
        self.next_turn: datetime | None = None
        """When a lane has work next, as the last claim saw it; None: it may have some now, or nothing is known."""
        self._shelved: set[tuple[VersionKind, str, str]] = set()
        """Versions that are known to be kept."""
        self.on_commit: Callable[[Changes], None] = _nobody_listens
        """Told of every `Changes` once they are durable: events may be counted."""
        self.on_attempt: Callable[[Job, str], None] = _nobody_counts
        """Told of every attempt that ended, and its outcome, once that is durable."""
        self.on_claim: Callable[[float], None] = _nobody_waits
        """Told of every claim: how many seconds it took."""
        self.taker: leases.Taker | None = None
        """The worker of this process: commits lease it the jobs that they add, and tell it of the others."""

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        payloads: Path,
        clock: Clock,
        serve: bool = False,
        lease: timedelta = LEASE,
        cap: int = LANE_CAP,
    ) -> Store:
        """Open a migrated database. Raises OurFault when it cannot be used, with the remedy.

        `serve` says that this process works the jobs: on SQLite it takes the lock of the file and, being the only one,
        returns the jobs that a process before it left running. Payload files that no message names are removed.
        `lease` and `cap` are the defaults of all lanes.
        """
        database = await Database.open(url, serve=serve)
        store = cls(database, Payloads(payloads), clock, lease=lease, cap=cap)
        try:
            await database.read(schema.check)
            if serve and database.dialect == "sqlite":
                await database.write(partial(jobs.reap, now=clock(), everything=True))
                await database.write(nodes.forget_all)
            if serve:
                await asyncio.to_thread(store.payloads.check)
                await store.reap()
                await orphans.sweep(database, store.payloads, clock())
        except BaseException:
            await database.close()
            raise
        return store

    async def close(self) -> None:
        """Commit what is queued and let go of the database."""
        await self.database.close()

    async def accept(self, changes: Changes) -> Accepted:
        """Store the one message in `changes` with all the rest, unless its duplicate key (or its id) is known.

        A duplicate writes nothing but a DuplicateReceived event in the first message's chain, which tells of the first
        hundred: whoever holds a message can send it again and again. Raises NaturalKeyTaken.
        """
        (new,) = changes.messages
        kept, now = await self._keep(changes), self.clock()
        lease = self._lease(changes, now)

        def operation(connection: Connection) -> Accepted:
            self._add_lanes(connection, changes, now)
            if changing.write(connection, changes, kept, now, duplicates=True, **self._with(lease)):
                return Accepted(message_id=new.id, duplicate=False, receipt=new.receipt)
            return _duplicate(connection, new, now)

        try:
            accepted = await self._commit(operation, changes, lease)
        except NaturalKeyTaken:
            await self._discard(changes, kept)
            raise
        if not accepted.duplicate:
            self._committed(changes)
        elif accepted.message_id != new.id:  # the same id means: the file is the stored message's
            await self._discard(changes, kept)
        return accepted

    async def apply(self, changes: Changes) -> None:
        """Make `changes` durable. Raises NaturalKeyTaken."""
        await self._write(changes, None)

    def agree(self, terms: TermsOf) -> None:
        """What the configuration says of lanes, from now on; `reap` gives it to those that nobody uses meanwhile."""
        self._terms, self._terms_are_new = terms, True
        self._lanes.clear()

    async def claim(self, owner: str, steps: Sequence[str], limit: int) -> list[Job]:
        """Take due jobs of these steps, fairly over lanes, within caps and rates; their attempts are written."""
        now = self.clock()
        operation = partial(
            claims.claim, owner=owner, steps=steps, limit=limit, now=now, until=now + self.lease, cap=self.cap
        )
        started = time.perf_counter()
        claimed = await self.database.write(operation)
        self.on_claim(time.perf_counter() - started)
        self.next_turn = claimed.next_turn
        return list(claimed.jobs)

    async def finish(self, job: Job, changes: Changes) -> None:
        """End `job` and make `changes` durable together. Raises LeaseLost, NaturalKeyTaken."""
        await self._write(changes, partial(jobs.end, ours=job, state=JobState.DONE, outcome="done"))
        self.on_attempt(job, "done")

    async def postpone(self, job: Job, *, outcome: str, reason: str, run_at: datetime, changes: Changes) -> None:
        """Keep `job` for `run_at`; the attempt is kept with its reason. Raises LeaseLost."""
        await self._write(
            changes, partial(jobs.end, ours=job, state=JobState.READY, outcome=outcome, reason=reason, run_at=run_at)
        )
        self.on_attempt(job, outcome)

    async def bury(self, job: Job, *, outcome: str, reason: str, changes: Changes) -> None:
        """Make `job` a dead letter. Raises LeaseLost."""
        await self._write(changes, partial(jobs.end, ours=job, state=JobState.DEAD, outcome=outcome, reason=reason))
        self.on_attempt(job, outcome)

    async def release(self, job: Job, *, begun: bool = True) -> None:
        """Give `job` back unfinished, due at once: its worker stops. Raises LeaseLost."""
        outcome = jobs.LOST if begun else jobs.RETURNED
        reason = f"the worker stopped before it was {'finished' if begun else 'begun'}"
        await self.postpone(job, outcome=outcome, reason=reason, run_at=self.clock(), changes=Changes())

    async def extend(self, job: Job) -> None:
        """Renew the lease of a job that takes long. Raises LeaseLost."""
        await self.database.write(partial(jobs.extend, ours=job, until=self.clock() + self.lease))

    async def reap(self) -> int:
        """Return jobs whose lease has run out to work, and those that a clock ahead made; how many there were.

        Lanes get the turns that they lack.
        """
        now = self.clock()
        stepped = self._watch.went_back(now)
        whole = stepped or now - self._swept >= SWEEP
        doubtful = whole and self._watch.doubts()
        agreed = self._terms if self._terms_are_new else None

        def operation(connection: Connection) -> int:
            if agreed is not None:
                lanes.agree(connection, agreed)
            returned = jobs.reap(connection, now)
            if doubtful:
                returned += clock_steps.undo(connection, now, stepped=stepped)
            turns.sweep(connection, now, whole=whole)
            return returned

        returned = await self.database.write(operation)
        self._swept = now if whole else self._swept
        self._terms_are_new = self._terms_are_new and self._terms is not agreed
        return returned

    async def judge(self, document_id: str, changes: Changes) -> bool:
        """Write a decision about a document that is under review; False when it is not, any more.

        Two who decide at once get one answer each: one of them is late. Raises NaturalKeyTaken.
        """
        held = select(document.c.review).where(document.c.id == document_id).with_for_update()
        return await self._decide(lambda connection, _: connection.execute(held).scalar() is not None, changes)

    async def move_dead(self, letter: DeadLetter, changes: Changes, *, again: bool) -> bool:
        """Put a dead letter back to work, or aside, with what follows from it; False when it stands otherwise now.

        Raises NaturalKeyTaken.
        """
        return await self._decide(partial(jobs.move_dead, letter=letter, again=again), changes)

    async def _decide(self, stands: Callable[[Connection, datetime], bool], changes: Changes) -> bool:
        """Write what somebody decided, if what it was decided about still stands so; whether it did."""
        now = self.clock()

        def operation(connection: Connection) -> bool:
            if not stands(connection, now):
                return False
            self._add_lanes(connection, changes, now)
            changing.write(connection, changes, {}, now, announcer=self.announcer())
            return True

        decided = await self.database.write(operation)
        if decided:
            self._committed(changes)
        return decided

    async def resume(self, partner: str | None, *, by: str, reason: str) -> int:
        """Put held documents (of one partner) back to work, whatever they wait for; how many there were."""
        now = self.clock()

        def operation(connection: Connection) -> int:
            facts = holds.release(connection, partner=partner, by=by, reason=reason, now=now)
            changing.write(connection, Changes(events=tuple(facts)), {}, now)
            return len(facts)

        return await self.database.write(operation)

    async def put(self, versions: Iterable[Version]) -> int:
        """Keep the agreements, maps and guides that are not kept yet; how many were new."""
        new = [one for one in versions if (one.kind, one.hash, one.name) not in self._shelved]
        if not new:
            return 0
        added = await self.database.write(partial(shelf.put, versions=new, now=self.clock()))
        self._shelved.update((one.kind, one.hash, one.name) for one in new)
        return added

    def spool(self, *, kept: bool = False) -> SpoolFile:
        """A new file for what is too large for memory; `kept` says that it is meant for a message. It blocks."""
        return self.payloads.spool(kept=kept)

    async def warn(self, warnings: Sequence[CertificateExpiring]) -> tuple[CertificateExpiring, ...]:
        """Put warnings on the trail that no node has given before; those."""
        now = self.clock()

        def operation(connection: Connection) -> tuple[CertificateExpiring, ...]:
            new = tuple(one for one in warnings if certificates.first_warning(connection, one, now))
            changing.write(connection, Changes(events=new), {}, now, announcer=self.announcer())
            return new

        new = await self.database.write(operation)
        self._committed(Changes(events=new))
        return new

    async def check(self) -> None:
        """Raises OurFault when the database does not answer, or has another schema."""
        await self.database.read(schema.check)

    async def unfinished(self) -> dict[str, int]:
        """How many jobs are ready, waiting, running and dead."""
        return await self.database.read(jobs.unfinished)

    async def figures(self) -> WorkFigures:
        """Everything a monitor shows of the work; the cost grows with what waits."""
        return await self.database.read(partial(figures.figures, clock=self.clock, cap=self.cap))

    async def _write(self, changes: Changes, ending: Callable[..., None] | None) -> None:
        kept, now = await self._keep(changes), self.clock()
        lease = self._lease(changes, now)
        unnamed: list[tuple[str, str]] = []

        def operation(connection: Connection) -> None:
            if ending is not None:
                ending(connection, now=now)
            self._add_lanes(connection, changes, now)
            unnamed[:] = changing.replaced(connection, changes, kept)
            changing.write(connection, changes, kept, now, **self._with(lease))

        try:
            await self._commit(operation, changes, lease)
        except (NaturalKeyTaken, LeaseLost):
            await self._discard(changes, kept)
            raise
        self._committed(changes)
        for sha256, message_id in unnamed:
            await asyncio.to_thread(self.payloads.remove, sha256, message_id, "raw")

    def _with(self, lease: leases.Lease | None) -> dict[str, Any]:
        """What writing changes needs to know besides them."""
        return {"lease": lease, "terms": self._terms or plain, "announcer": self.announcer()}

    def _lease(self, changes: Changes, now: datetime) -> leases.Lease | None:
        """What the worker of this process takes of the jobs that are about to be added."""
        if self.taker is None or not changes.jobs or any(new.again_after is not None for new in changes.jobs):
            return None
        room = self.taker.reserve(len(changes.jobs))
        if not room:
            return None
        owner, steps = self.taker.owner, self.taker.steps
        return leases.Lease(owner=owner, steps=steps, room=room, now=now, until=now + self.lease, cap=self.cap)

    async def _commit(self, operation: Operation[T], changes: Changes, lease: leases.Lease | None) -> T:
        """Run `operation`; the worker gets what was leased to it once that is durable, or its room back if it is not.

        Also when the caller is cancelled meanwhile: its work is committed all the same, and would be nobody's.
        """
        collects = changing.collectable(changes)
        if self.taker is None or not changes.jobs:
            return await self.database.write(operation, collects=collects)
        try:
            writing = self.database.begin(operation, collects=collects)
        except OurFault:
            self.taker.take(0 if lease is None else lease.room, (), ())
            raise
        writing.add_done_callback(partial(_hand_over, taker=self.taker, changes=changes, lease=lease))
        return await (writing if lease is None else asyncio.shield(writing))

    def _committed(self, changes: Changes) -> None:
        """It is durable: files of the spool have the store's names now, and need their own no more."""
        for held in (*(new.payload for new in changes.messages), *(new.raw for new in changes.messages)):
            if isinstance(held, SpoolFile):
                held.settle()
        for old in changes.message_updates:
            if isinstance(old.raw, SpoolFile):
                old.raw.settle()
        self._lanes.update(job.lane for job in changes.jobs)
        self.on_commit(changes)

    def _add_lanes(self, connection: Connection, changes: Changes, now: datetime) -> None:
        """Make the lanes that are not known to be there. They become known once the commit is durable."""
        if new := {job.lane for job in changes.jobs} - self._lanes:
            lanes.add(connection, new, now, self._terms)

    async def _keep(self, changes: Changes) -> dict[tuple[str, str], Stored]:
        """Decide where the payloads of `changes` go; large ones are on disk when this returns."""
        wanted = [(new.id, "payload", new.payload) for new in changes.messages]
        wanted += [(new.id, "raw", new.raw) for new in changes.messages if new.raw is not None]
        wanted += [(old.id, "raw", old.raw) for old in changes.message_updates if old.raw is not None]
        known = {(new.id, form): sha256 for new in changes.messages for form, sha256 in new.digests.items()}
        kept: dict[tuple[str, str], Stored] = {}
        try:
            for message_id, form, data in wanted:
                sha256 = known.get((message_id, form))
                if isinstance(data, Numbered):
                    continue  # it is no bytes before the commit
                if not isinstance(data, bytes):
                    kept[message_id, form] = await asyncio.to_thread(self.payloads.take, message_id, form, data)
                elif len(data) > self.payloads.row_limit:
                    kept[message_id, form] = await asyncio.to_thread(self.payloads.keep, message_id, form, data, sha256)
                else:
                    kept[message_id, form] = self.payloads.keep(message_id, form, data, sha256)
        except OurFault:
            await self._discard(changes, kept)
            raise
        return kept

    async def _discard(self, changes: Changes, kept: changing.Kept) -> None:
        """Remove the files of new messages that were not stored. Other faults may hide a commit: see `orphans`."""
        files = [kept[key] for new in changes.messages for key in ((new.id, "payload"), (new.id, "raw")) if key in kept]
        for one in files:
            if one.place == "folder":
                await asyncio.to_thread(self.payloads.remove, one.sha256, one.message_id, one.form)


def _hand_over(
    writing: asyncio.Future[Any], *, taker: leases.Taker, changes: Changes, lease: leases.Lease | None
) -> None:
    """The commit is durable, or failed, or nobody knows: then what it leased comes back when the lease is over."""
    if writing.cancelled() or writing.exception() is not None:
        taker.take(0 if lease is None else lease.room, (), ())
        return
    leased = () if lease is None else tuple(lease.jobs)
    taken = {_work_of(one) for one in leased}
    taker.take(0 if lease is None else lease.room, leased, [one for one in changes.jobs if _work_of(one) not in taken])


def _work_of(job: Job | NewJob) -> tuple[str, str, str | None, str]:
    """What makes two jobs the same."""
    return job.message_id, job.step, job.document_id, job.part


def _nobody_listens(changes: Changes) -> None:
    """The default of `on_commit`."""


def _nobody_counts(job: Job, outcome: str) -> None:
    """The default of `on_attempt`."""


def _nobody_waits(seconds: float) -> None:
    """The default of `on_claim`."""


def _nobody_asked() -> None:
    """The default of `announcer`."""


def _duplicate(connection: Connection, new: NewMessage, now: datetime) -> Accepted:
    """The answer to a message that is stored already, which the first one's trail records."""
    first = queries.one_message(
        connection,
        message.c.id == new.id if new.duplicate_key is None else message.c.duplicate_key == new.duplicate_key,
    )
    if first is None:
        raise OurFault(
            f"Message {new.id} is stored already, with another duplicate key",
            remedy="This is a fault of the gateway: report it with the log.",
        )
    if queries.events_of(connection, first.id, DuplicateReceived.kind, most=MOST_REPEATS) < MOST_REPEATS:
        fact = DuplicateReceived(
            message_id=first.id, partner=first.partner, channel=new.channel.value, key=new.duplicate_key or new.id
        )
        changing.write(connection, Changes(events=(fact,)), {}, now)
    return Accepted(message_id=first.id, duplicate=True, receipt=first.receipt)
