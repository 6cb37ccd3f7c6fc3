"""What may stand before, between and behind interchanges, and how one begins."""

from __future__ import annotations

from gateway.edi.segments import BLANKS, Buffer

BOM = b"\xef\xbb\xbf"
FILLER = BLANKS + b"\x1a\x00"


def skip(buffer: Buffer) -> bytes:
    """Skip filler and byte order marks, which files that were put together have inside; what it was, shortened."""
    skipped = b""
    while piece := buffer.take(256):
        marked = piece.startswith(BOM)
        filler = BOM if marked else piece[: len(piece) - len(piece.lstrip(FILLER))]
        if not filler:
            break
        buffer.at += len(filler)
        skipped = (skipped + filler)[:64]
    return skipped
