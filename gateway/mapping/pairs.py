"""Pairs: each turns elements into a value and the value back into the elements. None means that it cannot.

A narrow pair works on one element's text, a wide one on the texts of a range. Values are what canonical JSON
holds. `exact`
says that writing always gives back what was read; of any other pair the reader compares and keeps the wire's form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.canonical.check_digits import GLN_LENGTH, GTIN_LENGTHS, SSCC_LENGTH, is_right
from gateway.mapping.codes import Codes
from gateway.mapping.groups import Allocations, Id, Ids, Joined, Many, Pairs, Sscc, Wrapped
from gateway.mapping.hooks import Hooked
from gateway.mapping.moments import Date, Day, Moment, ShortDate, ShortWhen, Stamp, When

NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,23})(?:\.\d{1,11})?\Z", re.ASCII)
_LOOSE: Final = re.compile(r"[+-]?(?:\d{1,24}\.?\d{0,11}|\.\d{1,11})\Z", re.ASCII)
_LENGTHS: Final = {"gtin": GTIN_LENGTHS, "gln": (GLN_LENGTH,), "sscc": (SSCC_LENGTH,)}


@dataclass(frozen=True, slots=True)
class Same:
    """Text as it is."""

    makes: str = "text"
    exact: bool = True

    def read(self, text: str) -> str:
        """The text."""
        return text

    def write(self, value: Any) -> str | None:
        """The text."""
        return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Coded:
    """A code table."""

    codes: Codes
    makes: str = "text"

    @property
    def exact(self) -> bool:
        """As the table is."""
        return self.codes.exact

    def read(self, text: str) -> str | None:
        """The word."""
        return self.codes.read(text)

    def write(self, value: Any) -> str | None:
        """The code."""
        return self.codes.write(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal with its point (X12 type R, EDIFACT n). 007, +5, .5 and 5. are read too; `comma`: and 1,5."""

    comma: bool = False
    makes: str = "decimal"
    exact: bool = False

    def read(self, text: str) -> str | None:
        """The decimal as canonical JSON has it."""
        if NUMBER.match(text):
            return text
        if self.comma and text.count(",") == 1:
            text = text.replace(",", ".")
        return plain(Decimal(text)) if _LOOSE.match(text) else None

    def write(self, value: Any) -> str | None:
        """The decimal without exponent."""
        if isinstance(value, str) and NUMBER.match(value):
            return value
        try:
            number = Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            return None
        return plain(number) if number.is_finite() else None


@dataclass(frozen=True, slots=True)
class Implied:
    """X12 type Nn: an integer whose last `places` digits stand behind a point that is not written."""

    places: int
    makes: str = "decimal"
    exact: bool = False

    def read(self, text: str) -> str | None:
        """The decimal with all its places."""
        sign = "-" if text.startswith("-") else ""
        digits = text[len(sign) :]
        return plain(Decimal(text).scaleb(-self.places)) if digits.isascii() and digits.isdigit() else None

    def write(self, value: Any) -> str | None:
        """The integer; None where the decimal has more places."""
        try:
            number = Decimal(value).scaleb(self.places)
        except (InvalidOperation, TypeError, ValueError):
            return None
        return plain(number.to_integral_value()) if number == number.to_integral_value() else None


@dataclass(frozen=True, slots=True)
class Checked:
    """A GS1 number with a right check digit: gtin, gln, sscc."""

    kind: str
    makes: str = "text"
    exact: bool = True

    def read(self, text: str) -> str | None:
        """The number; None where its length or check digit is wrong."""
        return text if len(text) in _LENGTHS[self.kind] and is_right(text) else None

    def write(self, value: Any) -> str | None:
        """The number."""
        return self.read(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Fields:
    """Groups of a qualifier and its values, each group a field that the table names: PER03/04, SCH05/06/07.

    `last`: the qualifier stands behind its value, as in C040.
    """

    codes: Codes
    inner: Narrow | Wide
    size: int = 2
    makes: str = "fields"
    last: bool = False

    def read(self, texts: list[str]) -> dict[str, Any] | None:
        """Value by field; None where a qualifier is unknown or occurs twice."""
        found: dict[str, Any] = {}
        for place in range(0, len(texts), self.size):
            code, *rest = self._turned(texts[place : place + self.size])
            if not code and not any(rest):
                continue
            field = self.codes.read(code) if code or self.last else None
            while rest and not rest[-1]:
                rest.pop()
            if field is None or field in found or not rest:
                return None
            value = read_texts(self.inner, rest)
            if value is None:
                return None
            found[field] = value
        return found or None

    def _turned(self, group: list[str]) -> list[str]:
        """The group with its qualifier first."""
        if not self.last:
            return group
        full = [*group, *[""] * (self.size - len(group))]
        return [full[-1], *full[:1]]

    def write(self, value: Any, width: int) -> list[str] | None:
        """The groups in the table's order."""
        texts: list[str] = []
        for field, code in self.codes.writing.items():
            if field not in value:
                continue
            inner = write_texts(self.inner, value[field], self.size - 1)
            if inner is None:
                return None
            filling = [""] * (self.size - 1 - len(inner))
            texts += [*inner, *filling, code] if self.last else [code, *inner, *filling]
        while texts and not texts[-1]:
            texts.pop()
        return texts if len(texts) <= width else None


Narrow = Same | Coded | Number | Implied | Date | ShortDate | Checked | Hooked
"""A pair on one element: `read(text)`, `write(value)`; `makes` is text, decimal or date."""
Wide = (
    When | ShortWhen | Stamp | Day | Moment | Many | Joined | Wrapped | Pairs | Ids | Id | Allocations | Fields | Sscc
)
"""A pair on a range: `read(texts)`, `write(value, width)`; `makes` is when, date, list, pairs, fields, text, …"""


def read_texts(pair: Narrow | Wide, texts: list[str]) -> Any:
    """Read with a narrow or a wide pair."""
    if isinstance(pair, Wide):
        return pair.read(texts)
    return pair.read(texts[0]) if len(texts) == 1 and texts[0] else None


def write_texts(pair: Narrow | Wide, value: Any, width: int) -> list[str] | None:
    """Write with a narrow or a wide pair."""
    if isinstance(pair, Wide):
        return pair.write(value, width)
    text = pair.write(value)
    return None if text is None else [text]


def is_wide(pair: Narrow | Wide) -> bool:
    """Whether the pair works on a range."""
    return isinstance(pair, Wide)


def plain(number: Decimal) -> str:
    """Digits and a point, never an exponent."""
    return format(number, "f")
