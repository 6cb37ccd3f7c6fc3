"""`gateway lane`: what waits where and why, and an operator's hand on it: pause, resume, cap, rate.

A running gateway needs no restart: it reads the lane's row at its next claim.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json, show_table
from gateway.cli.lane_asking import age, complete_lane, known, until_of
from gateway.cli.printable import printable
from gateway.cli.reference_asking import who
from gateway.errors import OurFault
from gateway.ports.lanes import rate_of

if TYPE_CHECKING:
    from gateway.store import Store
    from gateway.store.lanes import Lane

app = typer.Typer(no_args_is_help=True, help="Lanes: what waits for which partner and far side, paused or limited.")

DEFAULT = "default"
AGREED = "agreed"
MOST_CAP = 1000

LaneName = Annotated[
    str,
    typer.Argument(
        metavar="LANE", help="Its name: partner:direction:endpoint, as list shows it.", autocompletion=complete_lane
    ),
]


By = Annotated[str | None, typer.Option(help="Who says so.", show_default="who is logged in")]
Why = Annotated[str, typer.Option(help="Why; it is kept on the audit trail.")]


@app.command("list")
def list_(
    *,
    workspace: WorkspaceFolder = Path(),
    partner: Annotated[str | None, typer.Option(help="Only this partner's.")] = None,
    troubled: Annotated[
        bool, typer.Option("--troubled", help="Only those that are paused, failing or hold dead letters.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """All lanes: what waits and since when, what runs, whether the far side is called, order and rate.

    With --troubled the exit code is 1 while there are such lanes.

    Example: gateway lane list --partner acme
    """

    async def work(store: Store) -> list[Lane]:
        found = await store.lanes()
        found = [one for one in found if partner is None or one.name.partition(":")[0] == partner]
        return [one for one in found if not troubled or _troubled(one)]

    with answering():
        lanes = _with_store(workspace, work)
        if as_json:
            show_json([_as_json(one) for one in lanes])
        elif not lanes:
            show("no lane is in trouble" if troubled else "no lane yet: nothing has come or gone")
        else:
            columns = ("lane", "waiting", "oldest", "running", "dead", "state", "priority", "order", "rate")
            show_table(columns, (_row(one) for one in lanes))
    if troubled and lanes:
        raise typer.Exit(FINDINGS)


@app.command("show")
def show_one(name: LaneName, *, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """Everything about one lane, with who paused it and why.

    Example: gateway lane show acme:inbound:north
    """
    with answering():
        lane = _with_store(workspace, lambda store: _one(store, workspace, name))
        if as_json:
            show_json(_as_json(lane))
            return
        for label, value in _words(lane):
            line = Text(f"{label:<10}", style="bold")
            show(line.append(value) if isinstance(value, Text) else line.append(printable(value)))


@app.command("pause")
def pause(
    name: LaneName,
    *,
    why: Annotated[str, typer.Option(help="Why; it is shown with the lane.")],
    for_: Annotated[str | None, typer.Option("--for", help="How long: 30m, 2h, 3d.", show_default="no end")] = None,
    until: Annotated[str | None, typer.Option(help="Or until when: 2026-03-01T18:00+01:00.")] = None,
    by: By = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Start no more work of this lane; what runs may end, what comes is kept and waits.

    Example: gateway lane pause acme:inbound:north --why "the ERP is moved" --for 2h
    """

    async def work(store: Store) -> Lane:
        lane = await known(store, workspace, name, new=True)
        end = until_of(for_, until, store.clock())
        await store.pause_lane(lane, end, by=who(by), why=why)
        return await _one(store, workspace, lane)

    _changed(workspace, work, as_json=as_json)


@app.command("resume")
def resume(
    name: LaneName, *, why: Why = "", by: By = None, workspace: WorkspaceFolder = Path(), as_json: AsJson = False
) -> None:
    """Let a lane go on at once, whoever paused it: an operator, or the gateway after failures in a row.

    Example: gateway lane resume acme:inbound:north
    """

    async def work(store: Store) -> Lane:
        await store.resume_lane(await known(store, workspace, name, new=False), by=who(by), why=why)
        return await _one(store, workspace, name)

    _changed(workspace, work, as_json=as_json)


