"""A message's text: its type and version, and the segment table of section 4.3 with its drawn segment groups.

    0100       ----- Segment group 2  ------------------ C   99----------+     a group opens: one bracket more
    0110   NAD Name and address                          M   1           |     its trigger
                                                                         |
    0160 * ----- Segment group 5  ------------------ C   5----------+|         a group in it
    0170   CTA Contact information                       M   1          ||
    0180   COM Communication contact                     C   5----------++     both close

Every bracket beside a row is a group it stands in; `+` beside a segment closes that group. Both facts are read, and
must agree: where the drawing is damaged the message is left out, since nobody could say which group a segment is in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.edi.directory.entries import MAX_DIGITS
from gateway.edi.directory.report import Report
from gateway.edi.directory.text import CHANGE, Line

MAX_DEPTH = 20
POSITION = range(3, 6)
"""Digits of a position: four, and five since the table was widened for D.09A (R.1023/Rev.11)."""
SERVICE = frozenset({"UNH", "UNT", "UIH", "UIT"})
"""The envelope of a message; a guide holds what is between them."""

_COLUMNS = re.compile(r"\s*(?:Pos\s+)?Tag\s+Name\s+S\s+R(?:ept)?\b.*", re.IGNORECASE)
_DRAWING = "-|+ "
_TAG = re.compile(r"[A-Z]{3}")
_GROUP = re.compile(r"segment group (?P<number>\d{1,3})", re.IGNORECASE)
_CHANGED = re.compile(CHANGE)
_ORNAMENT = re.compile(r"[-|+\s]*|\s*(?:HEADER|DETAIL|SUMMARY) SECTION[-|+\s]*", re.IGNORECASE)
_HEAD = {
    "type": re.compile(r"\s*Message type\s*:\s*([A-Z]{6})\b.*", re.IGNORECASE),
    "version": re.compile(r"\s*Version\s*:\s*(\w{1,3})\b.*", re.IGNORECASE),
    "release": re.compile(r"\s*Release\s*:\s*(\w{1,3})\b.*", re.IGNORECASE),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A segment in a table."""

    tag: str
    mandatory: bool
    times: int
    line: int


@dataclass(kw_only=True, slots=True)
class Group:
    """A segment group in a table; its first item is its trigger."""

    number: int
    mandatory: bool
    times: int
    line: int
    items: list[Place | Group] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A message as its directory describes it."""

    file: str
    type: str
    version: str
    """D96A; empty where the text does not say it."""
    name: str
    items: Sequence[Place | Group]


class _DamagedError(Exception):
    def __init__(self, rule: str, line: Line, said: str, wanted: str) -> None:
        super().__init__(said)
        self.rule, self.line, self.said, self.wanted = rule, line, said, wanted


def read_table(file: str, type: str, rows: tuple[Line, ...], report: Report) -> Table | None:  # noqa: A002  trade's word
    """The message of this text; None and a finding when its table cannot be read. `type` is what its file is called."""
    head = {name: _first(rows, pattern) for name, pattern in _HEAD.items()}
    try:
        items = _items(file, rows, report)
    except _DamagedError as damaged:
        fix = f"correct the text; {type} was left out"
        report.left_out(damaged.rule, (file, damaged.line.number), damaged.said, damaged.wanted, fix)
        return None
    version = (head["version"] + head["release"]).upper()
    return Table(file=file, type=(head["type"] or type).upper(), version=version, name=_title(rows), items=items)


def _first(rows: tuple[Line, ...], pattern: re.Pattern[str]) -> str:
    return next((found[1] for row in rows[:200] if (found := pattern.fullmatch(row.text))), "")


def _title(rows: tuple[Line, ...]) -> str:
    """The message's name: what comes after the words CONTENTS, or UNITED NATIONS STANDARD MESSAGE."""
    for word in ("CONTENTS", "STANDARD MESSAGE"):
        start = next((index for index, row in enumerate(rows[:200]) if word in row.text), None)
        if start is not None:
            name = next((row.text.strip() for row in rows[start + 1 : start + 12] if row.text), "")
            return re.sub(r"\s+message$", "", name, flags=re.IGNORECASE)
    return ""


