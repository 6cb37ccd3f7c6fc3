"""CSV maps keep the laws of the language: both ways on examples and generated documents; faults are findings."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.canonical import dump, parse
from gateway.errors import OurFault
from gateway.findings import Severity
from gateway.mapping import CsvMap, check_csv_map, compile_csv_map, from_folders, shipped

ROOT = Path(__file__).parents[2]
NAMES = ("csv/order", "csv/order_acknowledgement")
MAPS = {name: compile_csv_map(name, from_folders(shipped())) for name in NAMES}
SMALL = """
document: csv
canonical: order_acknowledgement
csv: {delimiter: ";", newline: lf, decimal: ","}
key: [Order]
default: {purpose: original}
fields:
  Order: order.number
  Answer: response
  Date: issue_date | date
rows:
  - each: lines
    fields: {No: line_id, Qty: quantity.value | decimal}
"""


def small(text: str = SMALL) -> CsvMap:
    """A map of a few columns."""
    return compile_csv_map("t/c", {"t/c": text})


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=int(os.environ.get("GATEWAY_DOCUMENTS_PER_MAP", "100")), deadline=None, derandomize=True, database=None
)
@given(seed=st.integers(min_value=0, max_value=2**32), count=st.integers(min_value=1, max_value=3))
def test_what_is_written_is_read_again(drawing: Any, name: str, seed: int, count: int) -> None:
    """read(write(d)) = d for several documents in one file, and write(read(b)) = b."""
    own = MAPS[name]
    drawn = drawing(seed, " AZ09-=+@;,\"'é€\U0001f600\r\n")
    models = []
    for _ in range(count):
        model, errors = parse(own.canonical, drawn.document(own))
        assert not errors
        models.append(model)
    writing = own.write([dump(each) for each in models])
    assert (writing.lost, writing.findings) == ((), ())
    readings = own.read(writing.data)
    assert [one for each in readings for one in each.unmapped] == []
    assert all(one.severity is Severity.ACCEPT for each in readings for one in each.findings)
    assert [parse(own.canonical, each.document)[0] for each in readings] == models
    assert own.write([each.document for each in readings]).data == writing.data


@pytest.mark.parametrize("name", NAMES)
def test_examples_hold_both_ways(name: str) -> None:
    """Several documents in a file, a column of the sender's own, a text that looks like a formula."""

    def load(example: Any) -> tuple[bytes, Any]:
        return (ROOT / example.wire).read_bytes(), json.loads((ROOT / example.canonical).read_bytes())

    assert MAPS[name].examples
    assert check_csv_map(MAPS[name], load) == ()
    assert [one.rule for one in check_csv_map(MAPS[name], lambda _: None)] == ["map.example.missing"]


def test_rows_of_one_document_may_stand_apart_and_leave_cells_empty() -> None:
    """The key tells them together; the first cell that says something holds for all."""
    data = b"Order;Answer;Date;No;Qty\n1;accepted;;1;1\n2;rejected;;1;2\n1;;2026-05-01;2;3\n"
    one, two = small().read(data)
    assert [line["line_id"] for line in one.document["lines"]] == ["1", "2"]
    assert (one.document["issue_date"], two.document["response"]) == ("2026-05-01", "rejected")
    assert one.findings == two.findings == ()


def test_a_field_that_is_another_in_a_later_row_is_found_at_its_row_and_column() -> None:
    """Nothing is chosen in silence."""
    reading = small().read(b"Order;Answer;No;Qty\n1;accepted;1;1\n1;rejected;2;five\n")[0]
    assert [(one.rule, str(one.place)) for one in reading.findings] == [
        ("map.csv.repeated", "row 3, column Answer"),
        ("map.read.value", "row 3, column Qty"),
    ]


def test_decimals_have_the_mark_of_the_map() -> None:
    """A point where a comma belongs may be a thousands' mark: it is not guessed."""
    own = small()
    line = own.read(b"Order;Answer;No;Qty\n1;accepted;1;12,50\n")[0].document["lines"][0]
    assert line["quantity"]["value"] == "12.50"
    assert b"12,50" in own.write([{"order": {"number": "1"}, "response": "accepted", "lines": [line]}]).data
    assert [one.rule for one in own.read(b"Order;Answer;No;Qty\n1;accepted;1;1.250\n")[0].findings] == [
        "map.read.value"
    ]


def test_columns_that_no_line_names_come_back() -> None:
    """With their row, behind the map's."""
    data = b"Order;Answer;Date;No;Qty;Shelf\n1;accepted;;1;1;A\n1;accepted;;2;;\n"
    reading = small().read(data)[0]
    assert [(one.pointer, one.value) for one in reading.unmapped] == [("row 2, column Shelf", "A")]
    assert small().write([reading.document]).data == data


def test_a_formula_stays_what_the_document_says() -> None:
    """To change it would change the fact; the page tells who opens such a file by hand."""
    document = {"order": {"number": "=1+1"}, "response": "@x", "lines": [{"line_id": "-2"}]}
    assert small().write([document]).data.splitlines()[1] == b"=1+1;@x;;-2;"


