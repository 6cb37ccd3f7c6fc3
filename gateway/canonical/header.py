"""What every canonical document's head carries, and what orders and their answers share on head and line."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from gateway.canonical.parts import (
    Adjustment,
    AllowanceCharge,
    Amount,
    Attachment,
    Carrier,
    Contact,
    Currency,
    DeliveryTerms,
    Description,
    Identifier,
    Interchange,
    Item,
    Measurement,
    Note,
    OtherDate,
    OtherQuantity,
    Pack,
    PackageCount,
    Packaging,
    Part,
    Party,
    PaymentInstruction,
    PaymentTerms,
    Price,
    Quantity,
    Reference,
    SaleCondition,
    Span,
    Tax,
    TaxRegistration,
    Text,
    Totals,
    When,
    Window,
    said,
)
from gateway.canonical.vocabulary import Purpose


class Head(Part):
    """The head of any document."""

    interchange: Interchange | None = Field(default=None, description="The envelope it came in")
    group_control_number: Text | None = Field(default=None, description="GS06, UNG 0048")
    message_reference: Text | None = Field(default=None, description="ST02, UNH 0062")
    source: dict[str, Any] | None = Field(
        default=None, description="Message id and versions of agreement, guide and map; never part of the digest"
    )
    purpose: Purpose = Field(default="original", description="What the document does to an earlier one")
    purpose_source_code: Text | None = Field(
        default=None, description="The partner's code where the map writes another"
    )
    parties: tuple[Party, ...] = Field(default=(), description="Who takes part")
    contacts: tuple[Contact, ...] = Field(default=(), description="People to ask about the document")
    references: tuple[Reference, ...] = Field(default=(), description="Numbers that point elsewhere")
    notes: tuple[Note, ...] = Field(default=(), description="Words for people")
    documents: tuple[Attachment, ...] = Field(default=(), description="Documents that come another way")

    _purpose_said = said(purpose="original")


class Terms(Part):
    """Commercial and logistic terms, on a head or on a line."""

    references: tuple[Reference, ...] = Field(default=(), description="Numbers that point elsewhere")
    contacts: tuple[Contact, ...] = Field(default=(), description="People to ask")
    parties: tuple[Party, ...] = Field(default=(), description="Who takes part")
    notes: tuple[Note, ...] = Field(default=(), description="Words for people")
    currency: Currency | None = Field(default=None, description="Currency of the amounts")
    prices: tuple[Price, ...] = Field(default=(), description="Prices; the line's own has the type unit")
    payment_terms: tuple[PaymentTerms, ...] = Field(default=(), description="When to pay")
    delivery_terms: DeliveryTerms | None = Field(default=None, description="Freight and transfer")
    allowance_charges: tuple[AllowanceCharge, ...] = Field(default=(), description="Amounts off and on top")
    sale_conditions: tuple[SaleCondition, ...] = Field(default=(), description="Conditions on filling the order")
    amounts: tuple[Amount, ...] = Field(default=(), description="Sums of money with no field of their own")
    taxes: tuple[Tax, ...] = Field(default=(), description="Taxes")
    tax_registrations: tuple[TaxRegistration, ...] = Field(default=(), description="Tax numbers and exemptions")
    descriptions: tuple[Description, ...] = Field(default=(), description="Further descriptions")
    measurements: tuple[Measurement, ...] = Field(default=(), description="Measured or required properties")
    packaging: tuple[Packaging, ...] = Field(default=(), description="Packaging instructions")
    package_counts: tuple[PackageCount, ...] = Field(default=(), description="Packages and their weight")
    carrier: Carrier | None = Field(default=None, description="Who carries the goods")
    requested_delivery: Span | None = Field(default=None, description="When the buyer wants the goods")
    requested_ship: When | None = Field(default=None, description="When the buyer wants them shipped")
    ship_window: Window | None = Field(default=None, description="Ship not before, not after")
    cancel_after: When | None = Field(default=None, description="Cancel what has not shipped by then")
    other_dates: tuple[OtherDate, ...] = Field(default=(), description="Dates with no field of their own")
    payment_instruction: PaymentInstruction | None = Field(default=None, description="How to pay")
    country_of_origin: Text | None = Field(default=None, description="Where the goods were made, ISO 3166-1 alpha-2")
    duty_regime: Text | None = Field(default=None, description="Duty regime (UN/ECE 9213)")
    special_conditions: tuple[Text, ...] = Field(default=(), description="Special conditions (UN/ECE 4183)")
    adjustments: tuple[Adjustment, ...] = Field(default=(), description="In an answer or change: why")


class Trade(Head, Terms):
    """Head of an order or of its answer."""

    contract_number: Text | None = Field(default=None, description="Contract the order is placed under")
    contract_date: dt.date | None = Field(default=None, description="Date of that contract")
    totals: Totals | None = Field(default=None, description="Control totals as stated")


class Dates(Part):
    """Dates an answer or a schedule names by kind."""

    promised_ship: When | None = Field(default=None, description="Ships then (068, 079; 080 not before)")
    promised_delivery: When | None = Field(default=None, description="Arrives then (067)")
    estimated_delivery: When | None = Field(default=None, description="Expected then (017)")
    requested_delivery: When | None = Field(default=None, description="Was asked for then (002)")
    requested_ship: When | None = Field(default=None, description="Was asked to ship then (010)")
    required_by: When | None = Field(default=None, description="Needed by then (106)")
    shipped: When | None = Field(default=None, description="Shipped then (011)")
    ship_not_before: When | None = Field(default=None, description="May ship from then on (037)")
    ship_not_after: When | None = Field(default=None, description="Must ship by then (038)")
    deliver_not_before: When | None = Field(default=None, description="May arrive from then on (064)")
    deliver_not_after: When | None = Field(default=None, description="Must arrive by then (063)")
    cancel_after: When | None = Field(default=None, description="Cancelled if not shipped by then (001)")


class Schedule(Part):
    """A part of a line's quantity with its own date or place (SCH)."""

    line_id: Text | None = Field(default=None, description="Its number within the line")
    quantity: Quantity | None = Field(default=None, description="How many")
    dates: Dates | None = Field(default=None, description="When")
    ship_to: Party | None = Field(default=None, description="Where")
    reference: Text | None = Field(default=None, description="A request it quotes (X12 326)")


