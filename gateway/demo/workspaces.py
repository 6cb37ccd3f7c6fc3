"""The demo's folders: the distributor's workspace and its supplier's station, with keys, certificates and free ports.

The distributor's workspace is the one at the top of this project (gateway.yaml, partners/, maps/); only ports and retry
times are changed, everything else is what a reader of those files sees. The supplier's station is the agreement with it
turned round, as `gateway partner simulate --prepare` makes it.
"""

from __future__ import annotations

import re
import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import gateway
from gateway.errors import OurFault
from gateway.partners import configuration, keys
from gateway.partners.checks import ONLY_TO_RUN
from gateway.partners.workspace import load_settings
from gateway.simulation import mirror

MARKER = ".gateway-demo"
"""A folder with this file was made by the demo and may be removed by it."""

WRITTEN_PORTS = {"gateway": 8080, "station": 8090, "rheintal": 8091, "north": 8071, "south": 8072}
"""The ports in the files; taken as they are where they are free."""

STATIONS = {"acme": "station", "rheintal": "rheintal"}
"""The partners over AS2 and the folders of their stations, which are the names of their ports too."""

_QUICK_RETRIES = """
# Added by the demo, which has no patience:
retries:
  schedule_seconds: [1, 1, 2, 3, 5, 10, 30, 60]
seal_seconds: 2
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """Where everything of one walk is."""

    folder: Path
    ports: Mapping[str, int]
    environment: Mapping[str, str]
    """Passphrase and ERP tokens for every process; made anew for each walk."""

    @property
    def gateway(self) -> Path:
        """The distributor's workspace."""
        return self.folder / "gateway"

    @property
    def station(self) -> Path:
        """The workspace of the supplier's station."""
        return self.folder / "station"

    def database(self, erp: str) -> Path:
        """The database file of an ERP sandbox."""
        return self.folder / "erp" / f"{erp}.db"

    def url(self, name: str) -> str:
        """Where a process listens."""
        return f"http://127.0.0.1:{self.ports[name]}"


def prepare(folder: Path, *, written_ports: bool = True) -> Demo:
    """Make `folder` anew. Raises OurFault when it holds anything that is not the demo's.

    Without `written_ports` any free ports are taken, so that several may run side by side.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise OurFault(
            f"{folder} is not empty and not the demo's", remedy="choose another folder: gateway demo --folder DIR"
        )
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    ports = _ports(WRITTEN_PORTS if written_ports else dict.fromkeys(WRITTEN_PORTS, 0))
    tokens = {f"{name.upper()}_ERP_TOKEN": secrets.token_hex(24) for name in ("north", "south")}
    demo = Demo(
        folder=folder,
        ports=ports,
        environment={"GATEWAY_PASSPHRASE": secrets.token_hex(24), **tokens},
    )
    root = distributor_files()
    demo.gateway.mkdir()
    for name in ("partners", "maps"):
        shutil.copytree(root / name, demo.gateway / name)
    shutil.copy(root / "gateway.yaml", demo.gateway)
    _renumber(demo.gateway, ports)
    with (demo.gateway / "gateway.yaml").open("a", encoding="utf-8") as file:
        file.write(_QUICK_RETRIES)
    return demo


def exchange_certificates(demo: Demo) -> None:
    """Our keys are made, then the supplier's station with its own; each gets the other's certificate, as by mail."""
    now = datetime.now(UTC)
    keys.create_keys(demo.gateway, load_settings(demo.gateway), now=now, bits=2048)
    loaded = configuration.read(demo.gateway, ignoring=ONLY_TO_RUN).workspace
    for name, station in STATIONS.items():
        agreement = next(one for one in loaded.agreements if one.name == name)
        url, port = f"{demo.url('gateway')}/as2", demo.ports[station]
        folder = demo.folder / station
        mirror.write_workspace(loaded, agreement, folder, url=url, host="127.0.0.1", port=port, now=now, bits=2048)
        shutil.copy(folder / mirror.CERTIFICATE, demo.gateway / "certs" / f"{name}.pem")


def distributor_files() -> Path:
    """The folder with gateway.yaml, partners/ and maps/: the project's, or the one in the wheel."""
    package = Path(gateway.__file__).parent
    for folder in (package.parent, package / "demo" / "distributor"):
        if (folder / "gateway.yaml").exists() and (folder / "partners").is_dir():
            return folder
    raise OurFault("the demo's configuration is not installed", remedy="install the gateway from its wheel or checkout")


def _renumber(workspace: Path, ports: Mapping[str, int]) -> None:
    wanted = {str(WRITTEN_PORTS[name]): str(port) for name, port in ports.items()}
    for path in workspace.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\b(80\d\d)\b", lambda found: wanted.get(found[1], found[1]), text), encoding="utf-8")


def _ports(wanted: Mapping[str, int]) -> dict[str, int]:
    """The ports wanted, where nobody listens there; free ones otherwise, and for 0."""
    chosen: dict[str, int] = {}
    held: list[socket.socket] = []
    for name, port in wanted.items():
        listener = socket.socket()
        held.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.bind(("127.0.0.1", 0))
        chosen[name] = listener.getsockname()[1]
    for listener in held:
        listener.close()
    return chosen
