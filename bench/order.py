"""Order under kills: what a hundred suppliers sent one after another is at the ERP in that order, each once.

    python -m bench order [--documents 10000] [--lanes 100] [--kills 50] [--database postgresql --nodes 3]

A site of `bench.chaos`. Each supplier's agreement says `ordered`, and it posts a ship notice when it has the receipt of
the one before: that is the order that counts. Meanwhile gateways are killed with SIGKILL, on PostgreSQL its own
processes, too. An inversion is a document that is in the ERP's books behind a later one of the same supplier. Exit
code 1 unless there is none, nothing is lost and nothing doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from contextlib import nullcontext
from typing import Any

from bench.chaos import page
from bench.chaos.faults import kills
from bench.chaos.rows import Row, observe
from bench.chaos.site import Site, postgresql, site
from bench.load import Prepared
from bench.suppliers import Suppliers, inversions

OUTSTANDING = 32
"""Suppliers that post at once."""


async def run(
    *, documents: int, lanes: int, count: int, seed: int, nodes: int, server: Any
) -> tuple[Row, int, list[str], float]:
    """What the witnesses say, how many inversions, the first of them in words, and the seconds it took."""
    suppliers = Suppliers.of(lanes)
    name = f"order, {'SQLite' if server is None else f'PostgreSQL, {nodes} nodes'}, {count} kills"
    async with site(
        messages=documents, seed=seed, server=server, nodes=nodes, suppliers=suppliers, terms="ordered: true\n"
    ) as place:
        started = time.monotonic()
        row = await observe(name, place, kills(count), lambda it: _one_after_another(it, lanes))
        found, first = inversions(list(place.erp.effects))
        return row, found, first, time.monotonic() - started


async def _one_after_another(place: Site, lanes: int) -> None:
    """Each supplier its own, the next when the receipt of the last is there; so many suppliers at once."""
    room = asyncio.Semaphore(OUTSTANDING)

    async def one(messages: list[Prepared]) -> None:
        for message in messages:
            async with room:
                await place.sender.send(message)

    await asyncio.gather(*(one(place.messages[number::lanes]) for number in range(lanes)))


def main(arguments: list[str] | None = None) -> None:
    """Run the proof; exit code 1 when it fails."""
    parser = argparse.ArgumentParser(prog="python -m bench order", description="Ordered lanes, killed gateways.")
    parser.add_argument("--documents", type=int, default=10_000, help="of all suppliers together (default 10,000)")
    parser.add_argument("--lanes", type=int, default=100, help="suppliers that keep their order (default 100)")
    parser.add_argument("--kills", type=int, default=50, help="how often something is killed (default 50)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the store")
    parser.add_argument("--nodes", type=int, default=3, help="gateways on PostgreSQL (default 3)")
    options = parser.parse_args(arguments)
    on_postgres = options.database == "postgresql"
    with postgresql() if on_postgres else nullcontext() as server:
        row, found, first, seconds = asyncio.run(
            run(
                documents=options.documents,
                lanes=options.lanes,
                count=min(options.kills, options.documents - 1),
                seed=options.seed,
                nodes=options.nodes if on_postgres else 1,
                server=server,
            )
        )
    page.tell(row)
    print(f"  {options.documents} documents of {options.lanes} ordered lanes in {seconds:.0f} s: {found} inversions")
    for one in first:
        print(f"  INVERSION: {one}")
    proven = row.proven and not found
    print(f"  {'proven' if proven else 'NOT PROVEN'}")
    if not proven:
        sys.exit(1)


if __name__ == "__main__":
    main()
