"""DER written from the inside out (X.690 section 10): small structures as bytes, large ones as lists of pieces.

`tlv` copies; `wrap` only puts a header in front of pieces that are already there, so that ten megabytes of content
are joined once, at the end, however deep they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.as2.ber import INTEGER, OID, SEQUENCE, SET
from gateway.as2.octets import Octets

Pieces = list[Octets]

_SHORT = 0x80


def header(tag: int, length: int) -> bytes:
    """Identifier and definite length, in the fewest octets (X.690 10.1)."""
    if length < _SHORT:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(octets))) + octets


def tlv(tag: int, *contents: bytes | memoryview) -> bytes:
    """One element around the concatenated contents."""
    content = b"".join(contents)
    length = len(content)
    return (bytes((tag, length)) if length < _SHORT else header(tag, length)) + content


def wrap(tag: int, pieces: Sequence[Octets]) -> Pieces:
    """One element around pieces, none of them copied."""
    return [header(tag, sum(map(len, pieces))), *pieces]


def sequence(*contents: bytes | memoryview) -> bytes:
    """SEQUENCE."""
    return tlv(SEQUENCE, *contents)


def set_of(elements: Iterable[bytes], tag: int = SET) -> bytes:
    """SET OF, its elements sorted as DER asks (X.690 11.6); `tag` for an implicit one."""
    return tlv(tag, *sorted(elements))


def integer(value: int) -> bytes:
    """INTEGER in the fewest octets."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """The content octets of an object identifier, without its header (X.690 8.19)."""
    first, second, *rest = map(int, dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        octets.extend(reversed(groups))
    return bytes(octets)


def identifier(octets: bytes) -> bytes:
    """An object identifier with its header."""
    return tlv(OID, octets)
