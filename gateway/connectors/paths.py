"""Addresses below an ERP's base, from a template and the delivery that is on its way; checked before the first one.

What a template needs and a delivery lacks makes that delivery permanent, never a call to another resource.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any
from urllib.parse import quote

from yarl import URL

from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.ports import Delivery


def _number(delivery: Delivery) -> str:
    return str(delivery.body.get("number") or "")


def _order_number(delivery: Delivery) -> str:
    """The order's number: the document's own, its `order`, or the first order node of a ship notice's contents."""
    if delivery.kind == "purchase_order":
        return _number(delivery)
    waiting: list[Any] = [delivery.body]
    while waiting:
        node = waiting.pop()
        order = node.get("order") if isinstance(node, dict) else None
        if isinstance(order, dict) and order.get("number"):
            return str(order["number"])
        contents = node.get("contents") if isinstance(node, dict) else None
        waiting.extend(reversed(contents) if isinstance(contents, list) else ())
    return ""


PLACEHOLDERS: Mapping[str, Callable[[Delivery], str]] = {
    "number": _number,
    "order_number": _order_number,
    "partner": lambda delivery: delivery.partner,
}
"""What a call's path may name."""
LOOKUP_PLACEHOLDERS: Mapping[str, Callable[[Delivery], str]] = {
    **PLACEHOLDERS,
    "idempotency_key": lambda delivery: delivery.idempotency_key,
    "document_id": lambda delivery: delivery.document_id,
}
"""What a look-up may name."""
LATER_PLACEHOLDERS: Mapping[str, Callable[[Delivery], str]] = {
    **LOOKUP_PLACEHOLDERS,
    "their_id": lambda delivery: delivery.their_id or "",
}
"""What the path of a compensation or replacement may name."""


class Template:
    """Text with placeholders. Raises OurFault at once when it names one that is not known."""

    def __init__(self, where: str, text: str, known: Mapping[str, Callable[[Delivery], str]]) -> None:
        self._where, self._text, self._known = where, text, known
        try:
            self._names = frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)
        except ValueError as error:
            raise OurFault(f"{where}: path {text!r}: {error}", remedy="close every brace in the path") from error
        if unknown := self._names - known.keys():
            raise OurFault(
                f"{where}: path {text!r} names {', '.join(sorted(unknown)) or '{}'}",
                remedy=f"use {', '.join(f'{{{name}}}' for name in known)}",
            )

    def text(self, delivery: Delivery) -> str:
        """With the delivery's values, as they are."""
        return self._text.format_map(self._values(delivery))

    def below(self, base_url: str, delivery: Delivery) -> URL:
        """The address of a delivery; values are percent-encoded whole. Raises DeliveryFailed (permanent)."""
        values = {name: quote(value, safe="") for name, value in self._values(delivery).items()}
        path = self._text.format_map(values)
        return URL(f"{base_url.rstrip('/')}/{path.lstrip('/')}", encoded=True)

    def _values(self, delivery: Delivery) -> dict[str, str]:
        values: dict[str, str] = {}
        for name in self._names:
            value = self._known[name](delivery)
            if not value or value in {".", ".."}:  # RFC 3986 5.2.4: dot segments would move to another resource
                raise DeliveryFailed(
                    f"{self._where}: path {self._text} needs {name}, and the document has "
                    f"{value!r}; change the path or the document",
                    outcome=Outcome.PERMANENT,
                )
            values[name] = value
        return values
