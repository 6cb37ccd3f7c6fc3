"""Cross-references in the flow: an answer in the partner's words reaches the ERP in ours, or waits for a word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.mapping import reference_csv
from gateway.partners.agreement import References
from gateway.pipeline import teaching
from gateway.pipeline.teaching import Lesson, Taught
from gateway.ports import DocumentState

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

AGREED = {
    "items": {"theirs": "supplier", "ours": "buyer"},
    "units": {"unknown": "hold"},
}


def agree(trade: Any, **changes: Any) -> None:
    """What is translated with acme."""
    trade.gateway.agree("acme", references=References.model_validate({**AGREED, **changes}))


async def teach(trade: Any, text: str, **how: Any) -> Taught:
    """Rows of acme's: list,theirs,ours,factor."""
    read = reference_csv.read("t.csv", f"list,theirs,ours,factor,valid_from\n{text}".encode(), partner="acme")
    assert not read.findings
    store = trade.gateway.store
    lesson = Lesson(file="t.csv", rows=read.rows, by="ann", reason="a test")
    return await teaching.teach(store, store, lesson, clock=trade.clock, **how)


def ack(edi: Any, item: str = "A-1001", unit: str = "EA", quantity: str = "24") -> str:
    """Acme's answer to the order of 24 pieces."""
    return str(
        edi.file(
            edi.set(
                "855",
                "BAK*00*AC*4500012345*20260302****SO-1*20260302",
                f"PO1*1*{quantity}*{unit}*48**VP*{item}",
                f"ACK*IA*{quantity}*{unit}*068*20260309",
                "CTT*1",
            )
        )
    )


async def the_document(trade: Any, message: Any) -> Any:
    """The message's one document."""
    (document,) = await trade.gateway.documents(message)
    return document


async def test_an_answer_reaches_the_erp_in_our_words_and_is_stored_as_it_came(trade: Any, edi: Any) -> None:
    """Cases become pieces before the answer is held against the order: nothing is missing there."""
    await trade.order()
    agree(trade)
    await teach(trade, "items,S-1,700\nunits,CT,EA,12\n")
    message = await trade.arrives(ack(edi, "S-1", "CA", "2"))
    document = await the_document(trade, message)
    assert document.state is DocumentState.DELIVERED
    assert document.findings == ()
    assert document.body["lines"][0]["quantity"] == {"value": "2", "unit": "CT"}
    (line,) = trade.at_erp("order_acknowledgement")[0]["body"]["lines"]
    assert (line["quantity"]["value"], line["quantity"]["unit"]) == ("24", "EA")
    assert {"scheme": "buyer", "value": "700"} in line["item"]["ids"]
    assert line["prices"][0]["amount"] == "4"
    (event,) = [one for one in await trade.gateway.trail(message_id=message.id) if one.kind == "document.translated"]
    assert (event.data["words"], event.data["references"]) == (3, "1.0")


async def test_an_unknown_word_holds_the_document_and_learning_it_lets_it_go_on(trade: Any, edi: Any) -> None:
    """Acknowledged all the same; nothing at the ERP until both words are known."""
    await trade.order()
    agree(trade)
    await teach(trade, "items,A-1002,700\n")
    message = await trade.arrives(ack(edi, "A-1001", "CA", "2"))
    document = await the_document(trade, message)
    assert document.state is DocumentState.HELD
    (answer,) = await trade.answers(message)
    assert "AK9*A*1*1*1~" in answer
    trail = await trade.gateway.trail(message_id=message.id)
    (event,) = [one for one in trail if one.kind == "document.held"]
    assert event.data["words"] == 2
    assert "near: A-1002 = 700 (80 %)" in event.data["reason"]
    assert "teach it: gateway reference learn acme items A-1001 OURS --scheme supplier" in event.data["reason"]
    assert [(one.list, one.said) for one in await trade.gateway.store.holds()] == [("items", "A-1001"), ("units", "CT")]
    await teach(trade, "items,A-1001,701\n")
    await trade.gateway.work()
    assert [(one.list, one.said) for one in await trade.gateway.store.holds()] == [("units", "CT")]
    assert trade.at_erp("order_acknowledgement") == []
    await teach(trade, "units,CT,EA,12\n")
    await trade.gateway.work()
    assert (await the_document(trade, message)).state is DocumentState.DELIVERED
    assert len(trade.at_erp("order_acknowledgement")) == 1
    assert await trade.gateway.store.holds() == []


async def test_what_is_kept_goes_on_as_it_is(trade: Any, edi: Any) -> None:
    """And the trail counts it."""
    agree(trade, items={"theirs": "supplier", "ours": "buyer", "unknown": "keep"}, units={"unknown": "keep"})
    await trade.order()
    message = await trade.arrives(ack(edi))
    assert (await the_document(trade, message)).state is DocumentState.DELIVERED
    (event,) = [one for one in await trade.gateway.trail(message_id=message.id) if one.kind == "document.translated"]
    assert (event.data["words"], event.data["kept"]) == (0, 2)


