"""`gateway edi import`: a UN/EDIFACT directory, as UNECE publishes it, becomes guides in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import directory_archive
from gateway.cli.answers import FINDINGS, AsJson, answering, finding_json, say, show, show_findings, show_json
from gateway.edi import directory
from gateway.errors import OurFault

STANDARD = "edifact"


def import_(
    archive: Annotated[Path, typer.Argument(help="The directory's zip file, such as d01b.zip.")],
    *,
    message: Annotated[
        list[str] | None, typer.Option("--message", "-m", help="A message type to import; repeatable. Default: all.")
    ] = None,
    into: Annotated[Path, typer.Option("--into", help="The folder of guides.")] = Path("guides"),
    codes: Annotated[
        bool, typer.Option("--codes", help="Close the codes of elements to the directory's code lists.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite guides that are there and differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn a UN/EDIFACT directory, given as a file, into guides.

    Writes FOLDER/edifact/VERSION/segments.yaml and a file for every message. In the folder `guides` of a workspace the
    gateway uses them. Exit code 0 when everything was read, 1 when something was left out, 2 when nothing can be done.

    Example: gateway edi import d01b.zip --message ORDERS --message DESADV --into guides
    """
    with answering():
        imported = directory.convert(directory_archive.read(archive), messages=message or (), codes=codes)
        folder = into / STANDARD / imported.version
        written = _write(folder, imported, replace=replace) if imported.messages else []
    if as_json:
        show_json(
            {
                "version": imported.version,
                "messages": list(imported.messages),
                "written": [path.as_posix() for path in written],
                "findings": [finding_json(finding) for finding in imported.findings],
            }
        )
    else:
        for path in written:
            show(f"wrote {path}")
        show_findings(imported.findings)
        told = f"{len(imported.messages)} messages of {imported.version}, {len(imported.findings)} findings"
        say(told if written else "no message could be read: nothing was written")
    if imported.findings:
        raise typer.Exit(FINDINGS)


def _write(folder: Path, imported: directory.Imported, *, replace: bool) -> list[Path]:
    """Write the files. What is there and differs stops everything before the first is written."""
    files = {folder / name: text.encode() for name, text in imported.files.items()}
    try:
        other = [path for path, data in files.items() if path.exists() and path.read_bytes() != data]
        if other and not replace:
            more = f" and {len(other) - 1} more" if len(other) > 1 else ""
            raise OurFault(f"{other[0]}{more} is there and differs", remedy="give --replace, or another --into")
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            path.write_bytes(data)
    except OSError as error:
        raise OurFault(f"cannot write {error.filename}: {error.strerror}", remedy="check --into and rights") from error
    return list(files)
