"""Nodes: the rate of three gateways on one PostgreSQL against that of one, on the same cores.

    python -m bench nodes [--messages 600] [--turns 3] [--nodes 3]

Ship notices of about 4 KB of ten suppliers, signed and encrypted, built beforehand, synchronous signed MDN, so many
outstanding, from the first post to the last document in the ERP's books. One node and three take turns, each time with
a fresh database. More nodes bring nothing where one has used up the cores: what is measured is what they cost each
other. Aim: 0.9 of one node's rate. CPU is user and system of all gateways, and of PostgreSQL's processes, a message.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.chaos.site import postgresql
from bench.fleet import fleet
from bench.suppliers import Suppliers
from bench.surroundings import TICKS

SUPPLIERS = 10
WARM = 100
CARTONS = 28
IDLE_SECONDS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One turn: messages a second, and CPU in milliseconds for each."""

    nodes: int
    a_second: float
    gateways: float
    database: float
    idle: float
    """CPU of all gateways, and of PostgreSQL, while nothing comes: in percent of a core."""
    claims: float
    commits: float
    """For each message."""


async def run(*, nodes: int, messages: int, outstanding: int, server: Any) -> Result:
    """One turn."""
    suppliers = Suppliers.of(SUPPLIERS)
    async with fleet(suppliers, nodes=nodes, server=server) as place:
        await place.place(suppliers.orders(WARM + messages))
        built = await asyncio.to_thread(place.build, range(WARM + messages), cartons=CARTONS)
        await place.sender.send_all(built[:WARM], outstanding=outstanding)
        await place.until(WARM)
        await place.quiet()
        print(f"  … {nodes} nodes, {messages} messages", file=sys.stderr, flush=True)
        rest = place.cpu_seconds() + _database_seconds(server)
        await asyncio.sleep(IDLE_SECONDS)
        rest = (place.cpu_seconds() + _database_seconds(server) - rest) / IDLE_SECONDS
        before = await place.figures()
        cpu, theirs, started = place.cpu_seconds(), _database_seconds(server), time.perf_counter()
        await place.sender.send_all(built[WARM:], outstanding=outstanding)
        await place.until(WARM + messages)
        seconds = time.perf_counter() - started
        after = await place.figures()
        return Result(
            nodes=nodes,
            a_second=messages / seconds,
            gateways=(place.cpu_seconds() - cpu) * 1000 / messages,
            database=(_database_seconds(server) - theirs) * 1000 / messages,
            idle=rest * 100,
            claims=(after["claim", "count"] - before["claim", "count"]) / messages,
            commits=(after["commit", "count"] - before["commit", "count"]) / messages,
        )


def _database_seconds(server: Any) -> float:
    """CPU of the server and its processes, those that have ended too (proc(5): utime, stime, cutime, cstime)."""
    parent = int((Path(server.pgdata) / "postmaster.pid").read_text(encoding="ascii").split()[0])
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(folder.name) == parent:
            ticks += sum(int(one) for one in fields[11:15])
        elif int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def main(arguments: list[str] | None = None) -> None:
    """Measure in turns and print; exit code 1 when the aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench nodes", description="What nodes cost each other.")
    parser.add_argument("--messages", type=int, default=600, help="of each turn (default 600)")
    parser.add_argument("--outstanding", type=int, default=32, help="posted at once (default 32)")
    parser.add_argument("--nodes", type=int, default=3, help="against one (default 3)")
    parser.add_argument("--turns", type=int, default=3, help="of each (default 3)")
    options = parser.parse_args(arguments)
    results: list[Result] = []
    with postgresql() as server:
        for nodes in (1, options.nodes) * options.turns:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                asked = run(nodes=nodes, messages=options.messages, outstanding=options.outstanding, server=server)
                results.append(runner.run(asked))
    print("  for each message: CPU in ms, commits, claims; at rest: percent of a core, gateways and PostgreSQL")
    print(f"  {'nodes':>5}{'msg/s':>8}{'gateways':>10}{'PostgreSQL':>12}{'commits':>9}{'claims':>8}{'at rest':>9}")
    for one in results:
        print(
            f"  {one.nodes:>5}{one.a_second:>8.0f}{one.gateways:>10.1f}{one.database:>12.1f}{one.commits:>9.2f}"
            f"{one.claims:>8.2f}{one.idle:>8.1f}%"
        )
    alone, many = ([one for one in results if one.nodes == count] for count in (1, options.nodes))
    pairs = [second.a_second / first.a_second for first, second in zip(alone, many, strict=True)]
    ratio = statistics.median(pairs)
    told = ", ".join(f"{one:.2f}" for one in pairs)
    print(f"  {options.nodes} nodes reach {ratio:.2f} of one node's rate (aim 0.9), the middle of {told}")
    if ratio < 0.9:
        sys.exit(1)


if __name__ == "__main__":
    main()
