"""`gateway config status`: which configuration is active, how the last change went, and what the folder holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, finding_json, run, show, show_json
from gateway.cli.node import state_of
from gateway.cli.printable import printable
from gateway.errors import OurFault

if TYPE_CHECKING:
    from gateway.ports import Node, TrailEntry


def status(workspace: WorkspaceFolder = Path(), *, as_json: AsJson = False) -> None:
    """Which configuration the gateway works with, and whether the folder holds another one.

    A running gateway takes a changed folder up by itself, or refuses it; then this says why, and exits with 1.

    Of several nodes on one database it names those that work with another configuration than the active one; exit 1.

    Example: gateway config status --workspace /srv/gateway
    """
    with answering():
        trail, nodes = run(_trail(workspace))
        said = _status(workspace, trail) | {"nodes": _nodes(nodes)}
    if as_json:
        show_json(said)
    else:
        _print(said)
    if said["refused"] is not None or said["findings"] or _strange(said):
        raise typer.Exit(FINDINGS)


async def _trail(workspace: Path) -> tuple[list[TrailEntry], list[Node]]:
    from gateway.ports import CONFIGURATION  # noqa: PLC0415  help needs none of it
    from gateway.wiring import open_store  # noqa: PLC0415

    async with open_store(workspace) as store:
        return await store.newest_events(CONFIGURATION), await store.nodes()


def _nodes(nodes: list[Node]) -> list[dict[str, str]]:
    """The living ones, and the configuration that each works with."""
    now = datetime.now(UTC)
    living = [one for one in nodes if one.configuration and state_of(one, now) in {"ready", "draining"}]
    return [{"id": one.id, "configuration": one.configuration} for one in living]


def _status(workspace: Path, trail: list[TrailEntry]) -> dict[str, Any]:
    from gateway.activation import last_activated, last_refused  # noqa: PLC0415
    from gateway.partners import configuration  # noqa: PLC0415

    active, refused = last_activated(trail), last_refused(trail)
    folder, findings = None, []
    try:
        folder = configuration.read(workspace).version
    except OurFault as fault:
        findings = [finding_json(finding) | {"text": finding.text} for finding in fault.findings]
        if not findings:
            raise
    return {
        "active": None if active is None else {"since": active.at, **active.data},
        "refused": None if refused is None else {"at": refused.at, **refused.data},
        "folder": folder,
        "same": active is not None and folder == active.data.get("version"),
        "findings": findings,
    }


def _strange(said: dict[str, Any]) -> list[dict[str, str]]:
    """The nodes that work with another configuration than the one that was activated last."""
    if said["active"] is None:
        return []
    return [one for one in said["nodes"] if one["configuration"] != said["active"]["version"]]


def _print(said: dict[str, Any]) -> None:
    active, refused = said["active"], said["refused"]
    if active is None:
        show("no configuration was active yet: gateway serve makes the folder's the first one")
    else:
        show(Text.assemble("active   ", (active["version"], "bold")))
        show(
            f"  since {active['since']:%Y-%m-%d %H:%M:%S} UTC on {printable(active['node'])}, gateway "
            f"{active['gateway']}: {active['agreements']} agreements, {active['maps']} maps, {active['guides']} guides"
        )
        for section in active.get("needs_restart", ()):
            show(Text(f"  {section} in gateway.yaml was changed: that needs a restart", style="yellow"))
    for one in _strange(said):
        show(
            Text(
                f"node     {printable(one['id'])} works with {one['configuration']}: its files differ, or it is about "
                "to take them up",
                style="yellow",
            )
        )
    if refused is not None:
        show(Text(f"refused  {refused['at']:%Y-%m-%d %H:%M:%S} UTC: {printable(refused['reason'])}", style="bold red"))
        for text in refused.get("texts", ())[1:]:
            show(f"  {printable(text)}")
        if refused["remedy"]:
            show(f"  {printable(refused['remedy'])}")
    if said["findings"]:
        show(Text("folder   is wrong, and will not become active", style="bold red"))
        for finding in said["findings"]:
            show(f"  {printable(finding['text'])}")
    elif said["same"]:
        show(Text("folder   is the active one", style="green"))
    else:
        show(f"folder   {said['folder']}, not active: a running gateway takes it up within seconds")
