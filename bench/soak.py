"""Soak: the same load for a long time; memory and the time of a claim must not rise.

    python -m bench soak [--minutes 30] [--rate 100] [--database postgresql --nodes 3] [--picture FILE.svg]

Ship notices of about 4 KB of ten suppliers, signed and encrypted, delivered to the ERP, at a fixed rate whether earlier
ones are answered or not. They are built beforehand, by two processes, into files. Every few seconds each gateway's
memory (VmRSS) is read and its metrics are asked: claims and commits in between, and what they took on average.

Flat is judged by Theil's slope, the middle of the slopes between all pairs of samples: a spike does not move it. The
first fifth is warm-up. Over the rest, memory may rise by a tenth of its middle, the time of a claim by a quarter.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import uvloop

from bench.chaos.site import postgresql
from bench.fleet import Fleet, fleet
from bench.load import Prepared
from bench.plot import Panel, Points, drawn
from bench.server import percentile
from bench.suppliers import Suppliers
from bench.surroundings import machine, parties_of
from gateway.demo.workspaces import Demo
from gateway.errors import OurFault

SUPPLIERS = 10
CARTONS = 28
CHUNK = 500
"""Messages in a file."""
EVERY = 5.0
"""Seconds between samples, or less in a short run."""
FEWEST = 60
"""Samples of a run."""
MOST_OUTSTANDING = 3000
"""More posts without an answer: the machine does not hold the rate."""
WARM = 0.2
MEMORY_RISE, CLAIM_RISE = 0.10, 0.25


@dataclass(kw_only=True)
class Samples:
    """What was seen, by minutes."""

    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """MB of each node."""
    times: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"claim": [], "commit": []})
    """Milliseconds on average since the sample before, over all nodes."""
    rates: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"receipts": [], "at the ERP": []})
    """A second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Soaked:
    """The whole run."""

    samples: Samples
    sent: int
    there: int
    doubled: int
    seconds: float
    ways: tuple[float, float]
    """p50 and p99 from post to books, milliseconds."""
    cpu: float
    """Milliseconds of the gateways for each message."""

    @property
    def rises(self) -> Iterator[tuple[str, float, float]]:
        """What was watched, by which part of its middle it rose after the warm-up, and by how much it may."""
        for name, points in self.samples.memory.items():
            yield f"memory of {name}", rise(points), MEMORY_RISE
        yield "time of a claim", rise(self.samples.times["claim"]), CLAIM_RISE


def rise(points: Points) -> float:
    """By which part of its middle a curve rises after the warm-up, by Theil's slope."""
    begin, end = points[0][0], points[-1][0]
    late = [(x, y) for x, y in points if x >= begin + WARM * (end - begin)]
    slopes = [(second[1] - first[1]) / (second[0] - first[0]) for first, second in combinations(late, 2)]
    middle = statistics.median(y for _, y in late)
    return statistics.median(slopes) * (late[-1][0] - late[0][0]) / middle if slopes and middle else 0.0


def _build(demo: Demo, suppliers: Suppliers, first: int, count: int, file: Path) -> None:
    """In a process of its own: some messages into a file."""
    made = list(suppliers.notices(parties_of(demo), range(first, first + count), cartons=CARTONS))
    file.write_bytes(pickle.dumps(made))


async def _prepare(demo: Demo, suppliers: Suppliers, total: int, folder: Path) -> list[Path]:
    loop, files = asyncio.get_running_loop(), []
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = []
        for first in range(0, total, CHUNK):
            files.append(folder / f"{first:09}")
            count = min(CHUNK, total - first)
            waiting.append(loop.run_in_executor(pool, _build, demo, suppliers, first, count, files[-1]))
        for number, one in enumerate(waiting, start=1):
            await one
            if number % 20 == 0:
                _progress(f"{number * CHUNK} of {total} built")
    return files


async def run(*, minutes: float, rate: float, nodes: int, server: Any) -> Soaked:
    """All of it."""
    suppliers, total = Suppliers.of(SUPPLIERS), int(minutes * 60 * rate)
    with tempfile.TemporaryDirectory(prefix="gateway-bench-soak-") as folder:
        async with fleet(suppliers, nodes=nodes, server=server) as place:
            files = await _prepare(place.demo, suppliers, total, Path(folder))
            await place.place(suppliers.orders(total))
            await place.quiet()
            _progress(f"{total} messages, {rate:.0f} a second")
            samples, cpu, started = Samples(), place.cpu_seconds(), time.monotonic()
            watching = asyncio.create_task(_watch(place, samples, min(EVERY, minutes * 60 / FEWEST)))
            try:
                await _send(place, files, rate)
            finally:
                watching.cancel()
            await place.until(total)
            seconds, cpu = time.monotonic() - started, place.cpu_seconds() - cpu
            books = await place.books()
            ways = [at - place.sender.posted["ship_notice", name.partition("/")[2]] for name, at in books.seen.items()]
            if place.sender.refused or place.sender.invalid:
                raise OurFault(f"receipts: {(place.sender.refused + place.sender.invalid)[:3]}")
            return Soaked(
                samples=samples,
                sent=total,
                there=len(books.seen),
                doubled=books.doubled,
                seconds=seconds,
                ways=(percentile(ways, 50), percentile(ways, 99)),
                cpu=cpu * 1000 / total,
            )


