"""The kill proof: SIGKILL at random moments under load; nothing acknowledged is lost, nothing happens twice at the ERP.

    python -m bench kill --messages 2000 --kills 100 --seed 1 [--database postgresql --nodes 3]

One row of `bench.chaos`, as large as one likes. On PostgreSQL, its own processes are killed as well. Exit code 1 unless
nothing is lost, nothing doubled, and every call that a kill made uncertain is marked so.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import nullcontext
from typing import Any

from bench.chaos import page
from bench.chaos.faults import kills
from bench.chaos.rows import Row, observe
from bench.chaos.site import postgresql, site


async def run(*, messages: int, count: int, seed: int, nodes: int, server: Any) -> Row:
    """The whole proof."""
    name = "kill -9, SQLite" if server is None else f"kill -9, PostgreSQL, {nodes} nodes"
    async with site(messages=messages, seed=seed, server=server, nodes=nodes) as place:
        return await observe(name, place, kills(count))


def main(arguments: list[str] | None = None) -> None:
    """Run the proof; exit code 1 when it fails."""
    parser = argparse.ArgumentParser(prog="python -m bench kill", description="SIGKILL under load, effects counted.")
    parser.add_argument("--messages", type=int, default=2000, help="distinct AS2 messages (default 2000)")
    parser.add_argument("--kills", type=int, default=20, help="how often something is killed (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the store")
    parser.add_argument("--nodes", type=int, default=3, help="gateways on PostgreSQL (default 3)")
    options = parser.parse_args(arguments)
    on_postgres = options.database == "postgresql"
    with postgresql() if on_postgres else nullcontext() as server:
        row = asyncio.run(
            run(
                messages=options.messages,
                count=min(options.kills, options.messages - 1),
                seed=options.seed,
                nodes=options.nodes if on_postgres else 1,
                server=server,
            )
        )
    page.tell(row)
    print(f"  {'proven' if row.proven else 'NOT PROVEN'}")
    if not row.proven:
        sys.exit(1)


if __name__ == "__main__":
    main()
