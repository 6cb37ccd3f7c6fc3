"""A clock that was ahead and is back: what was due at once when it was made is due now, not an hour later.

Only work that waits for something (a wait key) is ever made for later. So a ready job that was to begin after now was
made by a clock ahead of this one; an event likewise; and a breaker's pause or a rate's next token may be as wrong. A
pause by an operator is a time that somebody said: it stands.

Looked for when a process starts to work, when its clock has gone back, and when another node is gone: not always, for
it reads whatever is due later. A `Watch` knows whether the clock has.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Connection, bindparam, or_, select, type_coerce, update

from gateway.ports import JobState
from gateway.store import turns
from gateway.store.tables import EPOCH, Moment, job, lane, outbox, shared_rate

MOST = 1000
"""Jobs, or lanes, of one statement."""
AFTERWARDS = 4
"""So many looks follow a step."""


_NOW = bindparam("now", type_=Moment)
# By as much as the job's beginning was ahead: one that was tried keeps the pause before its next try.
_shifted = type_coerce(job.c.due_at, BigInteger) - type_coerce(job.c.first_run_at, BigInteger) + _NOW


class Watch:
    """Whether the clock went back since the last look, and whether work may still come from before it did."""

    def __init__(self) -> None:
        self._last = EPOCH
        self._doubts = 1
        """So often it is still looked for. At the start once: nobody knows what the process before this one had."""

    def went_back(self, now: datetime) -> bool:
        """Look at the clock, every few seconds. A step smaller than that delays nothing by more."""
        stepped = now < self._last
        self._last = now
        if stepped:
            self._doubts = AFTERWARDS
        return stepped

    def doubts(self) -> bool:
        """Whether to look at what there is. A step of work that began before the clock went back may end after it."""
        self._doubts -= 1
        return self._doubts >= 0


def undo(connection: Connection, now: datetime, *, stepped: bool) -> int:
    """Make due what a clock ahead of `now` made; how many jobs. Lanes that another node has locked are left to it.

    `stepped`: it is known that the clock went back. Else pauses and rates are left alone unless such a job is found.
    """
    ahead = (
        select(job.c.id)
        # By lane, because the index of what is due is by lane.
        .where(job.c.lane.in_(select(lane.c.name)), job.c.due_at > now, job.c.first_run_at > now)
        .where(job.c.wait_key.is_(None), job.c.state == JobState.READY.value)
        .order_by(job.c.id)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    count = 0
    while found := connection.execute(ahead).scalars().all():
        connection.execute(
            update(job).where(job.c.id.in_(found)).values(due_at=_shifted, first_run_at=_NOW), {"now": now}
        )
        count += len(found)
    connection.execute(update(outbox).where(outbox.c.due_at > now, outbox.c.at > now).values(due_at=now, at=now))
    if not count and not stepped:
        return 0
    late = or_(lane.c.paused_until > now, lane.c.tokens_at > now, lane.c.due_at.is_(None), lane.c.due_at > now)
    locked = select(lane.c.name).where(late).order_by(lane.c.name).with_for_update(skip_locked=True, key_share=True)
    names = connection.execute(locked).scalars().all()
    for start in range(0, len(names), MOST):
        some = names[start : start + MOST]
        its = lane.c.name.in_(some)
        for column in (lane.c.paused_until, lane.c.tokens_at):
            connection.execute(update(lane).where(its, column > now).values({column.name: now}))
        turns.settle(connection, some, now)
    connection.execute(update(shared_rate).where(shared_rate.c.tokens_at > now).values(tokens_at=now))
    return count
