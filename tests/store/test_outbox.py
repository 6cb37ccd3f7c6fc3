"""The outbox: written with the fact or not at all, claimed by rows, handed on once, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.events import DocumentAccepted, WorkGivenUp
from gateway.ports import Changes, NaturalKeyTaken
from gateway.publication import NOTIFY, STREAM, Announcer, Endpoint, Subscribers
from gateway.published import TYPES, fitting
from gateway.settings import Secret, Webhook
from gateway.store import Store
from gateway.store.outbox import job_of

ANSWER = {
    "response": "accepted_with_changes",
    "purpose": "original",
    "lines": [
        {"line_id": "1", "responses": [{"status": "accepted", "quantity": {"value": "2", "unit": "EA"}}]},
        {"line_id": "2", "responses": [{"status": "backordered", "quantity": {"value": "7.50", "unit": "EA"}}]},
    ],
}


def endpoint(name: str, *types: str, partner: str | None = None) -> Endpoint:
    """A webhook that asks for these types; of one partner, if named."""
    return Endpoint(
        name=name,
        lane=f"{partner or ''}:events:{name}",
        webhook=Webhook(url="https://there.example.com/hook", secrets=Secret(env="S")),
        types=fitting(types),
        partners=frozenset({partner} if partner else ()),
    )


def announcing(store: Store, *endpoints: Endpoint, stream: bool = False) -> Subscribers:
    """Have the store announce to these."""
    subscribers = Subscribers(endpoints, TYPES if stream else ())
    announcer = Announcer(source="/gateways/US", subscribers=subscribers)
    store.announcer = lambda: announcer
    return subscribers


def answered(trade: Any, **fields: Any) -> Changes:
    """A received message with an acknowledgement of order 4711 in it."""
    message = trade.message()
    document = trade.document(message.id, body=ANSWER, **fields)
    fact = DocumentAccepted(
        message_id=message.id,
        partner="acme",
        order_number="4711",
        document=document.kind,
        document_id=document.id,
        number=document.number,
        sha256="00",
        agreement="",
    )
    first = trade.event(message.id)
    return Changes(messages=(message,), documents=(document,), events=(first, fact))


async def test_a_fact_is_in_the_outbox_as_cloud_events_when_its_commit_returns(store: Store, trade: Any) -> None:
    """The ids are its place on the trail; the data is thin; the trace is the message's."""
    announcing(store, stream=True)
    changes = answered(trade)
    await store.accept(changes)
    claimed = await store.claim_events(STREAM, lease=timedelta(seconds=30), most=10)
    assert [one.type for one in claimed] == ["order.acknowledged", "order.line.backordered"]
    message_id = changes.messages[0].id
    assert [one.event_id for one in claimed] == [f"{message_id}-2", f"{message_id}-2-2"]
    event = json.loads(claimed[1].body)
    links = {"transaction": f"/v1/transactions/{message_id}"}
    assert event.pop("data") == {
        "message_id": message_id,
        "partner": "acme",
        "links": links,
        "document": "order_acknowledgement",
        "document_id": changes.documents[0].id,
        "number": "A-1",
        "order_number": "4711",
        "lines": [{"line_id": "2", "statuses": ["backordered"], "quantity": "7.50", "unit": "EA"}],
        "total": 1,
    }
    assert event.pop("traceparent").split("-")[1] == message_id.replace("-", "")
    assert event.pop("time").startswith("2026-03-02T08:00:00")
    assert event == {
        "specversion": "1.0",
        "id": f"{message_id}-2-2",
        "source": "/gateways/US",
        "type": "order.line.backordered",
        "subject": "purchase_order/4711",
        "datacontenttype": "application/json",
        "partner": "acme",
        "correlationid": message_id,
    }


async def test_what_is_not_kept_is_not_announced(store: Store, trade: Any) -> None:
    """A document whose natural key was taken leaves nothing in the outbox."""
    announcing(store, stream=True)
    await store.accept(answered(trade))
    with pytest.raises(NaturalKeyTaken):
        await store.accept(answered(trade))
    assert [(one.way, one.events) for one in await store.outbox()] == [(STREAM, 2)]


async def test_what_nobody_asked_for_is_not_written(store: Store, trade: Any) -> None:
    """Neither another type, nor another partner's."""
    announcing(store, endpoint("a", "shipment.*"), endpoint("b", "order.*", partner="baltic"))
    await store.accept(answered(trade))
    assert await store.outbox() == []


async def test_each_webhook_that_asked_gets_one_job_and_the_outbox_is_empty(store: Store, trade: Any) -> None:
    """Several nodes hand on at once: no event is handed on twice, none is left."""
    subscribers = announcing(
        store, endpoint("all", "*"), endpoint("lines", "order.line.*"), endpoint("acme/own", "order.*", partner="acme")
    )
    for number in range(20):
        await store.accept(answered(trade, natural_key=f"order_acknowledgement:{number}:0"))
    taken = await asyncio.gather(*(store.hand_on(subscribers, 7) for _ in range(10)))
    while count := await store.hand_on(subscribers, 7):
        taken.append(count)
    assert sum(taken) == 40
    assert await store.outbox() == []
    counts = [sum((await store.notice_counts(one.lane)).values()) for one in subscribers.endpoints.values()]
    assert counts == [40, 20, 40]
    (job, *_) = await store.claim("me", [NOTIFY], 1)
    assert set(job.data) == {"endpoint", "event_id", "type", "body"}


