"""What the commands of `gateway replay` share: which messages are meant, replays by id, a group without `run`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli.answers import times
from gateway.cli.moments import SAID, moment_of
from gateway.cli.partner_names import complete_partner
from gateway.cli.reference_asking import opened
from gateway.errors import OurFault
from gateway.ports import MessageState
from gateway.ports.replays import MOST_MESSAGES, Replay, Selection

if TYPE_CHECKING:
    from gateway.store import Store

MOST_NAMED = 10
RUN = "run"


class WithoutRun(TyperGroup):
    """`gateway replay SELECTION` is `gateway replay run SELECTION`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the word in where none of the commands is named."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [RUN, *args]
        return super().parse_args(ctx, args)


def complete_replay(context: typer.Context, incomplete: str) -> list[str]:
    """The ids of the newest replays that begin so; none where there is no workspace."""

    async def ids() -> list[str]:
        async with opened(Path(context.params.get("workspace") or ".")) as (store, _):
            return [one.id for one in await store.replays()]

    try:
        return [one for one in asyncio.run(ids()) if one.startswith(incomplete)]
    except (OurFault, OSError):
        return []


ReplayId = Annotated[
    str, typer.Argument(metavar="ID", help="As `gateway replay list` prints it.", autocompletion=complete_replay)
]
Partner = Annotated[str | None, typer.Option(help="Only this one's.", autocompletion=complete_partner)]
State = Annotated[MessageState | None, typer.Option(help="Only messages that stand there.")]
From = Annotated[str | None, typer.Option("--from", help=f"Only what came since then: {SAID}.")]
To = Annotated[str | None, typer.Option("--to", help="Only what came before then.")]


def selection(
    now: datetime,
    *,
    ids: list[str] | None,
    since: str | None,
    until: str | None,
    **others: Any,
) -> Selection:
    """What a command's words choose. Raises OurFault where they say nothing."""
    wanted = Selection(
        ids=tuple(dict.fromkeys(ids or ())),
        since=None if since is None else moment_of(since, now),
        until=None if until is None else moment_of(until, now),
        **others,
    )
    if not replace(wanted, outbound=False).anything:
        raise OurFault("which messages?", remedy="name them, or say --partner, --kind, --from, --order, --target …")
    return wanted


def in_words(wanted: Selection) -> dict[str, Any]:
    """A selection as it is kept with the replay."""
    found = {name: getattr(wanted, name) for name in Selection.__slots__}
    found["ids"] = list(wanted.ids[:MOST_NAMED]) or None
    return {name: str(value) if isinstance(value, datetime) else value for name, value in found.items() if value}


async def chosen(store: Store, wanted: Selection, *, leave_purged: bool) -> list[str]:
    """The ids of the messages that are meant, the oldest first.

    Raises OurFault where there are none or too many, for a message named that cannot be worked again, and for those
    whose bytes were purged.
    """
    found: list[str] = []
    async for one in store.selected(wanted):
        found.append(one.id)
        if len(found) > MOST_MESSAGES:
            raise OurFault(
                f"more than {MOST_MESSAGES:,} messages are meant", remedy="narrow it, by --from and --to for example"
            )
    if missing := [id_ for id_ in wanted.ids if id_ not in set(found)]:
        raise OurFault(
            f"{_named(missing)} cannot be replayed with these filters",
            remedy="what a partner sent is worked again, but for what was refused over REST, and what our ERP gave for "
            "one; of an interchange that went out, name the message that its document came in: gateway message show",
        )
    gone = await store.purged(found)
    if gone and not leave_purged:
        raise OurFault(
            f"{_named(gone)} {'was' if len(gone) == 1 else 'were'} purged: there are no bytes to read again",
            remedy="bring them back from a backup, or leave them out with --leave-purged",
        )
    if not (left := [id_ for id_ in found if id_ not in set(gone)]):
        raise OurFault("no message is meant", remedy="gateway message list shows what there is")
    return left


def _named(ids: list[str]) -> str:
    more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
    return f"{times(len(ids), 'message')} ({', '.join(ids[:MOST_NAMED])}{more})"


async def one_of(store: Store, replay_id: str) -> Replay:
    """The replay of this id. Raises OurFault."""
    found = await store.replay(replay_id)
    if found is None:
        raise OurFault(f"there is no replay {replay_id}", remedy="gateway replay list")
    return found
