"""BER read lazily and within bounds (X.690): the octets CMS arrives in, referenced, never copied.

Laws: every header is read once and counted against one budget per message; nesting is bounded; a definite-length
element is skipped without being looked into; an element of indefinite length is walked at once, because only walking
finds its end. Anything wrong is `BerFault`, a `ValueError`: the caller knows what it means for the peer.
"""

from __future__ import annotations

from collections.abc import Iterator

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
_MAX_INTEGER_OCTETS = 64
"""Serial numbers have 20 octets at most (RFC 5280 4.1.2.2); peers exceed it a little."""
_ELEMENTS = 4096
_OCTETS_PER_ELEMENT = 64
"""One element more is allowed for each 64 octets: OpenSSL and Bouncy Castle chunk octet strings by 1,000 and more."""


class BerFault(ValueError):  # noqa: N818  the trade speaks of faults
    """The octets are not BER, not what the structure asks for, or beyond a limit."""


class _Budget:
    """How many headers may still be read in this message."""

    __slots__ = ("left",)

    def __init__(self, octets: int) -> None:
        self.left = _ELEMENTS + octets // _OCTETS_PER_ELEMENT


class Element:
    """One element: its identifier octet and where it lies. `parts` are known at once when its length was indefinite."""

    __slots__ = ("_budget", "_data", "_depth", "_parts", "body", "end", "start", "stop", "tag")

    def __init__(self, data: memoryview, start: int, limit: int, depth: int, budget: _Budget) -> None:
        if depth > _MAX_DEPTH:
            raise BerFault(f"nested deeper than {_MAX_DEPTH} levels")
        budget.left -= 1
        if budget.left < 0:
            raise BerFault("too many elements")
        if start + 2 > limit:
            raise BerFault("ends in the middle of an element")
        tag = data[start]
        if tag & _LONG_TAG == _LONG_TAG:
            raise BerFault("a tag number above 30 has no place in CMS")
        length = data[start + 1]
        body = start + 2
        self._data, self._depth, self._budget = data, depth, budget
        self.tag, self.start = tag, start
        self._parts: list[Element] | None = None
        if length == _INDEFINITE:
            self.body = body
            self._walk(limit)
            return
        if length > _INDEFINITE:
            count = length & 0x7F
            if count > _MAX_LENGTH_OCTETS or body + count > limit:
                raise BerFault("a length that cannot be")
            length = int.from_bytes(data[body : body + count], "big")
            body += count
        self.body = body
        self.stop = self.end = body + length
        if self.end > limit:
            raise BerFault("an element longer than what is there")

    def _walk(self, limit: int) -> None:
        """Find the end-of-contents octets (X.690 8.1.5)."""
        if not self.tag & _CONSTRUCTED:
            raise BerFault("a primitive element of indefinite length")
        parts: list[Element] = []
        at = self.body
        while True:
            if at + 2 > limit:
                raise BerFault("an indefinite length without an end")
            if self._data[at] == 0:
                if self._data[at + 1] != 0:
                    raise BerFault("end-of-contents with a length")
                break
            part = Element(self._data, at, limit, self._depth + 1, self._budget)
            parts.append(part)
            at = part.end
        self._parts, self.stop, self.end = parts, at, at + 2

    @property
    def parts(self) -> list[Element]:
        """The elements inside, read on first use."""
        if self._parts is None:
            if not self.tag & _CONSTRUCTED:
                raise BerFault("a primitive element where a constructed one belongs")
            parts: list[Element] = []
            at = self.body
            while at < self.stop:
                part = Element(self._data, at, self.stop, self._depth + 1, self._budget)
                parts.append(part)
                at = part.end
            self._parts = parts
        return self._parts

    @property
    def whole(self) -> memoryview:
        """The element as received, header included."""
        return self._data[self.start : self.end]

    @property
    def content(self) -> memoryview:
        """The octets of a primitive element."""
        if self.tag & _CONSTRUCTED:
            raise BerFault("a constructed element where a primitive one belongs")
        return self._data[self.body : self.stop]

    def octets(self) -> Iterator[memoryview]:
        """The pieces of an octet string, implicitly tagged or not, constructed or not (X.690 8.7), in order."""
        if not self.tag & _CONSTRUCTED:
            yield self._data[self.body : self.stop]
            return
        for part in self.parts:
            if part.tag & ~_CONSTRUCTED != OCTET_STRING:
                raise BerFault("an octet string made of something else")
            yield from part.octets()

    def joined(self) -> memoryview:
        """An octet string as one run of octets; copied only when it came in several pieces."""
        pieces = list(self.octets())
        return pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))

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


def read(data: bytes | memoryview) -> Element:
    """The one element `data` holds. Line ends behind it are tolerated: MIME writers append them."""
    view = memoryview(data)
    element = Element(view, 0, len(view), 0, _Budget(len(view)))
    if bytes(view[element.end : element.end + 5]).strip(b"\r\n"):
        raise BerFault("something follows the structure")
    return element
