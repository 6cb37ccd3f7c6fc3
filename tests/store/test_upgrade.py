"""A database of an earlier gateway is brought up to date where it stands; nothing in it is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from gateway.store import Store, migrate
from gateway.store.schema import SCRIPTS


async def test_the_first_schema_is_brought_up_and_keeps_what_it_holds(tmp_path: Path, clock: Any) -> None:
    """Messages of before are read, and versions may be kept beside them."""
    file = tmp_path / "gateway.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO api_key VALUES ('k', NULL, 'erp', 'old', 'aa', 1, NULL, NULL, NULL)"))
    engine.dispose()
    url = f"sqlite:///{file}"
    await migrate(url)
    store = await Store.open(url, payloads=tmp_path, clock=clock)
    try:
        assert [key.name for key in await store.keys()] == ["old"]
        assert await store.put([]) == 0
    finally:
        await store.close()
