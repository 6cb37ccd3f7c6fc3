"""Publishing by a whole gateway: an order's life as its webhooks see it, and what a bad webhook never does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook as Peer

from gateway import wiring
from gateway.connectors.webhook_secrets import new_secret
from gateway.demo import scenario
from gateway.demo.workspaces import Demo, exchange_certificates, prepare
from gateway.ports import Submitted
from gateway.published import TYPES


@dataclass(kw_only=True)
class Receiver:
    """A receiver that verifies every event; answers 410 below /gone, 500 below /broken, nothing for long at /slow."""

    secret: str
    url: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Take an event."""
        self.asked.append(request.path)
        event = Peer(self.secret).verify(await request.read(), dict(request.headers))
        match request.path:
            case "/gone":
                return web.Response(status=410)
            case "/broken":
                return web.Response(status=500)
            case "/slow":
                await asyncio.sleep(30)
        if request.path == "/":
            self.events.append(event)
        return web.Response(status=204)


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """It, listening."""
    made = Receiver(secret=new_secret().text)
    monkeypatch.setenv("HOOK", made.secret)
    application = web.Application()
    application.router.add_post("/{path:.*}", made.answer)
    async with TestServer(application, shutdown_timeout=0) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """The demo's workspaces."""
    made = prepare(tmp_path / "demo", written_ports=False)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    exchange_certificates(made)
    return made


def tell(demo: Demo, receiver: Receiver, paths: dict[str, str]) -> None:
    """Webhooks of the gateway by name, each at a path of the receiver."""
    lines = [
        f"  {name}: {{url: '{receiver.url}{path}', secrets: {{env: HOOK}}, allow_private: true}}"
        for name, path in paths.items()
    ]
    file = demo.gateway / "gateway.yaml"
    file.write_text(file.read_text() + "\nwebhooks:\n" + "\n".join(lines) + "\n")


async def order(gateway: wiring.Running, partner: str = "acme", number: str = "4500012345") -> Submitted:
    """The ERP gives an order for a partner."""
    party = {"acme": "V-1001", "baltic": "V-2002"}[partner]
    seller = {"scheme": "assigned_by_buyer", "value": party}
    body = scenario.order(number, seller, name="Somebody", business_unit="north", today=wiring.now().date())
    answer = await gateway.activation.current.built.desk.submit(
        kind="purchase_order",
        partner=None,
        body=json.dumps(body).encode(),
        idempotency_key=None,
        order_id=None,
        correlation_id="c",
    )
    assert isinstance(answer, Submitted)
    return answer


async def until(true: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    """Wait, 20 s at most."""
    for _ in range(400):
        found = true()
        if await found if isinstance(found, Awaitable) else found:
            return
        await asyncio.sleep(0.05)
    raise AssertionError


async def test_an_order_is_told_of_when_it_leaves_and_when_the_partner_has_it(demo: Demo, receiver: Receiver) -> None:
    """Over AS2 by MDN and 997; each event is signed, of the schema of its type, and told once."""
    tell(demo, receiver, {"all": "/"})
    async with wiring.running(demo.gateway) as gateway, wiring.running(demo.station):
        await order(gateway)
        await until(lambda: len(receiver.events) >= 2)
    told = {one["type"]: one for one in receiver.events}
    assert set(told) == {"order.sent", "order.received_by_partner"}
    assert len(receiver.events) == 2
    for event in receiver.events:
        Draft202012Validator(TYPES[event["type"]].data.model_json_schema()).validate(event["data"])
        assert event["data"]["number"] == "4500012345"
        assert event["partner"] == "acme"
        assert event["subject"] == "purchase_order/4500012345"


async def test_bad_webhooks_change_nothing_for_the_good_one_or_the_order(demo: Demo, receiver: Receiver) -> None:
    """One that is gone is disabled at once, one that fails is tried again later, one that is slow is waited for."""
    tell(demo, receiver, {"gone": "/gone", "broken": "/broken", "slow": "/slow", "good": "/"})
    async with wiring.running(demo.gateway) as gateway:
        for number in range(5):
            await order(gateway, "baltic", f"45000{number:05}")
        await until(lambda: len(receiver.events) == 5)

        async def settled() -> bool:
            return (await gateway.store.notice_counts(":events:good")).get("done") == 5

        async def disabled() -> bool:
            return await gateway.store.webhook_disabled("gone")

        async def at_rest() -> bool:
            return "running" not in {one.state for one in await gateway.store.notices(":events:broken")}

        await until(settled)
        await until(disabled)
        await until(at_rest)
        broken = await gateway.store.notices(":events:broken")
        assert {(one.state, one.outcome) for one in broken} <= {("ready", "transient"), ("ready", None)}
        assert "it answered 500" in {one.reason for one in broken}
        (message, *_) = await gateway.store.messages(partner="baltic")
        kinds = {entry.kind for entry in await gateway.store.timeline(message_id=message.id)}
        assert "delivery.attempt_failed" not in kinds
        (entry,) = await gateway.store.timeline(message_id="webhooks")
        assert (entry.kind, entry.data["webhook"], entry.data["by"]) == ("webhook.disabled", "gone", "the endpoint")
    assert sorted({one["type"] for one in receiver.events}) == ["order.sent"]


async def test_what_was_not_told_when_the_gateway_stopped_is_told_after_it(demo: Demo, receiver: Receiver) -> None:
    """The outbox and the jobs are in the store; nothing lives in memory."""
    tell(demo, receiver, {"all": "/"})
    async with wiring.open_station(demo.gateway) as (station, store):
        from gateway.pipeline.submission import SubmissionDesk  # noqa: PLC0415

        seller = {"scheme": "assigned_by_buyer", "value": "V-2002"}
        body = scenario.order("77", seller, name="Somebody", business_unit="north", today=wiring.now().date())
        await SubmissionDesk(station).submit(
            kind="purchase_order",
            partner=None,
            body=json.dumps(body).encode(),
            idempotency_key=None,
            order_id=None,
            correlation_id="c",
        )
        assert [one.events for one in await store.outbox()] == [1]
    async with wiring.running(demo.gateway) as gateway:
        await until(lambda: len(receiver.events) == 1)
        await until(lambda: _empty(gateway))
    assert receiver.events[0]["data"]["channel"] == "rest"


async def test_a_webhook_that_is_added_is_told_from_then_on_and_one_that_is_removed_no_more(
    demo: Demo, receiver: Receiver
) -> None:
    """Without a restart; a partner's own, in its file, only of its partner."""
    file = demo.gateway / "partners" / "baltic.yaml"
    before = file.read_text()
    own = f"webhooks: {{own: {{url: '{receiver.url}/', secrets: {{env: HOOK}}, allow_private: true}}}}\n"
    async with wiring.running(demo.gateway) as gateway:

        async def changed(text: str) -> None:
            active = gateway.activation.current
            file.write_text(text)
            gateway.activation.ask()
            await until(lambda: gateway.activation.current is not active)

        await order(gateway, "baltic", "1")
        await changed(before + own)
        await order(gateway, "baltic", "2")
        await order(gateway, "acme", "3")
        await until(lambda: len(receiver.events) == 1)
        await changed(before)
        await order(gateway, "baltic", "4")
        await asyncio.sleep(0.5)
        assert await gateway.store.outbox() == []
    assert [one["data"]["number"] for one in receiver.events] == ["2"]


async def _empty(gateway: wiring.Running) -> bool:
    return await gateway.store.outbox() == []
