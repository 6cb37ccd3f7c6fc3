"""Answers against what they answer: an acknowledgement or ship notice and the order that this partner was given (M23).

Knows only canonical documents. A partner never learns that another's order exists: an order that is not theirs and an
order that is nowhere give the same finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.findings import Finding, JsonPlace, Severity
from gateway.partners.service_levels import Tolerances
from gateway.pipeline import comparing
from gateway.pipeline.comparing import AN_ASPECT, decimal, get, same_unit
from gateway.pipeline.identity import OBJECT, OrderRef, order_ref, order_refs
from gateway.ports import Document, Json, NewDocument

EXPLAINS_THE_REST = frozenset(
    {"rejected", "deleted", "backordered", "not_accepted", "not_found", "quantity_changed", "changed", "on_hold"}
)
"""Line statuses after which the quantities need not add up to what was ordered."""

ORIGINAL = frozenset({None, "original"})
"""Purposes of a first answer; an order gets one."""

EXPLAINS_A_SURPLUS = frozenset({"quantity_changed", "changed"})
"""Line statuses after which there may be more than was ordered, too."""


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


def match_acknowledgement(
    body: Json, order: Document | None, earlier: Sequence[Document], agreed: Tolerances | None = None
) -> tuple[Finding, ...]:
    """An acknowledgement against its order and the acknowledgements that came before, within what is `agreed`."""
    number = get(body, "order", "number")
    if order is None:
        return (unknown_order(number, "/order/number"),)
    if earlier and body.get("purpose") in ORIGINAL:
        return (already_acknowledged(str(number), earlier[0]),)
    ordered = {line.get("line_id"): line for line in order.body.get("lines") or () if line.get("line_id")}
    findings: list[Finding] = [] if agreed is None else list(comparing.order_refused(body, agreed))
    for index, line in enumerate(body.get("lines") or ()):
        their = line.get("order_line_id") or line.get("line_id")
        mine = ordered.get(their)
        if mine is None:
            if ordered and their is not None and not _added(line):
                findings.append(_unknown_line(f"/lines/{index}", their))
            continue
        if agreed is not None:
            findings.extend(comparing.line_differs(line, mine, order.body, f"/lines/{index}", agreed))
        if not _as_ordered(line, mine):
            findings.extend(_parts_add_up(f"/lines/{index}", line, mine, agreed))
    return tuple(findings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shipment:
    """What counts of an accepted ship notice for those that come after it."""

    number: str
    purpose: str | None
    parts: tuple[tuple[str, str, Decimal], ...]
    """Order's id, its line, the quantity shipped."""


def shipment(notice: Document | NewDocument, orders: Mapping[OrderRef, Document | None]) -> Shipment:
    """An accepted notice held against `orders`."""
    # It may name the release where the one that is judged now does not.
    named = {(one.number, one.body.get("release_number")): one for one in orders.values() if one is not None}
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order, mine, quantity, _ in _compared(notice.body, {**named, **orders}):
        sums[order.id, mine["line_id"]] += quantity
    parts = tuple((order_id, line_id, total) for (order_id, line_id), total in sums.items())
    return Shipment(number=notice.number, purpose=notice.body.get("purpose"), parts=parts)


def match_ship_notice(
    body: Json,
    orders: Mapping[OrderRef, Document | None],
    earlier: Sequence[Document | Shipment] = (),
    agreed: Tolerances | None = None,
) -> tuple[Finding, ...]:
    """A ship notice against the orders that it names and the accepted notices that came before, oldest first.

    `orders` has an entry for each order in the notice.
    """
    named = order_refs(body)
    if not named:
        return (
            Finding(
                rule="matching.order_missing",
                place=JsonPlace(pointer="/contents"),
                said="no order number",
                wanted="the order that was shipped",
                fix="name the order in the notice (856: PRF01 in the order's HL)",
            ),
        )
    findings = [unknown_order(one[0], "/contents") for one in named if orders.get(one) is None]
    if findings or body.get("purpose") == "cancel":
        return tuple(findings)
    if agreed is not None:
        known_orders = {one.id: one for one in orders.values() if one is not None}
        findings += (
            found for one in known_orders.values() for found in comparing.arrival_differs(body, one.body, agreed)
        )
    surplus = (agreed.quantity_over_percent if agreed is not None else None) or Decimal(0)
    shipped: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for notice in _standing([one if isinstance(one, Shipment) else shipment(one, orders) for one in earlier], body):
        for order_id, line_id, quantity in notice.parts:
            shipped[order_id, line_id] += quantity
    for order, mine, quantity, where in _compared(body, orders):
        line_id = mine["line_id"]
        before = shipped[order.id, line_id]
        total = shipped[order.id, line_id] = before + quantity
        wanted = decimal(get(mine, "quantity", "value"))
        if wanted is not None and total > wanted * (1 + surplus / comparing.PERCENT):
            findings.append(
                Finding(
                    rule="matching.shipped_too_much",
                    place=JsonPlace(pointer=f"{_pointer(where)}/shipped/value"),
                    said=f"{total} shipped of line {line_id}" + (f", {before} of it before" if before else ""),
                    wanted=f"at most the {wanted} ordered" + (f" and {surplus} % more" if surplus else ""),
                    fix="correct the quantity, or agree the surplus with the buyer",
                    severity=Severity.ACCEPT_WITH_ERRORS,
                )
            )
    return tuple(findings)


