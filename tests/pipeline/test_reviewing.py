"""Answers that differ from their orders, or come before them: held, decided about, gone on or refused."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from gateway import canonical
from gateway.cli import map_edi
from gateway.errors import OurFault
from gateway.mapping import reference_csv
from gateway.partners.agreement import References
from gateway.partners.service_levels import Matching
from gateway.pipeline import reviewing
from gateway.pipeline.teaching import Lesson, teach
from gateway.ports import Direction, DocumentState, Refused, Review, Submitted

from .test_changes import change_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
ORDER = "4500012345"
ACK, NOTICE = "order_acknowledgement", "ship_notice"


def agree(trade: Any, partner: str = "acme", **matching: Any) -> None:
    """A matching section."""
    trade.gateway.agree(partner, matching=Matching.model_validate(matching))


async def came(trade: Any, partner: str = "acme", kind: str = ACK) -> Any:
    """The newest document of a kind that came from a partner."""
    page = await trade.gateway.store.documents(partner=partner, kind=kind, direction=Direction.INBOUND)
    return page.documents[-1]


async def answer(trade: Any, kind: str = ACK, number: str = ORDER, partner: str = "acme", **changes: Any) -> Any:
    """A partner answers over REST; what became of its document."""
    body = trade.answer_body(number, partner) if kind == ACK else trade.notice_body(number, partner)
    done = await trade.submit(body | changes, kind=kind, partner=partner)
    assert isinstance(done, Submitted), done
    await trade.gateway.work()
    return await came(trade, partner, kind)


async def decide(trade: Any, changes: Any, document: Any) -> bool:
    """A decision, and what follows."""
    done: bool = await trade.gateway.store.judge(document.id, changes)
    await trade.gateway.work()
    return done


async def kinds(trade: Any, document: Any) -> list[str]:
    """The trail of a document's message."""
    found: list[str] = await trade.gateway.kinds(message_id=document.message_id)
    return found


async def test_a_price_outside_of_what_is_agreed_is_held_with_its_reason_and_goes_on_when_somebody_approves(
    trade: Any,
) -> None:
    """Nothing at the ERP before; who and why is on the trail; the order is answered then."""
    agree(trade, tolerances={"price_percent": 1})
    order_id = await trade.order()
    document = await answer(trade)
    assert (document.state, document.review) == (DocumentState.HELD, Review.OUTSIDE_TOLERANCE)
    assert [one["rule"] for one in document.findings] == ["matching.price_outside_tolerance"]
    assert trade.at_erp(ACK) == []
    assert "document.accepted" not in await kinds(trade, document)
    assert [one.id for one in await trade.gateway.store.under_review()] == [document.id]
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    assert await decide(trade, reviewing.approval(document, by="ann", why="new list", now=trade.clock()), document)
    again = await trade.gateway.store.document(document.id)
    assert (again.state, again.review) == (DocumentState.DELIVERED, None)
    assert len(trade.at_erp(ACK)) == 1
    assert "document.accepted" in await kinds(trade, document)
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.ANSWERED
    trail = await trade.gateway.trail(message_id=document.message_id)
    (event,) = [one.data for one in trail if one.kind == "document.reviewed"]
    assert (event["decision"], event["by"], event["why"]) == ("approved", "ann", "new list")
    assert await trade.gateway.store.under_review() == []
    second = await trade.submit(trade.answer_body(supplier_order_number="S-9"), kind=ACK, partner="acme")
    assert isinstance(second, Refused)
    assert [one.rule for one in second.findings] == ["matching.already_acknowledged"]


