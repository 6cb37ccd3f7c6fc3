"""`gateway message send`: a file that is an interchange already, to a partner's station, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, show, show_json
from gateway.errors import OurFault


def send(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The X12 or EDIFACT file.")],
    *,
    partner: Annotated[str, typer.Option("--partner", help="Who gets it.")],
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Queue a ready EDI file for a partner; the running gateway sends it, unchanged, over AS2.

    Example: gateway message send order.edi --partner acme
    """
    with answering():
        message_id = run(_queue(workspace, partner, file.name, file.read_bytes()))
        if as_json:
            show_json({"id": message_id})
        else:
            show(f"queued as message {message_id}; see it with: gateway message show {message_id}")


async def _queue(folder: Path, partner: str, filename: str, payload: bytes) -> str:
    from gateway import wiring  # noqa: PLC0415  help needs none of it
    from gateway.pipeline.composing import ready_file  # noqa: PLC0415

    loaded = wiring.load(folder)
    agreement = next((one for one in loaded.agreements if one.name == partner), None)
    if agreement is None or agreement.as2 is None:
        names = ", ".join(one.name for one in loaded.agreements if one.as2) or "none"
        raise OurFault(f"{partner} is no partner over AS2", remedy=f"partners over AS2 are: {names}")
    changes = ready_file(loaded.settings, agreement, payload, filename, wiring.now())
    async with wiring.open_store(folder) as store:
        await store.apply(changes)
    return changes.messages[0].id
