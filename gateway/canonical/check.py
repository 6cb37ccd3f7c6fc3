"""The invariants of canonical documents that can be told from the document alone; matching knows the rest.

Each function yields findings of one rule family; nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from gateway.canonical.check_digits import GLN_LENGTH, GTIN_LENGTHS, SSCC_LENGTH, is_right
from gateway.canonical.header import Head, Line, Terms, Trade
from gateway.canonical.order_acknowledgement import OrderAcknowledgement
from gateway.canonical.order_change import OrderChange
from gateway.canonical.parts import Item, Party, Quantity, When
from gateway.canonical.purchase_order import PurchaseOrder
from gateway.canonical.rules import finding
from gateway.canonical.ship_notice import HandlingUnit, OrderNode, ShipLine, ShipNotice
from gateway.findings import Finding

MAX_TREE: Final = 20
_LETTERS: Final = 3
_GTINS: Final = frozenset({"gtin", "upc", "ean"})


def check(document: Head) -> tuple[Finding, ...]:
    """Everything that is wrong with `document` by its own evidence, in the document's order."""
    found = list(_parties(document.parties, "/parties"))
    if isinstance(document, Trade):
        found += _terms(document, "")
        lines: tuple[Line, ...] = ()
        if isinstance(document, (PurchaseOrder, OrderAcknowledgement, OrderChange)):
            lines = document.lines
        for number, line in enumerate(lines):
            found += _line(line, f"/lines/{number}")
        if isinstance(document, PurchaseOrder):
            found += _same_ids(lines)
        stated = document.totals.line_count if document.totals else None
        if stated is not None and stated != len(lines):
            found.append(_count(str(stated), len(lines)))
    if isinstance(document, ShipNotice):
        found += _ship_notice(document)
    return tuple(found)


def _line(line: Line, at: str) -> list[Finding]:
    # What is not there is not asked about: a document has many lines, and most say little.
    found = [*_item(line.item, at, "item"), *_quantity(line.quantity, at, "quantity")]
    if line.parties:
        found += _parties(line.parties, f"{at}/parties")
    if line.currency or line.requested_delivery or line.ship_window:
        found += _terms(line, at)
    for number, schedule in enumerate(line.schedules):
        found += _quantity(schedule.quantity, f"{at}/schedules/{number}", "quantity")
    for number, response in enumerate(getattr(line, "responses", ())):
        below = f"{at}/responses/{number}"
        found += _quantity(response.quantity, below, "quantity")
        found += _item(response.substitute_item, below, "substitute_item")
    return found


def _terms(terms: Terms, at: str) -> Iterator[Finding]:
    if terms.currency and not (
        len(terms.currency.code) == _LETTERS and terms.currency.code.isascii() and terms.currency.code.isupper()
    ):
        yield finding(
            "canonical.currency.code", f"{at}/currency/code", said=terms.currency.code, wanted="three letters"
        )
    if terms.requested_delivery:
        span = terms.requested_delivery
        yield from _ordered(span.from_, span.to, f"{at}/requested_delivery/to")
    if terms.ship_window:
        yield from _ordered(terms.ship_window.not_before, terms.ship_window.not_after, f"{at}/ship_window/not_after")


def _ordered(first: When | None, second: When | None, at: str) -> Iterator[Finding]:
    if first and second and first.day and second.day and first.day > second.day:
        yield finding("canonical.dates.order", at, said=second.value, wanted=f"{first.value} or later")


def _quantity(quantity: Quantity | None, at: str, name: str) -> tuple[Finding, ...]:
    """The quantity in the field `name` of what stands at `at`."""
    value: Decimal | None = quantity.value if quantity else None  # a line of a change may name its unit alone
    if value is None or value >= 0:
        return ()
    return (finding("canonical.quantity.negative", f"{at}/{name}/value", said=str(value), wanted="0 or more"),)


def _item(item: Item | None, at: str, name: str) -> list[Finding]:
    """The item in the field `name` of what stands at `at`."""
    found: list[Finding] = []
    for number, each in enumerate(item.ids if item else ()):
        if each.scheme in _GTINS and not (len(each.value) in GTIN_LENGTHS and is_right(each.value)):
            wanted, place = "8, 12, 13 or 14 digits, the last one the check digit", f"{at}/{name}/ids/{number}/value"
            found.append(finding("canonical.item.check_digit", place, said=each.value, wanted=wanted))
    return found


