"""Directory texts as numbered lines: any of their character sets, box drawing told as `- | +`.

The early directories draw the brackets of segment groups with the box characters of code page 437 and part their
entries with lines of them; later ones use ASCII. Some archives carry them as Latin-1 letters, put into UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LINE = 400
"""Characters of a line that are looked at; the texts are written for 80 columns."""
MAX_LABEL = 80

CHANGE = r"[-+*#|X]{1,2}"
"""Change indicators: added, amended, renamed, reworded, marked for deletion (which still holds in this directory)."""

_HORIZONTAL, _VERTICAL = "─━═Ä", "│┃║³"
_CORNERS = "┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬¿Ù\u00b4Á"
_ASCII = {
    **{ord(one): "-" for one in _HORIZONTAL},
    **{ord(one): "|" for one in _VERTICAL},
    **{ord(one): "+" for one in _CORNERS},
}
_RULE = re.compile(r"\s*-{20,}\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `number` counts from 1, as editors do."""

    number: int
    text: str


Block = tuple[Line, ...]


def lines(data: bytes) -> tuple[Line, ...]:
    """The lines of a text in UTF-8 or code page 437, without trailing blanks."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp437")
    rows = re.split(r"\r\n|\n|\r", text.translate(_ASCII))
    return tuple(
        Line(number, row[:MAX_LINE].expandtabs()[:MAX_LINE].rstrip(" \x0c\x1a\x00"))
        for number, row in enumerate(rows, start=1)
    )


def blocks(rows: tuple[Line, ...]) -> Iterator[Block]:
    """What stands between the lines of dashes, without the preface before the first and without empty ones."""
    block: list[Line] | None = None
    for row in rows:
        if _RULE.fullmatch(row.text):
            if block:
                yield tuple(block)
            block = []
        elif block is not None and (block or row.text):
            block.append(row)
    if block:
        yield tuple(block)


def label(name: str, otherwise: str) -> str:
    """A name as a label of our notation: lower case, no brackets, nothing that YAML would read as more than text."""
    plain = "".join(one if one.isprintable() else " " for one in re.sub(r"\[\w?\]", "", name))
    plain = plain.replace("[", "(").replace("]", ")").replace("#", " ").replace(":", " ")
    return " ".join(plain.lower().split())[:MAX_LABEL].rstrip() or otherwise
