"""`gateway partner simulate`: the partner, played by the agreement turned round, over AS2 or over two folders."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import log_lines
from gateway.cli.answers import WorkspaceFolder, answering, run, say, show
from gateway.cli.partner_names import PartnerName, partner_named
from gateway.errors import OurFault
from gateway.partners import configuration
from gateway.partners.checks import ONLY_TO_RUN
from gateway.simulation.correspondent import chosen
from gateway.simulation.folders import Folders
from gateway.simulation.mirror import CERTIFICATE, write_workspace
from gateway.simulation.scenarios import SCENARIOS
from gateway.simulation.trial import sides

LOOKS_EVERY = 1.0
"""Seconds between two looks into the inbox."""
PORT = 8090


def _complete_scenario(incomplete: str) -> list[tuple[str, str]]:
    return [(name, one.says) for name, one in SCENARIOS.items() if name.startswith(incomplete)]


def simulate(
    name: PartnerName,
    *,
    scenario: Annotated[
        str, typer.Option(help=f"How orders are answered: {', '.join(SCENARIOS)}.", autocompletion=_complete_scenario)
    ] = "accept",
    every: Annotated[bool, typer.Option("--every", help="Every scenario in turn, one for each order.")] = False,
    inbox: Annotated[Path | None, typer.Option(help="A folder with what we send, one interchange a file.")] = None,
    outbox: Annotated[Path | None, typer.Option(help="The folder for their answers.")] = None,
    once: Annotated[bool, typer.Option("--once", help="With folders: answer what is there, and end.")] = False,
    prepare: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Make their station's folder, with keys of its own.")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Play over AS2 from the folder that --prepare made.")] = None,
    host: Annotated[str, typer.Option(help="With --prepare: the address their station binds.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --prepare: its TCP port.")] = PORT,
    our_url: Annotated[
        str | None, typer.Option("--our-url", help="With --prepare: where we listen.", show_default="gateway.yaml's")
    ] = None,
    workspace: WorkspaceFolder = Path(),
) -> None:
    """Play a partner: read what we send, answer with 997 or CONTRL and, by a scenario, with 855 and 856.

    Everything is written by the partner's own maps and guides, turned round. Over folders nothing else is needed.
    Over AS2 it is a gateway of its own: --prepare makes its folder and keys (no key of the real partner is ever here)
    and prints what stands in a test copy of the agreement; --folder runs it. Ctrl-C ends it.

    Example: gateway partner simulate acme --inbox out --outbox in --scenario backorder --once
    """
    with answering():
        scenarios = chosen(scenario, every=every)
        wanted = [prepare is not None, folder is not None, inbox is not None or outbox is not None]
        if sum(wanted) != 1:
            raise OurFault(
                "say how to play", remedy="give --inbox and --outbox, or --prepare FOLDER, or --folder FOLDER"
            )
        if prepare is not None:
            _prepare(workspace, name, prepare, host=host, port=port, our_url=our_url)
        elif folder is not None:
            _over_as2(folder, scenarios)
        elif inbox is None or outbox is None:
            raise OurFault("both folders are needed", remedy="give --inbox and --outbox")
        else:
            _over_folders(workspace, name, inbox, outbox, scenarios, once=once)


def _prepare(workspace: Path, name: str, folder: Path, *, host: str, port: int, our_url: str | None) -> None:
    loaded = configuration.read(workspace, ignoring=ONLY_TO_RUN).workspace
    agreement = partner_named(loaded, name)
    listen = loaded.settings.listen
    scheme = "https" if listen.tls else "http"
    url = our_url or f"{scheme}://{'127.0.0.1' if listen.host == '0.0.0.0' else listen.host}:{listen.port}/as2"  # noqa: S104  compared, not bound
    write_workspace(loaded, agreement, folder, url=url, host=host, port=port, now=datetime.now(UTC))
    show(f"wrote {folder}: the station of {name}, its keys and its certificate")
    say(f"Take a test copy of this workspace (never the one in production), and in its partners/{name}.yaml write:")
    show(f"as2:\n  url: http://{host}:{port}/as2\n  certificates: [certs/{name}-simulator.pem]")
    say(f"with a copy of {folder / CERTIFICATE} as certs/{name}-simulator.pem. Then:")
    say(f"gateway partner simulate {name} --folder {folder} --scenario backorder")


def _over_folders(
    workspace: Path, name: str, inbox: Path, outbox: Path, scenarios: tuple[str, ...], *, once: bool
) -> None:
    found = configuration.read(workspace, ignoring=ONLY_TO_RUN)
    agreement = partner_named(found.workspace, name)
    if agreement.x12 is None and agreement.edifact is None:
        raise OurFault(
            f"{name} speaks neither X12 nor EDIFACT", remedy=f"try its documents: gateway partner test {name}"
        )
    partner = sides(found.workspace, found.maps, agreement).theirs
    if once and not inbox.is_dir():
        raise OurFault(f"{inbox} is no folder", remedy="give the folder with what we send, one interchange a file")
    if outbox.resolve() == inbox.resolve():
        raise OurFault("the inbox and the outbox are one folder", remedy="answers need a folder of their own: --outbox")
    folders = Folders(partner, inbox=inbox, outbox=outbox, scenarios=scenarios)
    try:
        while True:
            for line in folders.look(datetime.now(UTC), settled=not once):
                show(line)
            if once:
                return
            time.sleep(LOOKS_EVERY)
    except KeyboardInterrupt:
        return


def _over_as2(folder: Path, scenarios: tuple[str, ...]) -> None:
    log_lines.to_stderr()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    run(_play(folder, scenarios))


async def _play(folder: Path, scenarios: tuple[str, ...]) -> None:
    from gateway.simulation.station import playing  # noqa: PLC0415  folders need no database and no web server

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with playing(folder, scenarios, _tell) as address:
        _tell(f"listening on {address}, answering: {', '.join(scenarios)}")
        await stop.wait()


def _tell(line: str) -> None:
    show(line)
    sys.stdout.flush()
