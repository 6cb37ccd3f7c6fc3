"""`gateway node`: the running processes that share the workspace's database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.printable import printable
from gateway.ports import Node, NodeState

if TYPE_CHECKING:
    from gateway.store import Store

SHORT = 12
COLOURS = {"ready": "green", "starting": "yellow", "draining": "yellow", "lost": "bold red", "silent": "bold red"}

app = typer.Typer(no_args_is_help=True, help="Running processes on one database.")


@app.callback()
def _group() -> None:
    """Running processes on one database."""


@app.command("list")
def list_nodes(workspace: WorkspaceFolder = Path(), *, as_json: AsJson = False) -> None:
    """The nodes: since when each runs, when it was last seen, its version, and the configuration it works with.

    Lost is one that stopped beating and whose work others gave back; silent one that nobody has declared lost yet.
    Exit code 1 when one of them is either, or when they work with different configurations.

    Example: gateway node list
    """
    with answering():
        nodes = run(_nodes(workspace))
        now = datetime.now(UTC)
        differ = differing(nodes, now)
        if as_json:
            show_json([asdict(one) | {"seen": state_of(one, now)} for one in nodes])
        elif not nodes:
            show("no node runs")
        else:
            _print(nodes, now, differ=differ)
    if differ or any(state_of(one, now) in {"lost", "silent"} for one in nodes):
        raise typer.Exit(FINDINGS)


def state_of(node: Node, now: datetime) -> str:
    """What it said last, unless it has been silent for too long since."""
    return "silent" if node.state is not NodeState.LOST and node.quiet_at(now) else node.state.value


def differing(nodes: list[Node], now: datetime) -> bool:
    """Whether living nodes work with different configurations."""
    living = (one for one in nodes if state_of(one, now) in {"ready", "draining"})
    return len({one.configuration for one in living}) > 1


async def _nodes(workspace: Path) -> list[Node]:
    from gateway.wiring import open_store  # noqa: PLC0415  help needs none of it

    async with open_store(workspace) as store:
        found: Store = store
        return await found.nodes()


def _print(nodes: list[Node], now: datetime, *, differ: bool) -> None:
    def row(one: Node) -> tuple[Any, ...]:
        state = state_of(one, now)
        return (
            printable(one.id),
            Text(state, style=COLOURS[state]),
            f"{one.started_at:%Y-%m-%d %H:%M:%S}",
            f"{max(0.0, (now - one.seen_at).total_seconds()):.0f} s ago",
            printable(f"{one.gateway}, schema {one.schema}"),
            Text(one.configuration[:SHORT], style="yellow" if differ else ""),
        )

    show_table(("node", "state", "since (UTC)", "seen", "gateway", "configuration"), map(row, nodes))
    if differ:
        show(Text("the nodes work with different configurations: gateway config status", style="yellow"))
