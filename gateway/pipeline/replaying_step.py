"""The `replay` step: one message of a replay, then the next one; what is decided and how far it is are one commit.

One message of a replay is worked at a time, in the order they came, each by a job that the one before it added. So a
replay goes on where it was after a crash, and stops at the next message when it is paused or cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.errors import OurFault
from gateway.events import Event, ReplayChanged
from gateway.pipeline import at_hand, identity, replaying
from gateway.pipeline.lanes import REPLAY
from gateway.pipeline.replaying_plan import Decided, How
from gateway.pipeline.station import Station
from gateway.ports import REPLAYS, Changes, Job, Message, NewJob
from gateway.ports.lanes import LOWEST
from gateway.ports.replays import Replay, Replayed, ReplayItem, ReplayState

STEP = "replay"
MOST_TRIES = 3
"""Of one message that takes its worker down, or is never decided: the replay goes on without it."""
MOST_TOLD = 100
"""Documents of one message whose outcome is kept with the replay."""


async def replay(station: Station, job: Job) -> Changes:
    """Work the job's message again. Raises OurFault where the replay is not in the store."""
    wanted = await station.queries.replay(job.document_id or "")
    if wanted is None:
        raise OurFault(f"replay {job.document_id} is not in the store", remedy="gateway audit verify")
    number = int(job.data.get("number", 0))
    mine = await station.queries.replay_item(wanted.id, number)
    if wanted.state is not ReplayState.RUNNING:
        return Changes(called=False, replayed=Replayed(replay_id=wanted.id, item=None))
    if mine is None:
        return Changes(called=False)
    message = await at_hand.message_of(station, job)
    how = how_of(wanted)
    if mine.outcome is not None:  # it was resumed at the same moment
        decided = Decided(planned=(), changes=Changes())
    elif job.tries > MOST_TRIES:
        decided = replaying.failed(message, how, f"it was tried {MOST_TRIES} times and never ended; the log says why")
    else:
        decided = await replaying.decide(station, message, how)
    following = await station.queries.replay_item(wanted.id, number + 1)
    item = mine if mine.outcome is not None else _item(mine, decided)
    changes = decided.changes
    return replace(
        changes,
        called=False,
        replayed=Replayed(replay_id=wanted.id, item=item, last=following is None, unheld=decided.unheld),
        jobs=(*changes.jobs, *(() if following is None else await _next(station, wanted, following))),
        events=(*changes.events, *_ended(wanted, item, last=following is None)),
    )


def how_of(wanted: Replay) -> How:
    """What was asked for."""
    return How(replay_id=wanted.id, versions=wanted.versions, as_new=wanted.as_new, by=wanted.by, why=wanted.why)


async def _next(station: Station, wanted: Replay, item: ReplayItem) -> Sequence[NewJob]:
    message = await station.queries.message(item.message_id)
    if message is None:
        raise OurFault(f"message {item.message_id} is not in the store", remedy="gateway audit verify")
    return (job_of(wanted.id, item, message, station.clock()),)


def job_of(replay_id: str, item: ReplayItem, message: Message, now: datetime, *, again: bool = False) -> NewJob:
    """The work on one message of a replay; `again` where it may have ended before."""
    return NewJob(
        message_id=item.message_id,
        document_id=replay_id,
        step=STEP,
        lane=identity.inbound_lane(message.partner or "", REPLAY),
        run_at=now,
        data={"number": item.number},
        again_after=timedelta(0) if again else None,
        priority=LOWEST,
    )


def _item(mine: ReplayItem, decided: Decided) -> ReplayItem:
    told = tuple(
        {
            "document": one.kind,
            "number": one.number,
            "act": one.act.value,
            "why": one.why,
            "targets": {call.target: call.act.value for call in one.calls},
        }
        for one in decided.planned[:MOST_TOLD]
    )
    return replace(mine, outcome=decided.outcome.value, told=told)


def _ended(wanted: Replay, item: ReplayItem, *, last: bool) -> tuple[Event, ...]:
    if not last:
        return ()
    done = ReplayChanged(
        message_id=REPLAYS, replay=wanted.id, state=ReplayState.DONE.value, by=wanted.by, done=item.number
    )
    return (done,)
