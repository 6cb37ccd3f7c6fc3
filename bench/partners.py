"""`python -m bench.partners [N]`: how long N partners take to load, and how much memory; 500 may take 3 s and 200 MB.

Writes a workspace of N partners with three documents each (850 out, 855 and 856 in); every second one has a map delta
and a guide delta of its own for each of the three, all different. Loading is what `gateway serve` does before it
listens: reading, checking, compiling. It happens in a process of its own; memory is its peak as the system counts it.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli.serve import COLLECTOR
from gateway.partners import checked
from gateway.partners.configuration import read
from gateway.partners.initial import Company, create_workspace
from gateway.partners.keys import new_as2_key_pair, write_certificate
from gateway.partners.map_shelf import MapCache

PARTNERS = 500
MOST_SECONDS = 3.0
MOST_MB = 200.0
DOCUMENTS = (
    ("850", "BEG: {BEG04: ~}", "required: [N1/N3]\ncodes: {BEG02: [SA, NE]}"),
    ("855", "BAK: {BAK05: ~}", "required: [N1/N3]\ncodes: {BAK02: [AC, AD, AK, RD]}"),
    ("856", "BSN: {BSN05: ~}", "lengths: {BSN02: 2/20}"),
)
AGREEMENT = """\
title: Invented Partner {number}
ids: [{{scheme: assigned_by_buyer, value: V-{number}}}]
channel: as2
as2:
  id: PARTNER-{number}
  url: https://partner{number}.example.com/as2
  certificates: [certs/partner.pem]
x12:
  identity: {{qualifier: ZZ, id: P{number}}}
documents:
  send:
    purchase_order: {{set: "850", {send}}}
  receive:
    order_acknowledgement: {{set: "855", {first}}}
    ship_notice: {{set: "856", {second}}}
"""


def generate(folder: Path, partners: int) -> None:
    """A workspace in `folder`, which must be empty or new."""
    now = datetime.now(UTC)
    company = Company(name="Invented Company", as2_id="BENCH", x12_qualifier="ZZ", x12_id="BENCH")
    create_workspace(folder, company, passphrase_variable=None, now=now, days=30, bits=2048)
    pair = new_as2_key_pair(company="Invented Partner", as2_id="PARTNER", now=now, days=30, bits=2048)
    write_certificate(folder / "certs" / "partner.pem", pair.certificate)
    (folder / "partners").mkdir(exist_ok=True)
    for number in range(partners):
        name = f"partner{number:05d}"
        own = bool(number % 2)
        named = []
        for document, change, guide in DOCUMENTS:
            named.append(f"map: {name}/{document}, guide: {name}/{document}" if own else f"map: x12/{document}")
            if own:
                _write(folder / "maps" / name / f"{document}.yaml", _map(document, change, number))
                _write(folder / "guides" / name / f"{document}.yaml", _guide(document, guide, number))
        send, first, second = named
        text = AGREEMENT.format(number=number, send=send, first=first, second=second)
        (folder / "partners" / f"{name}.yaml").write_text(text)


def _map(document: str, change: str, number: int) -> str:
    codes = "".join(f", Y{number % 7}{index}: own_{number}_{index}" for index in range(3))
    return f"extends: x12/{document}\ncodes: {{reference_type: {{ZX: partner_{number}{codes}}}}}\nchange:\n  {change}\n"


def _guide(document: str, change: str, number: int) -> str:
    return f"extends: x12/004010/{document}\ntitle: as partner {number} has it\n{change}\n"


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def inside(folder: Path, remembered: Path) -> None:
    """Load the workspace in `folder` twice, the second time with what is remembered; print what each took."""
    first = not remembered.exists()
    gc.set_threshold(*COLLECTOR)  # as `gateway serve` does before it loads
    before = _peak()
    started, cpu = time.monotonic(), time.process_time()
    cache = MapCache(checked.remembered(remembered))
    loaded = read(folder, cache=cache)
    taken, cpu = time.monotonic() - started, time.process_time() - cpu
    peak = _peak()
    checked.remember(remembered, cache.sound)
    print(
        f"  {'first time' if first else 'again     '}: {len(loaded.workspace.agreements)} agreements, "
        f"{len(loaded.workspace.guides)} guides, {len(cache.sound)} maps of different content in {taken:.2f} s "
        f"({cpu:.2f} s of CPU), peak memory {peak:.0f} MB, {before:.0f} before"
    )
    sys.exit(0 if first or (taken <= MOST_SECONDS and peak <= MOST_MB) else 1)


def _peak() -> float:
    """MB. Not `ru_maxrss`: that of the process which started this one counts in it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(arguments: list[str] | None = None) -> int:
    """Write a workspace and load it in a process of its own; 1 when it took too long or too much."""
    parser = argparse.ArgumentParser(prog="bench.partners", description=__doc__)
    parser.add_argument("partners", nargs="?", type=int, default=PARTNERS, help="how many")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside is not None:
        inside(options.inside, options.inside / checked.FILE)
    print(f"a workspace of {options.partners} partners with three documents each, loaded", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder, "workspace")
        generate(workspace, options.partners)
        command = [sys.executable, "-m", "bench.partners", "--inside", str(workspace)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        return max(subprocess.run(command, check=False, env=environment).returncode for _ in range(2))


if __name__ == "__main__":
    sys.exit(main())
