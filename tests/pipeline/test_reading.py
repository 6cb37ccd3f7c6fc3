"""What an interchange is answered: a 997 for every group but acknowledgments, a TA1 when asked for or refused."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gateway.edi.tolerances import Limits
from gateway.pipeline import judging
from gateway.ports import DocumentState, MessageState


async def test_every_group_gets_its_997_and_none_gets_a_ta1_unasked(trade: Any, edi: Any) -> None:
    """Two groups in one interchange are answered by two 997s, each naming its group."""
    for one in (11, 12):
        await trade.order(f"45000{one}")
    groups = [edi.group(edi.ack(supplier=f"SO-{one}", order=f"45000{one}"), number=str(one)) for one in (11, 12)]
    message = await trade.arrives(edi.interchange(*groups))
    answers = await trade.answers(message)
    assert ["AK1*PR*11~" in answers[0], "AK1*PR*12~" in answers[1], len(answers)] == [True, True, 2]
    assert all("AK9*A*1*1*1~" in one and "TA1*" not in one for one in answers)


async def test_where_only_mistakes_are_to_be_answered_what_is_accepted_gets_no_997(trade: Any, edi: Any) -> None:
    """x12.answer refused: silence for the good group, a 997 for the one whose order is not there."""
    trade.gateway.agree("acme", x12={"answer": "refused"})
    await trade.order("4500011")
    good, bad = edi.ack(supplier="SO-11", order="4500011"), edi.ack(supplier="SO-12", order="4599999")
    groups = [edi.group(one, number=str(number)) for number, one in enumerate((good, bad), 11)]
    message = await trade.arrives(edi.interchange(*groups))
    answers = await trade.answers(message)
    assert [("AK1*PR*12~" in one, "AK9*R*" in one) for one in answers] == [(True, True)]


async def test_acknowledgments_are_never_acknowledged(trade: Any, edi: Any) -> None:
    """A good 997, an unmatched one and an unreadable one: no 997 goes back."""
    await trade.order()
    broken = edi.interchange(edi.group(edi.set("997", "AK1*PO*1", "AK9*Q*1*1*1"), code="FA"), control="000000003")
    for payload in (edi.closes("1"), edi.closes("99", control="000000002"), broken):
        message = await trade.arrives(payload)
        assert await trade.answers(message) == []


async def test_ta1_goes_out_when_isa14_asks(trade: Any, edi: Any) -> None:
    """ISA14 1: a TA1 that accepts, and the 997 all the same; the TA1 asks for nothing itself."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack(), ack="1"))
    ta1, answer = await trade.answers(message)
    assert "TA1*000000001*260302*0800*A*000~" in ta1
    assert ta1.split("~")[0].split("*")[14] == "0"
    assert "AK9*A*" in answer


@pytest.mark.parametrize("asking", ["gateway", "station", "both"])
async def test_interchange_acknowledgments_do_not_answer_each_other_for_ever(trade: Any, asking: str) -> None:
    """Both sides may ask for TA1s: those about orders and 997s come, and a TA1 is never answered by a TA1."""
    if asking != "station":
        trade.gateway.agree("acme", x12={"request_ta1": True})
    if asking != "gateway":
        trade.station.agree("us", x12={"request_ta1": True})
    await trade.order()
    await trade.settle()
    ta1s = len(await trade.gateway.all("TA1")) + len(await trade.station.all("TA1"))
    assert ta1s == {"gateway": 2, "station": 2, "both": 4}[asking]  # each is in both stores


REFUSED_ENVELOPES = {
    "wrong IEA count": ({"count": "7"}, "021"),
    "wrong IEA number": ({"trailer": "000000777"}, "001"),
    "unknown sender": ({"sender": "STRANGER"}, "006"),
    "not for us": ({"receiver": "SOMEBODY"}, "008"),
}


