"""The spool: files of bodies and layers that are too large for memory, until the store takes them or nobody wants them.

A spool file is removed when the last who holds it lets go of it. One that a dead process left behind is known by its
lock, which the operating system has let go of; `sweep` removes it at the next start.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import time
import uuid
import weakref
from pathlib import Path

from gateway.errors import NoRoom, OurFault

FOLDER = "spool"
"""Under the payload folder: a file that is taken gets another name, it is never copied."""
SYNC_EVERY = 64 * 1024 * 1024
"""Octets after which what will be kept is given to the disk: the last sync, for which the sender waits, is short."""
RESERVE = 256 * 1024 * 1024
"""Octets of the disk that the spool leaves free: the database needs them to say what happened."""
_PIECE = 1024 * 1024
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a disk, or a quota, that is full says."""
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK})
"""File systems without hard links say one of these."""
_NAMELESS = ".new"
_YOUNG_SECONDS = 60
"""What is not locked yet is that for no longer."""


class SpoolFile:
    """One file. Keeps `ports.Spooled`. Its methods block: call them in a thread.

    With `kept` it is meant for the store: its SHA-256 is computed as it is written, and it goes to the disk early.
    """

    def __init__(self, folder: Path, *, kept: bool = False) -> None:
        self.path = folder / f"{uuid.uuid4().hex}.spool"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # It gets its name when it is locked: `sweep` of another process cannot come between.
            nameless = self.path.with_suffix(_NAMELESS)
            handle = os.open(nameless, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            weakref.finalize(self, _drop, handle, self.path)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            nameless.rename(self.path)
        except OSError as fault:
            raise failed(fault, self.path) from fault
        self.size = 0
        self._handle = handle
        self._hash = hashlib.sha256() if kept else None
        self._looked_at = -SYNC_EVERY
        self._given = False

    def write(self, piece: bytes | memoryview) -> None:
        """Add octets at the end. Raises OurFault, NoRoom when the disk is full; the file is gone then."""
        rest = memoryview(piece)
        try:
            if self.size - self._looked_at >= SYNC_EVERY:
                self._look()
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as fault:
            self.discard()
            raise failed(fault, self.path) from fault
        self.size += len(piece)
        if self._hash is not None:
            self._hash.update(piece)

    def _look(self) -> None:
        """Now and then: is there room, and does what was written reach the disk. Raises OSError."""
        disk = os.fstatvfs(self._handle)
        if disk.f_bavail * disk.f_frsize < RESERVE:
            raise OSError(errno.ENOSPC, "less is free than the database needs")
        if self._hash is not None and self.size:
            os.fdatasync(self._handle)
        self._looked_at = self.size

    def read(self, at: int, count: int) -> bytes:
        """So many octets from there on."""
        try:
            return os.pread(self._handle, count, at)
        except OSError as fault:
            raise failed(fault, self.path) from fault

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return digest(self._handle) if self._hash is None else self._hash.hexdigest()

    def take(self, path: Path) -> None:
        """Give it a name of the store's, durably but for the folder. Raises OSError.

        The file has both names until it is discarded: where the store lets go of it again (a duplicate), it is still
        here for whoever records that.
        """
        self._given = True
        os.fsync(self._handle)
        if path.exists():
            return  # the name says all: message, form and SHA-256
        try:
            path.hardlink_to(self.path)
        except OSError as fault:
            if fault.errno not in _NO_LINKS:
                raise
            try:
                self.path.rename(path)
            except FileNotFoundError:  # it was moved before, and the store let go of it again: a duplicate
                self._copy(path)

    def _copy(self, path: Path) -> None:
        """All of it as a new file, durably but for the folder. Raises OSError."""
        temporary = path.with_suffix(f".{os.getpid()}.part")
        try:
            with temporary.open("wb") as file:
                for at in range(0, self.size, _PIECE):
                    file.write(os.pread(self._handle, _PIECE, at))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def settle(self) -> None:
        """The store has it for good: its name in the spool goes; whoever holds it may read on."""
        self.path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove it from the spool; what the store took stays.

        It is closed when nobody holds it any more, and no sooner: a thread may be writing or reading it still while
        whoever waited for that was stopped, and the number of a closed file is given to the next one that is opened,
        the database perhaps. Its room on the disk is free at once.
        """
        self.path.unlink(missing_ok=True)
        # A name that the store gives it comes after the mark and before this unlinking, or not at all.
        if not self._given:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, 0)


def digest(handle: int) -> str:
    """The SHA-256 of an open file, read in pieces."""
    state, at = hashlib.sha256(), 0
    while piece := os.pread(handle, _PIECE, at):
        state.update(piece)
        at += len(piece)
    return state.hexdigest()


def failed(fault: OSError, path: Path) -> OurFault:
    """What a fault of the file system means: a full disk passes, anything else is for the operator."""
    told = f"{path} could not be written or read: {fault.strerror or fault}"
    if fault.errno in FULL:
        return NoRoom(told, remedy="Make room on the disk of the payload folder; what was sent is sent again.")
    return OurFault(told, remedy="Check the disk and the permissions of the payload folder.")


def sweep(folder: Path) -> int:
    """Remove what processes that are gone left behind; how many files. Raises OSError."""
    removed = 0
    for path in folder.glob("*.spool"):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # another node was done with it meanwhile
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
            removed += 1
        except BlockingIOError:
            pass  # somebody writes it: it only has not grown for a while
        finally:
            os.close(handle)
    for path in folder.glob(f"*{_NAMELESS}"):  # empty: its process died within two calls
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _YOUNG_SECONDS:
                path.unlink()
    return removed


def _drop(handle: int, path: Path) -> None:
    """Close, and remove the file if it still has its name in the spool."""
    path.unlink(missing_ok=True)
    os.close(handle)
