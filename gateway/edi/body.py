"""What lies between ST and SE (UNH and UNT): pieces of text, ready to be cut into segments at their terminators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from gateway.edi.characters import UNDECODABLE, decoded, size, unreleased
from gateway.edi.delimiters import Delimiters
from gateway.edi.segments import Mark, Run


class Piece(NamedTuple):
    """Ordinary segments that follow each other, or one binary segment."""

    text: str
    """Each segment with its terminator; of a binary segment all of it, without."""
    offset: int
    """Byte offset in the file of its first character."""
    gap: int
    """Bytes of what ends each segment: the terminator, and the line break that follows every one of them."""
    charset: str
    delimiters: Delimiters
    binary: bool = False

    @property
    def segments(self) -> list[str]:
        """The segments without their terminators."""
        if self.binary:
            return [self.text]
        segments = self.text.split(self.delimiters.segment)
        if not segments[-1]:
            segments.pop()
        return segments

    @property
    def number(self) -> int:
        """How many segments, empty ones included."""
        return 1 if self.binary else self.text.count(self.delimiters.segment)

    @property
    def even(self) -> bool:
        """Whether every character is one byte."""
        return self.text.isascii()

    @property
    def decodable(self) -> bool:
        """Whether every byte was a character of the charset."""
        return self.text.isascii() or UNDECODABLE.search(self.text) is None

    def size(self, segment: str) -> int:
        """Bytes of one of its segments."""
        return size(segment, self.charset, self.delimiters)


class Offsets:
    """Where the segments of a message begin in the file, by position; worked out when first asked for."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self._starts: list[int] = []

    def __call__(self, position: int) -> int:
        """The byte offset of a segment; the first behind ST or UNH has position 2."""
        if not self._starts:
            piece = self._piece
            sizes = map(len, piece.segments) if piece.even else map(piece.size, piece.segments)
            self._starts = list(accumulate((size + piece.gap for size in sizes), initial=piece.offset))
        return self._starts[position - 2]


def pieces(parts: list[Run | Mark], charset: str, delimiters: Delimiters) -> Iterator[Piece]:
    """What `segments.cut` gave, as text."""
    for part in parts:
        if isinstance(part, Mark):
            text = part.raw.decode(charset, "surrogateescape")
            yield Piece(text, part.offset, 1, charset, delimiters, binary=True)
        else:
            yield _piece(part, charset, delimiters)


def _piece(run: Run, charset: str, delimiters: Delimiters) -> Piece:
    text = decoded(run.raw, charset, delimiters)
    if run.ends_with_release:
        text = unreleased(text, delimiters)
    offset, gap = run.offset, 1
    if "\n" in text or "\r" in text:
        breaks = "\r\n".replace(delimiters.segment, "")
        lead = text[: len(text) - len(text.lstrip(breaks))]
        rest = text[len(lead) :]
        end = delimiters.segment + lead
        # X12.5 lets line breaks follow a terminator. Where the same one follows each, it is cut with it.
        if lead and rest.count(end) == rest.count(delimiters.segment) - 1:
            text = rest.replace(end, delimiters.segment)
            offset, gap = offset + len(lead), gap + len(lead)
    return Piece(text, offset, gap, charset, delimiters)
