"""What a partner is told of its answers to our orders: by when, how far they may differ, what becomes of the rest."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.partners.agreement import Agreement
from gateway.partners.service_levels import Matching, Tolerances

OUTSIDE = {
    "hold": "waits until somebody here has looked at it",
    "pass_with_finding": "is taken, and noted",
    "reject": "is refused",
}


def answers(agreement: Agreement) -> Iterator[tuple[str, str]]:
    """A row for each thing that is agreed about answers."""
    receives, levels = agreement.documents.receive, agreement.service_levels
    if "order_acknowledgement" in receives:
        if (hours := levels.order_acknowledgement_hours) is not None:
            yield "Acknowledgement of an order", f"Within {_plain(hours, 'hour')} after you got it."
        elif days := levels.order_acknowledgement_business_days:
            within = _plain(days, "business day")
            yield "Acknowledgement of an order", f"Within {within} (Monday to Friday) after you got it."
    before = levels.ship_notice_before_arrival_hours
    if "ship_notice" in receives and before is not None:
        yield "Ship notice", f"{_plain(before, 'hour')} before the day on which the order wants the goods."
    if agreement.matching is not None:
        yield from _matching(agreement.matching)


def _matching(matching: Matching) -> Iterator[tuple[str, str]]:
    said = list(_tolerated(matching.tolerances))
    if said:
        tolerated = f"{'; '.join(said)}. What differs by more {OUTSIDE[matching.outside_tolerance]}."
        yield "How far an answer may differ from its order", tolerated
    if hours := matching.unknown_order_wait_hours:
        yield "An answer to an order that we do not know yet", f"Waits for the order for {_plain(hours, 'hour')}."


def _tolerated(agreed: Tolerances) -> Iterator[str]:
    for value, words in (
        (agreed.quantity_over_percent, "quantities up to {} % more"),
        (agreed.quantity_under_percent, "quantities up to {} % less"),
        (agreed.price_percent, "prices up to {} % up or down"),
        (agreed.date_days, "dates up to {} days earlier or later"),
    ):
        if value is not None:
            yield words.format(value)


def _plain(number: object, unit: str) -> str:
    text = format(number, "f") if not isinstance(number, int) else str(number)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {unit}{'' if text == '1' else 's'}"
