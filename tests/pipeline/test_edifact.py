"""EDIFACT between two real gateways: what is sent, what answers it, what closes it, what is refused and why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.edi.delta import PartnerGuide, resolve
from gateway.edi.library import standard
from gateway.partners.agreement import DocumentRule, Documents
from gateway.pipeline import ready
from gateway.ports import Direction, DocumentState, MessageState

from .edifact_trade import ACME, US, Edifact, in_edifact

ORDER = "4500012345"


@pytest.fixture
def traded(trade: Any) -> Any:
    """Both sides speak EDIFACT."""
    in_edifact(trade)
    return trade


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
async def test_order_goes_out_is_closed_by_contrl_and_its_answer_gets_one(traded: Any) -> None:
    """ORDERS, MDN, CONTRL, ORDRSP, MDN, CONTRL over real AS2; the ERP has the answer once."""
    order_id = await traded.order()
    await traded.settle()
    sent = await traded.gateway.newest("ORDERS")
    text = await traded.gateway.payload(sent)
    assert text.startswith(f"UNB+UNOC:3+{US}:14+{ACME}:14+")
    assert "+1++++1'UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+4500012345'" in text
    assert sent.content_type == "application/edifact"
    assert sent.state is MessageState.ACKNOWLEDGED
    assert (await traded.gateway.store.document(order_id)).state is DocumentState.ACKNOWLEDGED
    (contrl,) = await traded.station.all("CONTRL")
    assert f"'UCI+1+{US}:14+{ACME}:14+7'UNT+3+1'" in await traded.station.payload(contrl)
    body = json.dumps(traded.answer_body()).encode()
    done = await traded.station.desk.submit(
        kind="order_acknowledgement", partner=None, body=body, idempotency_key=None, order_id=None, correlation_id="c"
    )
    assert hasattr(done, "receipt"), done
    await traded.settle()
    assert len(traded.at_erp("order_acknowledgement")) == 1
    assert (await traded.gateway.store.document(order_id)).state is DocumentState.ANSWERED
    (answer,) = [one for one in await traded.station.all("ORDRSP") if one.direction is Direction.OUTBOUND]
    assert answer.state is MessageState.ACKNOWLEDGED
    kinds = await traded.gateway.kinds(order=ORDER)
    for kind in ("document.submitted", "interchange.composed", "acknowledgment.received", "document.delivered"):
        assert kinds.count(kind) == 1, kind


async def test_document_keeps_its_envelope_and_where_it_stood(traded: Any) -> None:
    """UNB's parties, 0020, 0062; a message in no group has no group."""
    await traded.order()
    message = await traded.arrives(Edifact.interchange(Edifact.answer(ORDER)))
    (document,) = await traded.gateway.documents(message)
    assert document.position == "R1/M1"
    envelope = document.body["interchange"]
    assert (envelope["standard"], envelope["sender"], envelope["receiver"]) == ("edifact", f"14:{ACME}", f"14:{US}")
    assert (envelope["control_number"], envelope["test"], document.body["message_reference"]) == ("R1", False, "M1")
    assert "group_control_number" not in document.body
    trail = await traded.gateway.trail(message_id=message.id)
    read = next(one for one in trail if one.kind == "interchange.read")
    assert (read.data["standard"], read.data["control_number"], read.data["outcome"]) == ("edifact", "R1", "accepted")


NO_ANSWER: dict[str, tuple[str, dict[str, Any], int]] = {
    "nobody asks and nothing is wrong": ("", {}, 0),
    "0031 asks": ("1", {}, 1),
    "the agreement says always": ("", {"answer": "always"}, 1),
}


@pytest.mark.parametrize("name", NO_ANSWER)
async def test_contrl_goes_where_it_is_asked_for_or_agreed(trade: Any, name: str) -> None:
    """An interchange without fault."""
    ack, agreed, count = NO_ANSWER[name]
    in_edifact(trade, **agreed)
    await trade.order()
    message = await trade.arrives(Edifact.interchange(Edifact.answer(ORDER), ack=ack))
    found = await trade.answers(message)
    assert len(found) == count
    for text in found:
        assert f"CONTRL:D:3:UN'UCI+R1+{ACME}:14+{US}:14+7'" in text
        assert "++++1" not in text


