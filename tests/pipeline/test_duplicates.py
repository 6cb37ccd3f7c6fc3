"""One number is one document, whatever way it comes: repeats do no harm, other content is told, replacements linked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.partners.agreement import Duplicates
from gateway.pipeline.settling import Decision, Settlement, reviewed, settled
from gateway.ports import DocumentState, Refused, Review, Submitted

from .erps import aim, later

ENVELOPE = {"source", "interchange", "group_control_number", "message_reference"}
REPLACE = {"replace": {"path": "/api/ship-notices/{their_id}"}}


def plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """A stored document as a partner would post it."""
    return {name: value for name, value in body.items() if name not in ENVELOPE}


async def post(trade: Any, body: Any, kind: str = "ship_notice") -> Any:
    """Over REST, by acme; what is to be delivered is delivered."""
    done = await trade.submit(body, kind=kind, partner="acme")
    await trade.gateway.work()
    return done


async def stored(trade: Any, done: Any) -> Any:
    """The document that a submission became."""
    assert isinstance(done, Submitted), done
    return await trade.gateway.store.document(json.loads(done.receipt.body)["document_id"])


def calls(trade: Any, kind: str = "ship-notices") -> list[tuple[str, str, str]]:
    """Method, path and what became of each call."""
    return [(one["method"], one["path"], one["what"]) for one in trade.ledger.calls() if kind in one["path"]]


async def test_document_of_edi_comes_again_over_rest_without_effect(trade: Any, edi: Any) -> None:
    """Answered with the first one's transaction; the ERP has it once."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    (first,) = await trade.gateway.documents(message)
    again = await post(trade, plain(first.body), "order_acknowledgement")
    assert (again.duplicate, again.transaction_id) == (True, message.id)
    assert len(trade.at_erp("order_acknowledgement")) == 1
    assert "document.duplicate" in await trade.gateway.kinds(message_id=message.id)


async def test_document_of_rest_comes_again_by_edi_without_effect(trade: Any, edi: Any) -> None:
    """The 997 accepts it; the ERP has it once."""
    await trade.order()
    await trade.order("4500099999")
    known = await trade.arrives(edi.file(edi.ack()))
    (document,) = await trade.gateway.documents(known)
    body = json.loads(json.dumps(plain(document.body)).replace("4500012345", "4500099999"))
    assert isinstance(await post(trade, body, "order_acknowledgement"), Submitted)
    message = await trade.arrives(edi.file(edi.ack("4500099999"), control="000000002"))
    assert await trade.gateway.documents(message) == []
    (answer,) = await trade.answers(message)
    assert "AK5*A~" in answer
    assert len(trade.at_erp("order_acknowledgement")) == 2


async def test_other_content_over_another_channel_names_the_first_message(trade: Any, edi: Any) -> None:
    """Place, which message, when, and what to do."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    (first,) = await trade.gateway.documents(message)
    refused = await post(trade, plain(first.body) | {"response": "rejected"}, "order_acknowledgement")
    assert isinstance(refused, Refused)
    (finding,) = refused.findings
    assert (refused.status, finding.rule, str(finding.place)) == (409, "duplicate.other_content", "/order/number")
    assert message.id in finding.wanted
    assert f"{first.at:%Y-%m-%d %H:%M}" in finding.wanted
    assert "BAK01 04 or 05" in finding.fix


async def test_number_is_free_again_after_the_window_of_the_agreement(trade: Any) -> None:
    """Both documents are kept and delivered; without a window it is taken for ever."""
    await trade.order()
    first = await stored(trade, await post(trade, trade.notice_body()))
    other = trade.notice_body(gross_weight={"value": "9", "unit": "KGM"})
    trade.clock.advance(days=366)
    assert isinstance(await post(trade, other), Refused)
    trade.gateway.agree("acme", duplicates=Duplicates(window_days=365))
    second = await stored(trade, await post(trade, other))
    assert (second.state, second.replaces) == (DocumentState.DELIVERED, None)
    assert (await post(trade, trade.notice_body() | plain(first.body))).duplicate
    assert isinstance(await post(trade, other | {"gross_weight": {"value": "8", "unit": "KGM"}}), Refused)


async def test_replacement_is_linked_and_told_by_the_targets_call_for_it(trade: Any, tmp_path: Path) -> None:
    """PUT to the ERP's own id of the first; a replacement of the replacement likewise; a cancellation too."""
    aim(trade, tmp_path, "erp", erp={"call": REPLACE})
    await trade.order()
    first = await stored(trade, await post(trade, trade.notice_body()))
    second = await stored(trade, await post(trade, trade.notice_body(purpose="replace")))
    assert (second.state, second.replaces) == (DocumentState.DELIVERED, first.id)
    assert (await trade.gateway.store.document(first.id)).replaced_by == second.id
    heavier = trade.notice_body(purpose="replace", gross_weight={"value": "9", "unit": "KGM"})
    third = await stored(trade, await post(trade, heavier))
    last = await stored(trade, await post(trade, trade.notice_body(purpose="cancel")))
    assert (third.replaces, last.replaces) == (second.id, third.id)
    assert calls(trade) == [
        ("POST", "/api/ship-notices", "stored"),
        ("PUT", "/api/ship-notices/ERP-000001", "stored"),
        ("PUT", "/api/ship-notices/ERP-000002", "stored"),
        ("PUT", "/api/ship-notices/ERP-000003", "stored"),
    ]
    told = [one.data for one in await trade.gateway.trail(message_id=third.message_id)]
    assert [one["replaces"] for one in told if "replaces" in one] == [second.id]


