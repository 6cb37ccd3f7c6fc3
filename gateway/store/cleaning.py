"""Clean-ups: what a newer schema has no use for, removed once no gateway is left that needs it.

A migration only adds, so that nodes of the version before work on beside those of the new one. What they leave behind
(an index, a column) goes by a row here, in `gateway database migrate --post`, when no such node beats any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, update

from gateway.errors import OurFault
from gateway.ports import Clock, Node, NodeState
from gateway.store.nodes import listed
from gateway.store.schema import Standing, alone, chain, head, standing
from gateway.store.tables import schema_floor


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaning:
    """One clean-up."""

    number: str
    """Its place: they are done in this order, each once."""
    needs: str
    """The oldest schema whose gateways work without what goes; it becomes the database's oldest."""
    goes: str
    """What is removed, for people."""
    run: Callable[[Connection], None]


CLEANINGS: Sequence[Cleaning] = ()
"""In the order of their numbers."""


def waiting(now: Standing) -> list[Cleaning]:
    """The clean-ups that this gateway knows and that were not done there."""
    return [one for one in CLEANINGS if one.number > now.cleaned]


async def clean(
    url: str, *, clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Sequence[Cleaning]:
    """Do the clean-ups that wait, in one transaction; which.

    A node that still needs what goes, and does not seem to beat, is watched for two of its beats. Raises OurFault when
    one lives, naming it; nothing was changed then.
    """
    first = await alone(url, _in_need)
    now = clock()
    living = [one for one in first if not one.quiet_at(now)]
    if first and not living:
        await sleep(2 * max(one.beat_seconds for one in first))
        living = _others(await alone(url, _in_need), first)
    if living:
        raise _needed_by(living)
    return await alone(url, partial(_clean, silent=first))


def _in_need(connection: Connection) -> list[Node]:
    """The nodes, not known to be lost, whose gateway needs what would go."""
    now = standing(connection)
    if not now.current:
        raise OurFault(
            f"The database has schema {now.found or 'none'}, this gateway needs {head()}",
            remedy="First: gateway database migrate. Where the database is newer: run this with the newest gateway.",
        )
    needs = max((chain().index(one.needs) for one in waiting(now)), default=0)
    older = chain()[:needs]
    return [one for one in listed(connection) if one.state is not NodeState.LOST and one.schema in older]


def _clean(connection: Connection, silent: Sequence[Node]) -> Sequence[Cleaning]:
    if living := _others(_in_need(connection), silent):
        raise _needed_by(living)
    todo = waiting(standing(connection))
    for one in todo:
        one.run(connection)
        connection.execute(update(schema_floor).values(oldest=one.needs, cleaned=one.number))
    return todo


def _others(nodes: Sequence[Node], silent: Sequence[Node]) -> list[Node]:
    """Those that have beaten since, or came."""
    known = {(one.id, one.beats) for one in silent}
    return [one for one in nodes if (one.id, one.beats) not in known]


def _needed_by(nodes: Sequence[Node]) -> OurFault:
    named = ", ".join(f"{one.id} (gateway {one.gateway}, schema {one.schema})" for one in nodes)
    return OurFault(
        f"Nodes of an older version still work on this database: {named}",
        remedy="Upgrade or stop them (`gateway node list` shows who is there), then run this again.",
    )
