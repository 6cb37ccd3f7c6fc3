"""Bytes to segments: finds the envelope's segments in a stream and gives what lies between them; nothing is decoded.

The service segments (ISA GS ST SE GE IEA TA1; UNB UNG UNH UNT UNE UNZ; and BIN BDS whose payload may hold delimiters)
are found by one search over the buffer; what lies between two of them is not cut here, so that a set costs no loop.
CR and LF after a terminator are no data (X12.5 lets them stand there); inside a segment they stay and are judged later.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gateway.edi.delimiters import Delimiters
from gateway.edi.rules import finding
from gateway.edi.tolerances import Limits
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace

BLANKS = b"\r\n\t "
BINARY = {b"BIN": 1, b"BDS": 2}
"""Binary segments and the element that counts the payload's bytes; the payload is the next element (X12.6)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """The service segments of a standard: the one that begins an interchange, the one that ends it, all others."""

    start: bytes
    end: bytes
    others: tuple[bytes, ...]


STARTS = (b"ISA", b"UNA", b"UNB")
"""What an interchange begins with."""
X12 = Service(start=b"ISA", end=b"IEA", others=(b"GS", b"ST", b"SE", b"GE", b"TA1", b"BIN", b"BDS"))
EDIFACT = Service(start=b"UNB", end=b"UNZ", others=(b"UNG", b"UNH", b"UNT", b"UNE"))


_START = rb"UNA(?=[^A-Za-z0-9 ])|UNB(?=[^A-Za-z0-9 ][A-Z]{4})|ISA(?=(?P<own>[^A-Za-z0-9 ])[\x20-\x7e]{2}(?P=own))"
_AT_START = re.compile(rb"[\r\n\t ]*+(?P<tag>" + _START + rb")")
"""A header of either standard with separators of its own: where a trailer is missing, the next interchange begins."""

BLOCK = 1 << 16
"""Bytes that are taken in at once, at least: a file that comes byte by byte costs no more than any other."""
MOST = 8 << 20
"""Bytes that are taken in at once, at most, where much is held already."""


class Buffer:
    """The part of a file that is being looked at. `at` is the index of the next unread byte in `data`."""

    def __init__(self, source: bytes | Iterable[bytes]) -> None:
        self.data = source if isinstance(source, bytes) else b""
        self.at = 0
        self._base = 0
        self._chunks = iter(()) if isinstance(source, bytes) else iter(source)
        self._unwrapping = False
        self.ends_with_release = False
        """Whether what was supplied at the end of the file would be released."""

    @property
    def offset(self) -> int:
        """Byte offset in the file of the next unread byte."""
        return self._base + self.at

    def more(self) -> bool:
        """Take in more chunks; False at the end of the file. Keeps one read byte before `at` for look-behind.

        As much as is held already, so that what is held is copied and looked at in doubling sizes only.
        """
        wanted = max(BLOCK, min(len(self.data) - self.at, MOST))
        pieces: list[bytes] = []
        for chunk in self._chunks:
            piece = chunk.translate(None, b"\r\n") if self._unwrapping else chunk
            if piece:
                pieces.append(piece)
                wanted -= len(piece)
                if wanted <= 0:
                    break
        if not pieces:
            return False
        keep = max(0, self.at - 1)
        self.data = b"".join([self.data[keep:], *pieces])
        self._base += keep
        self.at -= keep
        return True

    def unwrap(self) -> None:
        """Drop every line break from here on, for files with wrapped lines; offsets then count without them."""
        self._unwrapping = True
        self.data = self.data[: self.at] + self.data[self.at :].translate(None, b"\r\n")

    def take(self, count: int) -> bytes:
        """Up to `count` bytes from `at` on, without moving; fewer only at the end of the file."""
        self.fill(count)
        return bytes(self.data[self.at : self.at + count])

    def fill(self, count: int) -> int:
        """Hold `count` bytes from `at` on; how many there are, fewer only at the end of the file."""
        while len(self.data) - self.at < count and self.more():
            pass
        return min(len(self.data) - self.at, count)


