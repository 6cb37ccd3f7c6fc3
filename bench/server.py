"""The running gateway: messages a second, its own CPU for each message, and how long a sender waits for the MDN.

    python -m bench server [--messages 300] [--outstanding 32] [--database postgresql]

Three loads of 4 KB messages, signed and encrypted, synchronous signed MDN, each doing more than the one before:

received    text that is no interchange: decrypted, verified, durable, receipted; there is nothing to process
processed   856s for an order that is not there: read, checked, mapped, judged; the 997 is composed, numbered, wrapped,
            posted, its receipt verified
delivered   856s for known orders: all of it, and the canonical document is at the ERP sandbox

CPU is that of the gateway process alone, all its threads, user and system (/proc); rates share the machine with the
sender, the station and the ERP sandbox, so CPU is the figure to compare.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from bench import load
from bench.primitives import bare_exchange, cpu_milliseconds
from bench.station import Station, station
from bench.surroundings import Surroundings, postgresql, surroundings

CARTONS = 32
"""Makes an 856 of about 4 KB."""
WARM = 60
"""Messages of each kind before anything is counted."""
PACED_SECONDS = 15
RECEIPTS_A_SECOND = 200
"""The rate at which the 99th percentile of the wait for the MDN is to be under 50 ms."""
PATIENCE_SECONDS = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """What one load showed."""

    name: str
    messages: int
    size: int
    receipts_a_second: float
    finished_a_second: float
    cpu_milliseconds: float
    """Of the gateway, for each message, until all of its work was done."""
    p50: float
    p99: float
    """Milliseconds to the verified receipt, with the load's messages outstanding."""


async def measure(
    around: Surroundings, sender: Station, name: str, messages: Sequence[load.Prepared], outstanding: int
) -> Stage:
    """Send, wait until everything that follows is done, and divide."""
    done = _done(around, sender, name, messages)
    sender.waits.clear()
    cpu, started = around.cpu_seconds(), time.perf_counter()
    await sender.send_all(messages, outstanding=outstanding)
    answered = time.perf_counter() - started
    await _until(done)
    finished = time.perf_counter() - started
    await quiet(around)
    spent = around.cpu_seconds() - cpu
    if sender.refused:
        raise RuntimeError(f"{len(sender.refused)} messages were refused: {sender.refused[0]}")
    return Stage(
        name=name,
        messages=len(messages),
        size=round(statistics.mean(one.payload_size for one in messages)),
        receipts_a_second=len(messages) / answered,
        finished_a_second=len(messages) / finished,
        cpu_milliseconds=spent * 1000 / len(messages),
        p50=percentile(sender.waits, 50),
        p99=percentile(sender.waits, 99),
    )


