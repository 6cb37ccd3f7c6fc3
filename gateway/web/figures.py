"""Every figure at /metrics as one table: name, kind, labels, and what it says. docs/metrics.md is made from it.

Labels take few values: configured names, fixed words, and lanes up to a limit; never an id, a number or a path as it
came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.ports.figures import LANES_SHOWN

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
    "document.duplicate": ("documents_duplicate", "Documents that came again in a new message.", ("document",)),
    "document.delivered": ("documents_delivered", "Documents that a target took.", ("target",)),
    "delivery.attempt_failed": ("delivery_attempts_failed", "Deliveries to be tried again.", ("target", "outcome")),
    "delivery.uncertain": ("deliveries_uncertain", "Deliveries left to an operator, who must ask.", ("target",)),
    "document.compensated": ("documents_compensated", "Documents undone at a target.", ("target",)),
    "document.not_compensated": ("documents_not_compensated", "Documents to be undone by a person.", ("target",)),
    "configuration.activated": ("configurations_activated", "Configurations that became active.", ()),
    "configuration.refused": ("configurations_refused", "Changed configurations that were refused.", ()),
    "certificate.expiring": ("certificates_expiring", "Certificates that came near their end.", ("role",)),
    "webhook.disabled": ("webhooks_disabled", "Webhooks that are told nothing more.", ()),
    "work.given_up": ("work_given_up", "Jobs that became dead letters.", ("step",)),
}
"""Events that are counted: the counter's name, its help, and the event's fields that become labels."""

QUICK = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
LONG = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
GROUPS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure. `of` says whose it is: this process's, or the database's, the same from every node."""

    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()
    of: Literal["process", "database"] = "process"
    buckets: tuple[float, ...] = ()


def _work(text: str, *labels: str) -> Figure:
    return Figure(kind="gauge", text=text, labels=labels, of="database")


FIGURES: Mapping[str, Figure] = {
    "gateway_build": Figure(kind="gauge", text="Always 1; the labels say what runs.", labels=("version", "schema")),
    "gateway_http_requests": Figure(
        kind="counter", text="HTTP requests answered.", labels=("method", "route", "status")
    ),
    "gateway_http_request_seconds": Figure(
        kind="histogram", text="Time to answer.", labels=("method", "route"), buckets=LONG
    ),
    "gateway_attempts": Figure(
        kind="counter",
        text="Attempts that ended, by step, the end of the lane's name (target, or way to a partner), and outcome.",
        labels=("step", "target", "outcome"),
    ),
    "gateway_step_seconds": Figure(
        kind="histogram", text="Time of a step's work, without its commit.", labels=("step",), buckets=LONG
    ),
    "gateway_commit_seconds": Figure(
        kind="histogram", text="Time of a group commit, its statements included.", buckets=QUICK
    ),
    "gateway_commit_operations": Figure(kind="histogram", text="Operations that shared a commit.", buckets=GROUPS),
    "gateway_claim_seconds": Figure(
        kind="histogram", text="Time of a claim, with its wait for the commit.", buckets=QUICK
    ),
    **{f"gateway_{name}": Figure(kind="counter", text=text, labels=labels) for name, text, labels in COUNTED.values()},
    "gateway_jobs": _work(
        "Jobs: due (now), later (tried again then, or waiting for an answer), running, dead.", "state"
    ),
    "gateway_oldest_due_seconds": _work("For how long the oldest due job has been due."),
    "gateway_lanes": _work("Lanes by the state of their breaker: closed, half open, open.", "breaker"),
    "gateway_lane_jobs": _work("As gateway_jobs, of one lane.", "lane", "state"),
    "gateway_lane_oldest_due_seconds": _work("For how long its oldest due job has been due.", "lane"),
    "gateway_lane_cap": _work("How many of its jobs may run at once, over all nodes.", "lane"),
    "gateway_lane_breaker": _work("0 closed, 1 half open (one job probes), 2 open (nothing is tried).", "lane"),
    "gateway_lane_paused": _work("1 while an operator has paused it; of the others together how many are.", "lane"),
    "gateway_uncertain_deliveries": _work("Deliveries of which nobody knows whether they took place."),
    "gateway_outbox_events": _work("Published events that are not handed on yet, by way: webhooks, nats.", "way"),
    "gateway_outbox_oldest_seconds": _work("The age of the oldest of them.", "way"),
    "gateway_unsealed_seconds": _work("The age of the oldest event that is not sealed yet."),
    "gateway_nodes": _work("Nodes by state: starting, ready, draining, lost.", "state"),
    "gateway_configurations": _work("Different configurations that are active on the ready nodes."),
    "gateway_clock_ahead_seconds": Figure(
        kind="gauge", text="How far the clock here is before the database's; 0 on SQLite, which is on this machine."
    ),
    "gateway_duty_failed": _work(
        "1 while the last time of a duty (retention, files) failed, or it has been at work for a day.", "duty"
    ),
    "gateway_work_counted_timestamp_seconds": Figure(
        kind="gauge", text="When the figures of the database were taken, in seconds since 1970."
    ),
    "gateway_work_count_seconds": Figure(kind="gauge", text="How long it took to take them."),
    "gateway_certificate_days_left": Figure(
        kind="gauge",
        text="Days until a certificate ends; negative when it has.",
        labels=("role", "partner", "name"),
    ),
    "gateway_disk_free_bytes": Figure(
        kind="gauge", text="Room left where payloads are, and where an SQLite database is.", labels=("folder",)
    ),
    "gateway_disk_size_bytes": Figure(kind="gauge", text="The size of that file system.", labels=("folder",)),
}
"""By name; a counter's samples have `_total` behind it. Process figures of Python's client stand besides."""

OTHERS = "(others)"
"""The lane of all lanes beyond the limit together."""


def page() -> str:
    """docs/metrics.md."""
    lines = [
        "# Figures",
        "",
        "Generated by `make pages`; do not edit.",
        "",
        "What `/metrics` says, for Prometheus and whatever reads its format. How to use it:",
        "[observability.md](observability.md). A counter begins with 0 when its process starts. Figures *of the",
        "database* are the same from every node: take `max`, not `sum`, over nodes.",
        f"At most {LANES_SHOWN} lanes have figures of their own: those in trouble, then the fullest, then those that",
        f"worked last. All others together are the lane `{OTHERS}`, which has no cap.",
        "",
        "| figure | kind | labels | of the | |",
        "|---|---|---|---|---|",
    ]
    for name, one in FIGURES.items():
        shown = name + ("_total" if one.kind == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in one.labels)
        lines.append(f"| `{shown}` | {one.kind} | {labels} | {one.of} | {one.text} |")
    lines += [
        "",
        "A histogram has `_bucket` (with the label `le`), `_sum` and `_count`. Besides: `process_…` (CPU, memory,",
        "open files, start) of the process.",
    ]
    return "\n".join(lines) + "\n"
