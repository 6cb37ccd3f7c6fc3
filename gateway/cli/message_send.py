"""`gateway message send`: files that are ready to a partner's station, as they are: one by one, or as one message."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, show, show_json
from gateway.cli.partner_names import complete_partner
from gateway.errors import OurFault
from gateway.ports import IN_MEMORY, Spooled, Store


def send(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", exists=True, dir_okay=False, readable=True, help="X12, EDIFACT or any other files."
        ),
    ],
    *,
    partner: Annotated[str, typer.Option("--partner", help="Who gets it.", autocompletion=complete_partner)],
    together: Annotated[
        bool, typer.Option("--together", help="One message with the files as attachments (RFC 6362).")
    ] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Queue ready files for a partner; the running gateway sends them, unchanged, over AS2.

    Several files are a message each, or with --together the attachments of one. Either all are queued or none. What is
    no interchange goes by the type that its name's end says, as an attachment whatever it is.

    Example: gateway message send order.edi --partner acme
    """
    with answering():
        sent = run(_queue(workspace, partner, files, together=together))
        if as_json:
            told = [{"id": id_} for id_ in sent]
            show_json(told[0] if len(told) == 1 else told)
            return
        for id_ in sent:
            show(f"queued as message {id_}; see it with: gateway message show {id_}")


async def _queue(folder: Path, partner: str, paths: Sequence[Path], *, together: bool) -> list[str]:
    from gateway import wiring  # noqa: PLC0415  help needs none of it
    from gateway.pipeline.ready import queue, ready_file, ready_together  # noqa: PLC0415

    loaded = wiring.load(folder)
    agreement = next((one for one in loaded.agreements if one.name == partner), None)
    if agreement is None or agreement.as2 is None:
        names = ", ".join(one.name for one in loaded.agreements if one.as2) or "none"
        raise OurFault(f"{partner} is no partner over AS2", remedy=f"partners over AS2 are: {names}")
    settings = loaded.settings
    async with wiring.open_store(folder) as store:
        files = [(path.name, _octets(store, path)) for path in paths]
        if together:
            changes = [ready_together(settings, agreement, files, wiring.now())]
        else:
            changes = [ready_file(settings, agreement, data, name, wiring.now()) for name, data in files]
        return await queue(store, store, changes)


def _octets(store: Store, path: Path) -> bytes | Spooled:
    """A file; what is too large for memory goes into the spool in pieces."""
    if path.stat().st_size <= IN_MEMORY:
        return path.read_bytes()
    spooled = store.spool(kept=True)
    with path.open("rb") as file:
        while piece := file.read(IN_MEMORY):
            spooled.write(piece)
    return spooled
