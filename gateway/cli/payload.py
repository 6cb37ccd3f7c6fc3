"""`gateway payload`: the files of large messages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table, times
from gateway.cli.edi_progress import COUNTED, Meter
from gateway.cli.printable import printable

if TYPE_CHECKING:
    from gateway.store import PayloadReport

app = typer.Typer(no_args_is_help=True, help="The files of large messages.")


@app.callback()
def _group() -> None:
    """The files of large messages."""


@app.command()
def verify(
    workspace: WorkspaceFolder = Path(),
    *,
    repair_orphans: Annotated[
        bool, typer.Option("--repair-orphans", help="Remove files older than a day that no message names.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every payload file and hold it against its hash; find files that no message names.

    It may run beside working gateways. Exit code 1 when something is wrong and was not repaired.

    Example: gateway payload verify --repair-orphans
    """
    with answering():
        found = run(_verified(workspace, remove=repair_orphans, quiet=as_json))
    if as_json:
        show_json({"ok": found.ok, **asdict(found)})
    else:
        _print(found)
    if not found.ok:
        raise typer.Exit(FINDINGS)


async def _verified(workspace: Path, *, remove: bool, quiet: bool) -> PayloadReport:
    from gateway.wiring import open_store  # noqa: PLC0415  help needs none of it

    async with open_store(workspace) as store:
        with Meter(await store.payload_files(), columns=COUNTED, quiet=quiet) as meter:
            return await store.verify_payloads(remove=remove, looked=meter.add)


def _print(found: PayloadReport) -> None:
    show(f"{times(found.files, 'file')} with {found.octets} bytes were read")
    if found.young:
        show(f"{times(found.young, 'file')} of the last day that no message names yet: not judged")
    if found.problems:
        show_table(
            ("what", "file", ""),
            ((one.what, printable(one.path), printable(one.detail)) for one in found.problems),
        )
    if found.removed:
        show(f"{times(found.removed, 'file')} that no message names: removed")
    elif found.unnamed:
        show("gateway payload verify --repair-orphans removes what no message names")
    if found.ok:
        show(Text("files and messages belong together", style="green"))
    else:
        wrong = found.unreadable + found.changed + found.unnamed - found.removed
        show(Text(f"{times(wrong, 'file')} wrong", style="bold red"))
