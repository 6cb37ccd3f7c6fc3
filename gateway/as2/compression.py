"""Compression: CompressedData with zlib (RFC 3274, RFC 5402), inflated within an absolute limit and a ratio."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from gateway.as2 import ber, cms, der
from gateway.as2.policy import MEGABYTE, Policy

_ZLIB = der.oid("1.2.840.113549.1.9.16.3.8")


class InflateFault(ValueError):  # noqa: N818  the trade speaks of faults
    """Not zlib, damaged, or growing beyond the limits."""


def inflate(structure: ber.Element, policy: Policy) -> bytes:
    """The content of a CompressedData. Memory never exceeds the limit. Raises InflateFault, BerFault."""
    found = cms.fields(structure, 3)
    if cms.algorithm(found[1])[0] != _ZLIB:
        raise InflateFault("compressed with something else than zlib")
    inside = cms.fields(found[2], 2)[1].expect(cms.EXPLICIT_0).parts
    if len(inside) != 1:
        raise ber.BerFault("compressed data without content")
    packed = inside[0].joined()
    limit = min(policy.max_inflated, max(MEGABYTE, len(packed) * policy.max_ratio))
    machine = zlib.decompressobj()
    try:
        plain = machine.decompress(packed, limit + 1)
    except zlib.error as error:
        raise InflateFault(f"damaged: {error}") from error
    if len(plain) > limit:
        raise InflateFault(f"{len(packed)} octets inflate to more than {limit}")
    if not machine.eof or machine.unused_data:
        raise InflateFault("compressed data that does not end where it should")
    return plain


def deflate(pieces: Sequence[bytes | memoryview]) -> bytes:
    """A CompressedData around the pieces."""
    machine = zlib.compressobj()
    packed: der.Pieces = [*map(machine.compress, pieces), machine.flush()]
    content = der.wrap(cms.EXPLICIT_0, der.wrap(ber.OCTET_STRING, packed))
    head: der.Pieces = [der.integer(0), der.sequence(der.identifier(_ZLIB))]
    encapsulated = der.wrap(ber.SEQUENCE, [der.identifier(cms.DATA), *content])
    return cms.frame(cms.COMPRESSED_DATA, der.wrap(ber.SEQUENCE, [*head, *encapsulated]))
