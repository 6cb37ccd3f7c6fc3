"""`gateway dead`: work that was given up, by cause; worked again, or put aside with a reason, one or many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial as bound
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import (
    FINDINGS,
    AsJson,
    WorkspaceFolder,
    answering,
    run,
    say,
    show,
    show_json,
    show_table,
    times,
)
from gateway.cli.consent import Yes, asked_first
from gateway.cli.dead_asking import (
    Group,
    Since,
    Wanted,
    complete_dead,
    complete_step,
    groups,
    letters,
    wanted,
)
from gateway.cli.edi_progress import COUNTED, Meter
from gateway.cli.message_names import complete_target
from gateway.cli.partner_names import complete_partner
from gateway.cli.printable import printable
from gateway.cli.reference_asking import opened, who
from gateway.errors import OurFault
from gateway.pipeline import giving_up
from gateway.ports import Changes, NaturalKeyTaken
from gateway.ports.dead_letters import DeadLetter

if TYPE_CHECKING:
    from gateway.store import Store

app = typer.Typer(no_args_is_help=True, help="Dead letters: work that was given up, by cause; again, or put aside.")

AT_ONCE = 64
"""Letters that are decided about at once: the store commits them together."""
MOST_TOLD = 20
"""Letters that could not be decided about, told one by one."""

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Letters, groups or messages, by name.", autocompletion=complete_dead),
]
Partner = Annotated[str | None, typer.Option(help="Only this one's.", autocompletion=complete_partner)]
Step = Annotated[str | None, typer.Option(help="Only this kind of work, as deliver.", autocompletion=complete_step)]
Target = Annotated[str | None, typer.Option(help="Only what goes there, as erp.", autocompletion=complete_target)]
Reason = Annotated[str | None, typer.Option(help="Only those whose reason says this.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; it is recorded.", show_default="who is logged in")]


@app.command("list")
def list_(
    *,
    workspace: WorkspaceFolder = Path(),
    partner: Partner = None,
    step: Step = None,
    target: Target = None,
    since: Since = None,
    reason: Reason = None,
    discarded: Annotated[bool, typer.Option("--discarded", help="Those that were put aside.")] = False,
    each: Annotated[bool, typer.Option("--each", help="One by one, not by cause.")] = False,
    as_json: AsJson = False,
) -> None:
    """What was given up, by cause, the largest first. Exit code 1 while there is any.

    Example: gateway dead list --target erp --since 2d
    """

    async def question() -> tuple[list[Group], list[DeadLetter]]:
        async with opened(workspace) as (store, clock):
            meant = wanted(clock(), partner=partner, step=step, target=target, since=since, reason=reason)
            if each:
                return [], [one async for one in letters(store, meant, discarded=discarded)]
            return await groups(store, meant, discarded=discarded), []

    with answering():
        found, single = run(question())
        if as_json:
            show_json([_letter_json(one) for one in single] if each else [_group_json(one) for one in found])
        elif not found and not single:
            show("nothing was put aside" if discarded else "no dead letter")
        elif each:
            show_table(("at", "letter", "partner", "step", "target", "document", "reason"), map(_letter_row, single))
        else:
            show_table(("times", "group", "partner", "step", "target", "first", "last", "reason"), map(_row, found))
    if (found or single) and not discarded:
        raise typer.Exit(FINDINGS)


@app.command("show")
def show_one(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A letter, a group or a message.", autocompletion=complete_dead)
    ],
    *,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """One letter, or those of a group or message: what it is, why it was given up, what there is to do.

    Example: gateway dead show g3f2a9c10
    """

    async def question() -> list[DeadLetter]:
        async with opened(workspace) as (store, clock):
            meant = wanted(clock(), names=[name])
            return [one for put in (False, True) async for one in letters(store, meant, discarded=put)]

    with answering():
        found = run(question())
        if not found:
            raise _nothing()
        if as_json:
            show_json([_letter_json(one) for one in found])
        elif len(found) == 1:
            for label, value in _words(found[0]):
                show(Text(f"{label:<10}", style="bold").append(printable(value)))
        else:
            show(Text(printable(f"{times(len(found), 'letter')}: {found[0].reason}"), style="bold"))
            show_table(("at", "letter", "partner", "step", "target", "document", "reason"), map(_letter_row, found))


@app.command()
def retry(
    names: Names = None,
    *,
    why: Annotated[str, typer.Option("--why", help="Why; it is recorded.")] = "",
    by: By = None,
    workspace: WorkspaceFolder = Path(),
    partner: Partner = None,
    step: Step = None,
    target: Target = None,
    since: Since = None,
    reason: Reason = None,
    discarded: Annotated[bool, typer.Option("--discarded", help="Of those that were put aside.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Work on dead letters again, with a fresh schedule and the same keys; those put aside, too, when they are named.

    Example: gateway dead retry g3f2a9c10 --why "item table corrected"
    """
    decide = bound(giving_up.retried, by=who(by), why=why)
    with answering():

        async def work() -> _Done | None:
            async with opened(workspace) as (store, clock):
                meant = _meant(
                    wanted(clock(), names=names, partner=partner, step=step, target=target, since=since, reason=reason)
                )
                found = {put: await groups(store, meant, discarded=put) for put in _where(meant, discarded=discarded)}
                if not _agreed([one for each in found.values() for one in each], "worked again", yes=yes):
                    return None
                done = _Done()
                for put, shown in found.items():
                    await _decided(store, meant, shown, decide, done, discarded=put, again=True)
                return done

        _tell(run(work()), "back to work", as_json=as_json)


