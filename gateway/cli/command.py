"""What every command shares: the workspace option, output for people and programs, exit codes 0, 1 and 2.

0 fine, 1 findings, 2 cannot run. What stops a command is said on stderr with its remedy, never as a traceback.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from gateway.errors import OurFault, PartnerFault
from gateway.findings import Finding

FINE, FINDINGS, CANNOT_RUN = 0, 1, 2

T = TypeVar("T")

Workspace = Annotated[
    Path,
    typer.Option(
        "--workspace",
        "-w",
        envvar="GATEWAY_WORKSPACE",
        file_okay=False,
        help="The folder with gateway.yaml; the current folder when not given.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs instead of text for people.")]

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Say what stopped the command and what helps, and exit with 2."""
    try:
        yield
    except OurFault as fault:
        err.print(f"[red]cannot run:[/red] {_plain(str(fault))}")
        for finding in fault.findings:
            err.print(f"  {_plain(finding.text)}\n    [dim]{_plain(finding.fix)}[/dim]")
        if fault.remedy and not fault.findings:
            err.print(f"  [dim]{_plain(fault.remedy)}[/dim]")
        raise typer.Exit(CANNOT_RUN) from fault
    except PartnerFault as fault:
        err.print(f"[red]cannot be read:[/red] {_plain(str(fault))}")
        for finding in fault.findings:
            err.print(f"  {_plain(finding.text)}\n    [dim]{_plain(finding.fix)}[/dim]")
        raise typer.Exit(CANNOT_RUN) from fault


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on the fastest event loop there is."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def print_json(value: object) -> None:
    """One JSON value on stdout; dates and ids as text."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_findings(findings: tuple[Finding, ...], console: Console = out) -> None:
    """Each finding on its own lines: place, what was said, what was wanted, what helps."""
    for finding in findings:
        colour = {"reject": "red", "accept_with_errors": "yellow"}.get(finding.severity.value, "dim")
        console.print(f"[{colour}]{_plain(finding.text)}[/{colour}]")
        console.print(f"  [dim]{_plain(finding.fix)}  ({finding.rule})[/dim]")


def _plain(text: str) -> str:
    """Text from outside is never markup."""
    return text.replace("[", "\\[")
