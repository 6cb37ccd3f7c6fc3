"""The shapes every canonical document is made of: quantity, moment, party, item, price, note and their like.

Law: frozen, unknown fields refused, everything bounded; null, absent and empty are the same. Decimals are JSON strings.
Each part may carry `extensions`: what a map read that has no field here; a map writes it back, nobody else reads it.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

from gateway.canonical.vocabulary import Indicator, Precision

Text = Annotated[str, StringConstraints(max_length=4096)]
"""Bounded text."""


def _plain(value: Decimal) -> str:
    """Never an exponent: `1E+3` is written 1000."""
    return format(value, "f")


Number = Annotated[
    Decimal,
    Field(max_digits=30, decimal_places=12),
    PlainSerializer(_plain, return_type=str, when_used="json"),
]
"""A bounded decimal; a string in JSON, its trailing zeros kept."""

# ISO 8601 calendar forms, each exactly as precise as its name says, by their lengths.
_FORMS: dict[int, tuple[str, re.Pattern[str]]] = {
    4: ("year", re.compile(r"\d{4}\Z", re.ASCII)),
    7: ("month", re.compile(r"\d{4}-(?:0[1-9]|1[0-2])\Z", re.ASCII)),
    10: ("day", re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)),
    16: ("minute", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d\Z", re.ASCII)),
    19: ("second", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\Z", re.ASCII)),
}


def precision_of(value: str) -> str | None:
    """Name of the ISO 8601 form of `value`, None where it is none of ours or no real date."""
    return _precision_of(value) if len(value) in _FORMS else None


@lru_cache(maxsize=4096)  # documents name few days
def _precision_of(value: str) -> str | None:
    name, form = _FORMS[len(value)]
    if not form.match(value):
        return None
    try:
        dt.datetime.fromisoformat({"year": f"{value}-01-01", "month": f"{value}-01"}.get(name, value))
    except ValueError:
        return None
    return name


class Part(BaseModel):
    """What all shapes share."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=False, ser_json_inf_nan="strings", allow_inf_nan=False
    )

    extensions: dict[str, Any] | None = Field(
        default=None,
        description="What a map carried that has no field here, by syntax; written back, never interpreted",
    )


def said(**words: str) -> Any:
    """A validator that gives defaults as if the sender had said them: `dump` writes what was said, and nothing else.

    Every default of a canonical field that is not empty is given this way; a test holds that.
    """

    def fill(data: Any) -> Any:
        return {**words, **data} if isinstance(data, dict) and not words.keys() <= data.keys() else data

    return model_validator(mode="before")(fill)


class When(Part):
    """A point in time as precise as its sender was; a plain string is taken as `value`."""

    value: Text = Field(description="ISO 8601: 2026, 2026-05, 2026-05-01, 2026-05-01T08:30 or 2026-05-01T08:30:00")
    precision: Precision = Field(description="How much of `value` was said; follows from its form")
    zone: Text | None = Field(
        default=None, description="UTC, an offset such as +02:00, or the sender's zone code (X12 623)"
    )

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        if isinstance(data, str):
            data = {"value": data}
        if isinstance(data, dict) and isinstance(data.get("value"), str) and data["value"]:
            found = precision_of(data["value"])
            if found is None:
                raise ValueError("not an ISO 8601 date or date and time")
            if data.setdefault("precision", found) != found:
                raise ValueError(f"the value has the precision {found}")
        return data

    @property
    def day(self) -> dt.date | None:
        """The calendar day; None where only a year or month is known."""
        return dt.date.fromisoformat(self.value[:10]) if len(self.value) >= len("2026-05-01") else None


class Quantity(Part):
    """A number of something."""

    value: Number = Field(description="How many")
    unit: Text | None = Field(default=None, description="UN/ECE Recommendation 20 code (EA, DZN, KGM)")
    unit_source_code: Text | None = Field(
        default=None, description="The partner's own unit code where the map would not write it for `unit`"
    )


