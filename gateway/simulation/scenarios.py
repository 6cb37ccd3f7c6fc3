"""What a seller answers to an order: an acknowledgement and ship notices, as canonical documents.

Pure: an order and a day in, documents out; the same order on the same day gets the same answer. Whether a partner's map
can say it is not asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from gateway.simulation.orders import day, serial_of, sscc

Json = dict[str, Any]

SHIPS_AFTER, LATER, ARRIVES_AFTER = 7, 28, 4
"""Days from the order to the goods, to what comes later, and from the notice to the arrival."""
UNITS_PER_SHIPMENT = 997
"""Handling units of one shipment that get an SSCC of their own; an order of more lines has the rest in the last one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What goes back, beside the 997 or CONTRL: an acknowledgement, then the notices in turn."""

    acknowledgement: Json | None = None
    notices: tuple[Json, ...] = ()

    def documents(self) -> tuple[tuple[str, Json], ...]:
        """(kind, document), in the order in which they are sent."""
        first = () if self.acknowledgement is None else (("order_acknowledgement", self.acknowledgement),)
        return (*first, *(("ship_notice", one) for one in self.notices))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One way to answer, with a sentence for people."""

    says: str
    answer: Callable[[Json, date], Answer]


def _accept(order: Json, today: date) -> Answer:
    lines = [_line(line, [_part("accepted", line, today)]) for line in order["lines"]]
    return Answer(
        acknowledgement=_acknowledgement(order, today, "accepted", lines),
        notices=(_notice(order, today, 1, _cartons(order, [(line, line["quantity"]) for line in order["lines"]])),),
    )


def _backorder(order: Json, today: date) -> Answer:
    lines, shipped = [], []
    for line, second in _every_second(order):
        now, rest = _halves(line["quantity"]) if second else (line["quantity"], None)
        parts = [_part("accepted", line, today, now)] if now else []
        parts += [_part("backordered", line, today, rest, days=LATER)] if rest else []
        lines.append(_line(line, parts))
        shipped += [(line, now)] if now else []
    return Answer(
        acknowledgement=_acknowledgement(order, today, "accepted_with_changes", lines),
        notices=(_notice(order, today, 1, _cartons(order, shipped)),) if shipped else (),
    )


def _substitute(order: Json, today: date) -> Answer:
    lines, shipped = [], []
    for number, line in enumerate(order["lines"]):
        if number:
            lines.append(_line(line, [_part("accepted", line, today)]))
            shipped.append((line, line["quantity"]))
            continue
        instead = {"ids": [{"scheme": "supplier", "value": f"{_own_number(line)}-S"}]}
        lines.append(_line(line, [{**_part("substituted", line, today), "substitute_item": instead}]))
        shipped.append(({**line, "item": instead}, line["quantity"]))
    return Answer(
        acknowledgement=_acknowledgement(order, today, "accepted_with_changes", lines),
        notices=(_notice(order, today, 1, _cartons(order, shipped)),),
    )


def _reject(order: Json, today: date) -> Answer:
    del today
    lines = [_line(line, [{"status": "rejected", "quantity": line["quantity"]}]) for line in order["lines"]]
    return Answer(acknowledgement=_acknowledgement(order, None, "rejected", lines))


def _split(order: Json, today: date) -> Answer:
    lines, first, second = [], [], []
    for line in order["lines"]:
        now, rest = _halves(line["quantity"])
        parts = [_part("accepted", line, today, now)] if now else []
        parts += [_part("accepted", line, today, rest, days=LATER)] if rest else []
        lines.append(_line(line, parts))
        first += [(line, now)] if now else []
        second += [(line, rest)] if rest else []
    shipments = [each for each in (first, second) if each]
    return Answer(
        acknowledgement=_acknowledgement(order, today, "accepted_with_changes", lines),
        notices=tuple(
            _notice(order, today, number, _cartons(order, each, number)) for number, each in enumerate(shipments, 1)
        ),
    )


def _mixed_pallet(order: Json, today: date) -> Answer:
    answer = _accept(order, today)
    own = serial_of(order["number"])
    # One pallet over everything; its first carton holds half of the first line and all of the second.
    inside: list[list[Json]] = [[]]
    for number, line in enumerate(order["lines"]):
        here, rest = _halves(line["quantity"]) if not number else (line["quantity"], None)
        mixed = number in {0, 1}
        if mixed and here:
            inside[0].append(_shipped(line, here))
        elif here:
            inside.append([_shipped(line, here)])
        if rest:
            inside.append([_shipped(line, rest)])
    cartons = [_unit("carton", own + 1 + number, each) for number, each in enumerate(_few(filter(None, inside)))]
    pallet = _unit("pallet", own, cartons)
    return Answer(acknowledgement=answer.acknowledgement, notices=(_notice(order, today, 1, [pallet]),))


def _silent(order: Json, today: date) -> Answer:
    del order, today
    return Answer()


