"""`gateway partner check`: everything wrong in a workspace, the maps that it names and their guides among it.

Each map is compiled and held against its guides by itself; what is wrong in one keeps none of the others from a check.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import (
    FINDINGS,
    AsJson,
    WorkspaceFolder,
    answering,
    finding_json,
    show,
    show_findings,
    show_json,
)
from gateway.cli.edi_progress import COUNTED, Meter
from gateway.cli.map_guides import Desk
from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding, Severity, worst
from gateway.mapping import from_folders, shipped
from gateway.partners import checked
from gateway.partners.map_names import known_maps, maps_used
from gateway.partners.map_shelf import MapCache, MapShelf
from gateway.partners.workspace import SETTINGS_FILE, examine, partner_files
from gateway.yamltext import near_miss


def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Partners; all when absent.")] = None,
    *,
    without_secrets: Annotated[
        bool,
        typer.Option(
            "--without-secrets", help="Read no secrets and open no keys: for where they are not, such as a pipeline."
        ),
    ] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Report everything wrong in gateway.yaml, partners' files, guides and the maps they name, with file and line.

    Maps are compiled and held against their guides. With names, only the findings in those partners' files, in the
    folders of their guides and maps, and in the maps they name. Each secret is read and each private key opened; what
    cannot be is named by its variable or file. Exit code 1 where anything is found.

    Example: gateway partner check acme --json
    """
    with answering():
        files = dict(partner_files(workspace))
        for name in names or ():
            known_partner(name, list(files))
        exists = known_maps(workspace)
        shelf = MapShelf(workspace, MapCache(checked.remembered(workspace / checked.FILE)))
        _, findings = examine(workspace, map_exists=exists, map_head=shelf.head, secrets=not without_secrets)
        wanted = {files[name] for name in names} if names else None
        folders = tuple(f"{folder}/{name}/" for folder in ("guides", "maps") for name in names or ())
        shown = [
            finding
            for finding in findings
            if wanted is None or (file := _file(finding)) in wanted or (file or "").startswith(folders)
        ]
        used = [name for name in sorted(maps_used(workspace, names)) if exists(name) is None]
        shown += [one for one in _maps(workspace, shelf, used, quiet=as_json) if one not in shown]
        if as_json:
            show_json([finding_json(finding) for finding in shown])
        else:
            show_findings(shown)
            what = " ".join(sorted(wanted)) if wanted else f"{SETTINGS_FILE}, {_counted(len(files), 'partner')}"
            show(f"{what}: {_counted(len(shown), 'finding') if shown else 'no findings'}")
        if worst(shown) is not Severity.ACCEPT:
            raise typer.Exit(FINDINGS)


def _maps(workspace: Path, shelf: MapShelf, names: Iterable[str], *, quiet: bool) -> tuple[Finding, ...]:
    """What is wrong in the maps, each finding once."""
    desk = Desk(workspace)
    find = from_folders(workspace / "maps", shipped())
    found: dict[Finding, None] = {}
    names = list(names)
    with Meter(len(names), columns=COUNTED, quiet=quiet) as meter:
        for name in names:
            found.update(dict.fromkeys((*shelf.check([name]), *desk.findings(name, find))))
            meter.add(1)
    return tuple(found)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def known_partner(name: str, names: list[str]) -> None:
    """Raises OurFault with the near miss where there is no partner of that name."""
    if name not in names:
        meant = near_miss(name, names)
        remedy = f"did you mean {meant}?" if meant else f"partners are: {', '.join(names) or 'none'}"
        raise OurFault(f"there is no partner {name}", remedy=remedy)


def _file(finding: Finding) -> str | None:
    return finding.place.file if isinstance(finding.place, FilePlace) else None
