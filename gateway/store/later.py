"""Rows that the operations of a batch only add, and none of them reads, are written together at the batch's end.

One statement for many rows instead of one for each. Before an operation that reads such rows (`collects=False`) what
was collected is written. When that writing fails, the batch is undone and its operations are run one by one.
What could not be done without waiting for another node is put off to a commit of its own, `afterwards`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable

from gateway.store import prepared

T = TypeVar("T")

How = Executable | Callable[[Connection, Sequence[Any]], None]
"""A statement, or a function that writes rows itself and adds no more to what is collected."""

_COLLECTED = "gateway.store.later"
_PUT_OFF = "gateway.store.afterwards"


class RunAlone(Exception):  # noqa: N818  an instruction, not an error
    """Raised by a collecting operation before its first write, when it has to read after all: run it again alone."""


class Later:
    """What a batch has collected, by statement."""

    def __init__(self) -> None:
        self._rows: dict[How, list[Any]] = {}

    def add(self, how: How, rows: Sequence[Any]) -> None:
        """Keep rows for the end."""
        self._rows.setdefault(how, []).extend(rows)

    def mark(self) -> dict[How, int]:
        """How much there is now."""
        return {how: len(rows) for how, rows in self._rows.items()}

    def back_to(self, mark: Mapping[How, int]) -> None:
        """Forget what was added since: its operation failed."""
        for how, rows in self._rows.items():
            del rows[mark.get(how, 0) :]

    def flush(self, connection: Connection) -> None:
        """Write everything. What locks the rows of lanes comes last: other nodes do without them until the commit."""
        for how in sorted(self._rows, key=callable):
            rows = self._rows[how]
            if rows:
                written = rows.copy()
                rows.clear()
                if isinstance(how, Executable):
                    prepared.change_all(connection, how, written)
                else:
                    how(connection, written)


def add(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `rows` at the end of the batch, or now when nothing is being collected."""
    if not rows:
        return
    later: Later | None = connection.info.get(_COLLECTED)
    if later is None:
        prepared.change_all(connection, statement, rows)
    else:
        later.add(statement, rows)


def call(connection: Connection, how: Callable[[Connection, Sequence[Any]], None], rows: Sequence[Any]) -> None:
    """Have `how` write `rows` at the end of the batch, or now when nothing is being collected."""
    if not rows:
        return
    later: Later | None = connection.info.get(_COLLECTED)
    if later is None:
        how(connection, rows)
    else:
        later.add(how, rows)


def must_read(connection: Connection) -> None:
    """The operation needs rows that may be collected still. Raises RunAlone where that is so."""
    if _COLLECTED in connection.info:
        raise RunAlone


def afterwards(connection: Connection, seconds: float, operation: Callable[[Connection], None]) -> None:
    """Have `operation` run so long after the commit, in one that follows; never where the process ends before."""
    connection.info.setdefault(_PUT_OFF, []).append((seconds, operation))


def put_off(connection: Connection) -> list[tuple[float, Callable[[Connection], None]]]:
    """What the transaction has put off so far, once: seconds and operation."""
    found: list[tuple[float, Callable[[Connection], None]]] = connection.info.pop(_PUT_OFF, [])
    return found


@contextmanager
def collecting(connection: Connection) -> Iterator[Later]:
    """Collect until the end of the block, then write."""
    later = Later()
    connection.info[_COLLECTED] = later
    try:
        yield later
        later.flush(connection)
    finally:
        connection.info.pop(_COLLECTED, None)


def perform(connection: Connection, later: Later, operation: Callable[[Connection], T], *, collects: bool) -> T:
    """Run one operation of a batch. With `collects` it may raise RunAlone, having written nothing."""
    if collects:
        return operation(connection)
    later.flush(connection)
    del connection.info[_COLLECTED]
    try:
        return operation(connection)
    finally:
        connection.info[_COLLECTED] = later
