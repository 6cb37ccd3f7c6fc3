"""Payload bytes: small ones stand in the row, large ones in a folder, on disk before the commit that names them.

A file's name is the SHA-256 of its bytes, the message and the form: never shared, so removing one loses nothing else.
What is too large for memory comes as a file of the spool, which gets its name here, and is read in pieces.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import OurFault
from gateway.ports import Spooled
from gateway.store.folders import make_durably, sync
from gateway.store.spool import FOLDER, FULL, SpoolFile, digest, failed

ROW_LIMIT = 1 << 20
"""Bytes; larger payloads go to the folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Where one form of a message is kept. `data` is set when it stands in the row."""

    message_id: str
    form: str
    place: str
    sha256: str
    size: int
    data: bytes | None

    @property
    def row(self) -> dict[str, str | int | bytes | None]:
        """As columns of the payload table."""
        return {name: getattr(self, name) for name in self.__slots__}


class Payloads:
    """The folder of large payloads. All methods are synchronous; call them in a thread."""

    def __init__(self, folder: Path, *, row_limit: int = ROW_LIMIT) -> None:
        self.folder = folder
        self.row_limit = row_limit

    def keep(self, message_id: str, form: str, data: bytes, sha256: str | None = None) -> Stored:
        """Decide the place of `data` and, for the folder, make it durable. `sha256` is its own, where that is known."""
        sha256 = sha256 or hashlib.sha256(data).hexdigest()
        if len(data) <= self.row_limit:
            return Stored(message_id=message_id, form=form, place="row", sha256=sha256, size=len(data), data=data)
        path = self.path(sha256, message_id, form)
        try:
            _write_durably(path, data)
        except OSError as fault:
            raise failed(fault, path) from fault
        return Stored(message_id=message_id, form=form, place="folder", sha256=sha256, size=len(data), data=None)

    def check(self) -> None:
        """Raises OurFault when nothing can be kept here: a gateway that starts says so before a partner learns it."""
        try:
            make_durably(self.folder)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".check-"):
                pass
        except OSError as fault:
            if fault.errno in FULL:
                return  # it passes, and what needs no file is taken meanwhile
            raise OurFault(
                f"The payload folder {self.folder} cannot be written: {fault.strerror}",
                remedy="Give it to the gateway's user, and mount it writable; database.payloads names it.",
            ) from fault

    def spool(self, *, kept: bool = False) -> SpoolFile:
        """A new file of the spool; `kept` says that it is meant to become a payload."""
        return SpoolFile(self.folder / FOLDER, kept=kept)

    def take(self, message_id: str, form: str, spooled: Spooled) -> Stored:
        """Make a file of the spool the payload of a message, durably."""
        assert isinstance(spooled, SpoolFile), "only a file of this store's own spool"
        sha256 = spooled.sha256
        path = self.path(sha256, message_id, form)
        try:
            missing = _folders_for(path)
            spooled.take(path)
            _sync_folders(path.parent, missing)
        except OSError as fault:
            raise failed(fault, path) from fault
        return Stored(message_id=message_id, form=form, place="folder", sha256=sha256, size=spooled.size, data=None)

    def open(self, sha256: str, message_id: str, form: str) -> StoredFile:
        """A file to be read in pieces. Raises OurFault when it is missing or was changed."""
        path = self.path(sha256, message_id, form)
        try:
            file = StoredFile(path)
            found = digest(file.handle)
        except OSError as fault:
            raise _unreadable(path, message_id, fault) from fault
        if found != sha256:
            raise _changed(path, message_id)
        return file

    def read(self, sha256: str, message_id: str, form: str) -> bytes:
        """The bytes of a file. Raises OurFault when it is missing or was changed."""
        path = self.path(sha256, message_id, form)
        try:
            data = path.read_bytes()
        except OSError as fault:
            raise _unreadable(path, message_id, fault) from fault
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _changed(path, message_id)
        return data

    def remove(self, sha256: str, message_id: str, form: str) -> None:
        """Remove a file, if it is there. Raises OurFault when it cannot be; its row says by then that it is purged."""
        remove_file(self.path(sha256, message_id, form))

    def path(self, sha256: str, message_id: str, form: str) -> Path:
        """`<folder>/ab/<sha256>-<message>-<form>`."""
        return self.folder / sha256[:2] / f"{sha256}-{message_id}-{form}"


def remove_file(path: Path) -> None:
    """Remove a file, if it is there. Raises OurFault."""
    try:
        path.unlink(missing_ok=True)
    except OSError as fault:
        raise OurFault(
            f"The payload file {path} cannot be removed: {fault.strerror}",
            remedy="Give the folder and all in it to the gateway's user; then: gateway payload verify --repair-orphans",
        ) from fault


class StoredFile:
    """A payload's file, open for reading in pieces; it is closed when nobody holds it. Keeps `as2.octets.Source`."""

    def __init__(self, path: Path) -> None:
        self.handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self.handle)
        self.path = path
        self.size = os.fstat(self.handle).st_size

    def read(self, at: int, count: int) -> bytes:
        """So many octets from there on. Raises OurFault."""
        try:
            return os.pread(self.handle, count, at)
        except OSError as fault:
            raise failed(fault, self.path) from fault


def _unreadable(path: Path, message_id: str, fault: OSError) -> OurFault:
    return OurFault(
        f"The payload file {path} of message {message_id} cannot be read: {fault}",
        remedy="Restore the payload folder from the backup that belongs to this database.",
    )


def _changed(path: Path, message_id: str) -> OurFault:
    return OurFault(
        f"The payload file {path} of message {message_id} was changed: its SHA-256 is not the stored one",
        remedy="Restore the file from a backup, and find out who changed it.",
    )


def _write_durably(path: Path, data: bytes) -> None:
    """Temporary file, fsync, rename, fsync of the folders: after a power loss the file is whole or absent."""
    missing = _folders_for(path)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folders(path.parent, missing)


def _folders_for(path: Path) -> list[Path]:
    """Make the folders of a file; which were missing."""
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return missing


def _sync_folders(parent: Path, missing: list[Path]) -> None:
    # The folder above always: another thread may have made `parent` a moment ago, and not have synced that yet.
    for folder in dict.fromkeys((parent, parent.parent, *(made.parent for made in missing))):
        sync(folder)
