"""JSON as it is stored and sent."""

from __future__ import annotations

import json

import pytest

from gateway import jsontext

VALUES = [
    {"a": [1, 2.5, True, None, "Größe"], "b": {"c": ""}},
    {"large": 10**30, "negative": -0.1},
    ['\u2028\u2029\x00\x7f"\\/'],
    {"half a pair": "\ud83d"},
    [[[[]]]],
]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_written_is_read_as_it_was(value: object) -> None:
    """Also what UTF-8 cannot say, which is written escaped."""
    text = jsontext.written(value)
    assert json.loads(text) == value
    assert text.encode().isascii() or "Größe" in text or "\u2028" in text or "\x7f" in text
