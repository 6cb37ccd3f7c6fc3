"""Facts about traces: one trace a message, whoever works it; parents, links and calls out."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway import observation
from gateway.connectors.otlp import OtlpTracing, trace_id_of
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.ports import Channel, Direction, Job, MessageState, NewMessage, new_id
from gateway.ports.doing import TRACEPARENT
from gateway.settings import Traces

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
CALLERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Traced:
    """A tracing whose spans are kept."""

    def __init__(self, node: str = "n1", share: float = 1.0) -> None:
        self.kept = InMemorySpanExporter()
        self.tracing = OtlpTracing(node=node, version="1", share=share, processor=SimpleSpanProcessor(self.kept))

    def spans(self) -> dict[str, ReadableSpan]:
        """By name; the last of each."""
        return {one.name: one for one in self.kept.get_finished_spans()}


@pytest.fixture
def traced() -> Iterator[Traced]:
    """Everything is traced."""
    made = Traced()
    yield made
    made.tracing.close()


def _message(id_: str, *, direction: Direction = Direction.INBOUND) -> NewMessage:
    return NewMessage(
        id=id_, partner="acme", direction=direction, channel=Channel.AS2, state=MessageState.RECEIVED, at=AT,
        payload=b"SECRET PAYLOAD",
    )  # fmt: skip


def _job(message_id: str, step: str = "deliver", attempt: int = 1, **fields: Any) -> Job:
    given: dict[str, Any] = {
        "id": 7, "message_id": message_id, "document_id": "d1", "step": step, "lane": "acme:inbound:erp",
        "attempt": attempt, "owner": "n1", "wait_key": None, "data": {}, "first_run_at": AT,
    }  # fmt: skip
    return Job(**given | fields)


def test_a_messages_trace_has_its_id_and_every_step_stands_below_its_root_on_any_node() -> None:
    """Two nodes that share nothing but the message's id."""
    message = new_id(AT)
    one, other = Traced("n1"), Traced("n2")
    with one.tracing.request(method="POST", traceparent=None) as ended:
        one.tracing.accepted([_message(message)])
        ended("/as2", 200)
    with other.tracing.job(_job(message, "read")):
        pass
    root, step = one.spans()["message inbound"], other.spans()["read"]
    assert root.context.trace_id == step.context.trace_id == trace_id_of(message) == int(message.replace("-", ""), 16)
    assert root.parent is None
    assert step.parent is not None
    assert step.parent.span_id == root.context.span_id
    assert step.resource.attributes["service.instance.id"] == "n2"


def test_a_request_continues_its_callers_trace_and_the_message_it_brought_links_to_it(traced: Traced) -> None:
    """From the sender's span to ours, from the message to the request, and back by the message's id."""
    message = new_id(AT)
    with traced.tracing.request(method="POST", traceparent=CALLERS) as ended:
        traced.tracing.accepted([_message(message)])
        ended("/as2", 200)
    request, root = traced.spans()["POST /as2"], traced.spans()["message inbound"]
    assert f"{request.context.trace_id:032x}" == CALLERS.split("-")[1]
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLERS.split("-")[2]
    assert [link.context.span_id for link in root.links] == [request.context.span_id]
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST", "http.route": "/as2", "http.response.status_code": 200,
        "gateway.message": message,
    }  # fmt: skip


async def test_what_a_step_makes_links_to_the_step_and_a_second_attempt_to_the_first(traced: Traced) -> None:
    """Fan-out and retries, with ids that nobody stored."""
    message, answer = new_id(AT), new_id(AT)

    def call(attempt: int) -> None:
        if attempt == 1:
            raise DeliveryFailed("target erp answered 503", outcome=Outcome.TRANSIENT, answer="SECRET ANSWER")

    async def works(attempt: int) -> None:
        try:
            with traced.tracing.job(_job(message, attempt=attempt)):
                call(attempt)
        except DeliveryFailed:
            return
        traced.tracing.accepted([_message(answer, direction=Direction.OUTBOUND)])  # its commit comes after its work

    for attempt in (1, 2):
        await asyncio.create_task(works(attempt))
    first, second = (one for one in traced.kept.get_finished_spans() if one.name == "deliver")
    assert [link.context.span_id for link in second.links] == [first.context.span_id]
    assert not first.status.is_ok
    assert first.status.description == "target erp answered 503"
    root = traced.spans()["message outbound"]
    assert [link.context.span_id for link in root.links] == [second.context.span_id]
    told = "".join(one.to_json() for one in traced.kept.get_finished_spans())
    assert "SECRET" not in told


async def test_a_call_out_continues_the_span_of_its_step(traced: Traced) -> None:
    """The traceparent that the ERP gets is the step's own span, in the message's trace."""
    message = new_id(AT)
    with traced.tracing.job(_job(message)):
        said = TRACEPARENT.get()
    step = traced.spans()["deliver"]
    assert said == f"00-{step.context.trace_id:032x}-{step.context.span_id:016x}-01"


