"""Whose rows are whose: every route, every scope, and another partner's ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.ports import Channel, Direction, DocumentState, Expected, Wait
from gateway.web.api.routes import ROUTES
from gateway.web.authentication import ERP, SUPPLIER

MOMENT = datetime(2026, 11, 21, 1, tzinfo=UTC)
OTHERS = {"purchase-orders": "a1", "order-changes": "c-a1", "transactions": "m-a1"}
OWN = {"purchase-orders": "b1", "order-changes": "c-b1", "transactions": "m-b1"}
BY_ID = [(route.method, route.path) for route in ROUTES if SUPPLIER in route.scopes and "{id}" in route.path]


def _address(path: str, ids: dict[str, str]) -> str:
    return path.replace("{id}", ids.get(path.split("/")[2], ""))


@pytest.mark.parametrize(("method", "path"), BY_ID)
async def test_anothers_row_does_not_exist(caller: Any, world: Any, method: str, path: str) -> None:
    """Every supplier route with an id: another partner's id answers exactly as an id that nobody has."""
    body = {} if method == "GET" else {"json": {"number": "x"}}
    others = await caller(method, _address(path, OTHERS), "baltic", **body)
    nobodys = await caller(method, _address(path, dict.fromkeys(OTHERS, "zz")), "baltic", **body)
    assert others.status == nobodys.status == 404
    others_said, nobodys_said = others.json, nobodys.json
    assert others_said.pop("correlation_id") != nobodys_said.pop("correlation_id")
    assert others_said == nobodys_said
    assert world.submitted == []


@pytest.mark.parametrize(("method", "path"), BY_ID)
async def test_ones_own_row_does(caller: Any, method: str, path: str) -> None:
    """The same routes with the supplier's own ids."""
    body = {} if method == "GET" else {"json": {"number": "x"}}
    own = await caller(method, _address(path, OWN), "baltic", **body)
    assert own.status in {200, 202}


async def test_lists_hold_only_ones_own_rows(caller: Any) -> None:
    """The list, and the look-up by another's number."""
    assert [item["id"] for item in (await caller("GET", "/v1/purchase-orders")).json["items"]] == ["b1"]
    assert (await caller("GET", "/v1/purchase-orders?number=PO-a1")).json["items"] == []
    assert [item["id"] for item in (await caller("GET", "/v1/purchase-orders?number=PO-b1")).json["items"]] == ["b1"]
    assert [item["id"] for item in (await caller("GET", "/v1/order-changes")).json["items"]] == ["c-b1"]
    assert (await caller("GET", "/v1/order-changes?number=PO-a1")).json["items"] == []
    (found,) = (await caller("GET", "/v1/order-changes?number=PO-b1")).json["items"]
    assert (found["id"], found["location"]) == ("c-b1", "/v1/order-changes/c-b1")


