"""The worker: claims due jobs and runs their handlers side by side. All state is in the store; here is only the moment.

A handler's changes and the end of its job are one commit. What a failure leads to stands in `outcomes`. A worker that
dies loses nothing: leases run out and jobs return. Waking is a hint that saves waiting; polling is the truth.

While nothing waits, commits of this process lease it their new jobs (`reserve`, `take`) and there is nothing to claim.
What it knows of waiting work is a hint, too: lanes whose jobs it could not take are looked at when one of theirs ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random as randomness
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.errors import OurFault, Outcome, PartnerFault
from gateway.ports import Awaited, Changes, Clock, Job, LeaseLost, NaturalKeyTaken, NewJob, new_id
from gateway.worker.breaker import Breaker
from gateway.worker.outcomes import Unrecorded, Verdict, facts, judge, wait
from gateway.worker.retry import Schedule

if TYPE_CHECKING:
    from gateway.store import Store

Handler = Callable[[Job], Awaitable[Changes]]
"""Does one step. Its Changes are written with the end of the job. It may run twice: its effects have an identity."""
OnDead = Callable[[Job], Changes]
"""What changes besides when a job of this step is given up: the state of a document or message."""

OnFailed = Callable[[Job, Outcome, str, bool], Changes]
"""What changes besides when a try of this step failed: its outcome, the reason, and whether the job is given up."""

SHORTEST_POLL, LONGEST_POLL = 0.2, 1.0
SOONEST = 0.002
"""Seconds before the next look where a lane's turn is near, of a rate or a retry."""
DECISIONS = 20
"""How often a step is decided anew when another document took its natural key, or answered its order, meanwhile."""
AGAIN = 0.01
"""Seconds between two decisions, at most, and so much more each time: many answers of one order come one by one."""
DUTIES_EVERY = 5.0
MOST_TRIES = 200
"""A job that was tried more often than any schedule does takes its process down each time: it is given up unrun."""

log = logging.getLogger(__name__)


