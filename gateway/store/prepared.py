"""The hot path's statements, built once; they go straight to the driver.

SQLAlchemy makes each statement's text once, too, but prepares every execution anew: four times what SQLite itself needs
for a row of ours, and as much as asyncpg needs. Text, order of parameters and the conversions of each column are
SQLAlchemy's own, taken from what it compiled. A list of any length is one parameter: JSON that SQLite reads, an array
for PostgreSQL, whose statement is so the same for lists of every length. Only for statements that are kept: their
identity is the key.
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
from typing import Any, NoReturn, cast

from sqlalchemy import BindParameter, Connection, Dialect, Executable, Text
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.engine.interfaces import DBAPICursor, DBAPIModule
from sqlalchemy.exc import DBAPIError
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
    prepared = _prepared(statement, tuple(row), connection.dialect.name)
    if prepared is None:
        return connection.execute(statement, row).rowcount
    with _Cursor(connection, prepared) as cursor:
        cursor.execute(prepared.text, prepared.places(row))
        return int(cursor.rowcount)


def change_all(connection: Connection, statement: Executable, rows: Sequence[Parameters]) -> None:
    """Run it for each of `rows`, which name the same columns."""
    prepared = _prepared(statement, tuple(rows[0]), connection.dialect.name)
    if prepared is None:
        connection.execute(statement, rows if len(rows) > 1 else rows[0])
        return
    with _Cursor(connection, prepared) as cursor:
        if len(rows) > 1:
            cursor.executemany(prepared.text, [*map(prepared.places, rows)])
        else:
            cursor.execute(prepared.text, prepared.places(rows[0]))


def insert_all(connection: Connection, statement: Executable, rows: Sequence[Parameters]) -> Sequence[Any]:
    """Run an INSERT … RETURNING for each of `rows`, which name the same columns; what it returns of all of them."""
    prepared = _prepared(statement, tuple(rows[0]), connection.dialect.name)
    if prepared is None or (len(rows) > 1 and connection.dialect.name == "postgresql"):
        return connection.execute(statement, rows).all()  # of many rows it makes one statement
    row_of = _row(statement, connection.dialect.name)
    found: list[Any] = []
    with _Cursor(connection, prepared) as cursor:
        for row in rows:
            cursor.execute(prepared.text, prepared.places(row))
            found += map(row_of, cursor.fetchall())
    return found


def fetch(connection: Connection, statement: Executable, wanted: Parameters) -> Sequence[Any]:
    """The rows of a SELECT, or of an UPDATE … RETURNING; each has its columns as attributes."""
    prepared = _prepared(statement, tuple(wanted), connection.dialect.name)
    if prepared is None:
        return connection.execute(statement, wanted).all()
    with _Cursor(connection, prepared) as cursor:
        cursor.execute(prepared.text, prepared.places(wanted))
        return [*map(_row(statement, connection.dialect.name), cursor.fetchall())]


class _Cursor:
    """The driver's own cursor (PEP 249); what it refuses is raised as SQLAlchemy would, without the values.

    Opened for each of fifty statements a message: a generator (`contextmanager`) would cost as much as the statement.
    """

    __slots__ = ("_connection", "_cursor", "_driver", "_text")

    def __init__(self, connection: Connection, prepared: _Prepared) -> None:
        self._connection = connection
        self._driver = connection.connection
        self._cursor = self._driver.cursor()
        self._text = prepared.text

    def __enter__(self) -> DBAPICursor:
        return self._cursor

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        try:
            if isinstance(fault, _ERRORS):
                self._refuse(fault)
        finally:
            self._cursor.close()

    def _refuse(self, fault: Exception) -> NoReturn:
        dialect, refusal = self._connection.dialect, cast("DBAPIModule.Error", fault)
        assert dialect.dbapi is not None
        lost = dialect.is_disconnect(refusal, self._driver, self._cursor)
        if lost:
            self._connection.invalidate(fault)
        error = DBAPIError.instance(
            self._text, None, fault, dialect.dbapi.Error, connection_invalidated=lost, dialect=dialect
        )
        raise error from fault


_DIALECTS: Mapping[str, Dialect] = {
    "sqlite": pysqlite.dialect(json_serializer=jsontext.written),
    "postgresql": asyncpg.dialect(json_serializer=jsontext.written),  # type: ignore[no-untyped-call]
}
_ERRORS = (sqlite3.Error, asyncpg.AsyncAdapt_asyncpg_dbapi.Error)
_LIST = re.compile(r"__\[POSTCOMPILE_\w+\]")
_IN_LIST = re.compile(r"(?<!NOT )IN \(__\[POSTCOMPILE_(\w+)\]\)")


@cache
def _prepared(statement: Any, names: tuple[str, ...], dialect: str) -> _Prepared | None:
    compiled = statement.compile(dialect=_DIALECTS[dialect], column_keys=list(names))
    assert isinstance(compiled, SQLCompiler)
    assert not compiled.literal_execute_params, "its text depends on its parameters"
    text, places = _text(compiled, dialect)
    if _LIST.search(text):
        return None
    bound = [compiled.binds[name] for name in places]
    fixed = {one.key: one.effective_value for one in bound if one.key not in names}
    found = ((at, _conversion(one, _DIALECTS[dialect])) for at, one in enumerate(bound))
    converts = [(at, convert) for at, convert in found if convert is not None]
    keys = [one.key for one in bound]
    picked = itemgetter(*keys) if len(keys) > 1 else lambda row: [row[key] for key in keys]
    return _Prepared(text, fixed, picked, tuple(converts))


def _text(compiled: SQLCompiler, dialect: str) -> tuple[str, list[str]]:
    """The statement with a parameter for each list, and the parameters in the order of their places."""
    names = list(compiled.positiontup or ())
    if dialect == "sqlite":
        return _LIST.sub("SELECT value FROM json_each(?)", compiled.string), names
    lists = [name for name in names if compiled.binds[name].expanding and isinstance(compiled.binds[name].type, Text)]
    places = [*(name for name in names if name not in lists), *lists]  # SQLAlchemy gives lists no number

    def array(found: re.Match[str]) -> str:
        return f"= ANY (${places.index(found[1]) + 1}::VARCHAR[])" if found[1] in lists else found[0]

    return _IN_LIST.sub(array, compiled.string), places


def _conversion(bound: BindParameter[Any], dialect: Dialect) -> _Convert | None:
    if isinstance(bound.type, Moment):
        return _microseconds
    convert: _Convert | None = bound.type.dialect_impl(dialect).bind_processor(dialect)
    if bound.expanding:
        assert convert is None, "no list of what is converted"
        return json.dumps if dialect.name == "sqlite" else list
    return convert


def _microseconds(at: Any) -> int | None:
    return None if at is None else microseconds(at)


@cache
def _row(statement: Any, dialect: str) -> Callable[[Sequence[Any]], Any]:
    words = _DIALECTS[dialect]
    columns = list(statement.exported_columns)
    row = namedtuple("row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024
    found = [(at, column.type.dialect_impl(words).result_processor(words, None)) for at, column in enumerate(columns)]
    converted = [(at, convert) for at, convert in found if convert is not None]

    def make(values: Sequence[Any]) -> Any:
        made = list(values)
        for at, convert in converted:
            made[at] = convert(made[at])
        return row._make(made)

    return make
