"""The documents of the walk: what the ERP orders and what the suppliers answer, as canonical JSON.

Invented companies; GTIN, GLN and SSCC carry right check digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from gateway.simulation import orders
from gateway.simulation.orders import day, sscc

Json = dict[str, Any]


def order(number: str, seller: Mapping[str, str], *, name: str, business_unit: str, today: date) -> Json:
    """What the ERP orders: three lines for one ship-to."""
    made = orders.order(number, [seller], name=name, business_unit=business_unit, today=today)
    return {**made, "totals": {"line_count": len(made["lines"])}}


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