class Identifier(Part):
    """A value of a numbering scheme."""

    scheme: Text = Field(
        description="gtin, gln, buyer, supplier, duns, …, or the wire's code where the map knows no word"
    )
    value: Text = Field(description="The identifier itself")
    source_code: Text | None = Field(
        default=None, description="The partner's code for `scheme` where the map writes another"
    )
    code_list: Text | None = Field(default=None, description="Which list it is from (UN/ECE 1131)")
    agency: Text | None = Field(
        default=None, description="Whose list it is from, where `scheme` does not say it (UN/ECE 3055)"
    )


class Property(Part):
    """A named property of an item."""

    name: Text = Field(description="color, size, …")
    value: Text = Field(description="Its value")


class Measurement(Part):
    """A measured or required property (MEA)."""

    type: Text | None = Field(default=None, description="What sort of measurement (X12 737)")
    dimension: Text | None = Field(default=None, description="What is measured (X12 738)")
    significance: Text | None = Field(default=None, description="Exactly, about, at most, … (UN/ECE 6321)")
    value: Number | None = Field(default=None, description="The value")
    unit: Text | None = Field(default=None, description="UN/ECE Rec 20")
    minimum: Number | None = Field(default=None, description="Lower end of a range")
    maximum: Number | None = Field(default=None, description="Upper end of a range")


class Item(Part):
    """A product, under all the numbers its senders give it."""

    ids: tuple[Identifier, ...] = Field(default=(), description="Item numbers by scheme: gtin, upc, buyer, supplier, …")
    name: Text | None = Field(default=None, description="What people call it")
    properties: tuple[Property, ...] = Field(default=(), description="Colour, size and their like")
    measurements: tuple[Measurement, ...] = Field(default=(), description="Measured properties said with the name")

    def by(self, scheme: str) -> str | None:
        """The first number under `scheme`."""
        return next((each.value for each in self.ids if each.scheme == scheme), None)

    @property
    def gtin(self) -> str | None:
        """The GTIN; a UPC or an EAN is one."""
        return self.by("gtin") or self.by("upc") or self.by("ean")

    @property
    def buyer(self) -> str | None:
        """The buyer's item number."""
        return self.by("buyer")

    @property
    def supplier(self) -> str | None:
        """The supplier's item number."""
        return self.by("supplier")


class Description(Part):
    """A coded or free description (PID, PKG)."""

    type: Text = Field(default="free", description="free, structured or semi_structured")
    characteristic: Text | None = Field(default=None, description="Which property is described (X12 750, 753)")
    agency: Text | None = Field(default=None, description="Whose code list `code` is from (X12 559)")
    code: Text | None = Field(default=None, description="The coded description")
    text: Text | None = Field(default=None, description="The description in words")
    measurements: tuple[Measurement, ...] = Field(default=(), description="Measured properties said with it")

    _type_said = said(type="free")


class Packaging(Part):
    """How goods are to be packed, or are packed, coded or in words (PKG)."""

    type: Text | None = Field(default=None, description="free, structured or semi_structured")
    characteristic: Text | None = Field(default=None, description="Which property is described (X12 753)")
    agency: Text | None = Field(default=None, description="Whose code list `code` is from (X12 559)")
    code: Text | None = Field(default=None, description="The coded description")
    text: Text | None = Field(default=None, description="The description in words")
    unit_load: Text | None = Field(default=None, description="How units are bundled (X12 400)")


class Address(Part):
    """A postal address."""

    lines: tuple[Text, ...] = Field(default=(), description="Street lines")
    city: Text | None = Field(default=None, description="City")
    region: Text | None = Field(default=None, description="State or province (ISO 3166-2 without the country)")
    postcode: Text | None = Field(default=None, description="Postal code")
    country: Text | None = Field(default=None, description="ISO 3166-1 alpha-2, or what the partner sends")
    location_type: Text | None = Field(default=None, description="What `location` is (X12 309)")
    location: Text | None = Field(default=None, description="Dock, store or other place inside (X12 310)")
    location_name: Text | None = Field(default=None, description="That place in words")


class Contact(Part):
    """Someone to talk to."""

    role: Text | None = Field(default=None, description="buyer, order_contact, supplier, …, or the wire's code")
    name: Text | None = Field(default=None, description="Name of the person or desk")
    id: Text | None = Field(default=None, description="Number of the person or desk")
    phone: Text | None = Field(default=None, description="Telephone")
    email: Text | None = Field(default=None, description="Electronic mail")
    fax: Text | None = Field(default=None, description="Telefax")


