"""A change of an order: what the buyer asks to change, or what the seller answers or proposes.

X12 860 and EDIFACT ORDCHG come from the buyer, X12 865 from the seller: one document, as the sets are mirrors of
each other.
The seller's has a `response`, or `responses` on its lines; one without any proposes.
"""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from gateway.canonical.header import Line, Trade
from gateway.canonical.order_acknowledgement import LineResponse
from gateway.canonical.parts import Number, OrderReference, Quantity, Text, said
from gateway.canonical.vocabulary import ChangeType, Purpose, Response


class ChangedQuantity(Quantity):
    """The quantity a line is to have; a deleted line may name its unit alone."""

    value: Number | None = Field(default=None, description="How many the line is to have")  # type: ignore[assignment]


class OrderChangeLine(Line):
    """What happens to one line."""

    change_type: ChangeType = Field(default="changed", description="What happens to the line (POC02, LIN 1229)")
    change_source_code: Text | None = Field(
        default=None, description="The partner's code where the map writes another for `change_type`"
    )
    order_line_id: Text | None = Field(
        default=None, description="The line's number in the order where it differs from `line_id`"
    )
    order_number: Text | None = Field(default=None, description="The order the line is from, where the line says it")
    quantity: ChangedQuantity | None = Field(default=None, description="Quantity after the change (POC03)")
    quantity_left_to_receive: Number | None = Field(
        default=None,
        description="What is still open, in the unit of `quantity` (POC04; 004010 wants it beside every quantity)",
    )
    responses: tuple[LineResponse, ...] = Field(default=(), description="What the seller says of the line (ACK)")

    _change_type_said = said(change_type="changed")

    @property
    def changes(self) -> str | None:
        """The order's line number this line changes: `order_line_id`, else `line_id`."""
        return self.order_line_id or self.line_id


class OrderChange(Trade):
    """A change of one order: the buyer's wish, or the seller's answer to it or proposal."""

    purpose: Purpose = Field(default="change", description="change, cancel of the whole order, replace, …")
    order: OrderReference = Field(description="The order it changes (BCH03, BCH04, BCH06)")
    number: Text | None = Field(default=None, description="The change's own number; X12 has none")
    change_sequence: Text | None = Field(default=None, description="Number of the change to this order (BCH05, BCA05)")
    revision: Text | None = Field(default=None, description="The order's revision after the change")
    issue_date: dt.date | None = Field(default=None, description="Date of this document (BCH11; of an 865 BCA10)")
    requested_date: dt.date | None = Field(default=None, description="Date of the change that is answered (BCA11)")
    order_type: Text | None = Field(
        default=None, description="stand_alone, new, blanket, … (BCH02, which every 860 has; BCA13)"
    )
    response: Response | None = Field(default=None, description="The seller's answer as a whole (BCA02)")
    source_code: Text | None = Field(
        default=None, description="The partner's code where the map writes another for `response`"
    )
    request_reference: Text | None = Field(default=None, description="A request it quotes (BCH07, BCA07)")
    supplier_order_number: Text | None = Field(default=None, description="The supplier's number for the order (BCH09)")
    acknowledgement_requested: Text | None = Field(default=None, description="Which answer the buyer wants (BCH14)")
    transaction_type: Text | None = Field(default=None, description="Kind of transaction (BCH15, BCA15; X12 640)")
    business_unit: Text | None = Field(
        default=None, description="Which of our units orders; routes choose the ERP by it"
    )
    lines: tuple[OrderChangeLine, ...] = Field(
        default=(), max_length=100_000, description="The lines that change; a cancelled order needs none"
    )

    _purpose_said = said(purpose="change")