@pytest.mark.parametrize("name", REFUSED_ENVELOPES)
async def test_envelope_that_fails_is_answered_by_a_ta1_alone_and_nothing_of_it_is_taken(
    trade: Any, edi: Any, name: str
) -> None:
    """One TA1 R with its note code; no 997, no document, the bytes and the event are there, the number stays free."""
    changes, code = REFUSED_ENVELOPES[name]
    await trade.order()
    payload = edi.file(edi.ack(), **changes)
    message = await trade.arrives(payload)
    (answer,) = await trade.answers(message)
    assert f"TA1*000000001*260302*0800*R*{code}~" in answer
    assert "AK1*" not in answer
    assert message.state is MessageState.REJECTED
    assert await trade.gateway.documents(message) == []
    assert await trade.gateway.payload(message) == payload
    read = next(one for one in await trade.gateway.trail(message_id=message.id) if one.kind == "interchange.read")
    assert read.data["outcome"] == "rejected"
    good = await trade.arrives(edi.file(edi.ack()))
    assert [one.state for one in await trade.gateway.documents(good)] == [DocumentState.DELIVERED]


@pytest.mark.parametrize(("agreed", "sent", "code"), [(False, "T", "020"), (True, "P", "020"), (True, "T", None)])
async def test_test_and_production_do_not_mix(trade: Any, edi: Any, agreed: bool, sent: str, code: str | None) -> None:  # noqa: FBT001  a row of the table
    """ISA15 against the agreement: a test interchange under a production agreement is refused, and the reverse."""
    await trade.order()
    trade.gateway.agree("acme", x12={"test": agreed})
    message = await trade.arrives(edi.file(edi.ack()).replace("*0*P*>", f"*0*{sent}*>"))
    (answer,) = await trade.answers(message)
    assert ("*R*020~" in answer) is (code is not None)
    assert len(await trade.gateway.documents(message)) == (0 if code else 1)


async def test_document_that_no_route_fits_says_so_on_the_trail(trade: Any, edi: Any) -> None:
    """It is kept and waits; nobody has to guess why it was not delivered."""
    await trade.order()
    trade.gateway.agree("acme", target=None)
    trade.gateway.change(settings=trade.gateway.station.settings.model_copy(update={"routes": ()}))
    message = await trade.arrives(edi.file(edi.ack()))
    (routed,) = [one for one in await trade.gateway.trail(message_id=message.id) if one.kind == "document.routed"]
    assert (routed.data["target"], routed.data["rule"]) == ("unrouted", "no route fits")


WRONG_COUNTS = {
    "set count": (lambda edi: edi.file(edi.set("855", "BAK*00*AC*4500012345*20260302", count=9)), "AK5*R*4~"),
    "group count": (lambda edi: edi.interchange(edi.group(edi.ack(), count="3")), "AK9*R*3*1*0*5~"),
}


@pytest.mark.parametrize("name", WRONG_COUNTS)
async def test_wrong_count_inside_the_envelope_rejects_the_set_or_group_in_the_997(
    trade: Any, edi: Any, name: str
) -> None:
    """SE01 and GE01: the 997 rejects with its code, no document is taken, the trail says why."""
    payload, segment = WRONG_COUNTS[name]
    await trade.order()
    message = await trade.arrives(payload(edi))
    (answer,) = await trade.answers(message)
    assert segment in answer
    assert not [one for one in await trade.gateway.documents(message) if one.state is not DocumentState.REJECTED]
    rejected = [one for one in await trade.gateway.trail(message_id=message.id) if one.kind == "document.rejected"]
    assert len(rejected) == 1
    assert message.state is MessageState.REJECTED


@pytest.mark.parametrize("payload", ["", "hello, this is no EDI", "<order/>", "UNA:+.? 'UNB+UNOC:3+A+B'", "ISA*00*"])
async def test_what_is_neither_isa_nor_una_is_kept_and_said_on_the_trail(trade: Any, payload: str) -> None:
    """Its receipt was given; no acknowledgment can be addressed; bytes, state and reason are there for people."""
    message = await trade.arrives(payload)
    assert message.state is MessageState.REJECTED
    assert await trade.answers(message) == []
    assert await trade.gateway.payload(message) == payload
    trail = await trade.gateway.trail(message_id=message.id)
    rejected = next(one for one in trail if one.kind == "document.rejected")
    assert rejected.data["reason"]
    assert rejected.data["rules"]


