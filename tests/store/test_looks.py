"""Looks and prepared statements: what they say is what SQLAlchemy says, and nothing waits on the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import Any

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError

from gateway.ports import Changes, Direction
from gateway.store import Store, looks, prepared
from gateway.store.sqlite import SqliteDatabase
from gateway.store.tables import document, event, job, message

TABLES = [message, document, job, event]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_prepared_select_gives_the_rows_that_sqlalchemy_gives(store: Store, trade: Any, table: Any) -> None:
    """Every column of a table with JSON, moments and NULLs, on both databases."""
    changes = trade.received(raw_headers=(("subject", "Größe"),))
    await store.accept(changes)
    body = {"number": "A-1", "text": "Größe\u2028\x00", "half": "\ud83d"}
    await store.apply(Changes(documents=(trade.document(changes.messages[0].id, body=body),)))
    key = table.c["id" if table in {message, document} else "message_id"]
    everything = select(table).where(key != bindparam("wanted"))

    def both(connection: Any) -> tuple[Any, Any]:
        usual = connection.execute(everything, {"wanted": "none"}).all()
        return [tuple(row) for row in prepared.fetch(connection, everything, {"wanted": "none"})], [*map(tuple, usual)]

    fast, usual = await store.database.read(both)
    assert fast == usual
    assert fast


async def test_a_look_on_sqlite_stays_on_the_event_loop(sqlite_store: Store, trade: Any) -> None:
    """No thread is asked."""
    changes = trade.received()
    await sqlite_store.accept(changes)
    where: list[str] = []

    def look(connection: Any) -> Any:
        where.append(threading.current_thread().name)
        return looks.message_by_id(connection, changes.messages[0].id)

    found = await sqlite_store.database.look(look)
    assert found is not None
    assert where == [threading.current_thread().name]


async def test_a_look_that_meets_a_lock_is_left_to_a_reader(sqlite_store: Store) -> None:
    """It is tried once on the loop, without waiting, and once more in a thread, which may wait."""
    tried: list[bool] = []

    def locked_at_first(connection: Any) -> str:
        tried.append(threading.current_thread() is threading.main_thread())
        if len(tried) == 1:
            raise OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked"))
        return "read"

    assert await sqlite_store.database.look(locked_at_first) == "read"
    assert tried == [True, False]
    assert isinstance(sqlite_store.database, SqliteDatabase)
    assert await sqlite_store.database.look(_timeout) == 0


def _timeout(connection: Any) -> int:
    return int(connection.connection.driver_connection.execute("PRAGMA busy_timeout").fetchone()[0])


async def test_documents_of_a_message_are_all_told_however_many(store: Store, trade: Any) -> None:
    """More than a look reads are read beside the loop."""
    new = trade.message()
    many = [trade.document(new.id, number=f"A-{one}", natural_key=f"a:{one}") for one in range(looks.FEW + 5)]
    await store.apply(Changes(messages=(new,), documents=tuple(many)))
    assert {one.number for one in await store.documents_of(new.id)} == {one.number for one in many}
    found = await store.documents_for_order("acme", "order_acknowledgement", "4711")
    assert len(found) == len(many)
    named = await store.named_answers("acme", "order_acknowledgement", "4711")
    assert {one.id for one in await store.documents_by_id([id_ for id_, _ in named])} == {one.id for one in many}


async def test_another_partners_document_does_not_exist(store: Store, trade: Any) -> None:
    """Neither by its id nor by its key."""
    new = trade.message()
    mine = trade.document(new.id)
    await store.apply(Changes(messages=(new,), documents=(mine,)))
    asked = store.document(mine.id, partner="acme"), store.document(mine.id, partner="other")
    found, hidden = await asyncio.gather(*asked)
    assert (found is None, hidden) == (False, None)
    assert await store.document_by_key("other", Direction.INBOUND, str(mine.natural_key)) is None
