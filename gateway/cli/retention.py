"""`gateway retention`: what the rules say is to go, and making it go."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.cli import retention_hold
from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, say, show, show_json, show_table, times
from gateway.cli.lane_asking import age
from gateway.cli.printable import printable
from gateway.cli.reference_asking import who
from gateway.errors import OurFault

if TYPE_CHECKING:
    from gateway.partners.retention import Policy
    from gateway.store import RetentionLine, Store

app = typer.Typer(no_args_is_help=True, help="How long data is kept: what is to go, legal holds.")
app.add_typer(retention_hold.app, name="hold")

THINGS = {
    "payload": "messages' bytes",
    "document": "documents' content",
    "attempts": "records of attempts",
    "control_number": "control numbers",
    "idempotency": "idempotency keys",
    "webhook": "webhook deliveries",
}
NEVER = "There is no way back: what goes is in backups only, until these are gone as well."
EVERY = 1000


@app.callback()
def _group() -> None:
    """How long data is kept: what is to go, legal holds."""


@app.command()
def plan(*, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """What the rules of gateway.yaml and the agreements say is to go now: how many, how large, the oldest.

    Nothing is changed. What stays although its time is over is told with the reason: a legal hold, or unfinished work.

    Example: gateway retention plan
    """
    with answering():
        lines = _planned(workspace, quiet=as_json)
        if as_json:
            show_json([_as_json(one) for one in lines])
        else:
            _print(lines, gone="would go")


@app.command("run")
def run_(
    *,
    by: Annotated[str | None, typer.Option(help="Who asks; recorded.", show_default="who is logged in")] = None,
    reason: Annotated[str, typer.Option(help="Why; recorded beside the rule.")] = "retention",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can be asked.")] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Remove for good what `plan` shows; each removal is an event on the trail, which still verifies.

    It works beside a running gateway, some at a time, and may be stopped and started again at any moment.
    There is no way back. It asks first, unless --yes.

    Example: gateway retention run --by ann --yes
    """
    with answering():
        if not yes:
            _ask(_planned(workspace, quiet=as_json))

        async def purge(store: Store, policy: Policy) -> list[RetentionLine]:
            with _counting(quiet=as_json) as looked:
                return await store.purge_due(policy, by=who(by), reason=reason, looked=looked)

        lines = _with_policy(workspace, purge)
        if as_json:
            show_json([_as_json(one) for one in lines])
        else:
            _print(lines, gone="gone")


def _ask(lines: Sequence[RetentionLine]) -> None:
    """Show what would go, and have it confirmed. Raises OurFault where nobody can be asked."""
    if not _interactive():
        raise OurFault(
            "Nobody can be asked here whether it is to go for good", remedy="Say --yes; plan shows what goes."
        )
    _print(lines, gone="would go")
    say(Text(NEVER, style="yellow"))
    if not typer.confirm("Remove it?", err=True):
        raise OurFault("Nothing was removed", remedy="Change the rules in gateway.yaml or partners/, or place a hold.")


def _interactive() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _planned(workspace: Path, *, quiet: bool) -> list[RetentionLine]:
    async def look(store: Store, policy: Policy) -> list[RetentionLine]:
        with _counting(quiet=quiet) as looked:
            return await store.retention_plan(policy, looked=looked)

    return _with_policy(workspace, look)


def _with_policy(
    workspace: Path, work: Callable[[Store, Policy], Awaitable[list[RetentionLine]]]
) -> list[RetentionLine]:
    from gateway import wiring  # noqa: PLC0415  help needs none of it
    from gateway.partners import workspace as workspaces  # noqa: PLC0415
    from gateway.partners.retention import Policy  # noqa: PLC0415

    async def opened() -> list[RetentionLine]:
        loaded = workspaces.load(workspace)
        async with wiring.open_store(workspace) as store:
            return await work(store, Policy.of(loaded.settings, loaded.agreements))

    return run(opened())


@contextmanager
def _counting(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Counts on a line of the terminal that grows and goes; how many there will be is not known before."""
    drawn, seen, told = sys.stderr.isatty() and not quiet, 0, 0

    def add(count: int) -> None:
        nonlocal seen, told
        seen += count
        if drawn and seen >= told + EVERY:
            told = seen
            sys.stderr.write(f"\rlooked at {seen}")
            sys.stderr.flush()

    try:
        yield add
    finally:
        if told:
            sys.stderr.write("\r\x1b[K")


def _print(lines: Sequence[RetentionLine], *, gone: str) -> None:
    if not lines:
        show("nothing is due: every rule's time is yet to come, or nothing has a rule")
        return
    now = datetime.now(UTC)
    show_table(
        ("what", "", "number", "size", "oldest", "rule"),
        (
            (
                THINGS[one.what.value],
                Text(gone, style="red") if one.kept is None else Text(f"stays: {one.kept}", style="yellow"),
                str(one.items),
                _size(one.octets),
                age(one.oldest, now),
                printable(one.rule),
            )
            for one in sorted(lines, key=lambda one: (one.kept is not None, one.what.value, one.rule))
        ),
    )
    going = [one for one in lines if one.kept is None]
    show(f"{gone}: {times(sum(one.items for one in going), 'thing')}, {_size(sum(one.octets for one in going))}")


def _size(octets: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if octets >= size:
            return f"{octets / size:.1f} {unit}"
    return f"{octets} B" if octets else "-"


def _as_json(line: RetentionLine) -> dict[str, Any]:
    return asdict(line) | {"oldest": line.oldest.isoformat()}