async def test_good_interchange_before_garbage_in_one_file_is_not_lost(trade: Any, edi: Any) -> None:
    """What was read whole is taken and answered, whatever follows it in the file."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()) + "\nand then something else entirely")
    assert any("AK9*A*1*1*1~" in one for one in await trade.answers(message))
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.DELIVERED]


@pytest.mark.parametrize("rest", ["second", "header"])
async def test_fault_in_mid_file_leaves_what_was_read_before_it(
    trade: Any, edi: Any, rest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A set beyond the limit in the second interchange: TA1 R for that one; the first is taken and answered."""
    monkeypatch.setattr(judging, "LIMITS", Limits(message=2000))
    await trade.order()
    huge = edi.file(edi.set("855", *["N3*far too long"] * 200), control="000000002")
    first = edi.file(edi.ack())
    message = await trade.arrives(first + (huge if rest == "second" else huge[:60]))
    answers = await trade.answers(message)
    assert "AK9*A*1*1*1~" in answers[0]
    assert len(answers) == (2 if rest == "second" else 1)
    assert rest == "header" or "TA1*000000002*260302*0800*R*024~" in answers[1]
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.DELIVERED]
    trail = await trade.gateway.trail(message_id=message.id)
    (rejected,) = [one for one in trail if one.kind == "document.rejected"]
    assert rejected.data["rules"] == ["edi.message.too_large" if rest == "second" else "edi.isa.truncated"]
    assert message.state is MessageState.PROCESSED


async def test_large_payload_is_mapped_and_checked_off_the_event_loop(
    trade: Any, edi: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the parse alone: each set's map, canonical checks and digest run in another thread."""
    seen: list[threading.Thread] = []
    judge = judging.judge
    monkeypatch.setattr(judging, "judge", lambda *args: (seen.append(threading.current_thread()), judge(*args))[1])
    await trade.order()
    filler = edi.ack(number="0002", line="x" * 70_000)
    message = await trade.arrives(edi.file(edi.ack(), filler))
    assert len(seen) == 1  # the other one breaks its guide
    assert seen[0] is not threading.main_thread()
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.DELIVERED]


