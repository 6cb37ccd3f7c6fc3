"""Figures for Prometheus, in a registry of their own for each application: what happened goes in, text comes out.

A scrape reads memory only: what stands in the database is counted now and then (`worked`), whoever asks how often.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gateway.events import Event
from gateway.partners.inventory import Held
from gateway.ports import Job
from gateway.ports.figures import BREAKERS, LaneFigures, WorkFigures
from gateway.web.figures import COUNTED, FIGURES, OTHERS

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""Media type of `Metrics.text`."""

# When each series began: as many series again, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]
_STATES = ("due", "later", "running", "dead")


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for name, one in FIGURES.items():
            match one.kind:
                case "counter":
                    self._counters[name] = Counter(name, one.text, one.labels, registry=self.registry)
                case "gauge":
                    self._gauges[name] = Gauge(name, one.text, one.labels, registry=self.registry)
                case "histogram":
                    self._histograms[name] = Histogram(
                        name, one.text, one.labels, buckets=one.buckets, registry=self.registry
                    )
        self._commit_seconds = self._histograms["gateway_commit_seconds"]
        self._commit_operations = self._histograms["gateway_commit_operations"]

    def built(self, *, version: str, schema: str) -> None:
        """What runs."""
        self._gauges["gateway_build"].labels(version, schema).set(1)

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered; `route` is the template, never the path as it came."""
        self._counters["gateway_http_requests"].labels(method, route, str(status)).inc()
        self._histograms["gateway_http_request_seconds"].labels(method, route).observe(seconds)

    def record(self, event: Event) -> None:
        """Count an event, once it is durable. Kinds outside `COUNTED` are nobody's figure."""
        found = COUNTED.get(event.kind)
        if found is None:
            return
        name, _, labels = found
        counter = self._counters[f"gateway_{name}"]
        (counter.labels(*(str(getattr(event, label)) for label in labels)) if labels else counter).inc()

    def attempted(self, job: Job, outcome: str) -> None:
        """An attempt of a job ended."""
        self._counters["gateway_attempts"].labels(job.step, job.lane.rpartition(":")[2], outcome).inc()

    def stepped(self, step: str, seconds: float) -> None:
        """The work of a step was done, or failed."""
        self._histograms["gateway_step_seconds"].labels(step).observe(seconds)

    def committed(self, operations: int, seconds: float) -> None:
        """A group commit is durable. Any thread may say so."""
        self._commit_seconds.observe(seconds)
        self._commit_operations.observe(operations)

    def claimed(self, seconds: float) -> None:
        """Work was asked for."""
        self._histograms["gateway_claim_seconds"].observe(seconds)

    def worked(self, found: WorkFigures, *, seconds: float) -> None:
        """The work in the database, which took `seconds` to count. What is not named has none."""
        self._each("gateway_jobs", {(state,): getattr(found.all, state) for state in _STATES})
        self._gauges["gateway_oldest_due_seconds"].set(_age(found.all.oldest, found.at))
        self._each("gateway_lanes", {(state,): count for state, count in found.breakers.items()})
        lanes: dict[str, LaneFigures] = {**found.lanes, OTHERS: found.others}
        self._each(
            "gateway_lane_jobs",
            {(name, state): getattr(one, state) for name, one in lanes.items() for state in _STATES},
        )
        oldest = {(name,): _age(one.oldest, found.at) for name, one in lanes.items()}
        self._each("gateway_lane_oldest_due_seconds", oldest)
        self._each("gateway_lane_cap", {(name,): one.cap for name, one in lanes.items() if one.cap is not None})
        self._each("gateway_lane_breaker", {(name,): BREAKERS[one.breaker] for name, one in lanes.items()})
        self._each("gateway_lane_paused", {(name,): one.stopped for name, one in lanes.items()})
        self._gauges["gateway_uncertain_deliveries"].set(found.uncertain)
        self._each("gateway_outbox_events", {(way,): count for way, (count, _) in found.outbox.items()})
        ages = {(way,): _age(oldest, found.at) for way, (_, oldest) in found.outbox.items()}
        self._each("gateway_outbox_oldest_seconds", ages)
        self._gauges["gateway_unsealed_seconds"].set(_age(found.unsealed, found.at))
        self._each("gateway_nodes", {(state,): count for state, count in found.nodes.items()})
        self._gauges["gateway_configurations"].set(found.configurations)
        self._gauges["gateway_clock_ahead_seconds"].set(found.ahead)
        self._each("gateway_duty_failed", {(name,): float(failed) for name, failed in found.duties.items()})
        self._gauges["gateway_work_count_seconds"].set(seconds)
        self._gauges["gateway_work_counted_timestamp_seconds"].set(time.time())

    def disks(self, room: Mapping[str, tuple[int, int]]) -> None:
        """Free and all bytes of the file system of each folder."""
        self._each("gateway_disk_free_bytes", {(folder,): free for folder, (free, _) in room.items()})
        self._each("gateway_disk_size_bytes", {(folder,): size for folder, (_, size) in room.items()})

    def certificates(self, days_left: Iterable[tuple[Held, int]]) -> None:
        """When each certificate ends; one that is not named is not there any more."""
        found = {(held.role.value, held.partner, held.name): days for held, days in days_left}
        self._each("gateway_certificate_days_left", found)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)

    def _each(self, name: str, values: Mapping[Any, float]) -> None:
        """The values of a gauge by the tuple of its labels, and no others."""
        gauge = self._gauges[name]
        gauge.clear()
        for labels, value in values.items():
            gauge.labels(*labels).set(value)


def _age(since: datetime | None, at: datetime) -> float:
    return 0.0 if since is None else max(0.0, (at - since).total_seconds())
