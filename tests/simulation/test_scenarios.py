"""What each scenario answers to an order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway import canonical
from gateway.canonical.check_digits import is_right
from gateway.findings import Severity, worst
from gateway.simulation.orders import capitals, order
from gateway.simulation.scenarios import SCENARIOS, Answer

TODAY = date(2026, 5, 4)
ORDER = order("4500012345", [{"scheme": "assigned_by_buyer", "value": "V-1"}], name="Seller", today=TODAY)

# Statuses of each line; how many notices; how much is shipped of each line.
EXPECTED: dict[str, tuple[list[list[str]] | None, int, list[str]]] = {
    "accept": ([["accepted"]] * 3, 1, ["24", "60", "144"]),
    "backorder": ([["accepted"], ["accepted", "backordered"], ["accepted"]], 1, ["24", "30", "144"]),
    "substitute": ([["substituted"], ["accepted"], ["accepted"]], 1, ["24", "60", "144"]),
    "reject": ([["rejected"]] * 3, 0, []),
    "split": ([["accepted", "accepted"]] * 3, 2, ["24", "60", "144"]),
    "mixed-pallet": ([["accepted"]] * 3, 1, ["24", "60", "144"]),
    "silent": (None, 0, []),
}


def test_every_scenario_is_told_here() -> None:
    """A new scenario is a new row."""
    assert EXPECTED.keys() == SCENARIOS.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_answer_says_for_each_line_what_the_scenario_is_about(name: str) -> None:
    """Statuses, number of notices and quantities."""
    statuses, notices, shipped = EXPECTED[name]
    answer = SCENARIOS[name].answer(ORDER, TODAY)
    said = answer.acknowledgement
    assert (said and [[one["status"] for one in line["responses"]] for line in said["lines"]]) == statuses
    assert len(answer.notices) == notices
    assert _shipped(answer) == shipped


@pytest.mark.parametrize("name", EXPECTED)
def test_answers_are_sound_canonical_documents(name: str) -> None:
    """Nothing to find in them, for an order of three lines and for one of a single piece."""
    one_piece = {**ORDER, "lines": [{**ORDER["lines"][0], "quantity": {"value": "1", "unit": "EA"}}]}
    for ordered in (ORDER, one_piece):
        for kind, document in SCENARIOS[name].answer(ordered, TODAY).documents():
            model, wrong = canonical.parse(kind, document)
            assert model is not None, wrong
            assert worst((*wrong, *canonical.check(model))) is Severity.ACCEPT


@pytest.mark.parametrize("name", ["accept", "backorder", "split", "substitute"])
def test_the_parts_of_a_line_add_up_to_what_was_ordered(name: str) -> None:
    """Odd quantities and fractions too."""
    odd = {**ORDER, "lines": [{**line, "quantity": {"value": "7.5", "unit": "EA"}} for line in ORDER["lines"]]}
    said = SCENARIOS[name].answer(odd, TODAY).acknowledgement
    assert said is not None
    for line in said["lines"]:
        assert sum(Decimal(one["quantity"]["value"]) for one in line["responses"]) == Decimal("7.5")


@pytest.mark.parametrize("name", EXPECTED)
def test_sscc_check_digits_are_right_and_none_comes_twice(name: str) -> None:
    """Over all notices of an order."""
    found = [unit["sscc"] for unit in _nodes(SCENARIOS[name].answer(ORDER, TODAY)) if "sscc" in unit]
    assert all(map(is_right, found))
    assert len(found) == len(set(found))


def test_a_mixed_pallet_has_a_carton_of_two_items() -> None:
    """One pallet over all; one carton with two lines."""
    (notice,) = SCENARIOS["mixed-pallet"].answer(ORDER, TODAY).notices
    (pallet,) = notice["contents"][0]["contents"]
    assert pallet["type"] == "pallet"
    assert max(len(carton["contents"]) for carton in pallet["contents"]) == 2


def test_the_same_order_on_the_same_day_gets_the_same_answer() -> None:
    """Nothing is drawn."""
    assert SCENARIOS["split"].answer(ORDER, TODAY) == SCENARIOS["split"].answer(ORDER, TODAY)


def _nodes(answer: Answer) -> Iterator[dict[str, Any]]:
    waiting = [node for notice in answer.notices for node in notice["contents"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("contents", ())
        yield node


def _shipped(answer: Answer) -> list[str]:
    found: dict[str, Decimal] = {}
    for node in _nodes(answer):
        if node["kind"] == "line":
            found[node["line_id"]] = found.get(node["line_id"], Decimal(0)) + Decimal(node["shipped"]["value"])
    return [str(found[key]) for key in sorted(found)]


def test_an_order_in_capitals_says_the_same_codes() -> None:
    """Names and addresses are in capital letters, everything else is as it was."""
    made = capitals(ORDER)
    assert made["parties"][2]["address"]["lines"] == ["4100 NEEDMORE ROAD"]
    assert made["lines"][0]["item"]["name"] == "CORDLESS DRILL 18V"
    assert made["parties"][2]["role"] == "ship_to"
    assert made["lines"][0]["item"]["ids"] == ORDER["lines"][0]["item"]["ids"]
