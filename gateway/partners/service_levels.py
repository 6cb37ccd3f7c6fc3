"""What an agreement expects and tolerates: when answers are due, how far they may differ from their orders.

Models, and the arithmetic of their days; who waits and what is held is the pipeline's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from gateway.settings import Part

Hours = Annotated[Decimal, Field(gt=0, le=8760)]
Percent = Annotated[Decimal, Field(ge=0, le=1000)]
FRIDAY = 4
"""As `date.weekday` counts."""


class ServiceLevels(Part):
    """When the answers to our orders are due.

    Receipts are due by as2.receipt_within_minutes, 997 and CONTRL by acknowledgment_within_hours of x12 and edifact.
    """

    order_acknowledgement_business_days: Annotated[int, Field(ge=0, le=250)] = Field(
        default=2,
        description="An order that is not acknowledged so many days (Monday to Friday, UTC) after the partner got it "
        "is overdue, where the partner is to acknowledge orders; 0: never.",
    )
    order_acknowledgement_hours: Hours | None = Field(
        default=None, description="The same in hours, weekends included; takes the place of the days.", examples=[4]
    )
    ship_notice_before_arrival_hours: Annotated[Decimal, Field(ge=0, le=8760)] | None = Field(
        default=None,
        description="The ship notice is due so long before the day on which the order wants the goods (0:00 UTC); "
        "absent: it is not waited for.",
        examples=[24],
    )

    def acknowledgement_due(self, sent: datetime) -> datetime | None:
        """When an order that the partner got at `sent` is to be acknowledged; None where nobody waits."""
        if self.order_acknowledgement_hours is not None:
            return sent + timedelta(hours=float(self.order_acknowledgement_hours))
        left = self.order_acknowledgement_business_days
        if not left:
            return None
        due = sent
        while left:
            due += timedelta(days=1)
            left -= due.weekday() <= FRIDAY
        return due

    def notice_due(self, arrival: datetime | None, sent: datetime) -> datetime | None:
        """When the goods of such an order are to be announced; once it is too late for that, before they arrive."""
        if arrival is None or self.ship_notice_before_arrival_hours is None:
            return None
        due = arrival - timedelta(hours=float(self.ship_notice_before_arrival_hours))
        return next((moment for moment in (due, arrival) if moment > sent), None)


class Tolerances(Part):
    """How far an answer may differ from its order; what is absent is not compared."""

    quantity_over_percent: Percent | None = Field(
        default=None, description="So much more than ordered may be promised or shipped.", examples=[5]
    )
    quantity_under_percent: Percent | None = Field(
        default=None,
        description="So much less than ordered may be promised; ship notices may always be parts.",
        examples=[0],
    )
    price_percent: Percent | None = Field(
        default=None, description="So much a price may differ, up or down.", examples=[1]
    )
    date_days: Annotated[int, Field(ge=0, le=3650)] | None = Field(
        default=None, description="So many days a delivery may be earlier or later than wanted.", examples=[2]
    )


class Matching(Part):
    """How answers are held against their orders."""

    tolerances: Tolerances = Field(
        default_factory=Tolerances, description="How far an answer may differ from its order."
    )
    outside_tolerance: Literal["hold", "pass_with_finding", "reject"] = Field(
        default="hold",
        description="What becomes of an answer outside of that, or with a line that the order does not have: it waits "
        "for somebody who approves it, goes on with a finding, or is refused.",
    )
    unknown_order_wait_hours: Annotated[Decimal, Field(ge=0, le=720)] = Field(
        default=Decimal(0),
        description="How long an answer to an order that is not here waits for it; 0: it is decided at once.",
    )
    unknown_order: Literal["reject", "hold"] = Field(
        default="reject", description="What becomes of it then: it is refused, or waits for somebody who decides."
    )