class Run(NamedTuple):
    """Ordinary segments that follow each other, each with its terminator."""

    raw: bytes
    offset: int
    ends_with_release: bool = False
    """The file ends here, with a release character: it and the last terminator had one more supplied between them."""


class Mark(NamedTuple):
    """One service or binary segment, without its terminator. `tag` is `b"ST"` and so on."""

    tag: bytes
    raw: bytes
    offset: int
    end: int
    """Byte offset behind its terminator."""
    indented: bool = False


@lru_cache(maxsize=64)
def _marks(delimiters: Delimiters, service: Service) -> re.Pattern[bytes]:
    """A service segment: after a terminator, up to its tag. CR LF blanks may stand between (judged later)."""
    ends = re.escape((delimiters.element + delimiters.segment).encode())
    terminator = re.escape(delimiters.segment.encode())
    tags = b"|".join((service.start, *service.others, service.end))
    ours = rb"(?:" + tags + rb")(?=[" + ends + rb"])"
    return re.compile(terminator + rb"(?P<lead>[\r\n\t ]*+)(?P<tag>" + ours + rb"|" + _START + rb")")


def released(data: bytes, at: int, start: int, release: bytes) -> bool:
    """Whether the character at `at` is released: an odd number of release characters stands before it (ISO 9735)."""
    first = at
    while first > start and data[first - 1 : first] == release:
        first -= 1
    return (at - first) % 2 == 1


def cut(buffer: Buffer, delimiters: Delimiters, service: Service, limits: Limits) -> Iterator[Run | Mark]:
    """Segments from behind the header up to and with the trailer, up to a next header (left unread), or to the end.

    The byte before `buffer.at` is the header's terminator. Raises PartnerFault when a segment exceeds the limits.
    """
    terminator = delimiters.segment.encode()
    release = delimiters.release.encode() if delimiters.release else b""
    ended = False
    while not _starts(buffer):
        end = _last(buffer, terminator, release, ended=ended)
        if end < 0 and not ended:
            _bounded(buffer, limits)
            ended = not buffer.more()
            continue
        if ended and buffer.data[max(end + 1, buffer.at) :].strip(BLANKS + b"\x1a\x00"):
            # The last terminator of a file may be missing; supply it. A release character at the very end takes one.
            if release and released(buffer.data, len(buffer.data), buffer.at, release):
                buffer.data += terminator
                buffer.ends_with_release = True
            buffer.data += terminator
            end = len(buffer.data) - 1
        if end < 0:
            return
        stop = yield from _region(buffer, end, delimiters, service, limits)
        if stop or _starts(buffer):
            return
        if not ended:
            _bounded(buffer, limits)
            ended = not buffer.more()
        elif buffer.data.find(terminator, buffer.at) < 0:
            return


def _starts(buffer: Buffer) -> bool:
    """Whether the next interchange begins here; what stands before it is passed over."""
    found = _AT_START.match(buffer.data, buffer.at)
    if found is not None:
        buffer.at = found.start("tag")
    return found is not None


def _last(buffer: Buffer, terminator: bytes, release: bytes, *, ended: bool) -> int:
    """The last terminator that is not released, -1 when there is none yet."""
    end = buffer.data.rfind(terminator, buffer.at)
    # What is unread begins behind a terminator, so that every run of release characters is there from its beginning.
    while release and end >= 0 and released(buffer.data, end, buffer.at, release):
        end = buffer.data.rfind(terminator, buffer.at, end)
    if terminator in BLANKS and not ended:
        # Line breaks may still turn out to stand before a service segment: they wait for what follows them.
        solid = len(buffer.data[buffer.at : end + 1].rstrip(BLANKS))
        end = buffer.data.find(terminator, buffer.at + solid) if solid else -1
    return end


