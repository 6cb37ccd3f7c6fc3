"""Partners by name on the command line: completed from the workspace, and the near miss where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import OurFault
from gateway.partners.agreement import Agreement
from gateway.partners.workspace import Workspace, partner_files
from gateway.yamltext import near_miss


def complete_partner(context: typer.Context, incomplete: str) -> list[str]:
    """The names of the workspace's partners that begin so."""
    folder = Path(context.params.get("workspace") or ".")
    try:
        return sorted(name for name, _ in partner_files(folder) if name.startswith(incomplete))
    except OSError:
        return []


PartnerName = Annotated[
    str, typer.Argument(metavar="NAME", help="The partner's name.", autocompletion=complete_partner)
]


def partner_named(workspace: Workspace, name: str) -> Agreement:
    """The agreement with a partner. Raises OurFault with the near miss."""
    known = {agreement.name: agreement for agreement in workspace.agreements}
    if name not in known:
        meant = near_miss(name, list(known))
        remedy = f"did you mean {meant}?" if meant else f"partners are: {', '.join(known) or 'none'}"
        raise OurFault(f"there is no partner {name}", remedy=remedy)
    return known[name]
