"""Answers against their orders within tolerances, as tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.partners.service_levels import Tolerances
from gateway.pipeline import comparing

ORDERED: dict[str, Any] = {
    "line_id": "1",
    "quantity": {"value": "100", "unit": "EA"},
    "prices": [{"type": "unit", "amount": "2.00"}],
}
ORDER: dict[str, Any] = {
    "requested_delivery": {"from": {"value": "2026-03-10"}, "to": {"value": "2026-03-12"}},
    "lines": [ORDERED],
}


def part(status: str, value: str | None = None, unit: str = "EA", **more: Any) -> dict[str, Any]:
    """One response."""
    return {"status": status} | more | ({} if value is None else {"quantity": {"value": value, "unit": unit}})


PROMISED = [
    ([], "100"),
    ([part("accepted")], "100"),
    ([part("rejected")], "0"),
    ([part("accepted", "60"), part("rejected", "40")], "60"),
    ([part("accepted", "60"), part("backordered", "40")], "100"),
    ([part("accepted", "60"), part("date_changed", "40")], "100"),
    ([part("accepted", "100"), part("price_changed", "100")], "100"),
    ([part("price_changed", "100")], "100"),
    ([part("quantity_changed", "110")], "110"),
    ([part("accepted", "60"), part("backordered")], None),
    ([part("accepted", "5", "CT")], None),
    ([part("accepted", "many")], "100"),
]


@pytest.mark.parametrize(("responses", "comes"), PROMISED)
def test_what_an_answer_promises(responses: list[dict[str, Any]], comes: str | None) -> None:
    """What is refused does not come; what is told of an aspect is told of the same goods."""
    found = comparing.promised({"responses": responses}, ORDERED)
    assert found == (None if comes is None else Decimal(comes))


QUANTITIES = [
    ({"quantity_under_percent": 10}, [part("accepted", "90")], ""),
    ({"quantity_under_percent": 10}, [part("accepted", "89")], "89 of 100 ordered, 11 % less"),
    ({"quantity_under_percent": 0}, [part("rejected")], "0 of 100 ordered, 100 % less"),
    ({"quantity_over_percent": 5}, [part("quantity_changed", "105")], ""),
    ({"quantity_over_percent": 5}, [part("quantity_changed", "105.5")], "105.5 of 100 ordered, 5.5 % more"),
    ({"quantity_over_percent": 5}, [part("accepted", "1")], ""),
    ({}, [part("rejected")], ""),
]
PRICES = [
    ({"price_percent": 1}, [{"type": "unit", "amount": "2.02"}], ""),
    ({"price_percent": 1}, [{"type": "unit", "amount": "2.03"}], "2.03 where 2.00 was ordered, 1.5 % more"),
    ({"price_percent": 1}, [{"type": "unit", "amount": "1.00"}], "50 % less"),
    ({"price_percent": 1}, [{"amount": "203", "basis_quantity": "100"}], "1.5 % more"),
    ({"price_percent": 1}, [{"type": "retail", "amount": "9"}], ""),
    ({"price_percent": 1}, [{"type": "unit", "amount": "9", "basis_quantity": "0"}], ""),
    ({}, [{"type": "unit", "amount": "9"}], ""),
]
DAYS = [
    ({"promised_delivery": {"value": "2026-03-10"}}, ""),
    ({"promised_delivery": {"value": "2026-03-14T08:00"}}, ""),
    ({"promised_delivery": {"value": "2026-03-15"}}, "arrives on 2026-03-15, 3 days later than 2026-03-12"),
    ({"estimated_delivery": {"value": "2026-03-07"}}, "arrives on 2026-03-07, 3 days earlier than 2026-03-10"),
    ({"promised_ship": {"value": "2026-03-01"}}, ""),
    ({"promised_ship": {"value": "2026-03-15"}}, "ships on 2026-03-15, 3 days later than 2026-03-12"),
    ({"promised_delivery": {"value": "2026-04"}}, ""),
    ({}, ""),
]
LINES = (
    [(agreed, {"responses": responses}, said) for agreed, responses, said in QUANTITIES]
    + [(agreed, {"prices": prices, "responses": []}, said) for agreed, prices, said in PRICES]
    + [({"date_days": 2}, {"responses": [part("accepted", dates=dates)]}, said) for dates, said in DAYS]
    + [({"price_percent": 1}, {"responses": [part("price_changed", price={"amount": "3"})]}, "50 % more")]
    + [({"price_percent": 1, "date_days": 0}, {"responses": [part("rejected", price={"amount": "3"})]}, "")]
    + [({"date_days": 2}, {"responses": ["odd", part("accepted", dates="odd")], "prices": ["odd"]}, "")]
)


@pytest.mark.parametrize(("agreed", "line", "said"), LINES)
def test_a_line_is_compared_as_far_as_it_was_agreed(agreed: Any, line: dict[str, Any], said: str) -> None:
    """One finding for one difference, in words that name both sides."""
    found = list(comparing.line_differs(line, ORDERED, ORDER, "/lines/0", Tolerances.model_validate(agreed)))
    assert len(found) == bool(said)
    assert not said or said in found[0].said


ARRIVALS = [("2026-03-12", ""), ("2026-03-14", ""), ("2026-03-16", "4 days later"), (None, "")]


@pytest.mark.parametrize(("day", "said"), ARRIVALS)
def test_a_shipment_arrives_when_its_order_wants_it(day: str | None, said: str) -> None:
    """Within the days that are agreed."""
    notice = {"estimated_delivery": None if day is None else {"value": day}}
    found = list(comparing.arrival_differs(notice, ORDER, Tolerances(date_days=2)))
    assert [said in one.said for one in found] == [True] * bool(said)


@pytest.mark.parametrize(("response", "found"), [("rejected", 1), ("accepted", 0), (None, 0)])
def test_an_order_that_is_refused_as_a_whole_promises_nothing(response: str | None, found: int) -> None:
    """Where less than ordered was agreed about at all."""
    assert len(list(comparing.order_refused({"response": response}, Tolerances(quantity_under_percent=5)))) == found
    assert list(comparing.order_refused({"response": response}, Tolerances())) == []
