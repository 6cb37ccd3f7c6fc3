"""Whether a database keeps what the gateway promises with it: one row a check, each with its remedy.

It looks at a database as it is, and changes nothing; the store need not be open for it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, text

from gateway.errors import OurFault
from gateway.ports import Node, NodeState
from gateway.store import nodes, upkeep
from gateway.store.cleaning import waiting
from gateway.store.database import Database
from gateway.store.payloads import Payloads
from gateway.store.schema import Standing, head, standing
from gateway.store.spool import RESERVE


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """One thing that was looked at."""

    name: str
    ok: bool
    said: str
    remedy: str = ""


DURABLE = {
    "fsync": ("on", "set fsync = on in postgresql.conf: without it a power cut costs what was acknowledged"),
    "full_page_writes": ("on", "set full_page_writes = on in postgresql.conf"),
    "synchronous_commit": ("on", "let synchronous_commit be on (or remote_apply) for the gateway's user"),
}
"""What PostgreSQL must be set to, or better."""
_BETTER = {"synchronous_commit": {"remote_apply"}}


async def checkup(database: Database, payloads: Path, steps: Collection[str], now: datetime) -> list[Checked]:
    """All checks. Raises OurFault when the database does not answer."""
    found = await database.read(partial(_in_database, database.dialect, steps, now))
    return [*found, _folder(payloads)]


def version_of(connection: Connection) -> str:
    """`PostgreSQL 18.4`, `SQLite 3.45.1`."""
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar_one()}"
    return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}"


def _in_database(dialect: str, steps: Collection[str], now: datetime, connection: Connection) -> list[Checked]:
    stands = standing(connection)
    found = [Checked(name="version", ok=True, said=version_of(connection)), _schema(stands)]
    found += _durability[dialect](connection)
    if not stands.usable:  # its tables may be others
        return found
    members = nodes.listed(connection)
    living = [one for one in members if one.state is not NodeState.LOST and not one.quiet_at(now)]
    return [*found, _configurations(living), _work(upkeep.stuck(connection, steps))]


def _schema(stands: Standing) -> Checked:
    if stands.lacking:
        return Checked(
            name="schema",
            ok=False,
            said=f"{stands.found or 'none'}; this gateway needs {head()}",
            remedy="gateway database migrate, or start gateway serve",
        )
    if not stands.usable:
        return Checked(
            name="schema", ok=False, said=f"{stands.found}, of a newer gateway", remedy="run the newer gateway"
        )
    if left := waiting(stands):
        goes = ", ".join(one.goes for one in left)
        said = f"{stands.found}; to be cleaned up when no older node is left: {goes}"
        return Checked(name="schema", ok=True, said=said, remedy="gateway database migrate --post")
    return Checked(name="schema", ok=True, said=str(stands.found))


def _durable_postgresql(connection: Connection) -> Iterator[Checked]:
    for name, (wanted, remedy) in DURABLE.items():
        value = connection.execute(text(f"SHOW {name}")).scalar_one()
        yield Checked(name=name, ok=value in {wanted, *_BETTER.get(name, ())}, said=value, remedy=remedy)
    names = connection.execute(text("SHOW synchronous_standby_names")).scalar_one()
    said = names or "none: a failover to a standby may lose what was acknowledged last"
    yield Checked(name="synchronous standby", ok=True, said=said)


def _durable_sqlite(connection: Connection) -> Iterator[Checked]:
    mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
    remedy = "put the file on a local disk: write-ahead logging needs shared memory"
    yield Checked(name="journal", ok=mode == "wal", said=mode, remedy=remedy)


_durability: dict[str, Callable[[Connection], Iterator[Checked]]] = {
    "postgresql": _durable_postgresql,
    "sqlite": _durable_sqlite,
}


def _configurations(living: list[Node]) -> Checked:
    by_hash: dict[str, list[str]] = {}
    for one in living:
        by_hash.setdefault(one.configuration[:12] or "none yet", []).append(one.id)
    said = "; ".join(f"{hash_} on {', '.join(names)}" for hash_, names in by_hash.items()) or "no node runs"
    remedy = "bring the workspace's files of these nodes together; each takes them up by itself"
    return Checked(name="configurations", ok=len(by_hash) <= 1, said=said, remedy=remedy)


def _work(stuck: list[upkeep.Stuck]) -> Checked:
    if not stuck:
        return Checked(name="work nobody knows", ok=True, said="none")
    said = ", ".join(f"{one.jobs} of {one.step}, such as for {one.message_id}" for one in stuck)
    remedy = "gateway message list --stuck; a gateway of the version that began this work finishes it"
    return Checked(name="work nobody knows", ok=False, said=said, remedy=remedy)


def _folder(folder: Path) -> Checked:
    try:
        Payloads(folder).check()
        free = shutil.disk_usage(folder).free
    except OurFault as fault:
        return Checked(name="payload folder", ok=False, said=str(fault), remedy=fault.remedy)
    said = f"{folder}, {free // 2**20} MiB free"
    return Checked(name="payload folder", ok=free > RESERVE, said=said, remedy="make room on its disk")
