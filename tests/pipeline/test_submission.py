"""Documents over REST at the pipeline's desk: complete answers, repeats without effect, partners apart."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from gateway import canonical
from gateway.pipeline.submission import SubmissionDesk
from gateway.ports import (
    Changes,
    DocumentState,
    DocumentUpdate,
    MessageState,
    MessageUpdate,
    Refused,
    Submitted,
)

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


async def test_idempotency_key_on_two_nodes_at_once_is_one_answer(trade: Any) -> None:
    """The database decides who is first; the other one gets the first one's bytes."""
    body = trade.order_body()
    given: dict[str, Any] = {"kind": "purchase_order", "partner": None, "idempotency_key": "k-1", "order_id": None}
    given |= {"body": json.dumps(body).encode(), "correlation_id": "c"}
    desks = [SubmissionDesk(trade.gateway.station) for _ in range(2)]
    done = await asyncio.gather(*(desk.submit(**given) for desk in desks))
    assert len({one.receipt for one in done if isinstance(one, Submitted)}) == 1
    assert sorted(getattr(one, "duplicate", None) for one in done) == [False, True]


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
    body["parties"][1]["ids"] = [{"scheme": "assigned_by_buyer", "value": f"V-99{one}"} for one in range(100)]
    assert (await trade.submit(body)).findings[0].said.endswith("V-994 and 95 more")
    assert "gateway partner list" in refused.findings[0].fix


async def test_order_number_with_other_content_is_a_conflict_that_is_kept(trade: Any) -> None:
    """The ERP uses a number twice: 409 with the remedy, its bytes are kept, the first order stands."""
    order_id = await trade.order()
    refused = await trade.submit(trade.order_body() | {"business_unit": "south"})
    assert (refused.status, refused.findings[0].rule) == (409, "duplicate.other_content")
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


async def test_the_body_cannot_be_about_another_order_than_its_address(trade: Any) -> None:
    """422 at the place that differs, number or release; nothing is answered."""
    order_id = await _baltic(trade)
    other = await trade.submit(trade.order_body("4500012399", "baltic", "south"))
    for order, pointer in (
        ({"number": "4500012399"}, "/order/number"),
        ({"number": BALTIC, "release_number": "7"}, "/order/release_number"),
    ):
        refused = await _ack(trade, order_id, body=trade.answer_body(BALTIC, "baltic", order=order))
        assert isinstance(refused, Refused)
        assert refused.status == 422
        assert [(one.rule, str(one.place)) for one in refused.findings] == [("submission.order_differs", pointer)]
    for id_ in (order_id, json.loads(other.receipt.body)["document_id"]):
        assert (await trade.gateway.store.document(id_)).state is DocumentState.AVAILABLE


async def test_the_address_decides_between_releases_of_one_order_number(trade: Any) -> None:
    """The answer at the first release's address is about the first release, whatever is newest."""
    bodies = [trade.order_body(BALTIC, "baltic", "south") | {"release_number": one} for one in ("1", "2")]
    ids = [json.loads((await trade.submit(body)).receipt.body)["document_id"] for body in bodies]
    done = await _ack(trade, ids[0])
    assert isinstance(done, Submitted)
    (answer,) = await trade.gateway.store.documents_of(done.transaction_id)
    assert answer.body["order"]["release_number"] == "1"
    states = [(await trade.gateway.store.document(one)).state for one in ids]
    assert states == [DocumentState.ANSWERED, DocumentState.AVAILABLE]


async def test_what_is_no_order_of_theirs_cannot_be_answered(trade: Any) -> None:
    """The id of an acknowledgement in the address is as good as none."""
    order_id = await _baltic(trade)
    done = await _ack(trade, order_id)
    assert isinstance(done, Submitted)
    (answer,) = await trade.gateway.store.documents_of(done.transaction_id)
    again = await _ack(trade, answer.id)
    assert (getattr(again, "status", None), getattr(again, "rule", None)) == (404, "api.not_found")


async def test_idempotency_key_for_another_order_is_refused_after_a_restart_too(trade: Any) -> None:
    """The same key and bytes at another address are another request."""
    order_id = await _baltic(trade)
    other = json.loads((await trade.submit(trade.order_body("4500012399", "baltic", "south"))).receipt.body)
    body = trade.answer_body(BALTIC, "baltic")
    del body["order"]
    assert isinstance(await _ack(trade, order_id, key="k-1", body=body), Submitted)
    trade.gateway.desk = SubmissionDesk(trade.gateway.station)
    for how in ({"order_id": other["document_id"]}, {"order_id": order_id, "kind": "ship_notice"}):
        refused = await _ack(trade, key="k-1", body=body, **how)
        assert (getattr(refused, "status", None), getattr(refused, "rule", None)) == (
            422,
            "api.idempotency.key_reused",
        )
    assert isinstance(await _ack(trade, order_id, key="k-1", body=body), Submitted)


