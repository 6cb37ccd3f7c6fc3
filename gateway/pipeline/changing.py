"""Changes of orders against the order they change: the buyer's, and the seller's answers and proposals (M23).

Knows only canonical documents. A seller's change must name an order that it got from us. A buyer's change of an order
that we do not know is passed on with a word: the order may have come another way.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.findings import Finding, JsonPlace, Severity
from gateway.pipeline.matching import unknown_order
from gateway.ports import Document, Json

BRINGS_A_LINE = frozenset({"added", "item_replaced"})
"""What may happen to a line that the order does not have."""


def match_order_change(body: Json, order: Document | None, *, from_seller: bool) -> tuple[Finding, ...]:
    """A change against its order; `from_seller` says whose change it is where the order is not known."""
    if order is None:
        number = (body.get("order") or {}).get("number")
        return (unknown_order(number, "/order/number") if from_seller else _order_not_here(number),)
    return tuple(_lines(body, order))


def _lines(body: Json, order: Document) -> Iterator[Finding]:
    ordered = {line.get("line_id") for line in order.body.get("lines") or () if line.get("line_id")}
    for index, line in enumerate(body.get("lines") or ()):
        theirs = line.get("order_line_id") or line.get("line_id")
        new = line.get("change_type") in BRINGS_A_LINE
        if ordered and theirs is not None and theirs not in ordered and not new:
            yield Finding(
                rule="matching.line_unknown",
                place=JsonPlace(pointer=f"/lines/{index}/line_id"),
                said=f"line {theirs!r}",
                wanted="a line of the order",
                fix="use the order's own line numbers, or say that the line is added",
                severity=Severity.ACCEPT_WITH_ERRORS,
            )


def _order_not_here(number: object) -> Finding:
    return Finding(
        rule="matching.changed_order_unknown",
        place=JsonPlace(pointer="/order/number"),
        said=f"order {number!r}",
        wanted="the number of an order that came to us before",
        fix="send the order first, or ask whether it came another way",
        severity=Severity.ACCEPT_WITH_ERRORS,
    )
