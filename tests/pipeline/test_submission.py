"""Documents over REST at the pipeline's desk: complete answers, repeats without effect, partners apart."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.ports import DocumentState, MessageState, Refused, Submitted

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)

BALTIC = "4500012346"


async def _baltic(trade: Any) -> str:
    done = await trade.submit(trade.order_body(BALTIC, "baltic", "south"))
    return str(json.loads(done.receipt.body)["document_id"])


async def _ack(trade: Any, order_id: str | None, **how: Any) -> Submitted | Refused:
    body = how.pop("body", None) or trade.answer_body(BALTIC, "baltic")
    given = {"kind": "order_acknowledgement", "partner": "baltic", "order_id": order_id} | how
    done: Submitted | Refused = await trade.submit(body, **given)
    return done


async def test_idempotency_key_with_the_same_body_gives_the_same_bytes(trade: Any) -> None:
    """The second request is the first one's answer, and the ERP hears once."""
    order_id = await _baltic(trade)
    first, again = [await _ack(trade, order_id, key="k-1") for _ in range(2)]
    assert isinstance(first, Submitted)
    assert isinstance(again, Submitted)
    assert (again.receipt, again.duplicate) == (first.receipt, True)
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_idempotency_key_with_another_body_is_refused(trade: Any) -> None:
    """422, and the first answer stands."""
    order_id = await _baltic(trade)
    await _ack(trade, order_id, key="k-1")
    other = await _ack(trade, order_id, key="k-1", body=trade.answer_body(BALTIC, "baltic", purpose="replace"))
    assert isinstance(other, Refused)
    assert (other.status, other.rule) == (422, "api.idempotency.key_reused")


async def test_idempotency_key_in_flight_is_a_conflict(trade: Any) -> None:
    """The same key while the first request is under way: 409 for one of the two."""
    order_id = await _baltic(trade)
    done = await asyncio.gather(_ack(trade, order_id, key="k-1"), _ack(trade, order_id, key="k-1"))
    assert [getattr(one, "status", 202) for one in done] == [202, 409]


async def test_natural_duplicate_without_a_key_gets_the_first_answer(trade: Any) -> None:
    """The same document again: the first transaction, byte for byte, also for several at once."""
    order_id = await _baltic(trade)
    done = await asyncio.gather(*(_ack(trade, order_id) for _ in range(4)))
    assert len({one.receipt for one in done if isinstance(one, Submitted)}) == 1
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_two_different_original_answers_at_once_are_one_answer_and_one_conflict(trade: Any) -> None:
    """Whoever is second is told that the order is acknowledged, even in the same moment."""
    order_id = await _baltic(trade)
    bodies = [trade.answer_body(BALTIC, "baltic", supplier_order_number=f"B-{one}") for one in range(2)]
    done = await asyncio.gather(*(_ack(trade, order_id, body=body) for body in bodies))
    assert sorted(getattr(one, "status", 202) for one in done) == [202, 409]


async def test_order_already_acknowledged_over_rest_is_a_conflict_with_its_remedy(trade: Any) -> None:
    """409 with place and remedy; its bytes are kept; the trail says refused."""
    order_id = await _baltic(trade)
    await _ack(trade, order_id)
    body = json.dumps(trade.answer_body(BALTIC, "baltic", supplier_order_number="B-2")).encode()
    second = await _ack(trade, order_id, body=body)
    assert isinstance(second, Refused)
    assert second.status == 409
    finding = next(one for one in second.findings if one.rule == "matching.already_acknowledged")
    assert (str(finding.place), "replace" in finding.fix) == ("/order/number", True)
    kept = await trade.gateway.store.messages(partner="baltic", state=MessageState.REFUSED)
    assert await trade.gateway.store.payload(kept[0].id) == body
    assert await trade.gateway.kinds(message_id=kept[0].id) == ["message.refused"]