@pytest.mark.parametrize("encoding", ["utf-8-bom", "utf-16", "windows-1252"])
def test_encodings_go_both_ways(encoding: str) -> None:
    """A byte order mark belongs to the encoding, not to the first column's name."""
    own = small(SMALL.replace("newline: lf", f"newline: lf, encoding: {encoding}"))
    document = {"order": {"number": "Ä1"}, "response": "accepted"}
    data = own.write([document]).data
    assert own.read(data)[0].document == document
    assert own.write([document]).findings == ()


def test_a_character_that_the_encoding_has_not_is_found() -> None:
    """It is `?` in the file."""
    own = small(SMALL.replace("newline: lf", "newline: lf, encoding: windows-1252"))
    writing = own.write([{"order": {"number": "\u4e2d"}, "response": "accepted"}])
    assert [one.rule for one in writing.findings] == ["map.write.value"]


def test_two_documents_with_one_key_are_found() -> None:
    """They would be read as one."""
    document = {"order": {"number": "1"}, "response": "accepted"}
    assert [one.rule for one in small().write([document, document]).findings] == ["map.write.value"]


HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "map.csv.header", "row 1"),
    "no rows": (b"Order;Answer\n", "map.csv.header", "row 1"),
    "no key": (b"Ordr;Answer\n1;accepted\n", "map.csv.header", "row 1"),
    "a column twice": (b"Order;Order\n1;1\n", "map.csv.header", "row 1"),
    "a column without a name": (b"Order;\n1;1\n", "map.csv.header", "row 1"),
    "too many columns": (b"Order" + b";x" * 600 + b"\n1\n", "map.csv.header", "row 1"),
    "too many cells": (b"Order;Answer\n1;accepted;3\n", "map.csv.syntax", "row 2"),
    "an open quote": (b'Order;Answer\n1;"accepted\n', "map.csv.syntax", "row 2"),
    "text behind a quote": (b'Order;Answer\n1;"a"b\n', "map.csv.syntax", "row 2"),
    "bytes that are no UTF-8": (b"Order;Answer\n1;\xff\n", "map.csv.syntax", "row 2"),
    "a cell too long": (b"Order;Answer\n1;" + b"x" * 5000 + b"\n", "map.csv.limit", "row 2, column Answer"),
    "a cell far too long": (b"Order;Answer\n1;" + b"x" * 500_000 + b"\n", "map.csv.syntax", "row 2"),
    "too large": (b"x" * (16 * 1024 * 1024 + 1), "map.csv.limit", "the whole file"),
    "too many rows": (b"Order;Answer\n" + b"1;accepted\n" * 200_001, "map.csv.limit", "row 200001"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_finding(name: str) -> None:
    """With its row and a remedy."""
    data, rule, place = HOSTILE[name]
    found = small().read(data)[0].findings
    assert (found[0].rule, str(found[0].place)) == (rule, place)
    assert found[0].fix


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(cells=st.lists(st.lists(st.text(alphabet='a1;"\n,=\x00', max_size=4), max_size=5), max_size=4))
def test_no_file_raises(cells: list[list[str]]) -> None:
    """Whatever stands below the header; what was read can be written."""
    own = small()
    data = "Order;Answer;Date;No;Qty\n" + "\n".join(";".join(row) for row in cells)
    for reading in own.read(data.encode()):
        parse(own.canonical, reading.document)
        own.write([reading.document])


BROKEN: dict[str, tuple[str, str, int, str]] = {
    "no key": (SMALL.replace("key: [Order]\n", ""), "map.key.missing", 2, "columns"),
    "a key that is no column": (SMALL.replace("key: [Order]", "key: [Ordr]"), "map.field.unknown", 5, "Order"),
    "a column in two stages": (SMALL.replace("{No:", "{Order:"), "map.address.twice", 11, "one rule"),
    "an unknown key of csv": (SMALL.replace("newline: lf", "line: lf"), "map.key.unknown", 4, "newline"),
    "a delimiter of two": (SMALL.replace('";"', '";;"'), "map.file.shape", 4, "one character"),
    "an unknown encoding": (SMALL.replace("newline: lf", "encoding: ebcdic"), "map.file.shape", 4, "utf-8"),
    "a list in a cell": (SMALL.replace("line_id", "descriptions | list"), "map.pair.unknown", 13, "one of"),
    "no such list": (SMALL.replace("each: lines", "each: linse"), "map.field.unknown", 12, "lines"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_map_is_refused_at_its_line(name: str) -> None:
    """File, line, and what is wanted."""
    text, rule, line, wanted = BROKEN[name]
    with pytest.raises(OurFault) as caught:
        small(text)
    found = [one for one in caught.value.findings if one.rule == rule and one.place.line == line]  # type: ignore[union-attr]
    assert found, [one.text for one in caught.value.findings]
    assert wanted in found[0].text


def test_a_row_without_a_key_repeats_the_one_above() -> None:
    """Its lines belong to the order above it, not to one without a number that all such rows make."""
    own = MAPS["csv/order"]
    rows = ("Order;Date;Line;Quantity", "A;2026-05-01;1;1", ";;2;2", "B;2026-05-01;1;3", ";;2;4")
    readings = own.read("\r\n".join(rows).encode())
    assert [(one.document["number"], len(one.document["lines"])) for one in readings] == [("A", 2), ("B", 2)]
