"""A whole gateway from a workspace folder: it listens, works, ends in good order, and is alone on its database."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from gateway import wiring
from gateway.demo import scenario
from gateway.demo.workspaces import exchange_certificates, prepare
from gateway.errors import OurFault
from gateway.events import DocumentAvailable
from gateway.ports import Changes, Channel, Clock, Direction, MessageState, NewJob, NewMessage, Submitted, TrailEntry
from gateway.store import Store, migrate


async def test_gateway_runs_from_its_folder_and_a_second_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ready over HTTP, AS2 address there; a second `serve` on the same SQLite file says what to do; ends cleanly."""
    demo = prepare(tmp_path / "demo")
    for name, value in demo.environment.items():
        monkeypatch.setenv(name, value)
    exchange_certificates(demo)
    async with wiring.running(demo.gateway) as gateway, aiohttp.ClientSession() as http:
        for path in ("/health/ready", "/as2", "/openapi.json"):
            async with http.get(gateway.address + path) as answer:
                assert answer.status == 200, path
        with pytest.raises(OurFault) as refused:
            async with wiring.running(demo.gateway):
                pass
        assert refused.value.remedy
        for _ in range(200):  # its duties begin with it
            done = [one.name for one in await gateway.store.schedules() if one.done_at is not None]
            if len(done) == 2:
                break
            await asyncio.sleep(0.05)
        assert done == ["files", "retention"]
    assert wiring.public_seal_key(demo.gateway)


async def test_two_gateways_from_their_folders_exchange_receipts_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three lines of configuration: the order goes out, its receipt comes to the address below listen.public_url."""
    demo = prepare(tmp_path / "demo", written_ports=False)
    for name, value in demo.environment.items():
        monkeypatch.setenv(name, value)
    exchange_certificates(demo)
    ours, receipts = demo.url("gateway"), f"{demo.url('gateway')}/as2/receipts"
    for file, section, line in (
        (demo.gateway / "gateway.yaml", "listen:\n", f"  public_url: {ours}\n"),
        (demo.gateway / "partners" / "acme.yaml", "as2:\n", "  receipt_mode: async\n"),
        (next((demo.station / "partners").glob("*.yaml")), "as2:\n", f"  receipt_urls: ['{receipts}']\n"),
    ):
        text = file.read_text()
        assert section in text
        file.write_text(text.replace(section, section + line, 1))
    seller = {"scheme": "assigned_by_buyer", "value": "V-1001"}
    today = wiring.now().date()
    order = scenario.order("4500012345", seller, name="ACME Tools", business_unit="north", today=today)
    async with wiring.running(demo.gateway) as gateway, wiring.running(demo.station):
        desk = gateway.activation.current.built.desk
        await desk.submit(
            kind="purchase_order",
            partner=None,
            body=json.dumps(order).encode(),
            idempotency_key=None,
            order_id=None,
            correlation_id="c",
        )
        for _ in range(400):
            kinds = [one.kind for one in await _trail(gateway.store)]
            if "message.sent" in kinds:
                break
            await asyncio.sleep(0.05)
    assert kinds.index("message.posted") < kinds.index("message.sent")
    (sent,) = [one for one in await _trail_of(demo.gateway) if one.kind == "message.sent"]
    assert sent.data["receipt_came"] == "by itself"


async def _trail(store: Store) -> list[TrailEntry]:
    return await store.timeline(order_number="4500012345")


async def _trail_of(folder: Path) -> list[TrailEntry]:
    async with wiring.open_store(folder) as store:
        return await _trail(store)


async def test_a_draining_gateway_answers_and_works_nothing_new_until_the_time_is_over_or_it_is_hurried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not ready at once, each answer ends its connection; what is taken meanwhile is durable, and the next start's."""
    demo = prepare(tmp_path / "demo", written_ports=False)
    for name, value in demo.environment.items():
        monkeypatch.setenv(name, value)
    exchange_certificates(demo)
    with (demo.gateway / "gateway.yaml").open("a") as settings:
        settings.write("nodes: {drain_seconds: 600}\n")
    seller = {"scheme": "assigned_by_buyer", "value": "V-1001"}
    order = scenario.order("4500012345", seller, name="ACME", business_unit="north", today=wiring.now().date())
    async with wiring.running(demo.gateway) as gateway, aiohttp.ClientSession() as http:
        async with http.get(gateway.address + "/health/live") as answer:
            assert "Connection" not in answer.headers
        hurry = asyncio.Event()
        draining = asyncio.create_task(gateway.drain(hurry))
        while [one.state.value for one in await gateway.store.nodes()] != ["draining"]:
            await asyncio.wait((draining,), timeout=0.02)
        async with http.get(gateway.address + "/health/ready") as answer:
            assert (answer.status, (await answer.json())["checks"]) == (503, {"node": "draining"})
        async with http.get(gateway.address + "/openapi.json") as answer:
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
        taken = await gateway.activation.current.built.desk.submit(
            kind="purchase_order",
            partner=None,
            body=json.dumps(order).encode(),
            idempotency_key=None,
            order_id=None,
            correlation_id="c",
        )
        assert isinstance(taken, Submitted)
        await asyncio.wait((draining,), timeout=0.5)
        assert not draining.done()
        assert (await gateway.store.unfinished())["ready"] == 1
        hurry.set()
        await asyncio.wait_for(draining, 10)
    async with wiring.open_store(demo.gateway) as store:
        assert await store.nodes() == []