async def test_documents_of_others_inside_ones_own_message_stay_hidden(caller: Any, world: Any) -> None:
    """A second lock: even if a row were joined wrongly it is not shown."""
    world.held["a1"] = replace(world.held["a1"], message_id="m-b1")
    shown = (await caller("GET", "/v1/transactions/m-b1")).json
    assert [document["id"] for document in shown["documents"]] == ["b1"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
async def test_each_route_serves_its_scopes_only(caller: Any, route: Any) -> None:
    """The table of scopes, row by row, both ways; no key at all is 401 everywhere."""
    path = _address(route.path, OWN)
    body = {} if route.method == "GET" else {"json": {"number": "x"}}
    for scope, key in ((ERP, "erp"), (SUPPLIER, "baltic")):
        answer = await caller(route.method, path, key, **body)
        assert (answer.status == 403) == (scope not in route.scopes)
    assert (await caller(route.method, path, None, **body)).status == 401


async def test_a_supplier_sees_no_inner_names_and_the_erp_does(caller: Any) -> None:
    """Targets, the ERP's own ids and the document's source are not for suppliers."""
    supplier = (await caller("GET", "/v1/transactions/m-b1", "baltic")).json
    erp = (await caller("GET", "/v1/transactions/m-b1", "erp")).json
    assert not {"target", "their_id", "deliveries"} & supplier["documents"][0].keys()
    assert erp["documents"][0]["target"] == "north-erp"
    (delivery,) = erp["documents"][0]["deliveries"]
    assert (delivery["target"], delivery["status"], delivery["their_id"]) == ("north-erp", "delivered", "SO-9")
    assert "source" not in (await caller("GET", "/v1/purchase-orders/b1", "baltic")).json["document"]
    assert (await caller("GET", "/v1/purchase-orders/b1", "erp")).json["partner"] == "baltic"


@pytest.mark.parametrize(
    ("state", "told"), [(DocumentState.PARTLY_DELIVERED, "accepted"), (DocumentState.COMPENSATED, "failed")]
)
async def test_how_many_systems_of_ours_take_a_document_is_not_for_suppliers(
    caller: Any, world: Any, state: DocumentState, told: str
) -> None:
    """They see whether it is accepted or not; our own people see all of it."""
    shown = next(one for one in world.held.values() if one.message_id == "m-b1")
    world.held[shown.id] = replace(shown, state=state)
    supplier = (await caller("GET", "/v1/transactions/m-b1", "baltic")).json["documents"]
    erp = (await caller("GET", "/v1/transactions/m-b1", "erp")).json["documents"]
    assert next(one["status"] for one in supplier if one["id"] == shown.id) == told
    assert next(one["status"] for one in erp if one["id"] == shown.id) == state.value


async def test_an_order_that_came_from_the_partner_is_not_one_to_answer(caller: Any, world: Any) -> None:
    """Only orders that go to the supplier are in its list of orders."""
    world.held["b1"] = replace(world.held["b1"], direction=Direction.INBOUND)
    assert (await caller("GET", "/v1/purchase-orders/b1", "baltic")).status == 404
    assert (await caller("GET", "/v1/purchase-orders/b1", "erp")).status == 200


async def test_the_first_reading_by_the_supplier_is_recorded_and_the_erps_is_not(caller: Any) -> None:
    """The status changes once, and the answer says so."""
    assert (await caller("GET", "/v1/purchase-orders/b1", "erp")).json["status"] == "available"
    assert (await caller("GET", "/v1/purchase-orders/b1", "baltic")).json["status"] == "fetched"
    assert (await caller("GET", "/v1/purchase-orders/b1", "baltic")).json["status"] == "fetched"


async def test_what_the_erp_handed_over_is_the_erps_transaction(caller: Any, world: Any) -> None:
    """It bears the supplier's name, and the supplier cannot read it."""
    world.messages["m-b1"] = replace(world.messages["m-b1"], channel=Channel.ERP)
    assert (await caller("GET", "/v1/transactions/m-b1", "baltic")).status == 404
    assert (await caller("GET", "/v1/transactions/m-b1", "erp")).status == 200


async def test_an_order_says_which_answers_are_due_and_which_are_late(caller: Any, world: Any) -> None:
    """For both sides the same; what its state tells to be here is not waited for."""
    since = MOMENT - timedelta(days=1)
    world.held["b1"] = replace(world.held["b1"], answer_overdue_since=since)
    wait = Wait(expected=Expected.ORDER_ACKNOWLEDGEMENT, message_id="m", document_id="b1", due_at=since, overdue=True)
    notice = replace(wait, expected=Expected.SHIP_NOTICE, due_at=MOMENT + timedelta(days=1), overdue=False)
    world.expected = [wait, notice]
    for who in ("baltic", "erp"):
        order = (await caller("GET", "/v1/purchase-orders/b1", who)).json
        assert order["overdue"] == ["order_acknowledgement"]
        assert [(one["kind"], one["overdue"]) for one in order["expected"]] == [
            ("order_acknowledgement", True),
            ("ship_notice", False),
        ]
    world.held["b1"] = replace(world.held["b1"], answer_overdue_since=None, state=DocumentState.ANSWERED)
    order = (await caller("GET", "/v1/purchase-orders/b1", "baltic")).json
    assert "overdue" not in order
    assert [one["kind"] for one in order["expected"]] == ["ship_notice"]


async def test_an_order_whose_content_was_purged_is_gone(caller: Any, world: Any) -> None:
    """410: it was there, and what is left says nothing."""
    world.held["b1"] = replace(world.held["b1"], purged_at=world.now, body={"number": "PO-b1"})
    for who in ("baltic", "erp"):
        answer = await caller("GET", "/v1/purchase-orders/b1", who)
        assert (answer.status, answer.json["type"].endswith("api.document.purged")) == (410, True)
