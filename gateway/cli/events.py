"""`gateway events`: what is published, as a table or as AsyncAPI, and what waits to be published."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.printable import printable
from gateway.errors import OurFault
from gateway.publication import asyncapi
from gateway.published import TYPES

if TYPE_CHECKING:
    from gateway.store.outbox import Waiting

app = typer.Typer(no_args_is_help=True, help="Published events: which there are, what waits to be published.")


@app.command()
def describe(
    *,
    into: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the AsyncAPI document there.")] = None,
    as_json: AsJson = False,
) -> None:
    """The types of event; with --json or --into the AsyncAPI 3.0 document, as it is served at /asyncapi.json.

    Example: gateway events describe --into docs/asyncapi.json
    """
    with answering():
        if into is not None:
            text = json.dumps(asyncapi.document(), indent=2, ensure_ascii=False) + "\n"
            try:
                into.write_text(text, encoding="utf-8")
            except OSError as error:
                raise OurFault(f"{into}: {error.strerror}", remedy="name a file in a folder that is there") from error
        elif as_json:
            show_json(asyncapi.document())
        else:
            show_table(
                ("type", "partners", "when"),
                ((row.name, "yes" if row.for_partners else "", row.text) for row in TYPES.values()),
            )


@app.command()
def waiting(*, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """What stands in the outbox, by way: how much, since when, and why it was not taken.

    Example: gateway events waiting
    """
    with answering():
        found = run(_waiting(workspace))
        now = datetime.now(UTC)
        ages = [round((now - one.oldest).total_seconds(), 1) for one in found]
        if as_json:
            show_json(
                [
                    {
                        "way": one.way,
                        "events": one.events,
                        "oldest_seconds": age,
                        "failing": one.failing,
                        "reason": one.reason,
                    }
                    for one, age in zip(found, ages, strict=True)
                ]
            )
        elif not found:
            show("nothing waits")
        else:
            show_table(
                ("way", "events", "oldest", "failing", ""),
                (
                    (one.way, str(one.events), f"{age:.0f} s", str(one.failing), printable(one.reason or ""))
                    for one, age in zip(found, ages, strict=True)
                ),
            )


async def _waiting(workspace: Path) -> list[Waiting]:
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need the store load it

    async with open_store(workspace) as store:
        return await store.outbox()