class Allocation(Part):
    """A part of a line's quantity meant for one location (cross-dock)."""

    location: Identifier = Field(description="The store or warehouse")
    quantity: Quantity | None = Field(default=None, description="How many go there")
    requested_delivery: When | None = Field(default=None, description="When they are wanted there")


class Component(Part):
    """A part of a kit or assortment (SLN)."""

    line_id: Text | None = Field(default=None, description="Its number within the line")
    relationship: Text | None = Field(default=None, description="included, added, …, or the wire's code")
    quantity: Quantity | None = Field(default=None, description="How many")
    prices: tuple[Price, ...] = Field(default=(), description="Its price, if it has one")
    item: Item | None = Field(default=None, description="Which item")
    descriptions: tuple[Description, ...] = Field(default=(), description="Further descriptions")


class Line(Terms):
    """What lines of an order and of its answer share."""

    line_id: Text | None = Field(default=None, description="The line's number in this document (PO101)")
    quantity: Quantity | None = Field(default=None, description="Quantity as ordered")
    other_quantities: tuple[OtherQuantity, ...] = Field(default=(), description="Quantities with no field of their own")
    parent_line_id: Text | None = Field(default=None, description="The line whose part this line is (UN/ECE C829)")
    item: Item | None = Field(default=None, description="Which item")
    pack: Pack | None = Field(default=None, description="How it is packed")
    schedules: tuple[Schedule, ...] = Field(default=(), description="Parts with their own dates or places")
    allocations: tuple[Allocation, ...] = Field(default=(), description="Parts for several locations")
    components: tuple[Component, ...] = Field(default=(), description="What a kit is made of")
