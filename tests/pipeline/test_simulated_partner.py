"""The partner played by its agreement turned round, over AS2: orders are answered once, by the scenario."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ports import Direction
from gateway.simulation.scenarios import SCENARIOS
from gateway.simulation.station import Seller


def _seller(trade: Any, *scenarios: str) -> tuple[Seller, list[str]]:
    told: list[str] = []
    side = trade.station
    return Seller(
        queries=side.store, current=lambda: (side.station, side.desk), scenarios=scenarios, tell=told.append
    ), told


async def _ours(trade: Any, kind: str) -> list[Any]:
    page = await trade.gateway.store.documents(partner="acme", kind=kind, direction=Direction.INBOUND)
    return list(page.documents)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_our_side_takes_what_a_scenario_answers(trade: Any, scenario: str) -> None:
    """Acknowledgement and notices are accepted, matched with the order, without a finding that refuses them."""
    await trade.order()
    await trade.settle()
    seller, told = _seller(trade, scenario)
    await seller.look()
    await trade.settle()
    answer = SCENARIOS[scenario].answer(trade.order_body(), trade.clock().date())
    assert len(await _ours(trade, "order_acknowledgement")) == (answer.acknowledgement is not None)
    assert len(await _ours(trade, "ship_notice")) == len(answer.notices)
    assert not [line for line in told if "not taken" in line]


async def test_an_order_is_answered_once_also_after_a_restart(trade: Any) -> None:
    """What was answered is in the station's store; the scenarios go on where they were."""
    await trade.order()
    await trade.settle()
    first, told = _seller(trade, "accept", "reject")
    await first.look()
    await first.look()
    assert len(told) == 3
    again, told = _seller(trade, "accept", "reject")
    await again.look()
    assert told == []
    await trade.order("4500099")
    await trade.settle()
    await again.look()
    assert told[0] == "order 4500099 is answered: reject"


async def test_what_is_not_taken_is_told_with_its_reason(trade: Any) -> None:
    """Here the agreement has no ship notice any more."""
    await trade.order()
    await trade.settle()
    known = trade.station.station.agreement("us").documents
    documents = known.model_copy(update={"send": {"order_acknowledgement": known.send["order_acknowledgement"]}})
    trade.station.agree("us", documents=documents)
    seller, told = _seller(trade, "accept")
    await seller.look()
    assert told[-1] == "the agreement has no ship_notice: not sent"
