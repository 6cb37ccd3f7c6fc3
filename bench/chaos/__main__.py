"""`python -m bench.chaos [--full] [--only NAME …] [--into docs/reliability.md]`: the table of faults, zero lost.

Exit code 1 when a promise was broken, 2 when a fault could not be made here.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
import traceback
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import power
from bench.chaos import page
from bench.chaos.faults import FAULTS, ON_POSTGRES, NotHereError, Size
from bench.chaos.page import Report
from bench.chaos.rows import Row
from bench.chaos.site import postgresql
from bench.surroundings import machine
from gateway.errors import OurFault

POWER = "power"


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; the table is printed as it comes about."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.chaos", description="Faults under load, each with what was lost: nothing."
    )
    parser.add_argument("--full", action="store_true", help="100 kills each, an hour without the ERP: hours")
    parser.add_argument("--only", nargs="+", choices=(*FAULTS, POWER), metavar="NAME", help="these faults only")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments (1)")
    parser.add_argument("--into", type=Path, help="write the page here, such as docs/reliability.md")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # processes and folders are tidied up then, too
    names = options.only or [*FAULTS, POWER]
    size = Size(full=options.full, seed=options.seed)
    report = Report(
        command=" ".join(["python -m bench.chaos", *(sys.argv[1:] if arguments is None else arguments)]),
        machine=machine(),
        at=datetime.now(UTC),
    )
    print(report.machine)
    started = time.monotonic()
    with postgresql() if ON_POSTGRES.intersection(names) else nullcontext() as server:
        for number, name in enumerate(names, start=1):
            print(f"[{number}/{len(names)}] {name}", file=sys.stderr, flush=True)
            try:
                if name == POWER:
                    report.power = asyncio.run(power.run(messages=size.of(60, 240), points=1000, seed=size.seed))
                    power.show(report.power)
                else:
                    report.rows.append(_run(name, size, server))
                    page.tell(report.rows[-1])
            except (NotHereError, OurFault) as fault:
                report.left_out[name] = str(fault)
                print(f"  NOT RUN: {fault}", flush=True)
            except Exception as fault:  # noqa: BLE001  the other rows are worth having; this one is seen in the page
                traceback.print_exc()
                report.left_out[name] = f"{type(fault).__name__}: {fault}"
    report.seconds = time.monotonic() - started
    print(f"{report.seconds:.0f} s; {report.lost} lost, {report.doubled} doubled; {report.verdict}")
    if options.into is not None:
        options.into.write_text(page.written(report), encoding="utf-8")
    return 1 if not report.proven else 2 if report.left_out else 0


def _run(name: str, size: Size, server: Any) -> Row:
    return asyncio.run(FAULTS[name](size, server))


if __name__ == "__main__":
    sys.exit(main())
