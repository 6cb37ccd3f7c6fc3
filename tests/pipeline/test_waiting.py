"""Answers to orders: due when the agreement says, overdue beside the order's state, closed by a late answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.partners.service_levels import ServiceLevels
from gateway.pipeline import identity, waiting
from gateway.ports import DocumentState, Expected

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
ANSWER, NOTICE = Expected.ORDER_ACKNOWLEDGEMENT, Expected.SHIP_NOTICE


async def overdue(trade: Any) -> list[tuple[str, str | None]]:
    """What is overdue at the distributor's, and for which order."""
    return [(one.expected.value, one.number) for one in await trade.gateway.store.overdue()]


def whole(at: datetime) -> datetime:
    """Without the microseconds that the tests' clock counts its readings by."""
    return at.replace(microsecond=0)


async def said(trade: Any, kind: str = "acknowledgment.overdue", awaited: str = ANSWER.value) -> list[Any]:
    """The events of a kind about the order."""
    found = [one for one in await trade.gateway.trail(order="4500012345") if one.kind == kind]
    return [one.data for one in found if one.data["awaited"] == awaited]


async def test_an_order_that_is_not_acknowledged_in_two_business_days_is_overdue_until_the_answer_comes(
    trade: Any,
) -> None:
    """Monday to Wednesday; reminders by the table; the late answer says how late it was and ends it."""
    trade.gateway.agree("acme", x12={"acknowledgment_within_hours": 700})
    order_id = await trade.order()
    key = identity.answer_key(order_id)
    (wait,) = await trade.gateway.store.waits([key])
    assert (wait.expected, wait.overdue) == (ANSWER, False)
    assert whole(wait.due_at) == whole(trade.clock() + timedelta(days=2))
    trade.clock.advance(hours=47)
    await trade.gateway.work()
    assert await overdue(trade) == []
    trade.clock.advance(hours=2)
    await trade.gateway.work()
    order = await trade.gateway.store.document(order_id)
    assert order.state is DocumentState.SENT
    assert {what: whole(since) for what, since in order.overdue.items()} == {ANSWER: whole(trade.clock())}
    assert await overdue(trade) == [("order_acknowledgement", "4500012345")]
    (sent,) = await trade.gateway.store.messages(overdue=True)
    assert sent.filename == "850-4500012345.edi"
    (wait,) = await trade.gateway.store.waits([key])
    assert wait.overdue
    trade.clock.advance(days=1)
    await trade.gateway.work()
    assert [(one["reminder"], one["document_id"]) for one in await said(trade)] == [(0, order_id), (1, order_id)]
    await trade.submit(trade.answer_body(), kind="order_acknowledgement", partner="acme")
    order = await trade.gateway.store.document(order_id)
    assert (order.state, order.overdue) == (DocumentState.ANSWERED, {})
    (late,) = await said(trade, "acknowledgment.late")
    assert (late["late_seconds"], late["document_id"]) == (24 * 3600, order_id)
    trade.clock.advance(days=60)
    await trade.gateway.work()
    assert len(await said(trade)) == 2
    assert await trade.gateway.store.waits([key]) == []


async def test_an_answer_in_time_is_never_spoken_of(trade: Any) -> None:
    """The timer finds it when it runs."""
    await trade.order()
    await trade.submit(trade.answer_body(), kind="order_acknowledgement", partner="acme")
    trade.clock.advance(days=60)
    await trade.gateway.work()
    assert await said(trade) == []
    assert [one for one, _ in await overdue(trade) if one == "order_acknowledgement"] == []


async def test_an_order_over_rest_waits_from_when_it_is_available_and_another_node_tells(trade: Any) -> None:
    """No message goes out: what the ERP handed over carries it. Nothing is remembered but the row."""
    await trade.order("77", "baltic")
    other = await trade.another_node()
    trade.clock.advance(days=2, minutes=1)
    await other.work()
    assert await overdue(trade) == [("order_acknowledgement", "77")]
    (carrier,) = await trade.gateway.store.messages(overdue=True)
    assert carrier.channel.value == "erp"


