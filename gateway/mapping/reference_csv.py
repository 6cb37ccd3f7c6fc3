"""Cross-references as CSV, both ways: what `write` makes, `read` takes back; all mistakes of a file at once."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway.findings import FilePlace, Finding
from gateway.mapping.references import ALL, CrossReference
from gateway.mapping.rules import finding
from gateway.yamltext import near_miss

COLUMNS = ("partner", "list", "scheme", "theirs", "ours", "factor", "valid_from", "valid_to")
NEEDED = ("list", "theirs", "ours")
MOST_BYTES = 32 << 20
MOST_ROWS = 100_000
MOST_FINDINGS = 100
LONGEST = 200
"""Characters of a word."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
_FACTOR = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """The rows of a file with their lines; nothing may be done with them while there are findings."""

    rows: tuple[tuple[int, CrossReference], ...]
    findings: tuple[Finding, ...]


class WrongWord(ValueError):  # noqa: N818  a value, collected
    """A value of a row has another form: which column, what it says, what it should be."""

    def __init__(self, column: str, said: str, wanted: str) -> None:
        super().__init__(f"{column}: {said!r}; expected {wanted}")
        self.column, self.said, self.wanted = column, said, wanted


def row_of(words: Mapping[str, str]) -> tuple[CrossReference | None, tuple[WrongWord, ...]]:
    """A row from its words by column, or everything wrong with them."""
    wrong: list[WrongWord] = []
    given = {name: words.get(name, "").strip() for name in COLUMNS}
    form = f"1 to {LONGEST} characters, none of them a control character"
    wrong += [WrongWord(name, given[name], form) for name in ("theirs", "ours") if not _is_word(given[name])]
    if given["scheme"] and not _is_word(given["scheme"]):
        wrong.append(WrongWord("scheme", given["scheme"], f"at most {LONGEST} characters"))
    if not _NAME.match(given["list"]):
        said = given["list"]
        wrong.append(WrongWord("list", said, "items, units, locations, parties, codes or a short name of your own"))
    if given["partner"] and not _NAME.match(given["partner"]):
        wrong.append(WrongWord("partner", given["partner"], "a partner's name, or nothing for all"))
    factor = _factor(given, wrong)
    first, last = _day(given, "valid_from", wrong), _day(given, "valid_to", wrong)
    if first and last and last < first:
        wrong.append(WrongWord("valid_to", given["valid_to"], f"a day not before {first}"))
    if wrong:
        return None, tuple(wrong)
    row = CrossReference(
        partner=given["partner"] or ALL,
        list=given["list"],
        scheme=given["scheme"],
        theirs=given["theirs"],
        ours=given["ours"],
        factor=factor,
        valid_from=first,
        valid_to=last,
    )
    return row, ()


def read(file: str, data: bytes, *, partner: str | None = None) -> Read:
    """The rows of `data`; `partner` is whose they are where a row does not say. Separator: comma, semicolon or tab."""
    if len(data) > MOST_BYTES:
        return _only(file, 1, said=f"{len(data):,} bytes", wanted=f"at most {MOST_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return _only(file, line, said=f"byte {data[error.start]:#04x}", wanted="UTF-8")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        return _only(file, line, said="a zero byte", wanted="text")
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, CrossReference]] = []
    findings: list[Finding] = []
    try:
        names = [name.strip().lower() for name in next(lines, [])]
        findings += _head(file, names)
        if findings:
            return Read(rows=(), findings=tuple(findings))
        start = lines.line_num + 1
        for cells in lines:
            line, start = start, lines.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) >= MOST_ROWS:
                findings += _only(file, line, said=f"more than {MOST_ROWS:,} rows", wanted="several files").findings
                break
            if len(findings) >= MOST_FINDINGS:
                break
            row, wrong = _row(file, line, names, cells, partner)
            findings += wrong
            if row is not None:
                rows.append((line, row))
    except csv.Error as error:
        findings += _only(file, lines.line_num or 1, said=str(error), wanted="CSV with quotes in pairs").findings
    return Read(rows=tuple(rows), findings=tuple(findings))


