"""The statements of the hot path, built once: SQLAlchemy then finds each in its cache by identity, not by its parts.

`ON CONFLICT` is spelled by each dialect's own construct, hence the pairs; `pick` takes the one for a connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, Update, bindparam, case, literal_column, null, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ports import DocumentState
from gateway.store import prepared
from gateway.store.states import DOCUMENT_STATE_FROM, MESSAGE_STATE_FROM
from gateway.store.tables import document, message


@cache
def insert_or_leave(table: Table, dialect: str, *, conflict: tuple[str, ...] = ()) -> Any:
    """INSERT … ON CONFLICT (conflict, or any) DO NOTHING; every column is a parameter. `rowcount` tells."""
    words = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = words(table).on_conflict_do_nothing(index_elements=conflict or None)
    return statement.inline()  # no RETURNING of the new key: nobody asks


def add_or_leave(
    connection: Connection, table: Table, row: Mapping[str, Any], *, conflict: tuple[str, ...] = ()
) -> bool:
    """Insert a row unless it conflicts; whether it was inserted."""
    statement = insert_or_leave(table, connection.dialect.name, conflict=conflict)
    return prepared.change(connection, statement, row) > 0


@cache
def change(table: Table, columns: frozenset[str], state: str | None) -> Update:
    """UPDATE of these columns of the row `row_id`; to `state`, unless the row's state may not be left for it."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
    if state is not None:
        allowed = MESSAGE_STATE_FROM if table is message else DOCUMENT_STATE_FROM
        leavable = sorted(old.value for new, olds in allowed.items() if new.value == state for old in olds)
        may_leave = or_(*(table.c.state == literal_column(f"'{old}'") for old in leavable))
        values["state"] = case((may_leave, literal_column(f"'{state}'")), else_=table.c.state)
        if table is document and state == DocumentState.REJECTED.value:
            # What the partner refused may come again under the same number: its natural key is free.
            values["natural_key"] = case((may_leave, null()), else_=table.c.natural_key)
    return update(table).where(table.c.id == bindparam("row_id")).values(values)


def change_row(connection: Connection, table: Table, id_: str, values: Mapping[str, Any], state: str | None) -> bool:
    """Change columns, and state where that is allowed, of one message or document; whether there is such a row."""
    assert table in {message, document}
    statement = change(table, frozenset(values), state)
    parameters = {f"new_{name}": value for name, value in values.items()}
    return prepared.change(connection, statement, parameters | {"row_id": id_}) > 0
