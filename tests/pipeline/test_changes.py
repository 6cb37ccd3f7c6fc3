"""Changes of orders between two real gateways, and over REST: out as 860, answered as 865, at the ERP once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway import canonical
from gateway.mapping import shipped_map
from gateway.partners.agreement import DocumentRule
from gateway.ports import DocumentState, Refused, Submitted

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
BALTIC = "4500012346"
MAP_005010 = "x12/005010/860"


def change_of(order: dict[str, Any], sequence: str = "1", **more: Any) -> dict[str, Any]:
    """The first line raised, all of it still open; to or from whom the order's parties say."""
    line = order["lines"][0]
    quantity = line["quantity"] | {"value": "99"}
    changed = {"line_id": line["line_id"], "item": line["item"], "quantity": quantity}
    changed |= {"change_type": "quantity_increased", "quantity_left_to_receive": "99", "prices": line["prices"]}
    named = {"number": order["number"], "issue_date": order["issue_date"]}
    head = {"order": named, "order_type": "stand_alone", "change_sequence": sequence, "parties": order["parties"]}
    return head | {"lines": [changed]} | more


def answer_to(change: dict[str, Any], **more: Any) -> dict[str, Any]:
    """All accepted."""
    lines = [line | {"responses": [{"status": "accepted", "quantity": line["quantity"]}]} for line in change["lines"]]
    return change | {"purpose": "confirm", "response": "accepted", "lines": lines} | more


async def at_station(trade: Any, body: dict[str, Any]) -> Submitted | Refused:
    """The supplier's ERP hands a change over."""
    done: Submitted | Refused = await trade.station.desk.submit(
        kind="order_change",
        partner=None,
        body=json.dumps(body).replace("C-5005", "HARBORLINE").encode(),  # as the station's agreement names us
        idempotency_key=None,
        order_id=None,
        correlation_id="c",
    )
    return done


async def test_a_change_goes_out_and_its_answer_comes_to_the_erp_once(trade: Any) -> None:
    """860, 997, 865, 997; the order stays what it was, and each change of it is a document of its own."""
    order_id = await trade.order()
    await trade.settle()
    change = change_of(trade.order_body())
    done = await trade.submit(change, kind="order_change")
    assert isinstance(done, Submitted), done
    await trade.settle()
    sent = await trade.gateway.store.document(json.loads(done.receipt.body)["document_id"])
    assert (sent.state, sent.number) == (DocumentState.ACKNOWLEDGED, f"{change['order']['number']}/1")
    (received,) = [
        one
        for one in await trade.station.all()
        for one in await trade.station.documents(one)
        if one.kind == "order_change"
    ]
    model, _ = canonical.parse("order_change", change)
    assert model is not None
    wanted, got = canonical.dump(model), dict(received.body)
    assert {name: got.get(name) for name in wanted if name != "parties"} == {
        name: value for name, value in wanted.items() if name != "parties"
    }
    assert isinstance(await at_station(trade, answer_to(change)), Submitted)
    await trade.settle()
    (answer,) = trade.at_erp("order_change")
    assert answer["body"]["response"] == "accepted"
    again = await trade.submit(change_of(trade.order_body(), "2"), kind="order_change")
    assert isinstance(again, Submitted), again
    order = await trade.gateway.store.document(order_id)
    assert order.state is DocumentState.ACKNOWLEDGED


async def test_the_same_place_with_other_content_is_refused_and_the_same_change_is_not_sent_twice(trade: Any) -> None:
    """Place 1 is taken by what was said first."""
    await trade.order()
    change = change_of(trade.order_body())
    first = await trade.submit(change, kind="order_change")
    again = await trade.submit(change, kind="order_change")
    other = await trade.submit(change | {"notes": [{"text": "more"}]}, kind="order_change")
    assert isinstance(again, Submitted)
    assert again.receipt == first.receipt
    assert isinstance(other, Refused)
    assert [(one.rule, str(one.place)) for one in other.findings] == [("duplicate.other_content", "/change_sequence")]


async def test_a_partner_that_wants_005010_gets_it(trade: Any) -> None:
    """Its map writes notes as MTX; the envelope says the version and has a repetition separator."""
    for side, partner in ((trade.gateway, "acme"), (trade.station, "us")):
        documents = side.station.agreement(partner).documents
        rule = DocumentRule(set="860", map=MAP_005010)
        here = "send" if partner == "acme" else "receive"
        kept = getattr(documents, here) | {"order_change": rule}
        side.agree(partner, x12={"version": "005010"}, documents={here: kept})
        side.change(maps={**side.station.maps, MAP_005010: shipped_map(MAP_005010)})
    done = await trade.submit(
        change_of(trade.order_body(), notes=[{"subject": "L1", "reference": "X", "text": "Why"}]), kind="order_change"
    )
    assert isinstance(done, Submitted), done
    await trade.settle()
    sent = await trade.gateway.payload(await trade.gateway.newest("860"))
    assert "*^*00501*" in sent
    assert "*X*005010~" in sent
    assert "MTX**Why~" in sent
    (received,) = [one for one in await trade.station.all() for one in await trade.station.documents(one)]
    assert received.body["notes"] == [{"subject": "L1", "reference": "X", "text": "Why"}]


async def test_a_rest_supplier_answers_a_change_and_cannot_change_what_it_never_got(trade: Any) -> None:
    """The change waits for it; its answer reaches the ERP; an order of another is no order."""
    await trade.submit(trade.order_body(BALTIC, "baltic", "south"))
    change = change_of(trade.order_body(BALTIC, "baltic", "south"))
    done = await trade.submit(change, kind="order_change")
    assert isinstance(done, Submitted), done
    waiting = await trade.gateway.store.document(json.loads(done.receipt.body)["document_id"])
    assert (waiting.partner, waiting.state) == ("baltic", DocumentState.AVAILABLE)
    answered = await trade.submit(answer_to(change), kind="order_change", partner="baltic")
    assert isinstance(answered, Submitted), answered
    await trade.gateway.work()
    assert len(trade.at_erp("order_change")) == 1
    stranger = answer_to(change, order={"number": "4599999999"})
    refused = await trade.submit(stranger, kind="order_change", partner="baltic")
    assert isinstance(refused, Refused)
    assert [one.rule for one in refused.findings] == ["matching.order_unknown"]


async def test_a_seller_changes_only_orders_that_came_to_it_and_a_buyer_any(trade: Any) -> None:
    """The supplier's gateway refuses its ERP; it passes the buyer's change on, with a word."""
    refused = await at_station(trade, answer_to(change_of(trade.order_body())))
    assert isinstance(refused, Refused)
    assert [one.rule for one in refused.findings] == ["matching.order_unknown"]
    sent = await trade.submit(change_of(trade.order_body()), kind="order_change")
    assert isinstance(sent, Submitted), sent
    await trade.settle()
    (received,) = [one for one in await trade.station.all() for one in await trade.station.documents(one)]
    assert received.state is DocumentState.DELIVERED
    assert [one["rule"] for one in received.findings] == ["matching.changed_order_unknown"]
