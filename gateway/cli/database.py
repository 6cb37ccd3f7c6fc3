"""`gateway database`: where its schema stands, bringing it up to date in two phases, and whether it keeps promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.printable import printable
from gateway.errors import OurFault
from gateway.partners.workspace import load_settings

if TYPE_CHECKING:
    from gateway.store.checkup import Checked
    from gateway.store.database import Database

app = typer.Typer(no_args_is_help=True, help="The database: its schema, and whether it keeps what is promised.")


@app.callback()
def _group() -> None:
    """The database: its schema, and whether it keeps what is promised."""


@app.command()
def status(workspace: WorkspaceFolder = Path(), *, as_json: AsJson = False) -> None:
    """Where the schema stands. Nothing is changed.

    Exit code 1 when migrations are lacking, or this gateway does not fit the database any more.

    Example: gateway database status
    """
    with answering():
        said = run(_status(workspace))
    if as_json:
        show_json(said)
    else:
        show_table(("", ""), ((name.replace("_", " "), printable(_words(value))) for name, value in said.items()))
    if said["lacking"] or not said["usable"]:
        raise typer.Exit(FINDINGS)


@app.command()
def migrate(
    workspace: WorkspaceFolder = Path(),
    *,
    post: Annotated[
        bool,
        typer.Option("--post", help="Also remove what only gateways before this one need, once none of them runs."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this gateway's schema, as the first start of a new version does.

    Migrations only add: gateways of the version before work on beside it. With --post, what they leave behind is
    removed; while one of them still beats that is refused, naming it.

    Example: gateway database migrate --post
    """
    with answering():
        done = run(_migrate(workspace, post=post))
    if as_json:
        show_json(done)
        return
    show(f"migrated: {', '.join(done['migrated']) or 'nothing was lacking'}")
    if post:
        show(f"cleaned up: {', '.join(done['cleaned']) or 'nothing was left behind'}")


@app.command()
def check(workspace: WorkspaceFolder = Path(), *, as_json: AsJson = False) -> None:
    """Whether database and payload folder keep what the gateway promises with them. Nothing is changed.

    Exit code 1 when something does not hold.

    Example: gateway database check
    """
    with answering():
        found = run(_check(workspace))
    if as_json:
        show_json([asdict(one) for one in found])
    else:
        for one in found:
            mark = Text("ok     " if one.ok else "WRONG  ", style="green" if one.ok else "bold red")
            show(Text.assemble(mark, (f"{one.name}: ", "bold"), printable(one.said)))
            if one.remedy and (not one.ok or one.remedy.startswith("gateway ")):
                show(Text(f"       {printable(one.remedy)}", style="dim"))
    if not all(one.ok for one in found):
        raise typer.Exit(FINDINGS)


async def _status(workspace: Path) -> dict[str, Any]:
    from gateway.store.checkup import version_of  # noqa: PLC0415  help needs none of it
    from gateway.store.cleaning import waiting  # noqa: PLC0415
    from gateway.store.schema import head, standing  # noqa: PLC0415

    async with _opened(workspace) as (database, address):
        stands = await database.read(standing)
        return {
            "database": address,
            "version": await database.read(version_of),
            "schema": stands.found,
            "this_gateway": head(),
            "usable": stands.usable,
            "lacking": list(stands.lacking),
            "oldest_that_fits": stands.oldest,
            "to_clean_up": [one.goes for one in waiting(stands)],
        }


async def _migrate(workspace: Path, *, post: bool) -> dict[str, list[str]]:
    from gateway import wiring  # noqa: PLC0415
    from gateway.store import migrate as bring_up_to_date  # noqa: PLC0415
    from gateway.store.cleaning import clean  # noqa: PLC0415
    from gateway.store.schema import alone, standing  # noqa: PLC0415

    url = wiring.database_url(workspace, load_settings(workspace))
    lacking = (await alone(url, standing)).lacking
    await bring_up_to_date(url)
    cleaned = await clean(url, clock=wiring.now) if post else ()
    return {"migrated": list(lacking), "cleaned": [one.goes for one in cleaned]}


async def _check(workspace: Path) -> list[Checked]:
    from gateway import wiring  # noqa: PLC0415
    from gateway.store.checkup import checkup  # noqa: PLC0415

    payloads = workspace / load_settings(workspace).database.payloads
    async with _opened(workspace) as (database, _):
        return await checkup(database, payloads, wiring.STEPS, datetime.now(UTC))


@asynccontextmanager
async def _opened(workspace: Path) -> AsyncIterator[tuple[Database, str]]:
    """The workspace's database as it is, and its address without the password. A file is never made here."""
    from sqlalchemy import make_url  # noqa: PLC0415

    from gateway import wiring  # noqa: PLC0415
    from gateway.store.database import Database, driver_of  # noqa: PLC0415
    from gateway.store.sqlite import file_of  # noqa: PLC0415

    url = wiring.database_url(workspace, load_settings(workspace))
    if driver_of(url) == "sqlite" and not file_of(url).exists():
        raise OurFault(f"There is no database {file_of(url)} yet", remedy="gateway database migrate makes it")
    database = await Database.open(url)
    try:
        yield database, make_url(url).render_as_string(hide_password=True)
    finally:
        await database.close()


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
