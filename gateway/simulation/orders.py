"""An order to try an agreement with: three lines for one ship-to, with prices and a date.

Invented companies; GTIN and SSCC carry right check digits. Pure: the day is a parameter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from gateway.canonical.check_digits import check_digit

Json = dict[str, Any]

COMPANY_PREFIX = "0614141"
"""A GS1 company prefix that GS1 itself uses in examples."""

ITEMS: tuple[tuple[int, str, str, str], ...] = (
    (30001, "A-1001", "Cordless drill 18V", "89.50"),
    (30002, "A-1002", "Battery pack 5Ah", "54.00"),
    (30003, "A-1003", "Bit set, 32 pieces", "12.75"),
)
QUANTITIES = ("24", "60", "144")


def sscc(serial: int) -> str:
    """An SSCC of the invented supplier: 18 digits."""
    digits = f"0{COMPANY_PREFIX}{serial:09d}"
    return digits + check_digit(digits)


def serial_of(text: str) -> int:
    """Where the SSCCs of one shipment begin, so that two shipments share none: a number below 999,999,000."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % 999_999 * 1000


def gtin(item: int) -> str:
    """A GTIN-12 (UPC) of the invented supplier."""
    digits = f"{COMPANY_PREFIX[1:]}{item:05d}"
    return digits + check_digit(digits)


def day(value: date) -> Json:
    """A canonical `when` of a day."""
    return {"value": value.isoformat(), "precision": "day"}


def order(
    number: str,
    sellers: Iterable[Mapping[str, str]],
    *,
    name: str,
    today: date,
    business_unit: str | None = None,
    buyers: Iterable[Mapping[str, str]] = ({"scheme": "assigned_by_seller", "value": "C-5005"},),
) -> Json:
    """What a buyer orders of `name`, the seller, who goes by the ids `sellers`."""
    return {
        "number": number,
        "purpose": "original",
        "order_type": "stand_alone",
        "issue_date": today.isoformat(),
        **({"business_unit": business_unit} if business_unit else {}),
        "currency": {"code": "USD"},
        "requested_delivery": {"from": day(today + timedelta(days=14)), "to": day(today + timedelta(days=14))},
        "parties": [
            {"role": "buyer", "name": "Harborline Supply", "ids": [dict(one) for one in buyers]},
            {"role": "seller", "name": name, "ids": [dict(one) for one in sellers]},
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
            for index, ((item, article, text, price), quantity) in enumerate(zip(ITEMS, QUANTITIES, strict=True), 1)
        ],
    }


def capitals(order_: Json) -> Json:
    """The order with its names and addresses in capital letters, for a syntax that has no others; codes stay."""
    made: Json = _capitals(order_)
    return made


def _capitals(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        # The lines of an order are objects, those of an address are texts.
        return {
            key: _capitals(each, "name" if name == "address" and key == "lines" else key) for key, each in value.items()
        }
    if isinstance(value, list):
        return [_capitals(each, name) for each in value]
    return value.upper() if name in {"name", "city"} else value
