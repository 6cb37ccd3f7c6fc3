"""A supplier's answer to an order: the whole, and line by line (X12 855, EDIFACT ORDRSP)."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from gateway.canonical.header import Dates, Line, Trade
from gateway.canonical.parts import Item, Number, OrderReference, OtherDate, Part, Price, Quantity, Text, said
from gateway.canonical.vocabulary import LineStatus, Origin, Response


class LineResponse(Part):
    """One aspect or part of the answer to a line; several are cumulative, not alternatives."""

    status: LineStatus = Field(default="other", description="What the supplier says of the line, or of this part of it")
    source_code: Text | None = Field(
        default=None, description="The partner's code where the map writes another for `status`"
    )
    origin: Origin | None = Field(default=None, description="header where the document's response stands for the line")
    quantity: Quantity | None = Field(default=None, description="The quantity it holds for")
    dates: Dates | None = Field(default=None, description="When")
    other_dates: tuple[OtherDate, ...] = Field(default=(), description="Dates with no field of their own")
    price: Price | None = Field(default=None, description="The price the supplier answers with")
    substitute_item: Item | None = Field(default=None, description="What is sent instead, or the item the answer names")
    reason: Text | None = Field(default=None, description="Why: a word or the partner's code")
    reason_text: Text | None = Field(default=None, description="Why, in words")
    reason_agency: Text | None = Field(default=None, description="Whose list `reason` is from (X12 559)")
    reason_list: Text | None = Field(default=None, description="Which list (X12 822)")
    reference: Text | None = Field(default=None, description="A request the answer quotes (X12 326)")
    variance: Number | None = Field(default=None, description="How many more or, below zero, less than ordered")
    variance_type: Text | None = Field(default=None, description="Which quantity `variance` is from (UN/ECE 6063)")
    discrepancy: Text | None = Field(default=None, description="What becomes of the difference (UN/ECE 4221)")
    change_reason: Text | None = Field(default=None, description="Why there is one (UN/ECE 4295)")

    _status_said = said(status="other")


class OrderAcknowledgementLine(Line):
    """The answer to one line. Without responses the document's response holds for it."""

    order_line_id: Text | None = Field(
        default=None, description="The line's number in the order where it differs from `line_id`"
    )
    order_number: Text | None = Field(default=None, description="The order the line is from, where the line says it")
    responses: tuple[LineResponse, ...] = Field(default=(), description="What the supplier says of the line")

    @property
    def answers(self) -> str | None:
        """The order's line number this line answers: `order_line_id`, else `line_id`."""
        return self.order_line_id or self.line_id


class OrderAcknowledgement(Trade):
    """Acceptance, change or refusal of one order."""

    order: OrderReference = Field(description="The order it answers (BAK03 to BAK05)")
    response: Response = Field(description="The answer as a whole (BAK02)")
    source_code: Text | None = Field(
        default=None, description="The partner's code where the map writes another for `response`"
    )
    number: Text | None = Field(default=None, description="The answer's own number; X12 has none")
    issue_date: dt.date | None = Field(default=None, description="Date of the answer (BAK09)")
    supplier_order_number: Text | None = Field(default=None, description="The supplier's number for the order (BAK08)")
    request_reference: Text | None = Field(default=None, description="A request it quotes (BAK06)")
    transaction_type: Text | None = Field(default=None, description="Kind of transaction (BAK10, X12 640)")
    lines: tuple[OrderAcknowledgementLine, ...] = Field(
        default=(), max_length=100_000, description="The answer line by line; lines not mentioned stand as ordered"
    )
