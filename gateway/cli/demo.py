"""`gateway demo`: the main job on real processes, proven from the outside."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.answers import answering


def demo(
    *,
    folder: Annotated[Path, typer.Option(help="Where everything of the demo is made; removed by the next one.")] = Path(
        "run/demo"
    ),
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end.")] = False,
) -> None:
    """Walk an order through the whole gateway: ERP, AS2, supplier, REST, failures, a kill, the audit trail.

    Starts two ERP sandboxes, the gateway and a supplier's station as processes of their own, and exits 0 only if every
    effect was verified from the outside.

    Example: gateway demo --keep
    """
    from gateway.demo.walk import walk  # noqa: PLC0415  other commands start without it

    with answering():
        try:
            code = asyncio.run(walk(folder.absolute(), Console(highlight=False), keep=keep))
        except KeyboardInterrupt:
            code = 0
    raise typer.Exit(code)
