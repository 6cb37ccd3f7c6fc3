"""A UN/EDIFACT directory's archive opened: the texts in a zip file of zip files, bounded, nothing unpacked to disk.

Names in the archive only tell what a text is; no path of it is ever opened or written. Members that no import needs
(indexes, rules, interactive directories) are not read.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.edi import directory
from gateway.errors import OurFault

MAX_ARCHIVE = 64_000_000
MAX_MEMBER = 32_000_000
MAX_TOTAL = 256_000_000
"""Bytes: of the file, of one member unpacked, of all that is unpacked. A whole directory has about 25,000,000."""
MAX_MEMBERS = 5_000
MAX_DEPTH = 3
"""Zip files in zip files; UNECE has two levels."""

_REMEDY = "take the archive of one directory as UNECE publishes it, such as d01b.zip"


def read(path: Path, known: Callable[[str], object] = directory.part) -> dict[str, bytes]:
    """The texts by their names in the archive (`d01b.zip/EDSD.ZIP/EDSD.01B`) of which `known` is true.

    Raises OurFault, with a remedy, for what is no archive, is damaged, encrypted or too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ARCHIVE + 1)
    except OSError as error:
        raise OurFault(f"cannot read {path}: {error.strerror}", remedy="check the path and your rights") from error
    if len(data) > MAX_ARCHIVE:
        raise OurFault(f"{path} has more than {MAX_ARCHIVE:,} bytes", remedy=_REMEDY)
    return dict(_Opened(known).members(path.name, data, 1))


class _Opened:
    """Counts what is unpacked, over all levels."""

    def __init__(self, known: Callable[[str], object]) -> None:
        self.known = known
        self.count = self.total = 0

    def members(self, name: str, data: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
        """The texts of one zip file and of those in it."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for member in archive.infolist():
                    yield from self.member(archive, member, f"{name}/{member.filename}", depth)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as error:
            raise OurFault(f"{name} is no zip file, or is damaged: {error}", remedy=_REMEDY) from error
        except (RuntimeError, NotImplementedError) as error:  # encrypted; a method of compression we do not have
            raise OurFault(f"{name} cannot be opened: {error}", remedy=_REMEDY) from error

    def member(
        self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, depth: int
    ) -> Iterator[tuple[str, bytes]]:
        """One member: a text, a zip file, or nothing we need."""
        self.count += 1
        if self.count > MAX_MEMBERS:
            raise OurFault(f"there are more than {MAX_MEMBERS:,} files in the archive", remedy=_REMEDY)
        inner = member.filename.lower().endswith(".zip")
        if member.is_dir() or not (inner or self.known(name)):
            return
        if inner and depth == MAX_DEPTH:
            raise OurFault(f"{name} is a zip file {MAX_DEPTH} levels deep", remedy=_REMEDY)
        with archive.open(member) as file:
            data = file.read(MAX_MEMBER + 1)  # what the header says of the size is not believed
        self.total += len(data)
        if len(data) > MAX_MEMBER or self.total > MAX_TOTAL:
            what = f"{name} has more than {MAX_MEMBER:,}" if len(data) > MAX_MEMBER else f"it has over {MAX_TOTAL:,}"
            raise OurFault(f"{what} bytes unpacked", remedy=_REMEDY)
        if inner:
            yield from self.members(name, data, depth + 1)
        else:
            yield name, data
