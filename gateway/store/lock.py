"""One server per SQLite file: `serve` holds a lock file beside the database for as long as it runs.

The operating system lets go of the lock when the process ends, however it ends; the file itself stays.
"""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import OurFault

HOLDER_BYTES = 400


class ServeLock:
    """A held lock."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, database: Path) -> ServeLock:
        """Lock `database`. Raises OurFault, naming process, host and since when, when another one serves it."""
        path = database.with_name(database.name + ".lock")
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise OurFault(
                f"The lock file {path} cannot be opened: {fault}", remedy="Check its permissions."
            ) from fault
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            holder = os.read(handle, HOLDER_BYTES).decode("utf-8", "replace").strip() or "another process"
            os.close(handle)
            raise OurFault(
                f"{database} is already served by {holder}",
                remedy="Stop that one (kill PID), or use another workspace; several on one database need PostgreSQL.",
            ) from fault
        os.ftruncate(handle, 0)
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode())
        return cls(handle)

    def release(self) -> None:
        """Let go."""
        os.close(self._handle)
