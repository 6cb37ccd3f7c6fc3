"""Facts about every answer: its shape, its headers, its line in the log; and lists, health, metrics."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.errors import OurFault
from gateway.events import DocumentDelivered, MessageReceived, WorkGivenUp
from gateway.settings import Listen, Settings
from gateway.web import Services, application, serve
from gateway.web.border import SECURITY

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/purchase-orders/b1/acknowledgements", 405),
        ("DELETE", "/health/live", 405),
        ("GET", "/v1/purchase-orders", 200),
        ("GET", "/v1/purchase-orders/zz", 404),
        ("GET", "/health/live", 200),
        ("GET", "/openapi.json", 200),
    ],
)
async def test_every_answer_has_the_security_headers_and_every_refusal_one_shape(
    caller: Any, method: str, path: str, status: int
) -> None:
    """404 and 405 of the server itself included."""
    answer = await caller(method, path)
    assert answer.status == status
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert answer.headers["X-Correlation-Id"]
    if status >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["status"] == status
    if status == 405:
        assert answer.headers["Allow"]


async def test_correlation_and_trace_context_come_back(caller: Any) -> None:
    """Given, they are kept; the trace id serves where no correlation id was sent; nonsense is replaced."""
    given = await caller("GET", "/health/live", headers={"X-Correlation-Id": "a:b-1", "traceparent": TRACE})
    assert (given.headers["X-Correlation-Id"], given.headers["traceparent"]) == ("a:b-1", TRACE)
    traced = await caller("GET", "/health/live", headers={"traceparent": TRACE})
    assert traced.headers["X-Correlation-Id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    for bad in ({"X-Correlation-Id": "a b"}, {"traceparent": TRACE.upper()}, {"traceparent": "00-" + "0" * 32}):
        made = await caller("GET", "/health/live", headers=bad)
        assert len(made.headers["X-Correlation-Id"]) == 36
        assert "traceparent" not in made.headers


async def test_one_structured_line_without_secrets_or_query(caller: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Who, what, how long; a line break in the address cannot forge a second line."""
    with caplog.at_level(logging.INFO, "gateway.access"):
        await caller("GET", "/v1/purchase-orders?number=PRIVATE")
        await caller("GET", "/x%0Aforged")
    lines = [record.getMessage() for record in caplog.records if record.name == "gateway.access"]
    first, second = (json.loads(line) for line in lines)
    assert (first["partner"], first["key"], first["status"]) == ("baltic", "baltic", 200)
    assert (first["path"], first["client"], second["status"]) == ("/v1/purchase-orders", "127.0.0.1", 404)
    assert not any("PRIVATE" in line or "s" * 32 in line or "\n" in line for line in lines)


async def test_forwarding_headers_of_strangers_are_not_believed(caller: Any, caplog: pytest.LogCaptureFixture) -> None:
    """No trusted proxies are configured: the peer is the client."""
    with caplog.at_level(logging.INFO, "gateway.access"):
        answer = await caller(
            "GET", "/health/live", headers={"X-Forwarded-For": "10.9.9.9", "X-Forwarded-Proto": "https"}
        )
    assert json.loads(caplog.messages[0])["client"] == "127.0.0.1"
    assert "Strict-Transport-Security" not in answer.headers


