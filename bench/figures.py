"""What it costs to be seen: the count of the work, and a scrape, beside 0 to 1,000,000 waiting jobs.

    python -m bench figures [--most 1000000]

Over 10,000 lanes. A scrape reads memory and must cost the same whatever waits; the count is taken every ten seconds,
or less often, so that it never takes more than a fiftieth of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import uvloop
from sqlalchemy import Connection, text

from bench.store import databases, now
from gateway.observation import COUNT_SECONDS, COUNTING_SHARE
from gateway.ports import Changes, Channel, Direction, MessageState, NewMessage, new_id
from gateway.store import Store, migrate
from gateway.store.tables import microseconds
from gateway.web.metrics import Metrics

SIZES = (0, 1_000, 100_000, 1_000_000)
LANES = 10_000
TIMES = 5


def _fill(connection: Connection, *, first: int, last: int, message: str, at: int) -> None:
    """Waiting jobs by SQL."""
    series = (
        "generate_series(CAST(:first AS BIGINT), CAST(:last AS BIGINT)) AS s(n)"
        if connection.dialect.name == "postgresql"
        else "(WITH RECURSIVE s(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM s WHERE n < :last) SELECT n FROM s)"
    )
    lanes = f"INSERT INTO lane (name, failures, served_at) SELECT 'p' || n || ':inbound:erp', 0, CAST(:at AS BIGINT) FROM {series}"  # noqa: S608, E501  literals of this module
    jobs = (
        "INSERT INTO job (message_id, document_id, step, lane, state, due_at, first_run_at, attempts, attempts_before,"  # noqa: S608
        " data) SELECT :message, CAST(n AS TEXT), 'read', 'p' || (1 + n % :lanes) || ':inbound:erp', 'ready',"
        f" CAST(:at AS BIGINT) + n, CAST(:at AS BIGINT), 0, 0, '{{}}' FROM {series}"
    )
    if first == 1:
        connection.execute(text(lanes), {"first": 1, "last": LANES, "at": at})
    connection.execute(text(jobs), {"first": first, "last": last, "lanes": LANES, "message": message, "at": at})


async def run(url: str, payloads: Path, sizes: list[int]) -> None:
    """Print a row for each size."""
    await migrate(url)
    store = await Store.open(url, payloads=payloads, clock=now, serve=True)
    metrics, message, filled = Metrics(), new_id(now()), 0
    first = NewMessage(
        id=message, partner="p1", direction=Direction.INBOUND, channel=Channel.AS2, state=MessageState.RECEIVED,
        at=now(), payload=b"ISA*",
    )  # fmt: skip
    try:
        await store.apply(Changes(messages=(first,)))
        for size in sizes:
            if size > filled:
                values = {"first": filled + 1, "last": size, "message": message, "at": microseconds(now())}
                await store.database.write(partial(_fill, **values))
                filled = size
                await store.database.write(lambda connection: connection.execute(text("ANALYZE")))
            counts, scrapes = [], []
            for _ in range(TIMES):
                started = time.perf_counter()
                found = await store.figures()
                counts.append(time.perf_counter() - started)
                metrics.worked(found, seconds=counts[-1])
                started = time.perf_counter()
                body = metrics.text()
                scrapes.append(time.perf_counter() - started)
            every = max(COUNT_SECONDS, min(counts) / COUNTING_SHARE)
            print(
                f"  {size:>9,} jobs: count {min(counts) * 1000:8.1f} ms, every {every:4.0f} s;"
                f" scrape {min(scrapes) * 1000:5.1f} ms, {len(body):,} bytes"
            )
    finally:
        await store.close()


def main(arguments: list[str]) -> None:
    """Print the tables of both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    sizes = [size for size in SIZES if size <= parser.parse_args(arguments).most]
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    try:
        with databases(folder) as urls:
            for name, url in urls:
                print(name)
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(run(url, folder / "payloads", sizes))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