async def test_what_somebody_rejects_never_reaches_the_erp_and_a_corrected_one_may_come(trade: Any) -> None:
    """Its number is free again; who decides second is told that it is too late."""
    agree(trade, tolerances={"price_percent": 1})
    await trade.order()
    document = await answer(trade)
    assert await decide(trade, reviewing.refusal(document, by="ben", why="old price"), document)
    assert not await decide(trade, reviewing.approval(document, by="ann", why="late", now=trade.clock()), document)
    rejected = await trade.gateway.store.document(document.id)
    assert (rejected.state, rejected.review) == (DocumentState.REJECTED, None)
    assert {"document.reviewed", "document.rejected"} <= set(await kinds(trade, document))
    assert trade.at_erp(ACK) == []
    lines = copy.deepcopy(trade.answer_body()["lines"])
    lines[2]["prices"] = trade.order_body()["lines"][2]["prices"]
    corrected = await answer(trade, lines=lines)
    assert corrected.state is DocumentState.DELIVERED


POLICIES = [
    ("pass_with_finding", DocumentState.DELIVERED),
    ("hold", DocumentState.HELD),
]


@pytest.mark.parametrize(("policy", "state"), POLICIES)
async def test_the_agreement_says_what_becomes_of_a_difference(trade: Any, policy: str, state: DocumentState) -> None:
    """It goes on with its finding, or waits."""
    agree(trade, tolerances={"price_percent": 1}, outside_tolerance=policy)
    await trade.order()
    document = await answer(trade)
    assert document.state is state
    assert [one["rule"] for one in document.findings] == ["matching.price_outside_tolerance"]


async def test_the_agreement_may_refuse_at_once(trade: Any) -> None:
    """With the reason, as anything else that is wrong."""
    agree(trade, tolerances={"price_percent": 1}, outside_tolerance="reject")
    await trade.order()
    done = await trade.submit(trade.answer_body(), kind=ACK, partner="acme")
    assert isinstance(done, Refused)
    assert [one.rule for one in done.findings] == ["matching.price_outside_tolerance"]


async def test_within_tolerance_passes_without_a_word(trade: Any) -> None:
    """The demo's answer is 4.8 % dearer in one line, in full and in time."""
    agree(trade, tolerances={"price_percent": 10, "quantity_over_percent": 0, "quantity_under_percent": 0})
    await trade.order()
    document = await answer(trade)
    assert (document.state, document.findings) == (DocumentState.DELIVERED, ())


async def test_a_notice_of_more_than_the_tolerance_is_held(trade: Any) -> None:
    """The demo's third line: 144 shipped; with a surplus agreed it would pass."""
    agree(trade, tolerances={"quantity_over_percent": 5})
    await trade.order()
    body = trade.notice_body()
    body["contents"][0]["contents"][1]["contents"][1]["contents"][0]["shipped"]["value"] = "160"
    document = await answer(trade, NOTICE, contents=body["contents"])
    assert document.review is Review.OUTSIDE_TOLERANCE
    assert "% more" in document.findings[0]["wanted"]


async def test_an_answer_before_its_order_waits_and_goes_on_when_the_order_comes(trade: Any) -> None:
    """Woken by the order; delivered once."""
    agree(trade, unknown_order_wait_hours=24)
    document = await answer(trade)
    assert (document.state, document.review) == (DocumentState.HELD, Review.ORDER_UNKNOWN)
    assert [one["severity"] for one in document.findings] == ["accept_with_errors"]
    order_id = await trade.order()
    again = await trade.gateway.store.document(document.id)
    assert (again.state, again.review, again.findings) == (DocumentState.DELIVERED, None, ())
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.ANSWERED
    assert len(trade.at_erp(ACK)) == 1


async def test_an_order_that_came_at_the_same_moment_is_found_by_looking_again(trade: Any) -> None:
    """Nobody woke the answer: the next look does."""
    agree(trade, "baltic", unknown_order_wait_hours=24)
    document = await answer(trade, number="77", partner="baltic")
    trade.gateway.agree("baltic", matching=None)  # an order that wakes nobody
    await trade.order("77", "baltic")
    agree(trade, "baltic", unknown_order_wait_hours=24)
    assert (await trade.gateway.store.document(document.id)).state is DocumentState.HELD
    trade.clock.advance(minutes=2)
    await trade.gateway.work()
    assert (await trade.gateway.store.document(document.id)).state is DocumentState.DELIVERED


