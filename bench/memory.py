"""`python -m bench.memory [MB] [--wrong N]`: the peak memory of reading and answering a huge interchange.

The file never exists: it comes from a generator in chunks of 64 KiB, its sets are thrown away as they come, the
verdicts of all of them spill to a temporary file, and the 997 is written piece by piece. Run in a process of its own;
the figure is its peak resident set as the system counts it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from bench.edi import HEAD, ISA, LINE
from gateway.edi import acknowledge, reading
from gateway.edi.delimiters import STANDARD
from gateway.edi.library import standard
from gateway.edi.writing import Writer
from gateway.findings import EdiPlace

CHUNK = 1 << 16
LIMIT_MB = 100


def interchange(size: int, wrong: int) -> Iterator[bytes]:
    """850s with 20 lines each, about `size` bytes, in chunks; every `wrong`th has a code too many."""
    body = HEAD + b"".join(LINE % number for number in range(1, 21)) + b"CTT*20~"
    segments = body.count(b"~") + 2
    broken = body.replace(b"CTT*20~", b"CTT*20*X*Y~")
    held = bytearray(ISA + b"GS*PO*SUPPLIER*GATEWAY*20260101*1200*1*X*004010~")
    sets = 0
    while size > 0:
        sets += 1
        one = broken if wrong and sets % wrong == 0 else body
        held += b"ST*850*%09d~%bSE*%d*%09d~" % (sets, one, segments, sets)
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
            size -= CHUNK
    held += b"GE*%d*1~IEA*1*000000001~" % sets
    yield bytes(held)


def inside(size: int, wrong: int) -> None:
    """Read and answer; print what came of it."""
    guides = standard()
    writer = Writer(delimiters=STANDARD)
    started = time.process_time()
    written = 0
    with tempfile.TemporaryFile() as spill:
        events = reading.read(interchange(size, wrong), guides=guides)
        for answer in acknowledge.stream(events, guides=guides, spill=spill):
            numbered = acknowledge.enclosed(answer, "0001")
            for piece in acknowledge.written(numbered, lambda some: writer.write(some, EdiPlace())):
                written += len(piece)
            print(f"  {answer.kind} {answer.outcome}, {written / 1e6:.1f} MB written", flush=True)
        spill.seek(0, 2)
        print(f"  {spill.tell() / 1e6:.1f} MB spilled")
    taken = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {size / 1e6:.0f} MB in {taken:.0f} s of CPU, {size / taken / 1e6:.1f} MB/s, peak memory {peak:.1f} MB")
    sys.exit(0 if peak <= LIMIT_MB else 1)


def main(arguments: list[str] | None = None) -> int:
    """Run one size in a process of its own; 1 when it took more than 100 MB."""
    parser = argparse.ArgumentParser(prog="bench.memory", description=__doc__)
    parser.add_argument("size", nargs="?", type=int, default=64, help="MB of the file")
    parser.add_argument("--wrong", type=int, default=10, help="every so many sets has a fault; 0: none")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        inside(options.size * 1_000_000, options.wrong)
    command = [sys.executable, "-m", "bench.memory", str(options.size), "--wrong", str(options.wrong), "--inside"]
    print(f"one X12 interchange of {options.size} MB, read, checked and answered", flush=True)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
