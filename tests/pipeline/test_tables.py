"""The small decisions as tables: natural keys, routes, and an answer against its order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway import canonical
from gateway.partners.agreement import Agreement
from gateway.pipeline import changing, identity, matching, routing
from gateway.ports import Direction, Document, DocumentState
from gateway.settings import Settings

ACK = "order_acknowledgement"
CHANGE: dict[str, Any] = {"order": {"number": "77", "release_number": "1"}, "purpose": "change"}
NATURAL_KEYS = [
    ("purchase_order", {"number": "1"}, "purchase_order:1::"),
    ("purchase_order", {"number": "1", "release_number": "2", "revision": 3}, "purchase_order:1:2:3"),
    (ACK, {"order": {"number": "1"}, "supplier_order_number": "S"}, f"{ACK}:1::S:"),
    (
        ACK,
        {"order": {"number": "1"}, "issue_date": "2026-03-02", "purpose": "original"},
        f"{ACK}:1::2026-03-02:original",
    ),
    ("ship_notice", {"number": "A", "purpose": "original"}, "ship_notice:A:"),
    ("ship_notice", {"number": "A", "purpose": "replace"}, "ship_notice:A::replace"),
    ("ship_notice", {}, "ship_notice::"),
    ("order_change", {**CHANGE, "change_sequence": "2"}, "order_change:77:1::2:change"),
    ("order_change", {**CHANGE, "number": "CH-9", "revision": "B"}, "order_change:77:1:B:CH-9:change"),
    ("order_change", CHANGE, f"order_change:77:1::{canonical.digest(CHANGE)}:change"),
]


@pytest.mark.parametrize(("kind", "body", "key"), NATURAL_KEYS)
def test_natural_key_is_what_the_trade_calls_the_same(kind: str, body: Any, key: str) -> None:
    """Number, release or revision, and what else tells two documents apart."""
    assert identity.natural_key(kind, body) == key


@pytest.mark.parametrize("contents", [None, [], [None], ["x"], [{"order": 7}], [{"order": {"number": 3}}]])
def test_order_numbers_of_a_shapeless_notice_are_none(contents: Any) -> None:
    """Refused documents are asked for their numbers too: whatever stands there, it is no crash."""
    assert identity.order_numbers({"contents": contents}) == []


ROUTES = [
    ([{"to": "a"}], None, "a", "gateway.yaml: route 1"),
    ([{"to": "a", "business_unit": ["n"]}, {"to": "b"}], "n", "a", "gateway.yaml: route 1"),
    ([{"to": "a", "business_unit": ["n"]}, {"to": "b"}], None, "b", "gateway.yaml: route 2"),
    ([{"to": "a", "partner": ["other"]}, {"to": "b", "document": [ACK]}], "n", "b", "gateway.yaml: route 2"),
    ([{"to": "a", "document": ["ship_notice"]}], "n", None, None),
    ([], "n", None, None),
]


@pytest.mark.parametrize(("routes", "unit", "target", "rule"), ROUTES)
def test_first_route_that_fits_decides(routes: Any, unit: str | None, target: str | None, rule: str | None) -> None:
    """Conditions that are absent fit everything; no rule, no target."""
    us = {"name": "Us", "as2_id": "US", "x12": {"qualifier": "ZZ", "id": "US"}}
    settings = Settings.model_validate({"identity": us, "routes": routes})
    partner = {
        "name": "acme",
        "title": "A",
        "ids": [{"scheme": "gln", "value": "1"}],
        "channel": "rest",
        "documents": {},
    }
    agreement = Agreement.model_validate(partner)
    facts = routing.Facts(partner="acme", kind=ACK, day=AT.date(), business_unit=unit)
    decision = routing.decide(settings, agreement, facts)
    assert (decision and decision.target, decision and decision.rule) == (target, rule)
    own = routing.decide(settings, agreement.model_copy(update={"target": "own"}), facts)
    assert own is not None
    assert own.target == "own"


AT = datetime(2026, 3, 2, tzinfo=UTC)
ORDER = Document(
    id="d", message_id="m", partner="acme", direction=Direction.OUTBOUND, kind="purchase_order", number="77",
    order_number="77", business_unit=None, state=DocumentState.SENT, at=AT, updated_at=AT, sha256="", findings=(),
    agreement=None, map=None, guide=None, position=None, target=None, their_id=None,
    body={
        "number": "77",
        "lines": [
            {
                "line_id": "1",
                "quantity": {"value": "10", "unit": "EA"},
                "item": {"ids": [{"scheme": "buyer", "value": "A"}, {"scheme": "gtin", "value": "4"}]},
            }
        ],
    },
)  # fmt: skip


def _part(status: str, value: str | None = None, unit: str = "EA") -> dict[str, Any]:
    return {"status": status} | ({} if value is None else {"quantity": {"value": value, "unit": unit}})


ADD_UP = "matching.parts_do_not_add_up"
TOO_MUCH = "matching.shipped_too_much"
ANSWERS = [
    ("1", [_part("accepted", "10")], []),
    ("1", [_part("accepted", "6"), _part("backordered", "4")], []),
    ("1", [_part("accepted", "6"), _part("backordered")], []),
    ("1", [_part("accepted", "6"), _part("rejected", "1")], []),
    ("1", [_part("accepted", "10"), _part("price_changed", "10"), _part("date_changed", "10")], []),
    ("1", [_part("accepted", "6"), _part("date_changed", "4")], []),
    ("1", [_part("accepted", "6"), _part("price_changed", "4"), _part("date_changed", "4")], [ADD_UP]),
    ("1", [_part("accepted", "10"), _part("quantity_changed", "2")], []),
    ("1", [_part("changed", "12")], []),
    ("1", [_part("date_changed", "7")], []),
    ("1", [_part("accepted", "1", "CT")], []),
    ("1", [_part("accepted")], []),
    ("1", [], []),
    ("1", [_part("accepted", "9")], [ADD_UP]),
    ("1", [_part("accepted", "8"), _part("backordered", "4")], [ADD_UP]),
    ("9", [_part("accepted", "10")], ["matching.line_unknown"]),
    ("9", [_part("added", "10")], []),
]


@pytest.mark.parametrize(("line", "responses", "rules"), ANSWERS)
def test_answer_is_held_against_its_order(line: str, responses: Any, rules: list[str]) -> None:
    """Parts add up, or something explains the rest; an unknown line is said; none of it refuses the answer."""
    body = {"order": {"number": "77"}, "lines": [{"line_id": line, "responses": responses}]}
    assert [one.rule for one in matching.match_acknowledgement(body, ORDER, ())] == rules


CHANGES = [
    ("1", "quantity_changed", []),
    ("1", "added", []),
    ("2", "added", []),
    ("2", "item_replaced", []),
    (None, "changed", []),
    ("2", "changed", ["matching.line_unknown"]),
]


@pytest.mark.parametrize(("line", "what", "rules"), CHANGES)
def test_a_change_is_held_against_its_order(line: str | None, what: str, rules: list[str]) -> None:
    """A line that is not there can only be added; it is said, and refuses nothing."""
    body = CHANGE | {"lines": [{"line_id": line, "change_type": what}]}
    assert [one.rule for one in changing.match_order_change(body, ORDER, from_seller=True)] == rules


@pytest.mark.parametrize(
    ("from_seller", "rule", "severity"),
    [(True, "matching.order_unknown", "reject"), (False, "matching.changed_order_unknown", "accept_with_errors")],
)
def test_a_change_of_an_order_that_is_not_here(from_seller: bool, rule: str, severity: str) -> None:  # noqa: FBT001
    """A seller's is refused; a buyer's goes on to the ERP, which may know the order."""
    (found,) = changing.match_order_change(CHANGE, None, from_seller=from_seller)
    assert (found.rule, found.severity.value) == (rule, severity)


@pytest.mark.parametrize(
    ("purpose", "refused"), [(None, True), ("original", True), ("replace", False), ("change", False)]
)
def test_second_acknowledgement_is_refused_unless_it_changes_or_replaces(purpose: str | None, *, refused: bool) -> None:
    """One original answer for an order."""
    body = {"order": {"number": "77"}, "purpose": purpose}
    rules = [one.rule for one in matching.match_acknowledgement(body, ORDER, (replace(ORDER, kind=ACK),))]
    assert rules == (["matching.already_acknowledged"] if refused else [])


@pytest.mark.parametrize(
    ("shipped", "rules"), [(["10"], []), (["6", "4"], []), (["6", "5"], ["matching.shipped_too_much"])]
)
def test_shipped_quantities_are_summed_over_cartons(shipped: list[str], rules: list[str]) -> None:
    """More than ordered is said with its place, and does not refuse the notice."""
    lines = [{"order_line_id": "1", "shipped": {"value": one, "unit": "EA"}} for one in shipped]
    body = {"contents": [{"order": {"number": "77"}, "contents": lines}]}
    found = matching.match_ship_notice(body, {("77", None): ORDER})
    assert [one.rule for one in found] == rules
    if rules:
        assert str(found[0].place) == "/contents/0/contents/1/shipped/value"


def _notice(number: str, shipped: str, *, purpose: str = "original", **line: Any) -> dict[str, Any]:
    one = {"order_line_id": "1", "shipped": {"value": shipped, "unit": "EA"}} | line
    return {"number": number, "purpose": purpose, "contents": [{"order": {"number": "77"}, "contents": [one]}]}


EARLIER = [
    ([_notice("A", "6")], "4", []),
    ([_notice("A", "6")], "5", [TOO_MUCH]),
    ([_notice("A", "6"), _notice("B", "2")], "3", [TOO_MUCH]),
    ([_notice("A", "6"), _notice("A", "1", purpose="replace")], "9", []),
    ([_notice("A", "6"), _notice("A", "6", purpose="cancel")], "10", []),
    ([_notice("C", "6")], "10", []),
]


@pytest.mark.parametrize(("before", "shipped", "rules"), EARLIER)
def test_earlier_notices_count_against_what_is_open(before: Any, shipped: str, rules: list[str]) -> None:
    """The last under each number; cancelled ones and the one that this replaces do not."""
    earlier = [replace(ORDER, kind="ship_notice", number=one["number"], body=one) for one in before]
    found = matching.match_ship_notice(_notice("C", shipped), {("77", None): ORDER}, earlier)
    assert [one.rule for one in found] == rules


SAME_LINE = [
    ({"order_line_id": "1"}, [TOO_MUCH]),
    ({"order_line_id": None, "line_id": "1"}, []),
    ({"order_line_id": None, "line_id": "1", "item": {"ids": [{"scheme": "gtin", "value": "4"}]}}, [TOO_MUCH]),
    ({"order_line_id": None, "line_id": "1", "item": {"ids": [{"scheme": "buyer", "value": "B"}]}}, []),
    ({"order_line_id": "2", "line_id": "1", "item": {"ids": [{"scheme": "gtin", "value": "4"}]}}, []),
]


@pytest.mark.parametrize(("line", "rules"), SAME_LINE)
def test_line_number_of_a_notice_is_the_orders_only_when_the_item_is_the_same(line: Any, rules: list[str]) -> None:
    """LIN01 often counts within the notice; a named order line is taken at its word."""
    found = matching.match_ship_notice(_notice("C", "11", **line), {("77", None): ORDER})
    assert [one.rule for one in found] == rules


def test_notice_of_an_unknown_order_or_of_none_is_refused() -> None:
    """With the order's number, or with the place where it belongs."""
    unknown = {"contents": [{"order": {"number": "78"}}]}
    assert [one.rule for one in matching.match_ship_notice(unknown, {("78", None): None})] == ["matching.order_unknown"]
    assert [one.rule for one in matching.match_ship_notice({"contents": []}, {})] == ["matching.order_missing"]


