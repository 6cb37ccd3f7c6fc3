"""Facts about the HTTP connector, against a real server on loopback and the sandbox ERP's own process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.connectors.exchange import Answer
from gateway.connectors.http import ANSWER_LIMIT, HttpConnector
from gateway.connectors.json_answers import id_at
from gateway.connectors.mapped import Mapped
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.ports import Delivery
from gateway.ports.doing import TRACEPARENT
from gateway.settings import HttpTarget

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


def target(url: str, **changes: Any) -> HttpTarget:
    """A target with one call for acknowledgements; `call` and top-level settings can be changed."""
    call = {"path": "/api/order-acknowledgements", "id_at": "/id"} | changes.pop("call", {})
    return HttpTarget.model_validate({"base_url": url, "documents": {"order_acknowledgement": call}} | changes)


def connector(url: str, session: aiohttp.ClientSession, **changes: Any) -> HttpConnector:
    """The connector to that target."""
    body = changes.pop("body", None)
    return HttpConnector("north", target(url, **changes), Path(), session, body, clock=lambda: NOW)


async def failure(connector: HttpConnector, delivery: Delivery) -> DeliveryFailed:
    """How a delivery fails."""
    with pytest.raises(DeliveryFailed) as caught:
        await connector.deliver(delivery)
    return caught.value


async def test_the_call_carries_the_canonical_json_and_the_keys_of_the_delivery(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """Body, idempotency key, correlation id and trace context are all on the wire."""
    far_side.handler = lambda _: _answer(201, {"id": "SO-1"})
    delivered = await connector(far_side.url, session).deliver(delivery)
    headers = far_side.requests[0].headers
    assert (delivered.status, delivered.their_id) == (201, "SO-1")
    assert json.loads(far_side.bodies[0]) == delivery.body
    assert headers["Idempotency-Key"] == "0193-key"
    assert headers["X-Correlation-Id"] == delivery.correlation_id
    assert headers["X-Document-Id"] == "0193-d"
    assert headers["traceparent"].split("-")[1] == delivery.correlation_id.replace("-", "")
    assert headers["Content-Type"] == "application/json"


async def test_the_call_continues_the_span_of_the_step_that_makes_it(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """Where something is traced; else the trace context is made from the correlation id, as above."""
    span = f"00-{delivery.correlation_id.replace('-', '')}-00f067aa0ba902b7-01"
    before = TRACEPARENT.set(span)
    try:
        await connector(far_side.url, session).deliver(delivery)
    finally:
        TRACEPARENT.reset(before)
    assert far_side.requests[0].headers["traceparent"] == span


async def test_method_path_headers_and_mapped_body_come_from_configuration(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """Values in the path are percent-encoded: a slash in a number stays in its segment."""
    call = {"method": "PUT", "path": "/{partner}/orders/{order_number}/acks/{number}", "map": "erp/ack"}
    mapped = connector(
        f"{far_side.url}/v2/",
        session,
        call=call,
        headers={"X-Company": "01"},
        idempotency_header="X-Key",
        body=lambda sent: Mapped(body={"ack": sent.body["number"]}, map="erp/ack", map_hash="h", left_out=3),
    )
    delivered = await mapped.deliver(delivery)
    assert (delivered.map, delivered.map_hash, delivered.left_out) == ("erp/ack", "h", 3)
    request = far_side.requests[0]
    assert (request.method, request.raw_path) == ("PUT", "/v2/acme/orders/PO-7/acks/A%2F1%20%C3%A4")
    assert (request.headers["X-Company"], request.headers["X-Key"]) == ("01", "0193-key")
    assert json.loads(far_side.bodies[0]) == {"ack": "A/1 ä"}


@pytest.mark.parametrize(
    ("authentication", "header"),
    [
        ({"kind": "bearer", "token": {"env": "ERP_SECRET"}}, ("Authorization", "Bearer s3")),
        ({"kind": "basic", "username": "u", "password": {"env": "ERP_SECRET"}}, ("Authorization", "Basic dTpzMw==")),
        ({"kind": "header", "name": "X-Api-Key", "value": {"env": "ERP_SECRET"}}, ("X-Api-Key", "s3")),
    ],
)
async def test_each_kind_of_authentication(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery, authentication: Any, header: tuple[str, str]
) -> None:
    """Secrets come from outside the configuration."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ERP_SECRET", "s3")
        sent = connector(far_side.url, session, authentication=authentication)
    await sent.deliver(delivery)
    assert far_side.requests[0].headers[header[0]] == header[1]


async def _answer(status: int, body: object = None, **headers: str) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (301, Outcome.PERMANENT),
        (400, Outcome.PERMANENT),
        (401, Outcome.PERMANENT),
        (404, Outcome.PERMANENT),
        (408, Outcome.TRANSIENT),
        (409, Outcome.PERMANENT),
        (422, Outcome.PERMANENT),
        (425, Outcome.TRANSIENT),
        (429, Outcome.TRANSIENT),
        (500, Outcome.TRANSIENT),
        (501, Outcome.PERMANENT),
        (503, Outcome.TRANSIENT),
    ],
)
async def test_outcome_of_each_refusing_answer(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery, status: int, outcome: Outcome
) -> None:
    """The table of outcomes, row by row; what was answered is kept."""
    far_side.handler = lambda _: _answer(status, {"why": "no"}, Location="/elsewhere")
    failed = await failure(connector(far_side.url, session), delivery)
    assert (failed.outcome, failed.status, failed.answer) == (outcome, status, '{"why": "no"}')
    assert len(far_side.requests) == 1, "redirects are not followed"


