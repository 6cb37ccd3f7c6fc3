"""Messages of the last while are counted by direction and state; nobody's chains are not counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gateway.ports import Direction, MessageState
from gateway.store import Store


async def test_only_what_came_since_then_is_counted(store: Store, trade: Any, clock: Any) -> None:
    """By the time in their ids."""
    await store.accept(trade.received())
    clock.advance(hours=2)
    since = clock()
    for _ in range(2):
        await store.accept(trade.received())
    found = await store.traffic(since)
    assert found.by(Direction.INBOUND) == {MessageState.RECEIVED: 2}
    assert found.by(Direction.OUTBOUND) == {}
    assert (await store.traffic(since - timedelta(hours=3))).by(Direction.INBOUND) == {MessageState.RECEIVED: 3}
