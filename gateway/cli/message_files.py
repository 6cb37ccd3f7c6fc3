"""The files of a stored message: listed for people and programs, and written into a folder.

A name from outside becomes a name and nothing more: no path, nothing hidden, nothing that a file system or a shell
reads in its own way. What is there is never replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import as2
from gateway.as2.octets import flat
from gateway.errors import OurFault, PartnerFault
from gateway.pipeline.files import File, files_of
from gateway.ports import Message

MOST_TRIES = 1000
MOST_BYTES = 200
"""Of a name; file systems take 255, and a number may be added."""
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in "123456789")}
)
"""Devices on Windows, whatever the name's end."""
_ENDS = {
    "application/edi-x12": ".edi", "application/edifact": ".edi", "application/edi-consent": ".edi",
    "application/json": ".json", "application/pdf": ".pdf", "application/xml": ".xml", "text/csv": ".csv",
    "text/plain": ".txt", "text/xml": ".xml",
}  # fmt: skip
"""For files without a name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A file that was written."""

    path: Path
    file: File

    @property
    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"file": str(self.path), **described(self.file)}


def enclosed(message: Message, payload: bytes | as2.Stretch | None) -> tuple[File, ...]:
    """The files of a payload that encloses several; none where it is one file, is gone or cannot be taken apart."""
    if payload is None or not as2.is_multipart(message.content_type):
        return ()
    try:
        return files_of(message.content_type, payload)
    except PartnerFault:
        return ()


def described(file: File) -> dict[str, Any]:
    """What a file is, without its bytes."""
    return {
        "name": file.name,
        "type": as2.media_type(file.content_type),
        "edi": file.edi,
        "size": len(file.data),
        "sha256": file.sha256,
    }


def write(files: Sequence[File], folder: Path) -> Iterator[Written]:
    """Write each file into the folder, which is made if need be. Raises OurFault when that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(files, 1):
            yield Written(path=_write(folder, safe_name(file, number), file.data), file=file)
    except OSError as error:
        raise OurFault(
            f"cannot write into {folder}: {error.strerror}", remedy="check its rights and the space on the disk"
        ) from error


def safe_name(file: File, number: int) -> str:
    """A name for a file: letters, digits, blanks and `._-()+,=@` of the sender's, or one by its place and type."""
    name = "".join(one if one.isalnum() or one in " ._-()+,=@" else "-" for one in file.name or "")
    stem, dot, end = name.strip(" ").lstrip(".-").rpartition(".")
    stem, end = (stem, f".{end}") if dot and stem and len(end) <= 16 else (f"{stem}{dot}{end}", "")  # noqa: PLR2004
    while len(f"{stem}{end}".encode()) > MOST_BYTES:
        stem = stem[:-1]
    name = f"{stem}{end}".rstrip(" .")
    if not name or name.partition(".")[0].rstrip().lower() in _RESERVED:
        name = f"file-{number}{_ENDS.get(as2.media_type(file.content_type), '.bin')}"
    return name


def _write(folder: Path, name: str, data: bytes | as2.Stretch) -> Path:
    """Under a name that is free. `x` makes the file or fails, also where a link stands."""
    stem, dot, end = name.rpartition(".")
    for number in range(1, MOST_TRIES):
        path = folder / (name if number == 1 else f"{stem} {number}.{end}" if dot else f"{name} {number}")
        try:
            stream = path.open("xb")
        except FileExistsError:
            continue
        try:
            with stream:
                stream.writelines(flat([data]))
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path
    raise OurFault(f"{folder} has {MOST_TRIES} files {name}", remedy="choose another folder")
