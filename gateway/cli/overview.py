"""`gateway status`: whether all is well, in one look: what needs a person, and the command that shows more of it."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.cli.answers import FINDINGS, PIPE_WIDTH, AsJson, WorkspaceFolder, answering, run, show_json
from gateway.cli.printable import printable
from gateway.errors import OurFault

if TYPE_CHECKING:
    from gateway.cli.overview_looking import Look, Seen

STYLES = {"fine": "green", "know": "yellow", "act": "bold red"}
WORDS = {"fine": "ok", "know": "look", "act": "act"}


def overview(
    *,
    workspace: WorkspaceFolder = Path(),
    hours: Annotated[int, typer.Option(min=1, max=24, help="How far back messages are counted.")] = 1,
    watch: Annotated[
        int | None, typer.Option(min=1, max=3600, metavar="SECONDS", help="Look again so often, until Ctrl-C.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Whether all is well: gateways, work, what waits for a person, events, certificates, disk.

    Of each line that is not well the last column names the command that shows more. Exit code 1 when one says "act".

    Example: gateway status --watch 5
    """
    with answering():
        if watch is not None:
            _watch(workspace, hours, watch, as_json=as_json)
            return
        found = _looks(workspace, hours)
        if as_json:
            show_json([asdict(one) for one in found])
        else:
            Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH).print(_table(found))
    if any(one.state == "act" for one in found):
        raise typer.Exit(FINDINGS)


def _watch(workspace: Path, hours: int, seconds: int, *, as_json: bool) -> None:
    if as_json or not sys.stdout.isatty():
        raise OurFault("--watch draws in a terminal", remedy="leave it out, and run the command again when you like")
    with Live(_table(_looks(workspace, hours)), console=Console(highlight=False), auto_refresh=False) as live:
        try:
            while True:
                time.sleep(seconds)
                try:
                    drawn: Table | Text = _table(_looks(workspace, hours))
                except OurFault as fault:  # what is watched for: the database gone, say
                    drawn = Text(f"cannot look: {fault}", style="bold red")
                live.update(drawn, refresh=True)
        except KeyboardInterrupt:
            return


def _looks(workspace: Path, hours: int) -> list[Look]:
    from gateway.cli.overview_looking import looks  # noqa: PLC0415  help needs none of it
    from gateway.partners import workspace as files  # noqa: PLC0415
    from gateway.partners.checks import ONLY_TO_RUN  # noqa: PLC0415

    found = run(_seen(workspace, timedelta(hours=hours)))
    try:
        loaded: files.Workspace | OurFault = files.load(workspace, ignoring=ONLY_TO_RUN)
    except OurFault as fault:
        loaded = fault
    return list(looks(found, workspace, loaded))


async def _seen(workspace: Path, since: timedelta) -> Seen:
    from gateway.cli.overview_looking import seen  # noqa: PLC0415
    from gateway.partners.workspace import load_settings  # noqa: PLC0415
    from gateway.store.sqlite import file_of  # noqa: PLC0415
    from gateway.wiring import database_url, open_store  # noqa: PLC0415

    url = database_url(workspace, load_settings(workspace))
    if url.startswith("sqlite:") and not file_of(url).exists():  # an empty one, made now, would say that all is well
        raise OurFault(
            f"there is no database {file_of(url)}",
            remedy="gateway serve makes it; where there was one, bring it back: docs/operations.md, backup and restore",
        )
    async with open_store(workspace) as store:
        return await seen(store, since=since)


def _table(found: list[Look]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in found:
        style = STYLES[one.state]
        table.add_row(
            Text(WORDS[one.state], style=style),
            Text(one.about, style="bold"),
            Text(printable(one.said), style="" if one.state == "fine" else style),
            Text(one.command, style="dim"),
        )
    return table