class TestBehindAProxy:
    """The same, with loopback as a trusted proxy."""

    @pytest.fixture
    def settings(self) -> Settings:
        """Loopback and one more network are ours."""
        identity = {"name": "Us", "as2_id": "US", "x12": {"qualifier": "ZZ", "id": "US"}}
        listen = {"port": 0, "trusted_proxies": ["127.0.0.1", "10.0.0.0/8"]}
        return Settings.model_validate({"identity": identity, "listen": listen})

    @pytest.mark.parametrize(
        ("said", "found"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("6.6.6.6, 203.0.113.7", "203.0.113.7"),
            ("6.6.6.6, 203.0.113.7, 10.1.1.1", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("<script>", "127.0.0.1"),
        ],
    )
    async def test_the_nearest_address_that_is_not_ours_is_the_client(
        self, caller: Any, caplog: pytest.LogCaptureFixture, said: str, found: str
    ) -> None:
        """What stands left of it, the client may have written itself."""
        with caplog.at_level(logging.INFO, "gateway.access"):
            answer = await caller(
                "GET", "/health/live", headers={"X-Forwarded-For": said, "X-Forwarded-Proto": "https"}
            )
        assert json.loads(caplog.messages[0])["client"] == found
        assert answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ("status=new", ["invalid"]),
        ("limit=0&cursor=", ["invalid", "invalid"]),
        ("limit=201", ["invalid"]),
        ("limit=1&limit=2", ["repeated"]),
        ("updated_after=yesterday", ["invalid"]),
        ("updated_after=2026-11-21T01:00:00", ["invalid"]),
        ("colour=red&status=x", ["unknown", "invalid"]),
        ("number=1&limit=5", ["alone"]),
    ],
)
async def test_wrong_parameters_are_told_at_once(caller: Any, query: str, rules: list[str]) -> None:
    """An unknown parameter would silently list too much."""
    answer = await caller("GET", f"/v1/purchase-orders?{query}")
    assert answer.status == 400
    assert [error["rule"].removeprefix("api.parameter.") for error in answer.json["errors"]] == rules


async def test_pages_follow_the_cursor_to_the_end(caller: Any, world: Any) -> None:
    """Every order once; the parameters reach the query port typed."""
    first = world.held["b1"]
    world.held = {f"b{number}": replace(first, id=f"b{number}") for number in range(5)}
    seen, address = [], "/v1/purchase-orders?status=available&limit=2&updated_after=2026-11-01T00:00:00%2B01:00"
    following = ""
    while True:
        page = (await caller("GET", address + following)).json
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        following = f"&cursor={page['next_cursor']}"
    assert seen == [f"b{number}" for number in range(5)]
    assert world.asked[0]["state"].value == "available"
    assert world.asked[0]["updated_after"].isoformat() == "2026-11-01T00:00:00+01:00"
    plus = await caller("GET", "/v1/purchase-orders?updated_after=2026-11-01T00:00:00+01:00")
    assert plus.status == 200, "a plus sign that nobody escaped is understood"


async def test_a_cursor_that_is_not_ours_is_400(caller: Any) -> None:
    """The store's words, in the shape of every refusal."""
    answer = await caller("GET", "/v1/purchase-orders?cursor=forged")
    assert (answer.status, answer.json["title"]) == (400, "The cursor is not one that this gateway gave out")


async def test_ready_names_the_failing_checks(caller: Any, world: Any) -> None:
    """503 takes the node out of the balancer."""
    assert (await caller("GET", "/health/ready", None)).json == {"status": "ok", "checks": {"database": "ok"}}
    world.checks = {"database": "ok", "disk": "full"}
    answer = await caller("GET", "/health/ready", None)
    assert (answer.status, answer.json) == (503, {"status": "failing", "checks": {"disk": "full"}})


async def test_metrics_are_for_this_machine_and_for_the_erps_keys(caller: Any) -> None:
    """A request that came through anybody's proxy needs a key; a supplier's finds nothing."""
    assert (await caller("GET", "/metrics", None)).status == 200
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    for key, status in ((None, 401), ("baltic", 404), ("erp", 200)):
        assert (await caller("GET", "/metrics", key, headers=forwarded)).status == status


async def test_metrics_need_a_key_where_the_gateway_listens_to_more_than_this_machine(
    services: Services, world: Any
) -> None:
    """Behind a proxy that forwards TCP alone everybody looks like this machine."""
    listen = services.settings.listen.model_copy(update={"host": "0.0.0.0"})  # noqa: S104  the case itself
    settings = services.settings.model_copy(update={"listen": listen})
    server = await serve(application(replace(services, settings=settings)), listen, Path())
    url = f"http://127.0.0.1:{server.port}/metrics"
    async with aiohttp.ClientSession() as session:
        for headers, status in (({}, 401), ({"Authorization": f"Bearer gw_erp_{'s' * 32}"}, 200)):
            async with session.get(url, headers=headers) as answer:
                assert answer.status == status
    await server.close()