async def test_contrl_answers_syntax_4_in_syntax_4(traded: Any) -> None:
    """Its own version, and the long date, though we write syntax 3 otherwise."""
    await traded.order()
    message = await traded.arrives(Edifact.interchange(Edifact.answer(ORDER), ack="1", syntax="UNOC:4"))
    (text,) = await traded.answers(message)
    assert text.startswith(f"UNB+UNOC:4+{US}:14+{ACME}:14+2026")
    assert "+CONTRL:4:1:UN'" in text


REFUSED_ENVELOPES: dict[str, tuple[dict[str, str], str]] = {
    "another sender": ({"sender": "5999999999999:14"}, "+4+23+UNB+3'"),
    "another qualifier": ({"sender": f"{ACME}:ZZ"}, "+4+23+UNB+3'"),
    "another receiver": ({"receiver": "5999999999999:14"}, "+4+7+UNB+4'"),
    "UNZ counts otherwise": ({"count": "3"}, "+4+29+UNZ+2'"),
    "UNZ has another reference": ({"trailer": "R2"}, "+4+28+UNZ+3'"),
    "a test interchange": ({"tail": "++1"}, "+4+25+UNB+12'"),
}


@pytest.mark.parametrize("name", REFUSED_ENVELOPES)
async def test_interchange_not_as_agreed_is_refused_by_contrl_without_being_asked(traded: Any, name: str) -> None:
    """0083 is 4, 0085 says why, S011 where; nothing of it counts."""
    changes, told = REFUSED_ENVELOPES[name]
    await traded.order()
    message = await traded.arrives(Edifact.interchange(Edifact.answer(ORDER), **changes))
    assert message.state is MessageState.REJECTED
    (text,) = await traded.answers(message)
    assert "'UCI+R1+" in text
    assert told in text, text
    assert await traded.gateway.documents(message) == []


async def test_reference_used_before_is_refused_and_the_same_bytes_are_a_repeat(traded: Any) -> None:
    """0020 comes once from a sender; a repeat gets the first CONTRL again."""
    await traded.order()
    first = Edifact.interchange(Edifact.answer(ORDER), ack="1")
    message = await traded.arrives(first)
    repeat = await traded.arrives(first)
    assert await traded.answers(repeat) == await traded.answers(message)
    assert "message.duplicate" in await traded.gateway.kinds(message_id=repeat.id)
    other = await traded.arrives(Edifact.interchange(Edifact.answer(ORDER, supplier="SO-2")))
    (text,) = await traded.answers(other)
    assert "+4+26+UNB+6'" in text
    assert other.state is MessageState.REJECTED


async def test_reference_may_repeat_where_it_is_agreed(trade: Any) -> None:
    """The second interchange is read."""
    in_edifact(trade, control_numbers_may_repeat=True)
    await trade.order()
    await trade.order("4500012346")
    await trade.arrives(Edifact.interchange(Edifact.answer(ORDER)))
    message = await trade.arrives(Edifact.interchange(Edifact.answer("4500012346", supplier="SO-2")))
    assert message.state is MessageState.PROCESSED
    assert len(await trade.gateway.documents(message)) == 1


async def test_one_message_refused_by_the_guide_is_named_and_the_other_counts(traded: Any) -> None:
    """UCM and UCS of the wrong one; the right one reaches the ERP."""
    await traded.order()
    wrong = Edifact.answer(ORDER, number="M2").replace("DTM+137:20260302:102'", "DTM+137:20261302:102:9:9'")
    message = await traded.arrives(Edifact.interchange(Edifact.answer(ORDER), wrong))
    (text,) = await traded.answers(message)
    assert "+7'UCM+M2+ORDRSP:D:96A:UN+4'UCS+3" in text
    assert "UCM+M1" not in text
    assert message.state is MessageState.PROCESSED
    assert len(await traded.gateway.documents(message)) == 1


