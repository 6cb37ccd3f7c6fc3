"""The segment directory (EDSD) and the composite directory (EDCD): entries with rows.

    BGM  BEGINNING OF MESSAGE                                       a tag and a name,

    Function: To indicate …                                         a text,

    010    C002 DOCUMENT/MESSAGE NAME              C    1           a row: position, tag, name, status, times
           1001  Document name code                C      an..3     its components (EDCD is asked for them)
    020 *  1225 MESSAGE FUNCTION CODE              C    1 an..3     and representation; a long name runs on below

Before D.99B there is no number of times (once). An entry with one unreadable row is left out: with an element missing
from its middle, all that follow would be taken for their neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.edi.directory.report import Report
from gateway.edi.directory.text import CHANGE, MAX_LINE, Block, Line, blocks

STEP = 10
"""From one position to the next."""
MAX_DIGITS = 9
"""Of a number of times."""

FORM = r"(?:an|a|n)(?:\.\.)?\d{1,5}"
"""A representation: an..35, n4, a3."""

_HEAD = rf"\s*(?:{CHANGE}\s+)?(?P<id>%s)\s+(?P<name>\S.*)"
SEGMENT = re.compile(_HEAD % r"[A-Z]{3}")
COMPOSITE = re.compile(_HEAD % r"[CSE]\d{3}")
_ROW = re.compile(
    rf"\s*(?:{CHANGE}\s*)?(?P<position>\d{{3}})(?:\s*{CHANGE})?\s+(?P<id>[CSE]\d{{3}}|\d{{4}})\s+(?P<rest>\S.*)"
)
_LOOKS_LIKE_A_ROW = re.compile(rf"(?!{CHANGE}(?:\s|$))\S|\s*(?:{CHANGE}\s*)?\d{{3}}\s+(?:[CSE]\d{{3}}|\d{{4}})\b")
_LOOSE_FORM = re.compile(r"\b(an|a|n) ?\.\. ?(\d{1,5})$")
_FORM = re.compile(FORM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """An element at its position in a segment or composite."""

    position: int
    """10, 20, 30, …"""
    id: str
    """C002 or 1004."""
    name: str
    mandatory: bool
    times: int
    form: str
    """an..35; empty for a composite, or where the element directory says it."""
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A segment or a composite."""

    id: str
    name: str
    rows: tuple[Row, ...]
    line: int


def entries(file: str, rows: tuple[Line, ...], head: re.Pattern[str], report: Report) -> dict[str, Entry]:
    """The readable entries by tag; each of the others is a finding."""
    found: dict[str, Entry] = {}
    for block in blocks(rows):
        entry = _entry(file, block, head, report)
        if entry is None:
            continue
        if entry.id in found:
            said, wanted = f"{entry.id} again (first in line {found[entry.id].line})", "one entry for a tag"
            report.note("directory.twice", (file, entry.line), said, wanted, "the first was taken")
            continue
        found[entry.id] = entry
    return found


def _entry(file: str, block: Block, head: re.Pattern[str], report: Report) -> Entry | None:
    first = block[0]
    found = head.fullmatch(first.text)
    if found is None:
        wanted = "an entry: a tag and its name"
        report.left_out("directory.entry", (file, first.number), repr(first.text.strip()), wanted, "correct the text")
        return None
    name, start = _name(found["name"], block)
    rows: list[Row] = []
    for outcome in _rows(block[start:]):
        if isinstance(outcome, Line):
            wanted = f"a row of {found['id']}: position, tag, name, M or C"
            fix = f"correct the line; {found['id']} was left out"
            report.left_out("directory.row", (file, outcome.number), repr(outcome.text.strip()), wanted, fix)
            return None
        rows.append(outcome)
    if not rows:
        said, wanted = f"{found['id']} without rows", "at least one row"
        report.left_out("directory.row", (file, first.number), said, wanted, f"{found['id']} was left out")
        return None
    if gap := next((row for index, row in enumerate(rows, start=1) if row.position != index * STEP), None):
        said, wanted = f"{found['id']} has position {gap.position:03d} here", "010, 020, 030, … without a gap"
        report.note("directory.row", (file, gap.line), said, wanted, "look whether an element is missing before it")
    return Entry(id=found["id"], name=name, rows=tuple(rows), line=first.number)


def _name(name: str, block: Block) -> tuple[str, int]:
    """The whole name, which may run on until an empty line, and where the rest of the block starts."""
    for index, line in enumerate(block[1:], start=1):
        if not line.text or _ROW.fullmatch(line.text):
            return name, index
        if len(name) < MAX_LINE:
            name = f"{name} {line.text.strip()}"
    return name, len(block)


def _rows(block: Block) -> Iterator[Row | Line]:
    """The rows; a line that should be one and cannot be read comes as it is."""
    last = 0
    begun: tuple[Line, re.Match[str], str] | None = None  # a row whose name runs on below, and what there was of it
    for line in block:
        start = _ROW.fullmatch(line.text)
        if begun:
            first, opened, before = begun
            if start or not line.text or len(before) > MAX_LINE:
                yield first
                return
            whole = f"{before} {line.text.strip()}"
            if row := _row(first, opened, whole):
                yield row
            begun = None if row else (first, opened, whole)
            continue
        if start:
            if int(start["position"]) <= last:
                yield line
                return
            last = int(start["position"])
            if row := _row(line, start, start["rest"]):
                yield row
            else:
                begun = (line, start, start["rest"])
        elif line.text and _LOOKS_LIKE_A_ROW.match(line.text):
            yield line
    if begun:
        yield begun[0]


def _row(line: Line, start: re.Match[str], rest: str) -> Row | None:
    """The row, from its end: representation and times, where they are, and the status before them."""
    words = _LOOSE_FORM.sub(r"\1..\2", rest).split()
    form = words.pop() if words and _FORM.fullmatch(words[-1]) else ""
    times = words.pop() if words and words[-1].isdecimal() and words[-2:-1] in (["M"], ["C"]) else "1"
    if not words or words[-1] not in {"M", "C"} or len(times) > MAX_DIGITS:
        return None
    return Row(
        position=int(start["position"]),
        id=start["id"],
        name=" ".join(words[:-1]),
        mandatory=words[-1] == "M",
        times=int(times) or 1,
        form=form,
        line=line.number,
    )
