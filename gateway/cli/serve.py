"""`gateway serve`: a gateway from a workspace, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from gateway.cli.answers import WorkspaceFolder, answering, run

log = logging.getLogger("gateway")


def serve(workspace: WorkspaceFolder = Path()) -> None:
    """Run the gateway of a workspace.

    It listens where gateway.yaml says, works what is due, and seals the audit trail. SIGTERM or Ctrl-C ends it in good
    order: nothing new is taken, what runs is finished or given back.

    Example: gateway serve --workspace /srv/gateway
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with answering():
        run(_serve(workspace))


async def _serve(folder: Path) -> None:
    from gateway import wiring  # noqa: PLC0415  other commands start without it

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with wiring.running(folder) as gateway:
        log.info("listening on %s", gateway.address)
        await stop.wait()
        log.info("stopping")
