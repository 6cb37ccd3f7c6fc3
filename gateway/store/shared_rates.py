"""A rate that several lanes share: a target's, whichever partner's documents it gets. Its tokens stand on one row.

A claim locks the row after the lanes that it serves, so nodes take tokens one after the other, and none is given twice.
While there is no token, lanes that share the rate are passed over. A lane for which an operator said a rate of its own
shares none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select, update
from sqlalchemy import literal_column as literal

from gateway.ports.lanes import Rate, rate_of
from gateway.store.statements import add_or_leave
from gateway.store.tables import Moment, lane, shared_rate

_NOW = bindparam("now", type_=Moment)
_LOCKED = (
    select(shared_rate)
    .where(shared_rate.c.name.in_(bindparam("names", expanding=True)))
    .order_by(shared_rate.c.name)
    .with_for_update()
)
_TOKENS = (
    update(shared_rate)
    .where(shared_rate.c.name == bindparam("of_rate"))
    .values(tokens_at=bindparam("next", type_=Moment))
)
NEXT = select(func.min(shared_rate.c.tokens_at).label("at")).where(shared_rate.c.tokens_at > _NOW)


def tokens(rate: Rate, tokens_at: datetime | None, now: datetime) -> int:
    """How many there are; `tokens_at` is when the next one is, or was, there."""
    if tokens_at is None:
        return rate.burst
    came: int = (now - tokens_at) // rate.every + 1
    return max(0, min(rate.burst, came))


def used(rate: Rate, tokens_at: datetime | None, now: datetime, count: int) -> datetime:
    """When the next one is there, after `count` were taken: those that came are not lost, as far as the burst goes."""
    full = now - (rate.burst - 1) * rate.every
    return (full if tokens_at is None else max(tokens_at, full)) + count * rate.every


def rest() -> ColumnElement[bool]:
    """The rate that the lane shares has no token now."""
    next_one = select(shared_rate.c.tokens_at).where(shared_rate.c.name == lane.c.shared).correlate(lane)
    waits = func.coalesce(next_one.scalar_subquery() > _NOW, literal("false"))
    return and_(lane.c.shared.is_not(None), lane.c.rate.is_(None), waits)


class Taking:
    """The tokens that one claim takes of the rates that its lanes share."""

    def __init__(self, connection: Connection, names: Iterable[str], now: datetime) -> None:
        self._connection = connection
        self._now = now
        wanted = sorted(names)
        rows = connection.execute(_LOCKED, {"names": wanted}).all() if wanted else ()
        self._rows = {row.name: (rate, row.tokens_at) for row in rows if (rate := rate_of(row.rate)) is not None}
        self._left = {name: tokens(rate, at, now) for name, (rate, at) in self._rows.items()}

    def most(self, name: str | None, wanted: int) -> int:
        """As many of `wanted` as there are tokens for; they are kept for this lane."""
        if name is None or name not in self._left:
            return wanted
        given = max(0, min(wanted, self._left[name]))
        self._left[name] -= given
        return given

    def use(self, started: Mapping[str, int]) -> None:
        """So many jobs were started, by rate."""
        moved = [
            {"of_rate": name, "next": used(*self._rows[name], self._now, count)}
            for name, count in started.items()
            if name in self._rows and count
        ]
        if moved:
            self._connection.execute(_TOKENS, moved)

    def next_token(self) -> datetime | None:
        """When the first of them is there, where there is none now."""
        later = [at for _, at in self._rows.values() if at is not None and at > self._now]
        return min(later, default=None)


def agree(connection: Connection, agreed: Mapping[str, str]) -> None:
    """Give shared rates what is agreed now."""
    for name, rate in sorted(agreed.items()):
        row: dict[str, Any] = {"name": name, "rate": rate, "tokens_at": None}
        if not add_or_leave(connection, shared_rate, row):
            other = (shared_rate.c.name == name) & (shared_rate.c.rate != rate)
            connection.execute(update(shared_rate).where(other).values(rate=rate, tokens_at=None))