async def test_configured_lists_change_the_table(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """409 can mean that it is there already; 500 can mean that a human must look."""
    far_side.handler = lambda _: _answer(409, {"id": 12})
    assert (await connector(far_side.url, session, accepted=(409,)).deliver(delivery)).their_id == "12"
    far_side.handler = lambda _: _answer(500)
    assert (await failure(connector(far_side.url, session, retried=(503,)), delivery)).outcome is Outcome.PERMANENT


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        ("Sat, 21 Nov 2026 01:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 00:59:00 GMT", 0.0),
        ("9" * 30, 86_400.0),
        ("soon", None),
        ("Sat, 21 Nov 99999999999999999999 01:00:30 GMT", None),
        ("Sat, 21 Nov 2026 01:00:30 +99999999999999999999", None),
        ("-5", None),
    ],
)
async def test_retry_after_in_seconds_and_as_a_date(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery, said: str, seconds: float | None
) -> None:
    """RFC 9110 10.2.3, bounded to one day; nonsense is ignored."""
    far_side.handler = lambda _: _answer(503, **{"Retry-After": said})
    assert (await failure(connector(far_side.url, session), delivery)).retry_after == seconds


async def test_nobody_listening_is_transient(session: aiohttp.ClientSession, delivery: Delivery) -> None:
    """Nothing was sent, so nothing can have taken place."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert (await failure(connector(url, session), delivery)).outcome is Outcome.TRANSIENT


async def test_an_unknown_host_name_is_transient(session: aiohttp.ClientSession, delivery: Delivery) -> None:
    """RFC 6761 6.4: the name .invalid never resolves."""
    failed = await failure(connector("http://erp.invalid", session), delivery)
    assert failed.outcome is Outcome.TRANSIENT
    assert "erp.invalid" in str(failed)


async def test_no_answer_in_time_is_uncertain(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """The request went out; whether it took effect nobody knows."""
    far_side.handler = lambda _: asyncio.sleep(5)
    failed = await failure(connector(far_side.url, session, timeout_seconds="0.2"), delivery)
    assert failed.outcome is Outcome.UNCERTAIN


async def test_a_connection_that_breaks_after_sending_is_uncertain(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """A reset without a status line says nothing about the effect."""

    async def abort(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    far_side.handler = abort
    assert (await failure(connector(far_side.url, session), delivery)).outcome is Outcome.UNCERTAIN


async def test_an_answer_that_is_not_http_is_uncertain(session: aiohttp.ClientSession, delivery: Delivery) -> None:
    """Something took the bytes and answered nonsense."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 smtp.example ready\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert (await failure(connector(url, session), delivery)).outcome is Outcome.UNCERTAIN


async def test_an_endless_answer_is_cut_and_still_delivered(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """The status line decides; no more than the limit is read, and there is no id in half a document."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(ANSWER_LIMIT // 65_536 * 4):
                await response.write(b'{"id": 1}' + b" " * 65_527)
        return response

    far_side.handler = endless
    delivered = await connector(far_side.url, session).deliver(delivery)
    assert (delivered.status, delivered.their_id) == (201, None)


async def test_only_two_kibibytes_of_a_refusal_are_kept(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """Enough for an operator, too little to fill the disk."""
    far_side.handler = lambda _: _answer(400, "x" * 10_000)
    assert len((await failure(connector(far_side.url, session), delivery)).answer) == 2048


@pytest.mark.parametrize(
    ("pointer", "body", "found"),
    [
        ("/id", b'{"id": "X"}', "X"),
        ("/data/0/id", b'{"data": [{"id": 7}]}', "7"),
        ("/a~1b/~0", b'{"a/b": {"~": "t"}}', "t"),
        ("", b'"whole"', "whole"),
        ("/id", b'{"id": null}', None),
        ("/id", b'{"id": true}', None),
        ("/id/x", b'{"id": "X"}', None),
        ("/data/9", b'{"data": []}', None),
        ("/id", b"<html>", None),
        ("/id", b"[" * 100_000, None),
        (None, b'{"id": "X"}', None),
        ("/id", b'{"id": "a\\u0000b\\ud800c\\u001b[2J"}', "a\ufffdb\ufffdc\ufffd[2J"),
        ("/id", b'{"id": "' + b"x" * 300 + b'"}', "x" * 255),
    ],
)
def test_where_their_id_stands(pointer: str | None, body: bytes, found: str | None) -> None:
    """RFC 6901 in the answer's JSON; an id that is not there is no failure, one that no database takes is cleaned."""
    answer = Answer(status=200, headers=CIMultiDictProxy(CIMultiDict()), body=body, complete=True)
    assert id_at(pointer, answer) == found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"call": {"path": "/x/{order}"}}, "names order"),
        ({"call": {"path": "/x/{"}}, "path"),
        ({"call": {"map": "erp/ack"}}, "no map was loaded"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "cannot be sent"),
        ({"authentication": {"kind": "bearer", "token": {"env": "NOT_SET_ANYWHERE"}}}, "NOT_SET_ANYWHERE"),
    ],
)
async def test_configuration_that_cannot_work_is_refused_at_the_start(
    session: aiohttp.ClientSession, changes: dict[str, Any], words: str
) -> None:
    """Before the first document, with the remedy."""
    with pytest.raises(OurFault, match=words) as caught:
        connector("http://127.0.0.1:1", session, **changes)
    assert caught.value.remedy