def percentile(waits: Sequence[float], which: int) -> float:
    """A percentile of seconds, in milliseconds."""
    ordered = sorted(waits)
    return ordered[min(len(ordered) - 1, len(ordered) * which // 100)] * 1000


async def run(*, messages: int, outstanding: int, database: str | None) -> tuple[list[Stage], list[str]]:
    """The three loads, and paced ones; stages and further lines to print."""
    async with (
        surroundings(database=database) as around,
        station(around.parties, gateway=around.url, port=around.demo.ports["station"]) as sender,
    ):
        await around.place_orders(10)
        makers: dict[str, Callable[[int, int], Sequence[load.Prepared]]] = {
            "received": lambda first, count: load.unreadable(around.parties, count, size=4096, first=first),
            "processed": lambda first, count: load.ship_notices(
                around.parties, count, cartons=CARTONS, first=first, known_order=False
            ),
            "delivered": lambda first, count: load.ship_notices(around.parties, count, cartons=CARTONS, first=first),
        }
        stages: list[Stage] = []
        lines: list[str] = []
        first = 0
        for name, make in makers.items():
            warm = await asyncio.to_thread(make, first, WARM)
            prepared = await asyncio.to_thread(make, first + WARM, messages)
            first += WARM + messages
            await measure(around, sender, name, warm, outstanding)
            _progress(f"{name}: sending {messages}")
            stages.append(await measure(around, sender, name, prepared, outstanding))
            if name == "received":
                lines.append(await _paced_receipts(around, sender, first))
                first += RECEIPTS_A_SECOND * PACED_SECONDS
        rate = max(1.0, stages[-1].finished_a_second / 2)
        count = int(rate * PACED_SECONDS)
        paced = await asyncio.to_thread(makers["delivered"], first, count)
        _progress(f"paced: {count} messages, {rate:.0f} a second")
        sender.waits.clear()
        cpu = around.cpu_seconds()
        await sender.send_paced(paced, a_second=rate)
        await _until(_done(around, sender, "delivered", paced))
        cpu = around.cpu_seconds() - cpu
        p50, p99 = percentile(sender.waits, 50), percentile(sender.waits, 99)
        lines += [
            f"paced at {rate:.0f}/s, all delivered: MDN p50 {p50:.1f} ms, p99 {p99:.1f} ms",
            f"CPU of the paced load, {cpu * 1000 / count:.2f} ms a message",
            f"most memory held by the gateway process: {around.memory_megabytes():.0f} MB",
        ]
        return stages, lines


async def _paced_receipts(around: Surroundings, sender: Station, first: int) -> str:
    """`received` at the rate that the aim names, whether earlier ones are answered or not."""
    count = RECEIPTS_A_SECOND * PACED_SECONDS
    paced = await asyncio.to_thread(lambda: load.unreadable(around.parties, count, size=4096, first=first))
    _progress(f"received: {count} messages, {RECEIPTS_A_SECOND} a second")
    sender.waits.clear()
    cpu = around.cpu_seconds()
    await sender.send_paced(paced, a_second=RECEIPTS_A_SECOND)
    await quiet(around)
    cpu = around.cpu_seconds() - cpu
    p50, p99 = percentile(sender.waits, 50), percentile(sender.waits, 99)
    return (
        f"received, paced at {RECEIPTS_A_SECOND}/s: MDN p50 {p50:.1f} ms, p99 {p99:.1f} ms (aim 50), "
        f"CPU {cpu * 1000 / count:.2f} ms a message"
    )


def _done(around: Surroundings, sender: Station, name: str, messages: Sequence[load.Prepared]) -> Callable[[], bool]:
    """How it is seen from outside that the work on these messages is over."""
    groups = {str(one.control_number) for one in messages}
    effects = {one.effect for one in messages}
    if name == "received":
        return lambda: True
    if name == "processed":
        return lambda: groups <= sender.functional.keys()
    return lambda: groups <= sender.functional.keys() and effects <= around.delivered().keys()


async def _until(done: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not await asyncio.to_thread(done):
        if time.perf_counter() > deadline:
            raise RuntimeError(f"the work was not over after {PATIENCE_SECONDS} s")
        await asyncio.sleep(0.1)


async def quiet(around: Surroundings) -> None:
    """Until the gateway rests: less than 5 % of a core for half a second."""
    before = around.cpu_seconds()
    while True:
        await asyncio.sleep(0.5)
        now = around.cpu_seconds()
        if now - before < 0.025:
            return
        before = now


def _progress(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def show(stages: Sequence[Stage], lines: Sequence[str], *, database: str, outstanding: int, bare: float) -> None:
    """Print the table."""
    print(f"the running gateway, {database}, {outstanding} messages outstanding; bare cryptography {bare:.2f} ms CPU")
    print(
        f"  {'':10}{'messages':>9}{'bytes':>7}{'MDN/s':>8}{'done/s':>8}{'CPU ms':>8}{'x bare':>8}"
        f"{'p50 ms':>9}{'p99 ms':>9}"
    )
    for stage in stages:
        print(
            f"  {stage.name:10}{stage.messages:>9}{stage.size:>7}{stage.receipts_a_second:>8.0f}"
            f"{stage.finished_a_second:>8.0f}{stage.cpu_milliseconds:>8.2f}{stage.cpu_milliseconds / bare:>8.1f}"
            f"{stage.p50:>9.1f}{stage.p99:>9.1f}"
        )
    for line in lines:
        print(f"  {line}")


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.server", description="The running gateway under load.")
    parser.add_argument("--messages", type=int, default=300, help="of each kind (default 300)")
    parser.add_argument("--outstanding", type=int, default=32, help="posted at once (default 32)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the store")
    options = parser.parse_args(arguments)
    bare = cpu_milliseconds(bare_exchange(4096), seconds=1.0)[0]
    with postgresql() if options.database == "postgresql" else nullcontext() as database:
        stages, lines = asyncio.run(run(messages=options.messages, outstanding=options.outstanding, database=database))
    show(stages, lines, database=options.database, outstanding=options.outstanding, bare=bare)


if __name__ == "__main__":
    main()
