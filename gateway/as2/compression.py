"""Compression: CompressedData with zlib (RFC 3274, RFC 5402), inflated within an absolute limit and a ratio."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from gateway.as2 import ber, cms, der
from gateway.as2.octets import PIECE, Octets, Spool, Stretch, flat, gathered
from gateway.as2.policy import MEGABYTE, Policy

_ZLIB = der.oid("1.2.840.113549.1.9.16.3.8")


class InflateFault(ValueError):  # noqa: N818  the trade speaks of faults
    """Not zlib, damaged, or growing beyond the limits."""


def inflate(structure: ber.Element, policy: Policy, spool: Spool | None = None) -> bytes | Stretch:
    """The content of a CompressedData, in a scratch of `spool` where it is large. Raises InflateFault, BerFault.

    Neither memory nor scratch ever takes more than the limit.
    """
    found = cms.fields(structure, 3)
    if cms.algorithm(found[1])[0] != _ZLIB:
        raise InflateFault("compressed with something else than zlib")
    inside = cms.fields(found[2], 2)[1].expect(cms.EXPLICIT_0).parts
    if len(inside) != 1:
        raise ber.BerFault("compressed data without content")
    packed = list(inside[0].octets())
    size = sum(map(len, packed))
    limit = min(policy.max_inflated, max(MEGABYTE, size * policy.max_ratio))
    step = limit + 1 if spool is None else PIECE
    return gathered(_inflated(packed, size, limit, step), spool)


def _inflated(packed: Sequence[Octets], size: int, limit: int, step: int) -> Iterator[bytes]:
    """What comes out, at most `step` octets at a time. Raises InflateFault at the first octet over `limit`."""
    machine = zlib.decompressobj()
    total = 0
    for piece in flat(packed):
        if machine.eof and len(piece):
            raise InflateFault("compressed data that does not end where it should")
        rest: bytes | memoryview = piece
        more = True
        while more and not machine.eof:
            most = min(step, limit + 1 - total)
            try:
                plain = machine.decompress(rest, most)
            except zlib.error as error:
                raise InflateFault(f"damaged: {error}") from error
            total += len(plain)
            if total > limit:
                raise InflateFault(f"{size} octets inflate to more than {limit}")
            yield plain
            rest = machine.unconsumed_tail
            more = len(rest) > 0 or len(plain) == most  # it may be `most` that held something back
    if not machine.eof or machine.unused_data:
        raise InflateFault("compressed data that does not end where it should")


def deflate(pieces: Sequence[Octets]) -> bytes:
    """A CompressedData around the pieces, as one."""
    return b"".join(flat(deflated(pieces)))


def deflated(pieces: Sequence[Octets], spool: Spool | None = None) -> der.Pieces:
    """A CompressedData around the pieces; what it holds stands in a scratch of `spool` where it is large."""
    packed = gathered(_deflated(pieces), spool)
    content = der.wrap(cms.EXPLICIT_0, der.wrap(ber.OCTET_STRING, [packed]))
    head: der.Pieces = [der.integer(0), der.sequence(der.identifier(_ZLIB))]
    encapsulated = der.wrap(ber.SEQUENCE, [der.identifier(cms.DATA), *content])
    return cms.framed(cms.COMPRESSED_DATA, der.wrap(ber.SEQUENCE, [*head, *encapsulated]))


def _deflated(pieces: Sequence[Octets]) -> Iterator[bytes]:
    machine = zlib.compressobj()
    for piece in flat(pieces):
        yield machine.compress(piece)
    yield machine.flush()
