"""Ten thousand connections that say nothing, or too little: what a genuine message waits for its receipt meanwhile.

    python -m bench connections [--idle 10000]

Half of them send nothing at all, a quarter half a request line, a quarter headers and then a byte of a body now and
then. Before, during and after, 50 genuine 4 KB messages are posted one after another. Memory is the gateway's own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import statistics
import sys
import time
from collections.abc import Sequence

from bench import load
from bench.server import percentile
from bench.station import Station, station
from bench.surroundings import Surroundings, surroundings

GENUINE = 50
SLOW_HEADERS = (
    b"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From: ACME-AS2\r\nAS2-To: HARBORLINE\r\nMessage-ID: <slow@x>\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 4000\r\n\r\n"
)
AT_ONCE = 200
DRIP_SECONDS = 5.0


class Silent(asyncio.Protocol):
    """One connection; `first` is what it says at once."""

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.transport: asyncio.Transport | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say what there is to say."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.first:
            transport.write(self.first)

    def connection_lost(self, exc: Exception | None) -> None:
        """The gateway has had enough of it."""
        del exc
        self.closed = True


async def besiege(port: int, count: int) -> list[Silent]:
    """Open them, some at once."""
    loop = asyncio.get_running_loop()
    firsts = (b"", b"", b"POST /as2 HT", SLOW_HEADERS)
    made: list[Silent] = []

    async def one(number: int) -> None:
        with contextlib.suppress(OSError):
            _, silent = await loop.create_connection(lambda: Silent(firsts[number % 4]), "127.0.0.1", port)
            made.append(silent)

    for begin in range(0, count, AT_ONCE):
        await asyncio.gather(*(one(number) for number in range(begin, min(begin + AT_ONCE, count))))
    return made


async def drip(silents: Sequence[Silent]) -> None:
    """A byte of the body each time, for those that have announced one."""
    while True:
        await asyncio.sleep(DRIP_SECONDS)
        for silent in silents:
            if silent.first is SLOW_HEADERS and not silent.closed and silent.transport is not None:
                silent.transport.write(b"x")


async def genuine(around: Surroundings, sender: Station, first: int) -> str:
    """Genuine messages one after another, and what they waited."""
    messages = load.unreadable(around.parties, GENUINE, size=4096, first=first)
    sender.waits.clear()
    retried = sender.retries
    await sender.send_all(messages, outstanding=1)
    return (
        f"{GENUINE} genuine messages: median {statistics.median(sender.waits) * 1000:6.1f} ms, "
        f"p99 {percentile(sender.waits, 99):7.1f} ms, {sender.retries - retried} posted again"
    )


async def run(idle: int) -> int:
    """Measure and print; 1 when a genuine message got no receipt."""
    async with (
        surroundings() as around,
        station(around.parties, gateway=around.url, port=around.demo.ports["station"]) as sender,
    ):
        port = around.demo.ports["gateway"]
        print("  before:", await genuine(around, sender, 0))
        calm = around.memory_megabytes()
        started = time.perf_counter()
        silents = await besiege(port, idle)
        opened = time.perf_counter() - started
        dripping = asyncio.create_task(drip(silents))
        print(f"  {len(silents)} of {idle} connections opened in {opened:.1f} s")
        print("  during:", await genuine(around, sender, GENUINE))
        standing = sum(not one.closed for one in silents)
        print(f"  standing {standing}; memory {calm:.0f} MB before, {around.memory_megabytes():.0f} MB at most")
        while time.perf_counter() - started < 120 and any(not one.closed for one in silents):  # noqa: ASYNC110  the far side ends them
            await asyncio.sleep(1)
        left = sum(not one.closed for one in silents)
        print(f"  after {time.perf_counter() - started:.0f} s: {left} of them stand")
        dripping.cancel()
        for one in silents:
            if one.transport is not None:
                one.transport.abort()
        print("  after: ", await genuine(around, sender, 2 * GENUINE))
        return 1 if len(sender.acknowledged) < 3 * GENUINE else 0


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench connections", description="Connections that say nothing.")
    parser.add_argument("--idle", type=int, default=10_000, help="how many (default 10,000)")
    options = parser.parse_args(arguments)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return asyncio.run(run(options.idle))


if __name__ == "__main__":
    sys.exit(main())
