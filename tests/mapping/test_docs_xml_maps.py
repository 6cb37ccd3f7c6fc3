"""The page about XML and CSV maps says what the language is: its examples are maps, its words are all there."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.mapping import compile_csv_map, compile_xml_map
from gateway.mapping.csv.text import ENCODINGS
from gateway.mapping.xml.words import pairs

PAGE = (Path(__file__).parents[2] / "docs" / "xml-maps.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_xml_example_is_a_map_that_goes_both_ways() -> None:
    """From the page, through the compiler, there and back."""
    own = compile_xml_map("page", {"page": BLOCKS[0]})
    answers = [{"status": "accepted"}, {"status": "rejected"}]
    line = {"line_id": "1", "prices": [{"type": "unit", "amount": "2.50"}], "responses": answers}
    seller = {
        "role": "seller", "name": "N", "ids": [{"scheme": "unspecified", "value": "7"}],
        "address": {"lines": ["a", "b"], "city": "C"},
    }  # fmt: skip
    when = {"value": "2026-05-01T08:30", "precision": "minute"}
    document = {
        "order": {"number": "P"}, "response": "accepted", "other_dates": [{"type": "made", "at": when}],
        "notes": [{"text": "n"}], "parties": [seller], "currency": {"code": "EUR"}, "lines": [line],
    }  # fmt: skip
    writing = own.write(document)
    assert (writing.lost, writing.findings) == ((), ())
    assert own.read(writing.data).document == document


def test_the_csv_example_is_a_map_that_goes_both_ways() -> None:
    """From the page, through the compiler, there and back."""
    own = compile_csv_map("page", {"page": BLOCKS[1]})
    parts = [{"quantity": {"value": "1.50"}}, {"quantity": {"value": "2"}}]
    document = {"number": "1", "issue_date": "2026-05-01", "lines": [{"line_id": "1", "schedules": parts}]}
    writing = own.write([document])
    assert (writing.lost, writing.findings) == ((), ())
    assert own.read(writing.data)[0].document == document


def test_every_word_is_on_the_page() -> None:
    """What the code knows and the page does not name fails here."""
    words = [" ".join(call) for call in pairs(comma=False) if call and call != ("list", "2")]
    assert [word for word in (*words, "code TABLE", "count LIST") if f"`{word}`" not in PAGE] == []
    assert [name for name in ENCODINGS if name not in PAGE] == []
