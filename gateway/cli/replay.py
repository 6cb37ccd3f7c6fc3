"""`gateway replay`: stored messages worked again, shown before, recorded, paused and let go on."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, say, show, show_json, times
from gateway.cli.consent import Yes, asked_first
from gateway.cli.edi_progress import COUNTED, Meter
from gateway.cli.message_names import complete_message, complete_target
from gateway.cli.reference_asking import opened, who
from gateway.cli.replay_asking import (
    From,
    Partner,
    ReplayId,
    State,
    To,
    WithoutRun,
    chosen,
    in_words,
    one_of,
    selection,
)
from gateway.errors import OurFault
from gateway.ports import new_id
from gateway.ports.replays import Act, Replay, ReplayState, Selection, Versions

if TYPE_CHECKING:
    from gateway.store import Store

app = typer.Typer(
    cls=WithoutRun, no_args_is_help=True, help="Stored messages worked again, once a map or a target was mended."
)
LOOK_SECONDS = 0.5
SILENT_SECONDS = 10.0
"""How long nothing may happen until it is said that no gateway seems to run."""
Why = Annotated[str | None, typer.Option("--why", help="Why; it is recorded. Needed but for a dry run.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; it is recorded.", show_default="who is logged in")]
BAD = frozenset({Act.LEFT.value, Act.FAILED.value})


@app.command("run")
def run_(
    messages: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Messages by id.", autocompletion=complete_message),
    ] = None,
    *,
    partner: Partner = None,
    kind: Annotated[str | None, typer.Option(help="Only with such a document: order_acknowledgement.")] = None,
    state: State = None,
    since: From = None,
    until: To = None,
    order: Annotated[str | None, typer.Option(help="Only with a document about this order.")] = None,
    target: Annotated[
        str | None, typer.Option(help="Only with a document for this target.", autocompletion=complete_target)
    ] = None,
    outbound: Annotated[
        bool, typer.Option("--outbound", help="What our ERP gave for partners, instead of what they sent.")
    ] = False,
    versions: Annotated[
        Versions, typer.Option("--with", help="Read with what holds now, or with what read it first.")
    ] = Versions.CURRENT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; write and send nothing.")
    ] = False,
    as_new: Annotated[
        bool, typer.Option("--as-new", help="Everything ONCE MORE, with new identities and keys: effects are doubled.")
    ] = False,
    leave_purged: Annotated[
        bool, typer.Option("--leave-purged", help="Leave out messages whose bytes were purged.")
    ] = False,
    why: Why = None,
    by: By = None,
    yes: Yes = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Read stored messages again and bring their targets up to date; the word `run` may be left out.

    What a target has already is left alone, or replaced where it has a replace call; what failed or was held goes under
    its old key; what differs and cannot be replaced is said. Only --as-new doubles effects. What partners were told
    stays told. The running gateway does the work, behind everything else; Ctrl-C pauses it.

    Example: gateway replay run --partner acme --kind order_acknowledgement --from 2d --dry-run
    """
    with answering():
        words = {"partner": partner, "kind": kind, "state": state, "order_number": order, "target": target}
        if not dry_run and not why:
            raise OurFault("a replay needs a reason", remedy="say --why, or look first with --dry-run")

        async def work() -> int:
            async with opened(workspace) as (store, clock):
                wanted = selection(clock(), ids=messages, since=since, until=until, outbound=outbound, **words)
                ids = await chosen(store, wanted, leave_purged=leave_purged)
                if dry_run:
                    return await _dry(workspace, ids, versions, as_new=as_new, as_json=as_json)
                if not _agreed(len(ids), as_new=as_new, outbound=outbound, yes=yes):
                    return FINDINGS
                new = _replay(store, wanted, len(ids), versions, as_new=as_new, by=who(by), why=why or "")
                await store.begin_replay(new, ids)
                await _go(store, new)
                if not as_json:
                    say(f"replay {new.id}: {times(len(ids), 'message')}; Ctrl-C pauses it")
                return await _follow(store, new, as_json=as_json)

        code = run(work())
    if code:
        raise typer.Exit(code)