async def test_group_of_its_own_mistakes_stays_with_errors_though_its_sets_are_fine(trade: Any, edi: Any) -> None:
    """GS05 is no time: AK901 says E, not A; a group without sets is refused."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()).replace("*20260302*0800*1*X*", "*20260302*2575*1*X*"))
    (answer,) = await trade.answers(message)
    assert "AK5*A~AK9*E*1*1*1~" in answer
    empty = await trade.arrives(edi.interchange(edi.group(), control="000000002"))
    assert "AK1*PR*1~AK9*R*0*0*0*5~" in (await trade.answers(empty))[0]
    assert empty.state is MessageState.REJECTED


async def test_set_that_was_not_agreed_is_rejected_and_the_others_of_its_group_are_taken(trade: Any, edi: Any) -> None:
    """An 856 is agreed, an 850 from the supplier is not: AK5 R for it, A for the 855, AK9 P."""
    await trade.order()
    stray = edi.set("850", "BEG*00*SA*77**20260302", "PO1*1*1*EA*1**VP*X", "CTT*1", number="0002")
    message = await trade.arrives(edi.file(edi.ack(), stray))
    (answer,) = await trade.answers(message)
    assert "AK2*855*0001~AK5*A~AK2*850*0002~AK5*R*1~AK9*P*2*2*1~" in answer
    assert [one.kind for one in await trade.gateway.documents(message)] == ["order_acknowledgement"]
    trail = await trade.gateway.trail(message_id=message.id)
    rejected = [one for one in trail if one.kind == "document.rejected"]
    assert [one.data["rules"] for one in rejected] == [["pipeline.set.not_agreed"]]


async def test_unknown_set_is_answered_with_a_rejection(trade: Any, edi: Any) -> None:
    """A set that nobody here knows is rejected in the 997; the message is kept."""
    message = await trade.arrives(edi.file(edi.set("999", "ZZZ*1")))
    (answer,) = await trade.answers(message)
    assert "AK2*999*0001~AK5*R*1~AK9*R*1*1*0~" in answer
    assert message.state is MessageState.REJECTED


async def test_two_sets_one_bad_is_p_and_the_good_one_is_delivered(trade: Any, edi: Any) -> None:
    """The 997 names segment and element of the bad set; the good one reaches the ERP."""
    await trade.order()
    bad = edi.ack(number="0002", quantity="TWELVE")
    message = await trade.arrives(edi.file(edi.ack(), bad))
    (answer,) = await trade.answers(message)
    assert "AK2*855*0001~AK5*A~" in answer
    assert "AK3*PO1*3**8~AK4*2*330*6*TWELVE~AK5*R*5~AK9*P*2*2*1~" in answer
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.DELIVERED]
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_same_interchange_in_another_message_has_no_second_effect(trade: Any, edi: Any) -> None:
    """Same bytes under a new Message-ID: a duplicate on the trail, no document; the stored answers go out again."""
    await trade.order()
    payload = edi.file(edi.ack(), ack="1")
    first = await trade.arrives(payload)
    again = await trade.arrives(payload)
    third = await trade.arrives(payload)
    assert again.state is MessageState.PROCESSED
    answers = await trade.answers(first)
    assert len(answers) == 2
    assert await trade.answers(again) == await trade.answers(third) == answers
    sent = [one for one in await trade.gateway.all() if one.answers in {first.id, again.id, third.id}]
    assert [one.state for one in sent] == [MessageState.DELIVERED] * 6
    assert await trade.gateway.documents(again) == []
    assert "message.duplicate" in await trade.gateway.kinds(message_id=again.id)
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_control_number_used_for_other_content_is_refused_with_025(trade: Any, edi: Any) -> None:
    """Same ISA13, other bytes: TA1 R 025; nothing of it is taken."""
    await trade.order()
    await trade.arrives(edi.file(edi.ack()))
    again = await trade.arrives(edi.file(edi.ack(purpose="05", supplier="SO-2")))
    (answer,) = await trade.answers(again)
    assert "*R*025~" in answer
    assert await trade.gateway.documents(again) == []
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_control_numbers_may_repeat_where_the_agreement_says_so(trade: Any, edi: Any) -> None:
    """The agreement's switch: the second interchange is read like any other."""
    trade.gateway.agree("acme", x12={"control_numbers_may_repeat": True})
    await trade.order()
    await trade.arrives(edi.file(edi.ack()))
    again = await trade.arrives(edi.file(edi.ack(purpose="05", supplier="SO-2")))
    assert [one.state for one in await trade.gateway.documents(again)] == [DocumentState.DELIVERED]


