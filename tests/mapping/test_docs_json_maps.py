"""The page about JSON maps says what the language is: its example is a map, its table has every pair."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.mapping import compile_json_map
from gateway.mapping.json import text as json_text
from gateway.mapping.json.words import NAMES

PAGE = (Path(__file__).parents[2] / "docs" / "json-maps.md").read_text("utf-8")


def test_the_example_is_a_map_that_goes_both_ways() -> None:
    """From the page, through the compiler, there and back."""
    block = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    own = compile_json_map("page", {"page": block[1]})
    line = {"kind": "line", "line_id": "1", "shipped": {"value": "2.50", "unit": "EA"}}
    pallet = {"kind": "handling_unit", "type": "pallet", "sscc": "006141410000000012", "contents": [line]}
    order = {"kind": "order", "order": {"number": "P"}, "contents": [pallet]}
    document = {"number": "1", "delivery_terms": {"freight_payment": "prepaid"}, "contents": [order]}
    writing = own.write(document)
    assert writing.lost == ()
    assert own.read(json_text.decode(json_text.encode(writing.body))).document == document


def test_every_pair_is_in_the_table() -> None:
    """What the code knows and the page does not name fails here."""
    assert [name for name in NAMES if f"| `{name}" not in PAGE and f", `{name}`" not in PAGE] == []
