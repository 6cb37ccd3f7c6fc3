"""What is held for a decision: differences that are too large, answers to orders that are not here yet.

The rules stand in the agreement, the decision in the store with who made it and why. A document that is approved goes
on as if it had never waited; one that is rejected frees its number, so that a corrected one may come. Nobody tells the
partner of a rejection here: an application advice (824) is not written yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.errors import OurFault
from gateway.events import DocumentRejected, DocumentReviewed, DocumentUnderReview
from gateway.findings import Finding, Severity, worst
from gateway.partners.agreement import Agreement
from gateway.pipeline import identity
from gateway.ports import (
    Changes,
    ComesBack,
    Document,
    DocumentState,
    DocumentUpdate,
    Json,
    NewDocument,
    NewJob,
    Review,
)

LOOKS: tuple[timedelta, ...] = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180))
"""When an order that was unknown is looked for again, counted from the answer; then as often as the last two are apart.
An order that comes wakes what waits for it; the looks are for one that came at the same moment."""

UNKNOWN = frozenset({"matching.order_unknown", "matching.changed_order_unknown"})
TOO_MUCH = "matching.shipped_too_much"
OUTSIDE = frozenset(
    {
        "matching.quantity_outside_tolerance",
        "matching.price_outside_tolerance",
        "matching.date_outside_tolerance",
        "matching.line_unknown",
        TOO_MUCH,
    }
)
"""Differences that hold a document, or refuse it, where the agreement says so."""
GATEWAY = "gateway"
"""Who decided where nobody did but the agreement."""
DECIDABLE = frozenset({Review.OUTSIDE_TOLERANCE, Review.ORDER_UNKNOWN, Review.REPLACEMENT})
"""What a person decides; the rest goes on by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighed:
    """What the agreement makes of the findings of a match."""

    findings: tuple[Finding, ...]
    review: Review | None = None
    """Why it is held; the findings that would refuse it are reasons then, and refuse nothing."""

    @property
    def refused(self) -> bool:
        """Whether the document is refused."""
        return self.review is None and worst(self.findings) is Severity.REJECT


def weigh(agreement: Agreement, findings: list[Finding] | tuple[Finding, ...], *, looking: bool = True) -> Weighed:
    """Hold, refuse, or let go on; `looking`: whether there is time yet for an order to come."""
    policy = agreement.matching
    if policy is None or not findings:
        return Weighed(findings=tuple(findings))
    compared = policy.tolerances.quantity_over_percent is not None
    outside = [one for one in findings if one.rule in OUTSIDE and (compared or one.rule != TOO_MUCH)]
    if outside and policy.outside_tolerance == "reject":
        findings = [replace(one, severity=Severity.REJECT) if one in outside else one for one in findings]
    unknown = [one for one in findings if one.rule in UNKNOWN]
    grave = [one for one in findings if one.severity is Severity.REJECT and one not in unknown]
    if grave:
        return Weighed(findings=tuple(findings))
    waits = looking and policy.unknown_order_wait_hours > 0
    held = policy.unknown_order == "hold" and worst(unknown) is Severity.REJECT
    if unknown and (waits or held):
        return Weighed(findings=_milder(findings), review=Review.ORDER_UNKNOWN)
    if outside and policy.outside_tolerance == "hold" and worst(findings) is not Severity.REJECT:
        return Weighed(findings=tuple(findings), review=Review.OUTSIDE_TOLERANCE)
    return Weighed(findings=tuple(findings))


