"""What the commands of `gateway dead` share: which letters are meant, by name or by filter, and their groups."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.moments import SAID, moment_of
from gateway.cli.reference_asking import opened
from gateway.errors import OurFault
from gateway.pipeline.giving_up import cause_of, group_of
from gateway.ports.dead_letters import DeadLetter

if TYPE_CHECKING:
    from gateway.store import Store

MOST_OFFERED = 200
_GROUP = re.compile(r"g[0-9a-f]{8}")
_LETTER = re.compile(r"[1-9][0-9]{0,17}")
_MESSAGE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which letters are meant: all of these at once."""

    names: tuple[str, ...] = ()
    """Letters by number, groups, messages: any of them."""
    partner: str | None = None
    step: str | None = None
    target: str | None = None
    since: datetime | None = None
    reason: str | None = None

    @property
    def anything(self) -> bool:
        """Whether anything was said."""
        return bool(self.names or self.partner or self.step or self.target or self.since or self.reason)

    def fits(self, letter: DeadLetter) -> bool:
        """Whether it is meant."""
        return (
            (not self.names or bool({str(letter.id), letter.message_id, group_of(letter)} & set(self.names)))
            and (self.partner is None or letter.partner == self.partner)
            and (self.step is None or letter.step == self.step)
            and (self.target is None or letter.target == self.target)
            and (self.since is None or letter.at >= self.since)
            and (self.reason is None or self.reason.casefold() in letter.reason.casefold())
        )


@dataclass(slots=True)
class Group:
    """Letters that share partner, step, far side and cause."""

    name: str
    first: DeadLetter
    """One of them."""
    count: int = 0
    since: datetime | None = None
    until: datetime | None = None
    reason: str = field(default="")
    letters: set[tuple[int, int]] = field(default_factory=set)
    """Which, each with its attempts: one that was worked again and given up again is another one."""

    def add(self, letter: DeadLetter) -> None:
        """One more."""
        self.count += 1
        self.letters.add((letter.id, letter.attempts))
        self.since = min(filter(None, (self.since, letter.at)))
        self.until = max(filter(None, (self.until, letter.at)))


Since = Annotated[str | None, typer.Option(help=f"Only those given up since then: {SAID}.")]


def wanted(
    now: datetime,
    *,
    names: Sequence[str] | None = None,
    partner: str | None = None,
    step: str | None = None,
    target: str | None = None,
    since: str | None = None,
    reason: str | None = None,
) -> Wanted:
    """The filters of a command. Raises OurFault for a name that is none."""
    for name in names or ():
        if not any(form.fullmatch(name) for form in (_GROUP, _LETTER, _MESSAGE)):
            raise OurFault(
                f"{name!r} is no dead letter", remedy="name a letter, a group or a message: gateway dead list"
            )
    return Wanted(
        names=tuple(names or ()),
        partner=partner,
        step=step,
        target=target,
        since=None if since is None else moment_of(since, now),
        reason=reason,
    )


async def letters(store: Store, meant: Wanted, *, discarded: bool) -> AsyncIterator[DeadLetter]:
    """Those that are meant; a page of all is in memory."""
    if meant.names and all(_LETTER.fullmatch(name) for name in meant.names):
        for name in meant.names:
            one = await store.dead_letter(int(name))
            if one is not None and one.discarded is discarded and meant.fits(one):
                yield one
        return
    only = meant.names[0] if len(meant.names) == 1 and _MESSAGE.fullmatch(meant.names[0]) else None
    async for one in store.dead_letters(discarded=discarded, message_id=only, partner=meant.partner):
        if meant.fits(one):
            yield one


async def groups(store: Store, meant: Wanted, *, discarded: bool) -> list[Group]:
    """The groups of those that are meant, the largest first."""
    found: dict[str, Group] = {}
    async for one in letters(store, meant, discarded=discarded):
        name = group_of(one)
        group = found.setdefault(name, Group(name=name, first=one, reason=cause_of(one)))
        group.add(one)
    return sorted(found.values(), key=lambda each: (-each.count, each.name))


def complete_dead(context: typer.Context, incomplete: str) -> list[str]:
    """Groups and letters that begin so; none where there is no workspace."""
    try:
        return asyncio.run(_names(Path(context.params.get("workspace") or "."), incomplete))
    except (OurFault, OSError):
        return []


async def _names(folder: Path, incomplete: str) -> list[str]:
    found: dict[str, None] = {}
    async with opened(folder) as (store, _):
        for discarded in (False, True):
            async for one in letters(store, Wanted(), discarded=discarded):
                names = (group_of(one), str(one.id))
                found.update(dict.fromkeys(name for name in names if name.startswith(incomplete)))
                if len(found) >= MOST_OFFERED:
                    return sorted(found)
    return sorted(found)


def complete_step(context: typer.Context, incomplete: str) -> list[str]:
    """The steps that begin so."""
    del context
    from gateway.wiring import STEPS  # noqa: PLC0415  only who asks pays for loading it

    return [step for step in STEPS if step.startswith(incomplete)]
