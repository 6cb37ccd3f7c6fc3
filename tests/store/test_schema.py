"""Migrations: up from empty, the same as the tables in code, and refused where the schema is another's."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from gateway.errors import OurFault
from gateway.ports import Node, NodeState
from gateway.store import Store, cleaning, migrate, schema
from gateway.store.cleaning import Cleaning, clean
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
    """One that was cleaned up for it. By opening and by migrating; nothing is changed."""
    await alter(
        database_url, "UPDATE alembic_version SET version_num = '9999'", "UPDATE schema_floor SET oldest = '9998'"
    )
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


async def test_a_newer_database_that_still_takes_this_gateway_is_worked_on(
    database_url: str, tmp_path: Path, clock: Any
) -> None:
    """The node of the version before goes on while a newer one has migrated: a migration only adds."""
    await alter(database_url, "UPDATE alembic_version SET version_num = '9999'")
    await migrate(database_url)
    store = await Store.open(database_url, payloads=tmp_path, clock=clock)
    await store.check()
    await store.close()


async def test_migrations_only_add(tmp_path: Path) -> None:
    """Each schema holds all of the one before it, and whoever writes as before is not refused: a rolling upgrade."""
    engine = create_engine(f"sqlite:///{tmp_path / 'gateway.db'}")
    known = schema.chain()
    rolling = known.index("0005")  # the first schema that rolling upgrades are promised from
    found: list[str] = []
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.SCRIPTS))
        config.attributes["connection"] = connection
        before: dict[str, _Table] = {}
        for place, revision in enumerate(known):
            command.upgrade(config, revision)
            after = shape(connection)
            if place > rolling:
                found += [f"{revision}: {one}" for one in taken_away(before, after)]
            before = after
    engine.dispose()
    assert found == []


def test_what_a_migration_takes_away_is_seen(tmp_path: Path) -> None:
    """The test above sees what it is for."""
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.begin() as connection:
        for name in ("kept", "gone", "strict"):
            connection.execute(text(f"CREATE TABLE {name} (a TEXT, b TEXT NOT NULL)"))
        before = shape(connection)
        connection.execute(text("DROP TABLE gone"))
        connection.execute(text("ALTER TABLE kept DROP COLUMN a"))
        connection.execute(text("ALTER TABLE kept ADD COLUMN c TEXT NOT NULL DEFAULT ''"))
        connection.execute(text("DROP TABLE strict"))
        connection.execute(text("CREATE TABLE strict (a TEXT NOT NULL, b TEXT NOT NULL, c TEXT NOT NULL)"))
        connection.execute(text("CREATE UNIQUE INDEX strict_b ON strict (b)"))
        connection.execute(text("CREATE TABLE more (a TEXT NOT NULL)"))
        after = shape(connection)
    engine.dispose()
    assert taken_away(before, after) == [
        "table gone is gone",
        "kept.a is gone",
        "strict.a must have a value now",
        "strict.c must have a value that nobody gave before",
        "strict_b of strict refuses what was taken before",
    ]


@dataclass(frozen=True, slots=True)
class _Table:
    columns: dict[str, Any]
    unique: frozenset[str]


def shape(connection: Connection) -> dict[str, _Table]:
    """Tables with their columns and unique indexes."""
    asked = inspect(connection)
    return {
        name: _Table(
            {str(one["name"]): one for one in asked.get_columns(name)},
            frozenset(str(one["name"]) for one in asked.get_indexes(name) if one["unique"])
            | frozenset(str(one["name"]) for one in asked.get_unique_constraints(name)),
        )
        for name in asked.get_table_names()
    }


def taken_away(before: dict[str, _Table], after: dict[str, _Table]) -> list[str]:
    """What a gateway that knows only `before` would miss, or be refused for."""
    found: list[str] = []
    for name, old in before.items():
        if name not in after:
            found.append(f"table {name} is gone")
            continue
        new = after[name]
        found += [f"{name}.{column} is gone" for column in old.columns if column not in new.columns]
        for column, facts in new.columns.items():
            if facts["nullable"] or facts["default"] is not None:
                continue
            if column not in old.columns:
                found.append(f"{name}.{column} must have a value that nobody gave before")
            elif old.columns[column]["nullable"]:
                found.append(f"{name}.{column} must have a value now")
        found += [f"{one} of {name} refuses what was taken before" for one in sorted(new.unique - old.unique)]
    return found


NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9001", "{head}", None, None
def upgrade():
    op.create_table("next", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("api_key", sa.Column("new", sa.Text(), nullable=False, server_default=""))
"""


