"""Counters and gauges for Prometheus, in a registry of their own for each application; events in, figures out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gateway.events import Event
from gateway.partners.inventory import Held

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""Media type of `Metrics.text`."""

COUNTED: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "message.received": ("messages_received", "Messages made durable.", ("channel",)),
    "message.refused": ("messages_refused", "Messages refused unread.", ("channel",)),
    "message.duplicate": ("messages_duplicate", "Messages that came again.", ("channel",)),
    "message.sent": ("messages_sent", "Messages handed to a partner's station.", ()),
    "receipt.delivered": ("receipts_delivered", "Asynchronous receipts of ours that arrived.", ()),
    "receipt.overdue": ("receipts_overdue", "Asynchronous receipts of partners that did not come in time.", ()),
    "receipt.refused": ("receipts_refused", "Receipts for our messages that prove nothing.", ()),
    "acknowledgment.overdue": ("answers_overdue", "Answers that did not come in time, and reminders.", ("awaited",)),
    "acknowledgment.late": ("answers_late", "Answers that came after they were overdue.", ("awaited",)),
    "document.under_review": ("documents_under_review", "Documents held for a decision.", ("review",)),
    "document.submitted": ("documents_submitted", "Documents taken from the ERP.", ("document",)),
    "document.accepted": ("documents_accepted", "Documents accepted from partners.", ("document",)),
    "document.rejected": ("documents_rejected", "Documents of partners that were refused.", ("document",)),
    "document.delivered": ("documents_delivered", "Documents that a target took.", ("target",)),
    "delivery.attempt_failed": ("delivery_attempts_failed", "Deliveries to be tried again.", ("target", "outcome")),
    "delivery.uncertain": ("deliveries_uncertain", "Deliveries left to an operator, who must ask.", ("target",)),
    "document.compensated": ("documents_compensated", "Documents undone at a target.", ("target",)),
    "document.not_compensated": ("documents_not_compensated", "Documents to be undone by a person.", ("target",)),
    "configuration.activated": ("configurations_activated", "Configurations that became active.", ()),
    "configuration.refused": ("configurations_refused", "Changed configurations that were refused.", ()),
    "certificate.expiring": ("certificates_expiring", "Certificates that came near their end.", ("role",)),
    "work.given_up": ("work_given_up", "Jobs that became dead letters.", ("step",)),
}
"""Events that are counted: the counter's name, its help, and the event's fields that become labels."""


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "gateway_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "gateway_http_request_seconds", "Time to answer.", ("method", "route"), registry=self.registry
        )
        self._jobs = Gauge("gateway_jobs", "Jobs by state.", ("state",), registry=self.registry)
        self._certificates = Gauge(
            "gateway_certificate_days_left",
            "Days until a certificate ends; negative when it has.",
            ("role", "partner", "name"),
            registry=self.registry,
        )
        self._events = {
            kind: Counter(f"gateway_{name}", text, labels, registry=self.registry)
            for kind, (name, text, labels) in COUNTED.items()
        }

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered; `route` is the template, never the path as it came."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def record(self, event: Event) -> None:
        """Count an event, once it is durable. Kinds outside `COUNTED` are nobody's figure."""
        counter = self._events.get(event.kind)
        if counter is None:
            return
        labels = COUNTED[event.kind][2]
        (counter.labels(*(str(getattr(event, label)) for label in labels)) if labels else counter).inc()

    def jobs(self, counts: Mapping[str, int]) -> None:
        """How many jobs are in each state; a state that is not named has none."""
        self._jobs.clear()
        for state, count in counts.items():
            self._jobs.labels(state).set(count)

    def certificates(self, days_left: Iterable[tuple[Held, int]]) -> None:
        """When each certificate ends; one that is not named is not there any more."""
        self._certificates.clear()
        for held, days in days_left:
            self._certificates.labels(held.role.value, held.partner, held.name).set(days)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
