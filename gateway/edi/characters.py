"""Bytes of a message as text and back: charsets, released characters, sizes. Nothing is lost and nothing is judged.

A message is decoded once, as a whole, so that lengths count characters and cutting is one `split`. What cannot be
decoded stands in the text as lone surrogates, a released character of EDIFACT as a noncharacter: both turn back into
their bytes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from functools import lru_cache

from gateway.edi.charset import is_transparent
from gateway.edi.delimiters import Delimiters
from gateway.errors import OurFault

_STANDS_FOR = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4"
"""Noncharacters (no text may hold them) for a released release, terminator, element, component, repetition."""
UNDECODABLE = re.compile("[\ud800-\udfff]+")
"""What could not be decoded."""


def codec(name: str) -> str:
    """The codec of that name, as Python spells it. Raises OurFault for one that cannot be cut before it is decoded."""
    if not is_transparent(name):
        remedy = "name an ASCII-compatible one, such as utf-8, iso-8859-1 or windows-1252"
        raise OurFault(f"EDI cannot be read in the charset {name!r}", remedy=remedy)
    return codecs.lookup(name).name


def _releases(delimiters: Delimiters) -> list[tuple[str, str]]:
    release = delimiters.release
    if release is None:
        return []
    characters = (release, delimiters.segment, delimiters.element, delimiters.component, delimiters.repetition)
    return [(release + one, stand) for one, stand in zip(characters, _STANDS_FOR, strict=True) if one]


def decoded(raw: bytes, charset: str, delimiters: Delimiters) -> str:
    """The text of a message, ready to be cut: released characters stand as noncharacters."""
    text = raw.decode(charset, "surrogateescape")
    if not text.isascii() and any(stand in text for stand in _STANDS_FOR):
        # Noncharacters in the data: as undecodable as any other wrong byte.
        for stand in _STANDS_FOR:
            text = text.replace(stand, stand.encode(charset).decode("ascii", "surrogateescape"))
    if delimiters.release is not None and delimiters.release in text:
        # The released release character first: `replace` goes from left to right, so pairs are pairs (ISO 9735 5.3).
        for pair, stand in _releases(delimiters):
            text = text.replace(pair, stand)
    return text


def unreleased(text: str, delimiters: Delimiters) -> str:
    """The end of a file that ends with a release character: what it seems to release was supplied by us."""
    end = _STANDS_FOR[1] + delimiters.segment
    return text.removesuffix(end) + (delimiters.release or "") + delimiters.segment


@lru_cache(maxsize=64)
def cleaner(delimiters: Delimiters) -> Callable[[str], str]:
    """A function from text as it was cut to text as it was meant."""
    back = {ord(stand): pair[-1] for pair, stand in _releases(delimiters)}
    release = delimiters.release

    def clean(text: str) -> str:
        if release is not None and release in text:
            # A release before a character that needs none: the character is what was meant.
            text = text.replace(release, "")
        return UNDECODABLE.sub("\ufffd", text).translate(back)

    return clean


def sent(text: str, delimiters: Delimiters) -> str:
    """Text as it was sent, released characters behind their release."""
    if not text.isascii():
        for pair, stand in _releases(delimiters):
            text = text.replace(stand, pair)
    return text


def encoded(text: str, charset: str, delimiters: Delimiters) -> bytes:
    """The bytes that `decoded` had."""
    return sent(text, delimiters).encode(charset, "surrogateescape")


def size(text: str, charset: str, delimiters: Delimiters) -> int:
    """How many bytes the text had."""
    return len(text) if text.isascii() else len(encoded(text, charset, delimiters))
