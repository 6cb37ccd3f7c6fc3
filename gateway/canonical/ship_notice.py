"""A ship notice: what is on its way, and in which packages (X12 856, EDIFACT DESADV).

`contents` is one tree of orders, handling units and lines, in any nesting the partner packs by. `lines` are
the same facts
flat, computed and read-only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, computed_field

from gateway.canonical.header import Allocation, Head
from gateway.canonical.parts import (
    Amount,
    Carrier,
    Currency,
    DeliveryTerms,
    Description,
    Item,
    Measurement,
    Note,
    Number,
    OrderReference,
    OtherDate,
    OtherQuantity,
    Pack,
    PackageCount,
    Packaging,
    Part,
    Party,
    Quantity,
    Reference,
    Text,
    Totals,
    When,
)
from gateway.canonical.vocabulary import Completion


class SpecialHandling(Part):
    """How the goods must be treated (TD4, HAN)."""

    code: Text | None = Field(default=None, description="Handling code (X12 152, UN/ECE 4079)")
    hazard_list: Text | None = Field(default=None, description="Whose classes `hazard_class` is from (X12 208)")
    hazard_class: Text | None = Field(default=None, description="Class of dangerous goods")
    description: Text | None = Field(default=None, description="In words")
    notes: tuple[Note, ...] = Field(default=(), description="Instructions in words")


class Equipment(Part):
    """A trailer, container or wagon (TD3, EQD)."""

    type: Text | None = Field(default=None, description="Kind of equipment (X12 40)")
    initial: Text | None = Field(default=None, description="Owner's initials")
    number: Text | None = Field(default=None, description="Its number")
    seal: Text | None = Field(default=None, description="Seal on it")
    further_seals: tuple[Text, ...] = Field(default=(), description="More seals on it")
    size: Text | None = Field(default=None, description="Size and type as a code (ISO 6346)")
    measurements: tuple[Measurement, ...] = Field(default=(), description="Measured properties")
    special_handling: tuple[SpecialHandling, ...] = Field(default=(), description="How it must be treated")


class Mark(Part):
    """A mark or number on a package that is no single SSCC (MAN, PCI with GIN)."""

    type: Text | None = Field(default=None, description="What sort of mark (X12 88, UN/ECE 7405)")
    value: Text | None = Field(default=None, description="The mark")
    to: Text | None = Field(default=None, description="Last of a range")
    marking: Text | None = Field(default=None, description="What is marked, and by whom (UN/ECE 4233)")
    texts: tuple[Text, ...] = Field(default=(), description="What stands on the label")
    quantity: Quantity | None = Field(default=None, description="How many of the line are marked so")


class Lot(Part):
    """A production lot."""

    lot_number: Text | None = Field(default=None, description="Its number, where it was said")
    expiry: dt.date | None = Field(default=None, description="Not to be used after")
    best_before: dt.date | None = Field(default=None, description="Best before")
    production: dt.date | None = Field(default=None, description="Made on")
    quantity: Quantity | None = Field(default=None, description="How many of it")


class DangerousGoods(Part):
    """What makes an item dangerous to carry (DGS)."""

    regulation: Text | None = Field(default=None, description="Whose rules: ADR, IMD, ICA (UN/ECE 8273)")
    hazard_class: Text | None = Field(default=None, description="Class of dangerous goods")
    page: Text | None = Field(default=None, description="Where the rules speak of it")
    un_number: Text | None = Field(default=None, description="UN number")
    flashpoint: Quantity | None = Field(default=None, description="Flashpoint")
    packing_group: Text | None = Field(default=None, description="Packing group (UN/ECE 8339)")
    notes: tuple[Note, ...] = Field(default=(), description="In words")


class EquipmentPart(Part):
    """The part of a line that is in one trailer or container (SGP)."""

    number: Text = Field(description="Number of the trailer or container")
    quantity: Quantity | None = Field(default=None, description="How many are in it")


class _Node(Part):
    """What all nodes of the tree may carry."""

    references: tuple[Reference, ...] = Field(default=(), description="Numbers that point elsewhere")
    parties: tuple[Party, ...] = Field(
        default=(), description="Who takes part, for instance the store it is marked for"
    )
    descriptions: tuple[Description, ...] = Field(default=(), description="Descriptions")
    measurements: tuple[Measurement, ...] = Field(default=(), description="Measured properties")
    packaging: tuple[Packaging, ...] = Field(default=(), description="Packaging")
    package_counts: tuple[PackageCount, ...] = Field(default=(), description="Packages and their weight")
    carrier: Carrier | None = Field(default=None, description="Who carries this part")
    other_dates: tuple[OtherDate, ...] = Field(default=(), description="Dates")
    pack: Pack | None = Field(default=None, description="How it is packed, with weight and dimensions")
    marks: tuple[Mark, ...] = Field(default=(), description="Marks and numbers that are no SSCC")
    tracking_numbers: tuple[Text, ...] = Field(default=(), description="Parcel numbers")
    notes: tuple[Note, ...] = Field(default=(), description="Words for people")
    special_handling: tuple[SpecialHandling, ...] = Field(default=(), description="How it must be treated")
    other_quantities: tuple[OtherQuantity, ...] = Field(default=(), description="Quantities with no field of their own")
    contents: tuple[Node, ...] = Field(default=(), description="What is inside or below")


class OrderNode(_Node):
    """Goods of one order."""

    kind: Literal["order"] = Field(description="order")
    order: OrderReference = Field(description="Which order")
    completion: Completion | None = Field(default=None, description="Whether more of it follows")


class HandlingUnit(_Node):
    """A pallet, carton or other package; `equipment` is the trailer or container that holds them.

    It stands for several like packages where their contents are only said together: `count`, `ssccs`.
    """

    kind: Literal["handling_unit"] = Field(description="handling_unit")
    type: Text = Field(description="pallet, carton, …")
    type_source_code: Text | None = Field(
        default=None, description="The partner's code where the map would write another for `type`"
    )
    count: Number | None = Field(default=None, description="How many packages it stands for, where not one")
    sscc: Text | None = Field(default=None, description="Serial Shipping Container Code, 18 digits")
    ssccs: tuple[Text, ...] = Field(default=(), description="SSCCs where it stands for several packages")
    gtin: Text | None = Field(default=None, description="GTIN of the package as a trade item")
    equipment: tuple[Equipment, ...] = Field(default=(), description="The trailer or container itself (TD3)")


class ShipLine(_Node):
    """A quantity of one item."""

    kind: Literal["line"] = Field(description="line")
    line_id: Text | None = Field(default=None, description="The line's number in this document (LIN01)")
    order_line_id: Text | None = Field(
        default=None, description="The line's number in the order where it differs from `line_id`"
    )
    item: Item | None = Field(default=None, description="Which item")
    shipped: Quantity | None = Field(default=None, description="How many are shipped")
    ordered: Quantity | None = Field(default=None, description="How many were ordered")
    status: Text | None = Field(default=None, description="accepted, backordered, …, or the wire's code (SN108)")
    cumulative_shipped: Number | None = Field(
        default=None, description="Shipped so far, this shipment included (SN104)"
    )
    lots: tuple[Lot, ...] = Field(default=(), description="Lots")
    serial_numbers: tuple[Text, ...] = Field(default=(), description="Serial numbers")
    country_of_origin: Text | None = Field(default=None, description="ISO 3166-1 alpha-2")
    duty_regime: Text | None = Field(default=None, description="Duty regime (UN/ECE 9213)")
    special_conditions: tuple[Text, ...] = Field(default=(), description="Special conditions (UN/ECE 4183)")
    parent_line_id: Text | None = Field(default=None, description="The line whose part this line is (UN/ECE C829)")
    lot_number: Text | None = Field(default=None, description="Lot of all of it")
    expiry: dt.date | None = Field(default=None, description="None of it to be used after")
    best_before: dt.date | None = Field(default=None, description="All of it best before")
    production: dt.date | None = Field(default=None, description="All of it made on")
    number_ranges: tuple[Mark, ...] = Field(default=(), description="Numbers of pieces, and ranges of them")
    amounts: tuple[Amount, ...] = Field(default=(), description="Sums of money")
    allocations: tuple[Allocation, ...] = Field(default=(), description="Parts for several locations")
    equipment: tuple[EquipmentPart, ...] = Field(default=(), description="Parts in several trailers or containers")
    dangerous_goods: tuple[DangerousGoods, ...] = Field(default=(), description="What makes it dangerous to carry")
    variance: Number | None = Field(default=None, description="Shipped more, or less where negative, than ordered")
    variance_type: Text | None = Field(default=None, description="What `variance` is of (UN/ECE 6063)")
    change_reason: Text | None = Field(default=None, description="Why (UN/ECE 4295)")
    balance_expected: When | None = Field(default=None, description="When the rest will be there")

    @property
    def answers(self) -> str | None:
        """The order's line number this line fills: `order_line_id`, else `line_id`."""
        return self.order_line_id or self.line_id


