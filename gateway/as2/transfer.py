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
_WRONG = "it is cut off, or something follows its padding"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OTHERS = bytes(set(range(256)) - set(_ALPHABET) - {ord("=")})


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoder:
    """One encoding, read both ways."""

    at_once: Callable[[memoryview], bytes]
    in_pieces: Callable[[Stretch], Iterator[bytes]]


def _base64_at_once(content: memoryview) -> bytes:
    return _groups(bytes(content).translate(None, _OTHERS))


def _base64(content: Stretch) -> Iterator[bytes]:
    """Groups of four characters; whatever is not of the alphabet is passed over (RFC 2045 6.8)."""
    rest, ended = b"", False
    for piece in content.pieces():
        text = piece.translate(None, _OTHERS)
        if ended:
            if text.strip(b"="):
                raise binascii.Error(_WRONG)
            rest += text if len(rest) < 4 else b""  # noqa: PLR2004  a group: of more padding none says more
            continue
        text = rest + text
        padding = text.find(b"=")
        ended = padding >= 0
        whole = padding if ended else len(text)
        whole -= whole % 4
        yield _groups(text[:whole])
        rest = text[whole:]
    yield _groups(rest)


def _groups(text: bytes) -> bytes:
    """Characters of the alphabet as octets. What stands behind the padding, which is the end, is never dropped.

    It would be receipted, and lost: the MIC is over the encoded octets.
    """
    bare = text.rstrip(b"=")
    padding = min(len(text) - len(bare), -len(bare) % 4)  # some write too much of it
    try:
        return binascii.a2b_base64(bare + b"=" * padding, strict_mode=True)
    except binascii.Error:
        raise binascii.Error(_WRONG) from None


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
    "base64": Decoder(at_once=_base64_at_once, in_pieces=_base64),
    "quoted-printable": Decoder(at_once=binascii.a2b_qp, in_pieces=_quoted_printable),
}
