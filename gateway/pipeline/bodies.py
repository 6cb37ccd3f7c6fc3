"""A body as it came: bytes, or a file of the spool when it is too large for memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from gateway.as2 import Stretch
from gateway.as2.octets import Spool
from gateway.pipeline.station import Station
from gateway.ports import OctetSource, Spooled

Body = bytes | Spooled


def size_of(body: Body) -> int:
    """How many octets."""
    return len(body) if isinstance(body, bytes) else body.size


def start_of(body: bytes | OctetSource, count: int) -> bytes:
    """The first octets."""
    return body[:count] if isinstance(body, bytes) else body.read(0, count)


def whole_of(body: Body) -> bytes:
    """All of it, in memory: for what is small, or is read as a whole."""
    return body if isinstance(body, bytes) else body.read(0, body.size)


def as_octets(body: bytes | OctetSource) -> bytes | Stretch:
    """As AS2 reads it."""
    return body if isinstance(body, bytes) else Stretch(body)


def kept(station: Station, octets: bytes | Stretch) -> Body:
    """What AS2 made, as the store takes it: a stretch of some layer is copied into a file of its own. Blocks."""
    if isinstance(octets, bytes):
        return octets
    file = station.store.spool(kept=True)
    try:
        for piece in octets.pieces():
            file.write(piece)
    except BaseException:
        file.discard()
        raise
    return file


@contextmanager
def scratches(station: Station) -> Iterator[Spool]:
    """Files for the layers of one message; they are gone at the end, however it ends."""
    made: list[Spooled] = []

    def spool() -> Spooled:
        made.append(station.store.spool())
        return made[-1]

    try:
        yield spool
    finally:
        for one in made:
            one.discard()


def as_stored(body: bytes | Stretch) -> Body:
    """What was built for sending, as the store takes it: a stretch is all of a file of the spool."""
    return body if isinstance(body, bytes) else cast("Spooled", body.source)
