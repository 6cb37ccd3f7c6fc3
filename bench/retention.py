"""Finished work that moves out of the job table: disk before and after, CPU, memory, and what traffic feels of it.

    python -m bench retention [--jobs 1000000] [--database sqlite|postgresql|both]

The jobs are three a message, done three days ago, an attempt each. Sizes are of `job` and `attempt` with their indexes
before, and of `work_done` after. A message is accepted every 20 ms: its time beside the moving and without it, in one
run.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import uvloop
from sqlalchemy import Connection, insert, text

from bench.store import databases, now
from gateway.ports import Changes, Channel, Direction, MessageState, NewMessage, new_id
from gateway.store import Store, migrate
from gateway.store.tables import attempt, job, lane, message

AT_ONCE = 5_000
STEPS = ("read", "deliver", "settle")
EVERY = 0.02


def _fill(connection: Connection, first: int, count: int) -> None:
    """Messages whose work has ended, as the tables have them."""
    at = now() - timedelta(days=3)
    ids = [new_id(at) for _ in range(count)]
    row = {
        "partner": "p",
        "direction": "inbound",
        "channel": "folder",
        "state": "processed",
        "at": at,
        "content_type": "text/plain",
        "payload_sha256": "0" * 64,
        "size": 1,
        "raw_headers": [],
        "chain_length": 0,
        "chain_head": "",
    }
    connection.execute(insert(message), [row | {"id": id_} for id_ in ids])
    jobs = [
        {
            "id": first + number * len(STEPS) + place,
            "message_id": id_,
            "document_id": id_ if place else "",
            "step": step,
            "lane": "p:inbound:read",
            "state": "done",
            "first_run_at": at,
            "attempts": 1,
            "attempts_before": 0,
            "data": {},
        }
        for number, id_ in enumerate(ids)
        for place, step in enumerate(STEPS)
    ]
    connection.execute(insert(job), jobs)
    ended = at + timedelta(milliseconds=20)
    tries = [
        {"job_id": one["id"], "number": 1, "started_at": at, "ended_at": ended, "outcome": "done", "reason": None}
        for one in jobs
    ]
    connection.execute(insert(attempt), tries)


def _sizes(connection: Connection, *tables: str) -> float:
    """MB of tables with their indexes."""
    total = 0
    for table in tables:
        if connection.dialect.name == "postgresql":
            total += connection.execute(text("SELECT pg_total_relation_size(:name)"), {"name": table}).scalar_one()
        else:
            names = "SELECT name FROM sqlite_master WHERE tbl_name = :name AND type IN ('table', 'index')"
            held = text(f"SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name IN ({names})")  # noqa: S608  ours
            total += connection.execute(held, {"name": table}).scalar_one()
    return total / 1e6


async def _accepting(store: Store, stop: asyncio.Event) -> list[float]:
    """Milliseconds of each message that is accepted until the end."""
    took: list[float] = []
    while not stop.is_set():
        at, started = now(), time.perf_counter()
        one = NewMessage(
            id=new_id(at),
            partner="p",
            direction=Direction.INBOUND,
            channel=Channel.FOLDER,
            state=MessageState.RECEIVED,
            at=at,
            payload=b"x" * 4096,
        )
        await store.accept(Changes(messages=(one,)))
        took.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(EVERY)
    return took


def _told(took: list[float]) -> str:
    return f"p50 {statistics.median(took):.1f} ms, p99 {statistics.quantiles(took, n=100)[98]:.1f} ms"


async def _measure(name: str, url: str, folder: Path, jobs: int) -> None:
    await migrate(url)
    store = await Store.open(url, payloads=folder, clock=now)
    try:
        first = {"name": "p:inbound:read", "failures": 0, "served_at": now()}
        await store.database.write(lambda connection: connection.execute(insert(lane), first).rowcount)
        for start in range(0, jobs // len(STEPS), AT_ONCE):
            at = start * len(STEPS) + 1
            await store.database.write(lambda connection, at=at: _fill(connection, at, AT_ONCE))  # type: ignore[misc]
        before = await store.database.read(lambda connection: _sizes(connection, "job", "attempt"))
        stop = asyncio.Event()
        quiet = asyncio.create_task(_accepting(store, stop))
        await asyncio.sleep(5)
        stop.set()
        alone = await quiet
        stop = asyncio.Event()
        beside = asyncio.create_task(_accepting(store, stop))
        memory, cpu, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), time.monotonic()
        moved = await store.move_finished(timedelta(days=2))
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        stop.set()
        loaded = await beside
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
        after = await store.database.read(lambda connection: _sizes(connection, "work_done"))
        print(f"  {name}: {moved.jobs} jobs of {moved.messages} messages in {took:.0f} s, {cpu:.0f} s CPU of ours")
        print(f"    job and attempt {before:.0f} MB, work_done {after:.0f} MB; memory grew by {grown:.0f} MB")
        print(f"    a message accepted meanwhile {_told(loaded)}; without {_told(alone)}")
    finally:
        await store.close()


def main(arguments: list[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench retention", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000, help="finished jobs")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both", help="which")
    said = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="bench-retention-"))
    try:
        with databases(folder) as urls:
            for name, url in urls:
                if said.database in {"both", url.partition("+")[0].partition(":")[0]}:
                    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                        runner.run(_measure(name, url, folder / "p", said.jobs))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