Node = Annotated[OrderNode | HandlingUnit | ShipLine, Field(discriminator="kind")]
"""One node of the tree, told apart by `kind`."""


class FlatLine(Part):
    """A line with all that stands above it in the tree."""

    order: OrderReference | None = Field(default=None, description="The order it fills")
    line_id: Text | None = Field(default=None, description="Its number in this document")
    order_line_id: Text | None = Field(default=None, description="The order's line it fills")
    item: Item | None = Field(default=None, description="Which item")
    shipped: Quantity | None = Field(default=None, description="How many")
    ssccs: tuple[Text, ...] = Field(default=(), description="SSCCs from the outermost package inwards")


class ShipNotice(Head):
    """One shipment."""

    number: Text = Field(min_length=1, description="The shipment's number (BSN02)")
    issued_at: When | None = Field(default=None, description="When the notice was made (BSN03, BSN04)")
    packing_structure: Text | None = Field(default=None, description="pick_and_pack, standard_pack, … (BSN05)")
    ship_date: When | None = Field(default=None, description="When it left (DTM 011)")
    estimated_delivery: When | None = Field(default=None, description="When it should arrive (DTM 017)")
    other_dates: tuple[OtherDate, ...] = Field(default=(), description="Dates with no field of their own")
    bill_of_lading: Text | None = Field(default=None, description="REF BM")
    pro_number: Text | None = Field(default=None, description="The carrier's own number (REF CN)")
    tracking_numbers: tuple[Text, ...] = Field(default=(), description="Parcel numbers (MAN CP)")
    marks: tuple[Mark, ...] = Field(default=(), description="Marks that are no SSCC")
    carrier: Carrier | None = Field(default=None, description="Who carries the goods")
    equipment: tuple[Equipment, ...] = Field(default=(), description="Trailers and containers")
    seals: tuple[Text, ...] = Field(default=(), description="Seals")
    package_counts: tuple[PackageCount, ...] = Field(default=(), description="Packages and their weight")
    gross_weight: Quantity | None = Field(default=None, description="Weight of the shipment")
    volume: Quantity | None = Field(default=None, description="Volume of the shipment")
    country_of_origin: Text | None = Field(default=None, description="Where the goods were made, ISO 3166-1 alpha-2")
    duty_regime: Text | None = Field(default=None, description="Duty regime (UN/ECE 9213)")
    special_conditions: tuple[Text, ...] = Field(default=(), description="Special conditions (UN/ECE 4183)")
    currency: Currency | None = Field(default=None, description="Currency of the amounts")
    amounts: tuple[Amount, ...] = Field(default=(), description="Sums of money")
    measurements: tuple[Measurement, ...] = Field(default=(), description="Measured properties")
    packaging: tuple[Packaging, ...] = Field(default=(), description="Packaging")
    descriptions: tuple[Description, ...] = Field(default=(), description="Descriptions")
    special_handling: tuple[SpecialHandling, ...] = Field(default=(), description="How the goods must be treated")
    delivery_terms: DeliveryTerms | None = Field(default=None, description="Freight and transfer")
    totals: Totals | None = Field(default=None, description="Control totals as stated")
    contents: tuple[Node, ...] = Field(
        min_length=1, max_length=100_000, description="Orders, packages and lines as packed"
    )

    @computed_field(description="The lines flat, with order and packages; computed, ignored when given")  # type: ignore[prop-decorator]
    @property
    def lines(self) -> tuple[FlatLine, ...]:
        """The lines flat, in the tree's order."""
        return tuple(_flat(self.contents, None, ()))


