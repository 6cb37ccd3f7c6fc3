"""What the commands of `gateway reference` share: whose rows are meant, who says so, the store of the workspace."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding
from gateway.mapping import reference_csv
from gateway.mapping.references import ALL, CrossReference
from gateway.mapping.rules import finding
from gateway.partners.workspace import partner_files
from gateway.yamltext import near_miss

if TYPE_CHECKING:
    from gateway.ports import Clock
    from gateway.store import Store

T = TypeVar("T")

ALL_WORD = "all"
"""How commands call the rows for all partners."""


def holder(partner: str) -> str:
    """Whose rows these are, in words."""
    return partner or ALL_WORD


def known_partners(workspace: Path) -> tuple[str, ...]:
    """The partners of a workspace. Raises OurFault where there is no workspace."""
    return tuple(name for name, _ in partner_files(workspace))


def partner_of(word: str, known: Sequence[str] | None) -> str:
    """The partner that a command names; None as `known` takes any, for rows of partners that are gone."""
    if word == ALL_WORD:
        return ALL
    if known is not None and word not in known:
        meant = near_miss(word, known)
        remedy = f"did you mean {meant}?" if meant else f"partners are: {', '.join(known[:20]) or 'none'}; or all"
        raise OurFault(f"there is no partner {word!r}", remedy=remedy)
    return word


def row_from(words: Mapping[str, str]) -> tuple[CrossReference | None, tuple[Finding, ...]]:
    """The row that a command's words make, or what is wrong with them."""
    row, wrong = reference_csv.row_of(words)
    place = "gateway reference learn"
    return row, tuple(
        finding(
            "reference.file.value",
            FilePlace(file=place, key=one.column),
            said=repr(one.said),
            wanted=one.wanted,
            fix=f"correct {one.column}",
        )
        for one in wrong
    )


def who(by: str | None) -> str:
    """Who is recorded: who is named, else who is logged in."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


async def asked(workspace: Path, question: Callable[[Store], Awaitable[T]]) -> T:
    """The answer of the workspace's store, beside a running server or without one."""
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need a store pay for loading it

    async with open_store(workspace) as store:
        return await question(store)


@asynccontextmanager
async def opened(workspace: Path) -> AsyncIterator[tuple[Store, Clock]]:
    """The workspace's store, beside a running server or without one, and the clock."""
    from gateway import wiring  # noqa: PLC0415  only commands that need a store pay for loading it

    async with wiring.open_store(workspace) as store:
        yield store, wiring.now