def test_a_share_is_the_same_messages_everywhere_and_close_to_what_was_asked() -> None:
    """Though the ids of messages begin with the time, and a stranger's flag adds nothing."""
    some = Traced(share=0.25)
    ids = [new_id(AT) for _ in range(2000)]
    for one in ids:
        some.tracing.accepted([_message(one)])
    taken = {one.context.trace_id for one in some.kept.get_finished_spans()}
    assert 380 < len(taken) < 620
    some.kept.clear()
    for one in ids[:200]:
        with some.tracing.job(_job(one, "read")):
            pass
    again = {one.context.trace_id for one in some.kept.get_finished_spans()}
    assert again == {trace_id_of(one) for one in ids[:200]} & taken
    none = Traced(share=0.0)
    with none.tracing.request(method="POST", traceparent=CALLERS):
        pass
    assert not none.kept.get_finished_spans()


def test_a_caller_who_does_not_sample_is_not_sampled(traced: Traced) -> None:
    """Its flag says so."""
    with traced.tracing.request(method="GET", traceparent=CALLERS[:-2] + "00"):
        pass
    assert not traced.kept.get_finished_spans()


def test_an_unexpected_exception_is_told_by_its_kind_alone(traced: Traced) -> None:
    """Its words may hold a payload."""
    with pytest.raises(ValueError, match="SECRET"), traced.tracing.job(_job(new_id(AT))):
        raise ValueError("SECRET")
    assert traced.spans()["deliver"].status.description == "ValueError"
    assert "SECRET" not in traced.spans()["deliver"].to_json()


async def test_spans_arrive_at_a_collector_by_otlp_over_http(collecting: Any) -> None:
    """As protobuf, read by OpenTelemetry's own classes; closing hands on what is left."""
    async with collecting() as (url, got):
        tracing = OtlpTracing(node="n1", version="1", endpoint=url)
        message = new_id(AT)
        with tracing.job(_job(message, "read")):
            pass
        await asyncio.to_thread(tracing.close)
    (resource,) = got[0].resource_spans
    (scope,) = resource.scope_spans
    (span,) = scope.spans
    assert span.name == "read"
    assert span.trace_id.hex() == message.replace("-", "")
    assert {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"] == (
        "partner-gateway"
    )


def test_a_trade_of_two_running_gateways_is_seen_as_a_trace_of_each_message(seen: Any) -> None:
    """From the submission to the station and on: each step below its message, all of one trace; no payload in it."""
    spans = [
        span
        for request in seen.got
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert {"message outbound", "compose", "send", "message inbound", "read", "POST /as2"} <= {
        one.name for one in spans
    }
    by_id = {one.span_id: one for one in spans}
    ours = [one for one in spans if one.trace_id.hex() == seen.order.replace("-", "")]
    ours.sort(key=lambda one: one.start_time_unix_nano)  # they come as they end, and the second may end first
    assert [one.name for one in ours] == ["message inbound", "compose"]
    submitted, composed = ours
    assert composed.parent_span_id == submitted.span_id
    (written,) = [one for one in spans if composed.span_id in {link.span_id for link in one.links}]
    assert written.name == "message outbound"
    assert {one.name for one in spans if one.parent_span_id == written.span_id} == {"send"}
    caller = [one for one in spans if one.trace_id.hex() == CALLERS.split("-")[1]]
    assert [one.name for one in caller] == ["GET /health/live"]
    received = [one for one in spans if one.name == "message inbound" and one.links]
    brought = [by_id[one.links[0].span_id].name for one in received if one.links[0].span_id in by_id]
    assert set(brought) == {"POST /as2"}  # the last request may not have ended when the gateways did
    steps = {by_id[one.parent_span_id].name: one.name for one in spans if one.name in {"read", "deliver"}}
    assert set(steps) == {"message inbound"}
    assert not any(b"ISA*" in one.SerializeToString() for one in spans)


async def test_a_collector_that_is_not_there_stops_nothing() -> None:
    """What cannot be handed on is dropped, and the end is not waited for."""
    tracing = OtlpTracing(node="n1", version="1", endpoint="http://127.0.0.1:9/v1/traces")
    with tracing.job(_job(new_id(AT), "read")):
        pass
    await asyncio.wait_for(asyncio.to_thread(tracing.close), 15)


def test_without_the_extra_traces_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says what to install."""
    monkeypatch.delitem(sys.modules, "gateway.connectors.otlp")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    settings = Traces.model_validate({"endpoint": "http://127.0.0.1:4318/v1/traces"})
    with pytest.raises(OurFault) as refused:
        observation._tracing(settings, SimpleNamespace(id="n1", gateway="1"))  # type: ignore[arg-type]
    assert "partner-gateway[traces]" in refused.value.remedy


def test_where_nothing_is_configured_nothing_is_loaded() -> None:
    """The extra costs nothing, installed or not."""
    program = (
        "import sys; import gateway.wiring; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0
