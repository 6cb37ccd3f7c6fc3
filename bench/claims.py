"""The time of a claim beside a backlog: 0 to 1,000,000 jobs that wait, in a few lanes, in one, in 10,000.

    python -m bench claims [--most 1000000] [--database sqlite|postgresql|both]

A claim takes 16 jobs of 8 lanes; the measure is one beside no backlog, in the same run. Its statements are timed, not
the flush of the disk after them, and each figure is that of the quickest tenth of the claims, which a busy machine
disturbs least. The jobs claimed are given back, so that every claim finds the same backlog.

spread     over 50 lanes, as partners have them
one lane   all in one lane, which is served; the claim beside it is for another lane's job
ordered    over 50 lanes that keep their order
10,000     over 10,000 lanes, all due
resting    over 10,000 lanes that a breaker holds, beside one that works
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import Connection, text

from bench.store import databases, now
from gateway.ports import Changes, Channel, Direction, Job, MessageState, NewJob, NewMessage, new_id
from gateway.store import Store, claims, migrate, turns
from gateway.store.tables import microseconds

SIZES = (0, 1_000, 100_000, 1_000_000)
AT_ONCE = 16
LANES = 8
CLAIMS = 100
WARM = 10
SHAPES: dict[str, tuple[int, str]] = {
    "spread": (50, ""),
    "one lane": (1, ""),
    "ordered": (50, "ordered"),
    "10,000": (10_000, ""),
    "resting": (10_000, "resting"),
}
"""By name: over how many lanes, and what is odd about them."""


# ruff: noqa: S608  the statements are put together of literals of this module


def _fill(connection: Connection, *, count: int, lanes: int, message: str, at: int, kind: str) -> None:
    """A backlog by SQL, as a day's flood leaves it: every job due, every lane with its turn."""
    series = (
        "generate_series(1, :count) AS s(n)"
        if connection.dialect.name == "postgresql"
        else "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :count) SELECT n FROM s) AS s"
    )
    rest = at + 30 * 3_600_000_000 if kind == "resting" else None
    values = {"count": lanes, "at": at, "rest": rest, "turn": rest or at}
    ordered = "true" if kind == "ordered" else "false"
    lane_rows = (
        "INSERT INTO lane (name, failures, served_at, due_at, paused_until, ordered)"
        " SELECT 'backlog:' || n, 0, CAST(:at AS BIGINT), CAST(:turn AS BIGINT), CAST(:rest AS BIGINT),"
        f" {ordered} FROM {series}"
    )
    job_rows = (
        "INSERT INTO job"
        " (message_id, document_id, step, lane, state, due_at, first_run_at, attempts, attempts_before, data)"
        " SELECT :message, CAST(n AS TEXT), 'read', 'backlog:' || (1 + n % :lanes), 'ready',"
        " CAST(:at AS BIGINT) + n, CAST(:at AS BIGINT), 0, 0, '{}'"
        f" FROM {series}"
    )
    connection.execute(text(lane_rows), values)
    connection.execute(text(job_rows), {"count": count, "lanes": lanes, "message": message, "at": at})
    if kind == "resting":
        turns.sweep(connection, now(), whole=True)


def _analyse(connection: Connection) -> None:
    """As autovacuum does it a minute later; SQLite's planner needs none."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))


async def _message(store: Store) -> str:
    """A message for the jobs to hang on."""
    at = now()
    message = NewMessage(
        id=new_id(at),
        partner="p",
        direction=Direction.INBOUND,
        channel=Channel.FOLDER,
        state=MessageState.RECEIVED,
        at=at,
        payload=b"-",
    )
    await store.apply(Changes(messages=(message,)))
    return message.id


async def _claims(store: Store, message: str) -> float:
    """Milliseconds of a claim, with a little work always due beside the backlog."""
    work = [
        NewJob(message_id=message, document_id=f"small-{n}", step="read", lane=f"small:{n % LANES}", run_at=now())
        for n in range(AT_ONCE)
    ]
    await store.apply(Changes(jobs=tuple(work)))
    seconds: list[float] = []

    def timed(connection: Connection) -> tuple[Job, ...]:
        started, at = time.perf_counter(), now()
        until = at + store.lease
        claimed = claims.claim(
            connection, owner="bench", steps=["read"], limit=AT_ONCE, now=at, until=until, cap=store.cap
        )
        seconds.append(time.perf_counter() - started)
        return claimed.jobs

    for _ in range(WARM + CLAIMS):
        jobs = await store.database.write(timed)
        assert len(jobs) >= LANES, f"{len(jobs)} jobs were claimed"
        again = partial(store.postpone, outcome="lost", reason="bench", changes=Changes())
        await asyncio.gather(*(again(job, run_at=job.first_run_at) for job in jobs))
    return statistics.quantiles(seconds[WARM:], n=10)[0] * 1000


async def measure(url: str, folder: Path, *, count: int, lanes: int, kind: str) -> float:
    """Milliseconds of a claim beside so many jobs in so many lanes."""
    await migrate(url)
    store = await Store.open(url, payloads=folder, clock=now)
    try:
        message = await _message(store)
        if count:
            at = microseconds(now() - timedelta(days=1))
            fill: Callable[[Connection], Any] = partial(
                _fill, count=count, lanes=min(lanes, count), message=message, at=at, kind=kind
            )
            await store.database.write(fill)
        await store.database.write(_analyse)
        return await _claims(store, message)
    finally:
        await store.close()


def _fresh(url: str, folder: Path, number: int) -> str:
    """A database of its own for each figure."""
    if url.startswith("sqlite"):
        return f"sqlite:///{folder}/claims-{number}.db"
    asyncio.run(_create(url, f"claims_{number}"))
    head, _, options = url.partition("?")
    return f"{head.rpartition('/')[0]}/claims_{number}" + (f"?{options}" if options else "")


async def _create(url: str, name: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  only here

    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.claims", description="The time of a claim under a backlog.")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="jobs of the largest backlog")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both", help="the store")
    options = parser.parse_args(arguments)
    sizes = [size for size in SIZES if size <= options.most]
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-claims-"))
    number = 0
    try:
        with databases(folder) as urls:
            for name, url in urls:
                if options.database not in {"both", url.partition("+")[0].partition(":")[0]}:
                    continue
                print(f"{name}: milliseconds of a claim of up to {AT_ONCE} jobs, the quickest tenth of {CLAIMS}")
                print("  " + "waiting".ljust(12) + "".join(f"{size:>12,}" for size in sizes) + "     worst ratio")
                for shape, (lanes, kind) in SHAPES.items():
                    figures = []
                    for size in sizes:
                        number += 1
                        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                            one = measure(_fresh(url, folder, number), folder / "p", count=size, lanes=lanes, kind=kind)
                            figures.append(runner.run(one))
                    cells = "".join(f"{figure:>12.2f}" for figure in figures)
                    print(f"  {shape.ljust(12)}{cells}{max(figures) / figures[0]:>16.1f}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
