"""What the sandbox ERP knows: its own SQLite file, where the demo and the tests look from outside.

A document and its answer are one durable commit; every call that came is a row, whether it was answered or not.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists document (
    id text primary key,
    kind text not null,
    number text,
    body text not null,
    body_sha256 text not null,
    key text not null unique,
    repeats integer not null default 0,
    received_at text not null
);
create table if not exists undone (
    id text primary key,
    key text,
    at text not null
);
create table if not exists call (
    id integer primary key,
    at text not null,
    method text not null,
    path text not null,
    key text,
    status integer,
    what text not null
);
"""
"""`call.status` is null when no answer was sent; `call.what` says stored, repeat, failed, dropped, refused, undone,
found or missing. A key that was ignored stands in `document` with `~` and a number behind it.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """How a document was taken: stored now, a repeat, or a different body under a key that is used."""

    id: str
    what: str


class Ledger:
    """One SQLite connection, full synchronisation, one writer at a time. Its methods block: call them in a thread."""

    def __init__(self, file: Path, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=10)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = full")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def take(self, *, kind: str, key: str, number: str | None, body: bytes, honour: bool = True) -> Taken:
        """Store a document once per key; what is `stored`, `repeat` or `refused` (same key, another body).

        Without `honour` a key that is used is no reason not to store it again.
        """
        sha256 = hashlib.sha256(body).hexdigest()
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                if not honour:
                    used = "select count(*) from document where key = ? or key like ? || '~%'"
                    times = self._connection.execute(used, (key, key)).fetchone()[0]
                    key = f"{key}~{times + 1}" if times else key
                taken = self._take(kind, key, number, body.decode(), sha256)
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")
        return taken

    def _take(self, kind: str, key: str, number: str | None, body: str, sha256: str) -> Taken:
        known = self._connection.execute("select id, body_sha256 from document where key = ?", (key,)).fetchone()
        if known is not None:
            if known[1] != sha256:
                return Taken(id=known[0], what="refused")
            self._connection.execute("update document set repeats = repeats + 1 where key = ?", (key,))
            return Taken(id=known[0], what="repeat")
        count = self._connection.execute("select count(*) from document").fetchone()[0]
        own = f"{self._name.upper()}-{count + 1:06d}"
        self._connection.execute(
            "insert into document (id, kind, number, body, body_sha256, key, received_at) values (?, ?, ?, ?, ?, ?, ?)",
            (own, kind, number, body, sha256, key, _now()),
        )
        return Taken(id=own, what="stored")

    def find(self, key: str) -> Mapping[str, Any] | None:
        """The first document under a key."""
        with self._lock:
            row = self._connection.execute("select id, kind, number from document where key = ?", (key,)).fetchone()
        return None if row is None else dict(zip(("id", "kind", "number"), row, strict=True))

    def undo(self, id_: str, key: str | None) -> str:
        """Mark a document as undone: `undone`, `repeat` or `missing`."""
        with self._lock:
            if self._connection.execute("select 1 from document where id = ?", (id_,)).fetchone() is None:
                return "missing"
            if self._connection.execute("select 1 from undone where id = ?", (id_,)).fetchone() is not None:
                return "repeat"
            self._connection.execute("insert into undone (id, key, at) values (?, ?, ?)", (id_, key, _now()))
        return "undone"

    def undone(self) -> list[str]:
        """The ids of what was undone, in the order of the calls."""
        with self._lock:
            rows = self._connection.execute("select id from undone order by at, id").fetchall()
        return [row[0] for row in rows]

    def record(self, *, method: str, path: str, key: str | None, status: int | None, what: str) -> None:
        """Keep one call."""
        with self._lock:
            self._connection.execute(
                "insert into call (at, method, path, key, status, what) values (?, ?, ?, ?, ?, ?)",
                (_now(), method, path, key, status, what),
            )

    def documents(self, kind: str) -> list[Mapping[str, Any]]:
        """The documents of one kind, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "select id, number, key, repeats, received_at, body from document where kind = ? order by id", (kind,)
            ).fetchall()
        names = ("id", "number", "key", "repeats", "received_at")
        return [{**dict(zip(names, row[:5], strict=True)), "body": json.loads(row[5])} for row in rows]

    def calls(self) -> list[Mapping[str, Any]]:
        """Every call, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "select at, method, path, key, status, what from call order by id"
            ).fetchall()
        names = ("at", "method", "path", "key", "status", "what")
        return [dict(zip(names, row, strict=True)) for row in rows]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