SCENARIOS: Mapping[str, Scenario] = {
    "accept": Scenario(says="everything accepted and shipped, a carton for each line", answer=_accept),
    "backorder": Scenario(says="half of every second line accepted, its rest later", answer=_backorder),
    "substitute": Scenario(says="the first line answered and shipped with another item", answer=_substitute),
    "reject": Scenario(says="every line rejected, nothing shipped", answer=_reject),
    "split": Scenario(says="every line in two parts, in two shipments", answer=_split),
    "mixed-pallet": Scenario(says="all on one pallet, with a carton of two items", answer=_mixed_pallet),
    "silent": Scenario(says="a 997 or CONTRL, and no answer to the order", answer=_silent),
}


def _acknowledgement(order: Json, today: date | None, response: str, lines: Sequence[Json]) -> Json:
    issued = {} if today is None else {"issue_date": today.isoformat()}
    return {
        "number": f"OR-{order['number']}"[:30],
        "purpose": "original",
        "response": response,
        "order": _order_reference(order),
        "supplier_order_number": f"SO-{order['number']}"[:30],
        **(issued or {"issue_date": order["issue_date"]}),
        "lines": list(lines),
    }


def _order_reference(order: Json) -> Json:
    named = {"number": order["number"], "issue_date": order.get("issue_date")}
    return {name: value for name, value in named.items() if value is not None}


def _line(ordered: Json, responses: list[Json]) -> Json:
    kept: Json = {key: ordered[key] for key in ("line_id", "quantity", "prices") if key in ordered}
    # A name is the buyer's: partners' answers carry the numbers alone.
    return {**kept, **_item(ordered), "responses": responses}


def _item(ordered: Json) -> Json:
    ids = (ordered.get("item") or {}).get("ids")
    return {"item": {"ids": ids}} if ids else {}


def _part(status: str, line: Json, today: date, quantity: Json | None = None, *, days: int = SHIPS_AFTER) -> Json:
    promised = {"promised_ship": day(today + timedelta(days=days))}
    return {"status": status, "quantity": quantity or line["quantity"], "dates": promised}


def _every_second(order: Json) -> Iterable[tuple[Json, bool]]:
    lines = order["lines"]
    return ((line, len(lines) == 1 or number % 2 == 1) for number, line in enumerate(lines))


def _halves(quantity: Json) -> tuple[Json | None, Json | None]:
    """A quantity in two whole parts, the larger one first; one of a single piece has no first part."""
    whole = Decimal(quantity["value"])
    first = (whole / 2).to_integral_value(ROUND_CEILING) if whole > 1 else Decimal(0)
    parts = (first, whole - first)
    return tuple({**quantity, "value": format(part, "f")} if part else None for part in parts)  # type: ignore[return-value]


def _own_number(line: Json) -> str:
    ids = (line.get("item") or {}).get("ids") or [{"scheme": "", "value": line.get("line_id") or "1"}]
    own = next((one["value"] for one in ids if one["scheme"] == "supplier"), ids[0]["value"])
    return str(own)[:30]


def _notice(order: Json, today: date, number: int, contents: list[Json]) -> Json:
    ships = today + timedelta(days=0 if number == 1 else LATER - SHIPS_AFTER)
    return {
        "number": f"ASN-{order['number']}-{number}"[:30],
        "purpose": "original",
        "issued_at": {"value": f"{today.isoformat()}T12:00", "precision": "minute"},
        "packing_structure": "pick_and_pack",
        "ship_date": day(ships),
        "estimated_delivery": day(ships + timedelta(days=ARRIVES_AFTER)),
        "bill_of_lading": f"BOL-{order['number']}-{number}"[:30],
        "carrier": {"scac": "ODFL", "name": "OLD DOMINION", "mode": "motor"},
        "contents": [{"kind": "order", "order": _order_reference(order), "contents": contents}],
    }


def _cartons(order: Json, shipped: Sequence[tuple[Json, Json]], shipment: int = 1) -> list[Json]:
    own = serial_of(f"{order['number']}/{shipment}")
    inside = _few([_shipped(line, quantity)] for line, quantity in shipped)
    return [_unit("carton", own + number, each) for number, each in enumerate(inside)]


def _few(units: Iterable[list[Json]]) -> list[list[Json]]:
    found = list(units)
    rest = [line for unit in found[UNITS_PER_SHIPMENT - 1 :] for line in unit]
    return [*found[: UNITS_PER_SHIPMENT - 1], *([rest] if rest else [])]


def _unit(type_: str, serial: int, contents: list[Json]) -> Json:
    return {"kind": "handling_unit", "type": type_, "sscc": sscc(serial), "contents": contents}


def _shipped(line: Json, quantity: Json) -> Json:
    named = {"line_id": line["line_id"]} if "line_id" in line else {}
    return {"kind": "line", **named, **_item(line), "shipped": quantity}
