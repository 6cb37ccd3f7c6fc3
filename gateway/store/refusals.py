"""What a database says when it refuses, and what whoever runs the gateway can do: one row a reason.

PostgreSQL's reasons are SQLSTATEs (its Appendix A), SQLite's are result codes. The database's own words are kept, the
statement and its values never are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from sqlalchemy.exc import DBAPIError

from gateway.errors import NoRoom, OurFault

_KEPT_NOTHING = "nothing of the operation was kept"
_USER = (
    "PostgreSQL refuses the user",
    "Correct user and password in database.url or GATEWAY_DATABASE_URL, or allow the user in pg_hba.conf.",
)

POSTGRESQL: Mapping[str, tuple[str, str]] = {
    "28P01": _USER,
    "28000": _USER,
    "3D000": (
        "PostgreSQL has no such database",
        "Create it (createdb --owner USER NAME); its tables come by themselves.",
    ),
    "42501": (
        "PostgreSQL does not let the user do that",
        "Make it the owner: ALTER DATABASE name OWNER TO user; there, ALTER SCHEMA public OWNER TO user.",
    ),
    "53100": (
        "The disk of PostgreSQL is full",
        f"Make room; {_KEPT_NOTHING}, and the gateway goes on by itself.",
    ),
    "53300": (
        "PostgreSQL has no connection left",
        "Raise its max_connections (each node takes up to 20), or end what else uses them.",
    ),
    "25006": (
        "PostgreSQL takes no changes: it is a standby, or read-only",
        "Let the database URL lead to the primary, or promote this one.",
    ),
    "57P03": ("PostgreSQL is starting or stopping", "Wait until it runs; the gateway tries again."),
    "55P03": (
        "Another session holds a lock that this needs",
        "Find it in pg_stat_activity and let it end, then start this again; nothing was changed.",
    ),
}
"""By SQLSTATE: what is said, and the remedy."""

SQLITE: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("The disk of the database is full", f"Make room; {_KEPT_NOTHING}, and the gateway goes on."),
    sqlite3.SQLITE_CANTOPEN: (
        "The database file cannot be opened",
        "Check that its folder is there, and that the gateway's user may read and write file and folder.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The database file cannot be written",
        "Give file and folder to the gateway's user; a folder mounted read-only cannot hold it.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "The file is no SQLite database",
        "Correct database.url in gateway.yaml; what was a database before is restored from the backup.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The database file is damaged",
        "Stop the gateway, keep the file, and restore the backup (docs/operations.md).",
    ),
    sqlite3.SQLITE_IOERR: ("The database file cannot be read or written", "Check the disk and the system's log."),
    sqlite3.SQLITE_BUSY: (
        "Another process keeps the database to itself",
        f"End what holds it open (a backup, a shell); {_KEPT_NOTHING}.",
    ),
}
"""By primary result code."""
FULL = frozenset({"53100", sqlite3.SQLITE_FULL})
"""Of both: what passes when somebody makes room. Who sent something is asked to send it again later."""

_ELSE = (
    "The database failed",
    f"Check that the database is running, reachable and has free space; {_KEPT_NOTHING}.",
)


def our_fault(fault: BaseException) -> OurFault:
    """What to tell when the database itself fails."""
    reason = fault.orig if isinstance(fault, DBAPIError) and fault.orig is not None else fault
    said, remedy = _ELSE
    code: int | str | None
    if isinstance(reason, sqlite3.Error):
        code = (getattr(reason, "sqlite_errorcode", None) or 0) & 0xFF
        said, remedy = SQLITE.get(code, _ELSE)
    elif code := getattr(reason, "sqlstate", None):
        said, remedy = POSTGRESQL.get(code, _ELSE)
    kind = NoRoom if code in FULL else OurFault
    return kind(f"{said}: {_one_line(reason)}", remedy=remedy)


def unreachable(fault: BaseException) -> OurFault:
    """No connection came about: the server's own refusal, or none at all."""
    if isinstance(fault, DBAPIError) and getattr(fault.orig, "sqlstate", None) in POSTGRESQL:
        return our_fault(fault)
    reason = fault.orig if isinstance(fault, DBAPIError) else fault
    words = _one_line(reason) if reason is not None and str(reason) else "no answer in time"
    return OurFault(
        f"PostgreSQL cannot be reached: {words}",
        remedy="Check that it runs, and host, port, user, password and database name in the database URL.",
    )


def _one_line(reason: BaseException) -> str:
    return " ".join(str(reason).split())
