"""What closes a message of ours: the partner's 997 or TA1, in whatever order and however late."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pipeline import identity, ready
from gateway.ports import DocumentState, MessageState

VERDICTS = {
    "A": (MessageState.ACKNOWLEDGED, DocumentState.ACKNOWLEDGED),
    "E": (MessageState.ACKNOWLEDGED, DocumentState.ACKNOWLEDGED),
    "P": (MessageState.REJECTED, DocumentState.REJECTED),
    "R": (MessageState.REJECTED, DocumentState.REJECTED),
}


@pytest.mark.parametrize("outcome", VERDICTS)
async def test_997_of_the_partner_closes_or_rejects_what_was_sent(trade: Any, edi: Any, outcome: str) -> None:
    """AK901 decides; the trail of the sent message has the event with the message it came in."""
    order_id = await trade.order()
    message = await trade.arrives(edi.closes("1", outcome))
    sent = await trade.gateway.newest("850")
    order = await trade.gateway.store.document(order_id)
    assert (sent.state, order.state) == VERDICTS[outcome]
    event = next(one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "acknowledgment.received")
    assert (event.data["outcome"], event.data["received_as"]) == (outcome, message.id)
    trade.clock.advance(hours=30)
    await trade.gateway.work()
    assert "acknowledgment.overdue" not in await trade.gateway.kinds(message_id=sent.id)


BY_SET = {
    "AK5 refuses under an accepting AK9": (("AK2*850*0001", "AK5*R*5", "AK9*A*1*1*1"), DocumentState.REJECTED),
    "AK5 accepts under a refusing AK9": (("AK2*850*0001", "AK5*A", "AK9*R*1*1*0"), DocumentState.REJECTED),
    "another set is refused": (("AK2*850*0007", "AK5*R*5", "AK9*E*1*1*1"), DocumentState.ACKNOWLEDGED),
    "no set is named": (("AK9*A*1*1*1",), DocumentState.ACKNOWLEDGED),
}


@pytest.mark.parametrize("name", BY_SET)
async def test_worse_of_group_and_set_decides(trade: Any, edi: Any, name: str) -> None:
    """AK5 counts where its AK2 names our set, beside AK9."""
    segments, state = BY_SET[name]
    order_id = await trade.order()
    await trade.arrives(edi.interchange(edi.group(edi.set("997", "AK1*PO*1", *segments), code="FA")))
    assert (await trade.gateway.store.document(order_id)).state is state


async def test_997_in_a_group_that_is_refused_closes_nothing(trade: Any, edi: Any) -> None:
    """GE01 is wrong: nothing in that group counts, the operator sees why."""
    order_id = await trade.order()
    inner = edi.set("997", "AK1*PO*1", "AK2*850*0001", "AK5*A", "AK9*A*1*1*1")
    message = await trade.arrives(edi.interchange(edi.group(inner, code="FA", count="2")))
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    trail = await trade.gateway.trail(message_id=message.id)
    assert [one.data["rules"] for one in trail if one.kind == "document.rejected"] == [["edi.group.count"]]
    assert message.state is MessageState.REJECTED


@pytest.mark.parametrize(("group", "functional_id"), [("77", "PO"), ("1", "IN"), ("999999999", "PO")])
async def test_997_for_something_never_sent_is_unmatched_and_changes_nothing(
    trade: Any, edi: Any, group: str, functional_id: str
) -> None:
    """The order stays open; the operator sees the stray acknowledgment."""
    order_id = await trade.order()
    message = await trade.arrives(edi.closes(group, code=functional_id))
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    assert "acknowledgment.unmatched" in await trade.gateway.kinds(message_id=message.id)


async def test_second_997_for_the_same_group_is_unmatched(trade: Any, edi: Any) -> None:
    """A closed group stays as it was closed."""
    order_id = await trade.order()
    await trade.arrives(edi.closes("1"))
    again = await trade.arrives(edi.closes("1", "R", control="000000002"))
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.ACKNOWLEDGED
    assert "acknowledgment.unmatched" in await trade.gateway.kinds(message_id=again.id)


async def test_zeros_in_front_of_the_group_number_do_not_count(trade: Any, edi: Any) -> None:
    """AK102 is a number: 000000001 closes group 1."""
    order_id = await trade.order()
    await trade.arrives(edi.closes("000000001"))
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.ACKNOWLEDGED


async def test_overdue_997_is_said_again_and_a_late_one_still_closes(trade: Any, edi: Any) -> None:
    """After the hours agreed the trail says overdue, and again by the table; the 997 that comes later closes it."""
    order_id = await trade.order()
    trade.clock.advance(hours=23)
    await trade.gateway.work()
    sent = await trade.gateway.newest("850")
    assert "acknowledgment.overdue" not in await trade.gateway.kinds(message_id=sent.id)
    assert sent.overdue_since is None
    trade.clock.advance(hours=2)
    await trade.gateway.work()
    since = (await trade.gateway.newest("850")).overdue_since
    assert since.replace(microsecond=0) == trade.clock().replace(microsecond=0)
    trade.clock.advance(hours=25)
    await trade.gateway.work()
    events = [one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "acknowledgment.overdue"]
    events = [one for one in events if one.data["awaited"] == "functional_acknowledgement"]
    assert [(one.data["control_number"], one.data["reminder"]) for one in events] == [("1", 0), ("1", 1)]
    assert events[0].data["waited_seconds"] >= 24 * 3600
    assert (await trade.gateway.newest("850")).overdue_since == since
    await trade.arrives(edi.closes("1"))
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.ACKNOWLEDGED
    assert (await trade.gateway.newest("850")).overdue_since is None
    (late,) = [one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "acknowledgment.late"]
    assert (late.data["awaited"], late.data["late_seconds"]) == ("functional_acknowledgement", 25 * 3600)
    trade.clock.advance(days=60)
    await trade.gateway.work()
    assert len([one for one in await trade.gateway.kinds(message_id=sent.id) if one == "acknowledgment.late"]) == 1


@pytest.mark.parametrize(("outcome", "state"), [("R", DocumentState.REJECTED), ("A", DocumentState.SENT)])
async def test_ta1_of_the_partner_rejects_or_only_says_that_it_arrived(
    trade: Any, edi: Any, outcome: str, state: DocumentState
) -> None:
    """TA1 R closes the interchange as rejected; TA1 A is noted and the 997 is still awaited."""
    order_id = await trade.order()
    segment = f"TA1*000000001*260302*0800*{outcome}*{'000' if outcome == 'A' else '006'}~"
    message = await trade.arrives(edi.interchange(segment, count="0"))
    assert await trade.answers(message) == []
    assert (await trade.gateway.store.document(order_id)).state is state
    sent = await trade.gateway.newest("850")
    assert "acknowledgment.received" in await trade.gateway.kinds(message_id=sent.id)


async def _file(trade: Any, edi: Any, *, code: str = "PO", control: str = "000000777") -> Any:
    """A file that somebody else wrote, sent as `gateway message send` does."""
    station = trade.gateway.station
    text = edi.interchange(edi.group(edi.set("850", "BEG*00*SA*1**20260302"), code=code, number="55"), control=control)
    changes = ready.ready_file(station.settings, station.agreement("acme"), text.encode(), "own.edi", trade.clock())
    (message_id,) = await ready.queue(trade.gateway.store, trade.gateway.store, [changes])
    await trade.gateway.work()
    return await trade.gateway.store.message(message_id)


async def _ta1(trade: Any, edi: Any, outcome: str, *, control: str = "000000001") -> Any:
    """Their TA1 alone, about 777."""
    segment = f"TA1*000000777*260302*0800*{outcome}*{'000' if outcome == 'A' else '006'}~"
    return await trade.arrives(edi.interchange(segment, count="0", control=control))


@pytest.mark.parametrize(("outcome", "state"), [("R", MessageState.REJECTED), ("A", MessageState.SENT)])
async def test_ta1_finds_a_file_that_somebody_else_wrote(
    trade: Any, edi: Any, outcome: str, state: MessageState
) -> None:
    """By its ISA13: R closes it as rejected, A is on its trail while its 997 is still awaited."""
    sent = await _file(trade, edi)
    assert sent.state is MessageState.SENT
    answer = await _ta1(trade, edi, outcome)
    assert (await trade.gateway.store.message(sent.id)).state is state
    assert "acknowledgment.received" in await trade.gateway.kinds(message_id=sent.id)
    assert "acknowledgment.unmatched" not in await trade.gateway.kinds(message_id=answer.id)


async def test_ta1_that_accepts_closes_a_file_that_waits_for_nothing_else(trade: Any, edi: Any) -> None:
    """A file of acknowledgments gets no 997; the TA1 that it asked for is all that can come."""
    sent = await _file(trade, edi, code="FA")
    assert sent.wait_key is None
    await _ta1(trade, edi, "A")
    assert (await trade.gateway.store.message(sent.id)).state is MessageState.ACKNOWLEDGED


@pytest.mark.parametrize("last", ["A", "R"])
async def test_a_file_of_several_interchanges_is_closed_by_the_ta1_of_its_last(trade: Any, edi: Any, last: str) -> None:
    """That the first one came says nothing of the others: a refusal that comes after it still counts."""
    station = trade.gateway.station
    text = "".join(
        edi.interchange(edi.group(edi.set("850", "BEG*00*SA*1**20260302"), code="FA"), control=number)
        for number in ("000000776", "000000777")
    )
    changes = ready.ready_file(station.settings, station.agreement("acme"), text.encode(), "own.edi", trade.clock())
    (message_id,) = await ready.queue(trade.gateway.store, trade.gateway.store, [changes])
    await trade.gateway.work()
    await trade.arrives(edi.interchange("TA1*000000776*260302*0800*A*000~", count="0", control="000000001"))
    assert (await trade.gateway.store.message(message_id)).state is MessageState.DELIVERED
    await _ta1(trade, edi, last, control="000000002")
    state = MessageState.ACKNOWLEDGED if last == "A" else MessageState.REJECTED
    assert (await trade.gateway.store.message(message_id)).state is state


async def test_a_file_sent_again_under_its_number_is_closed_by_the_next_ta1(trade: Any, edi: Any) -> None:
    """However often it goes out; what is closed stays closed, and a TA1 too many is unmatched."""
    first, second = [await _file(trade, edi) for _ in range(2)]
    for number, open_ in enumerate((first, second), start=1):
        await _ta1(trade, edi, "R", control=f"00000000{number}")
        assert (await trade.gateway.store.message(open_.id)).state is MessageState.REJECTED
    third = await _ta1(trade, edi, "R", control="000000003")
    assert "acknowledgment.unmatched" in await trade.gateway.kinds(message_id=third.id)


async def test_files_beyond_the_sendings_that_are_known_are_sent_all_the_same(trade: Any, edi: Any) -> None:
    """Also twice in one command; only a TA1 does not find them."""
    station = trade.gateway.station
    text = edi.interchange(edi.group(edi.set("850", "BEG*00*SA*1**20260302"), code="PO"), control="000000777")
    agreement = station.agreement("acme")
    several = [
        ready.ready_file(station.settings, agreement, text.encode(), "own.edi", trade.clock())
        for _ in range(identity.SENDINGS_KNOWN + 2)
    ]
    sent = await ready.queue(trade.gateway.store, trade.gateway.store, several)
    keys = identity.sendings(identity.sent_file_key("x12", "acme", "777"))
    assert [await trade.gateway.store.key_owner(one) for one in keys] == sent[: identity.SENDINGS_KNOWN]


@pytest.mark.parametrize("number", ["000000777", "ABCDEFGHI", ""])
async def test_ta1_for_something_never_sent_is_unmatched_and_never_a_crash(trade: Any, edi: Any, number: str) -> None:
    """Whatever stands in TA101, the message is read to its end and the order stays as it is."""
    order_id = await trade.order()
    message = await trade.arrives(edi.interchange(f"TA1*{number}*260302*0800*R*006~", count="0"))
    assert message.state in {MessageState.PROCESSED, MessageState.REJECTED}
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT


async def test_unreadable_acknowledgment_is_on_the_trail_and_closes_nothing(trade: Any, edi: Any) -> None:
    """A 997 without AK9 closes nothing and is not answered; its finding is there for the operator."""
    order_id = await trade.order()
    message = await trade.arrives(edi.interchange(edi.group(edi.set("997", "AK1*PO*1"), code="FA")))
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    trail = await trade.gateway.trail(message_id=message.id)
    assert [one.data["document"] for one in trail if one.kind == "document.rejected"] == ["997"]


@pytest.mark.parametrize("outcome", ["A", "R"])
async def test_999_closes_what_was_sent_as_a_997_does(trade: Any, edi: Any, outcome: str) -> None:
    """Partners that have gone to 005010 answer everything by it; never acknowledged, like a 997."""
    order_id = await trade.order()
    taken = "1" if outcome == "A" else "0"
    segments = ("AK1*PO*1*004010", "AK2*850*0001", f"IK5*{outcome}", f"AK9*{outcome}*1*1*{taken}")
    inner = edi.set("999", *segments).replace("ST*999*0001~", "ST*999*0001*005010X231A1~")
    payload = edi.interchange(edi.group(inner, code="FA").replace("*X*004010~", "*X*005010X231A1~"))
    message = await trade.arrives(payload)
    sent = await trade.gateway.newest("850")
    order = await trade.gateway.store.document(order_id)
    assert (sent.state, order.state) == VERDICTS[outcome]
    event = next(one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "acknowledgment.received")
    assert event.data["type"] == "999"
    assert await trade.answers(message) == []
