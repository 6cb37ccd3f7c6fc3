"""The documents of the walk: what the ERP orders and what the suppliers answer, as canonical JSON.

Invented companies; GTIN, GLN and SSCC carry right check digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

Json = dict[str, Any]

COMPANY_PREFIX = "0614141"
"""A GS1 company prefix that GS1 itself uses in examples."""


def gs1_check_digit(digits: str) -> str:
    """The check digit of a GS1 key (GTIN, GLN, SSCC): weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if index % 2 == 0 else 1) for index, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def sscc(serial: int) -> str:
    """An SSCC of the scenario's supplier: 18 digits."""
    digits = f"0{COMPANY_PREFIX}{serial:09d}"
    return digits + gs1_check_digit(digits)


def gtin(item: int) -> str:
    """A GTIN-12 (UPC) of the scenario's supplier."""
    digits = f"{COMPANY_PREFIX[1:]}{item:05d}"
    return digits + gs1_check_digit(digits)


ITEMS: tuple[tuple[int, str, str, str], ...] = (
    (30001, "A-1001", "Cordless drill 18V", "89.50"),
    (30002, "A-1002", "Battery pack 5Ah", "54.00"),
    (30003, "A-1003", "Bit set, 32 pieces", "12.75"),
)


def day(value: date) -> Json:
    """A canonical `when` of a day."""
    return {"value": value.isoformat(), "precision": "day"}


def order(number: str, seller: Mapping[str, str], *, name: str, business_unit: str, today: date) -> Json:
    """What the ERP orders: three lines for one ship-to."""
    quantities = ("24", "60", "144")
    return {
        "number": number,
        "purpose": "original",
        "order_type": "stand_alone",
        "issue_date": today.isoformat(),
        "business_unit": business_unit,
        "currency": {"code": "USD"},
        "requested_delivery": {"from": day(today + timedelta(days=14)), "to": day(today + timedelta(days=14))},
        "parties": [
            {
                "role": "buyer",
                "name": "Harborline Supply",
                "ids": [{"scheme": "assigned_by_seller", "value": "C-5005"}],
            },
            {"role": "seller", "name": name, "ids": [dict(seller)]},
            {
                "role": "ship_to",
                "name": "Harborline DC Dayton",
                "ids": [{"scheme": "assigned_by_buyer", "value": "DC07"}],
                "address": {
                    "lines": ["4100 Needmore Road"],
                    "city": "Dayton",
                    "region": "OH",
                    "postcode": "45424",
                    "country": "US",
                },
            },
        ],
        "lines": [
            {
                "line_id": str(index),
                "quantity": {"value": quantity, "unit": "EA"},
                "prices": [{"type": "unit", "amount": price}],
                "item": {
                    "ids": [
                        {"scheme": "buyer", "value": f"M{article}"},
                        {"scheme": "supplier", "value": article},
                        {"scheme": "upc", "value": gtin(item)},
                    ],
                    "name": text,
                },
            }
            for index, ((item, article, text, price), quantity) in enumerate(zip(ITEMS, quantities, strict=True), 1)
        ],
        "totals": {"line_count": 3},
    }


def acknowledgement(order_: Json, *, supplier_number: str, today: date) -> Json:
    """The supplier's answer: one line accepted, one backordered in part, one with another price."""
    first, second, third = order_["lines"]
    ship = {"promised_ship": day(today + timedelta(days=7))}
    later = {"promised_ship": day(today + timedelta(days=28))}
    return {
        "purpose": "original",
        "response": "accepted_with_changes",
        "order": {"number": order_["number"], "issue_date": order_["issue_date"]},
        "supplier_order_number": supplier_number,
        "issue_date": today.isoformat(),
        "lines": [
            _line(first, [{"status": "accepted", "quantity": first["quantity"], "dates": ship}]),
            _line(
                second,
                [
                    {"status": "accepted", "quantity": {"value": "40", "unit": "EA"}, "dates": ship},
                    {"status": "backordered", "quantity": {"value": "20", "unit": "EA"}, "dates": later},
                ],
            ),
            _line(
                third,
                [{"status": "price_changed", "quantity": third["quantity"], "dates": ship}],
                price="13.10",
            ),
        ],
    }


def _line(ordered: Json, responses: list[Json], *, price: str | None = None) -> Json:
    line: Json = {key: ordered[key] for key in ("line_id", "quantity", "item", "prices") if key in ordered}
    if price is not None:
        line["prices"] = [{"type": "unit", "amount": price}]
    return {**line, "responses": responses}


def ship_notice(order_: Json, *, number: str, now: datetime) -> Json:
    """The goods: two pallets with cartons, each with its SSCC."""
    first, second, third = order_["lines"]
    return {
        "number": number,
        "purpose": "original",
        "issued_at": {"value": now.strftime("%Y-%m-%dT%H:%M"), "precision": "minute"},
        "packing_structure": "pick_and_pack",
        "ship_date": day(now.date()),
        "estimated_delivery": day(now.date() + timedelta(days=4)),
        "bill_of_lading": "BOL-88120",
        "carrier": {"scac": "ODFL", "name": "Old Dominion", "mode": "motor"},
        "contents": [
            {
                "kind": "order",
                "order": {"number": order_["number"], "issue_date": order_["issue_date"]},
                "contents": [
                    _pallet(1, [_carton(2, first, "12"), _carton(3, first, "12")]),
                    _pallet(4, [_carton(5, second, "40"), _carton(6, third, "144")]),
                ],
            }
        ],
    }


def _pallet(serial: int, cartons: list[Json]) -> Json:
    return {"kind": "handling_unit", "type": "pallet", "sscc": sscc(serial), "contents": cartons}


def _carton(serial: int, ordered: Json, quantity: str) -> Json:
    line = {
        "kind": "line",
        "line_id": ordered["line_id"],
        "item": ordered["item"],
        "shipped": {"value": quantity, "unit": "EA"},
    }
    return {"kind": "handling_unit", "type": "carton", "sscc": sscc(serial), "contents": [line]}