def _region(
    buffer: Buffer, end: int, delimiters: Delimiters, service: Service, limits: Limits
) -> Generator[Run | Mark, None, bool]:
    """Cut up to the terminator at `end`; returns True when the interchange is over."""
    terminator = delimiters.segment.encode()
    release = delimiters.release.encode() if delimiters.release else b""
    search = _marks(delimiters, service).search
    while (at := buffer.at) <= end:
        data, before = buffer.data, buffer.offset - at
        found = search(data, at - 1, end + 1)
        while found is not None and release and released(data, found.start(), at, release):
            found = search(data, found.start() + 1, end + 1)
        first = end if found is None else found.start()
        if first >= at:
            run = data[at : first + 1]
            buffer.at = at = first + 1
            if len(run) > limits.segment and max(map(len, run.split(terminator))) > limits.segment:
                raise _too_long(before + first + 1 - len(run), limits)
            # What follows the last terminator before a service segment may be nothing but line breaks.
            if run.strip(b"\r\n"):
                yield Run(run, before + at - len(run), found is None and buffer.ends_with_release)
        if found is None:
            return False
        lead, tag = found["lead"], found["tag"]
        start = found.end() - len(tag)
        if tag in STARTS:
            buffer.at = start
            return True
        if tag in BINARY:
            yield _binary(buffer, start, tag, delimiters, limits)
            # Chunks may have come in: the last terminator is elsewhere now.
            end = max(buffer.data.rfind(terminator, buffer.at), buffer.at - 1)
            continue
        close = data.find(terminator, start)
        while release and released(data, close, start, release):
            close = data.find(terminator, close + 1)
        raw = data[start:close]
        if len(raw) > limits.segment:
            raise _too_long(before + start, limits)
        buffer.at = close + 1
        yield Mark(tag, raw, before + start, before + close + 1, b" " in lead or b"\t" in lead)
        if tag == service.end:
            return True
    return False


def _binary(buffer: Buffer, start: int, tag: bytes, delimiters: Delimiters, limits: Limits) -> Mark:
    """A binary segment, cut by the length it declares; by the next terminator when that length cannot be true."""
    separator, terminator = delimiters.element.encode(), delimiters.segment.encode()
    buffer.at = start
    offset = buffer.offset
    head = buffer.take(64)
    pieces = head.split(separator, BINARY[tag] + 1)
    if len(pieces) == BINARY[tag] + 2 and pieces[BINARY[tag]].isdigit():
        length = int(pieces[BINARY[tag]])
        begins = len(head) - len(pieces[-1])
        if length > limits.message:
            raise _too_long(offset, limits)
        whole = begins + length
        there = buffer.fill(whole + 1)
        close = buffer.at + whole
        # The terminator may be missing where the file ends; a payload that is not there was never declared.
        if there == whole or (there > whole and buffer.data[close : close + 1] == terminator):
            raw = buffer.data[buffer.at : close]
            buffer.at += there
            return Mark(tag, raw, offset, buffer.offset)
    while (close := buffer.data.find(terminator, buffer.at)) < 0:
        _bounded(buffer, limits)
        if not buffer.more():
            buffer.data += terminator
    raw = buffer.data[buffer.at : close]
    buffer.at = close + 1
    return Mark(tag, raw, offset, buffer.offset)


def _bounded(buffer: Buffer, limits: Limits) -> None:
    """Refuse to hold more than a segment without a terminator."""
    tail = len(buffer.data) - buffer.at
    if tail > limits.segment:
        raise _too_long(buffer.offset, limits)


def _too_long(offset: int, limits: Limits) -> PartnerFault:
    found = finding(
        "edi.segment.too_long",
        EdiPlace(offset=offset),
        said=f"more than {limits.segment} bytes",
        wanted=f"a terminator within {limits.segment} bytes",
    )
    return PartnerFault(found.text, findings=(found,))
