"""The duties that keep what is stored in bounds, as `gateway serve` has them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gateway.ports import Changes
from gateway.settings import Retention
from gateway.store import Store
from gateway.worker import Duties, keeping
from tests.store.conftest import Trade


async def test_the_rules_of_now_count_and_what_came_of_it_is_told(store: Store, clock: Any) -> None:
    """A changed configuration counts from the next run on."""
    settings = SimpleNamespace(retention=Retention())
    loaded: Any = SimpleNamespace(settings=settings, agreements=())
    changes = Trade(clock).received()
    await store.accept(changes)
    (job,) = await store.claim("me", ["read"], 1)
    await store.finish(job, Changes())
    clock.advance(days=10)
    duties = keeping(store, lambda: loaded)
    node = Duties(store, "a", duties, clock=clock)
    for name, duty in duties.items():
        await store.plan_duty(name, duty.every)
    await node.look()
    said = {one.name: one.said for one in await store.schedules()}
    assert said == {
        "retention": "1 finished jobs moved, 0 things purged, 0 kept though due",
        "files": "0 files removed that no message names",
    }
    settings.retention = Retention(payload_days=5)
    assert await duties["retention"].work() == "0 finished jobs moved, 1 things purged, 0 kept though due"
    settings.retention = Retention(finished_days=0)
    assert await duties["retention"].work() == "0 finished jobs moved, 0 things purged, 0 kept though due"