@app.command("cap")
def cap(
    name: LaneName,
    jobs: Annotated[str, typer.Argument(metavar="JOBS", help="How many run at once, over all nodes; or default.")],
    *,
    why: Why = "",
    by: By = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """How many jobs of a lane run at once, over all nodes. A lane that keeps an order runs one, whatever is said here.

    Example: gateway lane cap acme:inbound:north 4
    """

    async def work(store: Store) -> Lane:
        lane = await known(store, workspace, name, new=True)
        await store.cap_lane(lane, _cap(jobs), by=who(by), why=why)
        return await _one(store, workspace, lane)

    _changed(workspace, work, as_json=as_json)


@app.command("rate")
def rate(
    name: LaneName,
    limit: Annotated[
        str, typer.Argument(metavar="RATE", help='10/second, "600/minute burst 50", unlimited, or agreed.')
    ],
    *,
    why: Why = "",
    by: By = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """How many jobs of a lane start in a time, over all nodes; it goes before what is agreed.

    Example: gateway lane rate acme:outbound:as2 "600/minute burst 50"
    """

    async def work(store: Store) -> Lane:
        lane = await known(store, workspace, name, new=True)
        try:
            rate_of(limit if limit != AGREED else "unlimited")
        except ValueError as wrong:
            raise OurFault(str(wrong), remedy="or say unlimited, or agreed for what the configuration says") from None
        await store.rate_lane(lane, None if limit == AGREED else limit, by=who(by), why=why)
        return await _one(store, workspace, lane)

    _changed(workspace, work, as_json=as_json)


def _cap(jobs: str) -> int | None:
    if jobs == DEFAULT:
        return None
    if not jobs.isascii() or not jobs.isdecimal() or not 1 <= int(jobs[:9]) <= MOST_CAP:
        raise OurFault(
            f"{jobs!r} is no cap",
            remedy=f"say a number from 1 to {MOST_CAP}, or default; gateway lane pause stops a lane",
        )
    return int(jobs)


def _with_store(workspace: Path, work: Callable[[Store], Awaitable[Any]]) -> Any:
    from gateway.wiring import open_store  # noqa: PLC0415  `--help` need not load the gateway

    async def opened() -> Any:
        async with open_store(workspace) as store:
            return await work(store)

    return run(opened())


def _changed(workspace: Path, work: Callable[[Store], Awaitable[Lane]], *, as_json: bool) -> None:
    """Do it, and say how the lane stands now."""
    with answering():
        lane = _with_store(workspace, work)
        if as_json:
            show_json(_as_json(lane))
        else:
            show(Text(lane.name, style="bold").append(": ").append_text(_state(lane)).append(f", {_limits(lane)}"))


async def _one(store: Store, workspace: Path, name: str) -> Lane:
    (lane,) = await store.lanes(await known(store, workspace, name, new=False))
    return lane


def _troubled(lane: Lane) -> bool:
    from gateway.wiring import now  # noqa: PLC0415  as above

    return bool(lane.stopped(now()) or lane.breaker(now()) != "closed" or lane.failures or lane.dead)


def _state(lane: Lane) -> Text:
    """Paused by whom, or how the breaker stands."""
    from gateway.store.lanes import FOR_EVER  # noqa: PLC0415
    from gateway.wiring import now  # noqa: PLC0415

    at = now()
    if lane.stopped(at):
        assert lane.stopped_until is not None
        end = "" if lane.stopped_until == FOR_EVER else f" until {lane.stopped_until:%Y-%m-%d %H:%M:%SZ}"
        return Text(printable(f"paused by {lane.stopped_by}{end}: {lane.stopped_why}"), style="yellow")
    match lane.breaker(at):
        case "open":
            assert lane.paused_until is not None
            told = f"rests until {lane.paused_until:%Y-%m-%d %H:%M:%SZ} after {lane.failures} failures"
            return Text(told, style="bold red")
        case "half open":
            return Text(f"tried with one call at a time after {lane.failures} failures", style="yellow")
    if lane.failures:
        return Text(f"going, {lane.failures} failed in a row", style="yellow")
    return Text("going", style="green")


def _row(lane: Lane) -> tuple[str | Text, ...]:
    from gateway.wiring import now  # noqa: PLC0415

    return (
        printable(lane.name),
        str(lane.due),
        age(lane.oldest, now()),
        f"{lane.running}/{_cap_of(lane)}",
        Text(str(lane.dead), style="bold red" if lane.dead else ""),
        _state(lane),
        lane.priority,
        "in order" if lane.ordered else "-",
        _rate_of(lane) or "-",
    )


def _words(lane: Lane) -> tuple[tuple[str, str | Text], ...]:
    from gateway.wiring import now  # noqa: PLC0415

    return (
        ("lane", lane.name),
        ("state", _state(lane)),
        ("waiting", f"{lane.due}, the first due {age(lane.oldest, now())}" if lane.due else "0"),
        ("running", str(lane.running)),
        ("dead", str(lane.dead)),
        ("priority", lane.priority),
        ("order", "one by one, as they came; what fails holds what is behind it" if lane.ordered else "none kept"),
        ("cap", str(_cap_of(lane)) + (" (an operator's)" if lane.cap is not None else "")),
        ("rate", (_rate_of(lane) or "unlimited") + (" (an operator's)" if lane.rate is not None else "")),
    )


def _limits(lane: Lane) -> str:
    return f"{_cap_of(lane)} at once, {_rate_of(lane) or 'no rate'}"


def _cap_of(lane: Lane) -> int:
    from gateway.store.store import LANE_CAP  # noqa: PLC0415

    if lane.ordered:
        return 1
    return LANE_CAP if lane.cap is None else lane.cap


def _rate_of(lane: Lane) -> str | None:
    return lane.agreed_rate if lane.rate is None else lane.rate


def _as_json(lane: Lane) -> dict[str, Any]:
    from gateway.wiring import now  # noqa: PLC0415

    at = now()
    return {
        "lane": lane.name,
        "waiting": lane.due,
        "oldest": lane.oldest,
        "running": lane.running,
        "dead": lane.dead,
        "breaker": lane.breaker(at),
        "failures": lane.failures,
        "open_until": lane.paused_until,
        "paused": lane.stopped(at),
        "paused_until": lane.stopped_until if lane.stopped(at) else None,
        "paused_by": lane.stopped_by if lane.stopped(at) else None,
        "paused_why": lane.stopped_why if lane.stopped(at) else None,
        "priority": lane.priority,
        "ordered": lane.ordered,
        "cap": _cap_of(lane),
        "own_cap": lane.cap,
        "rate": _rate_of(lane),
        "own_rate": lane.rate,
        "agreed_rate": lane.agreed_rate,
    }