@pytest.mark.parametrize("number", ["", ".", ".."])
async def test_a_number_that_would_change_the_path_is_permanent(
    session: aiohttp.ClientSession, delivery: Delivery, number: str
) -> None:
    """RFC 3986 5.2.4: dot segments are never sent."""
    changed = Delivery(
        document_id="d",
        kind=delivery.kind,
        partner="acme",
        body={"number": number},
        idempotency_key="k",
        correlation_id="",
    )
    failed = await failure(connector("http://127.0.0.1:1", session, call={"path": "/x/{number}"}), changed)
    assert (failed.outcome, "needs number" in str(failed)) == (Outcome.PERMANENT, True)


async def test_a_kind_without_a_call_is_permanent(session: aiohttp.ClientSession, delivery: Delivery) -> None:
    """The answer says what to configure."""
    changed = Delivery(
        document_id="d", kind="ship_notice", partner="acme", body={}, idempotency_key="k", correlation_id=""
    )
    failed = await failure(connector("http://127.0.0.1:1", session), changed)
    assert (failed.outcome, "no call for ship_notice" in str(failed)) == (Outcome.PERMANENT, True)


async def test_the_order_number_of_a_ship_notice_is_its_first_order_node(
    far_side: Any, session: aiohttp.ClientSession
) -> None:
    """Contents are one tree; the first order in reading order names the path."""
    contents = [{"contents": [{"order": {"number": "PO-1"}}]}, {"order": {"number": "PO-2"}}]
    shipped = Delivery(
        document_id="d",
        kind="ship_notice",
        partner="acme",
        body={"number": "S", "contents": contents},
        idempotency_key="k",
        correlation_id="c",
    )
    calls = {"ship_notice": {"path": "/orders/{order_number}/notices"}}
    await connector(far_side.url, session, documents=calls).deliver(shipped)
    assert far_side.requests[0].path == "/orders/PO-1/notices"


async def test_an_effect_without_an_answer_is_uncertain_and_its_repeat_has_no_second_effect(
    sandbox: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """The sandbox commits and drops the connection; the same key then gets the first answer."""
    sent = connector(sandbox.url, session, headers={"Authorization": f"Bearer {sandbox.token}"})
    await _order(session, sandbox, {"drop_after_commit": {"times": 1}})
    assert (await failure(sent, delivery)).outcome is Outcome.UNCERTAIN
    assert (await sent.deliver(delivery)).their_id == "NORTH-000001"
    with contextlib.closing(sqlite3.connect(sandbox.database)) as seen:
        assert seen.execute("select number, repeats from document").fetchall() == [("A/1 ä", 1)]
        assert seen.execute("select status, what from call where method = 'POST' order by id").fetchall() == [
            (None, "dropped"),
            (201, "repeat"),
        ]


async def test_an_erp_that_answers_503_twice_takes_it_the_third_time(
    sandbox: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """Failing on demand, with the time to wait."""
    sent = connector(sandbox.url, session, headers={"Authorization": f"Bearer {sandbox.token}"})
    await _order(session, sandbox, {"fail": {"status": 503, "times": 2, "retry_after": 3}})
    for _ in range(2):
        failed = await failure(sent, delivery)
        assert (failed.outcome, failed.retry_after) == (Outcome.TRANSIENT, 3.0)
    assert (await sent.deliver(delivery)).status == 201


async def _order(session: aiohttp.ClientSession, sandbox: Any, misbehaviour: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with session.post(f"{sandbox.url}/control", json=misbehaviour, headers=headers) as answer:
        assert answer.status == 200


async def test_what_a_refusal_says_stands_in_the_reason_that_the_operator_reads(
    far_side: Any, session: aiohttp.ClientSession, delivery: Delivery
) -> None:
    """Its beginning, cleaned; what is tried again is told by its status."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=422, text='{"error": "unit CT \x00is not known"}' + "x" * 5000)

    far_side.handler = refuse
    failed = await failure(connector(far_side.url, session), delivery)
    assert str(failed).startswith('target north answered 422: {"error": "unit CT \ufffdis not known"}x')
    assert len(str(failed)) < 1100
    far_side.handler = lambda _: _answer(503, {"error": "busy"})
    assert str(await failure(connector(far_side.url, session), delivery)) == "target north answered 503"
