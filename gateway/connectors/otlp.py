"""Traces by OpenTelemetry, handed on by OTLP over HTTP: an extra (`pip install partner-gateway[traces]`).

The law: **nothing is stored, because every id follows from what is stored.** A message's trace has the message's id;
its root span and the span of each attempt of a job have ids that are hashes of what they are of. So any node, and a
retry days later, finds its parent and what to link to. A request's span stands in the caller's trace, or one of its
own; the message that it brought links to it. Exporting is a thread with a bounded queue: what is too much is dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from gateway.connectors.said import clean
from gateway.errors import DeliveryFailed, OurFault, PartnerFault
from gateway.ports import Job, NewMessage
from gateway.ports.doing import TRACEPARENT
from gateway.ports.tracing import Ended

try:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, ParentBased, Sampler, SamplingResult
    from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
except ImportError as error:
    raise OurFault(
        "traces: is configured, but what it needs is not installed",
        remedy="pip install 'partner-gateway[traces]', or remove traces: from gateway.yaml",
    ) from error

if TYPE_CHECKING:
    from opentelemetry.context import Context

TO_OTHERS = frozenset({"deliver", "undo", "send", "receipt", "notify"})
"""Steps that call somebody."""
LONGEST = 200
"""Characters of a reason."""
_MOST = SpanLimits(max_span_attributes=32, max_links=8, max_events=8, max_span_attribute_length=256)
_TRACE_DIGITS = 32

_next_ids: ContextVar[tuple[int, int] | None] = ContextVar("next_ids", default=None)
_here: ContextVar[trace.Span | None] = ContextVar("span", default=None)
"""The span of the request or step that this task works on; it may have ended."""


class _Ids(IdGenerator):
    """The ids that were chosen for the next span, else by chance."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        chosen = _next_ids.get()
        return self._random.generate_trace_id() if chosen is None else chosen[0]

    def generate_span_id(self) -> int:
        chosen = _next_ids.get()
        return self._random.generate_span_id() if chosen is None else chosen[1]


class _Share(Sampler):
    """A share of all traces, by a hash of their ids: those of messages begin with the time, so their bits do not do."""

    def __init__(self, share: float) -> None:
        self._below = int(share * 2**64)

    def takes(self, trace_id: int) -> bool:
        """Whether this trace is kept: the same answer on every node."""
        return int.from_bytes(hashlib.sha256(trace_id.to_bytes(16)).digest()[:8]) < self._below

    def should_sample(  # noqa: PLR0917  OpenTelemetry's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        trace_state: Any = None,
    ) -> SamplingResult:
        """By the trace alone. A stranger's flag adds nothing: what strangers ask for may not cost more."""
        del parent_context, name, kind, links
        decision = Decision.RECORD_AND_SAMPLE if self.takes(trace_id) else Decision.DROP
        return SamplingResult(decision, attributes if self.takes(trace_id) else None, trace_state)

    def get_description(self) -> str:
        """For a debugger."""
        return "share of traces by hash"