def _items(file: str, rows: tuple[Line, ...], report: Report) -> list[Place | Group]:
    start = next((index for index, row in enumerate(rows) if _COLUMNS.fullmatch(row.text)), None)
    if start is None:
        last = rows[-1] if rows else Line(1, "")
        said, wanted = "no segment table", "the heading Pos Tag Name S R and rows below it"
        raise _DamagedError("directory.table", last, said, wanted)
    reader = _Reader(file, report)
    for row in rows[start + 1 :]:
        reader.take(row)
        if reader.ended:
            return reader.top
    raise _DamagedError("directory.table", rows[-1], "the end of the text", "UNT, the end of the table")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A line of the table, taken apart from its end: drawing, times, status; before them position and words."""

    numbered: bool
    words: Sequence[str]
    status: str | None
    times: int
    drawing: str
    """One `|` or `+` for every bracket."""

    @classmethod
    def of(cls, text: str) -> _Row:
        body = text.rstrip(_DRAWING)
        drawing = text[len(body) :].replace("-", "").replace(" ", "")
        words = re.sub(r"-{2,}", " ", body).split()
        numbered = bool(words) and words[0].isdecimal() and len(words[0]) in POSITION
        if numbered:
            words = words[1:]
        if words and _CHANGED.fullmatch(words[0]):
            words = words[1:]
        if words[-2:-1] in (["M"], ["C"]) and words[-1].isdecimal() and len(words[-1]) <= MAX_DIGITS:
            *words, status, times = words
            return cls(numbered=numbered, words=words, status=status, times=int(times) or 1, drawing=drawing)
        return cls(numbered=numbered, words=words, status=None, times=0, drawing=drawing)


class _Reader:
    """Builds the groups from rows, one after the other."""

    def __init__(self, file: str, report: Report) -> None:
        self.file, self.report = file, report
        self.top: list[Place | Group] = []
        self.groups: list[Group] = []
        self.ended = False
        self.begun: tuple[Line, Sequence[str]] | None = None
        """A row whose name runs on below: its line and what it said."""

    def take(self, line: Line) -> None:
        """One line of the table."""
        if _ORNAMENT.fullmatch(line.text) or _COLUMNS.fullmatch(line.text):
            if self.begun and not line.text.strip(_DRAWING):
                raise _unreadable(self.begun[0])
            return
        row = _Row.of(line.text)
        if self.begun:
            first, words = self.begun
            if row.status is None or row.numbered or (row.words and _TAG.fullmatch(row.words[0])):
                raise _unreadable(first)
            self.begun = None
            self.row(first, words, row)
        elif row.status:
            self.row(line, row.words, row)
        elif row.words and _TAG.fullmatch(row.words[0]):
            self.begun = (line, row.words)
        elif row.numbered:
            raise _unreadable(line)
        else:
            said, wanted = repr(line.text.strip()), "a row of the segment table"
            self.report.note("directory.table", (self.file, line.number), said, wanted, "the line was passed over")

    def row(self, line: Line, words: Sequence[str], row: _Row) -> None:
        """A segment or the head of a group, and what is drawn beside it."""
        mandatory, drawing = row.status == "M", row.drawing
        if group := _GROUP.fullmatch(" ".join(words)):
            self.depth(line, len(drawing), len(self.groups) + 1)
            if len(self.groups) == MAX_DEPTH:
                raise _DamagedError("directory.table", line, "a group yet deeper", f"at most {MAX_DEPTH} levels")
            opened = Group(number=int(group["number"]), mandatory=mandatory, times=row.times, line=line.number)
            (self.groups[-1].items if self.groups else self.top).append(opened)
            self.groups.append(opened)
        elif words and _TAG.fullmatch(words[0]):
            self.segment(line, Place(tag=words[0], mandatory=mandatory, times=row.times, line=line.number), drawing)
        else:
            raise _unreadable(line)

    def segment(self, line: Line, place: Place, drawing: str) -> None:
        """A segment in the group that is open."""
        self.depth(line, len(drawing), len(self.groups))
        if place.tag in SERVICE:
            if self.groups:
                raise _DamagedError("directory.table", line, f"{place.tag} in a segment group", "it at the top")
            self.ended = place.tag in {"UNT", "UIT"}
            return
        if self.groups:
            group = self.groups[-1]
            if not group.items and not (place.mandatory and place.times == 1):
                said, wanted = f"{place.tag} begins segment group {group.number}", "the trigger to be M 1"
                self.report.note("directory.trigger", (self.file, line.number), said, wanted, "it was taken as M 1")
            group.items.append(place)
        else:
            self.top.append(place)
        for _ in range(drawing.count("+")):
            if not self.groups[-1].items:
                raise _DamagedError("directory.table", line, "a group without segments", "a trigger segment")
            self.groups.pop()

    def depth(self, line: Line, drawn: int, wanted: int) -> None:
        """Whether as many brackets are drawn as groups are open."""
        if drawn != wanted:
            raise _DamagedError("directory.drawing", line, f"{drawn} brackets beside this row", f"{wanted}")


def _unreadable(line: Line) -> _DamagedError:
    wanted = "position, tag, name, M or C, times"
    return _DamagedError("directory.table", line, repr(line.text.strip()), wanted)
