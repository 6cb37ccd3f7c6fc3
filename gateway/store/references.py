"""Cross-references: rows that stand, rows that were retired and are kept, and one number a partner for their state.

Whoever changes a partner's rows counts that number up and holds its lock until the commit: changes are decided over
a state, and one decided over another is refused. The law of the table: a word has one row a day.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from gateway.errors import OurFault
from gateway.events import DocumentResumed
from gateway.mapping.references import ALL, CrossReference
from gateway.ports import NaturalKeyTaken, ReferenceChange, ReferenceState
from gateway.store import holds
from gateway.store.statements import add_or_leave
from gateway.store.tables import cross_reference, reference_version

T = TypeVar("T")

MOST_ROWS = 100_000
"""Rows of one partner that stand; a snapshot has them in memory."""
AT_ONCE = 500


def versions(connection: Connection, partner: str) -> ReferenceState:
    """The state of a partner's own rows, and of those for all."""
    found = _versions(connection, (partner, ALL))
    return found.get(partner, 0), found.get(ALL, 0)


def snapshot(connection: Connection, partner: str) -> tuple[ReferenceState, tuple[CrossReference, ...]]:
    """The rows for a partner and their state. The state is read first: rows may be newer, never older, than it says."""
    state = versions(connection, partner)
    return state, tuple(_rows(connection, _standing(cross_reference.c.partner.in_((partner, ALL)))))


def rows(
    connection: Connection, *, partner: str | None = None, list_: str | None = None, retired: bool = False
) -> list[CrossReference]:
    """Rows in the order of their words."""
    conditions: list[Any] = [
        cross_reference.c.retired_at.is_not(None) if retired else cross_reference.c.retired_at.is_(None)
    ]
    if partner is not None:
        conditions.append(cross_reference.c.partner == partner)
    if list_ is not None:
        conditions.append(cross_reference.c.list == list_)
    return list(_rows(connection, select(cross_reference).where(*conditions)))


def lock(connection: Connection, partners: Iterable[str]) -> dict[str, int]:
    """The state of these partners' rows, which nobody else changes before the end of the transaction."""
    names = sorted(set(partners))
    for name in names:
        add_or_leave(connection, reference_version, {"partner": name, "version": 0})
    return _versions(connection, names, locked=True)


def write(connection: Connection, changes: Sequence[ReferenceChange], now: dt.datetime) -> list[DocumentResumed]:
    """Make changes of the rows, and put the documents back to work that wait for what is taught.

    Raises NaturalKeyTaken when a change was decided over another state, OurFault when it breaks the law of the table.
    """
    if not changes:
        return []
    state = lock(connection, (change.partner for change in changes))
    for change in changes:
        if state[change.partner] != change.version:
            raise NaturalKeyTaken(f"the cross-references of {change.partner or 'all partners'} changed meanwhile")
        _write(connection, change, now)
    return [fact for change in changes for fact in holds.taught(connection, change, now)]


def _write(connection: Connection, change: ReferenceChange, now: dt.datetime) -> None:
    mine = cross_reference.c.partner == change.partner
    for some in _parts(change.retire):
        gone = update(cross_reference).where(
            mine, cross_reference.c.id.in_(some), cross_reference.c.retired_at.is_(None)
        )
        _all_there(connection.execute(gone.values(retired_at=now, retired_by=change.by)).rowcount, some)
    for id_, day in change.end:
        ended = update(cross_reference).where(mine, cross_reference.c.id == id_, cross_reference.c.retired_at.is_(None))
        values = {"valid_to": day.isoformat(), "changed_at": now, "changed_by": change.by}
        _all_there(connection.execute(ended.values(values)).rowcount, (id_,))
    for more in _parts(change.add):
        wrong = [row for row in more if row.partner != change.partner]
        if wrong:
            raise OurFault(f"a row of {wrong[0].partner!r} in a change of {change.partner!r}", remedy="Report it.")
        connection.execute(insert(cross_reference), [_values(row, change, now) for row in more])
    _law(connection, change)
    version = update(reference_version).where(reference_version.c.partner == change.partner)
    connection.execute(version.values(version=change.version + 1))


def _law(connection: Connection, change: ReferenceChange) -> None:
    """One row a day for each word that was touched; not too many rows."""
    for some in _parts(sorted({row.theirs for row in change.add})):
        statement = _standing(cross_reference.c.partner == change.partner, cross_reference.c.theirs.in_(some))
        by_key: dict[tuple[str, ...], list[CrossReference]] = defaultdict(list)
        for row in _rows(connection, statement):
            by_key[row.key].append(row)
        for standing in by_key.values():
            standing.sort(key=lambda row: row.starts)
            for before, after in pairwise(standing):
                if before.overlaps(after):
                    raise OurFault(
                        f"{before.list} {before.theirs!r} of {before.partner or 'all partners'} would have two rows on "
                        f"{after.starts}",
                        remedy="Retire the row that stands, or teach the other from a later day.",
                    )
    counted = select(func.count()).where(
        cross_reference.c.partner == change.partner, cross_reference.c.retired_at.is_(None)
    )
    if change.add and (count := connection.execute(counted).scalar_one()) > MOST_ROWS:
        raise OurFault(
            f"{change.partner or 'all partners'} would have {count:,} cross-references, {MOST_ROWS:,} are allowed",
            remedy="Retire those that hold no more.",
        )


def _all_there(changed: int, ids: Sequence[str]) -> None:
    if changed != len(ids):
        raise OurFault("A change names a cross-reference that does not stand", remedy="Report it with the log.")


_VERSIONS = (
    select(reference_version.c.partner, reference_version.c.version)
    .where(reference_version.c.partner.in_(bindparam("partners", expanding=True)))
    .order_by(reference_version.c.partner)
)
_LOCKED_VERSIONS = _VERSIONS.with_for_update()


def _versions(connection: Connection, names: Sequence[str], *, locked: bool = False) -> dict[str, int]:
    found = connection.execute(_LOCKED_VERSIONS if locked else _VERSIONS, {"partners": list(names)})
    return {row.partner: row.version for row in found}


def _standing(*conditions: Any) -> Any:
    return select(cross_reference).where(cross_reference.c.retired_at.is_(None), *conditions)


def _rows(connection: Connection, statement: Any) -> Iterator[CrossReference]:
    order = [cross_reference.c[name] for name in ("partner", "list", "scheme", "theirs", "valid_from", "id")]
    for row in connection.execute(statement.order_by(*order)):
        yield _reference(row)


def _reference(row: Row[Any]) -> CrossReference:
    return CrossReference(
        id=row.id,
        partner=row.partner,
        list=row.list,
        scheme=row.scheme,
        theirs=row.theirs,
        ours=row.ours,
        factor=None if row.factor is None else Decimal(row.factor),
        valid_from=_day(row.valid_from),
        valid_to=_day(row.valid_to),
        origin=row.origin,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )


def _values(row: CrossReference, change: ReferenceChange, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "partner": row.partner,
        "list": row.list,
        "scheme": row.scheme,
        "theirs": row.theirs,
        "ours": row.ours,
        "factor": None if row.factor is None else format(row.factor, "f"),
        "valid_from": row.valid_from.isoformat() if row.valid_from else "",
        "valid_to": row.valid_to.isoformat() if row.valid_to else "",
        "origin": row.origin,
        "changed_at": now,
        "changed_by": change.by,
        "retired_at": None,
        "retired_by": None,
    }


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _parts(many: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(many), AT_ONCE):
        yield many[start : start + AT_ONCE]