SHIP_TO = {
    "role": "ship_to",
    "ids": [{"scheme": "gln", "value": "401"}],
    "address": {"postcode": "sw1a 2aa"},
}
CONDITIONS: list[tuple[dict[str, Any], str | None]] = [
    ({"ship_to": ["401"]}, None),
    ({"ship_to": ["gln:401"]}, None),
    ({"ship_to": ["duns:401"]}, "ship_to is gln:401, 401, not duns:401"),
    ({"postcode": ["SW1A"]}, None),
    ({"postcode": ["SW1A2", "X"]}, None),
    ({"postcode": ["SW2"]}, "postcode is SW1A2AA, not SW2"),
    ({"number_prefix": ["46", "77"]}, None),
    ({"number_prefix": ["8"]}, "number_prefix is 77, not 8"),
    ({"since": "2026-03-02", "until": "2026-03-02"}, None),
    ({"since": "2026-03-03"}, "since is before: 2026-03-02, not 2026-03-03"),
    ({"until": "2026-03-01"}, "until is over: 2026-03-02, not 2026-03-01"),
]


@pytest.mark.parametrize(("condition", "miss"), CONDITIONS)
@pytest.mark.parametrize("where", ["document", "order", "lines"])
def test_route_looks_at_ship_to_number_and_day(condition: dict[str, Any], miss: str | None, where: str) -> None:
    """Of the document, else of its order; of the head, else of the lines; each miss is said in words."""
    us = {"name": "Us", "as2_id": "US", "x12": {"qualifier": "ZZ", "id": "US"}}
    settings = Settings.model_validate({"identity": us, "routes": [condition | {"to": "a"}]})
    bodies: dict[str, tuple[dict[str, Any], ...]] = {
        "document": ({"parties": [SHIP_TO]}, {"parties": [SHIP_TO | {"ids": [], "address": None}]}),
        "order": ({"parties": [{"role": "buyer"}], "lines": [{}]}, {"parties": [SHIP_TO]}),
        "lines": ({"lines": [{"line_id": "1"}, {"parties": [SHIP_TO]}]},),
    }
    facts = routing.Facts(partner="acme", kind=ACK, day=AT.date(), number="77", bodies=bodies[where])
    (weighed,) = routing.weigh(settings, facts)
    assert weighed.misses == (() if miss is None else (miss,))


def test_a_ship_to_that_nobody_names_fits_no_route_that_asks_for_one() -> None:
    """And is said so."""
    us = {"name": "Us", "as2_id": "US", "x12": {"qualifier": "ZZ", "id": "US"}}
    settings = Settings.model_validate({"identity": us, "routes": [{"to": "a", "postcode": ["1"]}]})
    (weighed,) = routing.weigh(settings, routing.Facts(partner="acme", kind=ACK, day=AT.date()))
    assert weighed.misses == ("postcode is not said, not 1",)