async def test_wrong_types_are_all_told_at_once_and_nothing_is_done(trade: Any) -> None:
    """Every wrong field with its pointer; the bytes are kept as a refused message."""
    order_id = await _baltic(trade)
    body = trade.answer_body(
        BALTIC, "baltic", response=7, issue_date="yesterday", lines=[{"quantity": "many"}], colour="red"
    )
    refused = await _ack(trade, order_id, body=body, key="k-1")
    assert isinstance(refused, Refused)
    assert refused.status == 422
    pointers = {str(one.place) for one in refused.findings}
    assert {"/response", "/issue_date", "/colour"} <= pointers
    assert any(one.startswith("/lines/0") for one in pointers)
    assert all(one.fix and one.wanted for one in refused.findings)
    assert len(await trade.gateway.store.messages(partner="baltic", state=MessageState.REFUSED)) == 1
    assert isinstance(await _ack(trade, order_id, key="k-1"), Submitted)  # the key was not used up


async def test_order_for_an_unknown_seller_is_refused_with_the_ids_it_named(trade: Any) -> None:
    """422, and where to add the id."""
    body = trade.order_body()
    body["parties"][1]["ids"] = [{"scheme": "assigned_by_buyer", "value": "V-9999"}]
    refused = await trade.submit(body)
    assert (refused.status, refused.findings[0].rule) == (422, "submission.partner_unknown")
    assert "V-9999" in refused.findings[0].said
    assert "gateway partner list" in refused.findings[0].fix


async def test_order_number_with_other_content_is_a_conflict_that_is_kept(trade: Any) -> None:
    """The ERP uses a number twice: 409 with the remedy, its bytes are kept, the first order stands."""
    order_id = await trade.order()
    refused = await trade.submit(trade.order_body() | {"business_unit": "south"})
    assert (refused.status, refused.findings[0].rule) == (409, "document.number_taken")
    assert (await trade.gateway.store.document(order_id)).business_unit == "north"
    assert len(await trade.gateway.store.messages(state=MessageState.REFUSED)) == 1


ATTEMPTS = {
    "acknowledges it by its address": (404, True, "order_acknowledgement"),
    "acknowledges it by its number": (422, False, "order_acknowledgement"),
    "ships it": (422, False, "ship_notice"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_partner_cannot_touch_the_order_of_another(trade: Any, attempt: str) -> None:
    """Acme's order and one that is nowhere get baltic the same answer; acme's order stays as it was."""
    status, by_address, kind = ATTEMPTS[attempt]
    order_id = await trade.order()
    told = []
    for number, address in (("4500012345", order_id), ("4500077777", "0193-nowhere")):
        body = (trade.notice_body if kind == "ship_notice" else trade.answer_body)(number, "baltic")
        order = address if by_address else None
        refused = await trade.submit(body, kind=kind, partner="baltic", order_id=order)
        assert isinstance(refused, Refused)
        rules = [(one.rule, one.said.replace(number, "N"), one.fix) for one in refused.findings]
        told.append((refused.status, refused.rule, refused.title, rules))
    assert told[0] == told[1]
    assert told[0][0] == status
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    assert await trade.gateway.store.document(order_id, partner="baltic") is None


async def test_answer_at_the_address_of_a_release_is_to_that_release(trade: Any) -> None:
    """The older release of a blanket order, answered by its address: not the newest one of that number."""
    ids = []
    for release in ("1", "2"):
        done = await trade.submit(trade.order_body("BL", "baltic", "south") | {"release_number": release})
        ids.append(json.loads(done.receipt.body)["document_id"])
        trade.clock.advance(minutes=1)
    await trade.gateway.work()
    body = trade.answer_body("BL", "baltic")
    del body["order"]
    done = await trade.submit(body, kind="order_acknowledgement", partner="baltic", order_id=ids[0])
    assert isinstance(done, Submitted), done
    states = [(await trade.gateway.store.document(one)).state for one in ids]
    assert states == [DocumentState.ANSWERED, DocumentState.AVAILABLE]


async def test_order_fetched_twice_is_one_event(trade: Any) -> None:
    """The first reading is a fact, the second one is not."""
    order_id = await _baltic(trade)
    for _ in range(2):
        await trade.gateway.desk.fetched(await trade.gateway.store.document(order_id))
    assert (await trade.gateway.kinds(order=BALTIC)).count("document.fetched") == 1