async def test_same_document_in_a_new_interchange_has_no_second_effect(trade: Any, edi: Any) -> None:
    """Another ISA13, the same 855: its group is answered, the ERP hears of it once."""
    await trade.order()
    await trade.arrives(edi.file(edi.ack()))
    again = await trade.arrives(edi.file(edi.ack(), control="000000002"))
    assert "AK9*A*" in (await trade.answers(again))[0]
    assert await trade.gateway.documents(again) == []
    assert "document.duplicate" in await trade.gateway.kinds(message_id=again.id)
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_same_document_twice_in_one_message_counts_once(trade: Any, edi: Any) -> None:
    """Two sets with the same 855: one document, one duplicate on the trail."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack(), edi.ack(number="0002")))
    assert len(await trade.gateway.documents(message)) == 1
    assert "document.duplicate" in await trade.gateway.kinds(message_id=message.id)
    assert len(trade.at_erp("order_acknowledgement")) == 1


AGAIN = [("SO-1", "duplicate.other_content"), ("SO-2", "matching.already_acknowledged")]
"""The same number of theirs again, and another one: the order has its original answer either way."""


@pytest.mark.parametrize(("supplier", "rule"), AGAIN)
async def test_order_already_acknowledged_is_refused_also_within_one_message(
    trade: Any, edi: Any, supplier: str, rule: str
) -> None:
    """A second original 855 with other content is kept as rejected, with the remedy; the first one stands."""
    await trade.order()
    second = edi.ack(number="0002", supplier=supplier, accepted="20")
    message = await trade.arrives(edi.file(edi.ack(), second))
    found = {one.state: one for one in await trade.gateway.documents(message)}
    assert set(found) == {DocumentState.DELIVERED, DocumentState.REJECTED}
    rules = [one["rule"] for one in found[DocumentState.REJECTED].findings if one["severity"] == "reject"]
    assert rules == [rule]
    (answer,) = await trade.answers(message)
    assert "AK2*855*0001~AK5*A~AK2*855*0002~AK5*R*5~AK9*P*2*2*1~" in answer
    assert len(trade.at_erp("order_acknowledgement")) == 1


@pytest.mark.parametrize(("supplier", "rule"), AGAIN)
async def test_order_already_acknowledged_by_edi_is_refused_with_its_remedy(
    trade: Any, edi: Any, supplier: str, rule: str
) -> None:
    """In a later message: rejected, event on the trail, ERP untouched; a replacement is taken."""
    await trade.order()
    await trade.arrives(edi.file(edi.ack()))
    second = await trade.arrives(edi.file(edi.ack(supplier=supplier, accepted="20"), control="000000002"))
    (document,) = await trade.gateway.documents(second)
    assert document.state is DocumentState.REJECTED
    finding = next(one for one in document.findings if one["rule"] == rule)
    assert finding["place"] == {"pointer": "/order/number"}
    assert "replace" in finding["fix"]
    (answer,) = await trade.answers(second)
    assert "AK2*855*0001~AK5*R*5~AK9*R*1*1*0~" in answer
    assert second.state is MessageState.REJECTED
    assert "document.rejected" in await trade.gateway.kinds(message_id=second.id)
    assert len(trade.at_erp("order_acknowledgement")) == 1
    third = await trade.arrives(edi.file(edi.ack(purpose="05", accepted="20"), control="000000003"))
    assert [one.state for one in await trade.gateway.documents(third)] == [DocumentState.DELIVERED]


async def test_releases_of_a_blanket_order_are_answered_one_by_one(trade: Any, edi: Any) -> None:
    """Each release has its own original answer; a release that never came is an order that never came."""
    for release in ("1", "2"):
        await trade.submit(trade.order_body("BL") | {"release_number": release})
    await trade.gateway.work()
    states = []
    for control, release in enumerate(("2", "1", "3", "1"), 1):
        supplier = f"SO-{control}"
        ack = edi.ack("BL", supplier=supplier).replace("BAK*00*AC*BL*20260302*", f"BAK*00*AC*BL*20260302*{release}")
        message = await trade.arrives(edi.file(ack, control=f"{control:09d}"))
        (document,) = await trade.gateway.documents(message)
        assert document.body["order"]["release_number"] == release
        fatal = [one["rule"] for one in document.findings if one["severity"] == "reject"]
        states.append((document.state, fatal))
    assert states == [
        (DocumentState.DELIVERED, []),
        (DocumentState.DELIVERED, []),
        (DocumentState.REJECTED, ["matching.order_unknown"]),
        (DocumentState.REJECTED, ["matching.already_acknowledged"]),
    ]


async def test_answer_without_a_release_is_to_the_newest_order_of_the_number(trade: Any, edi: Any) -> None:
    """What was answered before the newer release came does not count against it."""
    for control, release in enumerate(("1", "2"), 1):
        await trade.submit(trade.order_body("BL") | {"release_number": release})
        await trade.gateway.work()
        trade.clock.advance(minutes=1)
        ack = edi.ack("BL", supplier=f"SO-{release}")
        message = await trade.arrives(edi.file(ack, control=f"{control:09d}"))
        assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.DELIVERED]
    again = await trade.arrives(edi.file(edi.ack("BL", supplier="SO-3"), control="000000003"))
    assert [one.state for one in await trade.gateway.documents(again)] == [DocumentState.REJECTED]


async def test_acknowledgement_of_an_order_never_received_is_the_same_for_strange_and_foreign_orders(
    trade: Any, edi: Any
) -> None:
    """Baltic's order and an order that is nowhere get one and the same finding."""
    await trade.order("4500099999", "baltic", "south")
    told = []
    for number, order in enumerate(("4500099999", "4500011111"), 1):
        message = await trade.arrives(edi.file(edi.ack(order), control=f"{number:09d}"))
        (document,) = await trade.gateway.documents(message)
        assert document.state is DocumentState.REJECTED
        (finding,) = [one for one in document.findings if one["severity"] == "reject"]
        assert finding["rule"] == "matching.order_unknown"
        (answer,) = await trade.answers(message)
        assert "AK2*855*0001~AK5*R*5~AK9*R*1*1*0~" in answer
        told.append({key: str(value).replace(order, "N") for key, value in finding.items()})
        assert "document.rejected" in await trade.gateway.kinds(message_id=message.id)
    assert told[0] == told[1]
    assert trade.at_erp("order_acknowledgement") == []


