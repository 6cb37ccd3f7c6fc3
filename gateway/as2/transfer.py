"""Transfer encodings taken off (RFC 2045 6.7, 6.8): at once for what is in memory, in pieces for a stretch.

Both ways give the same octets. Raises ValueError (`binascii.Error` is one).
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.as2.octets import Stretch

MAX_LINE = 64 * 1024
"""Octets of a quoted-printable line in a stretch; RFC 2045 6.7 says 76."""
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OTHERS = bytes(set(range(256)) - set(_ALPHABET) - {ord("=")})


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoder:
    """One encoding, read both ways."""

    at_once: Callable[[memoryview], bytes]
    in_pieces: Callable[[Stretch], Iterator[bytes]]


def _base64(content: Stretch) -> Iterator[bytes]:
    """Groups of four characters; whatever is not of the alphabet is passed over (RFC 2045 6.8), padding is the end."""
    rest = b""
    for piece in content.pieces():
        text = rest + piece.translate(None, _OTHERS)
        padding = text.find(b"=")
        if padding >= 0:
            yield binascii.a2b_base64(text[:padding] + b"=" * (-padding % 4))
            return
        whole = len(text) - len(text) % 4
        yield binascii.a2b_base64(text[:whole])
        rest = text[whole:]
    if rest:
        yield binascii.a2b_base64(rest)  # a group that is cut off: the error is the library's


def _quoted_printable(content: Stretch) -> Iterator[bytes]:
    """Whole lines at a time: nothing in this encoding goes over the end of one."""
    rest = b""
    for piece in content.pieces():
        text = rest + piece
        whole = text.rfind(b"\n") + 1
        yield binascii.a2b_qp(text[:whole])
        rest = text[whole:]
        if len(rest) > MAX_LINE:
            raise ValueError(f"a line of more than {MAX_LINE} octets")
    yield binascii.a2b_qp(rest)


DECODERS = {
    "base64": Decoder(at_once=binascii.a2b_base64, in_pieces=_base64),
    "quoted-printable": Decoder(at_once=binascii.a2b_qp, in_pieces=_quoted_printable),
}
