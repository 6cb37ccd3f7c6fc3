"""The frame of every CMS structure (RFC 5652 section 3): which one it is, and the element inside.

Structures are decided by their content type here, never by what a MIME header says about them.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.as2 import ber, der, mime
from gateway.as2.algorithms import LONGEST_PLAIN, PLAIN
from gateway.as2.octets import Octets, Spool

DATA = der.oid("1.2.840.113549.1.7.1")
SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")
ENVELOPED_DATA = der.oid("1.2.840.113549.1.7.3")
AUTH_ENVELOPED_DATA = der.oid("1.2.840.113549.1.9.16.1.23")
COMPRESSED_DATA = der.oid("1.2.840.113549.1.9.16.1.9")

NAMES = {
    DATA: "data",
    SIGNED_DATA: "signed-data",
    ENVELOPED_DATA: "enveloped-data",
    AUTH_ENVELOPED_DATA: "authEnveloped-data",
    COMPRESSED_DATA: "compressed-data",
}
"""Content types and their `smime-type` (RFC 8551 3.2.2)."""

EXPLICIT_0 = 0xA0
EXPLICIT_1 = 0xA1


def octets(part: mime.Entity, spool: Spool | None = None) -> Octets:
    """The structure that fills a MIME part, whatever its headers say of its encoding. Raises MimeFault.

    Stations say base64 of binary bodies, and nothing of base64 ones. A structure tells by itself: it begins with `0`
    and an octet that no text has, its base64 with `MI` (or `MH` when small), which no structure does.
    """
    start = bytes(part.content[:2])
    if start[:1] == b"0" and start[1:] >= b"\x80":
        return part.content
    if start in {b"MI", b"MH"}:
        return mime.decoded("base64", part.content, spool)
    return part.decoded(spool)


def open_frame(data: Octets) -> tuple[bytes, ber.Element]:
    """The content type of a ContentInfo and the structure in it. Raises BerFault."""
    parts = ber.read(data).expect(ber.SEQUENCE).parts
    if len(parts) != 2:  # noqa: PLR2004  RFC 5652 3: contentType and content
        raise ber.BerFault("not a CMS structure")
    return parts[0].oid(), inside(parts[1], EXPLICIT_0).expect(ber.SEQUENCE)


def framed(content_type: bytes, structure: Sequence[Octets]) -> der.Pieces:
    """A ContentInfo around the pieces of a structure."""
    return der.wrap(ber.SEQUENCE, [der.identifier(content_type), *der.wrap(EXPLICIT_0, structure)])


def frame(content_type: bytes, structure: Sequence[bytes | memoryview]) -> bytes:
    """A ContentInfo around a small structure, as one."""
    return der.sequence(der.identifier(content_type), der.tlv(EXPLICIT_0, *structure))


def fields(structure: ber.Element, at_least: int) -> Sequence[ber.Element]:
    """The fields of a SEQUENCE that has that many or more. Raises BerFault."""
    found = structure.expect(ber.SEQUENCE).parts
    if len(found) < at_least:
        raise ber.BerFault("a structure with fields missing")
    return found


def inside(element: ber.Element, tag: int | None = None) -> ber.Element:
    """The one element that an explicit tag stands around. Raises BerFault."""
    found = element.parts if tag is None else element.expect(tag).parts
    if len(found) != 1:
        raise ber.BerFault("an explicit tag around something else than one element")
    return found[0]


def algorithm(element: ber.Element) -> tuple[bytes, ber.Element | None]:
    """An AlgorithmIdentifier (RFC 5280 4.1.1.2): its identifier and its parameters, when there are any.

    NULL for parameters counts as none where the algorithm has none.
    """
    known = PLAIN.get(bytes(element.whole)) if element.end - element.start <= LONGEST_PLAIN else None
    if known is not None:
        return known, None
    found = fields(element, 1)
    return found[0].oid(), found[1] if len(found) > 1 else None
