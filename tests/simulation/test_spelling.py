"""Made-up documents are told in the letters of the syntax: UNOA has no small ones."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.simulation.spelling import spelled

ORDER: dict[str, Any] = {
    "purpose": "original",
    "parties": [
        {"role": "ship_to", "name": "Harborline", "address": {"lines": ["4100 Needmore Road"], "city": "Dayton"}}
    ],
    "lines": [{"line_id": "a", "item": {"ids": [{"scheme": "upc", "value": "x1"}], "name": "Drill"}}],
    "notes": [{"text": "Gate 3"}],
}


def test_words_for_people_are_in_capitals_and_nothing_else() -> None:
    """Names, address and notes; no word of the vocabulary, no number, no line."""
    assert spelled(ORDER, "UNOA", 3) == {
        "purpose": "original",
        "parties": [
            {"role": "ship_to", "name": "HARBORLINE", "address": {"lines": ["4100 NEEDMORE ROAD"], "city": "DAYTON"}}
        ],
        "lines": [{"line_id": "a", "item": {"ids": [{"scheme": "upc", "value": "x1"}], "name": "DRILL"}}],
        "notes": [{"text": "GATE 3"}],
    }


@pytest.mark.parametrize("syntax", ["UNOB", "UNOC", "UNOW"])
def test_a_syntax_with_small_letters_has_the_document_as_it_is(syntax: str) -> None:
    """Nothing is copied."""
    assert spelled(ORDER, syntax, 4) is ORDER
