"""`gateway message export`: the payload of a message, or each file that it encloses, written into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, show, show_json
from gateway.cli.message_files import write
from gateway.cli.printable import printable
from gateway.errors import OurFault, PartnerFault
from gateway.pipeline.bodies import as_octets
from gateway.pipeline.files import File, files_of


def export(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="As `gateway message list` prints it.")],
    *,
    to: Annotated[Path, typer.Option("--to", file_okay=False, help="The folder for the files; made if need be.")],
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Write the payload of a message into a folder; of a message with attachments each file, decoded.

    The sender's names are kept as far as they are safe. No file is ever replaced: a name that is taken gets a number.

    Example: gateway message export 01a1fba6-51a7-7b71-bac9-45631484465c --to received
    """
    with answering():
        written = list(write(run(_files(workspace, message_id)), to))
        if as_json:
            show_json([one.as_json for one in written])
            return
        for one in written:
            show(printable(f"{one.path}  {len(one.file.data):,} bytes"))


async def _files(folder: Path, message_id: str) -> tuple[File, ...]:
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need a store pay for loading it

    async with open_store(folder) as store:
        message = await store.message(message_id)
        if message is None:
            raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones")
        payload = as_octets(await store.octets(message_id) or b"")
        spool = store.spool
    try:
        return files_of(message.content_type, payload, name=message.filename, spool=spool)
    except PartnerFault as fault:
        raise OurFault(f"{fault}", remedy="`gateway message show ID --payload` writes the whole of it") from fault
