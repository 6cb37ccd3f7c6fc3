"""Cross-references as CSV: written and read back the same, every mistake of a file at once with its line."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from gateway.mapping import reference_csv
from gateway.mapping.references import CrossReference

ROWS = (
    CrossReference(partner="acme", list="units", theirs="CT", ours="EA", factor=Decimal(12)),
    CrossReference(
        partner="",
        list="items",
        scheme="supplier",
        theirs='A "1", x; y',
        ours="=1+2 ö",
        valid_from=dt.date(2026, 1, 1),
        valid_to=dt.date(2026, 12, 31),
    ),
)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_what_is_written_is_read_back(separator: str, start: bytes) -> None:
    """With any of the separators that spreadsheets use, and their byte order mark."""
    text = reference_csv.write(ROWS)
    if separator != ",":
        text = (
            "list;theirs;ours;factor;partner\n".replace(";", separator)
            + f"units{separator}CT{separator}EA{separator}12\n"
        )
    read = reference_csv.read("f.csv", start + text.encode(), partner="acme" if separator != "," else None)
    assert read.findings == ()
    assert [row for _, row in read.rows] == list(ROWS if separator == "," else ROWS[:1])


def test_lines_are_counted_as_an_editor_does() -> None:
    """Also behind a value of two lines and empty lines."""
    text = 'list,theirs,ours\nitems,"A\nB",1\n\nitems,C,2\nitems,D,\n'
    read = reference_csv.read("f.csv", text.encode(), partner="acme")
    assert [(one.place.line, one.place.key) for one in read.findings] == [(2, "theirs"), (6, "ours")]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("row", "column", "wanted"),
    [
        ("units,CT,EA,0,,", "factor", "a decimal above 0"),
        ("units,CT,EA,1e3,,", "factor", "a decimal above 0"),
        ('units,CT,EA,"1,5",,', "factor", "a decimal above 0"),
        ("items,A,B,2,,", "factor", "only units have factors"),
        ("Items,A,B,,,", "list", "a short name"),
        ("items,,B,,,", "theirs", "1 to 200 characters"),
        (f"items,{'A' * 201},B,,,", "theirs", "1 to 200 characters"),
        ("items,A,B,,01.05.2026,", "valid_from", "a day such as 2026-05-01"),
        ("items,A,B,,20260501,", "valid_from", "a day such as 2026-05-01"),
        ("items,A,B,,2026-05-02,2026-05-01", "valid_to", "a day not before 2026-05-02"),
        ("items,A,B,,,,,,", None, "6, as the first line names"),
    ],
)
def test_a_wrong_value_is_a_finding_at_its_line_and_column(row: str, column: str | None, wanted: str) -> None:
    """And the other rows are judged as well."""
    text = f"list,theirs,ours,factor,valid_from,valid_to\nitems,OK,1,,,\n{row}\n"
    read = reference_csv.read("f.csv", text.encode(), partner="acme")
    (one,) = read.findings
    assert (one.rule, one.place.line, one.place.key) == ("reference.file.value", 3, column)  # type: ignore[union-attr]
    assert wanted in one.wanted
    assert len(read.rows) == 1


@pytest.mark.parametrize(
    ("data", "rule", "said"),
    [
        (b"", "reference.file.column", "no column list"),
        (b"list,theirs,ours,colour\n", "reference.file.column", "column 'colour'"),
        (b"list,theirs,ours,ours\n", "reference.file.column", "ours twice"),
        (b"list,theirs,ours\nitems,\xff,1\n", "reference.file.csv", "byte 0xff"),
        (b"list,theirs,ours\nitems,\0,1\n", "reference.file.csv", "a zero byte"),
        (b'list,theirs,ours\nitems,"A,1\n', "reference.file.csv", "unexpected end of data"),
        (b"list,theirs,ours\nitems," + b"A" * 200_000 + b",1\n", "reference.file.csv", "field larger than field limit"),
    ],
)
def test_a_file_that_is_no_such_csv_is_a_finding(data: bytes, rule: str, said: str) -> None:
    """Never a traceback."""
    one = reference_csv.read("f.csv", data).findings[0]
    assert one.rule == rule
    assert one.said.startswith(said)


def test_a_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes, rows and findings."""
    monkeypatch.setattr(reference_csv, "MOST_ROWS", 2)
    monkeypatch.setattr(reference_csv, "MOST_FINDINGS", 3)
    head = b"list,theirs,ours\n"
    assert [one.said for one in reference_csv.read("f", head + b"items,A,1\n" * 3).findings] == ["more than 2 rows"]
    assert len(reference_csv.read("f", head + b"items,,1\n" * 9).findings) == 3
    monkeypatch.setattr(reference_csv, "MOST_BYTES", 10)
    assert reference_csv.read("f", head).findings[0].said == "17 bytes"


def test_a_row_of_a_stranger_is_told_with_who_was_meant() -> None:
    """Rows for all have no partner."""
    rows = tuple(enumerate((*ROWS, CrossReference(partner="acne", list="items", theirs="A", ours="B")), start=2))
    (one,) = reference_csv.strangers("f.csv", rows, ("acme", "baltic"))
    assert (one.rule, str(one.place), one.fix) == ("reference.partner", "f.csv:4 partner", "write acme")
