"""The duties that keep what is stored in bounds: retention by the rules, and payload files that belong to nothing.

The rules are asked for each time, so that a changed configuration counts from the next run on. Nothing is removed while
the clock may be wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.partners.retention import Policy
from gateway.partners.workspace import Workspace
from gateway.worker.believing import Belief
from gateway.worker.duties import Duty

if TYPE_CHECKING:
    from gateway.store import Store

RETENTION_EVERY = timedelta(hours=6)
FILES_EVERY = timedelta(days=1)
BY = "gateway"
"""Who is recorded for what the rules alone had removed."""


def keeping(
    store: Store, current: Callable[[], Workspace], *, steady: Callable[[], float] = time.monotonic
) -> dict[str, Duty]:
    """The duties by name."""
    belief = Belief(store.clock, store.clock_ahead, steady=steady)

    async def retention() -> str:
        await belief.check()
        loaded = current()
        days, moved = loaded.settings.retention.finished_days, 0
        if days:
            moved = (await store.move_finished(timedelta(days=days))).jobs
        lines = await store.purge_due(Policy.of(loaded.settings, loaded.agreements), by=BY, reason="retention")
        gone = sum(one.items for one in lines if one.kept is None)
        kept = sum(one.items for one in lines if one.kept is not None)
        await store.give_back()
        return f"{moved} finished jobs moved, {gone} things purged, {kept} kept though due"

    async def files() -> str:
        return f"{await store.sweep_files()} files removed that no message names"

    return {
        "retention": Duty(every=RETENTION_EVERY, work=retention),
        "files": Duty(every=FILES_EVERY, work=files),
    }