@pytest.fixture
def the_next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """Within its context this is the gateway of the next version: one more migration, and a clean-up after it."""
    scripts = Path(shutil.copytree(schema.SCRIPTS, tmp_path / "migrations"))
    (scripts / "versions" / "9001_next.py").write_text(NEXT.format(head=schema.head()))

    def drop(connection: Connection) -> None:
        connection.execute(text("DROP INDEX version_hash_index"))

    @contextmanager
    def upgraded() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(schema, "SCRIPTS", scripts)
            patch.setattr(cleaning, "CLEANINGS", [Cleaning(number="9001", needs="9001", goes="an index", run=drop)])
            yield

    return upgraded


async def test_a_rolling_upgrade_old_and_new_work_side_by_side_then_the_rest_is_cleaned_up(
    database_url: str, tmp_path: Path, clock: Any, trade: Any, the_next_version: Callable[[], Any]
) -> None:
    """Two new nodes start at once and migrate once; the old one works on, and is named by who would clean up."""
    old = await Store.open(database_url, payloads=tmp_path, clock=clock)
    await old.beat(node("old", clock, schema=schema.head()))
    with the_next_version():
        await asyncio.gather(migrate(database_url), migrate(database_url))
    for _ in range(3):
        await old.accept(trade.received())
    await old.check()
    with the_next_version():
        new = await Store.open(database_url, payloads=tmp_path, clock=clock)
        await new.beat(node("new", clock, schema="9001"))
        taken = [*await new.claim("new", ["read"], 1), *await old.claim("old", ["read"], 5)]
        assert len({job.id for job in taken}) == 3
        with pytest.raises(OurFault, match=r"old \(gateway 0\.1\.0, schema [0-9]+\)") as refused:
            await clean(database_url, clock=clock)
        assert "node list" in refused.value.remedy
    await old.leave("old")
    await migrate(database_url)  # commands of the old version still run
    with the_next_version():
        assert [one.goes for one in await clean(database_url, clock=clock)] == ["an index"]
        assert await clean(database_url, clock=clock) == []
        await new.check()
    for attempt in (old.check(), migrate(database_url)):
        with pytest.raises(OurFault, match=r"schema 9001, and needs at least 9001, this gateway knows [0-9]+"):
            await attempt
    await old.close()
    await new.close()


async def test_a_silent_old_node_is_watched_before_anything_is_cleaned_up(
    database_url: str, tmp_path: Path, clock: Any, the_next_version: Callable[[], Any]
) -> None:
    """Its row may be that of a dead process, or its clock may be wrong."""
    store = await Store.open(database_url, payloads=tmp_path, clock=clock)
    row = node("old", clock, schema=schema.head())
    await store.beat(row)
    clock.advance(hours=2)

    async def beats(_: float) -> None:
        await store.beat(replace(row, beats=2))

    async def sleeps(seconds: float) -> None:
        assert seconds == 10

    with the_next_version():
        await migrate(database_url)
        with pytest.raises(OurFault, match="older version still work"):
            await clean(database_url, clock=clock, sleep=beats)
        assert await clean(database_url, clock=clock, sleep=sleeps)
    await store.close()


async def test_a_clean_up_before_the_migration_is_refused(
    database_url: str, clock: Any, the_next_version: Callable[[], Any]
) -> None:
    """First what is added, then what goes."""
    with the_next_version(), pytest.raises(OurFault, match=r"schema [0-9]+, this gateway needs 9001"):
        await clean(database_url, clock=clock)


def node(name: str, clock: Any, *, schema: str) -> Node:
    """A node that beats every five seconds."""
    at = clock()
    return Node(
        id=name,
        host="here",
        pid=7,
        started_at=at,
        seen_at=at,
        beats=1,
        beat_seconds=5.0,
        gateway="0.1.0",
        schema=schema,
        configuration="",
        state=NodeState.READY,
    )


async def alter(url: str, *statements: str) -> None:
    """Change a database behind the store's back."""
    database = await Database.open(url)
    for statement in statements:
        await database.write(lambda connection, statement=statement: connection.execute(text(statement)))
    await database.close()
