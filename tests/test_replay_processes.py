"""A real gateway killed again and again during a replay: it ends complete, and every effect is at the ERP once."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway import wiring
from gateway.demo.erp_ledger import Ledger
from gateway.demo.outside import Http, command, eventually
from gateway.demo.processes import Process
from gateway.demo.workspaces import _ports
from gateway.events import MessageReceived
from gateway.partners.initial import Company, create_workspace
from gateway.pipeline.identity import inbound_lane
from gateway.pipeline.lanes import REPLAY
from gateway.ports import Changes, Channel, Direction, MessageState, NewJob, NewMessage, new_id
from gateway.store import Store

pytestmark = pytest.mark.process

MESSAGES, REFUSED = 40, 20
KILLED_AFTER = (2, 10, 18)
"""Messages of the replay that are done when the gateway is killed, a moment later."""
LANE = inbound_lane("brightline", REPLAY)
SETTINGS = """\
identity: {{name: Harborline, as2_id: HARBORLINE, x12: {{qualifier: ZZ, id: HARBORLINE}}}}
passphrase: {{file: keys/passphrase}}
listen: {{port: {port}}}
targets:
  erp:
    kind: http
    base_url: http://127.0.0.1:{erp}
    authentication: {{kind: bearer, token: {{env: NORTH_TOKEN}}}}
    documents:
      purchase_order:
        path: /api/purchase-orders
        id_at: /id
        replace: {{path: "/api/purchase-orders/{{their_id}}"}}
routes: [{{to: erp}}]
"""
PARTNER = """\
title: Brightline Lamps
ids: [{scheme: assigned_by_buyer, value: V-3003}]
channel: as2
as2: {id: BRIGHTLINE, url: "https://as2.brightline.example/as2", certificates: [certs/gateway.pem]}
x12: {identity: {qualifier: ZZ, id: BRIGHTLINE}, answer: refused}
documents: {receive: {purchase_order: {set: 850, map: brightline/850}}}
"""
MAP = "extends: x12/850\ntitle: Brightline's orders\n"
WRONG = "codes:\n  price_type: {CON: {read: catalog}}\n"
ORDER = (
    "ISA*00*          *00*          *ZZ*BRIGHTLINE     *ZZ*HARBORLINE     *261121*0915*U*00401*{control:09}*0*P*>~"
    "GS*PO*BRIGHTLINE*HARBORLINE*20261121*0915*{control}*X*004010~ST*850*0001~BEG*00*NE*{number}**20261120~"
    "PO1*1*10*EA*1.25**VP*A-100~CTP**CON*1.25~CTT*1~SE*6*0001~GE*1*{control}~IEA*1*{control:09}~"
)


async def receive(store: Store) -> None:
    """The partner's orders, as the AS2 address stores them."""
    for count in range(1, MESSAGES + 1):
        now, data = store.clock(), ORDER.format(control=count, number=f"PO-{count:04}").encode()
        new = NewMessage(
            id=new_id(now),
            partner="brightline",
            direction=Direction.INBOUND,
            channel=Channel.AS2,
            state=MessageState.RECEIVED,
            at=now,
            payload=data,
            content_type="application/edi-x12",
        )
        job = NewJob(message_id=new.id, step="read", lane=inbound_lane("brightline", "read"), run_at=now)
        event = MessageReceived(
            message_id=new.id, partner="brightline", channel="as2", size=len(data), sha256=sha256(data).hexdigest()
        )
        await store.accept(Changes(messages=(new,), jobs=(job,), events=(event,)))


def made(folder: Path, ports: dict[str, int]) -> None:
    """The workspace."""
    company = Company(name="Harborline", as2_id="HARBORLINE", x12_qualifier="ZZ", x12_id="HARBORLINE")
    create_workspace(folder, company, passphrase_variable=None, now=datetime.now(UTC), days=30, bits=2048)
    (folder / "gateway.yaml").write_text(SETTINGS.format(port=ports["gateway"], erp=ports["north"]))
    (folder / "partners" / "brightline.yaml").write_text(PARTNER)
    (folder / "maps" / "brightline").mkdir(parents=True)
    (folder / "maps" / "brightline" / "850.yaml").write_text(MAP + WRONG)