class Reference(Part):
    """A number that points to something elsewhere."""

    type: Text = Field(
        description="department, contract, bill_of_lading, …, or the wire's code where the map has no word"
    )
    value: Text | None = Field(default=None, description="The number")
    qualifier: Text | None = Field(default=None, description="The wire's code where the map writes another for `type`")
    description: Text | None = Field(default=None, description="Words beside it")
    line: Text | None = Field(default=None, description="Line of the document it points to")
    date: When | None = Field(default=None, description="Date of what it points to")
    version: Text | None = Field(default=None, description="Version of what it points to")


class Party(Part):
    """A company or place and its part in the document."""

    role: Text = Field(
        description="buyer, seller, ship_to, ship_from, bill_to, remit_to, mark_for, …, or the wire's code"
    )
    role_source_code: Text | None = Field(
        default=None, description="The partner's code where the map writes another for `role`"
    )
    ids: tuple[Identifier, ...] = Field(default=(), description="Its numbers: gln, duns, assigned_by_buyer, …")
    name: Text | None = Field(default=None, description="Name")
    additional_names: tuple[Text, ...] = Field(default=(), description="Further name lines")
    name_and_address: tuple[Text, ...] = Field(
        default=(), description="Name and address in lines that are not told apart"
    )
    address: Address | None = Field(default=None, description="Where it is")
    contacts: tuple[Contact, ...] = Field(default=(), description="People there")
    references: tuple[Reference, ...] = Field(default=(), description="Its references")


class Price(Part):
    """A price and what it is for."""

    type: Text | None = Field(
        default=None, description="unit for the line's own price; catalog, retail, … or the wire's code"
    )
    trade_class: Text | None = Field(default=None, description="For which class of trade (X12 687)")
    amount: Number | None = Field(default=None, description="The amount in the document's currency")
    basis_quantity: Number | None = Field(default=None, description="The price is for so many")
    basis_unit: Text | None = Field(default=None, description="… of this unit")
    list: Text | None = Field(default=None, description="Which list it is from: catalogue, contract (UN/ECE 5375)")
    source_code: Text | None = Field(
        default=None, description="The partner's basis code (X12 639) or price code (X12 236)"
    )
    multiplier_type: Text | None = Field(default=None, description="What `multiplier` does to the price (X12 648)")
    multiplier: Number | None = Field(default=None, description="Factor on the price, such as a discount")


class AllowanceCharge(Part):
    """An amount off or on top."""

    indicator: Indicator = Field(description="Which of the two; none where it only informs")
    code: Text | None = Field(default=None, description="What for (X12 1300, UN/ECE 7161)")
    agency: Text | None = Field(default=None, description="Whose code `agency_code` is (X12 559)")
    agency_code: Text | None = Field(default=None, description="An industry's own code")
    amount: Number | None = Field(default=None, description="The amount")
    percent_basis: Text | None = Field(default=None, description="What the percentage is of (X12 378)")
    percent: Number | None = Field(default=None, description="The percentage")
    rate: Number | None = Field(default=None, description="Amount for one of `unit`")
    unit: Text | None = Field(default=None, description="UN/ECE Rec 20")
    quantity: Number | None = Field(default=None, description="How many it is for")
    quantity_to: Number | None = Field(default=None, description="Upper end where it holds for a range")
    method: Text | None = Field(default=None, description="How it is settled (X12 331)")
    reference: Text | None = Field(default=None, description="A number to quote")
    option: Text | None = Field(default=None, description="The partner's option number")
    sequence: Text | None = Field(default=None, description="When it is calculated among others (UN/ECE 1227)")
    description: Text | None = Field(default=None, description="In words")


class SaleCondition(Part):
    """A condition the buyer puts on filling the order: ship complete, no backorders (CSH)."""

    requirement: Text | None = Field(default=None, description="Which condition (X12 563)")
    action: Text | None = Field(default=None, description="What to do where it cannot be met (X12 306)")
    amount: Number | None = Field(default=None, description="Amount the condition speaks of")
    account: Text | None = Field(default=None, description="Account to charge")
    date: dt.date | None = Field(default=None, description="Until when")
    agency: Text | None = Field(default=None, description="Whose list `service` is from (X12 559)")
    service: Text | None = Field(default=None, description="A service asked for (X12 560)")
    substitution: Text | None = Field(default=None, description="Whether other goods may be sent (X12 566)")


