"""`gateway audit`: whether the trail is as it was written."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.printable import printable
from gateway.errors import OurFault

if TYPE_CHECKING:
    from gateway.store import Verification

app = typer.Typer(no_args_is_help=True, help="The audit trail.")


@app.callback()
def group() -> None:
    """The audit trail."""


@app.command("verify")
def verify(
    workspace: WorkspaceFolder = Path(),
    anchor: Annotated[
        str | None,
        typer.Option(metavar="NUMBER:HASH", help="Last seal of an earlier verification, as noted elsewhere."),
    ] = None,
    *,
    no_payloads: Annotated[
        bool, typer.Option("--no-payloads", help="Do not read the stored bytes: quicker, and blind to changes in them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute every event, seal, payload and document; name whatever was changed, removed, moved or inserted.

    Example: gateway audit verify --anchor 812:9d0c…
    """
    with answering():
        found = run(_verified(workspace, _anchor(anchor), read_bytes=not no_payloads))
        age = None if found.oldest_unsealed is None else (datetime.now(UTC) - found.oldest_unsealed).total_seconds()
        if as_json:
            show_json({"ok": found.ok, "oldest_unsealed_seconds": age, **asdict(found)})
        else:
            _print(found, age)
        if not found.ok:
            raise typer.Exit(FINDINGS)


async def _verified(workspace: Path, anchor: tuple[int, str] | None, *, read_bytes: bool) -> Verification:
    from gateway.wiring import open_store, public_seal_key  # noqa: PLC0415  only commands that need them load them

    async with open_store(workspace) as store:
        return await store.verify([public_seal_key(workspace)], anchor=anchor, read_bytes=read_bytes)


def _print(found: Verification, age: float | None) -> None:
    tail = "nothing is unsealed" if age is None else f"{found.unsealed} not sealed yet, the oldest for {age:.0f} s"
    show(f"{found.sealed} events in {found.seals} seals; {tail}")
    if found.last_seal is not None:
        show(f"note elsewhere as an anchor: {found.last_seal}:{found.last_hash}")
    if found.ok:
        show(Text("the trail is as it was written", style="green"))
        return
    show(Text(f"the trail is not as it was written, in {len(found.problems)} places:", style="bold red"))
    rows = ((one.what.value, one.seal, one.message_id, one.number, one.detail) for one in found.problems)
    show_table(
        ("what", "seal", "message", "event", ""),
        (tuple("" if value is None else printable(value) for value in row) for row in rows),
    )


def _anchor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, digest = text.partition(":")
    if not number.isascii() or not number.isdigit() or not digest:
        raise OurFault(
            f"{printable(text)} is not an anchor", remedy="give number and hash as an earlier verification printed them"
        )
    return int(number), digest