async def test_replaced_documents_that_come_once_more_are_repeats(trade: Any) -> None:
    """A late retransmission changes nothing: of the first, and of a replacement that was replaced."""
    await trade.order()
    bodies = [
        trade.notice_body(),
        trade.notice_body(purpose="replace"),
        trade.notice_body(purpose="replace", gross_weight={"value": "9", "unit": "KGM"}),
    ]
    for body in bodies:
        assert not (await post(trade, body)).duplicate
    for body in bodies:
        assert (await post(trade, body)).duplicate
    assert len(calls(trade)) == 3


async def test_without_a_call_for_replacements_the_same_call_goes_with_a_key_of_its_own(trade: Any) -> None:
    """The ERP sees the purpose in the body."""
    await trade.order()
    await post(trade, trade.notice_body())
    await post(trade, trade.notice_body(purpose="replace"))
    assert [one["body"].get("purpose", "original") for one in trade.at_erp("ship_notice")] == ["original", "replace"]


async def test_replacement_waits_until_the_first_is_there(trade: Any, tmp_path: Path) -> None:
    """The ERP is told in the order that counts, whatever lies between; what was never called is left out."""
    aim(trade, tmp_path, "erp", erp={"call": REPLACE, "honours_key": False})
    await trade.order()
    trade.misbehave(drop_after_commit={"times": 1}, ignore_key={"times": 100})
    first = await stored(trade, await post(trade, trade.notice_body()))
    await post(trade, trade.notice_body(purpose="replace"))
    await later(trade, hours=1)
    assert calls(trade) == [("POST", "/api/ship-notices", "dropped")]
    said = Settlement(decided=Decision.DELIVERED, by="ann", reason="seen", their_id="ERP-000001")
    store = trade.gateway.store
    await store.apply(await settled(store, first.id, "erp", said, trade.clock()))
    await later(trade, hours=2)
    assert calls(trade)[1:] == [("PUT", "/api/ship-notices/ERP-000001", "stored")]


async def test_document_replaced_before_it_went_out_is_never_delivered(trade: Any, tmp_path: Path) -> None:
    """Nor is the cancellation of something that the target never had."""
    aim(trade, tmp_path, "erp", erp={"call": REPLACE})
    await trade.order()
    trade.misbehave(fail={"status": 503, "times": 1})
    first = await stored(trade, await post(trade, trade.notice_body()))
    second = await stored(trade, await post(trade, trade.notice_body(purpose="cancel")))
    for _ in range(3):
        await later(trade, hours=1)
    states = {one.document_id: one.state.value for one in await trade.gateway.store.deliveries([first.id, second.id])}
    assert states == {first.id: "discarded", second.id: "discarded"}
    assert [what for _, _, what in calls(trade)] == ["failed"]


