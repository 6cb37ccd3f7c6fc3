"""`python -m bench.chaos.short_of_room serve …`: the gateway on a database that may not grow while a file says so.

GATEWAY_CHAOS_PAGES names the file; while it is there, its number is SQLite's max_page_count before each commit.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from gateway.cli import main
from gateway.store.sqlite import SqliteDatabase

VARIABLE = "GATEWAY_CHAOS_PAGES"
ALL = 1_073_741_823
"""What SQLite allows unless told."""

_transaction = SqliteDatabase._transaction  # noqa: SLF001  a disk cannot be filled from outside without harming others


def _bounded(self: SqliteDatabase, connection: Any, driver: sqlite3.Connection, batch: Any) -> None:
    file = Path(os.environ[VARIABLE])
    driver.execute(f"PRAGMA max_page_count={int(file.read_text(encoding='ascii')) if file.exists() else ALL}")
    _transaction(self, connection, driver, batch)


if __name__ == "__main__":
    SqliteDatabase._transaction = _bounded  # type: ignore[method-assign]  # noqa: SLF001
    main()