async def test_message_that_is_not_agreed_and_answer_to_an_unknown_order_are_refused(traded: Any) -> None:
    """17, no agreement; 18 where only the document is wrong: CONTRL has no code for that."""
    invoice = Edifact.message("ORDERS", "BGM+220+1", "DTM+137:20260302:102", "LIN+1", "UNS+S", number="M1")
    unknown = Edifact.answer("999", number="M2")
    message = await traded.arrives(Edifact.interchange(invoice, unknown))
    (text,) = await traded.answers(message)
    assert "UCM+M1+ORDERS:D:96A:UN+4+17+UNH+3'" in text
    assert "UCM+M2+ORDRSP:D:96A:UN+4+18'" in text
    assert message.state is MessageState.REJECTED
    trail = await traded.gateway.trail(message_id=message.id)
    rules = [one.data["rules"] for one in trail if one.kind == "document.rejected"]
    assert rules == [["pipeline.set.not_agreed"], ["matching.order_unknown"]]


async def test_partial_mode_interchange_takes_every_message_along(trade: Any) -> None:
    """One wrong message, and none counts."""
    in_edifact(trade, partial="interchange")
    await trade.order()
    pair = (Edifact.answer(ORDER), Edifact.answer("999", number="M2"))
    message = await trade.arrives(Edifact.interchange(*pair))
    (text,) = await trade.answers(message)
    assert "UCM+M1+ORDRSP:D:96A:UN+4" in text
    assert "UCM+M2+ORDRSP:D:96A:UN+4" in text
    assert [one.state for one in await trade.gateway.documents(message)].count(DocumentState.ACCEPTED) == 0


CLOSINGS: dict[str, tuple[tuple[str, ...], MessageState, DocumentState]] = {
    "acknowledged": (("7",), MessageState.ACKNOWLEDGED, DocumentState.ACKNOWLEDGED),
    "refused": (("4", ), MessageState.REJECTED, DocumentState.REJECTED),
    "our message refused under a 7": (
        ("7", "UCM+1+ORDERS:D:96A:UN:EAN008+4", "UCS+3+12"), MessageState.REJECTED, DocumentState.REJECTED,
    ),
    "another message refused under a 7": (
        ("7", "UCM+77+ORDERS:D:96A:UN:EAN008+4", "UCS+3+12"), MessageState.ACKNOWLEDGED, DocumentState.ACKNOWLEDGED,
    ),
    "only received": (("8",), MessageState.SENT, DocumentState.SENT),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSINGS)
async def test_contrl_of_the_partner_closes_or_rejects_what_was_sent(traded: Any, name: str) -> None:
    """The worst of what is said of our interchange and our message; a mere receipt leaves it open, then overdue."""
    (action, *inner), state, stands = CLOSINGS[name]
    order_id = await traded.order()
    message = await traded.arrives(Edifact.contrl("1", action, *inner, ack="1"))
    sent = await traded.gateway.newest("ORDERS")
    assert (sent.state, (await traded.gateway.store.document(order_id)).state) == (state, stands)
    event = next(one for one in await traded.gateway.trail(message_id=sent.id) if one.kind == "acknowledgment.received")
    assert (event.data["type"], event.data["control_number"], event.data["received_as"]) == ("CONTRL", "1", message.id)
    assert await traded.answers(message) == [], "a CONTRL is never acknowledged"
    traded.clock.advance(hours=30)
    await traded.gateway.work()
    overdue = "acknowledgment.overdue" in await traded.gateway.kinds(message_id=sent.id)
    assert overdue is (state is MessageState.SENT)


async def test_contrl_about_nothing_of_ours_or_something_closed_has_no_effect(traded: Any) -> None:
    """Its event says so; zeros in front make another reference."""
    await traded.order()
    for own, reference in (("C1", "99"), ("C2", "01")):
        message = await traded.arrives(Edifact.contrl(reference, own=own))
        assert "acknowledgment.unmatched" in await traded.gateway.kinds(message_id=message.id)
    await traded.arrives(Edifact.contrl("1", own="C3"))
    late = await traded.arrives(Edifact.contrl("1", "4", own="C4"))
    assert "acknowledgment.unmatched" in await traded.gateway.kinds(message_id=late.id)
    assert (await traded.gateway.newest("ORDERS")).state is MessageState.ACKNOWLEDGED


