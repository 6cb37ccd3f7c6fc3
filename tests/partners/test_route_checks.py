"""Routes against each other: never reached, overlapping, days without any."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gateway.partners import route_checks

TODAY = date(2026, 3, 2)
NORTH: dict[str, Any] = {"to": "a", "business_unit": ["north"]}
FORTY_FIVE: dict[str, Any] = {"to": "a", "number_prefix": ["45"]}

BETWEEN: list[tuple[str, list[dict[str, Any]], list[str]]] = [
    ("special before general", [NORTH, {"to": "b"}], []),
    ("general before special", [{"to": "b"}, NORTH], ["route_unreachable"]),
    ("the same twice", [NORTH, NORTH], ["route_unreachable"]),
    ("a longer prefix behind a shorter", [FORTY_FIVE, FORTY_FIVE | {"number_prefix": ["450"]}],
     ["route_unreachable"]),
    ("a shorter prefix behind a longer", [FORTY_FIVE | {"number_prefix": ["450"]}, FORTY_FIVE | {"to": "b"}], []),
    ("other prefixes", [FORTY_FIVE, {"to": "b", "number_prefix": ["46"]}], []),
    ("days within days",
     [{"to": "a", "since": "2026-01-01"}, {"to": "b", "since": "2026-02-01", "until": "2026-03-01"}],
     ["route_unreachable"]),
    ("days side by side", [{"to": "a", "until": "2026-12-31"}, {"to": "b", "since": "2027-01-01"}], []),
    ("days that overlap", [{"to": "a", "until": "2026-12-31"}, {"to": "b", "since": "2026-12-01"}], ["routes_overlap"]),
    ("two conditions crossing", [NORTH, {"to": "b", "document": ["ship_notice"]}], ["routes_overlap"]),
    ("crossing to one target", [NORTH, {"to": "a", "document": ["ship_notice"]}], []),
    ("postcodes as they are compared", [{"to": "a", "postcode": ["sw1"]}, {"to": "b", "postcode": ["SW1A 2"]}],
     ["route_unreachable"]),
    ("last before first", [{"to": "a", "since": "2027-01-01", "until": "2026-01-01"}, {"to": "b"}], ["route_never"]),
    ("a date that is none", [{"to": "a", "since": "soon"}, {"to": "b"}], ["route_unreachable"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "routes", "rules"), BETWEEN)
def test_routes_are_held_against_each_other(what: str, routes: list[dict[str, Any]], rules: list[str]) -> None:
    """The first that fits decides: what stands behind it must have something left."""
    assert [one.rule for one in route_checks.wrong_between(route_checks.rules_of(routes))] == rules, what


GAPS: list[tuple[list[dict[str, Any]], str]] = [
    ([{"to": "a"}], ""),
    ([], ""),
    ([NORTH], ""),
    ([{"to": "a", "postcode": ["1"]}], "route 1, each under a condition"),
    ([{"to": "a", "until": "2026-12-31"}, {"to": "b", "since": "2027-01-01"}], ""),
    ([{"to": "a", "until": "2026-12-31"}, {"to": "b", "since": "2027-01-02"}], "from 2027-01-01 to 2027-01-01"),
    ([{"to": "a", "until": "2026-12-31"}], "from 2027-01-01 on"),
    ([{"to": "a", "until": "2026-12-31"}, {"to": "b", "partner": ["other"]}], "from 2027-01-01 on"),
    ([{"to": "a", "since": "2026-03-02"}], ""),
    ([{"to": "a", "since": "2020-01-01", "until": "2020-12-31"}, {"to": "b", "since": "2026-01-01"}], ""),
]


@pytest.mark.parametrize(("routes", "said"), GAPS)
def test_days_without_a_route_are_told_from_today_on(routes: list[dict[str, Any]], said: str) -> None:
    """What is over is over; a route that asks for a place or a number leaves something out."""
    gap = route_checks.gaps(route_checks.rules_of(routes), "acme", "ship_notice", TODAY)
    assert (gap is None) == (said == "")
    assert gap is None or said in gap.said
