"""MIME by received octets (RFC 2045, 2046, 1847): where things stand in a body, never how they might be rewritten.

An `Entity` is a span of the received bytes; what was signed is that span and nothing else. Sizes and counts are
bounded, and every pattern is linear in what it reads: neighbouring repeats share no character, or are possessive.
Anything wrong is `MimeFault`, a `ValueError`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.as2.octets import Octets, Spool, Stretch, gathered
from gateway.as2.transfer import DECODERS

MAX_HEADER_OCTETS = 32 * 1024
MAX_HEADERS = 100
MAX_PARTS = 32
MAX_PARAMETERS = 32
MAX_NEAR_DELIMITERS = 1000
"""Lines that begin as a delimiter does and are none: the delimiters of a multipart inside."""
MAX_BOUNDARY = 200
"""RFC 2046 5.1.1 says 70; peers have written more."""

MAX_VALUE = 4 * 1024
"""Characters of a header value with parameters; a file name of 255 characters takes at most 3,060 (RFC 2231)."""

_FOLD = re.compile(r"\r?\n[ \t]++")
# A field, a line with nothing on it, or all the rest, which is wrong.
_FIELD = re.compile(
    r"([!-9;-~]++)[ \t]*+:([^\x00\r\n]*+(?:\r?\n[ \t][^\x00\r\n]*+)*)(?:\r?\n|\Z)|[ \t]*+\r?\n|([\s\S]++)"
)
# RFC 2045 5.1: a token has none of `;`, `=` and `"`; the other specials are tolerated.
_MEDIA_TYPE = re.compile(r"\s*+([!#-.0-:<>-~]++(?:/[!#-:<>-~]++)?)\s*+(?:;|\Z)")
# RFC 2045 5.1 has no blanks in a value without quotes; stations write file names so all the same.
_PARAMETER = re.compile(
    r"\s*+([^\s=;\"]{1,80}+)\s*+=\s*+"
    r"(?:\"((?:[^\"\\]++|\\.)*)\"|([^;\"\s]*+(?:[ \t]++[^=;\"\s]++(?=[ \t;]|\Z))*+))\s*+(?:;|\Z)"
    r"|([\s\S]++)"  # all the rest, which is wrong, or white space
)
# RFC 2045 5.1 lets any character be quoted. Only these two ever need it, and Windows programs write paths as they are.
_QUOTED_PAIR = re.compile(r"\\([\"\\])")
_PIECE = re.compile(r"([^*]++)\*([0-9]{1,2})(\*?)\Z")
_AFTER_DELIMITER = re.compile(rb"[ \t]*+\r?\n")
_LINES = 8
"""Lines looked at one by one before a delimiter is searched for: the headers of a part, and content without line ends,
as EDI often is. One octet is found ten times as fast as several.
"""
_MAX_PADDING = 1024
"""White space behind a delimiter (RFC 2046 5.1.1: transport padding, which nobody writes)."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CHARSETS = {"us-ascii": "ascii", "utf-8": "utf-8", "iso-8859-1": "latin-1", "windows-1252": "cp1252"}
"""What a sender may name (RFC 2231 section 4); Python knows codecs that are slow, or yield what is no text."""

Headers = Sequence[tuple[str, str]]


