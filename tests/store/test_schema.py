"""Migrations: up from empty, the same as the tables in code, and refused where the schema is another's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from gateway.errors import OurFault
from gateway.store import Store, migrate
from gateway.store.database import Database
from gateway.store.tables import metadata


def differences(connection: Connection) -> list[Any]:
    """What alembic would have to do to make the database like the tables."""
    found: list[Any] = compare_metadata(MigrationContext.configure(connection), metadata)
    return found


async def test_the_migrations_make_exactly_the_tables_in_code(database_url: str) -> None:
    """Tables, columns, types, indexes, keys."""
    database = await Database.open(database_url)
    assert await database.read(differences) == []
    await database.close()


async def test_a_new_file_is_made_with_its_folder_and_migrating_again_is_harmless(tmp_path: Path, clock: Any) -> None:
    """`gateway serve` may always migrate; those that start at once all may."""
    url = f"sqlite:///{tmp_path / 'new' / 'gateway.db'}"
    await asyncio.gather(*(migrate(url) for _ in range(6)))
    await migrate(url)
    store = await Store.open(url, payloads=tmp_path, clock=clock)
    assert await store.messages() == []
    await store.close()


async def test_an_empty_database_is_refused_with_the_remedy(tmp_path: Path, clock: Any) -> None:
    """Reading commands never change the schema."""
    with pytest.raises(OurFault, match="schema none") as refused:
        await Store.open(f"sqlite:///{tmp_path / 'empty.db'}", payloads=tmp_path, clock=clock)
    assert "gateway serve" in refused.value.remedy


async def test_a_database_of_a_newer_gateway_is_refused(database_url: str, tmp_path: Path, clock: Any) -> None:
    """By opening and by migrating; nothing is changed."""
    database = await Database.open(database_url)
    await database.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await database.close()
    with pytest.raises(OurFault, match="newer gateway"):
        await Store.open(database_url, payloads=tmp_path, clock=clock)
    with pytest.raises(OurFault, match="newer gateway"):
        await migrate(database_url)


async def test_a_postgresql_that_is_not_there_is_our_fault(tmp_path: Path, clock: Any) -> None:
    """With a remedy, from opening and from migrating."""
    url = "postgresql+asyncpg://nobody:secret@127.0.0.1:1/none"
    for attempt in (Store.open(url, payloads=tmp_path, clock=clock), migrate(url)):
        with pytest.raises(OurFault, match="cannot be reached") as refused:
            await attempt
        assert "secret" not in str(refused.value)
