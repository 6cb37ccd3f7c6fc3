"""`gateway schedule`: the duties that one node does at a time, when each was done last and what came of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.lane_asking import age
from gateway.cli.printable import printable

if TYPE_CHECKING:
    from gateway.store import Scheduled

app = typer.Typer(no_args_is_help=True, help="Duties that one node does at a time.")


@app.callback()
def _group() -> None:
    """Duties that one node does at a time."""


@app.command("list")
def list_(*, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """Every duty: how often it is done, by whom it is now, when it was done last, what came of it.

    Exit code 1 while the last try of one failed.

    Example: gateway schedule list
    """
    with answering():
        found = run(_schedules(workspace))
        if as_json:
            show_json([asdict(one) for one in found])
        elif not found:
            show("no duty yet: gateway serve plans them")
        else:
            now = datetime.now(UTC)
            show_table(("duty", "every", "state", "next", "done", "took", ""), (_row(one, now) for one in found))
    if any(one.error for one in found):
        raise typer.Exit(FINDINGS)


async def _schedules(workspace: Path) -> list[Scheduled]:
    from gateway.wiring import open_store  # noqa: PLC0415  help needs none of it

    async with open_store(workspace) as store:
        return await store.schedules()


def _row(one: Scheduled, now: datetime) -> tuple[str | Text, ...]:
    if one.owner is not None:
        state = Text(f"runs at {printable(one.owner)} since {age(one.started_at, now)}", style="green")
    elif one.error:
        state = Text("failed", style="bold red")
    else:
        state = Text("waits")
    said = f"failed {age(one.failed_at, now)} ago: {one.error}" if one.error else one.said or ""
    return (
        one.name,
        f"{one.every_seconds / 3600:g} h",
        state,
        f"{one.next_at:%Y-%m-%d %H:%M} UTC",
        "never" if one.done_at is None else f"{age(one.done_at, now)} ago",
        "" if one.took_seconds is None else f"{one.took_seconds:.0f} s",
        printable(said),
    )