@app.command()
def discard(
    names: Names = None,
    *,
    why: Annotated[str, typer.Option("--why", help="Why; it is recorded.")],
    by: By = None,
    workspace: WorkspaceFolder = Path(),
    partner: Partner = None,
    step: Step = None,
    target: Target = None,
    since: Since = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put dead letters aside: they are not done, and say so. What the partner was told stays told.

    `gateway dead retry` takes it back. A delivery that may have taken place is not put aside but settled.

    Example: gateway dead discard g3f2a9c10 --why "entered by hand"
    """
    decide = bound(giving_up.discarded, by=who(by), why=why)
    with answering():

        async def work() -> _Done | None:
            async with opened(workspace) as (store, clock):
                meant = _meant(
                    wanted(clock(), names=names, partner=partner, step=step, target=target, since=since, reason=reason)
                )
                shown = await groups(store, meant, discarded=False)
                if not _agreed(shown, "put aside", yes=yes):
                    return None
                done = _Done()
                await _decided(store, meant, shown, decide, done, discarded=False, again=False)
                return done

        _tell(run(work()), "put aside", as_json=as_json)


@dataclass(slots=True)
class _Done:
    """What came of a decision about many."""

    count: int = 0
    left: list[tuple[DeadLetter, str]] = field(default_factory=list)
    """Those about which it could not be decided, and why; the first of them."""
    more_left: int = 0

    def leave(self, letter: DeadLetter, why: str) -> None:
        """One that stays as it is."""
        if len(self.left) < MOST_TOLD:
            self.left.append((letter, why))
        else:
            self.more_left += 1


def _meant(meant: Wanted) -> Wanted:
    """Nothing said is a mistake, not everything."""
    if not meant.anything:
        raise OurFault("which dead letters?", remedy="name letters or groups, or say --partner, --target, --reason …")
    return meant


def _where(meant: Wanted, *, discarded: bool) -> tuple[bool, ...]:
    """Among the dead ones, those put aside, or, where letters are named, both."""
    if discarded:
        return (True,)
    return (False, True) if meant.names else (False,)


def _agreed(found: list[Group], what: str, *, yes: bool) -> bool:
    """One is done at once; before many are, it is said how many, and asked."""
    count = sum(one.count for one in found)
    if not count:
        raise _nothing()
    if count == 1:
        return True
    for one in found[:MOST_TOLD]:
        say(Text(f"{one.count:>6} times ").append(printable(_said(one))))
    return asked_first(f"{times(count, 'letter')} will be {what}. Go on?", yes=yes)


async def _decided(
    store: Store,
    meant: Wanted,
    shown: list[Group],
    decide: Callable[..., Awaitable[Changes]],
    done: _Done,
    *,
    discarded: bool,
    again: bool,
) -> None:
    """Decide about each of them that was shown, many in one commit; what was given up since then is not meant."""
    asked = {each for one in shown for each in one.letters}

    async def one(letter: DeadLetter) -> None:
        try:
            if await store.move_dead(letter, await decide(store, letter), again=again):
                done.count += 1
            else:
                done.leave(letter, "it stands otherwise by now")
        except OurFault as fault:
            done.leave(letter, f"{fault}; {fault.remedy}")
        except NaturalKeyTaken:
            done.leave(letter, "it changed meanwhile; do it once more")

    chosen: list[DeadLetter] = []
    with Meter(len(asked), columns=COUNTED) as meter:
        async for letter in letters(store, meant, discarded=discarded):
            if (letter.id, letter.attempts) not in asked:
                continue
            chosen.append(letter)
            if len(chosen) == AT_ONCE:
                await asyncio.gather(*map(one, chosen))
                meter.add(len(chosen))
                chosen.clear()
        await asyncio.gather(*map(one, chosen))


def _tell(done: _Done | None, what: str, *, as_json: bool) -> None:
    """What came of it; exit code 1 where some stay as they are."""
    if done is None:
        show("nothing was done")
        raise typer.Exit(FINDINGS)
    left = len(done.left) + done.more_left
    if as_json:
        show_json({"done": done.count, "left": [{"letter": one.id, "why": why} for one, why in done.left]})
    else:
        show(Text(f"{times(done.count, 'letter')} {what}", style="green" if done.count else ""))
        for letter, why in done.left:
            say(Text(printable(f"letter {letter.id} stays: {why}"), style="yellow"))
        if done.more_left:
            say(Text(f"and {done.more_left} more stay", style="yellow"))
    if left:
        raise typer.Exit(FINDINGS)


def _nothing() -> OurFault:
    return OurFault(
        "there is no such dead letter",
        remedy="`gateway dead list`, or with --discarded, shows them; --reason looks for words in what went wrong",
    )


def _said(one: Group) -> str:
    return f"{one.name}  {one.first.partner} {one.first.step} {one.first.target}: {one.reason}"


def _row(one: Group) -> tuple[str | Text, ...]:
    assert one.since is not None
    assert one.until is not None
    return (
        Text(str(one.count), style="bold red", justify="right"),
        Text(one.name, style="bold"),
        printable(one.first.partner),
        one.first.step,
        printable(one.first.target),
        f"{one.since:%Y-%m-%d %H:%M}",
        f"{one.until:%Y-%m-%d %H:%M}",
        printable(one.reason),
    )


def _letter_row(one: DeadLetter) -> tuple[str | Text, ...]:
    return (
        f"{one.at:%Y-%m-%d %H:%M}",
        Text(str(one.id), style="dim" if one.discarded else "bold"),
        printable(one.partner),
        one.step,
        printable(one.target),
        printable(f"{one.kind} {one.number}" if one.kind else f"message {one.message_id}"),
        ("(put aside) " if one.discarded else "") + printable(giving_up.cause_of(one)),
    )


def _words(one: DeadLetter) -> list[tuple[str, str]]:
    again = f"gateway dead retry {one.id} --why …"
    words = [
        ("letter", f"{one.id}, in group {giving_up.group_of(one)}"),
        ("state", "put aside" if one.discarded else "dead"),
        ("partner", one.partner),
        ("work", f"{one.step} in lane {one.lane}"),
        ("message", one.message_id),
        ("tried", f"{times(one.attempts, 'time')}, last {one.at:%Y-%m-%d %H:%M:%S} UTC"),
        ("reason", one.reason),
        ("to do", again if one.discarded else f"{again} | gateway dead discard {one.id} --why …"),
    ]
    if one.kind is not None:
        words.insert(5, ("document", f"{one.kind} {one.number} ({one.document_id})"))
    return words


def _group_json(one: Group) -> dict[str, Any]:
    return {
        "group": one.name,
        "count": one.count,
        "partner": one.first.partner,
        "step": one.first.step,
        "target": one.first.target,
        "first": one.since,
        "last": one.until,
        "reason": one.reason,
        "example": one.first.id,
    }


def _letter_json(one: DeadLetter) -> dict[str, Any]:
    return {
        "letter": one.id,
        "group": giving_up.group_of(one),
        "state": "discarded" if one.discarded else "dead",
        "message_id": one.message_id,
        "document_id": one.document_id,
        "kind": one.kind,
        "number": one.number,
        "order_number": one.order_number,
        "partner": one.partner,
        "step": one.step,
        "target": one.target,
        "lane": one.lane,
        "attempts": one.attempts,
        "at": one.at,
        "outcome": one.outcome,
        "reason": one.reason,
    }