def _milder(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Of what is held nothing is refused yet."""
    return tuple(
        replace(one, severity=Severity.ACCEPT_WITH_ERRORS) if one.severity is Severity.REJECT else one
        for one in findings
    )


def until(agreement: Agreement, at: datetime) -> datetime:
    """How long the order of an answer that came at `at` is looked for."""
    hours = agreement.matching.unknown_order_wait_hours if agreement.matching is not None else 0
    return at + timedelta(hours=float(hours))


def next_look(at: datetime, now: datetime, end: datetime) -> datetime | None:
    """When to look again; None when the time is over."""
    if now >= end:
        return None
    after = now - at
    found = next((one for one in LOOKS if one > after), None)
    if found is None:
        last, pause = LOOKS[-1], LOOKS[-1] - LOOKS[-2]
        found = last + pause * ((after - last) // pause + 1)
    return min(at + found, end)


def unknown_number(orders: Mapping[identity.OrderRef, Document | None]) -> str | None:
    """The first order that is not here."""
    return next((number for (number, _), order in orders.items() if order is None), None)


def wakes(agreement: Agreement, document: NewDocument) -> tuple[str, ...]:
    """The wait key of what may wait for this order, where answers wait for orders at all."""
    if document.kind != "purchase_order" or agreement.matching is None or not document.order_number:
        return ()
    return (identity.order_wait_key(agreement.name, document.order_number),)


def look_job(agreement: Agreement, document: NewDocument, number: str | None, now: datetime) -> tuple[NewJob, ...]:
    """The work of looking for an unknown order again; none where the time is over at once."""
    run_at = next_look(now, now, until(agreement, now))
    if run_at is None or number is None:
        return ()
    job = NewJob(
        message_id=document.message_id,
        document_id=document.id,
        step="match",
        lane=identity.inbound_lane(agreement.name, "review"),
        run_at=run_at,
        wait_key=identity.order_wait_key(agreement.name, number),
    )
    return (job,)


def begun(document: NewDocument | Document, review: Review, findings: Sequence[Finding]) -> DocumentUnderReview:
    """The fact that a document waits, and for what."""
    wanted = UNKNOWN if review is Review.ORDER_UNKNOWN else OUTSIDE
    said = [(one.rule, one.text) for one in findings if one.rule in wanted]
    return waiting(document, review, rules=[rule for rule, _ in said], reason=said[0][1] if said else "")


def waiting(
    document: NewDocument | Document, review: Review, *, reason: str, rules: Sequence[str] = ()
) -> DocumentUnderReview:
    """The fact that a document waits."""
    return DocumentUnderReview(
        message_id=document.message_id,
        partner=document.partner,
        order_number=document.order_number,
        document_id=document.id,
        review=review.value,
        rules=tuple(dict.fromkeys(rules)),
        reason=reason,
    )


def reviewed(document: Document, decision: str, *, by: str, why: str) -> DocumentReviewed:
    """The fact that it was decided about."""
    return DocumentReviewed(
        message_id=document.message_id,
        partner=document.partner,
        order_number=document.order_number,
        document_id=document.id,
        review="" if document.review is None else document.review.value,
        decision=decision,
        by=by,
        why=why,
    )


def approval(document: Document, *, by: str, why: str, now: datetime) -> Changes:
    """Let it go on. Raises OurFault where nobody decides about it."""
    _decidable(document)
    job = NewJob(
        message_id=document.message_id,
        document_id=document.id,
        step="release",
        lane=identity.inbound_lane(document.partner, "review"),
        run_at=now,
        again_after=timedelta(0),
    )
    return Changes(
        document_updates=(DocumentUpdate(id=document.id, cleared=("review",)),),
        jobs=(job,),
        events=(reviewed(document, "approved", by=by, why=why),),
    )


def refusal(
    document: Document, *, by: str, why: str, findings: Sequence[Json] | None = None, reason: str | None = None
) -> Changes:
    """Refuse it for good, with these findings in place of its own. Raises OurFault where nobody decides about it."""
    _decidable(document)
    rules = [str(one.get("rule")) for one in (document.findings if findings is None else findings)]
    event = DocumentRejected(
        message_id=document.message_id,
        partner=document.partner,
        order_number=document.order_number,
        document=document.kind,
        number=document.number,
        rules=tuple(dict.fromkeys(rules)),
        reason=reason or why,
    )
    return Changes(
        document_updates=(
            DocumentUpdate(
                id=document.id,
                state=DocumentState.REJECTED,
                cleared=("review",),
                findings=None if findings is None else tuple(findings),
            ),
        ),
        events=(reviewed(document, "rejected", by=by, why=why), event),
    )


def _decidable(document: Document) -> None:
    if document.review is None:
        raise OurFault(
            f"{document.kind} {document.number} waits for no decision", remedy="`gateway review list` shows what does"
        )
    if document.review not in DECIDABLE:
        raise OurFault(
            f"{document.kind} {document.number} waits for its order and goes on by itself",
            remedy=f"see what holds the order: gateway order show {document.order_number}",
        )


def comes_back(at: datetime, number: str | None) -> Changes:
    """Look again at that time."""
    return Changes(comes_back=ComesBack(at=at, reason=f"order {number} is not here; it is looked for again"))
