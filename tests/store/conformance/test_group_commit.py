"""Group commit: operations share a commit, and none of them pays for another's mistake."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, text

from gateway.errors import OurFault
from gateway.ports import Changes, MessageUpdate
from gateway.store import Store


async def test_operations_that_are_queued_together_share_a_commit(store: Store, trade: Any) -> None:
    """100 messages need far fewer commits than 100, and each is durable when its call returns."""
    before = store.database.commits
    await asyncio.gather(*(store.accept(trade.received()) for _ in range(100)))
    assert store.database.commits - before <= 20
    assert len(await store.messages(limit=1000)) == 100


async def test_an_operation_that_fails_takes_nothing_else_with_it(store: Store, trade: Any) -> None:
    """Its own writes are undone, its neighbours in the same commit are kept."""
    good = [trade.received() for _ in range(10)]
    bad = [Changes(messages=(trade.message(),), message_updates=(MessageUpdate(id="nobody", mic="x"),))] * 5
    mixed = [store.accept(one) for one in good] + [store.apply(one) for one in bad]
    results = await asyncio.gather(*mixed, return_exceptions=True)
    assert sum(isinstance(result, OurFault) for result in results) == 5
    assert {message.id for message in await store.messages()} == {one.messages[0].id for one in good}


async def test_a_programming_error_in_an_operation_reaches_its_caller_only(store: Store) -> None:
    """The writer goes on."""

    def broken(connection: Connection) -> None:
        connection.execute(text("INSERT INTO lane (name, failures, served_at) VALUES ('x', 0, 0)"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.database.write(broken)
    assert await store.lanes() == []
