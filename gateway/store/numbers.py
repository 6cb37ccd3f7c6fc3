"""Control numbers, given out inside the commit that uses them: none is lost, none is used twice.

X12 I12 and 28 have nine digits and start at 1; after 999,999,999 they start again.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ports import Numbers
from gateway.store import prepared
from gateway.store.tables import number

HIGHEST = 999_999_999


@cache
def _next(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    first = insert(number).values(series=bindparam("of_series"), interchange=1, group=1)
    following = {
        column.name: case((column >= HIGHEST, 1), else_=column + 1) for column in (number.c.interchange, number.c.group)
    }
    statement = first.on_conflict_do_update(index_elements=["series"], set_=following)
    return statement.returning(number.c.interchange, number.c.group)


def take(connection: Connection, series: str) -> Numbers:
    """The next numbers of `series`."""
    (row,) = prepared.insert_all(connection, _next(connection.dialect.name), [{"of_series": series}])
    return Numbers(interchange=row.interchange, group=row.group)
