"""What agreements and targets say of lanes: a table over the lane's name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.pipeline.lanes import terms_of
from gateway.ports import Terms


def said(agreement: dict[str, Any] | None = None, target: dict[str, Any] | None = None) -> Any:
    """The terms of a workspace with one partner and one target."""
    partner = {"name": "acme", "criticality": "normal", "ordered": False, "rate": None} | (agreement or {})
    there = {"ordered": False, "rate": None} | (target or {})
    settings: Any = SimpleNamespace(targets={"north": SimpleNamespace(**there)})
    one: Any = SimpleNamespace(**partner)
    return terms_of(settings, [one])


@pytest.mark.parametrize(
    "name",
    ["acme:inbound:read", "acme:inbound:north", "acme:outbound:as2", "baltic:inbound:read", "odd", "webhooks:a:b"],
)
def test_where_nothing_is_said_a_lane_has_no_order_no_rate_and_usual_work(name: str) -> None:
    """Whatever it is called."""
    assert said()(name) == Terms()


@pytest.mark.parametrize(
    ("name", "ordered"),
    [
        ("acme:inbound:read", True),
        ("acme:inbound:north", True),
        ("acme:outbound:compose", True),
        ("acme:outbound:as2", True),
        ("acme:outbound:receipt", False),
        ("acme:outbound:acknowledgment", False),
        ("baltic:inbound:read", False),
    ],
)
def test_an_ordered_agreement_orders_all_that_its_documents_pass(name: str, ordered: bool) -> None:  # noqa: FBT001
    """Waits for receipts and acknowledgments are no documents, and other partners are not concerned."""
    assert said({"ordered": True})(name).ordered is ordered


def test_an_ordered_target_orders_each_partners_documents_and_their_reading() -> None:
    """Read out of order they would be delivered so."""
    terms = said(None, {"ordered": True})
    assert terms("acme:inbound:north").ordered
    assert terms("acme:inbound:read").ordered
    assert not terms("acme:outbound:as2").ordered


def test_rates_hold_where_the_far_side_is_called() -> None:
    """The agreement's at their station, the target's at the target."""
    terms = said({"rate": "10/second"}, {"rate": "5/minute"})
    assert terms("acme:outbound:as2").rate == "10/second"
    assert terms("acme:inbound:north").rate == "5/minute"
    assert terms("acme:inbound:read").rate is None
    assert (terms("acme:outbound:as2").shared, terms("acme:inbound:north").shared) == (None, "north")


def test_critical_partners_go_first_everywhere() -> None:
    """All lanes of the partner."""
    terms = said({"criticality": "critical"})
    assert {terms(f"acme:{rest}").priority for rest in ("inbound:read", "outbound:as2", "inbound:north")} == {0}
    assert terms("baltic:inbound:read").priority == 2
