"""Received, processed and delivered: answers to orders of their own, from the supplier's post to the ERP's books.

    python -m bench throughput [--orders 300] [--outstanding 32] [--database postgresql] [--against FOLDER]

Each order gets an 855 and one, two or three 856s, all about 4 KB, signed and encrypted, built beforehand; synchronous
signed MDN. A message is over when its canonical document is at the ERP (`bench.erp`) and its 997 at the supplier's
station. First as fast as it goes with so many outstanding, then paced at half of that rate (or at `--rate`), with the
time from the first octet of the post to the ERP's books.

CPU is user and system of each process (/proc): gateway, ERP, and this one, which is the sender and the station that
takes the 997s. `--against` takes turns with the gateway of another checkout: rates depend on a machine's neighbours,
the CPU of two gateways taken in turns does not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import aiohttp
import uvloop

from bench import load
from bench.server import percentile, quiet
from bench.station import Station, station
from bench.surroundings import Surroundings, cpu_seconds, postgresql, surroundings

WARM = 20
"""Orders whose answers are not counted."""
ANSWERS = 3
"""To an order, on average: an 855 and two 856s."""
AIM = 250
"""Messages a second."""
PATIENCE_SECONDS = 300

_OF_A_FOLDER = "import runpy, sys; sys.path.insert(0, {!r}); runpy.run_module('gateway', run_name='__main__')"


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What is sent, and to which gateway."""

    folder: Path | None
    """Its checkout; None: this one."""
    orders: int
    outstanding: int
    rate: float | None
    """Messages a second of the paced part; None: half of what the first part reached."""
    seconds: float
    """Of the paced part."""
    database: str | None
    acknowledged: bool
    """With a 997 for each message; else only for what is wrong."""

    @property
    def name(self) -> str:
        """The gateway's, in the table."""
        return "this" if self.folder is None else self.folder.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What one part showed: times in milliseconds, p50 and p99; CPU in milliseconds for each message."""

    gateway: str
    part: str
    messages: int
    a_second: float
    gateway_cpu: float
    erp_cpu: float
    client_cpu: float
    receipt: tuple[float, float]
    end_to_end: tuple[float, float]
    memory: float
    doubled: int


async def run(asked: Load) -> list[Result]:
    """One gateway: as fast as it goes, then paced."""
    name, folder = asked.name, asked.folder
    command = ("-m", "gateway") if folder is None else ("-c", _OF_A_FOLDER.format(str(folder)))
    async with (
        surroundings(
            database=asked.database, gateway_command=command, lean=True, acknowledged=asked.acknowledged
        ) as around,
        station(around.parties, gateway=around.url, port=around.demo.ports["station"]) as sender,
    ):
        orders = WARM + asked.orders + int((asked.rate or AIM / 2) * asked.seconds / ANSWERS) + 1
        _progress(f"{name}: {orders} orders")
        prepared = await asyncio.to_thread(lambda: list(load.trade(around.parties, 0, orders)))
        await around.place_orders(orders, load.trade_order)
        await quiet(around)
        await _part(around, sender, prepared[:WARM], asked)
        full = await _part(around, sender, prepared[WARM : WARM + asked.orders], asked)
        pace = asked.rate or full.a_second / 2
        left = prepared[WARM + asked.orders :][: int(pace * asked.seconds / ANSWERS) + 1]
        return [full, await _part(around, sender, left, asked, pace)]


async def _part(
    around: Surroundings,
    sender: Station,
    trades: Sequence[Sequence[load.Prepared]],
    asked: Load,
    pace: float | None = None,
) -> Result:
    name, messages = asked.name, list(chain.from_iterable(trades))
    _progress(f"{name}: {len(messages)} messages" + (f", {pace:.0f}/s" if pace else ""))
    sender.waits.clear()
    before = _spent(around)
    if pace is None:
        await sender.send_all(messages, outstanding=asked.outstanding)
    else:
        await sender.send_paced(messages, a_second=pace)
    seen, doubled = await _all_there(around, sender, messages, acknowledged=asked.acknowledged)
    await quiet(around)
    cpu = [(after - begin) * 1000 / len(messages) for begin, after in zip(before, _spent(around), strict=True)]
    if sender.refused:
        raise RuntimeError(f"{len(sender.refused)} messages were refused: {sender.refused[0]}")
    posted = {one.effect: sender.posted[one.effect] for one in messages}
    ways = [seen["/".join(effect)] - at for effect, at in posted.items()]
    lasted = max(seen["/".join(effect)] for effect in posted) - min(posted.values())
    return Result(
        gateway=name,
        part=f"{pace:.0f}/s" if pace else f"{asked.outstanding} outstanding",
        messages=len(messages),
        a_second=len(messages) / lasted,
        gateway_cpu=cpu[0],
        erp_cpu=cpu[1],
        client_cpu=cpu[2],
        receipt=(percentile(sender.waits, 50), percentile(sender.waits, 99)),
        end_to_end=(percentile(ways, 50), percentile(ways, 99)),
        memory=around.memory_megabytes(),
        doubled=doubled,
    )


def _spent(around: Surroundings) -> tuple[float, float, float]:
    return around.cpu_seconds(), cpu_seconds(around.erp), time.process_time()


async def _all_there(
    around: Surroundings, sender: Station, messages: Sequence[load.Prepared], *, acknowledged: bool
) -> tuple[dict[str, float], int]:
    """When each effect was at the ERP for the first time, once all are there with their 997s; how many came twice."""
    wanted = {"/".join(one.effect) for one in messages}
    groups = {str(one.control_number) for one in messages} if acknowledged else set()
    deadline = time.perf_counter() + PATIENCE_SECONDS
    async with aiohttp.ClientSession() as session:
        while time.perf_counter() < deadline:
            if groups <= sender.functional.keys():
                async with session.get(f"{around.demo.url('north')}/seen") as answer:
                    books = json.loads(await answer.read())
                if wanted <= books["seen"].keys():
                    return books["seen"], books["doubled"]
            await asyncio.sleep(0.5)
    raise RuntimeError(f"the work was not over after {PATIENCE_SECONDS} s")


def _progress(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def show(results: Sequence[Result], asked: Load) -> None:
    """Print the table."""
    store, answered = "PostgreSQL" if asked.database else "SQLite", "a 997 each" if asked.acknowledged else "no 997s"
    print(f"answers to orders of their own, {store}, {answered}; CPU in ms for each message")
    print(
        f"  {'gateway':10}{'':16}{'messages':>9}{'msg/s':>7}{'CPU gateway':>12}{'ERP':>6}{'client':>8}"
        f"{'MDN p50':>9}{'p99':>7}{'at ERP p50':>12}{'p99':>7}{'MB':>6}{'twice':>7}"
    )
    for one in results:
        print(
            f"  {one.gateway:10}{one.part:16}{one.messages:>9}{one.a_second:>7.0f}{one.gateway_cpu:>12.2f}"
            f"{one.erp_cpu:>6.2f}{one.client_cpu:>8.2f}{one.receipt[0]:>9.1f}{one.receipt[1]:>7.0f}"
            f"{one.end_to_end[0]:>12.1f}{one.end_to_end[1]:>7.0f}{one.memory:>6.0f}{one.doubled:>7}"
        )


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench throughput", description="From the post to the ERP's books.")
    parser.add_argument("--orders", type=int, default=300, help="answered as fast as it goes (default 300)")
    parser.add_argument("--outstanding", type=int, default=32, help="messages posted at once (default 32)")
    parser.add_argument("--rate", type=float, help="messages a second of the paced part (default: half of the first)")
    parser.add_argument("--seconds", type=float, default=10, help="of the paced part (default 10)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the store")
    parser.add_argument(
        "--against",
        type=lambda text: Path(text).resolve(),
        help="the folder of another checkout, whose gateway takes turns",
    )
    parser.add_argument("--no-997", action="store_true", help="the agreement wants 997s only for what is wrong")
    parser.add_argument("--turns", type=int, default=1, help="how often each gateway runs (default 1)")
    options = parser.parse_args(arguments)
    results: list[Result] = []
    folders = [None] if options.against is None else [None, options.against]
    for folder in folders * options.turns:
        with postgresql() if options.database == "postgresql" else nullcontext() as database:
            asked = Load(
                folder=folder,
                orders=options.orders,
                outstanding=options.outstanding,
                rate=options.rate,
                seconds=options.seconds,
                database=database,
                acknowledged=not options.no_997,
            )
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                results += runner.run(run(asked))
    show(results, asked)


if __name__ == "__main__":
    main()
