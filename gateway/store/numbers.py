"""Control numbers, given out inside the commit that uses them: none is lost, none is used twice.

X12 I12 and 28 have nine digits and start at 1; after 999,999,999 they start again.
"""

from __future__ import annotations

from sqlalchemy import Connection, case
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ports import Numbers
from gateway.store.tables import number

HIGHEST = 999_999_999


def take(connection: Connection, series: str) -> Numbers:
    """The next numbers of `series`."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    first = insert(number).values(series=series, interchange=1, group=1)
    following = {
        column.name: case((column >= HIGHEST, 1), else_=column + 1) for column in (number.c.interchange, number.c.group)
    }
    statement = first.on_conflict_do_update(index_elements=["series"], set_=following)
    row = connection.execute(statement.returning(number.c.interchange, number.c.group)).one()
    return Numbers(interchange=row[0], group=row[1])
