"""BER read lazily and within bounds (X.690): the octets CMS arrives in; large ones are referenced, never copied.

Laws: every header is read once and counted against one budget per message; nesting is bounded; a definite-length
element is skipped without being looked into; an element of indefinite length is walked at once, because only walking
finds its end. Of a structure that is too large for memory only octet strings may be large, and the thousands of pieces
of one are never held as elements. Anything wrong is `BerFault`, a `ValueError`: the caller knows what it means for the
peer.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.as2.octets import IN_MEMORY, PIECE, Octets, Stretch, flat

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OID = 0x06
SEQUENCE = 0x30
SET = 0x31

_CONSTRUCTED = 0x20
_LONG_TAG = 0x1F
_INDEFINITE = 0x80
_MAX_LENGTH_OCTETS = 8
_MAX_DEPTH = 24
_COPIED = 64 * 1024
"""Octets up to which a structure is copied once, and its fields with it: that is cheaper than to refer to them."""
_MAX_TAIL = 8
_MAX_INTEGER_OCTETS = 64
"""Serial numbers have 20 octets at most (RFC 5280 4.1.2.2); peers exceed it a little."""
_ELEMENTS = 4096
_OCTETS_PER_ELEMENT = 64
"""One element more is allowed for each 64 octets: OpenSSL and Bouncy Castle chunk octet strings by 1,000 and more."""
_PIECES_AS_ELEMENTS = 64
"""Pieces of one octet string in a stretch that are held as elements; what follows them is one `_Run`."""
_OCTETS_PER_PIECE = 256
"""One piece of a run is allowed for each so many octets; elements are as many as in a message that fits in memory."""
_HEADER = 2 + _MAX_LENGTH_OCTETS


class BerFault(ValueError):  # noqa: N818  the trade speaks of faults
    """The octets are not BER, not what the structure asks for, or beyond a limit."""


class _Source:
    """The octets of one message, and how many headers may still be read in them."""

    __slots__ = ("data", "left", "pieces_left")

    def __init__(self, data: bytes | memoryview | Stretch) -> None:
        self.data = data
        held = min(len(data), IN_MEMORY) if isinstance(data, Stretch) else len(data)
        self.left = _ELEMENTS + held // _OCTETS_PER_ELEMENT
        self.pieces_left = len(data) // _OCTETS_PER_PIECE


def _whole(found: Octets) -> bytes | memoryview:
    """Octets that a structure needs as one. Raises BerFault when they are too many for memory."""
    if not isinstance(found, Stretch):
        return found
    try:
        return bytes(found)
    except ValueError as error:
        raise BerFault(str(error)) from error


class Element:
    """One element: its identifier octet and where it lies: header at `start`, content from `body` to `stop`."""

    __slots__ = ("_depth", "_parts", "_source", "body", "end", "start", "stop", "tag")

    def __init__(  # noqa: PLR0917  made once per header, positional because that is measurably faster
        self,
        source: _Source,
        depth: int,
        tag: int,
        start: int,
        body: int,
        stop: int,
        end: int,
        parts: list[Element] | None = None,
    ) -> None:
        self._source = source
        self._depth = depth
        self.tag = tag
        self.start = start
        self.body = body
        self.stop = stop
        self.end = end
        self._parts = parts

    @property
    def parts(self) -> list[Element]:
        """The elements inside, read on first use."""
        found = self._parts
        if found is None:
            if not self.tag & _CONSTRUCTED:
                raise BerFault("a primitive element where a constructed one belongs")
            found = self._parts = _series(self._source, self.body, self.stop, self._depth + 1)[0]
        return found

    @property
    def whole(self) -> bytes | memoryview:
        """The element as received, header included."""
        found = self._source.data[self.start : self.end]
        return found if type(found) is bytes else _whole(found)

    @property
    def content(self) -> bytes | memoryview:
        """The octets of a primitive element."""
        if self.tag & _CONSTRUCTED:
            raise BerFault("a constructed element where a primitive one belongs")
        found = self._source.data[self.body : self.stop]
        return found if type(found) is bytes else _whole(found)

    def octets(self) -> Iterator[Octets]:
        """The pieces of an octet string, implicitly tagged or not, constructed or not (X.690 8.7), in order."""
        if not self.tag & _CONSTRUCTED:
            yield self._source.data[self.body : self.stop]
            return
        for part in self.parts:
            if part.tag & ~_CONSTRUCTED != OCTET_STRING:
                raise BerFault("an octet string made of something else")
            yield from part.octets()

    def joined(self) -> bytes:
        """A short octet string as one run of octets."""
        found = self._source.data[self.body : self.stop]
        if type(found) is bytes and not self.tag & _CONSTRUCTED:
            return found
        _whole(found)  # no more than may be held, whatever it is made of
        return b"".join(flat(self.octets()))

    def integer(self) -> int:
        """A whole number of bounded size."""
        content = self.expect(INTEGER).content
        if not 0 < len(content) <= _MAX_INTEGER_OCTETS:
            raise BerFault("an integer of impossible size")
        return int.from_bytes(content, "big", signed=True)

    def oid(self) -> bytes:
        """The content octets of an object identifier; tables are keyed by them."""
        return bytes(self.expect(OID).content)

    def expect(self, tag: int) -> Element:
        """Itself, if it has that tag."""
        if self.tag != tag:
            raise BerFault(f"tag {self.tag:#04x} where {tag:#04x} belongs")
        return self


class _Run(Element):
    """Pieces of an octet string, one after the other, none of them held: they are read again when they are wanted."""

    __slots__ = ()

    def octets(self) -> Iterator[bytes]:
        """The content of the pieces in order, joined to larger ones."""
        data = self._source.data
        assert isinstance(data, Stretch)
        held: list[bytes] = []
        size = 0
        for start, stop in _pieces(data, self.start, self.end):
            if stop - start > PIECE:
                yield b"".join(held)
                yield from data[start:stop].pieces()
                held.clear()
                size = 0
                continue
            held.append(data.look(start, stop))
            size += stop - start
            if size > PIECE:
                yield b"".join(held)
                held.clear()
                size = 0
        yield b"".join(held)


def _pieces(data: Stretch, at: int, limit: int) -> Iterator[tuple[int, int]]:
    """Where the content of primitive octet strings lies that follow each other, up to the first other element."""
    while at < limit:
        header = data.look(at, min(at + _HEADER, limit))
        if header[0] != OCTET_STRING or len(header) < 2:  # noqa: PLR2004  identifier and length
            return
        length, body = header[1], at + 2
        if length >= _INDEFINITE:
            count = length & 0x7F
            if not 0 < count <= _MAX_LENGTH_OCTETS or body + count > limit:
                raise BerFault("a length that cannot be")
            length = int.from_bytes(header[2 : 2 + count], "big")
            body += count
        if body + length > limit:
            raise BerFault("an element longer than what is there")
        at = body + length
        yield body, at


def _run(source: _Source, before: list[Element], at: int, limit: int, depth: int) -> int:
    """In a stretch, the pieces from `at` on as one more element; where they end."""
    data, begin = source.data, at
    if not isinstance(data, Stretch):
        return begin
    for _, stop in _pieces(data, begin, limit):
        at = stop
        source.pieces_left -= 1
        if source.pieces_left < 0:
            raise BerFault("an octet string in too many pieces")
    if at > begin:
        before.append(_Run(source, depth, OCTET_STRING | _CONSTRUCTED, begin, begin, at, at))
    return at


def _series(
    source: _Source, at: int, limit: int, depth: int, *, endless: bool = False, first_only: bool = False
) -> tuple[list[Element], int]:
    """The elements from `at` on: up to `limit`, or when `endless` up to the end-of-contents octets (X.690 8.1.5)."""
    if depth > _MAX_DEPTH:
        raise BerFault(f"nested deeper than {_MAX_DEPTH} levels")
    data, left = source.data, source.left
    found: list[Element] = []
    while at < limit or endless:
        left -= 1
        body = at + 2
        if body > limit or left < 0:
            raise BerFault("ends in the middle of an element" if body > limit else "too many elements")
        tag, length = data[at], data[at + 1]
        parts = None
        if length < _INDEFINITE and (tag or not endless):
            stop = end = body + length
        elif tag == 0 and endless:
            if length != 0:
                raise BerFault("end-of-contents with a length")
            break
        elif length == _INDEFINITE:
            if not tag & _CONSTRUCTED:
                raise BerFault("a primitive element of indefinite length")
            source.left = left
            parts, stop = _series(source, body, limit, depth + 1, endless=True)
            left, end = source.left, stop + 2
        else:
            count = length & 0x7F
            if count > _MAX_LENGTH_OCTETS or body + count > limit:
                raise BerFault("a length that cannot be")
            length = int.from_bytes(data[body : body + count], "big")
            body += count
            stop = end = body + length
        if end > limit or tag & _LONG_TAG == _LONG_TAG:
            raise BerFault("an element longer than what is there, or a tag number above 30")
        found.append(Element(source, depth, tag, at, body, stop, end, parts))
        at = end
        if first_only:
            break
        if tag == OCTET_STRING and len(found) >= _PIECES_AS_ELEMENTS:
            at = _run(source, found, at, limit, depth)
    source.left = left
    return found, at


def read(data: Octets) -> Element:
    """The one element `data` holds. Line ends behind it are tolerated: MIME writers append them."""
    size = len(data)
    if not isinstance(data, Stretch):
        data = bytes(data) if size <= _COPIED else memoryview(data)
    found, at = _series(_Source(data), 0, size, 0, first_only=True)
    if not found or (at < size and (size - at > _MAX_TAIL or bytes(data[at:]).strip(b"\r\n"))):
        raise BerFault("not one structure and nothing else")
    return found[0]