def _flat(nodes: tuple[Node, ...], order: OrderReference | None, ssccs: tuple[str, ...]) -> Iterator[FlatLine]:
    for node in nodes:
        below_order = node.order if isinstance(node, OrderNode) else order
        below_ssccs = (*ssccs, *_ssccs(node))
        if isinstance(node, ShipLine):
            # A standard pack puts the packages under the item: each of them holds part of it.
            inside = tuple(sscc for unit in node.contents for sscc in _ssccs(unit))
            yield FlatLine(
                order=order,
                line_id=node.line_id,
                order_line_id=node.answers,
                item=node.item,
                shipped=node.shipped,
                ssccs=below_ssccs + inside,
            )
        yield from _flat(node.contents, below_order, below_ssccs)


def flat_lines(contents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`ShipNotice.lines` from contents as canonical JSON, without what is empty; a test holds them equal."""
    return list(_flat_json(contents, None, ()))


def _flat_json(
    nodes: Sequence[Mapping[str, Any]], order: Mapping[str, Any] | None, ssccs: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    for node in nodes:
        kind, inside = node["kind"], node.get("contents", ())
        below = (*ssccs, *_ssccs_of(node)) if kind == "handling_unit" else ssccs
        if kind == "line":
            line_id = node.get("line_id")
            said = {
                "order": order,
                "line_id": line_id,
                "order_line_id": node.get("order_line_id") or line_id,
                "item": node.get("item"),
                "shipped": node.get("shipped"),
                "ssccs": [
                    *below,
                    *(one for unit in inside if unit["kind"] == "handling_unit" for one in _ssccs_of(unit)),
                ],
            }
            yield {name: value for name, value in said.items() if value}
        if inside:
            yield from _flat_json(inside, node["order"] if kind == "order" else order, below)


def _ssccs_of(unit: Mapping[str, Any]) -> tuple[str, ...]:
    sscc = unit.get("sscc")
    return (*((sscc,) if sscc else ()), *unit.get("ssccs", ()))


def _ssccs(node: Node) -> tuple[str, ...]:
    """The SSCCs of a package, or of the like packages it stands for."""
    if not isinstance(node, HandlingUnit):
        return ()
    return (node.sscc, *node.ssccs) if node.sscc else node.ssccs


for _model in (_Node, OrderNode, HandlingUnit, ShipLine, ShipNotice):
    _model.model_rebuild()
