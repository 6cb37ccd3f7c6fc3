"""The element directory (EDED) and the code list (UNCL): what a data element looks like, and its codes.

Codes stand right-aligned in columns 4 to 9 of the early lists and left-aligned from column 6 of the later ones, before
their names; what they mean is indented further and is not needed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.edi.directory.report import Report
from gateway.edi.directory.text import CHANGE, Block, Line, blocks

_HEAD = re.compile(rf"\s*(?:{CHANGE}\s+)?(?P<id>\d{{4}})\s+(?P<name>\S.*)")
_FORM = re.compile(r"\s*(?:\|\s*)?Repr:\s*(?P<form>(?:an|a|n) ?(?:\.\.)? ?\d{1,5})\s*", re.IGNORECASE)
_NOTE = re.compile(r"\s{0,6}Note:")
_NEW, _OLD, _CODE_END = 5, 3, 9
"""Columns from 0: where a code starts in the later lists, where its field starts and ends in the early ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """A data element."""

    name: str
    form: str
    """an..35"""


def elements(file: str, rows: tuple[Line, ...], report: Report) -> dict[str, Element]:
    """The readable data elements by number; each of the others is a finding."""
    found: dict[str, Element] = {}
    for block in blocks(rows):
        head = _HEAD.fullmatch(block[0].text)
        forms = [form for line in block if (form := _FORM.fullmatch(line.text))]
        if head is None or not forms:
            said = repr(block[0].text.strip())
            wanted = "a data element: number, name, Repr:"
            report.note("directory.entry", (file, block[0].number), said, wanted, "correct the text")
            continue
        found.setdefault(head["id"], Element(name=head["name"], form=forms[0]["form"].lower().replace(" ", "")))
    return found


def codes(rows: tuple[Line, ...]) -> dict[str, frozenset[str]]:
    """The codes of every element that has any, by its number."""
    found: dict[str, frozenset[str]] = {}
    for block in blocks(rows):
        head = _HEAD.fullmatch(block[0].text)
        if head and (values := frozenset(_codes(block[1:]))):
            found[head["id"]] = found.get(head["id"], frozenset()) | values
    return found


def _codes(block: Block) -> Iterator[str]:
    """The codes after the representation; a note of the element, up to the next empty line, has none."""
    begun = note = False
    for line in block:
        if not line.text or not begun:
            note = False
            begun = begun or bool(_FORM.fullmatch(line.text))
        elif _NOTE.match(line.text):
            note = True
        elif not note and (code := _code(line.text)):
            yield code


def _code(text: str) -> str:
    """The code that begins this line; empty for a line that only goes on."""
    if text[_CODE_END : _CODE_END + 1] == " " and text[_CODE_END + 1 : _CODE_END + 2].strip():
        field = text[_OLD:_CODE_END]
        if field.strip() and not field[-1].isspace() and " " not in field.strip():
            return field.strip()
    if text[_NEW - 1 : _NEW] == " " and text[_NEW : _NEW + 1].strip():
        code, _, rest = text[_NEW:].partition(" ")
        starts = _NEW + len(code) + 1 + len(rest) - len(rest.lstrip())
        if rest and starts >= _NEW + 6:
            return code
    return ""


def open_lists(rows: tuple[str, ...]) -> frozenset[int]:
    """The places (from 0) of components whose codes another list may give: 1131 and 3055 after them name that list."""
    return frozenset(
        index for index in range(len(rows)) if rows[index] not in {"1131", "3055"} and "1131" in rows[index + 1 :]
    )


Codes = Mapping[str, frozenset[str]]
