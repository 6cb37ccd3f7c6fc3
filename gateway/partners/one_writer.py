"""One command at a time changes certs/, keys/ and the certificates of agreements: `certificate`, `webhook rotate`.

Each reads a file whole, changes it and writes it whole: of two at once the last would undo the first. The operating
system lets go of the lock when the process ends, however it ends; the lock file itself stays.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import OurFault

FILE = "data/certificates.lock"
"""State, no part of the configuration."""
PATIENCE_SECONDS = 10.0
_PAUSE = 0.1


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Change the files of a workspace alone. Raises OurFault, naming the process, where another one goes on with it."""
    path = folder / FILE
    if not (folder / "gateway.yaml").is_file():  # no workspace, as the command itself will say
        yield
        return
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OurFault(f"cannot write {path}: {error.strerror}", remedy="check the folder's permissions") from error
    try:
        _take(handle, folder)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(handle: int, folder: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
                raise OurFault(
                    f"another gateway command (process {holder}) is changing {folder}",
                    remedy="wait until it has ended, or answer what it asks for, and say this again",
                ) from None
            time.sleep(_PAUSE)
        except OSError as error:
            raise OurFault(
                f"{folder / FILE} cannot be locked: {error.strerror}",
                remedy="run the command where the folder is on a file system with locks",
            ) from error
        else:
            return
