"""Two gateways that trade once, seen from outside: what /metrics says, and the spans that a collector got."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gateway import observation, wiring
from gateway.demo import scenario
from gateway.demo.workspaces import exchange_certificates, prepare

PATIENCE = 400
CALLERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What was seen."""

    metrics: str
    """Of the gateway that sent an order and took the answer."""
    order: str
    """The message that carried the order there."""
    got: list[ExportTraceServiceRequest]


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A receiver of OTLP over HTTP: its address, and what came."""
    got: list[ExportTraceServiceRequest] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        assert request.headers["Content-Type"] == "application/x-protobuf"
        if request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        got.append(ExportTraceServiceRequest.FromString(body))
        return web.Response(content_type="application/x-protobuf")

    application = web.Application()
    application.router.add_post("/v1/traces", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces", got
    finally:
        await runner.cleanup()


@pytest.fixture(name="collecting")
def collecting_fixture() -> object:
    """`collecting`, for tests."""
    return collecting


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """One trade of two gateways with a collector."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(observation, "COUNT_SECONDS", 0.2)
        patched.setattr(observation, "COUNTING_SHARE", 1.0)
        return asyncio.run(_trade(tmp_path_factory.mktemp("seen"), patched))


async def _trade(folder: Path, patched: pytest.MonkeyPatch) -> Seen:
    demo = prepare(folder / "demo", written_ports=False)
    for name, value in demo.environment.items():
        patched.setenv(name, value)
    exchange_certificates(demo)
    seller = {"scheme": "assigned_by_buyer", "value": "V-1001"}
    order = scenario.order("4500012345", seller, name="ACME Tools", business_unit="north", today=wiring.now().date())
    async with collecting() as (url, got):
        for workspace in (demo.gateway, demo.station):
            file = workspace / "gateway.yaml"
            file.write_text(file.read_text() + f'\ntraces: {{endpoint: "{url}"}}\n')
        async with wiring.running(demo.gateway) as ours, wiring.running(demo.station), aiohttp.ClientSession() as http:
            async with http.get(ours.address + "/health/live", headers={"traceparent": CALLERS}) as answer:
                assert answer.status == 200
            submitted = await ours.activation.current.built.desk.submit(
                kind="purchase_order",
                partner=None,
                body=json.dumps(order).encode(),
                idempotency_key=None,
                order_id=None,
                correlation_id="c",
            )
            text = ""
            for _ in range(PATIENCE):
                async with http.get(ours.address + "/metrics") as answer:
                    text = (await answer.read()).decode()
                if "gateway_messages_sent_total 1.0" in text and 'gateway_lane_cap{lane="acme:outbound' in text:
                    break
                await asyncio.sleep(0.05)
            assert "gateway_messages_sent_total 1.0" in text
    return Seen(metrics=text, order=getattr(submitted, "transaction_id", ""), got=got)
