"""Two processes on one database: nodes on PostgreSQL, a server and a command beside it on SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.ports import Changes, Job, LeaseLost, Terms
from gateway.store import Store
from tests.store.conformance.rooms import worker

LANE = "acme:inbound:erp"


@pytest.fixture
async def nodes(database_url: str, tmp_path: Path, clock: Any) -> AsyncIterator[list[Store]]:
    """Both have the file open; only the first has SQLite's lock."""
    serve = (True, database_url.startswith("postgresql"))
    opened = [await Store.open(database_url, payloads=tmp_path, clock=clock, serve=one) for one in serve]
    yield opened
    for store in opened:
        await store.close()


async def queued(store: Store, trade: Any, count: int, lane: str = LANE) -> list[str]:
    """Messages with a job each, one after the other."""
    changes = [trade.received(lane=lane) for _ in range(count)]
    for one in changes:
        await store.accept(one)
    return [one.messages[0].id for one in changes]


async def test_nodes_claim_from_one_queue_without_sharing_a_job(nodes: list[Store], trade: Any) -> None:
    """And together they keep to the lane's cap."""
    await asyncio.gather(*(nodes[0].accept(trade.received(lane="a")) for _ in range(30)))
    claims = await asyncio.gather(*(nodes[turn % 2].claim(f"node-{turn % 2}", ["read"], 5) for turn in range(12)))
    given = [job.id for jobs in claims for job in jobs]
    given += [job.id for job in await nodes[0].claim("node-0", ["read"], 64)]
    assert len(given) == len(set(given)) == 16


async def test_what_one_node_leases_by_its_commits_and_another_claims_is_within_one_cap(
    nodes: list[Store], trade: Any
) -> None:
    """Both count in the database, while the other does."""
    taker = worker(nodes[0])
    await nodes[0].cap_lane(LANE, 5, by="ann")
    claimed: list[Job] = []

    async def claim() -> None:
        for _ in range(6):
            claimed.extend(await nodes[1].claim("other", ["read"], 3))

    async def accept() -> None:
        await asyncio.gather(*(nodes[0].accept(trade.received(lane=LANE)) for _ in range(4)))

    await asyncio.gather(*(accept() for _ in range(5)), claim())
    claimed += await nodes[1].claim("other", ["read"], 64)
    given = [job.id for job in (*taker.leased, *claimed)]
    assert len(given) == len(set(given)) == 5


async def test_an_ordered_lane_is_in_order_over_nodes(nodes: list[Store], trade: Any, clock: Any) -> None:
    """They claim at once, fail now and then, and one freezes: each message ends before the next one starts."""
    for store in nodes:
        store.agree(lambda _: Terms(ordered=True))
    ids = await queued(nodes[0], trade, 12)
    ended: list[str] = []
    turn = 0
    while len(ended) < len(ids):
        turn += 1
        claims = await asyncio.gather(*(nodes[n % 2].claim(f"node-{n}", ["read"], 5) for n in range(4)))
        given = [(n, job) for n, jobs in enumerate(claims) for job in jobs]
        assert len(given) <= 1, "one at a time"
        assert turn < 100
        for n, job in given:
            assert job.message_id == ids[len(ended)], "none is passed over"
            match turn % 4:
                case 0:
                    run_at = clock() + timedelta(seconds=1)
                    await nodes[n % 2].postpone(
                        job, outcome="transient", reason="503", run_at=run_at, changes=Changes()
                    )
                case 1 if turn % 3 == 0:
                    clock.advance(seconds=61)
                    assert await nodes[(n + 1) % 2].reap() == 1
                    with pytest.raises(LeaseLost):
                        await nodes[n % 2].finish(job, Changes())
                case _:
                    await nodes[n % 2].finish(job, Changes())
                    ended.append(job.message_id)
        clock.advance(seconds=1)
    assert ended == ids


async def test_an_operator_beside_a_running_node_is_obeyed_by_its_next_claim(nodes: list[Store], trade: Any) -> None:
    """Pause, cap and rate stand in the database."""
    server, command = nodes
    await queued(server, trade, 20)
    await command.pause_lane(LANE, by="ann", why="maintenance")
    assert await server.claim("server", ["read"], 64) == []
    await command.cap_lane(LANE, 3, by="ann")
    await command.resume_lane(LANE, by="ann")
    assert len(await server.claim("server", ["read"], 64)) == 3
    await command.cap_lane(LANE, None, by="ann")
    await command.rate_lane(LANE, "2/hour", by="ann")
    assert len(await server.claim("server", ["read"], 64)) == 1
    assert await server.claim("server", ["read"], 64) == []


async def test_a_breaker_that_one_node_opens_holds_the_other(nodes: list[Store], trade: Any) -> None:
    """And one success of any node closes it."""
    await queued(nodes[0], trade, 3)
    await nodes[0].lane_failed(LANE, lambda _: timedelta(seconds=30))
    assert await nodes[1].claim("other", ["read"], 5) == []
    assert await nodes[1].troubled_lanes() == {LANE}


async def test_many_nodes_together_keep_a_lanes_rate(nodes: list[Store], trade: Any, clock: Any) -> None:
    """The tokens stand on the lane's row: within 5 % over a few seconds already."""
    for store in nodes:
        store.agree(lambda _: Terms(rate="20/second burst 2"))
    await nodes[0].cap_lane(LANE, 200, by="ann")
    await queued(nodes[0], trade, 150)
    started, given = clock(), 0
    for _ in range(40):
        clock.advance(seconds=0.1)
        claims = await asyncio.gather(*(nodes[n % 2].claim(f"node-{n}", ["read"], 64) for n in range(3)))
        given += sum(map(len, claims))
    seconds = (clock() - started).total_seconds()
    assert 0.95 * 20 * seconds <= given <= 1.05 * 20 * seconds
