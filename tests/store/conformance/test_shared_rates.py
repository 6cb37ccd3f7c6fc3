"""A target's rate holds over all lanes of the target, whoever claims."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.ports import Changes, Terms
from gateway.store import Store

LANES = [f"partner-{number}:inbound:erp" for number in range(12)]


def shared(rate: str) -> Any:
    """All lanes of the target together."""
    return lambda _: Terms(rate=rate, shared="erp")


async def queued(store: Store, trade: Any, *lanes: str, each: int) -> None:
    """Work in lanes."""
    await asyncio.gather(*(store.accept(trade.received(lane=lane)) for lane in lanes for _ in range(each)))


@pytest.fixture
async def nodes(database_url: str, tmp_path: Path, clock: Any) -> AsyncIterator[list[Store]]:
    """Two processes on one database."""
    serve = database_url.startswith("postgresql")
    opened = [await Store.open(database_url, payloads=tmp_path, clock=clock, serve=one) for one in (True, serve)]
    yield opened
    for store in opened:
        await store.close()


async def test_lanes_of_one_target_share_its_rate_over_nodes(nodes: list[Store], trade: Any, clock: Any) -> None:
    """Within 5 % over seconds, and each lane gets its part."""
    for store in nodes:
        store.agree(shared("20/second burst 2"))
    await queued(nodes[0], trade, *LANES, each=15)
    started, given = clock(), Counter[str]()
    for _ in range(50):
        clock.advance(seconds=0.1)
        claims = await asyncio.gather(*(nodes[n % 2].claim(f"node-{n}", ["read"], 64) for n in range(3)))
        for store, jobs in zip((*nodes, nodes[0]), claims, strict=True):
            for job in jobs:
                given[job.lane] += 1
                await store.finish(job, Changes())
    seconds = (clock() - started).total_seconds()
    assert 0.95 * 20 * seconds <= given.total() <= 1.05 * 20 * seconds
    assert set(given) == set(LANES)
    assert min(given.values()) >= given.total() / len(LANES) / 3, given


async def test_a_claim_tells_when_the_next_shared_token_is_there(store: Store, trade: Any, clock: Any) -> None:
    """A worker waits so long and no longer, and other lanes do not wait with those."""
    store.agree(lambda name: Terms(rate="6/minute", shared="erp") if name.endswith("erp") else Terms())
    await queued(store, trade, *LANES[:3], each=2)
    assert len(await store.claim("me", ["read"], 64)) == 1
    assert await store.claim("me", ["read"], 64) == []
    assert store.next_turn is not None
    assert timedelta(seconds=9.9) < store.next_turn - clock() <= timedelta(seconds=10)
    await queued(store, trade, "acme:inbound:other", each=3)
    assert {job.lane for job in await store.claim("me", ["read"], 64)} == {"acme:inbound:other"}
    clock.advance(seconds=10)
    assert len(await store.claim("me", ["read"], 64)) == 1


async def test_many_lanes_without_a_token_hold_nobody_up(store: Store, trade: Any) -> None:
    """More than a claim looks at, and longer waiting."""
    store.agree(lambda name: Terms(rate="1/hour", shared="erp") if name.endswith("erp") else Terms())
    await queued(store, trade, *(f"many-{number}:inbound:erp" for number in range(80)), each=1)
    await queued(store, trade, "acme:inbound:other", each=1)
    found = [job.lane for _ in range(2) for job in await store.claim("me", ["read"], 64)]
    assert (len(found), "acme:inbound:other" in found) == (2, True), found


async def test_an_operators_rate_takes_a_lane_out_of_the_shared_one(store: Store, trade: Any) -> None:
    """And None puts it back."""
    store.agree(shared("1/hour"))
    await queued(store, trade, *LANES[:2], each=2)
    assert len(await store.claim("me", ["read"], 64)) == 1
    for lane in LANES[:2]:
        await store.rate_lane(lane, "unlimited", by="ann")
    assert len(await store.claim("me", ["read"], 1)) == 1
    for lane in LANES[:2]:
        await store.rate_lane(lane, None, by="ann")
    assert await store.claim("me", ["read"], 64) == []


async def test_a_rate_that_is_agreed_anew_holds_at_once(store: Store, trade: Any) -> None:
    """A new bucket is full; without a rate there is none."""
    store.agree(shared("1/hour"))
    await queued(store, trade, *LANES[:3], each=3)
    assert len(await store.claim("me", ["read"], 64)) == 1
    store.agree(shared("2/second"))
    await store.reap()
    assert len(await store.claim("me", ["read"], 64)) == 2
    store.agree(lambda _: Terms())
    await store.reap()
    assert len(await store.claim("me", ["read"], 64)) == 6
