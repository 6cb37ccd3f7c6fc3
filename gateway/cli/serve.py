"""`gateway serve`: a gateway from a workspace, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import log_lines
from gateway.cli.answers import WorkspaceFolder, answering, run

log = logging.getLogger("gateway")

COLLECTOR = (20_000, 20, 50)
"""Thresholds of the cyclic collector: documents are trees of many small objects that die without its help. Python's own
(700, 10, 10) cost a sixth of all CPU under load (docs/benchmarks.md)."""


def serve(
    workspace: WorkspaceFolder = Path(),
    *,
    log_form: Annotated[
        log_lines.Form,
        typer.Option(
            "--log", envvar="GATEWAY_LOG", help="Lines of the log on stderr: text for people, json for programs."
        ),
    ] = log_lines.Form.TEXT,
) -> None:
    """Run the gateway of a workspace.

    It listens where gateway.yaml says, works what is due, and seals the audit trail. SIGTERM or Ctrl-C ends it in good
    order: it is no longer ready, works nothing new, answers on for nodes.drain_seconds so that a balancer sees that,
    and what runs is finished or given back. A second SIGTERM or Ctrl-C does not wait for the balancer.

    A changed partner, map, guide or gateway.yaml is seen within seconds, read and checked whole, and activated, or
    refused with the reason; the old one holds until then. SIGHUP looks at once, and reads keys and secrets again.

    Example: gateway serve --workspace /srv/gateway
    """
    log_lines.to_stderr(log_form)
    # Python's logging documentation, "Optimization": what no line of ours shows is not gathered for each of them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with answering():
        run(_serve(workspace))


async def _serve(folder: Path) -> None:
    from gateway import wiring  # noqa: PLC0415  other commands start without it

    gc.set_threshold(*COLLECTOR)
    stop, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    async with wiring.running(folder) as gateway:
        loop.add_signal_handler(signal.SIGHUP, gateway.activation.ask)
        settle()
        log.info("listening on %s", gateway.address)
        await stop.wait()
        log.info("stopping")
        await gateway.drain(hurry)


def settle() -> None:
    """What was made while starting stays for good: the collector need not walk over it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR)
