"""A folder as a target: one JSON file per document, there whole or not at all, durable when `deliver` returns."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Collection
from pathlib import Path

from gateway.errors import DeliveryFailed, Outcome
from gateway.ports import Delivered, Delivery, Told
from gateway.settings import FolderTarget

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80


def safe_name(text: str) -> str:
    """`text` as part of a file name: portable characters, no leading dot, at most 80 long; never empty."""
    return _UNSAFE.sub("_", text)[:_LONGEST].lstrip(".") or "_"


class FolderConnector:
    """Keeps `ports.Connector`: `<path>/<kind>/<number>--<document_id>.json`; the same document again is a no-op."""

    def __init__(self, name: str, target: FolderTarget, folder: Path) -> None:
        self._name = name
        self._path = folder / target.path

    @property
    def honours_key(self) -> bool:
        """The file's name is the key."""
        return True

    def looks_up(self, kind: str) -> bool:
        """Writing the file again tells as much."""
        del kind
        return False

    def lookup_wait(self, kind: str) -> float:
        """Nothing is asked."""
        del kind
        return 0.0

    def undoes(self, kind: str, because: Collection[str]) -> bool:
        """A file may have been read: nothing undoes that."""
        del kind, because
        return False

    def replaces(self, kind: str) -> bool:
        """A file may have been read: another one is another document."""
        del kind
        return False

    def told(self, delivery: Delivery) -> Told:
        """The file that `deliver` would write."""
        return Told(method="WRITE", where=str(self._file(delivery)), body=_text(delivery), key=delivery.idempotency_key)

    async def look_up(self, delivery: Delivery) -> Delivered | None:
        """Whether the file is there."""
        final = self._file(delivery)
        return Delivered(status=200, their_id=final.name) if await asyncio.to_thread(final.exists) else None

    async def undo(self, delivery: Delivery) -> Delivered:
        """Never asked for, see `undoes`. Raises DeliveryFailed."""
        raise DeliveryFailed(
            f"target {self._name}: what {delivery.document_id} left in the folder is not undone",
            outcome=Outcome.PERMANENT,
        )

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Write the file: 201 new, 200 there already. Raises DeliveryFailed (transient) on disk errors."""
        try:
            return await asyncio.to_thread(self._write, delivery)
        except OSError as error:
            raise DeliveryFailed(
                f"target {self._name}: {error.filename or self._path}: {error.strerror}", outcome=Outcome.TRANSIENT
            ) from error

    def _file(self, delivery: Delivery) -> Path:
        number = safe_name(str(delivery.body.get("number") or "without-number"))
        return self._path / safe_name(delivery.kind) / f"{number}--{safe_name(delivery.document_id)}.json"

    def _write(self, delivery: Delivery) -> Delivered:
        final = self._file(delivery)
        folder = final.parent
        if final.exists():
            return Delivered(status=200, their_id=final.name)
        folder.mkdir(parents=True, exist_ok=True)
        text = _text(delivery)
        # Readers glob *.json: the temporary name does not end so. Rename within one folder is atomic (POSIX).
        temporary = folder / f".{final.name}.{os.urandom(4).hex()}.part"
        try:
            with temporary.open("xb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(final)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        for made in (folder, self._path, self._path.parent):
            _sync_folder(made)
        return Delivered(status=201, their_id=final.name)


def _text(delivery: Delivery) -> str:
    return json.dumps(delivery.body, ensure_ascii=False, indent=2) + "\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
