"""Rates: how many jobs of a lane, and calls of a target, start in a minute, against what is agreed; one node and more.

    python -m bench rates [--seconds 60] [--database postgresql --nodes 3]

All at once, each with more work than may start:

agreed    a supplier's `rate` of 10/second: orders that reach its station
operator  `gateway lane rate` of 600/minute on the lane of one supplier to the ERP: its notices in the books
target    a target's `rate` of 10/second, three suppliers' notices together

What comes is counted over so many seconds that begin when the burst is over. Aim: within 5 %.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.chaos.site import postgresql
from bench.fleet import Fleet, fleet
from bench.load import Json, order
from bench.suppliers import Suppliers

RATE = 10
"""A second."""
BURST_SECONDS = 5
"""After the first that comes, what came at once is over."""
CARTONS = 3
FREE, TARGET = "north", "limited"
SHARING = (2, 3, 4)
"""Suppliers whose notices go to the target with a rate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One rate."""

    what: str
    wanted: float
    came: int
    left: bool
    """Whether more waited until the end: else nothing is measured."""

    @property
    def off(self) -> float:
        """By which part it is wrong."""
        return self.came / self.wanted - 1


def count(what: str, times: Sequence[float], *, seconds: float) -> Seen:
    """What came in so many seconds after the burst of what came at these times."""
    begin = min(times, default=0.0) + BURST_SECONDS
    came = sum(begin <= at < begin + seconds for at in times)
    return Seen(what=what, wanted=RATE * seconds, came=came, left=max(times, default=0.0) >= begin + seconds)


async def run(*, seconds: float, nodes: int, server: Any) -> list[Seen]:
    """All of them."""
    suppliers = Suppliers.of(5)
    async with fleet(
        suppliers,
        nodes=nodes,
        server=server,
        settings=_with_target,
        terms=lambda number: f"rate: {RATE}/second\n" if number == 0 else f"target: {TARGET}\n" if number > 1 else "",
    ) as place:
        enough = int(RATE * (seconds + BURST_SECONDS + 10))
        notices = _notices(enough, len(suppliers.all))
        await place.place(suppliers.orders(max(notices) + 1))
        await place.command("lane", "rate", f"{suppliers.all[1].name}:inbound:{FREE}", f"{60 * RATE}/minute")
        built = await asyncio.to_thread(place.build, notices, cartons=CARTONS)
        await place.quiet()
        lanes = [f"{suppliers.all[0].name}:outbound:as2", f"{suppliers.all[1].name}:inbound:{FREE}"]
        lanes += [f"{suppliers.all[number].name}:inbound:{TARGET}" for number in SHARING]
        pause = ("lane", "pause", "--why", "until all is accepted")
        await asyncio.gather(*(place.command(*pause, lane) for lane in lanes))
        before = len(place.sender.received)
        await asyncio.gather(place.sender.send_all(built, outstanding=16), place.place(_orders(suppliers, enough)))
        print(f"  … {len(built)} notices, {enough} orders are accepted; now they start", file=sys.stderr, flush=True)
        await asyncio.gather(*(place.command("lane", "resume", lane) for lane in lanes))
        await asyncio.sleep(seconds + BURST_SECONDS + 3)
        return await _seen(place, suppliers, before, seconds)


async def _seen(place: Fleet, suppliers: Suppliers, before: int, seconds: float) -> list[Seen]:
    books = (await place.books()).seen
    of = {
        number: [at for name, at in books.items() if name.partition("/")[2].startswith(suppliers.all[number].x12_id)]
        for number in (1, *SHARING)
    }
    return [
        count("agreed with a partner", place.sender.received[before:], seconds=seconds),
        count("an operator's, of a lane", of[1], seconds=seconds),
        count("of a target, three lanes", [at for number in SHARING for at in of[number]], seconds=seconds),
    ]


def _notices(enough: int, suppliers: int) -> list[int]:
    """Numbers of as many notices of supplier 1 as are needed, and of a third each of those that share a target."""
    third = -(-enough // len(SHARING))
    return [
        turn * suppliers + whose
        for turn in range(enough)
        for whose in (1, *SHARING)
        if whose == 1 or turn < third + RATE
    ]


def _orders(suppliers: Suppliers, enough: int) -> list[Json]:
    """Orders for the supplier with an agreed rate, none of which is answered."""
    return [order(10_000_000 + number, suppliers.all[0]) for number in range(enough)]


def _with_target(text: str) -> str:
    """The ERP a second time, under another name, with a rate."""
    begin = text.index("  north:\n")
    north = text[begin : text.index("  south:\n")]
    limited = north.replace("  north:\n", f"  {TARGET}:\n    rate: {RATE}/second\n", 1)
    return text[:begin] + limited + text[begin:]


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; exit code 1 when one is off by more than 5 %."""
    parser = argparse.ArgumentParser(prog="python -m bench rates", description="Rates as agreed against what comes.")
    parser.add_argument("--seconds", type=float, default=60, help="that are counted (default 60)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the store")
    parser.add_argument("--nodes", type=int, default=1, help="gateways on PostgreSQL (default 1)")
    options = parser.parse_args(arguments)
    with postgresql() if options.database == "postgresql" else nullcontext() as server:
        nodes = options.nodes if server is not None else 1
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(run(seconds=options.seconds, nodes=nodes, server=server))
    store = "SQLite" if server is None else f"PostgreSQL, {nodes} nodes"
    print(f"  {store}, {options.seconds:.0f} s:")
    for one in found:
        rest = "" if one.left else "   all had come before the end"
        print(f"    {one.what:26}{one.came:>6} of {one.wanted:.0f}, off by {one.off:+.1%}{rest}")
    if any(abs(one.off) > 0.05 or not one.left for one in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
