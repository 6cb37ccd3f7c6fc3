"""`gateway message purge`: the bytes of a message removed for good; hashes, trail and documents stay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import WorkspaceFolder, answering, run, show


def purge(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="As `gateway message list` prints it.")],
    *,
    by: Annotated[str, typer.Option(help="Who asks; it is recorded.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    workspace: WorkspaceFolder = Path(),
) -> None:
    """Remove the bytes of a message, as they came and unwrapped; its hashes, trail and canonical documents stay.

    The trail still verifies, and says that they were removed, by whom and why. There is no way back.

    Example: gateway message purge 01a1fba6-51a7-7b71-bac9-45631484465c --by ann --reason "retention, 24 months"
    """
    with answering():
        run(_purged(workspace, message_id, by, reason))
        show(f"the bytes of message {message_id} are gone; its hashes and trail stay")


async def _purged(folder: Path, message_id: str, by: str, reason: str) -> None:
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need a store pay for loading it

    async with open_store(folder) as store:
        await store.purge_payload(message_id, by=by, reason=reason)