class Worker:
    """`run` until `stop`. `concurrency` bounds the handlers running at once; lanes have their own caps in the store."""

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        owner: str,
        on_dead: Mapping[str, OnDead] | None = None,
        on_failed: Mapping[str, OnFailed] | None = None,
        concurrency: int = 64,
        schedule: Schedule | Callable[[Job], Schedule] | None = None,
        breaker: Breaker | None = None,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self._store = store
        self._handlers = dict(handlers)
        self._clock = clock
        self.owner = owner
        self.steps = frozenset(handlers)
        self._on_dead = dict(on_dead or {})
        self._on_failed = dict(on_failed or {})
        self._concurrency = concurrency
        own = schedule or Schedule()
        self._schedule = own if callable(own) else lambda _: own
        self._breaker = breaker or Breaker()
        self._random = random
        self._running: dict[asyncio.Task[None], Job] = {}
        self._leased: dict[asyncio.Task[None], datetime] = {}
        self._returning: set[asyncio.Task[None]] = set()
        self._unended: list[Job] = []
        """Run, and their end could not be written: they are given back as soon as anything can be."""
        self._troubled: frozenset[str] = frozenset()
        self._reserved = 0
        """Room kept for commits that are under way."""
        self._behind = True
        """More work was due than there was room for."""
        self._waiting: set[str] = set()
        """Lanes where jobs may wait for room."""
        self._freed: set[str] = set()
        """Lanes where a job ended since the last claim."""
        self.aside: Callable[[], bool] = lambda: False
        """Whether other nodes are left to do the work, see `accord`."""
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """There may be work now: look at once."""
        self._woken.set()

    async def run(self) -> None:
        """Work until `stop`."""
        duties = asyncio.create_task(self._duties(), name="worker-duties")
        poll = SHORTEST_POLL
        try:
            while not self._stopping.is_set():
                woken = self._woken.is_set()
                self._woken.clear()
                claimed = await self._claim()
                if self._stopping.is_set():  # stopped while it claimed: nobody would wait for these
                    await self._release(claimed, begun=False)
                    break
                self._start(claimed)
                poll = SHORTEST_POLL if claimed or woken or self._waiting else min(poll * 1.5, LONGEST_POLL)
                if claimed and self._free() > 0:
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._pause(poll))
        finally:
            duties.cancel()
            await asyncio.gather(duties, return_exceptions=True)

    def _pause(self, poll: float) -> float:
        """How long to wait before the next look: until a lane's next turn, where that is known to come sooner."""
        turn = self._store.next_turn
        if turn is None or self._free() < 1:
            return poll
        return min(poll, max(SOONEST, (turn - self._clock()).total_seconds()))

    async def stop(self, *, grace: float = 20.0) -> None:
        """Claim nothing more, give running handlers `grace` seconds, then cancel them and return their jobs."""
        self._stopping.set()
        self.wake()
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=grace)
        left = dict(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._release((*left.values(), *self._unended))
        await asyncio.gather(*self._returning)

    async def _release(self, jobs: Iterable[Job], *, begun: bool = True) -> None:
        for job in jobs:
            with contextlib.suppress(LeaseLost, OurFault):
                await self._store.release(job, begun=begun)

    def reserve(self, wanted: int) -> int:
        """Room for jobs of a commit; none while other work may be waiting, which goes first."""
        if self._behind or self._stopping.is_set() or self.aside():
            return 0
        room = max(0, min(wanted, self._free()))
        self._reserved += room
        return room

    def take(self, reserved: int, leased: Sequence[Job], left: Sequence[NewJob]) -> None:
        """Start what a commit leased to this worker; look for what it left."""
        self._reserved -= reserved
        if self._stopping.is_set():
            if leased:
                task = asyncio.create_task(self._release(leased, begun=False))
                self._returning.add(task)
                task.add_done_callback(self._returning.discard)
            return
        self._start(leased)
        now = self._clock()
        lanes = {new.lane for new in left if new.run_at <= now and new.step in self._handlers}
        if not lanes:
            return
        self._waiting |= lanes
        if len(leased) >= reserved:  # more room would have taken more
            self._behind = True
        if self._behind or not lanes <= {job.lane for job in self._running.values()}:
            self.wake()

    def _free(self) -> int:
        return self._concurrency - len(self._running) - self._reserved

    def _start(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            task = asyncio.create_task(self._work(job), name=f"job-{job.id}")
            self._running[task], self._leased[task] = job, self._clock()
            task.add_done_callback(self._ended)

    async def _claim(self) -> list[Job]:
        free = self._free()
        if free < 1 or self.aside():
            return []
        freed, self._freed = self._freed, set()
        self._waiting -= freed
        try:
            claimed = await self._store.claim(self.owner, tuple(self._handlers), free)
        except OurFault as fault:
            log.error("No work can be claimed: %s %s", fault, fault.remedy)  # noqa: TRY400  ours, expected
        except Exception:
            log.exception("No work can be claimed")
        else:
            self._waiting.update(job.lane for job in claimed)
            self._behind = len(claimed) >= free
            return claimed
        self._waiting |= freed
        return []

    def _ended(self, task: asyncio.Task[None]) -> None:
        job = self._running.pop(task)
        self._leased.pop(task, None)
        self._freed.add(job.lane)
        if self._behind or job.lane in self._waiting:
            self.wake()

    async def _work(self, job: Job) -> None:
        try:
            try:
                called = await self._decide(job)
            except LeaseLost:
                raise
            except Exception as fault:  # noqa: BLE001  whatever a handler raises is judged
                await self._failed(job, fault)
            else:
                if called and job.lane in self._troubled:
                    await self._store.lane_succeeded(job.lane)
                    self._troubled -= {job.lane}
        except LeaseLost as lost:
            log.warning("%s; its outcome here is dropped", lost)
        except Exception:
            log.exception("Job %s (%s) could not be ended; it will return", job.id, job.step)
            self._unended.append(job)

    async def _decide(self, job: Job) -> bool:
        """Run the handler and write what it decided; decide anew when a natural key was taken meanwhile.

        False when it called nobody: that says nothing of its lane's far side.
        """
        if job.tries > MOST_TRIES:
            raise PartnerFault(f"It was tried {job.tries} times and never came to an end")
        for decision in range(1, DECISIONS + 1):
            changes = await self._handlers[job.step](job)
            try:
                if changes.awaited is not None:
                    await self._await(job, changes, changes.awaited)
                elif (later := changes.comes_back) is not None:
                    await self._store.postpone(
                        job, outcome="done", reason=later.reason, run_at=later.at, changes=changes
                    )
                else:
                    await self._store.finish(job, changes)
            except NaturalKeyTaken:
                if decision == DECISIONS:
                    raise
                await asyncio.sleep(self._random() * AGAIN * (decision - 1))
            except LeaseLost:
                raise
            except Exception as fault:
                if changes.called and job.step in self._on_failed:  # never a blind repeat, as where no answer came
                    raise Unrecorded(f"the call was made, and how it ended could not be written: {fault}") from fault
                raise
            else:
                return changes.called
        return True

    async def _await(self, job: Job, changes: Changes, awaited: Awaited) -> None:
        """Keep the job until what it waits for should be here; no failure of anybody's, so no lane pauses for it."""
        verdict = wait(job, awaited, now=self._clock(), random=self._random, schedule=self._schedule(job))
        if verdict.run_at is None:
            await self._write_down(job, verdict, changes)
        else:
            outcome, reason = verdict.outcome.value, verdict.reason
            await self._store.postpone(job, outcome=outcome, reason=reason, run_at=verdict.run_at, changes=changes)

    async def _failed(self, job: Job, fault: Exception) -> None:
        now = self._clock()
        reference = new_id(now)
        verdict = judge(job, fault, now=now, random=self._random, schedule=self._schedule(job), reference=reference)
        if verdict.reason.endswith(reference):
            log.error("Step %s of message %s, reference %s", job.step, job.message_id, reference, exc_info=fault)
        else:
            log.warning("Step %s of message %s: %s", job.step, job.message_id, verdict.reason)
        if verdict.delivery and verdict.outcome is not Outcome.PERMANENT:
            # Before the job is ended: its end makes room in the lane, and the next one must find it paused.
            await self._store.lane_failed(job.lane, self._breaker.pause_for)
            self._troubled |= {job.lane}
        await self._write_down(job, verdict)

    async def _write_down(self, job: Job, verdict: Verdict, decided: Changes | None = None) -> None:
        """Postpone the job or give it up. `decided` is what the handler changed besides."""
        events = facts(job, verdict)
        outcome, reason = verdict.outcome.value, verdict.reason
        changes = Changes()
        if job.step in self._on_failed:
            changes = self._on_failed[job.step](job, verdict.outcome, reason, verdict.run_at is None)
        elif verdict.run_at is None and job.step in self._on_dead:
            changes = self._on_dead[job.step](job)
        changes = replace(changes, events=(*events, *changes.events))
        if verdict.run_at is not None:
            await self._store.postpone(job, outcome=outcome, reason=reason, run_at=verdict.run_at, changes=changes)
            return
        if decided is not None:
            changes = replace(
                decided,
                awaited=None,
                message_updates=(*decided.message_updates, *changes.message_updates),
                document_updates=(*decided.document_updates, *changes.document_updates),
                deliveries=(*decided.deliveries, *changes.deliveries),
                jobs=(*decided.jobs, *changes.jobs),
                events=(*decided.events, *changes.events),
            )
        await self._store.bury(job, outcome=outcome, reason=reason, changes=changes)

    async def _give_back(self) -> None:
        """Return the jobs whose end could not be written, as lost: what they did, nobody has written down."""
        while self._unended:
            with contextlib.suppress(LeaseLost):
                await self._store.release(self._unended[0])
            self.wake()
            del self._unended[0]

    async def _duties(self) -> None:
        """Return expired leases, renew those of handlers that take long, look which lanes are in trouble."""
        lease = self._store.lease.total_seconds()
        beat = min(DUTIES_EVERY, lease / 4)
        while True:
            try:
                if await self._store.reap():
                    self.wake()
                await self._give_back()
                self._troubled = await self._store.troubled_lanes()
            except OurFault as fault:
                log.error("The worker's duties failed: %s %s", fault, fault.remedy)  # noqa: TRY400  ours, expected
            except Exception:
                log.exception("The worker's duties failed")
            now = self._clock()
            for task, job in tuple(self._running.items()):
                if (now - self._leased.get(task, now)).total_seconds() < lease / 3:
                    continue
                try:
                    await self._store.extend(job)
                    if task in self._leased:
                        self._leased[task] = now
                except LeaseLost:
                    if not task.done():
                        log.warning("Job %s (%s) was given to another worker: stopped here", job.id, job.step)
                        task.cancel()
                except Exception:
                    log.exception("The lease of job %s could not be renewed", job.id)
            await asyncio.sleep(beat)
