"""What an answer promises against what was ordered: quantities, prices and days, within what the agreement tolerates.

Knows only canonical documents, in our own words. What is not agreed is not compared; what cannot be compared (another
unit, no number) passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.findings import Finding, JsonPlace, Severity
from gateway.partners.service_levels import Tolerances
from gateway.pipeline.identity import OBJECT
from gateway.ports import Json

REFUSED = frozenset({"rejected", "deleted", "not_found"})
"""Line statuses whose quantity does not come."""
AN_ASPECT = frozenset({"date_changed", "price_changed", "price_pending", "substituted", "schedule_pending"})
"""Line statuses that may speak of an aspect of the line only, not of a part of its quantity."""
PERCENT = Decimal(100)


def line_differs(line: Json, ordered: Json, order: Json, pointer: str, agreed: Tolerances) -> Iterator[Finding]:
    """One line of an acknowledgement against the order's."""
    yield from _quantity(line, ordered, pointer, agreed)
    if agreed.price_percent is not None:
        yield from _price(line, ordered, pointer, agreed.price_percent)
    if agreed.date_days is not None:
        yield from _days(line, (ordered, order), pointer, agreed.date_days)


def order_refused(body: Json, agreed: Tolerances) -> Iterator[Finding]:
    """An acknowledgement that refuses the order as a whole promises nothing."""
    if agreed.quantity_under_percent is not None and body.get("response") == "rejected":
        yield _outside(
            "quantity",
            "/response",
            said="the order is refused",
            wanted=f"at most {agreed.quantity_under_percent} % less than ordered",
        )


def arrival_differs(notice: Json, order: Json, agreed: Tolerances) -> Iterator[Finding]:
    """The day on which a shipment arrives against the day on which its order wants it."""
    arrives = day_of(notice.get("estimated_delivery"))
    if agreed.date_days is not None and arrives is not None:
        yield from _day("/estimated_delivery/value", "arrives", arrives, _wanted((order,)), agreed.date_days)


def compares(agreed: Tolerances | None, promised_more: bool) -> bool:  # noqa: FBT001  which side it is
    """Whether a quantity on that side of what was ordered is agreed about."""
    if agreed is None:
        return False
    return (agreed.quantity_over_percent if promised_more else agreed.quantity_under_percent) is not None


def promised(line: Json, ordered: Json) -> Decimal | None:
    """The quantity that an acknowledged line promises, in the order's unit; None where that cannot be told."""
    wanted = decimal(get(ordered, "quantity", "value"))
    responses = [one for one in line.get("responses") or () if isinstance(one, Mapping)]
    if wanted is None or not responses:
        return wanted
    if any(not same_unit(one.get("quantity"), ordered.get("quantity")) for one in responses if one.get("quantity")):
        return None
    told = [(one.get("status"), decimal(get(one, "quantity", "value"))) for one in responses]
    if len(told) == 1 and told[0][1] is None:
        return Decimal(0) if told[0][0] in REFUSED else wanted
    if all(status in AN_ASPECT for status, _ in told):
        return wanted
    coming = [(status, part) for status, part in told if status not in REFUSED]
    if any(part is None and status not in AN_ASPECT for status, part in coming):
        return None
    total = sum((part for status, part in coming if part is not None and status not in AN_ASPECT), Decimal(0))
    # A date or price changed may speak of the whole line again, or of a part of its own: the reading that fits counts.
    everything = sum((part for _, part in coming if part is not None), Decimal(0))
    return min(total, everything, key=lambda one: abs(one - wanted))


def _quantity(line: Json, ordered: Json, pointer: str, agreed: Tolerances) -> Iterator[Finding]:
    wanted, comes = decimal(get(ordered, "quantity", "value")), promised(line, ordered)
    if not wanted or comes is None or comes == wanted:
        return
    limit = agreed.quantity_over_percent if comes > wanted else agreed.quantity_under_percent
    off = abs(comes - wanted) / wanted * PERCENT
    if limit is not None and off > limit:
        side = "more" if comes > wanted else "less"
        yield _outside(
            "quantity",
            f"{pointer}/responses",
            said=f"{comes} of {wanted} ordered, {_short(off)} % {side}",
            wanted=f"at most {limit} % {side}",
        )


