"""The hot path's statements, built once; on SQLite they go straight to the driver.

SQLAlchemy makes each statement's text once, too, but prepares every execution anew: four times what SQLite itself needs
for a row of ours. Text, order of parameters and the conversions of each column are SQLAlchemy's own, taken from what it
compiled. On PostgreSQL a statement goes the usual way. Only for statements that are kept: their identity is the key.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Select
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

from gateway import jsontext

Parameters = Mapping[str, Any]
_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    text: str
    takes: tuple[tuple[str, _Convert | None, Any], ...]
    """Of each place: its parameter, how it is converted, and its value where the statement has one."""

    def places(self, row: Parameters) -> list[Any]:
        """Values in the order of their places."""
        return [
            (row.get(name, value) if convert is None else convert(row.get(name, value)))
            for name, convert, value in self.takes
        ]


def change(connection: Connection, statement: Executable, row: Parameters) -> int:
    """Run an INSERT, UPDATE or DELETE; how many rows it changed."""
    driver = _sqlite(connection)
    if driver is None:
        return connection.execute(statement, row).rowcount
    prepared = _prepared(statement, tuple(row))
    return driver.execute(prepared.text, prepared.places(row)).rowcount


def change_all(connection: Connection, statement: Executable, rows: Sequence[Parameters]) -> None:
    """Run it for each of `rows`, which name the same columns."""
    driver = _sqlite(connection)
    if driver is None:
        connection.execute(statement, rows if len(rows) > 1 else rows[0])
        return
    prepared = _prepared(statement, tuple(rows[0]))
    driver.executemany(prepared.text, map(prepared.places, rows))


def fetch(connection: Connection, statement: Select[Any], wanted: Parameters) -> Sequence[Any]:
    """The rows of a SELECT whose parameters are no lists; each has its columns as attributes."""
    driver = _sqlite(connection)
    if driver is None:
        return connection.execute(statement, wanted).all()
    prepared, row_of = _prepared(statement, tuple(wanted)), _row(statement)
    return [row_of(row) for row in driver.execute(prepared.text, prepared.places(wanted))]


def _sqlite(connection: Connection) -> sqlite3.Connection | None:
    driver = connection.connection.driver_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


_DIALECT = pysqlite.dialect(json_serializer=jsontext.written)


@cache
def _prepared(statement: Any, names: tuple[str, ...]) -> _Prepared:
    compiled = statement.compile(dialect=_DIALECT, column_keys=list(names))
    assert isinstance(compiled, SQLCompiler)
    assert "POSTCOMPILE" not in compiled.string, "its text depends on its parameters"
    takes = []
    for name in compiled.positiontup or ():
        bound = compiled.binds[name]
        convert = bound.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
        takes.append((bound.key, convert, bound.effective_value))
    return _Prepared(compiled.string, tuple(takes))


@cache
def _row(statement: Any) -> Callable[[Sequence[Any]], Any]:
    columns = list(statement.selected_columns)
    row = namedtuple("row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024
    found = [
        (at, column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)) for at, column in enumerate(columns)
    ]
    converted = [(at, convert) for at, convert in found if convert is not None]

    def make(values: Sequence[Any]) -> Any:
        made = list(values)
        for at, convert in converted:
            made[at] = convert(made[at])
        return row._make(made)

    return make