def strangers(file: str, rows: Iterable[tuple[int, CrossReference]], known: Collection[str]) -> Iterator[Finding]:
    """A finding for each row of a partner that is not `known`."""
    for line, row in rows:
        if row.partner != ALL and row.partner not in known:
            meant = near_miss(row.partner, known)
            yield finding(
                "reference.partner",
                FilePlace(file=file, line=line, key="partner"),
                said=repr(row.partner),
                wanted="a partner of the workspace, or nothing for all",
                fix=f"write {meant}"
                if meant
                else f"name a partner: {', '.join(sorted(known)[:20]) or 'there are none'}",
            )


def write(rows: Iterable[CrossReference]) -> str:
    """The rows as CSV with all columns."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(cells(row) for row in rows)
    return out.getvalue()


def difference(rows: Iterable[tuple[str, CrossReference]]) -> str:
    """Rows with what is done to each (add, end, retire), as CSV."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(("change", *COLUMNS))
    lines.writerows((word, *cells(row)) for word, row in rows)
    return out.getvalue()


def cells(row: CrossReference) -> tuple[str, ...]:
    """A row's words, in the order of COLUMNS."""
    factor = "" if row.factor is None else format(row.factor, "f")
    days = [one.isoformat() if one else "" for one in (row.valid_from, row.valid_to)]
    return (row.partner, row.list, row.scheme, row.theirs, row.ours, factor, *days)


def _row(
    file: str, line: int, names: list[str], cells_: list[str], partner: str | None
) -> tuple[CrossReference | None, list[Finding]]:
    if len(cells_) > len(names):
        said, wanted = f"{len(cells_)} values", f"{len(names)}, as the first line names"
        return None, [finding("reference.file.value", FilePlace(file=file, line=line), said=said, wanted=wanted)]
    words = dict(zip(names, cells_, strict=False))
    if partner is not None and not words.get("partner", "").strip():
        words["partner"] = partner
    row, wrong = row_of(words)
    return row, [
        finding(
            "reference.file.value",
            FilePlace(file=file, line=line, key=one.column),
            said=repr(one.said),
            wanted=one.wanted,
            fix=f"correct {one.column} in line {line}",
        )
        for one in wrong
    ]


def _head(file: str, names: list[str]) -> Iterator[Finding]:
    place = FilePlace(file=file, line=1)
    wanted = f"columns {', '.join(NEEDED)} and any of {', '.join(one for one in COLUMNS if one not in NEEDED)}"
    for name in names:
        if name not in COLUMNS:
            fix = "remove the column, or name it as it is meant"
            yield finding("reference.file.column", place, said=f"column {name!r}", wanted=wanted, fix=fix)
        elif names.count(name) > 1:
            yield finding("reference.file.column", place, said=f"{name} twice", wanted=wanted, fix="keep one of them")
    for name in NEEDED:
        if name not in names:
            fix = f"add the column {name}"
            yield finding("reference.file.column", place, said=f"no column {name}", wanted=wanted, fix=fix)


def _only(file: str, line: int, *, said: str, wanted: str) -> Read:
    one = finding("reference.file.csv", FilePlace(file=file, line=line), said=said, wanted=wanted)
    return Read(rows=(), findings=(one,))


def _is_word(text: str) -> bool:
    return 0 < len(text) <= LONGEST and text.isprintable()


def _factor(given: Mapping[str, str], wrong: list[WrongWord]) -> Decimal | None:
    text = given["factor"]
    if not text:
        return None
    if given["list"] != "units":
        wrong.append(WrongWord("factor", text, "nothing: only units have factors"))
    elif not _FACTOR.match(text) or not Decimal(text):
        wrong.append(WrongWord("factor", text, "a decimal above 0, at most 12 digits on each side of the point"))
    else:
        return None if Decimal(text) == 1 else Decimal(text)
    return None


def _day(given: Mapping[str, str], name: str, wrong: list[WrongWord]) -> dt.date | None:
    text = given[name]
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text if _DAY.match(text) else "")
    except ValueError:
        wrong.append(WrongWord(name, text, "a day such as 2026-05-01"))
        return None
