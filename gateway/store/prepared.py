"""The hot path's statements, built once; on SQLite they go straight to the driver.

SQLAlchemy makes each statement's text once, too, but prepares every execution anew: four times what SQLite itself needs
for a row of ours. Text, order of parameters and the conversions of each column are SQLAlchemy's own, taken from what it
compiled; a list of any length is one parameter, JSON that SQLite reads. On PostgreSQL a statement goes the usual way.
Only for statements that are kept: their identity is the key.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, Executable
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

from gateway import jsontext
from gateway.store.tables import Moment, microseconds

Parameters = Mapping[str, Any]
_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    text: str
    fixed: Mapping[str, Any]
    """The parameters that the statement itself has values for."""
    picked: Callable[[Mapping[str, Any]], Any]
    """The values of a row in the order of their places."""
    converts: tuple[tuple[int, _Convert], ...]
    """Of the places whose values are converted."""

    def places(self, row: Parameters) -> list[Any]:
        """Values in the order of their places."""
        values = [*self.picked({**self.fixed, **row} if self.fixed else row)]
        for at, convert in self.converts:
            values[at] = convert(values[at])
        return values


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


def insert_all(connection: Connection, statement: Executable, rows: Sequence[Parameters]) -> Sequence[Any]:
    """Run an INSERT … RETURNING for each of `rows`, which name the same columns; what it returns of all of them."""
    driver = _sqlite(connection)
    if driver is None:
        return connection.execute(statement, rows).all()
    prepared, row_of = _prepared(statement, tuple(rows[0])), _row(statement)
    return [row_of(found) for row in rows for found in driver.execute(prepared.text, prepared.places(row))]


def fetch(connection: Connection, statement: Executable, wanted: Parameters) -> Sequence[Any]:
    """The rows of a SELECT, or of an UPDATE … RETURNING; each has its columns as attributes."""
    driver = _sqlite(connection)
    if driver is None:
        return connection.execute(statement, wanted).all()
    prepared, row_of = _prepared(statement, tuple(wanted)), _row(statement)
    return [row_of(row) for row in driver.execute(prepared.text, prepared.places(wanted))]


def _sqlite(connection: Connection) -> sqlite3.Connection | None:
    driver = connection.connection.driver_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


_DIALECT = pysqlite.dialect(json_serializer=jsontext.written)
_LIST = re.compile(r"__\[POSTCOMPILE_\w+\]")


@cache
def _prepared(statement: Any, names: tuple[str, ...]) -> _Prepared:
    compiled = statement.compile(dialect=_DIALECT, column_keys=list(names))
    assert isinstance(compiled, SQLCompiler)
    assert not compiled.literal_execute_params, "its text depends on its parameters"
    bound = [compiled.binds[name] for name in compiled.positiontup or ()]
    fixed = {one.key: one.effective_value for one in bound if one.key not in names}
    converts = [(at, convert) for at, one in enumerate(bound) if (convert := _conversion(one)) is not None]
    keys = [one.key for one in bound]
    picked = itemgetter(*keys) if len(keys) > 1 else lambda row: [row[key] for key in keys]
    return _Prepared(_LIST.sub("SELECT value FROM json_each(?)", compiled.string), fixed, picked, tuple(converts))


def _conversion(bound: BindParameter[Any]) -> _Convert | None:
    if isinstance(bound.type, Moment):
        return _microseconds
    convert: _Convert | None = bound.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    if bound.expanding:
        assert convert is None, "no list of what is converted"
        return json.dumps
    return convert


def _microseconds(at: Any) -> int | None:
    return None if at is None else microseconds(at)


@cache
def _row(statement: Any) -> Callable[[Sequence[Any]], Any]:
    columns = list(statement.exported_columns)
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