async def test_a_repeat_is_a_fact_on_the_first_ones_trail_and_takes_its_key(trade: Any) -> None:
    """Under a new key the document is known, under the same key the request; another body under it is refused."""
    order_id = await _baltic(trade)
    first = await _ack(trade, order_id)
    assert isinstance(first, Submitted)
    again = [await _ack(trade, order_id, key="k-2") for _ in range(2)]
    assert {one.receipt for one in again if isinstance(one, Submitted)} == {first.receipt}
    kinds = await trade.gateway.kinds(message_id=first.transaction_id)
    assert (kinds.count("document.duplicate"), kinds.count("message.duplicate")) == (1, 1)
    other = await _ack(trade, order_id, key="k-2", body=trade.answer_body(BALTIC, "baltic", purpose="replace"))
    assert (getattr(other, "status", None), getattr(other, "rule", None)) == (422, "api.idempotency.key_reused")


async def test_an_order_that_got_stuck_is_a_conflict_that_names_the_remedy(trade: Any) -> None:
    """Not a 202: sending it again frees nothing; the operator's command has the message's id."""
    done = await trade.submit(trade.order_body())
    (document,) = await trade.gateway.store.documents_of(done.transaction_id)
    failed = (DocumentUpdate(id=document.id, state=DocumentState.FAILED),)
    await trade.gateway.store.apply(Changes(document_updates=failed))
    refused = await trade.submit(trade.order_body())
    assert isinstance(refused, Refused)
    assert (refused.status, refused.findings[0].rule) == (409, "submission.failed_before")
    assert refused.findings[0].fix.endswith(f"gateway message retry {done.transaction_id}")
    (job,) = await trade.gateway.claim()
    await trade.gateway.worker._work(job)
    carrier = await trade.gateway.newest("850")
    stuck = Changes(message_updates=(MessageUpdate(id=carrier.id, state=MessageState.FAILED),), document_updates=failed)
    await trade.gateway.store.apply(stuck)
    refused = await trade.submit(trade.order_body())
    assert refused.findings[0].fix.endswith(f"gateway message retry {carrier.id}")


async def test_a_body_that_was_refused_unread_leaves_a_trace(trade: Any) -> None:
    """The first 64 KiB, hash and size of the whole, and why."""
    await trade.gateway.desk.unread(
        partner="baltic", start=b"[" * 70_000, size=9_000_000, sha256="ab" * 32, reason="too large"
    )
    (kept,) = await trade.gateway.store.messages(partner="baltic", state=MessageState.REFUSED)
    assert await trade.gateway.store.payload(kept.id) == b"[" * 65_536
    (fact,) = await trade.gateway.trail(message_id=kept.id)
    assert (fact.kind, fact.data["size"], fact.data["sha256"]) == ("message.refused", 9_000_000, "ab" * 32)
    assert fact.data["reason"] == "too large"


async def test_a_long_body_is_checked_beside_the_event_loop_and_told_in_short(
    trade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred findings of many, the kept document included; the loop's thread reads none of it."""
    order_id = await _baltic(trade)
    threads: set[int] = set()
    parse = canonical.parse

    def seen(kind: str, data: object) -> Any:
        threads.add(threading.get_ident())
        return parse(kind, data)

    monkeypatch.setattr(canonical, "parse", seen)
    line = trade.answer_body(BALTIC, "baltic")["lines"][0]
    wrong = trade.answer_body(BALTIC, "baltic", lines=[line | {"colour": "red"}] * 400)
    refused = await _ack(trade, order_id, body=wrong)
    assert isinstance(refused, Refused)
    assert (len(refused.findings), refused.findings[-1].said) == (101, "and 300 more")
    unknown = [line | {"line_id": f"x{number}", "order_line_id": f"x{number}"} for number in range(400)]
    done = await _ack(trade, order_id, body=trade.answer_body(BALTIC, "baltic", lines=unknown))
    assert isinstance(done, Submitted)
    (stored,) = await trade.gateway.store.documents_of(done.transaction_id)
    assert len(stored.findings) == len(json.loads(done.receipt.body)["findings"]) == 101
    assert threads
    assert threading.get_ident() not in threads


async def test_order_fetched_twice_is_one_event(trade: Any) -> None:
    """The first reading is a fact, the second one is not."""
    order_id = await _baltic(trade)
    for _ in range(2):
        await trade.gateway.desk.fetched(await trade.gateway.store.document(order_id))
    assert (await trade.gateway.kinds(order=BALTIC)).count("document.fetched") == 1