async def test_the_same_answer_again_is_a_duplicate_also_after_a_word_was_taught(trade: Any, edi: Any) -> None:
    """What came is compared, not what it was translated to."""
    agree(trade, units={"unknown": "keep"})
    await trade.order()
    first = await trade.arrives(ack(edi, "S-1"))
    await teach(trade, "items,S-1,700\n")
    again = await trade.arrives(ack(edi, "S-1").replace("000000001", "000000002"))
    assert await trade.gateway.documents(again) == []
    assert "document.duplicate" in await trade.gateway.kinds(message_id=again.id)
    assert (await the_document(trade, first)).state is DocumentState.DELIVERED


async def test_an_order_leaves_in_the_partners_words_or_waits(trade: Any) -> None:
    """24 pieces are two cases; the stored order is the ERP's."""
    agree(trade)
    await teach(trade, "items,S-1,100001\nunits,CT,EA,12\n")
    order = trade.order_body()
    order["lines"] = [
        {
            "line_id": "1",
            "quantity": {"value": "24", "unit": "EA"},
            "item": {"ids": [{"scheme": "buyer", "value": "100001"}]},
            "prices": [{"type": "unit", "amount": "4.00"}],
        }
    ]
    order.pop("totals", None)
    await trade.submit(order)
    await trade.gateway.work()
    sent = await trade.gateway.payload(await trade.gateway.newest("850"))
    assert "~PO1*1*2*CA*48.00**BP*100001*VP*S-1~" in sent


async def test_an_order_with_an_unknown_item_is_composed_once_it_is_taught(trade: Any) -> None:
    """Held, not failed; nothing was sent."""
    agree(trade, units={"unknown": "keep"})
    order = trade.order_body()
    for number, line in enumerate(order["lines"]):
        line["item"] = {"ids": [{"scheme": "buyer", "value": f"10{number}"}]}
    submitted = await trade.submit(order)
    await trade.gateway.work()
    id_ = json.loads(submitted.receipt.body)["document_id"]
    document = await trade.gateway.store.document(id_)
    assert document.state is DocumentState.HELD
    assert await trade.gateway.all("850") == []
    lines = len(order["lines"])
    await teach(trade, "".join(f"items,S-{number},10{number}\n" for number in range(lines)))
    await trade.gateway.work()
    assert len(await trade.gateway.all("850")) == 1


async def test_a_lesson_is_a_message_with_its_rows_and_a_trail(trade: Any) -> None:
    """Who, why, how many; the audit's hashes fit."""
    taught = await teach(trade, "items,S-1,700\n")
    assert taught.message_id is not None
    again = await teach(trade, "items,S-1,701,,2026-06-01\n")
    message = await trade.gateway.store.message(again.message_id)
    assert (message.filename, message.state.value) == ("t.csv", "processed")
    text = (await trade.gateway.store.payload(again.message_id)).decode()
    assert text.splitlines()[1:] == [
        "end,acme,items,,S-1,700,,,2026-05-31",
        "add,acme,items,,S-1,701,,2026-06-01,",
    ]
    facts = [one for one in await trade.gateway.trail(message_id=again.message_id) if one.kind == "references.changed"]
    assert [(one.data["by"], one.data["added"], one.data["ended"]) for one in facts] == [("ann", 1, 1)]
    rows = await trade.gateway.store.reference_rows()
    assert [one.origin for one in rows] == [taught.message_id, again.message_id]
    assert (await teach(trade, "items,S-1,701,,2026-06-01\n")).message_id is None


async def test_a_clash_changes_nothing_and_a_dry_run_neither(trade: Any) -> None:
    """All or nothing; the finding names the line and the row that stands."""
    await teach(trade, "items,S-1,700,,2026-06-01\n")
    clash = await teach(trade, "items,S-2,1\nitems,S-1,701\n")
    (one,) = clash.findings
    assert (one.rule, str(one.place)) == ("reference.overlap", "t.csv:3")
    assert "'S-1' = '700' from 2026-06-01" in one.wanted
    assert (await teach(trade, "items,S-2,1\n", dry=True)).changes == 1
    assert len(await trade.gateway.store.reference_rows()) == 1


async def test_somebody_who_teaches_meanwhile_is_seen(trade: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second decides anew over what the first wrote."""
    store = trade.gateway.store
    asked = store.reference_rows

    async def slow(**which: Any) -> Any:
        rows = await asked(**which)
        monkeypatch.setattr(store, "reference_rows", asked)
        await teach(trade, "items,S-1,700\n")
        return rows

    monkeypatch.setattr(store, "reference_rows", slow)
    assert (await teach(trade, "items,S-1,700\nitems,S-2,701\n")).changes == 1
    assert [one.theirs for one in await store.reference_rows()] == ["S-1", "S-2"]
