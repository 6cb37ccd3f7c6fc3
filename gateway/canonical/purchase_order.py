"""A purchase order: what the buyer wants, from whom, where and when (X12 850, EDIFACT ORDERS)."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from gateway.canonical.header import Line, Trade
from gateway.canonical.parts import Text, said


class PurchaseOrderLine(Line):
    """One ordered item."""


class PurchaseOrder(Trade):
    """An order, or a release of a blanket order."""

    number: Text = Field(min_length=1, description="The buyer's order number (BEG03)")
    issue_date: dt.date = Field(description="Date of the order (BEG05)")
    order_type: Text = Field(default="stand_alone", description="stand_alone, new, blanket, release, rush, … (BEG02)")
    release_number: Text | None = Field(default=None, description="Release of a blanket order (BEG04)")
    revision: Text | None = Field(default=None, description="The buyer's revision of the order")
    business_unit: Text | None = Field(
        default=None, description="Which of our units orders; routes choose the ERP by it"
    )
    acknowledgement_requested: Text | None = Field(default=None, description="Which answer the buyer wants (BEG07)")
    invoice_type: Text | None = Field(default=None, description="Which invoice the buyer wants (BEG08)")
    lines: tuple[PurchaseOrderLine, ...] = Field(min_length=1, max_length=100_000, description="What is ordered")

    _order_type_said = said(order_type="stand_alone")