async def test_a_gateway_whose_worker_died_or_whose_trail_is_not_sealed_is_not_ready(
    tmp_path: Path, clock: Clock
) -> None:
    """A dead background task and an old unsealed tail are named, so that somebody is called."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    await migrate(url)
    store = await Store.open(url, payloads=tmp_path, clock=clock)

    async def dies() -> None:
        raise RuntimeError

    dead = asyncio.create_task(dies())
    await asyncio.wait((dead,))
    alive = asyncio.create_task(asyncio.sleep(60))
    background = {"worker": dead, "sealer": alive}
    checks = {"worker": "stopped", "sealer": "ok", "database": "ok"}
    assert await wiring._ready(store, background, 60) == checks | {"audit trail": "ok"}
    message = NewMessage(
        id="m",
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.RECEIVED,
        at=clock(),
        payload=b"",
    )
    long_ago = DocumentAvailable(message_id="m", document_id="d")
    await store.apply(Changes(messages=(message,), events=(long_ago,)))
    assert await wiring._ready(store, background, 60) == checks | {"audit trail": "not sealed in time"}
    alive.cancel()
    await store.close()


async def test_work_that_this_version_does_not_know_is_told_at_the_start(
    sqlite_store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """By the log, with the command that lists it."""
    message = NewMessage(
        id="m",
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.RECEIVED,
        at=clock(),
        payload=b"",
    )
    job = NewJob(message_id="m", step="frobnicate", lane="acme:inbound:read", run_at=clock())
    await sqlite_store.apply(Changes(messages=(message,), jobs=(job,)))
    await wiring._tell_stuck(sqlite_store)
    assert "1 jobs wait for the step frobnicate" in caplog.text
    assert "gateway message list --stuck" in caplog.text


def test_relative_sqlite_file_is_under_the_workspace_and_the_environment_overrides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever folder the command runs in; GATEWAY_DATABASE_URL wins."""
    settings = wiring.workspace.load_settings(prepare(tmp_path / "demo").gateway)
    monkeypatch.delenv("GATEWAY_DATABASE_URL", raising=False)
    assert wiring.database_url(tmp_path, settings) == f"sqlite:///{tmp_path}/data/gateway.db"
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql+asyncpg://elsewhere/db")
    assert wiring.database_url(tmp_path, settings) == "postgresql+asyncpg://elsewhere/db"
