"""Fairness: one supplier whose calls take two seconds at the ERP, with half of the traffic, and what the others feel.

    python -m bench fairness [--rate 30] [--seconds 30] [--suppliers 10] [--database postgresql --nodes 3]

Three parts, each with a fresh gateway, all in one run. The others send at half of `--rate` each time:

alone   nobody else sends
quick   the one sends the other half, and is answered at once
slow    the one sends the other half, and each of its calls takes two seconds

The time is from the post to the ERP's books. Aim: the others' p99 beside the slow one at most twice that without it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.chaos.site import postgresql
from bench.fleet import fleet
from bench.server import percentile
from bench.suppliers import Suppliers

SECONDS_OF_A_CALL = 2.0
PARTS = ("alone", "quick", "slow")
WARM_SECONDS = 5
CARTONS = 28
"""About 4 KB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What the others felt, in milliseconds from post to books; and their receipts."""

    name: str
    others: int
    p50: float
    p99: float
    most: float
    receipts_p99: float
    cpu: float
    """Of the gateways, milliseconds for each message sent."""
    theirs: int
    """Of the one that is slow: how many were at the ERP when the others were done."""
    theirs_sent: int


async def run(part: str, *, rate: float, seconds: float, others: int, nodes: int, server: Any) -> Part:
    """One part. Supplier 0 is the one that may be slow; every other notice is its."""
    suppliers = Suppliers.of(others + 1)
    slow = (suppliers.all[0].x12_id, SECONDS_OF_A_CALL) if part == "slow" else None
    async with fleet(suppliers, nodes=nodes, server=server, slow=slow) as place:
        total = int(rate * (seconds + WARM_SECONDS))
        numbers = [_number(turn, others) for turn in range(total) if turn % 2 or part != "alone"]
        await place.place(suppliers.orders(max(numbers) + 1))
        messages = await asyncio.to_thread(place.build, numbers, cartons=CARTONS)
        await place.quiet()
        _progress(f"{part}: {len(messages)} messages")
        before = place.cpu_seconds()
        await place.sender.send_paced(messages, a_second=rate if part != "alone" else rate / 2)
        mine = [number for number in numbers if number % (others + 1)]
        counted = [suppliers.effect(number) for number in mine[int(WARM_SECONDS * rate / 2) :]]
        for _ in range(600):
            books = await place.books()
            if all("/".join(suppliers.effect(number)) in books.seen for number in mine):
                break
            await asyncio.sleep(0.5)
        else:
            raise RuntimeError("the others' documents did not come")
        ways = [books.seen["/".join(effect)] - place.sender.posted[effect] for effect in counted]
        theirs = len(numbers) - len(mine)
        return Part(
            name=part,
            others=len(ways),
            p50=percentile(ways, 50),
            p99=percentile(ways, 99),
            most=max(ways) * 1000,
            receipts_p99=percentile(place.sender.waits, 99),
            cpu=(place.cpu_seconds() - before) * 1000 / len(messages),
            theirs=sum(one.split("/")[1].startswith(suppliers.all[0].x12_id) for one in books.seen),
            theirs_sent=theirs,
        )


def _number(turn: int, others: int) -> int:
    """Every other notice is of supplier 0, those between of the others in turns."""
    pair, odd = divmod(turn, 2)
    if not odd:
        return pair * (others + 1)
    return pair // others * (others + 1) + 1 + pair % others


def _progress(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; exit code 1 when the aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench fairness", description="What a slow far side costs others.")
    parser.add_argument("--rate", type=float, default=30, help="messages a second, both halves (default 30)")
    parser.add_argument("--seconds", type=float, default=30, help="that are counted (default 30)")
    parser.add_argument("--suppliers", type=int, default=10, help="the others (default 10)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the store")
    parser.add_argument("--nodes", type=int, default=1, help="gateways on PostgreSQL (default 1)")
    parser.add_argument("--turns", type=int, default=1, help="how often each part runs (default 1)")
    options = parser.parse_args(arguments)
    parts: list[Part] = []
    with postgresql() if options.database == "postgresql" else nullcontext() as server:
        for name in PARTS * options.turns:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                parts.append(
                    runner.run(
                        run(
                            name,
                            rate=options.rate,
                            seconds=options.seconds,
                            others=options.suppliers,
                            nodes=options.nodes if server is not None else 1,
                            server=server,
                        )
                    )
                )
    print(f"  {options.rate:.0f}/s, half of it one supplier's; ms from the post to the ERP's books, of the others")
    print(f"  {'':8}{'others':>8}{'p50':>8}{'p99':>8}{'most':>8}{'MDN p99':>9}{'CPU ms':>8}   the one's there")
    for one in parts:
        figures = (
            f"{one.others:>8}{one.p50:>8.1f}{one.p99:>8.0f}{one.most:>8.0f}{one.receipts_p99:>9.0f}{one.cpu:>8.1f}"
        )
        print(f"  {one.name:8}{figures}   {one.theirs} of {one.theirs_sent}")
    best = {name: min(one.p99 for one in parts if one.name == name) for name in PARTS}
    ratio = best["slow"] / best["alone"]
    print(f"  p99 beside the slow one: {ratio:.1f} times that without it (aim 2), the best of {options.turns} each")
    if ratio > 2:
        sys.exit(1)


if __name__ == "__main__":
    main()