class MimeFault(ValueError):  # noqa: N818  the trade speaks of faults
    """The octets are not MIME as AS2 uses it, or beyond a limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A structured header value: `application/edi-x12; name=x` is a word (lower case) and its parameters."""

    word: str
    parameters: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """A MIME entity inside `data`: headers from `start`, content from `body`, both up to `end`."""

    data: bytes | Stretch
    start: int
    body: int
    end: int
    headers: Index

    @property
    def octets(self) -> memoryview | Stretch:
        """Headers and content, as received: what signatures and MICs are computed over."""
        data = self.data
        return memoryview(data)[self.start : self.end] if isinstance(data, bytes) else data[self.start : self.end]

    @property
    def content(self) -> memoryview | Stretch:
        """The content as received, still in its transfer encoding."""
        data = self.data
        return memoryview(data)[self.body : self.end] if isinstance(data, bytes) else data[self.body : self.end]

    def header(self, name: str) -> str | None:
        """The value of a header that may stand once. Raises MimeFault when it stands twice."""
        return self.headers.one(name)

    @property
    def content_type(self) -> str:
        """The media type with its parameters, `application/octet-stream` when none is given (RFC 9110 8.3)."""
        return self.header("content-type") or "application/octet-stream"

    @property
    def media_type(self) -> str:
        """The media type alone, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    def decoded(self, spool: Spool | None = None) -> Octets:
        """The content without its transfer encoding (RFC 2045 section 6); `spool` is for one too large for memory."""
        return decoded((self.header("content-transfer-encoding") or "binary").strip().lower(), self.content, spool)


def decoded(encoding: str, content: memoryview | Stretch, spool: Spool | None) -> Octets:
    """Content without that transfer encoding, in a scratch of `spool` where it is too large for memory."""
    if encoding in {"binary", "8bit", "7bit"}:
        return content
    if encoding not in DECODERS:
        raise MimeFault(f"unknown transfer encoding {encoding[:40]!r}")
    try:
        if isinstance(content, Stretch):
            return gathered(DECODERS[encoding].in_pieces(content), spool)
        return DECODERS[encoding].at_once(content)
    except ValueError as error:
        raise MimeFault(f"not {encoding}: {error}") from error


class Index(dict[str, str]):
    """Headers by lower-case name; one that stands twice has no value anybody could rely on."""

    _twice: frozenset[str] = frozenset()

    def __init__(self, headers: Headers) -> None:
        super().__init__({name.lower(): value for name, value in headers})
        if len(self) < len(headers):
            counts = Counter([name.lower() for name, _ in headers])
            self._twice = frozenset(name for name, count in counts.items() if count > 1)

    def one(self, name: str) -> str | None:
        """The one value of a header, or `None`. Raises MimeFault when it stands twice: each reader takes another."""
        if name in self._twice:
            raise MimeFault(f"header {name} stands more than once")
        return self.get(name)


def fields(text: str) -> tuple[tuple[str, str], ...]:
    """Header lines, folded or not (RFC 5322 2.2), as names and values."""
    found: list[tuple[str, str]] = []
    for name, value, wrong in _FIELD.findall(text):
        if name:
            found.append((name, (_FOLD.sub(" ", value) if "\n" in value else value).strip(" \t")))
            if len(found) > MAX_HEADERS:
                raise MimeFault(f"more than {MAX_HEADERS} headers")
        elif wrong:
            raise MimeFault(f"not a header line: {wrong[:60]!r}")
    return tuple(found)


def entity(data: bytes | Stretch, start: int = 0, end: int | None = None) -> Entity:
    """Read the headers of the entity that fills `data[start:end]`."""
    end = len(data) if end is None else end
    for empty in (b"\r\n", b"\n"):
        if data.startswith(empty, start, end):
            return Entity(data=data, start=start, body=start + len(empty), end=end, headers=Index(()))
    limit = min(end, start + MAX_HEADER_OCTETS)
    head, at = (data, start) if isinstance(data, bytes) else (data.look(start, limit), 0)
    limit += at - start
    # The first of the two spellings of a blank line behind a line's end.
    blank, size = head.find(b"\n\r\n", at, limit), 3
    bare = head.find(b"\n\n", at, limit if blank < 0 else blank + 1)
    if bare >= 0:
        blank, size = bare, 2
    if blank < 0:
        raise MimeFault("headers without an end")
    headers = Index(fields(head[at:blank].removesuffix(b"\r").decode("latin-1")))
    return Entity(data=data, start=start, body=start + blank + size - at, end=end, headers=headers)


def structured(value: str) -> Value:
    """A header value with parameters, quoted (RFC 2045 5.1) or extended and in pieces (RFC 2231)."""
    if len(value) > MAX_VALUE:
        raise MimeFault(f"a header value of {len(value)} characters; {MAX_VALUE} are allowed")
    head = _MEDIA_TYPE.match(value)
    if head is None:
        raise MimeFault(f"not a header value: {value[:60]!r}")
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, (written, quoted, bare, wrong) in enumerate(_PARAMETER.findall(value, head.end()), 1):
        if wrong:
            if wrong.strip(" \t;"):
                raise MimeFault(f"not a parameter: {wrong[:60]!r}")
            break
        if count > MAX_PARAMETERS:
            raise MimeFault(f"more than {MAX_PARAMETERS} parameters")
        name = written.lower()
        text: str = bare or (_QUOTED_PAIR.sub(r"\1", quoted) if "\\" in quoted else quoted)
        if "*" in name:
            numbered = _PIECE.match(name)
            if numbered is not None:
                pieces.setdefault(numbered[1], {})[int(numbered[2])] = (text, bool(numbered[3]))
            else:
                pieces.setdefault(name.rstrip("*"), {})[0] = (text, True)
        elif name in plain:
            raise MimeFault(f"parameter {name} stands twice")
        else:
            plain[name] = text
    if not pieces:
        return Value(word=head[1].lower(), parameters=plain)
    extended = {name: _extended(parts) for name, parts in pieces.items()}
    return Value(word=head[1].lower(), parameters=plain | extended)


def _extended(parts: dict[int, tuple[str, bool]]) -> str:
    """Join the pieces of one parameter and decode them from its charset (RFC 2231 sections 3 and 4)."""
    charset, octets = "utf-8", b""
    for number in sorted(parts):
        text, encoded = parts[number]
        if number == 0 and encoded and text.count("'") >= 2:  # noqa: PLR2004  charset'language'text
            charset, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "replace")
        octets += unquote_to_bytes(raw) if encoded else raw
    return text_in(charset, octets)


def text_in(charset: str, octets: bytes) -> str:
    """Octets as text in a charset that the sender named; in one we do not take, or where they are not, ISO-8859-1."""
    try:
        return octets.decode(_CHARSETS.get(charset.lower() or "utf-8", "latin-1"))
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def printable(text: str) -> str:
    """Text without controls, NUL and surrogates: it can be shown, stored and encoded as UTF-8."""
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub("", text)


def parts(whole: Entity, *, most: int = MAX_PARTS) -> list[Entity]:
    """The parts of a multipart entity (RFC 2046 5.1.1), at most so many.

    The line end before a delimiter belongs to the delimiter. A preamble is tolerated; behind the closing delimiter only
    white space is: octets there are covered by no signature, and an attacker could end a forged ciphertext in them.
    """
    boundary = structured(whole.content_type).parameters.get("boundary", "").encode("latin-1", "replace")
    if not 0 < len(boundary) <= MAX_BOUNDARY:
        raise MimeFault("a multipart without a boundary")
    data, end, delimiter = whole.data, whole.end, b"--" + boundary
    found: list[Entity] = []
    opened: int | None = None
    at, near = whole.body, 0
    at_line_start = True
    while True:
        if at_line_start and data.startswith(delimiter, at, end):
            here = at
        else:
            here = _line_of(data, delimiter, at, end)
            if here < 0:
                raise MimeFault("a multipart without its closing delimiter")
        at_line_start = False
        behind = here + len(delimiter)
        closing = data.startswith(b"--", behind, end)
        line_end = _line_end(data, behind, end)
        if not closing and line_end is None:
            at, near = behind, near + 1
            if near > MAX_NEAR_DELIMITERS:
                raise MimeFault("too many lines that are nearly a delimiter")
            continue
        if opened is not None:
            stop = here - (2 if data.startswith(b"\r\n", here - 2, end) else 1)
            found.append(entity(data, opened, max(stop, opened)))
            if len(found) > most:
                raise MimeFault(f"more than {most} parts")
        if closing:
            if bytes(data[behind + 2 : min(end, behind + 1026)]).strip() or end > behind + 1026:
                raise MimeFault("something follows the closing delimiter")
            return found
        assert line_end is not None
        at = opened = line_end
        # An empty part: its delimiter follows at once, the line end that belongs to it is the one just read.
        at_line_start = True


def _line_of(data: bytes | Stretch, delimiter: bytes, at: int, end: int) -> int:
    """Where the next line behind `at` begins that starts with the delimiter; negative when there is none."""
    for _ in range(_LINES):
        line_end = data.find(b"\n", at, end)
        if line_end < 0:
            return -1
        at = line_end + 1
        if data.startswith(delimiter, at, end):
            return at
    found = data.find(b"\n" + delimiter, at - 1, end)
    return found + 1 if found >= 0 else -1


def _line_end(data: bytes | Stretch, at: int, end: int) -> int | None:
    """Where the line of a delimiter ends, if nothing but white space stands behind the delimiter."""
    if isinstance(data, Stretch):
        found = _AFTER_DELIMITER.match(data.look(at, min(end, at + _MAX_PADDING)))
        return found and at + found.end()
    found = _AFTER_DELIMITER.match(data, at, end)
    return found and found.end()
