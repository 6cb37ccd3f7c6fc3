"""The maps of a workspace for the commands of `gateway map`: where they are, and the names that a shell completes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gateway.mapping import from_folders, shipped
from gateway.partners.map_names import map_names

HERE = Path()


def sources(workspace: Path) -> Callable[[str], tuple[str, str]]:
    """The workspace's maps before the shipped ones."""
    return from_folders(workspace / "maps", shipped())


def complete_map(ctx: typer.Context, incomplete: str) -> list[str]:
    """The names of maps that begin so, for shells."""
    workspace = Path(str(ctx.params.get("workspace") or "."))
    return [name for name in sorted(map_names(workspace)) if name.startswith(incomplete)]


Folder = Annotated[
    Path,
    typer.Option(
        "--workspace",
        envvar="GATEWAY_WORKSPACE",
        help="The folder with maps/; shipped maps are always there.",
        show_default="the current folder",
    ),
]
MapArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The map: x12/855, acme/855.", autocompletion=complete_map)
]