class Amount(Part):
    """A sum of money and what it is (AMT)."""

    type: Text | None = Field(default=None, description="total, line_items, …, or the wire's code (X12 522)")
    amount: Number | None = Field(default=None, description="The amount in the document's currency")
    direction: Text | None = Field(default=None, description="Credit or debit (X12 478)")
    currency: Text | None = Field(default=None, description="ISO 4217 where it is not the document's")


class Tax(Part):
    """A tax on the document or line."""

    type: Text | None = Field(default=None, description="Which tax (X12 963)")
    percent: Number | None = Field(default=None, description="Rate in percent")
    amount: Number | None = Field(default=None, description="Amount")
    jurisdiction_type: Text | None = Field(default=None, description="What `jurisdiction` is (X12 955)")
    jurisdiction: Text | None = Field(default=None, description="Whose tax it is")
    exempt: Text | None = Field(default=None, description="Exemption code (X12 441)")
    category: Text | None = Field(default=None, description="Standard, reduced, exempt, … (UN/ECE 5305)")
    rate_code: Text | None = Field(default=None, description="Rate as a code (UN/ECE 5279)")
    basis: Text | None = Field(default=None, description="What it is calculated on (UN/ECE 5286)")
    registration: Text | None = Field(default=None, description="Tax number of the party")
    description: Text | None = Field(default=None, description="In words")


class TaxRegistration(Part):
    """A tax number and the place it holds for (TAX)."""

    number: Text | None = Field(default=None, description="The registration or exemption number")
    location_type: Text | None = Field(default=None, description="What `location` is (X12 309)")
    location: Text | None = Field(default=None, description="State, county, city")
    exempt: Text | None = Field(default=None, description="Exemption code (X12 441)")


class Note(Part):
    """Words for people."""

    subject: Text | None = Field(default=None, description="What it is about; a word or the wire's code")
    reference: Text | None = Field(default=None, description="A number the note hangs on")
    function: Text | None = Field(default=None, description="What is to be done with it (UN/ECE 4453)")
    code: Text | None = Field(default=None, description="A text that is agreed by code (UN/ECE 4441)")
    title: Text | None = Field(default=None, description="A short line before the text")
    text: Text | None = Field(default=None, description="The note; line breaks kept")
    language: Text | None = Field(default=None, description="Language of the text, ISO 639")
    at: When | None = Field(default=None, description="Its date")


class Attachment(Part):
    """A document that comes another way (PWK)."""

    type: Text | None = Field(default=None, description="Which paper (X12 755)")
    transmission: Text | None = Field(default=None, description="How it comes (X12 756)")
    number: Text | None = Field(default=None, description="Its number")
    description: Text | None = Field(default=None, description="In words")


class Currency(Part):
    """The currency of all amounts."""

    code: Text = Field(description="ISO 4217")
    role: Text = Field(default="buyer", description="Whose currency it is: buyer, seller, …")

    _role_said = said(role="buyer")


class PaymentTerms(Part):
    """When to pay, and what paying early is worth."""

    type: Text | None = Field(default=None, description="Kind of terms (X12 336)")
    basis: Text | None = Field(default=None, description="From when days count (X12 333)")
    discount_percent: Number | None = Field(default=None, description="Discount in percent")
    discount_basis: Text | None = Field(default=None, description="From when the days of the discount count")
    discount_due: dt.date | None = Field(default=None, description="Discount until this day")
    discount_days: Number | None = Field(default=None, description="Discount within so many days")
    discount_months: Number | None = Field(default=None, description="Discount within so many months")
    discount_weeks: Number | None = Field(default=None, description="Discount within so many weeks")
    due: dt.date | None = Field(default=None, description="Net due on this day")
    days: Number | None = Field(default=None, description="Net due in so many days")
    months: Number | None = Field(default=None, description="Net due in so many months")
    weeks: Number | None = Field(default=None, description="Net due in so many weeks")
    code: Text | None = Field(default=None, description="The terms as an agreed code (UN/ECE 4277)")
    discount_amount: Number | None = Field(default=None, description="Discount as an amount")
    text: Text | None = Field(default=None, description="In words")
    day_of_month: Number | None = Field(default=None, description="Due on this day of a month")
    method: Text | None = Field(default=None, description="How to pay (X12 107)")


