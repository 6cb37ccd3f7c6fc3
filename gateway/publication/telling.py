"""What the facts of the audit trail mean to the outside: one pure function for each kind of fact that is published.

A fact that is not in the table is our own affair. Nothing is looked up: what an event says stands in its fact, or in
the documents that are stored in the same commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from gateway.events import (
    AcknowledgmentLate,
    AcknowledgmentOverdue,
    AcknowledgmentReceived,
    CertificateExpiring,
    DeliveryUncertain,
    DocumentAccepted,
    DocumentAvailable,
    DocumentFetched,
    DocumentHeld,
    DocumentRejected,
    DocumentUnderReview,
    Event,
    MessageRefused,
    MessageRejectedByPartner,
    MessageSent,
    ReceiptOverdue,
    WorkGivenUp,
)
from gateway.ports import Document, Json, NewDocument
from gateway.published import (
    LONGEST_REASON,
    MOST_LINES,
    AcknowledgedData,
    CertificateData,
    Data,
    DocumentData,
    FailedData,
    HeldData,
    LateData,
    Line,
    LinesData,
    OrderData,
    OverdueData,
    RejectedData,
    ShipmentData,
    UncertainData,
)

ORDER = "purchase_order"
NOTIFY = "notify"
"""The step that tells a webhook; that it failed is told to nobody: it would be told by the way that failed."""

LINE_TYPES: Mapping[str, str] = {
    "backordered": "order.line.backordered",
    "added": "order.line.changed",
    "changed": "order.line.changed",
    "date_changed": "order.line.changed",
    "part_accepted": "order.line.changed",
    "price_changed": "order.line.changed",
    "quantity_changed": "order.line.changed",
    "substituted": "order.line.changed",
    "deleted": "order.line.rejected",
    "not_found": "order.line.rejected",
    "rejected": "order.line.rejected",
}
"""Which type tells of a line with this status; lines with any other are as ordered, or not decided."""

Documents = Mapping[str, NewDocument | Document]
"""The documents that are stored in the same commit, or go on by it after a review, by id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What is published: its type, whom or what it is about, its data."""

    type: str
    subject: str
    data: Data


Teller: TypeAlias = "Callable[[Any, Documents], Iterator[Told]]"


def told(fact: Event, documents: Documents) -> Iterator[Told]:
    """What is published of a fact, in order; nothing of most."""
    teller = TELLERS.get(fact.kind)
    return iter(()) if teller is None else teller(fact, documents)


def _common(fact: Event) -> dict[str, Any]:
    """The fields that every event about a document has, as far as the fact has them."""
    links = {"transaction": f"/v1/transactions/{fact.message_id}"}
    document, document_id = getattr(fact, "document", None), getattr(fact, "document_id", None)
    if document == ORDER and document_id is not None:
        links["order"] = f"/v1/purchase-orders/{document_id}"
    return {
        "message_id": fact.message_id,
        "partner": fact.partner,
        "order_number": fact.order_number,
        "document": document,
        "document_id": document_id,
        "number": getattr(fact, "number", None),
        "links": links,
    }


def _subject(fact: Event) -> str:
    """What it is about: the document, else the order, else the message."""
    document, number = getattr(fact, "document", None), getattr(fact, "number", None)
    if document is not None and number:
        return f"{document}/{number}"
    return f"{ORDER}/{fact.order_number}" if fact.order_number else f"message/{fact.message_id}"


def _order(type_: str, channel: str, fact: Event) -> Iterator[Told]:
    if getattr(fact, "document", None) == ORDER:
        yield Told(type=type_, subject=_subject(fact), data=OrderData(**_common(fact), channel=cast("Any", channel)))


def _accepted(fact: DocumentAccepted, documents: Documents) -> Iterator[Told]:
    new = documents.get(fact.document_id)
    body: Json = {} if new is None else new.body
    common, subject = _common(fact), _subject(fact)
    purpose = body.get("purpose")
    match fact.document:
        case "purchase_order":
            yield Told(type="order.received", subject=subject, data=DocumentData(**common))
        case "order_change":
            yield Told(type="order.change_received", subject=subject, data=DocumentData(**common))
        case "order_acknowledgement":
            data = AcknowledgedData(**common, response=body.get("response"), purpose=purpose)
            subject = f"{ORDER}/{fact.order_number}" if fact.order_number else subject
            yield Told(type="order.acknowledged", subject=subject, data=data)
            yield from _lines(body, common, subject)
        case "ship_notice":
            type_ = "shipment.cancelled" if purpose == "cancel" else "shipment.notified"
            yield Told(type=type_, subject=subject, data=ShipmentData(**common, purpose=purpose))


def _lines(body: Json, common: Mapping[str, Any], subject: str) -> Iterator[Told]:
    """The lines of an acknowledgement that are not simply accepted: one event for each type, however many lines."""
    found: dict[str, list[tuple[Json, list[Json]]]] = {}
    for line in body.get("lines") or ():
        by_type: dict[str, list[Json]] = {}
        for response in line.get("responses") or ():
            if (type_ := LINE_TYPES.get(response.get("status"))) is not None:
                by_type.setdefault(type_, []).append(response)
        for type_, responses in by_type.items():
            found.setdefault(type_, []).append((line, responses))
    for type_ in sorted(found):
        lines = tuple(_line(line, responses) for line, responses in found[type_][:MOST_LINES])
        yield Told(type=type_, subject=subject, data=LinesData(**common, lines=lines, total=len(found[type_])))


def _line(line: Json, responses: list[Json]) -> Line:
    quantity = next((one["quantity"] for one in responses if one.get("quantity")), None) or {}
    value = quantity.get("value")
    return Line(
        line_id=line.get("order_line_id") or line.get("line_id"),
        statuses=tuple(dict.fromkeys(str(one.get("status")) for one in responses)),
        quantity=None if value is None else str(value),
        unit=quantity.get("unit"),
    )


def _rejected(fact: DocumentRejected, documents: Documents) -> Iterator[Told]:
    del documents
    if fact.partner is not None:
        reason = fact.reason[:LONGEST_REASON]
        data = RejectedData(**_common(fact), direction="inbound", reason=reason, rules=fact.rules[:MOST_LINES])
        yield Told(type="message.rejected", subject=_subject(fact), data=data)


def _refused(fact: MessageRefused, documents: Documents) -> Iterator[Told]:
    del documents
    if fact.partner is not None:  # strangers are told of to nobody: whoever posts rubbish would be heard by all
        data = RejectedData(**_common(fact), direction="inbound", reason=fact.reason[:LONGEST_REASON])
        yield Told(type="message.rejected", subject=_subject(fact), data=data)


def _refused_by_them(fact: MessageRejectedByPartner, documents: Documents) -> Iterator[Told]:
    del documents
    data = RejectedData(**_common(fact), direction="outbound", reason=fact.disposition[:LONGEST_REASON])
    yield Told(type="message.rejected", subject=_subject(fact), data=data)


def _answered(fact: AcknowledgmentReceived, documents: Documents) -> Iterator[Told]:
    del documents
    if fact.accepted:
        yield from _order("order.received_by_partner", "as2", fact)
    elif fact.accepted is False:
        reason = f"their {fact.type} says {fact.outcome} of {fact.control_number}"[:LONGEST_REASON]
        data = RejectedData(**_common(fact), direction="outbound", reason=reason)
        yield Told(type="message.rejected", subject=_subject(fact), data=data)


def _given_up(fact: WorkGivenUp, documents: Documents) -> Iterator[Told]:
    del documents
    if fact.step != NOTIFY:
        reason = fact.reason[:LONGEST_REASON]
        data = FailedData(**_common(fact), step=fact.step, attempts=fact.attempts, reason=reason)
        yield Told(type="delivery.failed", subject=_subject(fact), data=data)


def _overdue(fact: ReceiptOverdue | AcknowledgmentOverdue, documents: Documents) -> Iterator[Told]:
    del documents
    if isinstance(fact, ReceiptOverdue):
        data = OverdueData(**_common(fact), awaited="receipt", waited_seconds=fact.waited_seconds)
    else:
        data = OverdueData(
            **_common(fact),
            awaited=cast("Any", fact.awaited),
            waited_seconds=fact.waited_seconds,
            due_at=fact.due_at,
            reminder=fact.reminder,
        )
    yield Told(type="answer.overdue", subject=_subject(fact), data=data)


def _late(fact: AcknowledgmentLate, documents: Documents) -> Iterator[Told]:
    del documents
    data = LateData(**_common(fact), awaited=fact.awaited, late_seconds=fact.late_seconds)
    yield Told(type="answer.late", subject=_subject(fact), data=data)


def _held(fact: DocumentHeld | DocumentUnderReview, documents: Documents) -> Iterator[Told]:
    kept, common = documents.get(fact.document_id), _common(fact)
    if kept is not None:
        common |= {"document": kept.kind, "number": kept.number}
    waits_for = "words" if isinstance(fact, DocumentHeld) else fact.review
    data = HeldData(**common, waits_for=waits_for, reason=fact.reason[:LONGEST_REASON])
    yield Told(type="document.held", subject=_subject(fact), data=data)


def _uncertain(fact: DeliveryUncertain, documents: Documents) -> Iterator[Told]:
    del documents
    data = UncertainData(**_common(fact), target=fact.target, reason=fact.reason[:LONGEST_REASON])
    yield Told(type="delivery.uncertain", subject=_subject(fact), data=data)


def _expiring(fact: CertificateExpiring, documents: Documents) -> Iterator[Told]:
    del documents
    data = CertificateData(
        message_id=fact.message_id,
        partner=fact.partner,
        role=fact.role,
        certificate=fact.certificate,
        subject=fact.subject,
        not_after=fact.not_after,
        days_left=fact.days_left,
    )
    yield Told(type="certificate.expiring", subject=f"certificate/{fact.certificate}", data=data)


TELLERS: Mapping[str, Teller] = {
    DocumentAccepted.kind: _accepted,
    DocumentAvailable.kind: lambda fact, _: _order("order.sent", "rest", fact),
    DocumentFetched.kind: lambda fact, _: _order("order.received_by_partner", "rest", fact),
    MessageSent.kind: lambda fact, _: _order("order.sent", "as2", fact),
    AcknowledgmentReceived.kind: _answered,
    MessageRejectedByPartner.kind: _refused_by_them,
    DocumentRejected.kind: _rejected,
    MessageRefused.kind: _refused,
    WorkGivenUp.kind: _given_up,
    ReceiptOverdue.kind: _overdue,
    AcknowledgmentOverdue.kind: _overdue,
    AcknowledgmentLate.kind: _late,
    DocumentHeld.kind: _held,
    DocumentUnderReview.kind: _held,
    DeliveryUncertain.kind: _uncertain,
    CertificateExpiring.kind: _expiring,
}
"""The kinds of fact that are published. What may come of each stands in `MAY_TELL`."""

_LINE_TYPES = frozenset(LINE_TYPES.values())
MAY_TELL: Mapping[str, frozenset[str]] = {
    DocumentAccepted.kind: _LINE_TYPES
    | {"order.received", "order.change_received", "order.acknowledged", "shipment.notified", "shipment.cancelled"},
    DocumentAvailable.kind: frozenset({"order.sent"}),
    DocumentFetched.kind: frozenset({"order.received_by_partner"}),
    MessageSent.kind: frozenset({"order.sent"}),
    AcknowledgmentReceived.kind: frozenset({"order.received_by_partner", "message.rejected"}),
    MessageRejectedByPartner.kind: frozenset({"message.rejected"}),
    DocumentRejected.kind: frozenset({"message.rejected"}),
    MessageRefused.kind: frozenset({"message.rejected"}),
    WorkGivenUp.kind: frozenset({"delivery.failed"}),
    ReceiptOverdue.kind: frozenset({"answer.overdue"}),
    AcknowledgmentOverdue.kind: frozenset({"answer.overdue"}),
    AcknowledgmentLate.kind: frozenset({"answer.late"}),
    DocumentHeld.kind: frozenset({"document.held"}),
    DocumentUnderReview.kind: frozenset({"document.held"}),
    DeliveryUncertain.kind: frozenset({"delivery.uncertain"}),
    CertificateExpiring.kind: frozenset({"certificate.expiring"}),
}
"""What may come of a fact: one whose types nobody asks for need not be looked at."""
