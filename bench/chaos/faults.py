"""The faults: each a row of `FAULTS`, with the site that it needs and what it does there."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.chaos import short_of_room
from bench.chaos.erp import GARBAGE, Manner
from bench.chaos.nodes import Node
from bench.chaos.rows import Happening, Row, observe
from bench.chaos.site import Site, site
from gateway.errors import OurFault

HOUR = 3600
MESSAGES_A_KILL = 40


class NotHereError(Exception):
    """The fault cannot be made on this machine; says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How much of it: `full` is what issue and documentation promise, the other a quarter of an hour in all."""

    full: bool
    seed: int

    def of(self, quick: int, full: int) -> int:
        """One of two numbers."""
        return full if self.full else quick


Fault = Callable[[Size, Any], Awaitable[Row]]
"""Its size, and PostgreSQL's server."""


async def kill_sqlite(size: Size, server: Any) -> Row:
    """SIGKILL of the one gateway; it is started again at once."""
    del server
    count = size.of(10, 100)
    async with site(messages=MESSAGES_A_KILL * count, seed=size.seed) as place:
        return await observe("kill -9, SQLite", place, kills(count))


async def kill_postgres(size: Size, server: Any) -> Row:
    """SIGKILL of one of three gateways, or of one of PostgreSQL's processes."""
    count = size.of(10, 100)
    async with site(messages=MESSAGES_A_KILL * count, seed=size.seed, server=server, nodes=3) as place:
        return await observe("kill -9, PostgreSQL, three nodes", place, kills(count))


async def kill_without_keys(size: Size, server: Any) -> Row:
    """The same at an ERP that says that it honours no key: what is uncertain waits for an operator."""
    del server
    count = size.of(5, 30)
    async with site(messages=MESSAGES_A_KILL * count, seed=size.seed, settings=_north("honours_key: false")) as place:
        place.erp.seconds = 0.2  # calls are under way when it is killed
        return await observe("kill -9, ERP without keys", place, kills(count))


