"""What the commands of `gateway webhook` share: the webhooks of a workspace, one of them by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import OurFault
from gateway.partners import workspace as workspaces
from gateway.partners.workspace import Workspace
from gateway.publication import Endpoint, Subscribers
from gateway.yamltext import near_miss


def webhooks_of(loaded: Workspace) -> dict[str, Endpoint]:
    """Every webhook of a workspace by its name."""
    return dict(Subscribers.of(loaded.settings, loaded.agreements).endpoints)


def one_of(folder: Path, name: str) -> tuple[Workspace, Endpoint]:
    """The webhook of this name. Raises OurFault with who may be meant."""
    loaded = workspaces.load(folder)
    known = webhooks_of(loaded)
    if name not in known:
        meant = near_miss(name, known)
        there = f"webhooks are: {', '.join(sorted(known)[:20])}" if known else "none is configured: see webhooks:"
        raise OurFault(f"there is no webhook {name}", remedy=f"did you mean {meant}?" if meant else there)
    return loaded, known[name]


def complete_webhook(context: typer.Context, incomplete: str) -> list[str]:
    """The names that begin so."""
    try:
        known = webhooks_of(workspaces.load(Path(context.params.get("workspace") or ".")))
    except (OSError, OurFault):
        return []
    return [name for name in known if name.startswith(incomplete)]


WebhookName = Annotated[
    str, typer.Argument(metavar="NAME", help="As `gateway webhook list` prints it.", autocompletion=complete_webhook)
]
By = Annotated[str | None, typer.Option(help="Who asks; it is recorded.", show_default="who is logged in")]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]