async def killed_again_and_again(gateway: Process, store: Store, replay: str) -> None:
    """At moments that differ from run to run; started again each time."""
    for count in KILLED_AFTER:

        async def there(count: int = count) -> bool:
            return (await store.replay_progress(replay)).done >= count

        await eventually(there, f"{count} messages are worked again")
        await asyncio.sleep(random.random() * 0.1)
        await asyncio.to_thread(gateway.kill)
        assert (await store.replay_progress(replay)).done < MESSAGES  # it was killed in the middle
        await asyncio.to_thread(gateway.start)


async def test_replay_of_a_gateway_that_is_killed_ends_complete_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the orders are at the ERP and are replaced, half were refused and go in their place; the trail holds."""
    folder, database = tmp_path / "workspace", tmp_path / "north.db"
    ports = _ports({"gateway": 0, "north": 0})
    made(folder, ports)
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
        store = await stack.enter_async_context(wiring.open_store(folder))
        await receive(store)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stack.push_async_callback(asyncio.to_thread, north.stop)
        await asyncio.to_thread(north.start)
        erp = Http(session=http, base=urls["north"], token="T")
        await erp.call("POST", "/control", {"fail": {"status": 422, "times": REFUSED}})
        stack.push_async_callback(asyncio.to_thread, gateway.stop)
        await asyncio.to_thread(gateway.start)
        ledger = Ledger(database, "north")
        stack.callback(ledger.close)

        async def worked() -> bool:
            return Counter(await states(store)) == {"delivered": MESSAGES - REFUSED, "failed": REFUSED}

        await eventually(worked, "half of the orders are at the ERP")
        await asyncio.to_thread(gateway.kill)
        (folder / "maps" / "brightline" / "850.yaml").write_text(MAP)  # CON is a contract's price
        await store.rate_lane(LANE, "10/second", by="test")  # so slow that it is under way whenever it is killed
        said = ("--partner", "brightline", "--why", "CON was misread", "--yes", "--json")
        replayed = asyncio.create_task(command(folder, "replay", *said))
        stack.callback(replayed.cancel)

        async def begun() -> str | None:
            return next((one.id for one in await store.replays()), None)

        replay = await eventually(begun, "the replay began")
        await asyncio.to_thread(gateway.start)
        await killed_again_and_again(gateway, store, replay)
        await store.rate_lane(LANE, "unlimited", by="test")
        told = json.loads(await replayed)
        assert (told["state"], told["outcomes"]) == ("done", {"replaced": MESSAGES - REFUSED, "corrected": REFUSED})

        async def settled() -> bool:
            wanted = {"delivered": 2 * (MESSAGES - REFUSED) + REFUSED, "discarded": REFUSED}
            return Counter(await states(store)) == wanted

        await eventually(settled, "every order is at the ERP as it reads now")
        stored: list[dict[str, Any]] = [dict(one) for one in ledger.documents("purchase_order")]
        assert len({one["key"] for one in stored}) == len(stored)
        types = Counter((one["number"], one["body"]["lines"][0]["prices"][1]["type"]) for one in stored)
        numbers = {f"PO-{count:04}" for count in range(1, MESSAGES + 1)}
        assert {number for number, word in types if word == "contract"} == numbers
        assert len(stored) == 2 * (MESSAGES - REFUSED) + REFUSED
        assert set(types.values()) == {1}
        assert json.loads(await command(folder, "dead", "list", "--json")) == []
        await command(folder, "audit", "verify")


async def states(store: Store) -> list[str]:
    """How the deliveries of all documents stand."""
    found = [one.id for message in await store.messages(limit=200) for one in await store.documents_of(message.id)]
    return [one.state.value for one in await store.deliveries(found)]
