"""What is answered to a document over HTTP: the receipt of what was taken, the refusals that need no findings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gateway.findings import Finding, JsonPlace, Severity
from gateway.pipeline.finding_json import as_json
from gateway.ports import Document, Receipt, Refused

_CONFLICTS = frozenset(
    {
        "matching.already_acknowledged",
        "duplicate.other_content",
        "duplicate.replacement_refused",
        "submission.failed_before",
    }
)
"""Rules about what is there already: 409. Everything else that a document breaks is 422."""


def receipt(message_id: str, kind: str, document_id: str, findings: Sequence[Finding]) -> Receipt:
    """202: it is durable, and where to ask what became of it."""
    location = f"/v1/transactions/{message_id}"
    answer: dict[str, Any] = {
        "transaction_id": message_id,
        "document": kind,
        "document_id": document_id,
        "status": "accepted",
        "location": location,
    }
    if findings:
        answer["findings"] = [as_json(finding) for finding in findings]
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return Receipt(status=202, headers=(("Content-Type", "application/json"), ("Location", location)), body=body)


def refused(kind: str, findings: Sequence[Finding]) -> Refused:
    """The document is wrong, or collides with what is there."""
    rules = {finding.rule for finding in findings if finding.severity is Severity.REJECT}
    status = 409 if rules and rules <= _CONFLICTS else 422
    title = f"The {kind.replace('_', ' ')} cannot be taken"
    return Refused(status=status, rule="api.document.invalid", title=title, findings=tuple(findings))


def failed_before(kind: str, first: Document, message_id: str) -> Finding:
    """The same document is here and got stuck: sending it again does not free it, an operator does."""
    return Finding(
        rule="submission.failed_before",
        place=JsonPlace(pointer="/number"),
        said=f"{kind.replace('_', ' ')} {first.number}, whose sending was given up",
        wanted="a document that is not here yet",
        fix=f"have an operator put the first one back to work: gateway message retry {message_id}",
    )


def in_flight() -> Refused:
    """The Idempotency-Key belongs to a request that is still being decided."""
    title = "The same request is still under way"
    return Refused(status=409, rule="api.idempotency.in_flight", title=title, findings=())


def key_reused() -> Refused:
    """The Idempotency-Key belongs to another request."""
    title = "This Idempotency-Key was used for another request"
    return Refused(status=422, rule="api.idempotency.key_reused", title=title, findings=())


def not_found() -> Refused:
    """There is no such order, or it is another's."""
    return Refused(status=404, rule="api.not_found", title="There is no such order", findings=())


def not_agreed(kind: str) -> Refused:
    """The partner does not send this kind."""
    title = f"The agreement has no {kind.replace('_', ' ')} from you"
    return Refused(status=404, rule="api.document.not_agreed", title=title, findings=())


def busy() -> Refused:
    """Others take what this one needs, again and again."""
    title = "The same document is being submitted by several requests at once"
    return Refused(status=409, rule="api.document.contended", title=title, findings=())