async def test_contrl_that_cannot_be_read_closes_nothing(traded: Any) -> None:
    """No UCI action: the operator sees it, nobody is answered."""
    await traded.order()
    wrong = Edifact.contrl("1").replace(f"+{US}:14+{ACME}:14+7'", "'")
    message = await traded.arrives(wrong)
    assert message.state is MessageState.REJECTED
    assert (await traded.gateway.newest("ORDERS")).state is MessageState.SENT
    assert "document.rejected" in await traded.gateway.kinds(message_id=message.id)
    assert await traded.answers(message) == []


async def test_contrl_beside_a_document_closes_and_the_document_is_answered(traded: Any) -> None:
    """One interchange with both; only the document is told of."""
    order_id = await traded.order()
    contrl = Edifact.message("CONTRL", f"UCI+1+{US}:14+{ACME}:14+7", version="D:3:UN", number="M1")
    message = await traded.arrives(Edifact.interchange(contrl, Edifact.answer(ORDER, number="M2"), ack="1"))
    assert (await traded.gateway.newest("ORDERS")).state is MessageState.ACKNOWLEDGED
    assert (await traded.gateway.store.document(order_id)).state is DocumentState.ANSWERED
    (text,) = await traded.answers(message)
    assert "UCM" not in text


async def test_without_request_nothing_is_awaited_but_a_refusal_counts_all_the_same(trade: Any) -> None:
    """No 0031: delivered with the receipt; a CONTRL that refuses finds it by its reference."""
    in_edifact(trade, request_acknowledgment=False)
    order_id = await trade.order()
    sent = await trade.gateway.newest("ORDERS")
    assert sent.state is MessageState.DELIVERED
    assert "++++1" not in await trade.gateway.payload(sent)
    await trade.arrives(Edifact.contrl("1", "4+13"))
    assert (await trade.gateway.newest("ORDERS")).state is MessageState.REJECTED
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.REJECTED


async def test_references_count_up_and_text_of_the_wrong_characters_is_never_sent(trade: Any) -> None:
    """0020 and 0062 of the second order are the next ones; UNOA has no small letters."""
    in_edifact(trade, test=True, line_breaks=True, una="always")
    await trade.order()
    await trade.order("4500012346")
    text = await trade.gateway.payload(await trade.gateway.newest("ORDERS-4500012346"))
    assert text.startswith("UNA:+.? '\nUNB+UNOC:3+")
    assert "+2++++1++1'\nUNH+2+ORDERS" in text
    in_edifact(trade, syntax="UNOA")
    refused = await trade.order("4500012347")
    assert (await trade.gateway.store.document(refused)).state is DocumentState.FAILED


async def test_x12_to_a_partner_of_edifact_is_refused_in_words(traded: Any, edi: Any) -> None:
    """The standard was not agreed: said on the trail, nothing answered, nothing counted."""
    message = await traded.arrives(edi.file(edi.ack()))
    assert message.state is MessageState.REJECTED
    trail = await traded.gateway.trail(message_id=message.id)
    (rejected,) = [one for one in trail if one.kind == "document.rejected"]
    assert "UNA or UNB" in rejected.data["reason"]


async def test_partner_with_both_standards_is_answered_in_the_one_it_used(trade: Any, edi: Any) -> None:
    """The order goes out as ORDERS and is closed by a CONTRL; the 855 about it gets a 997."""
    x12 = trade.gateway.station.directory.known("acme")
    in_edifact(trade)
    orders = {"purchase_order": DocumentRule(set="ORDERS", map="small/ORDERS")}
    trade.gateway.agree("acme", x12=x12.x12, documents=Documents(send=orders, receive=x12.documents.receive))
    order_id = await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    (answer,) = await trade.answers(message)
    assert "ST*997*0001~" in answer
    await trade.arrives(Edifact.contrl("1"))
    assert (await trade.gateway.newest("ORDERS")).state is MessageState.ACKNOWLEDGED
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.ANSWERED


