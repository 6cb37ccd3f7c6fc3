"""Numbers of documents times and by a factor: exact to the last digit that a canonical number holds, or not at all."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation

_DIGITS, _PLACES = 30, Decimal(1).scaleb(-12)
"""As much as a canonical number holds."""
_EXACT = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation])


def number(value: object) -> Decimal | None:
    """The decimal in a document's field."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= _DIGITS else None


def exact(value: Decimal, factor: Decimal | None, *, multiply: bool) -> Decimal | None:
    """`value` times, or by, `factor`, where a canonical number holds it to the last digit."""
    if factor is None:
        return value
    try:
        result = _EXACT.multiply(value, factor) if multiply else _EXACT.divide(value, factor)
        return result if result == result.quantize(_PLACES, context=Context(prec=60)) else None
    except (Inexact, InvalidOperation):
        return None
