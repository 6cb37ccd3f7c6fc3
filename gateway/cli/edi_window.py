"""The bytes around what the reader is at: the raw text of a message or a segment, without holding the file.

A `Window` stands between the file and the reader and remembers what went through, from the offset that is still needed.
Offsets are the reader's: where wrapped lines are tolerated, line breaks are taken out before they are counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from gateway.edi.delimiters import Delimiters

BLANKS = b"\r\n\t "
UNA_LENGTH = 9
_TERMINATORS = {b"ISA": 105, b"UNA": 8}
"""Where a header declares its terminator."""


class Window:
    """What went through, from `start` to `end` (byte offsets in the file)."""

    def __init__(self, blocks: Iterable[bytes], *, unwrapped: bool = False) -> None:
        self._blocks = iter(blocks)
        self._unwrapped = unwrapped
        self._kept = bytearray()
        self._ahead: deque[bytes] = deque()
        """Blocks that were looked at before the reader asked for them."""
        self.start = 0

    def __iter__(self) -> Iterator[bytes]:
        while self._ahead or self._pull():
            yield self._ahead.popleft()

    def _pull(self) -> bool:
        """Take one more block from the file; False at its end."""
        for block in self._blocks:
            if self._unwrapped and not self.end:
                # A terminator that is a line break is not wrapping.
                head = block.removeprefix(b"\xef\xbb\xbf").lstrip(BLANKS)
                at = _TERMINATORS.get(head[:3])
                self._unwrapped = at is None or head[at : at + 1] not in {b"\r", b"\n"}
            piece = block.translate(None, b"\r\n") if self._unwrapped else block
            if piece:
                self._kept += piece
                self._ahead.append(piece)
                return True
        return False

    @property
    def end(self) -> int:
        """The offset behind the last byte that went through."""
        return self.start + len(self._kept)

    def forget(self, before: int) -> None:
        """Nothing before this offset will be asked for again."""
        if before > self.start:
            dropped = min(before, self.end) - self.start
            del self._kept[:dropped]
            self.start += dropped

    def stretch(self, start: int, end: int) -> bytes:
        """The bytes of a stretch, as far as they are remembered."""
        return bytes(self._kept[max(0, start - self.start) : max(0, end - self.start)])

    def segment(self, offset: int, delimiters: Delimiters) -> tuple[int, bytes]:
        """The segment in which this byte stands, without its terminator: where it begins, and its bytes."""
        at = offset - self.start
        if not 0 <= at < len(self._kept):
            return offset, b""
        terminator, release = _bytes(delimiters)
        begin = at
        while (before := self._kept.rfind(terminator, 0, begin)) >= 0:
            if not _released(self._kept, before, release):
                break
            begin = before
        begin = before + 1
        while begin < at and self._kept[begin] in BLANKS:
            begin += 1
        end = self._terminator(begin, terminator, release)
        return self.start + begin, bytes(self._kept[begin:end])

    def segment_end(self, offset: int, delimiters: Delimiters) -> int:
        """The offset behind the segment that begins here: behind its terminator and the line breaks that follow."""
        end = self._terminator(offset - self.start, *_bytes(delimiters))
        return self.behind_breaks(self.start + min(end + 1, len(self._kept)))

    def behind_breaks(self, offset: int) -> int:
        """The offset behind the line breaks that stand here."""
        end = offset - self.start
        # They may stand in the next block.
        while (end < len(self._kept) or self._pull()) and self._kept[end] in b"\r\n":
            end += 1
        return self.start + end

    def header(self, offset: int) -> tuple[int, int]:
        """Where an interchange begins, and where its ISA or UNB does: a UNA and line breaks may stand before that."""
        first = max(self.start, offset - UNA_LENGTH - 2)
        at = self.stretch(first, offset + 3).rfind(b"UNA")
        if at >= 0:
            behind = self.behind_breaks(first + at + UNA_LENGTH)
            if self.stretch(behind, behind + 3) == b"UNB":
                return first + at, behind
        return offset, offset

    def _terminator(self, begin: int, terminator: bytes, release: bytes) -> int:
        end = begin
        while (end := self._kept.find(terminator, end)) >= 0 and _released(self._kept, end, release):
            end += 1
        return end if end >= 0 else len(self._kept)


def _bytes(delimiters: Delimiters) -> tuple[bytes, bytes]:
    return delimiters.segment.encode(), (delimiters.release or "").encode()


def _released(data: bytearray, at: int, release: bytes) -> bool:
    """Whether the byte at `at` is data: an odd number of release characters stands before it (ISO 9735, 5.1)."""
    if not release:
        return False
    count = 0
    while at - count > 0 and data[at - count - 1] == release[0]:
        count += 1
    return count % 2 == 1
