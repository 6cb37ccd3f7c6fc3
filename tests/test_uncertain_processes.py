"""A real gateway killed during a call to a real ERP that ignores keys: asked or left to an operator, never doubled."""

from __future__ import annotations

import asyncio
import json
import shutil
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
from gateway.demo.erp_ledger import Ledger
from gateway.demo.outside import Http, command, eventually
from gateway.demo.processes import Process
from gateway.demo.workspaces import _ports
from gateway.partners.api_keys import mint_api_key
from gateway.partners.initial import Company, create_workspace
from gateway.ports import ApiKey
from gateway.store import Store

pytestmark = pytest.mark.process

ORDER = "4500077777"
SETTINGS = """\
identity: {{name: Example, as2_id: EXAMPLE, x12: {{qualifier: ZZ, id: EXAMPLE}}}}
passphrase: {{file: keys/passphrase}}
listen: {{port: {port}}}
targets:
  north:
    kind: http
    base_url: http://127.0.0.1:{erp}
    authentication: {{kind: bearer, token: {{env: NORTH_TOKEN}}}}
    honours_key: no
    {more}
    documents: {{order_acknowledgement: {{path: /api/order-acknowledgements, id_at: /id}}}}
routes: [{{to: north}}]
retries: {{schedule_seconds: [1, 1, 2]}}
"""
PARTNER = """\
title: Baltic Fasteners
ids: [{scheme: assigned_by_buyer, value: V-2002}]
channel: rest
documents: {send: {purchase_order: {}}, receive: {order_acknowledgement: {}}}
"""
LOOKUP = "lookup: {path: '/api/documents?key={idempotency_key}', id_at: /id, wait_seconds: 1}"


@dataclass(kw_only=True)
class Scene:
    """The processes, and hands on their APIs."""

    folder: Path
    store: Store
    """Looked into beside the gateway."""
    ledger: Ledger
    """What the ERP has, from its own file."""
    gateway: Process
    erp: Http
    ours: Http
    baltic: Http

    async def states(self) -> list[str]:
        """How the deliveries to the ERP stand."""
        found = [one for message in await self.store.messages() for one in await self.store.documents_of(message.id)]
        return [one.state.value for one in await self.store.deliveries([one.id for one in found])]

    async def running(self) -> bool:
        """Whether a call is at the ERP, which takes its time: an attempt that has begun may not have called yet."""
        return bool((await self.erp.get("/control"))["stall"] == 0)

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

        async def taken() -> list[Mapping[str, Any]]:
            return self.ledger.documents("order_acknowledgement")

        await eventually(taken, "the ERP took it")
        await asyncio.to_thread(self.gateway.start)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its keys are made once."""
    folder = tmp_path_factory.mktemp("uncertain") / "workspace"
    company = Company(name="Example", as2_id="EXAMPLE", x12_qualifier="ZZ", x12_id="EXAMPLE")
    create_workspace(folder, company, passphrase_variable=None, now=datetime.now(UTC), days=30, bits=2048)
    (folder / "partners" / "baltic.yaml").write_text(PARTNER)
    return folder


@pytest.fixture
async def scene(
    workspace: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """A gateway with one ERP, whose target has these lines more."""
    folder, database = tmp_path / "workspace", tmp_path / "north.db"
    shutil.copytree(workspace, folder)
    ports = _ports({"gateway": 0, "north": 0})
    (folder / "gateway.yaml").write_text(SETTINGS.format(port=ports["gateway"], erp=ports["north"], more=request.param))
    monkeypatch.setenv("NORTH_TOKEN", "T")
    monkeypatch.delenv("GATEWAY_DATABASE_URL", raising=False)
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    options = ("--port", str(ports["north"]), "--database", str(database), "--token", "T", "--name", "north")
    north = Process(
        name="north",
        arguments=("-m", "gateway.demo.erp", *options),
        ready_url=f"{urls['north']}/api/calls",
        log=tmp_path / "north.log",
    )
    gateway = Process(
        name="gateway",
        arguments=("-m", "gateway", "serve", "--workspace", str(folder)),
        ready_url=f"{urls['gateway']}/health/ready",
        log=tmp_path / "gateway.log",
    )
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        for process in (north, gateway):
            stack.push_async_callback(asyncio.to_thread, process.stop)
            await asyncio.to_thread(process.start)
        store = await stack.enter_async_context(wiring.open_store(folder))
        hands = {"north": Http(session=http, base=urls["north"], token="T")}
        for scope, partner in (("erp", None), ("supplier", "baltic")):
            key = mint_api_key()
            row = ApiKey(
                id=key.id,
                partner=partner,
                scope=scope,
                name=scope,
                created_at=datetime.now(UTC),
                expires_at=None,
                revoked_at=None,
                last_used_at=None,
            )
            await store.add_key(row, secret_sha256=key.secret_sha256)
            hands[scope] = Http(session=http, base=urls["gateway"], token=key.text)
        ledger = Ledger(database, "north")
        stack.callback(ledger.close)
        yield Scene(
            folder=folder,
            store=store,
            ledger=ledger,
            gateway=gateway,
            erp=hands["north"],
            ours=hands["erp"],
            baltic=hands["supplier"],
        )


@pytest.mark.parametrize("scene", [LOOKUP], indirect=True)
async def test_gateway_killed_during_a_call_asks_before_it_calls_again(scene: Scene) -> None:
    """The ERP has it: delivered with its id, one call."""
    await scene.killed_during_a_call()
    await scene.until("delivered")
    assert len(scene.ledger.documents("order_acknowledgement")) == 1
    assert [one["what"] for one in scene.ledger.calls() if one["key"]] == ["stored", "found"]


@pytest.mark.parametrize("scene", [""], indirect=True)
async def test_gateway_killed_during_a_call_that_nothing_can_tell_of_leaves_it_to_an_operator(scene: Scene) -> None:
    """Listed; settled by a command beside the running gateway; one call, whatever happened."""
    await scene.killed_during_a_call()
    await scene.until("uncertain")
    (listed,) = json.loads(await command(scene.folder, "message", "list", "--uncertain", "--json"))
    decided = ("--target", "north", "--delivered", "--their-id", "NORTH-000001", "--by", "ann", "--why", "seen there")
    await command(scene.folder, "message", "settle", listed["id"], *decided)
    await scene.until("delivered")
    assert [one["what"] for one in scene.ledger.calls() if one["key"]] == ["stored"]
    assert json.loads(await command(scene.folder, "message", "list", "--uncertain", "--json")) == []