async def _send(place: Fleet, files: Sequence[Path], rate: float) -> None:
    begin, index, under_way = time.perf_counter(), 0, set[asyncio.Task[None]]()
    async for message in _read(files):
        due = begin + index / rate
        index += 1
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if len(under_way) >= MOST_OUTSTANDING:
            raise OurFault(f"this machine does not hold {rate:.0f} a second", remedy="ask for less with --rate")
        task = asyncio.create_task(place.sender.send(message, since=due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        if index % CHUNK == 0:
            place.sender.acknowledged.clear()  # they hold the bytes of all messages
    await asyncio.gather(*under_way)


async def _read(files: Sequence[Path]) -> AsyncIterator[Prepared]:
    for file in files:
        for message in pickle.loads(await asyncio.to_thread(file.read_bytes)):  # noqa: S301  made by `_build`
            yield message
        file.unlink()


async def _watch(place: Fleet, samples: Samples, every: float) -> None:
    """Until cancelled."""
    begin = last = time.monotonic()
    before = await place.figures()
    receipts, there = len(place.sender.waits), await place.count()
    while True:
        await asyncio.sleep(every)
        now, found, came = time.monotonic(), await place.figures(), await place.count()
        at = (now - begin) / 60
        for node, megabytes in zip(place.nodes, place.memory_megabytes(), strict=True):
            samples.memory.setdefault(node.name, []).append((at, megabytes))
        for what, points in samples.times.items():
            count, total = (found[what, which] - before[what, which] for which in ("count", "sum"))
            if count:
                points.append((at, total * 1000 / count))
        samples.rates["receipts"].append((at, (len(place.sender.waits) - receipts) / (now - last)))
        samples.rates["at the ERP"].append((at, (came - there) / (now - last)))
        last, before, receipts, there = now, found, len(place.sender.waits), came


def picture(soaked: Soaked, *, what: str) -> str:
    """The curves as SVG."""
    samples = soaked.samples
    panels = [
        Panel(title="memory, MB", curves=samples.memory),
        Panel(title="time of a claim and of a commit, ms", curves=samples.times),
        Panel(title="messages a second", curves=samples.rates),
    ]
    return drawn(f"{what}: {soaked.sent:,} messages", panels)


def _progress(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Run, print and draw; exit code 1 when something rose or is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench soak", description="Memory and claims over a long time.")
    parser.add_argument("--minutes", type=float, default=30, help="of load (default 30)")
    parser.add_argument("--rate", type=float, default=100, help="messages a second (default 100)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="the store")
    parser.add_argument("--nodes", type=int, default=1, help="gateways on PostgreSQL (default 1)")
    parser.add_argument("--picture", type=Path, help="draw the curves here (SVG)")
    options = parser.parse_args(arguments)
    with postgresql() if options.database == "postgresql" else nullcontext() as server:
        nodes = options.nodes if server is not None else 1
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            asked = run(minutes=options.minutes, rate=options.rate, nodes=nodes, server=server)
            try:
                soaked = runner.run(asked)
            except OurFault as fault:
                print(f"  {fault}. {fault.remedy or ''}")
                sys.exit(1)
    store = "SQLite" if server is None else f"PostgreSQL, {nodes} nodes"
    what = f"{store}, {options.rate:.0f} messages a second for {options.minutes:g} min"
    print(f"  {what}; {machine()}")
    print(
        f"  {soaked.sent} sent, {soaked.there} at the ERP, {soaked.doubled} doubled, {soaked.seconds:.0f} s;"
        f" post to books p50 {soaked.ways[0]:.0f} ms, p99 {soaked.ways[1]:.0f} ms; CPU {soaked.cpu:.1f} ms each"
    )
    wrong = soaked.there != soaked.sent or soaked.doubled > 0
    for name, rose, may in soaked.rises:
        wrong = wrong or rose > may
        print(f"  {name}: {rose:+.1%} after the warm-up (at most {may:.0%})")
    if options.picture is not None:
        options.picture.write_text(picture(soaked, what=what), encoding="utf-8")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
