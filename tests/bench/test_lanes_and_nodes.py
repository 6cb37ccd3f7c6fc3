"""What judges order, rates and the soak: it finds what it is there to find."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from bench import rates, soak
from bench.fairness import _number
from bench.plot import Panel, drawn
from bench.suppliers import NOTICES_FOR_AN_ORDER, Suppliers, inversions
from tests.bench.test_bench import bench


def _effects(*names: str) -> list[tuple[str, str]]:
    return [("ship_notice", name) for name in names]


def test_a_document_behind_a_later_one_of_its_sender_is_an_inversion() -> None:
    """Those of another sender may stand anywhere."""
    assert inversions(_effects("P0-000001", "P1-000000", "P0-000004", "P1-000003")) == (0, [])
    assert inversions(_effects("P0-000004", "P1-000000", "P0-000001", "P0-000002")) == (
        2,
        ["P0-000001 after 000004", "P0-000002 after 000004"],
    )


def test_notices_take_turns_among_suppliers_and_each_answers_an_order_of_its_own_supplier() -> None:
    """Also where an order has its hundred, and the next begins."""
    suppliers = Suppliers.of(3)
    orders = suppliers.orders(3 * NOTICES_FOR_AN_ORDER + 2)
    assert len(orders) == 5
    for number in (0, 1, 2, 3 * NOTICES_FOR_AN_ORDER, 3 * NOTICES_FOR_AN_ORDER + 1):
        index, whose = suppliers.order_of(number)
        assert whose is suppliers.all[number % 3]
        named = [one["value"] for party in orders[index]["parties"] for one in party["ids"]]
        assert whose.vendor in named


def test_half_of_the_traffic_is_the_slow_ones_and_no_number_comes_twice() -> None:
    """The others share the other half evenly."""
    numbers = [_number(turn, 4) for turn in range(80)]
    assert len(set(numbers)) == 80
    assert [sum(number % 5 == whose for number in numbers) for whose in range(5)] == [40, 10, 10, 10, 10]


@pytest.mark.parametrize(
    ("a_second", "off", "left"), [(10, 0.0, True), (11, 0.1, True), (9, -0.1, True), (10, 0.0, False)]
)
def test_a_rate_is_counted_after_its_burst_while_more_is_there(a_second: int, off: float, left: bool) -> None:  # noqa: FBT001
    """Twenty at once, then evenly; what ends before the time is over shows nothing."""
    last = 40 if left else 20
    times = [100.0] * 20 + [100.0 + number / a_second + 0.001 for number in range(last * a_second)]
    found = rates.count("a lane", times, seconds=20)
    assert found.left is left
    if left:
        assert found.off == pytest.approx(off, abs=0.01)


def test_a_rise_is_seen_and_a_spike_or_a_warm_up_is_none() -> None:
    """By the middle of all slopes, over what comes after the first fifth."""
    flat = [(float(minute), 200.0) for minute in range(100)]
    assert soak.rise(flat) == 0
    assert soak.rise([(x, 800.0 if x in {40, 41, 90} else y) for x, y in flat]) == 0
    assert soak.rise([(x, x * 10 if x < 20 else y) for x, y in flat]) == 0
    assert soak.rise([(x, 100 + x) for x, _ in flat]) == pytest.approx(0.5, abs=0.02)


def test_a_picture_is_well_formed_and_has_a_curve_for_each_name() -> None:
    """A name that is no XML is written so that it is."""
    curves = {"node-0": [(0.0, 1.0), (1.0, 150.0)], "a & b": [(0.0, 2.0), (1.0, 3.0)]}
    root = ET.fromstring(drawn("soak", [Panel(title="memory <MB>", curves=curves)]))  # noqa: S314  our own
    lines = root.findall(".//{*}polyline")
    assert len(lines) == 2
    assert {"memory <MB>", "a & b", "200"} <= {one.text for one in root.findall(".//{*}text")}


@pytest.mark.process
def test_what_ordered_lanes_bring_is_in_order_when_the_gateway_is_killed() -> None:
    """Thirty documents of three suppliers, one kill."""
    done = bench("order", "--documents", "30", "--lanes", "3", "--kills", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 inversions" in done.stdout