async def test_ready_file_of_edifact_waits_for_its_contrl_where_it_asks(traded: Any) -> None:
    """`gateway message send`: bytes as they are, content type of RFC 1767, closed by its own reference."""
    text = Edifact.interchange(Edifact.message("ORDERS", "BGM+220+1"), reference="X7", ack="1")
    agreement = traded.gateway.station.directory.known("acme")
    settings = traded.gateway.station.settings
    changes = ready.ready_file(settings, agreement, text.encode(), "own.edi", traded.clock())
    await traded.gateway.store.apply(changes)
    await traded.gateway.work()
    sent = await traded.gateway.newest("own")
    assert (sent.state, sent.content_type) == (MessageState.SENT, "application/edifact")
    await traded.arrives(Edifact.contrl("X7"))
    assert (await traded.gateway.newest("own")).state is MessageState.ACKNOWLEDGED


async def test_edifact_among_other_files_is_closed_by_its_contrl(traded: Any) -> None:
    """`gateway message send --together`: the message's type is that of its root, the CONTRL finds the set in it."""
    text = Edifact.interchange(Edifact.message("ORDERS", "BGM+220+1"), reference="X8", ack="1")
    station = traded.gateway.station
    agreement = station.directory.known("acme")
    changes = ready.ready_together(
        station.settings, agreement, [("a.pdf", b"%PDF"), ("own.edi", text.encode())], traded.clock()
    )
    await traded.gateway.store.apply(changes)
    await traded.gateway.work()
    sent = await traded.gateway.store.message(changes.messages[0].id)
    assert sent.state is MessageState.SENT
    assert 'type="application/edifact"' in sent.content_type
    await traded.arrives(Edifact.contrl("X8", "4"))
    assert (await traded.gateway.store.message(sent.id)).state is MessageState.REJECTED


@pytest.mark.parametrize(("action", "state"), [("7", MessageState.ACKNOWLEDGED), ("4+13", MessageState.REJECTED)])
async def test_a_file_of_several_interchanges_is_closed_by_the_contrl_of_its_last(
    traded: Any, action: str, state: MessageState
) -> None:
    """That the first one was acknowledged says nothing of the second."""
    order = Edifact.message("ORDERS", "BGM+220+1")
    text = "".join(Edifact.interchange(order, reference=one, ack="1") for one in ("X8", "X9"))
    station, store = traded.gateway.station, traded.gateway.store
    changes = ready.ready_file(
        station.settings, station.directory.known("acme"), text.encode(), "own.edi", traded.clock()
    )
    (message_id,) = await ready.queue(store, store, [changes])
    await traded.gateway.work()
    await traded.arrives(Edifact.contrl("X8", "7"))
    assert (await store.message(message_id)).state is MessageState.SENT
    await traded.arrives(Edifact.contrl("X9", action, own="C2"))
    assert (await store.message(message_id)).state is state


async def test_answer_repeats_what_the_agreed_characters_lack(trade: Any) -> None:
    """UNOA has no small letters and their reference has: it is answered; letters beyond ASCII are dots."""
    in_edifact(trade, syntax="UNOA")
    for reference, told in (("r1-small", "UCI+r1-small+"), ("r\xe9f", "UCI+r.f+")):
        message = await trade.arrives(Edifact.interchange(Edifact.answer("999"), reference=reference, count="1"))
        (text,) = await trade.answers(message)
        assert told in text


async def test_receipt_alone_closes_where_it_is_agreed(trade: Any) -> None:
    """For a partner that never sends more than an 8."""
    in_edifact(trade, received_is_enough=True)
    order_id = await trade.order()
    await trade.arrives(Edifact.contrl("1", "8"))
    assert (await trade.gateway.newest("ORDERS")).state is MessageState.ACKNOWLEDGED
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.ACKNOWLEDGED