AFTER = [("reject", DocumentState.REJECTED, []), ("hold", DocumentState.HELD, [Review.ORDER_UNKNOWN])]


@pytest.mark.parametrize(("policy", "state", "reviews"), AFTER)
async def test_when_the_order_does_not_come_in_time_the_agreement_decides(
    trade: Any, policy: str, state: DocumentState, reviews: list[Review]
) -> None:
    """Refused by the gateway, on the trail; or left to a person."""
    agree(trade, unknown_order_wait_hours=24, unknown_order=policy)
    document = await answer(trade)
    trade.clock.advance(hours=23)
    await trade.gateway.work()
    assert (await trade.gateway.store.document(document.id)).state is DocumentState.HELD
    trade.clock.advance(hours=2)
    await trade.gateway.work()
    again = await trade.gateway.store.document(document.id)
    assert again.state is state
    assert [one.review for one in await trade.gateway.store.under_review()] == reviews
    assert ("document.reviewed" in await kinds(trade, document)) == (policy == "reject")


async def test_without_waiting_an_unknown_order_is_refused_as_ever(trade: Any) -> None:
    """A matching section alone makes nobody wait."""
    agree(trade, tolerances={"price_percent": 1})
    done = await trade.submit(trade.answer_body("9"), kind=ACK, partner="acme")
    assert isinstance(done, Refused)
    assert [one.rule for one in done.findings] == ["matching.order_unknown"]


async def test_an_order_that_comes_and_does_not_fit_leads_to_a_review_of_the_difference(trade: Any) -> None:
    """First it waited for the order, now it waits for a person."""
    agree(trade, tolerances={"price_percent": 1}, unknown_order_wait_hours=24)
    document = await answer(trade)
    await trade.order()
    again = await trade.gateway.store.document(document.id)
    assert (again.state, again.review) == (DocumentState.HELD, Review.OUTSIDE_TOLERANCE)
    assert [one["rule"] for one in again.findings] == ["matching.price_outside_tolerance"]


async def test_an_answer_that_waits_is_here_and_its_order_not_overdue(trade: Any) -> None:
    """The partner did answer in time; while somebody decides nobody is reminded."""
    agree(trade, tolerances={"price_percent": 1})
    await trade.order("77", "baltic")
    agree(trade, "baltic", tolerances={"price_percent": 1})
    document = await answer(trade, number="77", partner="baltic")
    assert document.review is Review.OUTSIDE_TOLERANCE
    trade.clock.advance(days=5)
    await trade.gateway.work()
    assert await trade.gateway.store.overdue() == []
    assert await decide(trade, reviewing.refusal(document, by="ben", why="old price"), document)
    trade.clock.advance(days=5)
    await trade.gateway.work()
    assert [one.number for one in await trade.gateway.store.overdue()] == ["77"]


async def test_a_notice_over_two_orders_counts_against_both(trade: Any) -> None:
    """Found under its second order too: what it shipped of that one is not shipped again."""
    await trade.order("77")
    await trade.order("78")
    both = trade.notice_body("77")["contents"] + trade.notice_body("78")["contents"]
    first = await answer(trade, NOTICE, number="77", contents=both)
    assert [one["rule"] for one in first.findings if one["rule"].startswith("matching.")] == []
    found = await trade.gateway.store.documents_for_order("acme", NOTICE, "78")
    assert [one.id for one in found] == [first.id]
    second = await answer(trade, NOTICE, number="78")
    assert {one["rule"] for one in second.findings} >= {"matching.shipped_too_much"}


def one_line(number: str, body: dict[str, Any]) -> dict[str, Any]:
    """The order with one line of 24 pieces of an item that the cross-references may not know."""
    line = {
        "line_id": "1",
        "quantity": {"value": "24", "unit": "EA"},
        "item": {"ids": [{"scheme": "buyer", "value": "100001"}]},
        "prices": [{"type": "unit", "amount": "4.00"}],
    }
    return {name: value for name, value in body.items() if name != "totals"} | {"number": number, "lines": [line]}


