"""A real gateway killed during a call to a real ERP that ignores keys: asked or left to an operator, never doubled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway import wiring
from gateway.demo import scenario
from gateway.demo.outside import Http, command, erp_calls, erp_documents, eventually
from gateway.demo.processes import Process
from gateway.demo.walk import _processes
from gateway.demo.workspaces import Demo, exchange_certificates, prepare
from gateway.store import Store

pytestmark = pytest.mark.process

ORDER = "4500077777"
NORTH = "    base_url: http://127.0.0.1:{port}\n"
LOOKUP = (
    "    lookup: {path: '/api/documents?key={idempotency_key}', found: {pointer: /id}, id_at: /id, wait_seconds: 1}\n"
)
ACKS = "/api/order-acknowledgements"


@dataclass(kw_only=True)
class Scene:
    """The processes, and hands on their APIs."""

    demo: Demo
    store: Store
    """Looked into beside the gateway."""
    gateway: Process
    erp: Http
    ours: Http
    baltic: Http

    async def states(self) -> list[str]:
        """How the deliveries to the ERP stand."""
        found = [one for message in await self.store.messages() for one in await self.store.documents_of(message.id)]
        return [one.state.value for one in await self.store.deliveries([one.id for one in found])]

    async def running(self) -> bool:
        """Whether a call to the ERP is under way."""
        tries = [one for message in await self.store.messages() for one in await self.store.attempts(message.id)]
        return any(one.step == "deliver" and one.outcome is None for one in tries)

    async def until(self, state: str) -> None:
        """Wait for the one delivery."""

        async def look() -> bool:
            return await self.states() == [state]

        await eventually(look, f"the delivery is {state}")

    async def killed_during_a_call(self) -> None:
        """The ERP takes its time; the gateway is killed meanwhile; the ERP takes the document all the same."""
        await self.erp.call("POST", "/control", {"stall": {"seconds": 2, "times": 1}, "ignore_key": {"times": 1000}})
        today = datetime.now(UTC).date()
        seller = {"scheme": "assigned_by_buyer", "value": "V-2002"}
        order = scenario.order(ORDER, seller, name="Baltic Fasteners", business_unit="north", today=today)
        await self.ours.post("/v1/purchase-orders", order)
        found = await self.baltic.get(f"/v1/purchase-orders?number={ORDER}")
        answer = scenario.acknowledgement(order, supplier_number="B-1", today=today)
        await self.baltic.post(f"/v1/purchase-orders/{found['items'][0]['id']}/acknowledgements", answer)
        await eventually(self.running, "a call is under way")
        await asyncio.to_thread(self.gateway.kill)

        async def taken() -> list[dict[str, Any]]:
            return erp_documents(self.demo, "north", "order_acknowledgement")

        await eventually(taken, "the ERP took it")
        await asyncio.to_thread(self.gateway.start)


@pytest.fixture
async def scene(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """The demo's gateway with one ERP, whose target has these lines more."""
    demo = prepare(tmp_path / "demo", written_ports=False)
    for name, value in demo.environment.items():
        monkeypatch.setenv(name, value)
    exchange_certificates(demo)
    settings = demo.gateway / "gateway.yaml"
    line = NORTH.format(port=demo.ports["north"])
    text = settings.read_text()
    assert line in text
    settings.write_text(text.replace(line, line + "    honours_key: no\n" + request.param))
    every: Mapping[str, Process] = _processes(demo)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        for name in ("north", "gateway"):
            stack.push_async_callback(asyncio.to_thread, every[name].stop)
            await asyncio.to_thread(every[name].start)
        made = [("--erp", "--name", "ours"), ("baltic", "--name", "theirs")]
        keys = [await command(demo.gateway, "partner", "key", "new", *one, "--json") for one in made]
        ours, baltic = (Http(session=http, base=demo.url("gateway"), token=json.loads(one)["key"]) for one in keys)
        erp = Http(session=http, base=demo.url("north"), token=demo.environment["NORTH_ERP_TOKEN"])
        store = await stack.enter_async_context(wiring.open_store(demo.gateway))
        yield Scene(demo=demo, store=store, gateway=every["gateway"], erp=erp, ours=ours, baltic=baltic)


@pytest.mark.parametrize("scene", [LOOKUP], indirect=True)
async def test_gateway_killed_during_a_call_asks_before_it_calls_again(scene: Scene) -> None:
    """The ERP has it: delivered with its id, one call."""
    await scene.killed_during_a_call()
    await scene.until("delivered")
    assert len(erp_documents(scene.demo, "north", "order_acknowledgement")) == 1
    assert len(erp_calls(scene.demo, "north", ACKS)) == 1
    assert [one["what"] for one in erp_calls(scene.demo, "north", "/api/documents")] == ["found"]


@pytest.mark.parametrize("scene", [""], indirect=True)
async def test_gateway_killed_during_a_call_that_nothing_can_tell_of_leaves_it_to_an_operator(scene: Scene) -> None:
    """Listed; settled by a command beside the running gateway; one call, whatever happened."""
    await scene.killed_during_a_call()
    await scene.until("uncertain")
    (listed,) = json.loads(await command(scene.demo.gateway, "message", "list", "--uncertain", "--json"))
    decided = ("--target", "north", "--delivered", "--their-id", "NORTH-000001", "--by", "ann", "--why", "seen there")
    await command(scene.demo.gateway, "message", "settle", listed["id"], *decided)
    await scene.until("delivered")
    assert len(erp_calls(scene.demo, "north", ACKS)) == 1
    assert json.loads(await command(scene.demo.gateway, "message", "list", "--uncertain", "--json")) == []
