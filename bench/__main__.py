"""`python -m bench [NAME …]`: the quick measurements, or those named. docs/benchmarks.md says what each figure means.

Whatever is left of the arguments when a single measurement is named goes to it: `python -m bench kill --messages 500`.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module

from bench.surroundings import machine

QUICK = ("primitives", "as2", "edi", "map", "store", "server")
"""Under three minutes together, on two quiet cores."""
LONG = (
    "kill",
    "power",
    "linear",
    "memory",
    "partners",
    "oracle",
    "connections",
    "large",
    "throughput",
    "claims",
    "figures",
    "retention",
    "order",
    "fairness",
    "rates",
    "nodes",
    "soak",
)
"""They take minutes by their nature and are run by name. `python -m bench.fuzz` needs an environment of its own."""
TAKES_ARGUMENTS = (
    "edi", "map", "server", "kill", "power", "linear", "memory", "partners", "oracle", "connections", "large",
    "throughput", "claims", "figures", "retention", "order", "fairness", "rates", "nodes", "soak",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run the measurements named in `arguments`, or the quick ones; 2 for a name that is none."""
    names = [one for one in arguments if one in {*QUICK, *LONG}]
    rest = [one for one in arguments if one not in names]
    if rest and (len(names) != 1 or names[0] not in TAKES_ARGUMENTS):
        print(f"unknown: {' '.join(rest)}; measurements are: {', '.join((*QUICK, *LONG))}", file=sys.stderr)
        return 2
    chosen = names or list(QUICK)
    print(machine())
    started = time.monotonic()
    for number, name in enumerate(chosen, start=1):
        print(f"\n[{number}/{len(chosen)}] {name}", flush=True)
        begun = time.monotonic()
        measurement = import_module(f"bench.{name}")
        if name in TAKES_ARGUMENTS:
            measurement.main(rest)
        else:
            measurement.main()
        print(f"  ({time.monotonic() - begun:.0f} s)", flush=True)
    print(f"\n{machine()}\n{time.monotonic() - started:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