async def test_a_change_does_not_overtake_its_held_order(trade: Any) -> None:
    """The order waits for a word of the cross-references; its changes wait behind it and go when it has gone."""
    items = {"items": {"theirs": "supplier", "ours": "buyer"}}
    trade.gateway.agree("acme", references=References.model_validate(items))
    order = one_line("77", trade.order_body())
    assert isinstance(await trade.submit(order), Submitted)
    for sequence in ("1", "2"):
        done = await trade.submit(change_of(order, sequence), kind="order_change")
        assert isinstance(done, Submitted), done
    await trade.gateway.work()
    changes = await trade.gateway.store.under_review()
    assert [(one.state, one.review) for one in changes] == [(DocumentState.HELD, Review.ORDER_HELD)] * 2
    with pytest.raises(OurFault, match="waits for its order and goes on by itself"):
        reviewing.approval(changes[0], by="ann", why="go", now=trade.clock())
    trade.clock.advance(hours=5)
    await trade.gateway.work()
    assert await trade.gateway.all("8") == []
    read = reference_csv.read("t.csv", b"list,theirs,ours\nitems,S-1,100001\n", partner="acme")
    store = trade.gateway.store
    lesson = Lesson(file="t.csv", rows=read.rows, by="ann", reason="a test")
    assert not (await teach(store, store, lesson, clock=trade.clock)).findings
    await trade.gateway.work()  # each wakes the next
    numbers = {(await trade.gateway.payload(one)).split("*")[13]: one.filename for one in await trade.gateway.all("8")}
    assert [numbers[number] for number in sorted(numbers)] == ["850-77.edi", "860-77-1.edi", "860-77-2.edi"]
    assert [one.review for one in [await store.document(one.id) for one in changes]] == [None, None]


async def test_of_ship_notices_that_come_at_once_each_counts_for_the_others(trade: Any) -> None:
    """Each ships all that was ordered: one goes on, whichever; the others are held, and say what came before."""
    agree(trade, tolerances={"quantity_over_percent": 0}, outside_tolerance="hold")
    await trade.order()
    notices = [trade.notice_body() | {"number": f"ASN-{number}"} for number in range(5)]
    done = await asyncio.gather(
        *(trade.submit(one, kind=NOTICE, partner="acme", key=f"key-{at}") for at, one in enumerate(notices))
    )
    assert all(isinstance(one, Submitted) for one in done), done
    page = await trade.gateway.store.documents(partner="acme", kind=NOTICE, direction=Direction.INBOUND)
    assert sorted(str(one.review) for one in page.documents) == ["None", *["outside_tolerance"] * 4]
    before = {one.findings[0]["said"].partition(" of line 1, ")[2] for one in page.documents if one.findings}
    assert len(before) == 4


async def test_ship_notices_in_one_message_count_for_those_behind_them(trade: Any, edi: Any) -> None:
    """Three 856s of one interchange, each with all that was ordered: the first goes on."""
    agree(trade, tolerances={"quantity_over_percent": 0}, outside_tolerance="hold")
    await trade.order()
    rule = trade.gateway.station.agreement("acme").documents.receive[NOTICE].map
    written = trade.gateway.station.maps[rule]
    sets = []
    for number in range(1, 4):
        model, _ = canonical.parse(NOTICE, trade.notice_body() | {"number": f"ASN-{number}"})
        body = canonical.dump(model)
        root, control = written.write(body).root, f"{number:04}"
        text = map_edi.write_set(written, body, root, number=control, newlines=False, version=None)
        sets.append(text.decode().strip())
    message = await trade.arrives(edi.interchange(edi.group(*sets, code="SH")))
    found = {one.number: one.review for one in await trade.gateway.documents(message)}
    held = Review.OUTSIDE_TOLERANCE
    assert found == {"ASN-1": None, "ASN-2": held, "ASN-3": held}
