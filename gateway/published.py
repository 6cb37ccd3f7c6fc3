"""The vocabulary of published events: every type with the JSON Schema of its data, for webhooks and event streams.

Thin on purpose: ids, numbers, words and links; whoever is told asks the REST API for the rest. The docstrings and
descriptions are the documentation: the AsyncAPI document is made of them. Types only come, they never change meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_LINES = 100
"""Lines that one event lists; `total` counts all."""
LONGEST_REASON = 500

MessageDirection = Literal["inbound", "outbound"]


class Data(BaseModel):
    """What every event says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message_id: str = Field(description="The message (transaction) on whose trail the fact stands")
    partner: str | None = Field(default=None, description="The partner's name")
    links: dict[str, str] = Field(
        default_factory=dict, description="Where the REST API tells more: paths below this gateway's address"
    )


class DocumentData(Data):
    """What every event about a document says."""

    document: str | None = Field(default=None, description="Its kind, such as purchase_order")
    document_id: str | None = Field(default=None, description="Its id in this gateway")
    number: str | None = Field(default=None, description="Its own number")
    order_number: str | None = Field(default=None, description="The order that it is, or is about")


class OrderData(DocumentData):
    """A purchase order on its way."""

    channel: Literal["as2", "rest"] = Field(description="How it travels")


class AcknowledgedData(DocumentData):
    """A supplier's answer to an order."""

    response: str | None = Field(default=None, description="The answer as a whole, such as accepted_with_changes")
    purpose: str | None = Field(default=None, description="original, change, replace, …")


class Line(BaseModel):
    """One line of an order, and what was said of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line_id: str | None = Field(default=None, description="The order's line number")
    statuses: tuple[str, ...] = Field(description="What was said, such as backordered")
    quantity: str | None = Field(default=None, description="The quantity it was said of, a decimal")
    unit: str | None = Field(default=None, description="Its unit")


class LinesData(DocumentData):
    """Lines of an order."""

    lines: tuple[Line, ...] = Field(description=f"The first {MOST_LINES} of them")
    total: int = Field(description="How many there are")


class ShipmentData(DocumentData):
    """A shipment."""

    purpose: str | None = Field(default=None, description="original, change, replace, …")


class RejectedData(DocumentData):
    """What was refused, and why."""

    direction: MessageDirection = Field(description="inbound: we refused theirs; outbound: they refused ours")
    reason: str = Field(description="Why, for people")
    rules: tuple[str, ...] = Field(default=(), description="The rules that it broke (docs/rules.md)")


class FailedData(DocumentData):
    """Work that was given up."""

    step: str = Field(description="What was to be done: deliver, compose, send, …")
    attempts: int = Field(description="How often it was tried")
    reason: str = Field(description="Why the last attempt failed")


class OverdueData(DocumentData):
    """An answer that did not come in the time agreed."""

    awaited: Literal["receipt", "functional_acknowledgement", "order_acknowledgement", "ship_notice"] = Field(
        description="What is missing: the MDN, the 997 or CONTRL, the 855 or ORDRSP, the 856 or DESADV"
    )
    waited_seconds: int = Field(description="How long it has been waited for")
    due_at: str | None = Field(default=None, description="When it should have come (ISO 8601)")
    reminder: int = Field(default=0, description="How often this was told before, by the table of reminders")


class LateData(DocumentData):
    """An answer that came after its time."""

    awaited: str = Field(description="What was missing, as in answer.overdue")
    late_seconds: int = Field(description="How late it came")


class HeldData(DocumentData):
    """A document that waits."""

    waits_for: str = Field(
        description="words (of a cross-reference), outside_tolerance (somebody's decision), order_unknown, order_held"
    )
    reason: str = Field(description="Why, for people")


class UncertainData(DocumentData):
    """A delivery of which nobody knows whether it took place."""

    target: str = Field(description="Which ERP or folder")
    reason: str = Field(description="What happened")


class CertificateData(Data):
    """A certificate near its end."""

    role: str = Field(description="ours, theirs, tls, tls-client, their-tls-client, ca")
    certificate: str = Field(description="SHA-256, hexadecimal")
    subject: str = Field(description="Whose it is")
    not_after: str = Field(description="When it ends")
    days_left: int = Field(description="Negative: it has ended")


class TestData(Data):
    """A try."""

    __test__ = False  # no test of ours, whatever pytest thinks of the name
    endpoint: str = Field(description="The webhook that is tried")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicType:
    """One type of published event."""

    name: str
    text: str
    data: type[Data]
    for_partners: bool = True
    """Whether a partner's own webhooks are told; what is about our side alone they are not."""


_ROWS = (
    PublicType(name="order.received", text="A partner's purchase order was accepted.", data=DocumentData),
    PublicType(
        name="order.sent",
        text="A purchase order left: the partner's station took it, or it waits for the partner at the REST API.",
        data=OrderData,
    ),
    PublicType(
        name="order.received_by_partner",
        text="The partner's system has the order: it fetched it, or its 997 or CONTRL accepted it.",
        data=OrderData,
    ),
    PublicType(
        name="order.change_received", text="A change of an order was accepted from a partner.", data=DocumentData
    ),
    PublicType(name="order.acknowledged", text="A supplier answered an order.", data=AcknowledgedData),
    PublicType(name="order.line.backordered", text="Lines of an order, or parts of them, come later.", data=LinesData),
    PublicType(
        name="order.line.changed",
        text="Lines of an order are answered with another quantity, date, price or item.",
        data=LinesData,
    ),
    PublicType(name="order.line.rejected", text="Lines of an order, or parts of them, will not come.", data=LinesData),
    PublicType(name="shipment.notified", text="A ship notice was accepted from a partner.", data=ShipmentData),
    PublicType(name="shipment.cancelled", text="A ship notice was taken back by its sender.", data=ShipmentData),
    PublicType(
        name="message.rejected",
        text="A message or document was refused: theirs by us, or ours by them.",
        data=RejectedData,
    ),
    PublicType(
        name="answer.overdue",
        text="A receipt, a 997 or CONTRL, or the acknowledgement or ship notice of an order, is not here in time.",
        data=OverdueData,
        for_partners=False,
    ),
    PublicType(name="answer.late", text="What was overdue came after all.", data=LateData, for_partners=False),
    PublicType(
        name="document.held",
        text="A document from a partner waits: for words, for a decision, or for its order.",
        data=HeldData,
        for_partners=False,
    ),
    PublicType(
        name="delivery.uncertain",
        text="Nobody knows whether a target took a document: an operator decides.",
        data=UncertainData,
        for_partners=False,
    ),
    PublicType(
        name="delivery.failed",
        text="Work on a message was given up; an operator can put it back.",
        data=FailedData,
        for_partners=False,
    ),
    PublicType(
        name="certificate.expiring",
        text="A certificate has come near its end, or is over.",
        data=CertificateData,
        for_partners=False,
    ),
    PublicType(
        name="webhook.test",
        text="A try of one webhook, by `gateway webhook test`; sent to that one only, whatever it asks for.",
        data=TestData,
    ),
)
TYPES: Mapping[str, PublicType] = {row.name: row for row in _ROWS}
"""Every type by its name."""


def fitting(patterns: Iterable[str]) -> frozenset[str]:
    """The types that any of the patterns names; `*` stands for any characters."""
    asked = tuple(patterns)
    return frozenset(name for name in TYPES if any(fnmatchcase(name, one) for one in asked))