@app.command("list")
def list_(*, workspace: WorkspaceFolder = Path(), as_json: AsJson = False) -> None:
    """The newest replays.

    Example: gateway replay list
    """
    from gateway.cli.replay_telling import replay_json, show_replays  # noqa: PLC0415  help needs none of it

    async def question() -> list[tuple[Replay, object]]:
        async with opened(workspace) as (store, _):
            return [(one, replay_json(one, await store.replay_progress(one.id))) for one in await store.replays()]

    with answering():
        found = run(question())
        if as_json:
            show_json([told for _, told in found])
        elif not found:
            show("there was no replay")
        else:
            show_replays([one for one, _ in found])


@app.command()
def status(
    replay_id: ReplayId,
    *,
    each: Annotated[
        bool, typer.Option("--each", help="Message by message, what was done about each document.")
    ] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """How far a replay is and what came of it. Exit code 1 where something was left as it is, or failed.

    Example: gateway replay status 01a1fba6-51a7-7b71-bac9-45631484465c --each
    """
    with answering():

        async def question() -> bool:
            async with opened(workspace) as (store, _):
                one = await one_of(store, replay_id)
                return await _tell(store, one, each=each, as_json=as_json)

        bad = run(question())
    if bad:
        raise typer.Exit(FINDINGS)


@app.command()
def resume(
    replay_id: ReplayId,
    *,
    by: By = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Let a replay go on, with the message after the last one that was done, and follow it.

    Example: gateway replay resume 01a1fba6-51a7-7b71-bac9-45631484465c
    """
    with answering():

        async def work() -> int:
            async with opened(workspace) as (store, _):
                one = await one_of(store, replay_id)
                if one.state is ReplayState.PREPARING:
                    raise OurFault("not all of its messages were written down", remedy="begin it once more")
                if one.state in {ReplayState.CANCELLED, ReplayState.DONE}:
                    raise OurFault(f"it is {one.state.value}", remedy="begin another one: gateway replay run")
                await _go(store, one, by=who(by))
                return await _follow(store, one, as_json=as_json)

        code = run(work())
    if code:
        raise typer.Exit(code)


@app.command()
def cancel(replay_id: ReplayId, *, by: By = None, workspace: WorkspaceFolder = Path()) -> None:
    """End a replay for good: what it did stays, the messages that are left are not worked.

    Example: gateway replay cancel 01a1fba6-51a7-7b71-bac9-45631484465c
    """
    with answering():

        async def work() -> int:
            async with opened(workspace) as (store, _):
                one = await one_of(store, replay_id)
                if not await store.move_replay(one.id, ReplayState.CANCELLED, by=who(by)):
                    raise OurFault(f"it is {one.state.value}", remedy="gateway replay status tells what came of it")
                return (await store.replay_progress(one.id)).done

        show(f"cancelled after {times(run(work()), 'message')}")


def _replay(
    store: Store, wanted: Selection, total: int, versions: Versions, *, as_new: bool, by: str, why: str
) -> Replay:
    now = store.clock()
    return Replay(
        id=new_id(now),
        at=now,
        by=by,
        why=why,
        versions=versions,
        as_new=as_new,
        selection=in_words(wanted),
        total=total,
        state=ReplayState.PREPARING,
        changed_at=now,
    )


def _agreed(count: int, *, as_new: bool, outbound: bool, yes: bool) -> bool:
    if as_new:
        who_gets = "partners" if outbound else "targets"
        say(Text(f"AS NEW: {who_gets} get everything once more, beside what they have.", style="bold red"))
    agreed = asked_first(f"{times(count, 'message')} will be worked again. Go on?", yes=yes)
    if not agreed:
        show("nothing was done")
    return agreed


async def _dry(workspace: Path, ids: list[str], versions: Versions, *, as_new: bool, as_json: bool) -> int:
    """One message in memory at a time."""
    from gateway.cli import replay_telling as telling  # noqa: PLC0415  help needs none of it
    from gateway.pipeline.replaying import decide  # noqa: PLC0415
    from gateway.pipeline.replaying_plan import How  # noqa: PLC0415
    from gateway.wiring import open_station  # noqa: PLC0415

    how = How(replay_id="", versions=versions, as_new=as_new, by="", why="")
    counts: Counter[str] = Counter()
    async with open_station(workspace) as (station, store):
        with Meter(len(ids), columns=COUNTED, quiet=as_json) as meter:
            for id_ in ids:
                message = await store.message(id_)
                if message is None:
                    continue
                decided = await decide(station, message, how)
                counts[decided.outcome.value] += 1
                if as_json:
                    typer.echo(json.dumps(telling.as_json(message, decided), ensure_ascii=False))
                else:
                    telling.show_decided(message, decided)
                meter.add(1)
    if as_json:
        typer.echo(json.dumps({"messages": len(ids), "outcomes": dict(counts)}))
    else:
        show(Text(f"{times(len(ids), 'message')}; nothing was sent, nothing was written", style="bold"))
        telling.show_counts(counts)
    return FINDINGS if set(counts) - {Act.SAME.value} else 0


async def _go(store: Store, one: Replay, *, by: str | None = None) -> None:
    """Put the first message that is left to work."""
    from gateway.pipeline.replaying_step import job_of  # noqa: PLC0415  help needs none of it

    item = await store.next_of_replay(one.id)
    message = None if item is None else await store.message(item.message_id)
    job = None if item is None or message is None else job_of(one.id, item, message, store.clock(), again=True)
    if not await store.move_replay(one.id, ReplayState.RUNNING, by=by or one.by, job=job):
        raise OurFault("it stands otherwise by now", remedy=f"gateway replay status {one.id}")


async def _follow(store: Store, one: Replay, *, as_json: bool) -> int:
    """Until it ends; Ctrl-C pauses it."""
    total, done, silent = one.total, 0, 0.0
    try:
        with Meter(total, columns=COUNTED, quiet=as_json) as meter:
            while (now := await one_of(store, one.id)).state is ReplayState.RUNNING:
                progress = await store.replay_progress(one.id)
                meter.add(progress.done - done)
                silent = 0.0 if progress.done != done else silent + LOOK_SECONDS
                done = progress.done
                if silent == SILENT_SECONDS:
                    say("nothing happens: does a gateway run? It goes on when one does (gateway node list)")
                await asyncio.sleep(LOOK_SECONDS)
    except asyncio.CancelledError:  # Ctrl-C
        await store.move_replay(one.id, ReplayState.PAUSED, by=one.by)
        say(f"paused; to go on: gateway replay resume {one.id}")
        return FINDINGS
    return FINDINGS if await _tell(store, now, each=False, as_json=as_json) else 0


async def _tell(store: Store, one: Replay, *, each: bool, as_json: bool) -> bool:
    from gateway.cli import replay_telling as telling  # noqa: PLC0415  help needs none of it

    progress = await store.replay_progress(one.id)
    if as_json:
        items = {"items": [item async for item in _items(store, one)]} if each else {}
        show_json(telling.replay_json(one, progress) | items)
    else:
        telling.show_replay(one, progress)
        if each:
            async for item in _items(store, one):
                telling.show_item(item)
    return bool(BAD & set(progress.outcomes))


async def _items(store: Store, one: Replay) -> AsyncIterator[dict[str, Any]]:
    after = 0
    while page := await store.replay_items(one.id, after=after):
        after = page[-1].number
        for item in page:
            told = {"number": item.number, "message_id": item.message_id, "outcome": item.outcome}
            yield told | {"documents": item.told}