class DeliveryTerms(Part):
    """Who pays the freight and where the goods change hands."""

    freight_payment: Text | None = Field(default=None, description="collect, prepaid, …, or the wire's code")
    place_type: Text | None = Field(default=None, description="What `place` is (X12 309)")
    place: Text | None = Field(default=None, description="Named place")
    place_code: Text | None = Field(default=None, description="Named place as a code, UN/LOCODE")
    incoterm_list: Text | None = Field(default=None, description="Whose list `incoterm` is from (X12 334)")
    incoterm: Text | None = Field(default=None, description="Incoterms code")
    title_place_type: Text | None = Field(default=None, description="What `title_place` is (X12 309)")
    title_place: Text | None = Field(default=None, description="Where title passes")
    function: Text | None = Field(default=None, description="What the terms are for: price, despatch (UN/ECE 4055)")
    text: Text | None = Field(default=None, description="In words")


class Carrier(Part):
    """Who carries the goods and how."""

    sequence: Text | None = Field(default=None, description="Place in the route (X12 133)")
    scac: Text | None = Field(default=None, description="Standard Carrier Alpha Code")
    buyer_code: Text | None = Field(default=None, description="The buyer's code for the carrier or routing")
    seller_code: Text | None = Field(default=None, description="The seller's code for the carrier or routing")
    gln: Text | None = Field(default=None, description="GLN of the carrier")
    code: Text | None = Field(default=None, description="A code for the carrier without a list")
    mode: Text | None = Field(default=None, description="motor, air, ocean, …, or the wire's code")
    means: Text | None = Field(default=None, description="Means of transport: truck, container, … (UN/ECE 8179)")
    conveyance: Text | None = Field(default=None, description="Voyage, flight or trip number")
    vehicle: Text | None = Field(default=None, description="Licence plate, name of the ship")
    name: Text | None = Field(default=None, description="Carrier or routing in words")
    status: Text | None = Field(default=None, description="State of the shipment or order (X12 368)")
    location_type: Text | None = Field(default=None, description="What `location` is (X12 309)")
    location: Text | None = Field(default=None, description="Place on the route")
    location_name: Text | None = Field(default=None, description="That place in words")
    departure: When | None = Field(default=None, description="When it leaves that place")
    arrival: When | None = Field(default=None, description="When it is expected at that place")
    service: Text | None = Field(default=None, description="Service level (X12 284)")


class Span(Part):
    """A requested time: a point, or from and to."""

    at: When | None = Field(default=None, description="At this time")
    from_: When | None = Field(default=None, alias="from", description="Not before")
    to: When | None = Field(default=None, description="Not after")


class Window(Part):
    """A window for shipping."""

    not_before: When | None = Field(default=None, description="Earliest")
    not_after: When | None = Field(default=None, description="Latest")


class OtherDate(Part):
    """A date whose meaning has no field of its own."""

    type: Text | None = Field(default=None, description="The wire's qualifier (X12 374)")
    at: When | None = Field(default=None, description="The date")
    period_format: Text | None = Field(default=None, description="How `period` is written (X12 1250): RD8, CM, …")
    period: Text | None = Field(default=None, description="A span or another form of date, as it came (X12 1251)")


class Dimensions(Part):
    """Length, width and height of a package."""

    length: Number | None = Field(default=None, description="Length")
    width: Number | None = Field(default=None, description="Width")
    height: Number | None = Field(default=None, description="Height")
    unit: Text | None = Field(default=None, description="UN/ECE Rec 20")


class Pack(Part):
    """How an item is packed (PO4)."""

    outer: Number | None = Field(default=None, description="Inner units in the outer pack")
    size: Quantity | None = Field(default=None, description="Size of one unit in the pack")
    packaging: Text | None = Field(default=None, description="Kind of packaging (X12 103)")
    weight_type: Text | None = Field(default=None, description="Which weight (X12 187)")
    weight: Quantity | None = Field(default=None, description="Gross weight of one pack")
    volume: Quantity | None = Field(default=None, description="Gross volume of one pack")
    dimensions: Dimensions | None = Field(default=None, description="Outer dimensions")
    inner: Number | None = Field(default=None, description="Units in an inner pack")


