"""Each pair both ways, as one table; what a pair cannot do is None, never an exception."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapping.codes import UNITS, Codes
from gateway.mapping.moments import ShortDate, ShortWhen
from gateway.mapping.pairs import (
    Coded,
    Date,
    Fields,
    Implied,
    Many,
    Number,
    Pairs,
    Same,
    Sscc,
    When,
    read_texts,
    write_texts,
)

STATUS = Codes("s", {"IA": "accepted", "AR": "accepted", "IR": "rejected"}, {"accepted": "IA", "rejected": "IR"})
SCHEMES = Codes("i", {"BP": "buyer", "IN": "buyer", "VP": "supplier"}, {"buyer": "BP", "supplier": "VP"}, keep=True)
OTHER = Codes("o", {"AD": "accepted"}, {"accepted": "AD"}, rest="other")
DATES = Codes(
    "d", {"068": "promised_ship", "002": "requested_delivery"}, {"promised_ship": "068", "requested_delivery": "002"}
)
DAY = {"value": "2026-05-01", "precision": "day"}

BOTH_WAYS: list[tuple[Any, list[str], Any]] = [
    (Same(), ["AB 1"], "AB 1"),
    (Coded(STATUS), ["IA"], "accepted"),
    (Coded(SCHEMES), ["Q9"], "Q9"),
    (Number(), ["10.00"], "10.00"),
    (Number(), ["-0.5"], "-0.5"),
    (Implied(2), ["12345"], "123.45"),
    (Implied(2), ["-5"], "-0.05"),
    (Implied(0), ["7"], "7"),
    (Date(), ["20280229"], "2028-02-29"),
    (ShortDate(), ["260501"], "2026-05-01"),
    (ShortDate(), ["991231"], "1999-12-31"),
    (ShortWhen(), ["260501", "0830"], {"value": "2026-05-01T08:30", "precision": "minute"}),
    (When(), ["20260501"], DAY),
    (When(), ["20260501", "0830"], {"value": "2026-05-01T08:30", "precision": "minute"}),
    (When(), ["20260501", "083015", "UT"], {"value": "2026-05-01T08:30:15", "precision": "second", "zone": "UTC"}),
    (When(), ["20260501", "0830", "ET"], {"value": "2026-05-01T08:30", "precision": "minute", "zone": "ET"}),
    (Coded(UNITS), ["DZ"], "DZN"),
    (Coded(UNITS), ["LB"], "LBR"),
    (Coded(UNITS), ["CA"], "CT"),
    (Coded(UNITS), ["QQ"], "QQ"),
    (Many(), ["a", "b"], ["a", "b"]),
    (Pairs(SCHEMES), ["BP", "1", "VP", "2"], [{"scheme": "buyer", "value": "1"}, {"scheme": "supplier", "value": "2"}]),
    (Pairs(SCHEMES), ["IN", "1"], [{"scheme": "buyer", "value": "1", "source_code": "IN"}]),
    (Fields(DATES, When()), ["068", "20260501"], {"promised_ship": DAY}),
    (
        Fields(DATES, When(), 3),
        ["068", "20260501", "", "002", "20260501"],
        {"promised_ship": DAY, "requested_delivery": DAY},
    ),
    (Sscc(), ["GM", "00008500120000000017"], "008500120000000017"),
]

ONLY_READ: list[tuple[Any, list[str], Any]] = [
    (Coded(STATUS), ["AR"], "accepted"),
    (Coded(OTHER), ["XX"], "other"),
    (Coded(UNITS), ["CT"], "CT"),
    (Number(), ["007"], "7"),
    (Number(), [".5"], "0.5"),
    (Number(), ["5."], "5"),
    (Number(), ["+5"], "5"),
    (Implied(2), ["0045"], "0.45"),
    (Sscc(), ["AA", "008500120000000017"], "008500120000000017"),
]

NOT_READ: list[tuple[Any, list[str]]] = [
    (Coded(STATUS), ["ZZ"]),
    (Coded(UNITS), ["DZN"]),
    (Number(), ["1,5"]),
    (Number(), ["1E5"]),
    (Number(), ["\u0661"]),
    (Number(), ["9" * 40]),
    (Implied(2), ["1.5"]),
    (Date(), ["20260230"]),
    (Date(), ["260501"]),
    (ShortDate(), ["20260501"]),
    (ShortDate(), ["260230"]),
    (ShortWhen(), ["2605", "0830"]),
    (When(), ["20260501", "2460"]),
    (When(), ["", "0830"]),
    (When(), ["20260501", "", "ET"]),
    (Fields(DATES, When()), ["068", "20260501", "068", "20260502"]),
    (Fields(DATES, When()), ["ZZZ", "20260501"]),
    (Sscc(), ["GM", "123"]),
]

NOT_WRITTEN: list[tuple[Any, Any, int]] = [
    (Coded(STATUS), "substituted", 1),
    (Coded(SCHEMES), "ship_to", 1),
    (Coded(SCHEMES), "IN", 1),
    (Coded(OTHER), "other", 1),
    (Number(), "ten", 1),
    (Number(), "NaN", 1),
    (Implied(2), "0.005", 1),
    (Date(), "2026-05", 1),
    (ShortDate(), "1926-05-01", 1),
    (ShortDate(), "2026-05", 1),
    (ShortWhen(), {"value": "2126-05-01", "precision": "day"}, 3),
    (When(), {"value": "2026", "precision": "year"}, 3),
    (When(), {"value": "2026-05-01T08:30", "precision": "minute"}, 1),
    (Many(), ["a", "b", "c"], 2),
    (Pairs(SCHEMES), [{"scheme": "buyer", "value": "1"}, {"scheme": "supplier", "value": "2"}], 2),
    (Sscc(), "12", 2),
]


@pytest.mark.parametrize(("pair", "texts", "value"), BOTH_WAYS)
def test_a_pair_reads_what_it_writes(pair: Any, texts: list[str], value: Any) -> None:
    """One row, both directions."""
    assert read_texts(pair, list(texts)) == value
    assert write_texts(pair, value, len(texts)) == texts


@pytest.mark.parametrize(("pair", "texts", "value"), ONLY_READ)
def test_a_form_that_is_only_read_says_so(pair: Any, texts: list[str], value: Any) -> None:
    """The reader compares, and keeps the wire's form."""
    assert read_texts(pair, list(texts)) == value
    assert write_texts(pair, value, len(texts)) != texts


@pytest.mark.parametrize(("pair", "texts"), NOT_READ)
def test_what_a_pair_cannot_read_is_none(pair: Any, texts: list[str]) -> None:
    """Never an exception."""
    assert read_texts(pair, list(texts)) is None


@pytest.mark.parametrize(("pair", "value", "width"), NOT_WRITTEN)
def test_what_a_pair_cannot_write_is_none(pair: Any, value: Any, width: int) -> None:
    """Never half a value."""
    assert write_texts(pair, value, width) is None