def _parties(parties: tuple[Party, ...], at: str) -> Iterator[Finding]:
    for number, party in enumerate(parties):
        for place, each in enumerate(party.ids):
            if each.scheme == "gln" and not (len(each.value) == GLN_LENGTH and is_right(each.value)):
                wanted = "13 digits, the last one the check digit"
                pointer = f"{at}/{number}/ids/{place}/value"
                yield finding("canonical.party.check_digit", pointer, said=each.value, wanted=wanted)


def _same_ids(lines: tuple[Line, ...]) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines):
        if line.line_id is None:
            continue
        if line.line_id in seen:
            wanted = f"a number other than that of line {seen[line.line_id] + 1}"
            yield finding("canonical.lines.same_id", f"/lines/{number}/line_id", said=line.line_id, wanted=wanted)
        seen.setdefault(line.line_id, number)


def _count(said: str, count: int) -> Finding:
    return finding("canonical.totals.line_count", "/totals/line_count", said=said, wanted=str(count))


def _ship_notice(notice: ShipNotice) -> Iterator[Finding]:
    yield from _ordered(notice.ship_date, notice.estimated_delivery, "/estimated_delivery")
    seen: dict[str, str] = {}
    nodes = 0
    any_order = False
    # (node, pointer, depth, an order stands above, a line stands above)
    waiting = [(node, f"/contents/{number}", 1, False, False) for number, node in enumerate(notice.contents)]
    waiting.reverse()
    lines_alone: list[str] = []
    while waiting:
        node, at, depth, ordered, in_line = waiting.pop()
        nodes += 1
        if depth == MAX_TREE + 1:
            yield finding("canonical.contents.too_deep", at, said=f"level {depth}", wanted=f"at most {MAX_TREE} levels")
        is_order, is_line = isinstance(node, OrderNode), isinstance(node, ShipLine)
        if is_order:
            any_order = True
            if ordered or in_line:
                said = "an order inside " + ("a line" if in_line else "an order")
                yield finding(
                    "canonical.contents.nesting", at, said=said, wanted="an order under the shipment or a package"
                )
        if isinstance(node, HandlingUnit):
            if node.sscc is not None:
                yield from _sscc(node.sscc, f"{at}/sscc", seen)
            for number, sscc in enumerate(node.ssccs):
                yield from _sscc(sscc, f"{at}/ssccs/{number}", seen)
        if isinstance(node, ShipLine):
            yield from _item(node.item, at, "item")
            yield from _quantity(node.shipped, at, "shipped")
            if not ordered:
                lines_alone.append(at)
        if node.parties:
            yield from _parties(node.parties, f"{at}/parties")
        below = (depth + 1, ordered or is_order, in_line or is_line)
        if node.contents:
            inside = [(each, f"{at}/contents/{number}", *below) for number, each in enumerate(node.contents)]
            waiting += reversed(inside)
    for at in lines_alone if any_order else lines_alone[:1]:
        yield finding(
            "canonical.contents.no_order", at, said="a line with no order above it", wanted="the order it fills"
        )
    stated = notice.totals.line_count if notice.totals else None
    if stated is not None and stated != nodes + 1:  # CTT01 of an 856 counts the HLs, the shipment's own included
        yield _count(str(stated), nodes + 1)


def _sscc(sscc: str, at: str, seen: dict[str, str]) -> Iterator[Finding]:
    if len(sscc) != SSCC_LENGTH or not (sscc.isascii() and sscc.isdigit()):
        yield finding("canonical.sscc.length", at, said=sscc, wanted="18 digits")
    elif not is_right(sscc):
        yield finding(
            "canonical.sscc.check_digit", at, said=sscc, wanted="a right check digit (GS1 General Specifications 7.9)"
        )
    elif sscc in seen:
        yield finding("canonical.sscc.twice", at, said=sscc, wanted=f"an SSCC other than that of {seen[sscc]}")
    seen.setdefault(sscc, at)