async def postgres_gone(size: Size, server: Any) -> Row:
    """PostgreSQL stops and comes back; the gateways go on by themselves."""

    async def happen(place: Site) -> str:
        await place.until_answered(len(place.messages) // 4)
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(30)
        await asyncio.to_thread(server.ensure_postgres_running)
        place.over()
        return "stopped for 30 s"

    async with site(messages=size.of(300, 1200), seed=size.seed, server=server, nodes=3) as place:
        row = await observe("PostgreSQL gone", place, happen)
        return row if all(node.alive for node in place.nodes) else _with(row, "a gateway ended")


async def database_full(size: Size, server: Any) -> Row:
    """SQLite may not grow by a page for a while; the gateway is not restarted."""
    del server
    with tempfile.TemporaryDirectory(prefix="gateway-chaos-room-") as folder:
        file = Path(folder) / "pages"

        async def happen(place: Site) -> str:
            await place.until_answered(len(place.messages) // 4)
            with closing(sqlite3.connect(_database(place))) as connection:
                pages = connection.execute("PRAGMA page_count").fetchone()[0]
            file.write_text(str(pages), encoding="ascii")
            answered, _ = place.answered, await asyncio.sleep(10)
            taken = place.answered - answered
            file.unlink()
            place.over()
            return f"max_page_count = {pages} for 10 s; {taken} messages taken meanwhile"

        environment = {short_of_room.VARIABLE: str(file)}
        async with site(
            messages=size.of(300, 1200),
            seed=size.seed,
            module="bench.chaos.short_of_room",
            environment=environment,
        ) as place:
            return await observe("database full", place, happen)


async def files_full(size: Size, server: Any) -> Row:
    """No file of the gateway may grow for a while (RLIMIT_FSIZE): WAL, database, payloads, log."""
    del server

    async def happen(place: Site) -> str:
        await place.until_answered(len(place.messages) // 4)
        pid, limit = place.nodes[0].pid, max(_wal(place), 4096)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        answered, _ = place.answered, await asyncio.sleep(10)
        taken = place.answered - answered
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        place.over()
        return f"RLIMIT_FSIZE = {limit:,} for 10 s; {taken} messages taken meanwhile"

    async with site(messages=size.of(300, 1200), seed=size.seed) as place:
        row = await observe("disk full", place, happen)
        return row if place.nodes[0].alive else _with(row, "the gateway ended")


async def clock_sqlite(size: Size, server: Any) -> Row:
    """The clock of the one gateway steps an hour forward, and two back."""
    del server
    return await _clock(size, "clock stepped, SQLite", None)


async def clock_postgres(size: Size, server: Any) -> Row:
    """The clock of one of three nodes does."""
    return await _clock(size, "clock stepped, one of three nodes", server)


async def _clock(size: Size, name: str, server: Any) -> Row:
    library = _libfaketime()
    with tempfile.TemporaryDirectory(prefix="gateway-chaos-clock-") as folder:
        file = Path(folder) / "offset"

        async def happen(place: Site) -> str:
            for number, hours in enumerate((1, -1, 0), start=1):
                await place.until_answered(len(place.messages) * number // 4)
                file.write_text(f"{hours * HOUR:+d}", encoding="ascii")
                await asyncio.sleep(3)
            place.over()
            return "one hour forward, two back, one forward"

        file.write_text("+0", encoding="ascii")
        environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # an operating system's monotonic clock does not step
        }
        nodes = 1 if server is None else 3
        async with site(
            messages=size.of(120, 600), seed=size.seed, server=server, nodes=nodes, environment=environment
        ) as place:
            return await observe(name, place, happen)


async def erp_down(size: Size, server: Any) -> Row:
    """The ERP does not listen; in full for an hour, by the schedule of the default settings."""
    del server
    seconds = size.of(30, HOUR)

    async def happen(place: Site) -> str:
        await place.until_answered(len(place.messages) // 4)
        await place.erp.down()
        await asyncio.sleep(seconds)
        await place.erp.up()
        place.over()
        return f"did not listen for {seconds} s"

    async with site(messages=size.of(300, 1200), seed=size.seed) as place:
        return await observe("ERP down", place, happen)


async def erp_slow(size: Size, server: Any) -> Row:
    """Calls take longer than we wait, and are taken all the same."""
    del server

    async def happen(place: Site) -> str:
        place.erp.seconds = 4.0
        await asyncio.sleep(20)
        place.erp.seconds = 0.0
        place.over()
        return "answers after 4 s for 20 s; we wait for 2 s"

    async with site(messages=size.of(300, 1200), seed=size.seed, settings=_north("timeout_seconds: 2")) as place:
        return await observe("ERP slow", place, happen)


async def erp_garbage(size: Size, server: Any) -> Row:
    """All kinds of answers that no ERP should give."""
    del server

    async def happen(place: Site) -> str:
        place.erp.manners = (*GARBAGE, *(Manner.WELL,) * (2 * len(GARBAGE)))  # five failures in a row rest the lane
        await place.until_answered(len(place.messages) - 1)
        place.erp.manners = (Manner.WELL,)
        place.over()
        bad = sum(place.erp.answered[one] for one in GARBAGE)
        return f"{bad} of {place.erp.answered.total()} answers, of {len(GARBAGE)} kinds"

    async with site(messages=size.of(300, 1200), seed=size.seed) as place:
        return await observe("ERP answers garbage", place, happen)


async def frozen(size: Size, server: Any) -> Row:
    """SIGSTOP of one of three nodes with calls under way; in full for longer than a lease of 60 s. Then SIGCONT."""
    seconds = size.of(15, 75)

    async def happen(place: Site) -> str:
        place.erp.seconds = 0.3
        await place.until_answered(len(place.messages) // 4)
        os.kill(place.nodes[0].pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        os.kill(place.nodes[0].pid, signal.SIGCONT)
        place.erp.seconds = 0.0
        place.over()
        return f"SIGSTOP for {seconds} s; given up for dead after three beats of 1 s"

    async with site(messages=size.of(300, 1200), seed=size.seed, server=server, nodes=3) as place:
        return await observe("node frozen", place, happen)


async def answers_cut(size: Size, server: Any) -> Row:
    """The connection breaks while the receipt is on its way: the same message again gets the same receipt."""
    del server
    cuts = size.of(60, 300)

    async def happen(place: Site) -> str:
        place.balancer.cutting = cuts
        await place.until_answered(len(place.messages) - 1)
        place.over()
        again = sum(1 for one in place.balancer.receipts.values() if one)
        return f"{place.balancer.cut} answers broken off; {again} receipts compared octet by octet"

    async with site(messages=2 * cuts, seed=size.seed) as place:
        return await observe("network cut in the answer", place, happen)


FAULTS: dict[str, Fault] = {
    "kill-sqlite": kill_sqlite,
    "kill-postgres": kill_postgres,
    "kill-no-keys": kill_without_keys,
    "postgres-gone": postgres_gone,
    "database-full": database_full,
    "disk-full": files_full,
    "clock-sqlite": clock_sqlite,
    "clock-postgres": clock_postgres,
    "erp-down": erp_down,
    "erp-slow": erp_slow,
    "erp-garbage": erp_garbage,
    "frozen": frozen,
    "answers-cut": answers_cut,
}
ON_POSTGRES = frozenset({"kill-postgres", "postgres-gone", "clock-postgres", "frozen"})


def kills(count: int) -> Happening:
    """So many, each after a random number of receipts and a random wait; one of several gateways always stays."""

    async def happen(place: Site) -> str:
        done: Counter[str] = Counter()
        starting: dict[str, asyncio.Task[None]] = {}
        for point in sorted(place.chance.sample(range(1, len(place.messages)), count)):
            await place.until_answered(point)
            await asyncio.sleep(place.chance.uniform(0, 0.25))
            if place.server is not None and place.chance.random() < 0.4:
                done[await asyncio.to_thread(place.end_backend)] += 1
            else:
                down = [task for task in starting.values() if not task.done()]
                if len(down) == max(len(place.nodes) - 1, 1):
                    await asyncio.wait(down, return_when=asyncio.FIRST_COMPLETED)
                up = [one for one in place.nodes if one.name not in starting or starting[one.name].done()]
                node = place.chance.choice(up)
                await asyncio.to_thread(node.kill)
                done["gateway killed"] += 1
                starting[node.name] = asyncio.create_task(_started_again(node))
            print(f"  … {done.total()} of {count}, {place.answered} answered", file=sys.stderr, flush=True)
        await asyncio.gather(*starting.values())
        place.over()
        return ", ".join(f"{times} {what}" for what, times in sorted(done.items()))

    return happen


async def _started_again(node: Node) -> None:
    """As a service manager does it: again and again, while PostgreSQL recovers, for instance."""
    for _ in range(30):
        with suppress(OurFault):
            await node.start()
            return
        await asyncio.sleep(1)
    await node.start()


def _libfaketime() -> Path:
    """Debian's place for it. Raises NotHereError."""
    for library in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"):
        return library
    raise NotHereError("libfaketime is not installed (Debian: apt-get install faketime)")


def _north(line: str) -> Callable[[str], str]:
    """gateway.yaml with one more line for the ERP."""
    return lambda text: re.sub(r"(\n  north:\n    kind: http\n)", rf"\1    {line}\n", text)


def _database(place: Site) -> Path:
    return place.demo.gateway / "data" / "gateway.db"


def _wal(place: Site) -> int:
    """The size of the larger of the WAL and the database."""
    sizes = [0]
    for file in (_database(place), _database(place).with_name("gateway.db-wal")):
        with suppress(FileNotFoundError):
            sizes.append(file.stat().st_size)
    return max(sizes)


def _with(row: Row, told: str) -> Row:

    return replace(row, wrong=(*row.wrong, told))