async def test_a_disabled_webhook_gets_nothing_and_the_others_all(store: Store, trade: Any) -> None:
    """Until it is enabled; who said so stands on the trail, once."""
    subscribers = announcing(store, endpoint("gone", "*"), endpoint("there", "*"))
    assert await store.disable_webhook("gone", by="the endpoint", reason="410")
    assert not await store.disable_webhook("gone", by="the endpoint", reason="410")
    await store.accept(answered(trade))
    await store.hand_on(subscribers, 10)
    assert await store.notice_counts(":events:gone") == {}
    assert await store.notice_counts(":events:there") == {"ready": 2}
    assert await store.enable_webhook("gone", by="ann", reason="mended")
    assert not await store.enable_webhook("gone", by="ann", reason="mended")
    kinds = [entry.kind for entry in await store.timeline(message_id="webhooks")]
    assert kinds == ["webhook.disabled", "webhook.enabled"]


async def test_a_publisher_that_dies_leaves_its_rows_to_the_next(store: Store, trade: Any, clock: Any) -> None:
    """They come back when the lease is over; settled ones are gone, put off ones come at their time."""
    announcing(store, stream=True)
    await store.accept(answered(trade))
    lease = timedelta(seconds=30)
    first, second = await store.claim_events(STREAM, lease=lease, most=10)
    assert await store.claim_events(STREAM, lease=lease, most=10) == []
    clock.advance(seconds=31)
    again = await store.claim_events(STREAM, lease=lease, most=10)
    assert [(one.id, one.tries) for one in again] == [(first.id, 2), (second.id, 2)]
    await store.settle_events([first.id], [(second.id, clock() + timedelta(hours=1), "too large")])
    clock.advance(minutes=59)
    assert await store.claim_events(STREAM, lease=lease, most=10) == []
    (waiting,) = await store.outbox()
    assert (waiting.events, waiting.failing, waiting.reason) == (1, 1, "too large")
    clock.advance(minutes=2)
    assert len(await store.claim_events(STREAM, lease=lease, most=10)) == 1


async def test_webhooks_and_the_stream_do_not_wait_for_each_other(store: Store, trade: Any) -> None:
    """Each way has its own rows."""
    subscribers = announcing(store, endpoint("all", "*"), stream=True)
    await store.accept(answered(trade))
    assert await store.hand_on(subscribers, 10) == 2
    assert [(one.way, one.events) for one in await store.outbox()] == [(STREAM, 2)]


async def test_that_telling_a_webhook_failed_is_told_to_nobody(store: Store, trade: Any) -> None:
    """Else one dead endpoint would make events for ever."""
    announcing(store, endpoint("all", "*"), stream=True)
    await store.accept(trade.received())
    (message,) = await store.messages()
    given_up = WorkGivenUp(message_id=message.id, partner="acme", step=NOTIFY, attempts=3, reason="500")
    await store.apply(Changes(events=(given_up,)))
    assert await store.outbox() == []


async def test_deliveries_are_listed_and_sent_again(store: Store, trade: Any) -> None:
    """Those that failed, one by its event, or all since a time; who asked is recorded."""
    subscribers = announcing(store, endpoint("all", "*"))
    await store.accept(answered(trade))
    await store.hand_on(subscribers, 10)
    good, bad = await store.claim("me", [NOTIFY], 10)
    await store.finish(good, Changes())
    await store.bury(bad, outcome="permanent", reason="500", changes=Changes())
    found = {one.event_id: one for one in await store.notices(":events:all")}
    assert found[bad.data["event_id"]].state == "dead"
    assert found[bad.data["event_id"]].reason == "500"
    assert found[good.data["event_id"]].outcome == "done"
    assert [one.state for one in await store.notices(":events:all", states=("done",))] == ["done"]
    again = {"by": "ann", "reason": "mended"}
    assert await store.redeliver("all", ":events:all", **again, event_id="none") == 0
    assert await store.redeliver("all", ":events:all", **again) == 1
    event_id = good.data["event_id"]
    assert await store.redeliver("all", ":events:all", **again, event_id=event_id, failed_only=False) == 1
    assert len(await store.claim("me", [NOTIFY], 10)) == 2
    (first, second) = await store.timeline(message_id="webhooks")
    assert (first.data["deliveries"], second.data["event_id"]) == (1, event_id)


def test_a_webhook_job_is_the_event_and_the_endpoint() -> None:
    """So handing on twice by any mistake leaves the second one out."""

    class Row:
        event_id, message_id, type, body = "m-1", "m", "order.sent", "{}"

    made = job_of(Row(), endpoint("all", "*"), datetime(2026, 1, 1, tzinfo=UTC))
    assert (made.message_id, made.step, made.document_id, made.part) == ("m", NOTIFY, "m-1", "all")


async def test_claims_for_other_steps_do_not_look_into_lanes_of_events(store: Store, trade: Any, clock: Any) -> None:
    """However many events wait there, reading through them would be in vain; who does all steps looks everywhere."""
    subscribers = announcing(store, endpoint("all", "*"))
    await store.accept(answered(trade))
    await store.accept(trade.received())
    await store.accept(trade.received(lane=":events:all"))  # nobody does that; it shows where claims look
    await store.hand_on(subscribers, 10)
    assert [job.lane for job in await store.claim("me", ["read", "send"], 10)] == ["acme:inbound:read"]
    assert [job.step for job in await store.claim("me", [NOTIFY], 10)] == [NOTIFY, NOTIFY]
    assert [job.lane for job in await store.claim("me", ["read", NOTIFY], 10)] == [":events:all"]
