"""The files that `gateway edi` reads: names, patterns, folders, `-`, gzip; as blocks of bytes, never whole.

What cannot be read is an OurFault with its remedy. A gzip is known by its first bytes; what it unpacks to is bounded.
"""

from __future__ import annotations

import glob
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gateway.errors import OurFault

BLOCK = 1 << 18
GZIP = b"\x1f\x8b"
FREE = 64 << 20
"""Unpacked bytes that may stand in any proportion to the packed ones."""
RATIO = 200
"""How many times the packed size a gzip may unpack to beyond `FREE`; EDI packs 5 to 30 times."""
LARGEST = 64 << 30
STANDARD_INPUT = "-"
NO_EDI = ("edi.file.unreadable", "edi.file.not_x12")
"""Rules broken by what else lies in a folder: it is passed over where the folder was named, not the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One input. `size` is in bytes on the disk, None where it is not known."""

    name: str
    size: int | None = None


def sources(names: Iterable[str]) -> list[Source]:
    """What the arguments stand for, folders and patterns resolved, in order. Raises OurFault for what is not there."""
    found: list[Source] = []
    for name in names:
        if name == STANDARD_INPUT:
            if any(one.name == name for one in found):
                raise OurFault("standard input is named twice", remedy="it can be read only once: name `-` once")
            found.append(Source(name=name))
            continue
        if not name:
            # Path("") would be the current folder: an unset variable of a script must not stand for all its files.
            raise OurFault("the name of a file is empty", remedy="name a file, a folder, a pattern, or `-`")
        path = Path(name)
        try:
            if path.is_dir():
                inside = _inside(path)
            elif path.exists() or not glob.has_magic(name):
                inside = [path]
            else:
                inside = [Path(one) for one in sorted(glob.glob(name, recursive=True)) if not Path(one).is_dir()]  # noqa: PTH207  an absolute pattern is fine
            if not inside:
                raise OurFault(f"{name} names no file", remedy="check the folder and the pattern (`**` goes deeper)")
            found += [_source(one) for one in inside]
        except OSError as error:
            raise _unreadable(name, error) from error
    return found


def _inside(folder: Path) -> list[Path]:
    """Every file below a folder that is not hidden."""
    return sorted(
        one
        for one in folder.rglob("*")
        if one.is_file() and not any(part.startswith(".") for part in one.relative_to(folder).parts)
    )


def _source(path: Path) -> Source:
    size = path.stat().st_size
    return Source(name=str(path), size=size if path.is_file() else None)


def blocks(source: Source, progress: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """The bytes of an input, unpacked; `progress` is told how many were read. Raises OurFault."""
    try:
        with _stdin() if source.name == STANDARD_INPUT else Path(source.name).open("rb") as stream:
            read = _read(stream, progress)
            first = next(read, b"")
            packed = first[:2] == GZIP
            if not packed and source.name.lower().endswith(".gz") and first:
                raise OurFault(f"{source.name} is no gzip", remedy="rename the file, or pack it again")
            chunks = _chain(first, read)
            yield from _unpacked(chunks, source.name) if packed else chunks
    except OSError as error:
        raise _unreadable(source.name, error) from error


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise OurFault("standard input is closed", remedy="pipe a file into it, or name the file")
    return sys.stdin.buffer


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _read(stream: BinaryIO, progress: Callable[[int], None]) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        progress(len(block))
        yield block


def _unpacked(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """A gzip of one or several members, block by block."""
    packed = unpacked = 0
    engine = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            packed += len(chunk)
            rest = chunk
            while rest:
                if engine.eof:
                    if not rest.strip(b"\0"):
                        break
                    engine = zlib.decompressobj(wbits=31)
                piece = engine.decompress(rest, BLOCK)
                rest = engine.unused_data if engine.eof else engine.unconsumed_tail
                unpacked += len(piece)
                if unpacked > LARGEST or unpacked > max(FREE, packed * RATIO):
                    raise OurFault(
                        f"{name} unpacks to more than {RATIO} times its size or to more than {LARGEST >> 30} GiB",
                        remedy="if you trust it, unpack it yourself and give the unpacked file",
                    )
                if piece:
                    yield piece
        while not engine.eof and (piece := engine.decompress(b"", BLOCK)):
            yield piece
    except zlib.error as error:
        raise OurFault(f"{name} is a damaged gzip: {error}", remedy="fetch the file again, or pack it again") from error
    if not engine.eof:
        raise OurFault(f"{name} is a gzip that was cut off", remedy="fetch the file again, or pack it again")


def _unreadable(name: str, error: OSError) -> OurFault:
    return OurFault(f"cannot read {name}: {error.strerror}", remedy="check the path and your rights")