async def test_replacement_is_refused_where_the_agreement_says_so(trade: Any) -> None:
    """409, with the message that stands."""
    await trade.order()
    trade.gateway.agree("acme", replacements="refuse")
    first = await stored(trade, await post(trade, trade.notice_body()))
    refused = await post(trade, trade.notice_body(purpose="replace"))
    assert (refused.status, refused.findings[0].rule) == (409, "duplicate.replacement_refused")
    assert first.message_id in refused.findings[0].wanted


@pytest.mark.parametrize("decision", ["again", "discarded"])
async def test_replacement_is_held_where_the_agreement_says_so(trade: Any, decision: str) -> None:
    """Taken and kept; it goes out, or not, when an operator says so."""
    await trade.order()
    trade.gateway.agree("acme", replacements="hold")
    first = await stored(trade, await post(trade, trade.notice_body()))
    held = await stored(trade, await post(trade, trade.notice_body(purpose="replace")))
    assert (held.state, held.replaces) == (DocumentState.HELD, first.id)
    assert [one.id for one in await trade.gateway.store.under_review()] == [held.id]
    await later(trade, hours=1)
    assert len(calls(trade)) == 1
    said = Settlement(decided=Decision(decision), by="ann", reason="asked them")
    store = trade.gateway.store
    await store.apply(await settled(store, held.message_id, "north", said, trade.clock()))
    await later(trade)
    again, before = await store.document(held.id), await store.document(first.id)
    assert await store.under_review() == []
    if decision == "again":
        assert (again.state, before.replaced_by) == (DocumentState.DELIVERED, held.id)
        assert len(calls(trade)) == 2
    else:
        assert (again.state, before.replaced_by) == (DocumentState.FAILED, None)
        assert len(calls(trade)) == 1


@pytest.mark.parametrize("approved", [True, False])
async def test_held_replacement_is_under_review_and_decided_there(trade: Any, approved: bool) -> None:  # noqa: FBT001
    """Listed until then; what it was to replace stands when it is rejected, and a repeat of that is one."""
    await trade.order()
    trade.gateway.agree("acme", replacements="hold")
    first = await stored(trade, await post(trade, trade.notice_body()))
    held = await stored(trade, await post(trade, trade.notice_body(purpose="replace")))
    store = trade.gateway.store
    assert [(one.id, one.review) for one in await store.under_review()] == [(held.id, Review.REPLACEMENT)]
    assert "document.under_review" in await trade.gateway.kinds(message_id=held.message_id)
    made = await reviewed(store, held, approved=approved, by="ann", why="asked them", now=trade.clock())
    assert await store.judge(held.id, made)
    assert not await store.judge(held.id, made)
    assert await store.under_review() == []
    await later(trade)
    again, before = await store.document(held.id), await store.document(first.id)
    assert (again.review, before.replaced_by) == (None, held.id if approved else None)
    assert again.state is (DocumentState.DELIVERED if approved else DocumentState.FAILED)
    assert len(calls(trade)) == 1 + approved
    assert "document.reviewed" in await trade.gateway.kinds(message_id=held.message_id)
    await post(trade, trade.notice_body())
    await later(trade)
    assert len(calls(trade)) == 1 + approved


async def test_held_replacement_goes_to_all_its_targets_when_it_is_let_go(trade: Any, tmp_path: Path) -> None:
    """One decision for the document, told for each target."""
    aim(trade, tmp_path, "erp", "wms", erp={}, wms={})
    await trade.order()
    trade.gateway.agree("acme", replacements="hold")
    await post(trade, trade.notice_body())
    held = await stored(trade, await post(trade, trade.notice_body(purpose="replace")))
    said = Settlement(decided=Decision.AGAIN, by="ann", reason="asked them")
    store = trade.gateway.store
    await store.apply(await settled(store, held.id, "wms", said, trade.clock()))
    await later(trade)
    assert {one.target: one.state.value for one in await store.deliveries([held.id])} == {
        "erp": "delivered",
        "wms": "delivered",
    }
    assert (await store.document(held.id)).state is DocumentState.DELIVERED
    assert (await trade.gateway.kinds(message_id=held.message_id)).count("delivery.settled") == 2
