"""Messages by id, and targets, on the command line: completed from the workspace's store and gateway.yaml."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from gateway.errors import OurFault

_OFFERED = 200


def complete_message(context: typer.Context, incomplete: str) -> list[str]:
    """The ids of the newest messages that begin so; none where there is no workspace."""
    folder = Path(context.params.get("workspace") or ".")
    try:
        return asyncio.run(_ids(folder, incomplete))
    except (OurFault, OSError):
        return []


async def _ids(folder: Path, incomplete: str) -> list[str]:
    from gateway.wiring import open_store  # noqa: PLC0415  only who asks pays for loading it

    async with open_store(folder) as store:
        return [one.id for one in await store.messages(limit=_OFFERED) if one.id.startswith(incomplete)]


def complete_target(context: typer.Context, incomplete: str) -> list[str]:
    """The targets of gateway.yaml that begin so; none where it cannot be read."""
    from gateway.partners.workspace import load_settings  # noqa: PLC0415  only who asks pays for loading it

    try:
        targets = load_settings(Path(context.params.get("workspace") or ".")).targets
    except (OurFault, OSError):
        return []
    return [name for name in targets if name.startswith(incomplete)]