class PackageCount(Part):
    """How many packages of a kind, and their weight (TD1)."""

    packaging: Text | None = Field(default=None, description="Kind of package (X12 103)")
    count: Number | None = Field(default=None, description="How many")
    description: Text | None = Field(default=None, description="What is in them")
    weight_type: Text | None = Field(default=None, description="Which weight (X12 187)")
    weight: Quantity | None = Field(default=None, description="Their weight together")
    volume: Quantity | None = Field(default=None, description="Their volume together")
    level: Text | None = Field(default=None, description="Inner, intermediate, outer (UN/ECE 7075)")
    measurements: tuple[Measurement, ...] = Field(default=(), description="Other measured properties")
    marking: Text | None = Field(default=None, description="How they are marked (UN/ECE 4233)")
    marks: tuple[Text, ...] = Field(default=(), description="Marks and labels on them")


class OtherQuantity(Part):
    """A quantity whose meaning has no field of its own."""

    type: Text | None = Field(default=None, description="The wire's qualifier (UN/ECE 6063)")
    value: Number | None = Field(default=None, description="How many")
    unit: Text | None = Field(default=None, description="UN/ECE Recommendation 20 code")


class PaymentInstruction(Part):
    """How to pay (PAI)."""

    conditions: Text | None = Field(default=None, description="Conditions (UN/ECE 4439)")
    guarantee: Text | None = Field(default=None, description="Guarantee (UN/ECE 4431)")
    means: Text | None = Field(default=None, description="Means: transfer, cheque, … (UN/ECE 4461)")
    channel: Text | None = Field(default=None, description="Channel (UN/ECE 4435)")


class Adjustment(Part):
    """Why something was changed (AJT)."""

    reason: Text | None = Field(default=None, description="Reason (UN/ECE 4465)")
    line: Text | None = Field(default=None, description="The line it is about")
    notes: tuple[Note, ...] = Field(default=(), description="The reason in words")


class Totals(Part):
    """Control totals as the sender stated them; absent where they only repeat what can be counted."""

    line_count: Number | None = Field(
        default=None, description="Number of lines (a ship notice: of nodes) where it is not the count"
    )
    hash: Number | None = Field(default=None, description="Hash total; element 347 is truncated and has no sign")
    amount_type: Text | None = Field(default=None, description="Which amount (X12 522)")
    amount: Number | None = Field(default=None, description="Total amount")
    controls: tuple[OtherQuantity, ...] = Field(default=(), description="Control totals with no field of their own")
    allowance_charges: tuple[AllowanceCharge, ...] = Field(
        default=(), description="Amounts off and on top of the whole document, summed up"
    )
    weight: Quantity | None = Field(default=None, description="Weight of the whole")
    volume: Quantity | None = Field(default=None, description="Volume of the whole")


class Interchange(Part):
    """The envelope a document came in or is to leave in."""

    standard: Text | None = Field(default=None, description="x12 or edifact")
    sender: Text | None = Field(default=None, description="Sender as qualifier:id")
    receiver: Text | None = Field(default=None, description="Receiver as qualifier:id")
    control_number: Text | None = Field(default=None, description="ISA13, UNB 0020")
    test: bool | None = Field(default=None, description="Test traffic")
    acknowledgment_requested: bool | None = Field(default=None, description="ISA14, UNB 0031")
    delimiters: Text | None = Field(
        default=None,
        description="Separators of element, component, segment and repetition, in this order; in EDIFACT as in UNA",
    )
    syntax: Text | None = Field(default=None, description="Syntax identifier and version of UNB: UNOC:3")
    message_version: Text | None = Field(
        default=None, description="Version, agency and association of UNH: D96A:UN:EAN008"
    )
    line_ending: Literal["lf", "crlf", "cr"] | None = Field(default=None, description="What follows each segment")


class OrderReference(Part):
    """The order a document answers."""

    number: Text = Field(description="The buyer's order number")
    issue_date: dt.date | None = Field(default=None, description="Its date")
    release_number: Text | None = Field(default=None, description="Release of a blanket order")