def _standing(earlier: Sequence[Shipment], body: Json) -> list[Shipment]:
    """The notices that still count: the last under each number, none that was cancelled or that `body` replaces."""
    last = {notice.number: notice for notice in earlier}
    return [notice for number, notice in last.items() if number != body.get("number") and notice.purpose != "cancel"]


def _compared(
    body: Json, orders: Mapping[OrderRef, Document | None]
) -> Iterator[tuple[Document, Json, Decimal, _Where]]:
    """The shipped lines that can be held against an order: it, its line, the quantity in its unit, the place."""
    first: OrderRef | None = None  # of the notice: the order of a line that stands under none
    lines: dict[str, dict[Any, Json]] = {}
    for ref, line, where in _shipped_lines(body):
        if ref is None and first is None:
            first = next(iter(order_refs(body)), None)
        named = ref or first
        order = None if named is None else orders.get(named)
        if order is None:
            continue
        if order.id not in lines:
            lines[order.id] = {one.get("line_id"): one for one in order.body.get("lines") or () if one.get("line_id")}
        mine = _line_of(line, lines[order.id])
        quantity = decimal(get(line, "shipped", "value"))
        if mine is not None and quantity is not None and same_unit(line.get("shipped"), mine.get("quantity")):
            yield order, mine, quantity, where


def _line_of(line: Json, ordered: Mapping[Any, Json]) -> Json | None:
    """The order's line. LIN01 often counts within the notice: it is the order's only when the item is the same."""
    if line.get("order_line_id") is not None:
        return ordered.get(line["order_line_id"])
    mine = ordered.get(line.get("line_id"))
    return mine if mine is not None and _same_item(line, mine) else None


def _same_item(line: Json, other: Json) -> bool:
    """Whether both name the item by a number that they share; nearly all repeat the order's numbers as they stand."""
    these, those = (get(one, "item", "ids") or () for one in (line, other))
    return bool(these) and (these == those or not _numbers(these).isdisjoint(_numbers(those)))


def _numbers(ids: Sequence[Any]) -> set[tuple[Any, Any]]:
    return {(get(one, "scheme"), get(one, "value")) for one in ids}


_Where = tuple["_Where | None", int]
"""A node's place: that of the node around it, and its index there; made into a pointer only for a finding."""


def _pointer(where: _Where) -> str:
    above, index = where
    return f"{'' if above is None else _pointer(above)}/contents/{index}"


def _shipped_lines(body: Json) -> Iterator[tuple[OrderRef | None, Json, _Where]]:
    """Every line in the tree with the order it stands under and its place, in order of appearance."""
    pending: list[tuple[Any, OrderRef | None, _Where]] = [
        (node, None, (None, index)) for index, node in enumerate(body.get("contents") or ())
    ]
    pending.reverse()
    while pending:
        node, order, where = pending.pop()
        if not isinstance(node, OBJECT):
            continue
        if "order" in node:
            order = order_ref(node) or order
        if node.get("shipped") is not None:
            yield order, node, where
        if inside := node.get("contents"):
            pending.extend(reversed([(child, order, (where, index)) for index, child in enumerate(inside)]))


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


def _as_ordered(line: Json, ordered: Json) -> bool:
    """Whether one response speaks of just what was ordered, as nearly every line's does: nothing has to add up."""
    responses: Sequence[Json] = line.get("responses") or ()
    return len(responses) == 1 and bool(responses[0].get("quantity") == ordered.get("quantity"))


def _parts_add_up(pointer: str, line: Json, ordered: Json, agreed: Tolerances | None) -> Iterator[Finding]:
    responses = line.get("responses") or ()
    told = [(one.get("status"), decimal(get(one, "quantity", "value"))) for one in responses]
    statuses = {status for status, _ in told}
    wanted = decimal(get(ordered, "quantity", "value"))
    parts = [part for status, part in told if status not in AN_ASPECT]
    if wanted is None or not parts or any(part is None for part in parts):
        return
    if any(not same_unit(one.get("quantity"), ordered.get("quantity")) for one in responses if one.get("quantity")):
        return
    total = sum((part for part in parts if part is not None), Decimal(0))
    # A date or price changed may speak of the whole line again, or of a part of its own: either reading will do.
    everything = sum((part for _, part in told if part is not None), Decimal(0))
    explained = statuses & EXPLAINS_A_SURPLUS or (statuses & EXPLAINS_THE_REST and total <= wanted)
    # Where quantities are agreed about, what was promised has been compared already.
    if wanted not in {total, everything} and not explained and not comparing.compares(agreed, total > wanted):
        yield Finding(
            rule="matching.parts_do_not_add_up",
            place=JsonPlace(pointer=f"{pointer}/responses"),
            said=f"parts of {total}",
            wanted=f"{wanted} as ordered, or a rejection or backorder that explains the rest",
            fix="give a response for the whole quantity",
            severity=Severity.ACCEPT_WITH_ERRORS,
        )
