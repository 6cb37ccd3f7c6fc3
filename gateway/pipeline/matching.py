"""Answers against what they answer: an acknowledgement or ship notice and the order that this partner was given (M23).

Knows only canonical documents. A partner never learns that another's order exists: an order that is not theirs and an
order that is nowhere give the same finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.findings import Finding, JsonPlace, Severity
from gateway.pipeline.identity import order_numbers
from gateway.ports import Document, Json, NewDocument

EXPLAINS_THE_REST = frozenset(
    {"rejected", "deleted", "backordered", "not_accepted", "not_found", "quantity_changed", "changed", "on_hold"}
)
"""Line statuses after which the quantities need not add up to what was ordered."""

ORIGINAL = frozenset({None, "original"})
"""Purposes of a first answer; an order gets one."""

NOT_A_PART = frozenset({"date_changed", "price_changed", "price_pending", "substituted", "schedule_pending"})
"""Line statuses that speak of an aspect of the line, not of a part of its quantity."""


def unknown_order(number: str | None, pointer: str) -> Finding:
    """The partner names an order that it never got from us."""
    return Finding(
        rule="matching.order_unknown",
        place=JsonPlace(pointer=pointer),
        said=f"order {number!r}",
        wanted="the number of an order that you received from us",
        fix="check the order number against the order, character by character",
    )


def already_acknowledged(number: str, first: Document | NewDocument) -> Finding:
    """A second original acknowledgement with other content."""
    return Finding(
        rule="matching.already_acknowledged",
        place=JsonPlace(pointer="/order/number"),
        said=f"a second original acknowledgement of order {number}",
        wanted=f"a change or replacement: the order was acknowledged at {first.at:%Y-%m-%d %H:%M} UTC",
        fix="send it with purpose change or replace (BAK01 04 or 05)",
    )


def match_acknowledgement(body: Json, order: Document | None, earlier: Sequence[Document]) -> tuple[Finding, ...]:
    """An acknowledgement against its order and the acknowledgements that came before."""
    number = _get(body, "order", "number")
    if order is None:
        return (unknown_order(number, "/order/number"),)
    if earlier and body.get("purpose") in ORIGINAL:
        return (already_acknowledged(str(number), earlier[0]),)
    ordered = {line.get("line_id"): line for line in order.body.get("lines") or () if line.get("line_id")}
    findings: list[Finding] = []
    for index, line in enumerate(body.get("lines") or ()):
        pointer = f"/lines/{index}"
        their = line.get("order_line_id") or line.get("line_id")
        mine = ordered.get(their)
        if mine is None:
            if ordered and their is not None and not _added(line):
                findings.append(_unknown_line(pointer, their))
            continue
        findings.extend(_parts_add_up(pointer, line, mine))
    return tuple(findings)


def match_ship_notice(body: Json, orders: Mapping[str, Document | None]) -> tuple[Finding, ...]:
    """A ship notice against the orders that it names; `orders` has an entry for each number in the notice."""
    numbers = order_numbers(body)
    if not numbers:
        return (
            Finding(
                rule="matching.order_missing",
                place=JsonPlace(pointer="/contents"),
                said="no order number",
                wanted="the order that was shipped",
                fix="name the order in the notice (856: PRF01 in the order's HL)",
            ),
        )
    findings = [unknown_order(number, "/contents") for number in numbers if orders.get(number) is None]
    if findings:
        return tuple(findings)
    shipped: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order_number, line, pointer in shipped_lines(body):
        order = orders.get(order_number or numbers[0])
        line_id = line.get("order_line_id") or line.get("line_id")
        if order is None or line_id is None:
            continue
        ordered = {one.get("line_id"): one for one in order.body.get("lines") or ()}
        if line_id not in ordered:
            continue  # LIN01 often counts within the notice: only a named order line can be compared
        quantity = _decimal(_get(line, "shipped", "value"))
        wanted = _decimal(_get(ordered[line_id], "quantity", "value"))
        if quantity is None or wanted is None or not _same_unit(line.get("shipped"), ordered[line_id].get("quantity")):
            continue
        shipped[order.number, line_id] += quantity
        if shipped[order.number, line_id] > wanted:
            findings.append(
                Finding(
                    rule="matching.shipped_too_much",
                    place=JsonPlace(pointer=f"{pointer}/shipped/value"),
                    said=f"{shipped[order.number, line_id]} shipped of line {line_id}",
                    wanted=f"at most the {wanted} ordered",
                    fix="correct the quantity, or agree the surplus with the buyer",
                    severity=Severity.ACCEPT_WITH_ERRORS,
                )
            )
    return tuple(findings)


def shipped_lines(body: Json) -> Iterator[tuple[str | None, Json, str]]:
    """Every line in the tree with the order it stands under and its JSON Pointer, in order of appearance."""
    pending: list[tuple[Any, str | None, str]] = [
        (node, None, f"/contents/{index}") for index, node in enumerate(body.get("contents") or ())
    ]
    pending.reverse()
    while pending:
        node, order, pointer = pending.pop()
        if not isinstance(node, Mapping):
            continue
        order = _get(node, "order", "number") or order
        if node.get("shipped") is not None:
            yield order, node, pointer
        children = [
            (child, order, f"{pointer}/contents/{index}") for index, child in enumerate(node.get("contents") or ())
        ]
        pending.extend(reversed(children))


def _added(line: Json) -> bool:
    return any(response.get("status") in {"added", "substituted"} for response in line.get("responses") or ())


def _unknown_line(pointer: str, line_id: str) -> Finding:
    return Finding(
        rule="matching.line_unknown",
        place=JsonPlace(pointer=f"{pointer}/line_id"),
        said=f"line {line_id!r}",
        wanted="a line of the order",
        fix="use the order's own line numbers",
        severity=Severity.ACCEPT_WITH_ERRORS,
    )


def _parts_add_up(pointer: str, line: Json, ordered: Json) -> Iterator[Finding]:
    responses = line.get("responses") or ()
    parts = [_decimal(_get(one, "quantity", "value")) for one in responses if one.get("status") not in NOT_A_PART]
    statuses = {one.get("status") for one in responses}
    wanted = _decimal(_get(ordered, "quantity", "value"))
    if wanted is None or not parts or any(part is None for part in parts):
        return
    if any(not _same_unit(one.get("quantity"), ordered.get("quantity")) for one in responses if one.get("quantity")):
        return
    total = sum((part for part in parts if part is not None), Decimal(0))
    explained = bool(statuses & EXPLAINS_THE_REST) and total <= wanted
    if total != wanted and not explained:
        yield Finding(
            rule="matching.parts_do_not_add_up",
            place=JsonPlace(pointer=f"{pointer}/responses"),
            said=f"parts of {total}",
            wanted=f"{wanted} as ordered, or a rejection or backorder that explains the rest",
            fix="give a response for the whole quantity",
            severity=Severity.ACCEPT_WITH_ERRORS,
        )


def _same_unit(one: object, other: object) -> bool:
    first = one.get("unit") if isinstance(one, Mapping) else None
    second = other.get("unit") if isinstance(other, Mapping) else None
    return first is None or second is None or first == second


def _get(value: object, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _decimal(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
