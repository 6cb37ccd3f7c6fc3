"""Pairs on JSON values: each turns a member's value into a field's and back. None means that it cannot.

Texts go through the segment maps' own pairs. What JSON adds: numbers, true and false, arrays of texts, ISO 8601 dates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from gateway.canonical.parts import precision_of
from gateway.mapping.codes import Codes
from gateway.mapping.pairs import Narrow, plain

WHOLE_DIGITS: Final = 18
PLACES: Final = 12
"""Digits before and behind the point that canonical decimals hold."""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,12})?\Z", re.ASCII)
_WHEN: Final = re.compile(r"([^Z+]{4,19}?)(Z|[+-]\d\d:\d\d)?\Z", re.ASCII)


class Pair(Protocol):
    """A pair on one member."""

    @property
    def makes(self) -> str:
        """text, decimal, date, when or list."""

    @property
    def wanted(self) -> str:
        """The JSON value it reads, in words."""

    def read(self, value: Any, /) -> Any:
        """The field's value."""

    def write(self, value: Any, /) -> Any:
        """The member's value."""


@dataclass(frozen=True, slots=True)
class Said:
    """A JSON string, through a pair on texts."""

    inner: Narrow | IsoDate
    makes: str
    wanted: str = "a text"

    def read(self, value: Any) -> Any:
        """What the text means."""
        return self.inner.read(value) if isinstance(value, str) else None

    def write(self, value: Any) -> Any:
        """The text."""
        return self.inner.write(value)


@dataclass(frozen=True, slots=True)
class JsonNumber:
    """A JSON number: of a decimal, or of a text that is the number's digits. Trailing zeros stay."""

    makes: str
    wanted: str = "a number"

    def read(self, value: Any) -> str | None:
        """The digits without exponent."""
        if not isinstance(value, Decimal) or abs(value.adjusted()) > WHOLE_DIGITS:
            return None
        text = plain(value)
        return text if _NUMBER.match(text) else None

    def write(self, value: Any) -> Decimal | None:
        """The number; None for a text such as 007, which a number cannot hold."""
        return Decimal(value) if isinstance(value, str) and _NUMBER.match(value) else None


@dataclass(frozen=True, slots=True)
class Flag:
    """true and false through a table whose codes are true and false."""

    codes: Codes
    makes: str = "text"
    wanted: str = "true or false"

    def read(self, value: Any) -> str | None:
        """The word."""
        return self.codes.read("true" if value else "false") if isinstance(value, bool) else None

    def write(self, value: Any) -> bool | None:
        """The truth value."""
        code = self.codes.write(value) if isinstance(value, str) else None
        return code == "true" if code in ("true", "false") else None


@dataclass(frozen=True, slots=True)
class Option:
    """A whole number through a table of codes, as ERPs number their choices."""

    codes: Codes
    makes: str = "text"
    wanted: str = "a whole number of the table"

    def read(self, value: Any) -> str | None:
        """The word."""
        whole = (
            isinstance(value, Decimal) and abs(value.adjusted()) <= WHOLE_DIGITS and value == value.to_integral_value()
        )
        return self.codes.read(plain(value.to_integral_value())) if whole else None

    def write(self, value: Any) -> Decimal | None:
        """The number."""
        code = self.codes.write(value) if isinstance(value, str) else None
        return Decimal(code) if code is not None and _NUMBER.match(code) else None


@dataclass(frozen=True, slots=True)
class IsoDate:
    """ISO 8601 calendar date, as canonical JSON has it."""

    makes: str = "date"
    exact: bool = True

    def read(self, text: str) -> str | None:
        """The date, if there is such a day."""
        return text if precision_of(text) == "day" else None

    def write(self, value: Any) -> str | None:
        """The date."""
        return value if isinstance(value, str) and precision_of(value) == "day" else None


@dataclass(frozen=True, slots=True)
class IsoWhen:
    """One ISO 8601 text, as precise as it is: 2026-05, 2026-05-01, 2026-05-01T08:30:00+02:00. Z is UTC."""

    makes: str = "when"
    wanted: str = "an ISO 8601 date, or date and time"

    def read(self, value: Any) -> dict[str, str] | None:
        """`{value, precision, zone}`."""
        found = _WHEN.match(value) if isinstance(value, str) else None
        precision = precision_of(found[1]) if found else None
        if found is None or precision is None or (found[2] and precision not in ("minute", "second")):
            return None
        when = {"value": found[1], "precision": precision}
        if found[2]:
            when["zone"] = "UTC" if found[2] == "Z" else found[2]
        return when

    def write(self, value: Any) -> str | None:
        """The text; None for a zone that ISO 8601 cannot say, such as ET."""
        text = value.get("value") if isinstance(value, dict) else None
        if not isinstance(text, str):
            return None
        zone = str(value.get("zone") or "")
        made = text + ("Z" if zone == "UTC" else zone)
        return made if self.read(made) is not None else None


@dataclass(frozen=True, slots=True)
class Texts:
    """An array of texts for a list of texts, or for the lines of one text."""

    joined: bool = False
    makes: str = "list"
    wanted: str = "an array of texts"

    def read(self, value: Any) -> list[str] | str | None:
        """The texts; None where an item is none, or the list could not be written again."""
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            return None
        if self.joined:
            return None if any("\n" in each for each in value) else "\n".join(value)
        return value if all(value) else None

    def write(self, value: Any) -> list[str] | None:
        """The array."""
        return value.split("\n") if self.joined else list(value)
