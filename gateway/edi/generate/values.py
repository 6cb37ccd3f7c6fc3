"""A value for one element: of its type, within its lengths, from its codes; plausible where `plausible` knows it.

X12 text never holds a delimiter, as nothing could release it; EDIFACT text sometimes does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from gateway.edi.delimiters import Delimiters
from gateway.edi.generate.dice import Dice
from gateway.edi.generate.plausible import CODES, DATES, FOREIGN, LINE_COUNTS, LINE_NUMBERS, WORDS
from gateway.edi.guide import ElementSpec
from gateway.errors import OurFault

_DAY = date(2026, 1, 5).toordinal()
_AROUND = 45
"""Days before and after."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SIGNS = _LETTERS + "0123456789"
_SIGNS_OF = {"a": _LETTERS, "ID": _SIGNS}
"""Types whose values look like codes."""
_ODD = 0.06
"""The share of texts with a character that must be released, or outside ASCII."""
_CODE_LENGTH = 6
"""Text that can be no longer than this looks like a code."""
_LONG_TEXT = 10
_WIDE_NUMBER = 9
"""A number of so many digits may have decimals."""


@dataclass(slots=True)
class Draw:
    """What values are made from: the dice, and how many lines the document has so far."""

    dice: Dice
    lines: int = 0


Maker = Callable[[Draw], str]


class Values:
    """Makers of values, one for each element of a guide, made when first needed."""

    def __init__(self, standard: str, delimiters: Delimiters) -> None:
        self._standard = standard
        self._mark = delimiters.decimal[0] if standard == "edifact" else "."
        self._service = "" if delimiters.release is None else delimiters.all
        self._known: dict[int, tuple[ElementSpec, Maker]] = {}

    def simple(self, spec: ElementSpec, draw: Draw) -> str:
        """A value of an element or component that is not composite. Raises OurFault for one that cannot have any."""
        known = self._known.get(id(spec))
        if known is None:
            known = self._known[id(spec)] = (spec, self._maker(spec))  # the spec is kept, so that its id stays its own
        return known[1](draw)

    def _maker(self, spec: ElementSpec) -> Maker:
        low, high = spec.minimum, spec.maximum
        known = tuple(code for code in CODES[self._standard].get(spec.number, ()) if low <= len(code) <= high)
        if spec.codes is not None:
            codes = tuple(sorted(spec.codes))
            if not codes:
                raise OurFault(f"no code is allowed in {spec.label} ({spec.number})", remedy="correct the guide")
            usual = tuple(code for code in known if code in spec.codes) or codes
            return lambda draw: draw.dice.pick(usual)
        if known and spec.type not in {"DT", "TM"}:
            return lambda draw: draw.dice.pick(known)
        if spec.number in LINE_NUMBERS[self._standard] | LINE_COUNTS[self._standard]:
            return lambda draw: str(max(draw.lines, 1)).zfill(low)
        if spec.number in DATES and low <= 8 <= high:  # noqa: PLR2004  CCYYMMDD
            return _date(8)
        if spec.type == "DT":
            return _date(8 if high >= 8 else 6)  # noqa: PLR2004  CCYYMMDD or YYMMDD
        if spec.type == "TM":
            return _time(low, high)
        if spec.type[0] in "NRn":
            decimal = spec.type in {"R", "n"} and high >= _WIDE_NUMBER
            return _number(low, high, self._mark if decimal else "")
        if spec.type in _SIGNS_OF or high <= _CODE_LENGTH:
            return _code(low, high, _SIGNS_OF.get(spec.type, _SIGNS))
        return self._text(low, high)

    def _text(self, low: int, high: int) -> Maker:
        service = self._service

        def text(draw: Draw) -> str:
            dice = draw.dice
            words = dice.pick(WORDS)
            if high >= _LONG_TEXT:
                if dice.chance(_ODD):
                    words = f"{words} {dice.pick(FOREIGN)}"
                elif dice.chance(0.5):
                    words = f"{words} {dice.pick(WORDS)}"
            if service and dice.chance(_ODD):
                at = dice.below(len(words) + 1)
                words = words[:at] + dice.pick(service) + words[at:]
            return _fitted(words, low, high)

        return text


def _fitted(text: str, low: int, high: int) -> str:
    """Neither too long nor too short, without blanks around it."""
    return text[:high].strip().ljust(low, "X")


def _date(length: int) -> Maker:
    def day(draw: Draw) -> str:
        at = date.fromordinal(_DAY + draw.dice.between(-_AROUND, _AROUND))
        return f"{at.year:04d}{at.month:02d}{at.day:02d}"[-length:]

    return day


def _time(low: int, high: int) -> Maker:
    # Element type TM: HHMM, with seconds, with tenths or hundredths of them.
    lengths = tuple(length for length in (4, 6, 7, 8) if low <= length <= high)

    def time(draw: Draw) -> str:
        dice = draw.dice
        text = f"{dice.below(24):02d}{dice.below(60):02d}{dice.below(60):02d}{dice.below(100):02d}"
        return text[: dice.pick(lengths)]

    return time


def _number(low: int, high: int, mark: str) -> Maker:
    most = min(high, max(low, 4))

    def number(draw: Draw) -> str:
        dice = draw.dice
        digits = str(dice.between(1, 9)) + "".join(str(dice.below(10)) for _ in range(dice.between(low, most) - 1))
        if mark and len(digits) + 2 <= high and dice.chance(0.3):
            sign = "-" if dice.chance(0.1) else ""
            return f"{sign}{digits}{mark}{dice.below(100):02d}"
        return digits

    return number


def _code(low: int, high: int, signs: str) -> Maker:
    most = min(high, max(low, 3))

    def code(draw: Draw) -> str:
        dice = draw.dice
        return "".join([dice.pick(signs) for _ in range(dice.between(low, most))])

    return code