class OtlpTracing:
    """Keeps `ports.Tracing`. `exporter` is another one for tests; each span is then handed to it at once."""

    def __init__(
        self,
        *,
        node: str,
        version: str,
        share: float = 1.0,
        endpoint: str | None = None,
        processor: SpanProcessor | None = None,
    ) -> None:
        self._share = _Share(share)
        resource = {"service.name": "partner-gateway", "service.version": version, "service.instance.id": node}
        sampler = ParentBased(self._share, remote_parent_sampled=self._share, remote_parent_not_sampled=ALWAYS_OFF)
        self._provider = TracerProvider(
            sampler=sampler, resource=Resource.create(resource), id_generator=_Ids(), span_limits=_MOST,
            shutdown_on_exit=False,
        )  # fmt: skip
        self._provider.add_span_processor(processor or BatchSpanProcessor(_exporter(endpoint)))
        self._tracer = self._provider.get_tracer("gateway", version)

    @contextmanager
    def request(self, *, method: str, traceparent: str | None) -> Iterator[Ended]:
        """A server's span, in the caller's trace where it has one."""
        context = trace.set_span_in_context(trace.INVALID_SPAN)
        if traceparent is not None:
            context = trace.set_span_in_context(NonRecordingSpan(_parsed(traceparent)), context)
        with self._span(method, context=context, kind=SpanKind.SERVER) as span:
            span.set_attribute("http.request.method", method)

            def ended(route: str, status: int) -> None:
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": status})
                if status >= 500:  # noqa: PLR2004  the class 5xx is our fault
                    span.set_status(Status(StatusCode.ERROR))

            yield ended

    @contextmanager
    def job(self, job: Job) -> Iterator[None]:
        """A step's span below its message's, linked to the attempt before it."""
        parent = NonRecordingSpan(self._root(job.message_id))
        links = [Link(self._attempt(job, job.attempt - 1), {"why": "tried again"})] if job.attempt > 1 else []
        attributes: dict[str, str | int] = {
            "gateway.message": job.message_id, "gateway.lane": job.lane, "gateway.step": job.step,
            "gateway.attempt": job.attempt,
        }  # fmt: skip
        if job.document_id:
            attributes["gateway.document"] = job.document_id
        if job.message is not None and job.message.partner:
            attributes["gateway.partner"] = job.message.partner
        own = self._attempt(job, job.attempt)
        with self._span(
            job.step,
            context=trace.set_span_in_context(parent),
            kind=SpanKind.CLIENT if job.step in TO_OTHERS else SpanKind.INTERNAL,
            ids=(own.trace_id, own.span_id),
            links=links,
            attributes=attributes,
            stays=True,  # the task is this job's own: what it commits is told after its work
        ):
            yield

    def accepted(self, messages: Iterable[NewMessage]) -> None:
        """The root span of each, linked to the request that brought it, or the step that made it."""
        for new in messages:
            root, here = self._root(new.id), _here.get()
            links = [Link(here.get_span_context(), {"why": "made by"})] if here is not None else []
            if here is not None and here.is_recording():
                here.set_attribute("gateway.message", new.id)
            attributes = {
                "gateway.message": new.id, "gateway.direction": new.direction.value,
                "gateway.channel": new.channel.value, "gateway.partner": new.partner or "",
            }  # fmt: skip
            _next_ids.set((root.trace_id, root.span_id))
            try:
                span = self._tracer.start_span(
                    f"message {new.direction.value}",
                    context=trace.set_span_in_context(trace.INVALID_SPAN),
                    kind=SpanKind.CONSUMER if here is not None else SpanKind.INTERNAL,
                    links=links,
                    attributes=attributes,
                    start_time=int(new.at.timestamp() * 1_000_000) * 1000,
                )
            finally:
                _next_ids.set(None)
            span.end()

    def close(self) -> None:
        """Hand on what is left: a few seconds at most."""
        self._provider.shutdown()

    @contextmanager
    def _span(
        self,
        name: str,
        *,
        context: Context,
        kind: SpanKind,
        ids: tuple[int, int] | None = None,
        links: Sequence[Link] = (),
        attributes: dict[str, str | int] | None = None,
        stays: bool = False,
    ) -> Iterator[trace.Span]:
        _next_ids.set(ids)
        span = self._tracer.start_span(name, context=context, kind=kind, links=links, attributes=attributes)
        _next_ids.set(None)
        before = _here.set(span), TRACEPARENT.set(_written(span.get_span_context()))
        try:
            yield span
        except BaseException as fault:
            span.set_status(Status(StatusCode.ERROR, _reason(fault)))
            raise
        finally:
            span.end()
            if not stays:
                _here.reset(before[0])
                TRACEPARENT.reset(before[1])

    def _root(self, message_id: str) -> SpanContext:
        return self._context(message_id, message_id)

    def _attempt(self, job: Job, attempt: int) -> SpanContext:
        subject = f"{job.message_id}/{job.step}/{job.document_id or ''}/{job.part}/{attempt}"
        return self._context(job.message_id, subject)

    def _context(self, message_id: str, subject: str) -> SpanContext:
        trace_id = trace_id_of(message_id)
        flags = TraceFlags.SAMPLED if self._share.takes(trace_id) else TraceFlags.DEFAULT
        span_id = int.from_bytes(hashlib.sha256(subject.encode()).digest()[:8]) or 1
        return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))


def trace_id_of(message_id: str) -> int:
    """The message's own 32 hexadecimal digits, or those made from another id: as calls to ERPs have always had it."""
    plain = message_id.replace("-", "").lower()
    try:
        found = int(plain, 16) if len(plain) == _TRACE_DIGITS else 0
    except ValueError:
        found = 0
    return found or int(hashlib.sha256(message_id.encode()).hexdigest()[:_TRACE_DIGITS], 16)


def _exporter(endpoint: str | None) -> SpanExporter:
    """Headers and certificates of the collector: OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_HEADERS, …)."""
    return OTLPSpanExporter(endpoint=endpoint, timeout=5)


def _parsed(traceparent: str) -> SpanContext:
    """Valid by `circumstances`: version, trace, span, flags."""
    _, trace_id, span_id, flags = traceparent.split("-")[:4]
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16) & 1))


def _written(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"


def _reason(fault: BaseException) -> str:
    """Our own words are said; those of an unexpected exception may hold anything, so its kind is."""
    if isinstance(fault, OurFault | PartnerFault | DeliveryFailed):
        return clean(str(fault), LONGEST)
    return type(fault).__name__
