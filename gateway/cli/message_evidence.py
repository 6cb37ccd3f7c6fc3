"""`gateway message evidence`: everything that proves one exchange, in one file that verifies without a gateway."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, say, show, show_json, times
from gateway.cli.message_names import complete_message
from gateway.cli.printable import printable
from gateway.errors import OurFault
from gateway.pipeline.evidence import Evidence, files, gather, zipped


def evidence(
    message_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="As `gateway message list` prints it.", autocompletion=complete_message),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The ZIP to write; - is stdout.", show_default="evidence-ID.zip"),
    ] = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Write what proves an exchange as a ZIP: message, receipt, what was signed, certificates, MIC, trail, seals.

    Its README has the openssl commands that verify signature, MIC, receipt and trail without a gateway. No private key
    is in it; what was signed is in it in the clear, so whoever gets the file can read the message.

    Example: gateway message evidence 01a1fba6-51a7-7b71-bac9-45631484465c -o dispute.zip
    """
    with answering():
        found = run(_gathered(workspace, message_id))
        made = files(found)
        target = output or Path(f"evidence-{message_id}.zip")
        _write(target, zipped(made))
        if str(target) == "-":
            return
        if as_json:
            show_json({"file": str(target), "files": sorted(made), "lacking": list(found.lacking)})
            return
        _print(found, target, len(made))


async def _gathered(workspace: Path, message_id: str) -> Evidence:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    from gateway.wiring import open_station, public_seal_key  # noqa: PLC0415  help needs none of it

    async with open_station(workspace) as (station, store):
        key = public_seal_key(workspace).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return await gather(station, message_id, await store.proof(message_id), key)


def _write(target: Path, octets: bytes) -> None:
    if str(target) == "-":
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()
        return
    try:
        with target.open("xb") as file:
            file.write(octets)
    except FileExistsError:
        raise OurFault(f"{target} is there already", remedy="name another file with -o, or remove it first") from None
    except OSError as error:
        raise OurFault(f"cannot write {target}: {error.strerror}", remedy="name another file with -o") from error


def _print(found: Evidence, target: Path, count: int) -> None:
    show(f"wrote {target}: {times(count, 'file')}, its README.md says how to verify them")
    for name, explanation in (("message", found.seen if found.inbound else None), ("receipt", found.receipt)):
        if explanation is not None:
            show(printable(f"{name}: {explanation.sentence}"))
    sealed = sum(one.seal is not None for one in found.trail.events)
    show(f"trail: {times(len(found.trail.events), 'event')}, {sealed} of them sealed")
    for one in found.lacking:
        say(Text(printable(f"note: {one}"), style="yellow"))