async def test_partner_that_does_not_exchange_now_waits_instead_of_losing_what_was_received(
    trade: Any, edi: Any
) -> None:
    """Suspended between receipt and reading: the job is retried with its remedy, and works when it is active again."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode())
    await trade.post(built.headers, built.body)
    trade.gateway.agree("acme", status="suspended")
    await trade.gateway.work()
    message = await trade.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
    assert message.state is MessageState.RECEIVED
    (attempt,) = await trade.gateway.store.attempts(message.id)
    assert "set its status to active" in attempt.reason
    trade.gateway.agree("acme", status="active")
    trade.clock.advance(minutes=1)
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


ORDERS = (
    "UNA:+.? 'UNB+UNOC:3+ACMETOOLS:ZZ+HARBORLINE:ZZ+260302:0800+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1+9'"
    "DTM+137:20260302:102'UNS+S'UNT+5+1'UNZ+1+1'"
)
CONTRL = (
    "UNB+UNOC:3+ACMETOOLS:ZZ+HARBORLINE:ZZ+260302:0800+1'UNH+1+CONTRL:D:3:UN'"
    "UCI+1+HARBORLINE:ZZ+ACMETOOLS:ZZ+7'UNT+3+1'UNZ+1+1'"
)


@pytest.mark.parametrize("payload", [ORDERS, CONTRL])
async def test_edifact_is_refused_in_words_that_say_so(trade: Any, payload: str) -> None:
    """The gateway takes X12: EDIFACT is kept, and the trail says what came; nothing is lost in silence."""
    message = await trade.arrives(payload)
    assert message.state is MessageState.REJECTED
    trail = await trade.gateway.trail(message_id=message.id)
    (rejected,) = [one for one in trail if one.kind == "document.rejected"]
    assert rejected.data["rules"] == ["edi.file.not_x12"]
    assert "UN" in rejected.data["reason"]
    assert await trade.gateway.payload(message) == payload


async def test_edifact_behind_x12_in_one_file_is_said(trade: Any, edi: Any) -> None:
    """The X12 is taken; what follows is on the trail."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()) + ORDERS)
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.DELIVERED]
    trail = await trade.gateway.trail(message_id=message.id)
    (rejected,) = [one for one in trail if one.kind == "document.rejected"]
    assert rejected.data["rules"] == ["edi.file.not_x12"]


async def test_855_in_005010_is_read_by_its_own_guide(trade: Any, edi: Any) -> None:
    """GS08 chooses the guide; the same map reads it, and the 997 speaks the group's version."""
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()).replace("*X*004010~", "*X*005010~"))
    (answer,) = await trade.answers(message)
    assert "AK5*A~AK9*A*1*1*1~" in answer
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.DELIVERED]
