"""What may stand before, between and behind interchanges, and how one begins."""

from __future__ import annotations

from gateway.edi.segments import BLANKS, Buffer

BOM = b"\xef\xbb\xbf"
STARTS = (b"ISA", b"UNA", b"UNB")
"""What an interchange begins with."""
FILLER = BLANKS + b"\x1a\x00"


def skip(buffer: Buffer, more: bytes = b"") -> bytes:
    """Skip filler (and a byte order mark); what was skipped, shortened."""
    skipped = b""
    if more and buffer.take(len(more)) == more:
        buffer.at += len(more)
        skipped = more
    while (piece := buffer.take(256)) and (filler := piece[: len(piece) - len(piece.lstrip(FILLER))]):
        buffer.at += len(filler)
        skipped = (skipped + filler)[:64]
        if len(filler) < len(piece):
            break
    return skipped