async def test_metrics_count_requests_and_events(caller: Any, world: Any) -> None:
    """Routes as templates, so that ids never become labels."""
    await caller("GET", "/v1/purchase-orders/b1")
    await caller("GET", "/anything/at/all")
    world.metrics.record(MessageReceived(message_id="m", channel="as2", sha256="", size=1))
    world.metrics.record(DocumentDelivered(message_id="m", document_id="d", target="north", idempotency_key="k"))
    world.metrics.record(WorkGivenUp(message_id="m", step="deliver", attempts=3, reason="no"))
    text = (await caller("GET", "/metrics", None)).body.decode()
    for line in (
        'gateway_http_requests_total{method="GET",route="/v1/purchase-orders/{id}",status="200"} 1.0',
        'gateway_http_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'gateway_messages_received_total{channel="as2"} 1.0',
        'gateway_documents_delivered_total{target="north"} 1.0',
        'gateway_work_given_up_total{step="deliver"} 1.0',
    ):
        assert line in text.splitlines()


async def test_a_port_that_is_taken_and_tls_files_that_are_missing_are_our_fault(caller: Any) -> None:
    """With a remedy, not a traceback."""
    with pytest.raises(OurFault, match="cannot listen") as caught:
        await serve(web.Application(), Listen(port=int(caller.url.rpartition(":")[2])), Path())
    assert caught.value.remedy
    tls = Listen.model_validate({"port": 0, "tls": {"certificate": "no.pem", "key": "no.key"}})
    with pytest.raises(OurFault, match=r"no\.pem"):
        await serve(web.Application(), tls, Path())


def _tls(folder: Path) -> Listen:
    """Certificate files, and the settings that name them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(days=36_500))
    pem = built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    (folder / "tls.pem").write_bytes(pem)
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Listen.model_validate({"port": 0, "tls": {"certificate": "tls.pem", "key": "tls.key"}})


async def test_https_by_certificate_files(services: Services, tmp_path: Path) -> None:
    """Relative to the workspace; over TLS browsers are told to stay there."""
    server = await serve(application(services), _tls(tmp_path), tmp_path)
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/health/live", ssl=False) as answer:
        assert (answer.status, server.url.partition(":")[0]) == (200, "https")
        assert answer.headers["Strict-Transport-Security"]
    await server.close()


async def test_a_tls_handshake_that_never_begins_is_cut_off(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a connection is counted nowhere yet, so it must not stand for long."""
    monkeypatch.setattr("gateway.web.server.HANDSHAKE_SECONDS", 0.2)
    server = await serve(application(services), _tls(tmp_path), tmp_path)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    await server.close()


async def test_further_routes_stand_behind_the_same_border(services: Services) -> None:
    """The AS2 address: its own body and headers, our security headers, and no traceback when it fails."""

    async def receipt(request: web.Request) -> web.Response:
        if not await request.read():
            raise RuntimeError("inside")
        return web.Response(text="mdn", headers={"AS2-Version": "1.2"})

    made = application(replace(services, routes=(web.post("/as2", receipt),)))
    server = await serve(made, Listen(port=0), Path())
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{server.url}/as2", data=b"x") as answer:
            assert (await answer.text(), answer.headers["AS2-Version"]) == ("mdn", "1.2")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with session.post(f"{server.url}/as2") as answer:
            assert (answer.status, "inside" in await answer.text()) == (500, False)
    await server.close()


async def test_what_is_not_http_gets_a_plain_400(caller: Any) -> None:
    """Refused before any of our code runs; no traceback there either."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(caller.url.rpartition(":")[2]))
    writer.write(b"\x16\x03\x01 hello\r\n\r\n")
    answer = await reader.read(4096)
    assert answer.startswith(b"HTTP/1.0 400")
    assert b"Traceback" not in answer
    writer.close()
    await writer.wait_closed()


async def test_readiness_does_not_wait_for_ever(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that hangs is a check that fails."""

    async def hangs() -> dict[str, str]:
        await asyncio.sleep(60)
        return {}

    monkeypatch.setattr("gateway.web.health.READY_SECONDS", 0.05)
    server = await serve(application(replace(services, ready=hangs)), Listen(port=0), Path())
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/health/ready") as answer:
        assert (answer.status, (await answer.json())["status"]) == (503, "failing")
    await server.close()