async def test_message_in_a_group_is_told_within_its_group(traded: Any) -> None:
    """UCF above its messages; the document keeps 0048."""
    await traded.order()
    inner = Edifact.answer(ORDER) + Edifact.answer("999", number="M2")
    group = f"UNG+ORDRSP+{ACME}+{US}+260302:0800+G1+UN+D:96A'{inner}UNE+2+G1'"
    message = await traded.arrives(Edifact.interchange(group))
    (text,) = await traded.answers(message)
    assert f"+7'UCF+G1+{ACME}+{US}+7'UCM+M2+ORDRSP:D:96A:UN+4+18'" in text
    taken = [one for one in await traded.gateway.documents(message) if one.state is not DocumentState.REJECTED]
    assert [(one.position, one.body["group_control_number"]) for one in taken] == [("R1/G1/M1", "G1")]


async def test_crash_before_the_commit_loses_and_doubles_nothing(traded: Any) -> None:
    """What was decided and not written is decided again: one document, one CONTRL, the next number."""
    await traded.order()
    built = traded.wire(Edifact.interchange(Edifact.answer(ORDER), ack="1").encode())
    await traded.post(built.headers, built.body)
    (job,) = await traded.gateway.claim()
    changes = await traded.gateway.step(job)
    assert len(changes.documents) == len(changes.messages) == 1
    traded.clock.advance(minutes=2)
    assert await traded.gateway.store.reap() == 1
    await traded.gateway.work()
    message = await traded.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
    (text,) = await traded.answers(message)
    assert "+2'UNH+2+CONTRL:" in text
    assert len(traded.at_erp("order_acknowledgement")) == 1


def guide(name: str, text: str) -> PartnerGuide:
    """A partner's guide from its text."""
    made, findings = resolve(name, find=lambda asked: (f"guides/{asked}.yaml", text), guides=standard())
    assert made is not None, [one.text for one in findings]
    return made


async def test_partners_own_guide_judges_both_ways(traded: Any) -> None:
    """What it closes is refused with segment and element; what we write against it is never sent."""
    closed = guide("acme/ORDRSP", "extends: edifact/D96A/ORDRSP\ncodes: {BGM03: ['4', '27']}\n")
    wanted = guide("acme/ORDERS", "extends: edifact/D96A/ORDERS\nrequired: [FTX]\n")
    await traded.order()
    orders = {"purchase_order": DocumentRule(set="ORDERS", map="small/ORDERS", guide="acme/ORDERS")}
    answers = {"order_acknowledgement": DocumentRule(set="ORDRSP", map="small/ORDRSP", guide="acme/ORDRSP")}
    traded.gateway.agree("acme", documents=Documents(send=orders, receive=answers))
    traded.gateway.change(partner_guides={one.name: one for one in (closed, wanted)})
    message = await traded.arrives(Edifact.interchange(Edifact.answer(ORDER)))
    (text,) = await traded.answers(message)
    assert "UCM+M1+ORDRSP:D:96A:UN+4'UCS+2'UCD+12+4'" in text
    fine = await traded.arrives(Edifact.interchange(Edifact.answer(ORDER, response="4"), reference="R2"))
    (document,) = await traded.gateway.documents(fine)
    assert document.guide == f"D96A acme/ORDRSP {closed.hash}"
    refused = await traded.order("4500012346")
    assert (await traded.gateway.store.document(refused)).state is DocumentState.FAILED


async def test_deviation_is_read_where_the_section_tolerates_it(trade: Any) -> None:
    """A UNB wrapped in the middle: noted on the trail."""
    in_edifact(trade, tolerate=("wrapped_lines",), charset="windows-1252")
    await trade.order()
    wrapped = Edifact.interchange(Edifact.answer(ORDER)).replace(":0800", ":08\r\n00")
    message = await trade.arrives(wrapped)
    assert message.state is MessageState.PROCESSED
    trail = await trade.gateway.trail(message_id=message.id)
    read = next(one for one in trail if one.kind == "interchange.read")
    assert read.data["tolerated"] == ["edi.segment.line_break"]
