"""What the store does with replays: chosen, written down, let run, paused, cancelled, followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

from sqlalchemy import Connection

from gateway.events import ReplayBegun, ReplayChanged
from gateway.ports import REPLAYS, Changes, Clock, Message, NewJob
from gateway.ports.replays import Progress, Replay, ReplayItem, ReplayState, Selection
from gateway.store import changes as changing
from gateway.store import lanes, own_chains, replays
from gateway.store.database import Database
from gateway.store.payloads import Payloads

CHUNK = 1000
"""Messages that are written down in one commit."""

_S = ReplayState
_FROM = {
    _S.RUNNING: (_S.PREPARING, _S.RUNNING, _S.PAUSED),
    _S.PAUSED: (_S.RUNNING,),
    _S.CANCELLED: (_S.PREPARING, _S.RUNNING, _S.PAUSED),
}
"""The states that an operator may take a replay from, to each state. Running again: its work may have been given up."""


class _Elsewhere(Exception):  # noqa: N818  an answer, not a mistake
    """It may not be left for the state that was asked for: nothing of the operation holds."""


class ReplayKeeping:
    """Part of `Store`."""

    database: Database
    payloads: Payloads
    clock: Clock

    async def selected(self, wanted: Selection) -> AsyncIterator[Message]:
        """The messages that are meant, from a partner or from our ERP, the oldest first; one page is in memory."""
        after = None
        while True:
            page = await self.database.read(partial(replays.page, wanted=wanted, after=after))
            for one in page:
                yield one
            if len(page) < replays.PAGE:
                return
            after = (page[-1].at, page[-1].id)

    async def purged(self, message_ids: Sequence[str]) -> list[str]:
        """Those of these messages whose bytes are gone."""
        found: list[str] = []
        for start in range(0, len(message_ids), CHUNK):
            some = message_ids[start : start + CHUNK]
            found += await self.database.read(partial(replays.purged, ids=some))
        return found

    async def begin_replay(self, new: Replay, message_ids: Sequence[str]) -> None:
        """Write a replay and its messages down, a part of them in each commit; nothing of it runs yet."""
        await own_chains.begin(self.database, self.payloads, REPLAYS, self.clock())
        fact = ReplayBegun(
            message_id=REPLAYS,
            replay=new.id,
            by=new.by,
            reason=new.why,
            versions=new.versions.value,
            as_new=new.as_new,
            messages=len(message_ids),
        )

        def begun(connection: Connection) -> None:
            replays.add(connection, new)
            changing.write(connection, Changes(events=(fact,)), {}, self.clock())

        await self.database.write(begun)
        numbered = list(enumerate(message_ids, 1))
        for start in range(0, len(numbered), CHUNK):
            some = numbered[start : start + CHUNK]
            await self.database.write(partial(replays.add_items, replay_id=new.id, items=some))

    async def move_replay(self, replay_id: str, state: ReplayState, *, by: str, job: NewJob | None = None) -> bool:
        """Let it run (by `job`), pause or cancel it; False where it stands so that it cannot be."""
        now = self.clock()

        def operation(connection: Connection) -> None:
            # The job's row before the replay's, as the end of its work locks them: one of two who meet waits, and sees
            # what the other one did.
            if job is not None:
                lanes.add(connection, [job.lane], now)
                changing.write(connection, Changes(jobs=(job,)), {}, now)
            if not replays.move(connection, replay_id, state, _FROM[state], now):
                raise _Elsewhere
            done = replays.progress(connection, replay_id).done
            fact = ReplayChanged(message_id=REPLAYS, replay=replay_id, state=state.value, by=by, done=done)
            changing.write(connection, Changes(events=(fact,)), {}, now)

        try:
            await self.database.write(operation)
        except _Elsewhere:
            return False
        return True

    async def replay(self, replay_id: str) -> Replay | None:
        """One of them."""
        return await self.database.read(partial(replays.one, replay_id=replay_id))

    async def replays(self, limit: int = 50) -> list[Replay]:
        """The newest first."""
        return await self.database.read(partial(replays.every, limit=limit))

    async def replay_item(self, replay_id: str, number: int) -> ReplayItem | None:
        """One message of it."""
        return await self.database.read(partial(replays.item, replay_id=replay_id, number=number))

    async def replay_items(self, replay_id: str, *, after: int = 0, limit: int = 500) -> list[ReplayItem]:
        """Messages of it in their order."""
        return await self.database.read(partial(replays.items, replay_id=replay_id, after=after, limit=limit))

    async def next_of_replay(self, replay_id: str) -> ReplayItem | None:
        """The first message about which nothing is known yet."""
        return await self.database.read(partial(replays.next_item, replay_id=replay_id))

    async def replay_progress(self, replay_id: str) -> Progress:
        """How far it is."""
        return await self.database.read(partial(replays.progress, replay_id=replay_id))
