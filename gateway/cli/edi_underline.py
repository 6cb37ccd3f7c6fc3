"""A segment as a line of text, and where in it an element, a component or a repeat stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.cells import cell_len

from gateway.edi.delimiters import Delimiters
from gateway.findings import EdiPlace

AROUND = 40
"""Characters shown on either side of what is underlined, when the line is long."""
LONGEST = 100
CUT = "…"


@dataclass(frozen=True, kw_only=True, slots=True)
class Underlined:
    """A line, and the marks for the line under it: `BAK*00*AC**20260102` and `          ^`."""

    text: str
    marks: str


def underline(raw: bytes, place: EdiPlace, delimiters: Delimiters, charset: str, *, at: int = 0) -> Underlined:
    """The segment with its offending part underlined; its tag when the place names no element.

    `at` is the index in `raw` of the byte that the finding names.
    """
    start, end = span(raw, place, delimiters)
    if start < at < end:
        # The finding names one byte inside the element.
        start, end = at, at + 1
    before, bad, after = (_shown(one, charset) for one in (raw[:start], raw[start:end], raw[end:]))
    if len(before) > AROUND and len(before + bad + after) > LONGEST:
        before = CUT + before[-AROUND:]
    if len(bad) > LONGEST - AROUND:
        bad = bad[: LONGEST - AROUND] + CUT
    if len(before + bad + after) > LONGEST:
        after = after[: max(AROUND, LONGEST - len(before + bad))] + CUT if len(after) > AROUND else after
    return Underlined(text=before + bad + after, marks=" " * cell_len(before) + "^" * max(1, cell_len(bad)))


def span(raw: bytes, place: EdiPlace, delimiters: Delimiters) -> tuple[int, int]:
    """Where the named part begins and ends in the bytes of its segment; an empty stretch where it is missing."""
    if place.element is None:
        tag = len(raw) if not place.tag or not raw.startswith(place.tag.encode()) else len(place.tag)
        return 0, tag
    found = _part(raw, (0, len(raw)), delimiters.element, place.element, delimiters)
    if place.repeat is not None and delimiters.repetition:
        found = _part(raw, found, delimiters.repetition, place.repeat - 1, delimiters)
    if place.component is not None:
        found = _part(raw, found, delimiters.component, place.component - 1, delimiters)
    return found


def _part(raw: bytes, within: tuple[int, int], separator: str, index: int, delimiters: Delimiters) -> tuple[int, int]:
    """Part `index`, from 0, of a stretch of a segment; behind its end where there are fewer parts."""
    start, end = within
    sign = re.escape(separator.encode())
    # A release character takes the next byte with it, whatever that is.
    release = re.escape((delimiters.release or "").encode())
    pattern = re.compile((release + rb"[\x00-\xff]|" if release else b"") + rb"(" + sign + rb")")
    at = start
    for found in pattern.finditer(raw, start, end):
        if found[1] is None:
            continue
        if index == 0:
            return at, found.start()
        index -= 1
        at = found.end()
    return (at, end) if index == 0 else (end, end)


def _shown(raw: bytes, charset: str) -> str:
    """Bytes as one line for people: one character each, controls and what cannot be decoded made visible."""
    text = raw.decode(charset, "backslashreplace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