def _price(line: Json, ordered: Json, pointer: str, limit: Decimal) -> Iterator[Finding]:
    wanted = next(filter(None, map(_unit_price, ordered.get("prices") or ())), None)
    if wanted is None or not wanted[0]:
        return
    said = [(one.get("price"), f"{pointer}/responses/{index}/price") for index, one in _coming(line)]
    said += [(one, f"{pointer}/prices/{index}") for index, one in enumerate(line.get("prices") or ())]
    told: set[Decimal] = set()
    for price, place in said:
        found = _unit_price(price)
        if found is None or (found[1] not in {None, wanted[1]} and wanted[1] is not None) or found[0] in told:
            continue
        told.add(found[0])
        off = abs(found[0] - wanted[0]) / wanted[0] * PERCENT
        if off > limit:
            side = "more" if found[0] > wanted[0] else "less"
            yield _outside(
                "price",
                place,
                said=f"a price of {found[0]} where {wanted[0]} was ordered, {_short(off)} % {side}",
                wanted=f"at most {limit} % up or down",
            )


def _days(line: Json, wanting: tuple[Json, ...], pointer: str, limit: int) -> Iterator[Finding]:
    delivery, ship = _wanted(wanting), _wanted_ship(wanting)
    told: set[date] = set()
    for index, response in _coming(line):
        dates = response.get("dates")
        place = f"{pointer}/responses/{index}/dates"
        arrives = day_of(get(dates, "promised_delivery")) or day_of(get(dates, "estimated_delivery"))
        ships = day_of(get(dates, "promised_ship"))
        if arrives is not None:
            checked = ("arrives", arrives, delivery)
        elif ships is not None and ship is not None:
            checked = ("ships", ships, ship)
        elif ships is not None and delivery is not None:  # too late to arrive in time, however fast it travels
            checked = ("ships", ships, (date.min, delivery[1]))
        else:
            continue
        if checked[1] not in told:
            told.add(checked[1])
            yield from _day(place, *checked, limit)


def _day(place: str, what: str, day: date, span: tuple[date, date] | None, limit: int) -> Iterator[Finding]:
    if span is None:
        return
    off = max((span[0] - day).days, (day - span[1]).days)
    if off > limit:
        side = "later" if day > span[1] else "earlier"
        wanted = span[1] if day > span[1] else span[0]
        yield _outside(
            "date",
            place,
            said=f"it {what} on {day}, {off} days {side} than {wanted}",
            wanted=f"at most {limit} days {side}",
        )


def _wanted(wanting: tuple[Json, ...]) -> tuple[date, date] | None:
    """First and last day on which the goods are wanted: the line's, else the order's."""
    for node in wanting:
        span = node.get("requested_delivery")
        first = day_of(get(span, "from")) or day_of(get(span, "at")) or day_of(get(span, "to"))
        last = day_of(get(span, "to")) or day_of(get(span, "at"))
        if first is not None:
            return first, last or date.max
    return None


def _wanted_ship(wanting: tuple[Json, ...]) -> tuple[date, date] | None:
    for node in wanting:
        if (day := day_of(node.get("requested_ship"))) is not None:
            return day, day
    return None


def _coming(line: Json) -> Iterator[tuple[int, Json]]:
    """The responses whose goods come."""
    for index, one in enumerate(line.get("responses") or ()):
        if isinstance(one, Mapping) and one.get("status") not in REFUSED:
            yield index, one


def _unit_price(price: object) -> tuple[Decimal, str | None] | None:
    """The price of one, and of one what; None where there is none."""
    amount = decimal(get(price, "amount"))
    basis = decimal(get(price, "basis_quantity"))
    if amount is None or get(price, "type") not in {None, "unit"} or basis == 0:
        return None
    return amount / (basis or 1), get(price, "basis_unit")


def _outside(what: str, pointer: str, *, said: str, wanted: str) -> Finding:
    return Finding(
        rule=f"matching.{what}_outside_tolerance",
        place=JsonPlace(pointer=pointer),
        said=said,
        wanted=wanted,
        fix="correct it, or agree the difference with the buyer",
        severity=Severity.ACCEPT_WITH_ERRORS,
    )


def _short(number: Decimal) -> str:
    return format(round(number, 2).normalize(), "f")


def day_of(when: object) -> date | None:
    """The day of a canonical time; None where it is less precise than a day."""
    value = get(when, "value")
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def same_unit(one: object, other: object) -> bool:
    """Whether two quantities can be compared: a unit that is not said fits any."""
    first, second = get(one, "unit"), get(other, "unit")
    return first is None or second is None or first == second


def get(value: object, *keys: str) -> Any:
    """What stands there; None where the document has another shape."""
    for key in keys:
        if value is None:
            return None
        value = value.get(key) if isinstance(value, OBJECT) else None
    return value


def decimal(value: object) -> Decimal | None:
    """A number of a canonical document; None where it is none."""
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