async def test_ship_notice_is_due_before_the_goods_are_wanted(trade: Any) -> None:
    """A day before the requested day; the notice that comes too late closes what the missing answer left open, too."""
    levels = ServiceLevels(ship_notice_before_arrival_hours=24)
    trade.gateway.agree("acme", service_levels=levels, x12={"acknowledgment_within_hours": 700})
    order_id = await trade.order()
    order = await trade.gateway.store.document(order_id)
    wanted = waiting.requested_day(order.body)
    assert wanted is not None
    (wait,) = await trade.gateway.store.waits([identity.notice_key(order_id)])
    assert wait.due_at == datetime(wanted.year, wanted.month, wanted.day, tzinfo=UTC) - timedelta(days=1)
    trade.clock.advance(seconds=(wait.due_at - trade.clock()).total_seconds() + 60)
    await trade.gateway.work()
    assert set((await trade.gateway.store.document(order_id)).overdue) == {ANSWER, NOTICE}
    await trade.submit(trade.notice_body(), kind="ship_notice", partner="acme")
    order = await trade.gateway.store.document(order_id)
    assert (order.state, order.overdue) == (DocumentState.SHIPPED, {})
    assert len(await said(trade, "acknowledgment.late", NOTICE.value)) == 1


async def test_further_answers_leave_the_row_of_an_order_alone_that_is_shipped(trade: Any) -> None:
    """Written again with the same state, its row would make all shipments of an order wait for each other's commits."""
    order_id = await trade.order()
    await trade.submit(trade.notice_body(), kind="ship_notice", partner="acme")
    shipped = await trade.gateway.store.document(order_id)
    assert shipped.state is DocumentState.SHIPPED
    trade.clock.advance(hours=1)
    for body, kind in (
        (trade.notice_body() | {"number": "ASN-2"}, "ship_notice"),
        (trade.answer_body(), "order_acknowledgement"),
    ):
        done = await trade.submit(body, kind=kind, partner="acme")
        assert json.loads(done.receipt.body)["document_id"]
    assert await trade.gateway.store.document(order_id) == shipped


async def test_a_cancelled_order_waits_for_nothing(trade: Any) -> None:
    """We called it off: the time passes in silence."""
    order_id = await trade.order("78", "baltic")
    order = await trade.gateway.store.document(order_id)
    change = {"purpose": "cancel", "order": {"number": "78"}, "parties": order.body["parties"]}
    trade.gateway.agree("baltic", documents=_also_sends(trade, "baltic"))
    done = await trade.submit(change, kind="order_change")
    assert json.loads(done.receipt.body)["document_id"]
    trade.clock.advance(days=3)
    await trade.gateway.work()
    assert await overdue(trade) == []


def _also_sends(trade: Any, partner: str) -> Any:
    documents = trade.gateway.station.directory.known(partner).documents
    rule = documents.send["purchase_order"]
    return documents.model_copy(update={"send": {**documents.send, "order_change": rule}})


MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
DUE = [
    (ServiceLevels(), MONDAY, MONDAY + timedelta(days=2)),
    (ServiceLevels(order_acknowledgement_business_days=0), MONDAY, None),
    (ServiceLevels(order_acknowledgement_hours=4), MONDAY, MONDAY + timedelta(hours=4)),
    (ServiceLevels(), MONDAY + timedelta(days=4), MONDAY + timedelta(days=8)),
    (ServiceLevels(), MONDAY + timedelta(days=5), MONDAY + timedelta(days=8)),
    (ServiceLevels(order_acknowledgement_business_days=5), MONDAY, MONDAY + timedelta(days=7)),
]


@pytest.mark.parametrize(("levels", "sent", "due"), DUE)
def test_business_days_are_monday_to_friday(
    database_url: str, levels: ServiceLevels, sent: datetime, due: datetime | None
) -> None:
    """At the same hour; Friday's order is due on Tuesday."""
    del database_url
    assert levels.acknowledgement_due(sent) == due


NOTICE_DUE = [(24, 240, 216), (24, 12, 12), (24, -1, None), (0, 240, 240)]


@pytest.mark.parametrize(("before", "arrival", "due"), NOTICE_DUE)
def test_a_notice_is_due_before_arrival_or_at_it_or_not_at_all(
    database_url: str, before: int, arrival: int, due: int | None
) -> None:
    """Hours from when the order went."""
    del database_url
    levels = ServiceLevels(ship_notice_before_arrival_hours=before)
    found = levels.notice_due(MONDAY + timedelta(hours=arrival), MONDAY)
    assert found == (None if due is None else MONDAY + timedelta(hours=due))
