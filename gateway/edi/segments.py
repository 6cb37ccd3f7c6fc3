"""Bytes to segments: finds the envelope's segments in a stream and cuts what lies between them; nothing is decoded.

The service segments (ISA GS ST SE GE IEA TA1, and BIN BDS whose payload may hold delimiters) are found by one search
over the buffer; the ordinary segments between two of them are cut by one `split`, so that a set costs no loop here.
CR and LF after a terminator are no data (X12.5 lets them stand there); inside a segment they stay and are judged later.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from gateway.edi.delimiters import Delimiters
from gateway.edi.rules import finding
from gateway.edi.tolerances import Limits
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace

BLANKS = b"\r\n\t "
BINARY = {b"BIN": 1, b"BDS": 2}
"""Binary segments and the element that counts the payload's bytes; the payload is the next element (X12.6)."""


class Buffer:
    """The part of a file that is being looked at. `at` is the index of the next unread byte in `data`."""

    def __init__(self, source: bytes | Iterable[bytes]) -> None:
        self.data = source if isinstance(source, bytes) else b""
        self.at = 0
        self._base = 0
        self._chunks = iter(()) if isinstance(source, bytes) else iter(source)
        self._unwrapping = False

    @property
    def offset(self) -> int:
        """Byte offset in the file of the next unread byte."""
        return self._base + self.at

    def more(self) -> bool:
        """Take in one more chunk; False at the end of the file. Keeps one read byte before `at` for look-behind."""
        for chunk in self._chunks:
            piece = chunk.translate(None, b"\r\n") if self._unwrapping else chunk
            if piece:
                keep = max(0, self.at - 1)
                self.data = self.data[keep:] + piece
                self._base += keep
                self.at -= keep
                return True
        return False

    def unwrap(self) -> None:
        """Drop every line break from here on, for files with wrapped lines; offsets then count without them."""
        self._unwrapping = True
        self.data = self.data[: self.at] + self.data[self.at :].translate(None, b"\r\n")

    def take(self, count: int) -> bytes:
        """Up to `count` bytes from `at` on, without moving; fewer only at the end of the file."""
        while len(self.data) - self.at < count and self.more():
            pass
        return bytes(self.data[self.at : self.at + count])


@dataclass(frozen=True, slots=True)
class Run:
    """Ordinary segments that follow each other. The next begins `len(segment) + gap` bytes after the last began."""

    segments: list[bytes]
    offset: int
    gap: int
    size: int
    """Bytes of all of them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One service or binary segment, without its terminator. `tag` is `b"ST"` and so on."""

    tag: bytes
    raw: bytes
    offset: int
    indented: bool = False
    gap: int = 1

    @property
    def segments(self) -> list[bytes]:
        """Itself, as a run of one."""
        return [self.raw]


@lru_cache(maxsize=16)
def _marks(delimiters: Delimiters) -> re.Pattern[bytes]:
    """A service segment: after a terminator, up to its tag. CR LF blanks may stand between (judged later)."""
    ends = re.escape((delimiters.element + delimiters.segment).encode())
    terminator = re.escape(delimiters.segment.encode())
    return re.compile(terminator + rb"([\r\n\t ]*+)(ISA|GS|ST|SE|GE|IEA|TA1|BIN|BDS)(?=[" + ends + rb"])")


def cut(buffer: Buffer, delimiters: Delimiters, limits: Limits) -> Iterator[Run | Mark]:
    """Segments from behind the ISA up to and with IEA, up to a next ISA (left unread), or to the end of the file.

    The byte before `buffer.at` is the ISA's terminator. Raises PartnerFault when a segment or a set exceeds the limits.
    """
    terminator = delimiters.segment.encode()
    marks = _marks(delimiters)
    ended = False
    while True:
        end = buffer.data.rfind(terminator, buffer.at)
        if end < 0 and not ended:
            _bounded(buffer, limits)
            ended = not buffer.more()
            continue
        if ended and buffer.data[max(end + 1, buffer.at) :].strip(BLANKS + b"\x1a\x00"):
            # The last terminator of a file may be missing; supply it.
            buffer.data += terminator
            end = len(buffer.data) - 1
        if end < 0:
            return
        stop = yield from _region(buffer, end, marks, delimiters, limits)
        if stop:
            return
        if not ended:
            _bounded(buffer, limits)
            ended = not buffer.more()
        elif buffer.data.find(terminator, buffer.at) < 0:
            return


def _region(
    buffer: Buffer, end: int, marks: re.Pattern[bytes], delimiters: Delimiters, limits: Limits
) -> Generator[Run | Mark, None, bool]:
    """Cut up to the terminator at `end`; returns True when the interchange is over."""
    terminator = delimiters.segment.encode()
    while buffer.at <= end:
        found = marks.search(buffer.data, buffer.at - 1, end + 1)
        first = end if found is None else found.start()
        if first > buffer.at - 1:
            run = _run(buffer, first, terminator, limits)
            buffer.at = first + 1
            if run is not None:
                yield run
        if found is None:
            return False
        tag = found[2]
        start = found.start(2)
        if tag == b"ISA":
            buffer.at = start
            return True
        if tag in BINARY:
            yield _binary(buffer, start, tag, delimiters, limits)
            # Chunks may have come in: the last terminator is elsewhere now.
            end = max(buffer.data.rfind(terminator, buffer.at), buffer.at - 1)
            continue
        close = buffer.data.find(terminator, start)
        indented = bool(found[1].strip(b"\r\n"))
        offset = buffer.offset - buffer.at + start
        raw = buffer.data[start:close]
        buffer.at = close + 1
        yield Mark(tag, raw, offset, indented)
        if tag == b"IEA":
            return True
    return False


def _run(buffer: Buffer, end: int, terminator: bytes, limits: Limits) -> Run | None:
    text = buffer.data[buffer.at : end]
    offset = buffer.offset
    separator = terminator
    if terminator not in b"\r\n" and (b"\n" in text or b"\r" in text):
        # Where every terminator is followed by the same line break, it is cut with it.
        lead = text[: len(text) - len(text.lstrip(b"\r\n"))]
        if lead and text.count(terminator + lead) == text.count(terminator):
            separator = terminator + lead
            text = text[len(lead) :]
            offset += len(lead)
    if not text.strip(b"\r\n"):
        return None
    segments = text.split(separator)
    if len(text) > limits.segment and max(map(len, segments)) > limits.segment:
        raise _too_long(offset, limits)
    return Run(segments, offset, len(separator), len(text))


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
        if length > limits.segment:
            raise _too_long(offset, limits)
        whole = buffer.take(begins + length + 1)
        if whole[begins + length :] in (terminator, b""):
            buffer.at += len(whole)
            return Mark(tag, whole[: begins + length], offset)
    while (close := buffer.data.find(terminator, buffer.at)) < 0:
        _bounded(buffer, limits)
        if not buffer.more():
            buffer.data += terminator
    raw = buffer.data[buffer.at : close]
    buffer.at = close + 1
    return Mark(tag, raw, offset)


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
