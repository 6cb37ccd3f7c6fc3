"""Octets that may be too many for memory: `bytes` as ever, or a `Stretch` of a file that somebody outside keeps.

A stretch behaves as `bytes` does where the layers of a message need it (length, one octet, a slice, `find`,
`startswith`), and is read in pieces. Nothing here opens a file: where octets come from and go to is a `Scratch`,
which the caller gives. What a stretch reads at once is bounded, whatever a partner wrote into lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeAlias, overload

PIECE = 256 * 1024
"""Octets worked on at once: a cipher does them in a fraction of a millisecond, so that other threads come to their
turn."""
IN_MEMORY = 1024 * 1024
"""Octets of a layer up to which it is kept in memory, where there is a place for what is larger."""
MOST_AT_ONCE = 1024 * 1024
"""Octets of a stretch that are ever read as one: names, keys, signatures, headers; never content."""


class Source(Protocol):
    """Octets that can be read at any place."""

    @property
    def size(self) -> int:
        """How many there are."""

    def read(self, at: int, count: int) -> bytes:
        """So many octets from there on, fewer only at the end."""


class Scratch(Source, Protocol):
    """A place that octets are added to, and read from afterwards."""

    def write(self, piece: bytes | memoryview) -> None:
        """Add octets at the end."""


Spool = Callable[[], Scratch]
"""Makes a place for one layer. It is the caller's business to remove it."""


class Stretch:
    """The octets `start` to `stop` of a source. Slices are stretches too, and share what was read last."""

    __slots__ = ("_seen", "source", "start", "stop")

    def __init__(self, source: Source, start: int = 0, stop: int | None = None, seen: _Seen | None = None) -> None:
        self.source = source
        self.start = start
        self.stop = source.size if stop is None else stop
        self._seen = seen or _Seen()

    def __len__(self) -> int:
        return self.stop - self.start

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> Stretch: ...
    def __getitem__(self, key: int | slice) -> int | Stretch:
        if isinstance(key, int):
            seen = self._seen
            at = self.start + key
            if not self.start <= at < self.stop:
                raise IndexError(key)
            if not 0 <= at - seen.start < len(seen.octets):
                seen.look(self.source, at)
            return seen.octets[at - seen.start]
        start, stop, step = key.indices(len(self))
        assert step == 1
        return Stretch(self.source, self.start + start, self.start + max(start, stop), self._seen)

    def __bytes__(self) -> bytes:
        """All of it, where that is little. Raises ValueError for more than `MOST_AT_ONCE`."""
        if len(self) > MOST_AT_ONCE:
            raise ValueError(f"{len(self)} octets where at most {MOST_AT_ONCE} may stand")
        return self.look(0, len(self))

    def look(self, at: int, end: int) -> bytes:
        """The octets from `at` to `end`, a moderate number of them; fewer when the stretch ends before."""
        at, end = self.start + at, min(self.start + end, self.stop)
        if end <= at:
            return b""
        seen = self._seen
        if not (seen.start <= at and end <= seen.start + len(seen.octets)):
            if end - at > PIECE:
                return self.source.read(at, end - at)
            seen.look(self.source, at)
        return seen.octets[at - seen.start : end - seen.start]

    def pieces(self) -> Iterator[bytes]:
        """All octets in order, `PIECE` at a time."""
        at = self.start
        while at < self.stop:
            piece = self.source.read(at, min(PIECE, self.stop - at))
            if not piece:
                raise OSError("a file ends before its octets do")
            yield piece
            at += len(piece)

    def find(self, wanted: bytes, start: int, end: int) -> int:
        """As `bytes.find`, for few octets."""
        seen = self._seen
        at, stop = self.start + start, self.start + end
        while stop - at >= len(wanted):
            # What was read already is looked through first, in place: many finds close together read it once.
            if not (seen.start <= at and at + len(wanted) <= seen.start + len(seen.octets)):
                seen.look(self.source, at)
            found = seen.octets.find(wanted, at - seen.start, stop - seen.start)
            if found >= 0:
                return found + seen.start - self.start
            if len(seen.octets) < len(wanted):
                break
            at = max(at, seen.start + len(seen.octets) - len(wanted) + 1)
        return -1

    def startswith(self, wanted: bytes, start: int, end: int) -> bool:
        """As `bytes.startswith`."""
        return self.look(start, min(start + len(wanted), end)) == wanted


class _Seen:
    """The part of a source that was read last: what stands close together is read once."""

    __slots__ = ("octets", "start")

    def __init__(self) -> None:
        self.start = 0
        self.octets = b""

    def look(self, source: Source, at: int) -> None:
        self.octets = source.read(at, PIECE)
        self.start = at


Octets: TypeAlias = bytes | memoryview | Stretch


def flat(pieces: Iterable[Octets]) -> Iterator[bytes | memoryview]:
    """The same octets in order, each piece of a bounded size where it comes from a stretch."""
    for piece in pieces:
        if isinstance(piece, Stretch):
            yield from piece.pieces()
        else:
            yield piece


def gathered(pieces: Iterable[bytes | memoryview], spool: Spool | None) -> bytes | Stretch:
    """The pieces as one: in memory while they are few, or when there is no other place; else in a scratch."""
    held: list[bytes | memoryview] = []
    size = 0
    scratch: Scratch | None = None
    for piece in pieces:
        if scratch is not None:
            scratch.write(piece)
        elif piece:
            held.append(piece)
            size += len(piece)
            if spool is not None and size > IN_MEMORY:
                scratch = spool()
                for one in held:
                    scratch.write(one)
                held.clear()
    return b"".join(held) if scratch is None else Stretch(scratch)


def small(octets: Octets) -> bytes | memoryview:
    """The octets themselves. Raises ValueError when they are a stretch of more than `MOST_AT_ONCE`."""
    return bytes(octets) if isinstance(octets, Stretch) else octets
