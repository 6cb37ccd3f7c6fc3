"""Rows that a batch writes together: nobody pays for another's mistake, and nothing is read before it is written."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.ports import Changes, NewJob
from gateway.store import Store


async def test_a_row_that_cannot_be_written_fails_its_own_operation_only(store: Store, trade: Any, clock: Any) -> None:
    """A job of a message that is not stored, among good ones in the same batch; each good one is kept whole, once."""
    good = [trade.received() for _ in range(20)]
    orphan = NewJob(message_id="nobody", step="read", lane="acme:inbound:read", run_at=clock())
    unwritable = NewJob(message_id=good[0].messages[0].id, step="x", lane="l", run_at=clock(), data={"x": object()})
    operations = [store.accept(one) for one in good]
    operations[5:5] = [store.apply(Changes(jobs=(job,))) for job in (orphan, unwritable)]
    results = await asyncio.gather(*operations, return_exceptions=True)
    assert [index for index, result in enumerate(results) if isinstance(result, BaseException)] == [5, 6]
    for one in good:
        assert len(await store.timeline(message_id=one.messages[0].id)) == 1
        assert await store.payload(one.messages[0].id) == b"ISA*"
    assert len(await store.claim("me", ["read"], 64)) == 16


async def test_a_duplicate_sees_the_receipt_of_a_message_of_its_own_batch(store: Store, trade: Any) -> None:
    """The first one's receipt was collected and not written yet when the second one came."""
    others = [store.accept(trade.received()) for _ in range(5)]
    first, *_, again = await asyncio.gather(
        store.accept(trade.received(duplicate_key="k")), *others, store.accept(trade.received(duplicate_key="k"))
    )
    assert again.duplicate
    assert again.receipt == first.receipt


async def test_a_claim_in_the_same_batch_gets_the_jobs_that_came_before_it(store: Store, trade: Any) -> None:
    """What was collected is written before an operation that reads it."""
    accepts = [store.accept(trade.received()) for _ in range(5)]
    *_, claimed = await asyncio.gather(*accepts, store.claim("me", ["read"], 10))
    rest = await store.claim("me", ["read"], 10)
    assert len(claimed) + len(rest) == 5
