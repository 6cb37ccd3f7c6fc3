"""CSV text to rows and back: a header row names the columns. Bounded in size, rows, columns and cells.

Cells are written as the document says them. A text that a spreadsheet would take for a formula (`=`, `+`, `-`, `@`
first) stays as it is: to change it would change the fact. Whoever opens such a file by hand must import it as text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.findings import Finding, RowPlace
from gateway.mapping.rules import finding

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 500
MAX_CELL: Final = 4096
ENCODINGS: Final = ("utf-8", "utf-8-bom", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "us-ascii")
_CODEC: Final = {"utf-8": "utf-8-sig", "utf-8-bom": "utf-8-sig"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How the file is written. Reading takes any line ends, and a byte order mark for UTF-8."""

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    newline: str = "crlf"
    """crlf (RFC 4180) or lf."""
    comma: bool = False
    """Whether decimals have a comma."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A header, and rows with their number in the file."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_table(data: bytes, dialect: Dialect) -> tuple[Table | None, tuple[Finding, ...]]:
    """The rows, and what is wrong with the file; None where no header could be read."""
    if len(data) > MAX_BYTES:
        return None, (_finding("map.csv.limit", f"{len(data)} bytes", f"at most {MAX_BYTES} bytes"),)
    try:
        text = data.decode(_CODEC.get(dialect.encoding, dialect.encoding))
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        said = f"byte 0x{data[error.start]:02X}"
        return None, (_finding("map.csv.syntax", said, f"text in {dialect.encoding}", row=row),)
    found: list[Finding] = []
    rows: list[tuple[int, tuple[str, ...]]] = []
    header: tuple[str, ...] | None = None
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True
    )
    number = 0
    try:
        for cells in reader:
            number += 1
            if not any(cells):
                continue
            if header is None:
                header = tuple(cell.strip() for cell in cells)
                found += _header(header, number)
                continue
            if number > MAX_ROWS:
                found.append(_finding("map.csv.limit", f"more than {MAX_ROWS} rows", f"at most {MAX_ROWS}", row=number))
                break
            wrong = _row(cells, header, number)
            found += wrong
            if not wrong:
                rows.append((number, tuple(cells)))
    except csv.Error as error:
        found.append(_finding("map.csv.syntax", str(error), "quotes that open and close a cell", row=number + 1))
    if header is None or any(one.rule == "map.csv.header" for one in found):
        found += [] if found else [_finding("map.csv.header", "no row at all", "a header row", row=1)]
        return None, tuple(found)
    return Table(header=header, rows=tuple(rows)), tuple(found)


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]], dialect: Dialect) -> tuple[bytes, str]:
    """The file's bytes, and the characters that its encoding cannot hold, which are `?` in it."""
    end = "\r\n" if dialect.newline == "crlf" else "\n"
    text = "".join(dialect.delimiter.join(_cell(each, dialect) for each in row) + end for row in (header, *rows))
    codec = dialect.encoding if dialect.encoding != "utf-8-bom" else "utf-8-sig"
    try:
        return text.encode(codec), ""
    except UnicodeEncodeError:
        wrong = "".join(dict.fromkeys(letter for letter in text if not letter.encode(codec, "ignore")))
        return text.encode(codec, "replace"), wrong[:40]


def _cell(text: str, dialect: Dialect) -> str:
    """RFC 4180 2.6. The library's writer leaves a lone carriage return without quotes; its reader ends a row there."""
    if not any(mark in text for mark in (dialect.delimiter, dialect.quote, "\r", "\n")):
        return text
    return dialect.quote + text.replace(dialect.quote, dialect.quote * 2) + dialect.quote


def _header(header: tuple[str, ...], number: int) -> list[Finding]:
    if len(header) > MAX_COLUMNS:
        return [_finding("map.csv.header", f"{len(header)} columns", f"at most {MAX_COLUMNS}", row=number)]
    found = []
    for place, name in enumerate(header):
        if not name:
            found.append(_finding("map.csv.header", f"column {place + 1} without a name", "a name", row=number))
        elif header.index(name) != place:
            found.append(_finding("map.csv.header", f"{name} a second time", "each name once", row=number))
    return found[:20]


def _row(cells: list[str], header: tuple[str, ...], number: int) -> list[Finding]:
    if len(cells) != len(header):
        said, wanted = f"{len(cells)} cells", f"{len(header)}, as the header row has"
        return [_finding("map.csv.syntax", said, wanted, row=number)]
    return [
        _finding("map.csv.limit", f"{len(cell)} characters", f"at most {MAX_CELL}", row=number, column=name)
        for cell, name in zip(cells, header, strict=True)
        if len(cell) > MAX_CELL
    ]


def _finding(rule: str, said: str, wanted: str, *, row: int | None = None, column: str | None = None) -> Finding:
    return finding(rule, RowPlace(row=row, column=column), said=said, wanted=wanted)
