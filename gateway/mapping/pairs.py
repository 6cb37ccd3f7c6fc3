"""Pairs: each turns elements into a value and the value back into the elements. None means that it cannot.

A narrow pair works on one element's text, a wide one on the texts of a range. Values are what canonical JSON
holds. `exact`
says that writing always gives back what was read; of any other pair the reader compares and keeps the wire's form.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gateway.canonical.check_digits import SSCC_LENGTH
from gateway.canonical.parts import precision_of
from gateway.mapping.codes import Codes

_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,23})(?:\.\d{1,11})?\Z", re.ASCII)
_LOOSE: Final = re.compile(r"[+-]?(?:\d{1,24}\.?\d{0,11}|\.\d{1,11})\Z", re.ASCII)
_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)\Z", re.ASCII)
_TIME: Final = re.compile(r"(\d\d)(\d\d)(\d\d)?\Z", re.ASCII)


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
    """X12 type R: a decimal with its point. 007, +5, .5 and 5. are read too."""

    makes: str = "decimal"
    exact: bool = False

    def read(self, text: str) -> str | None:
        """The decimal as canonical JSON has it."""
        if _NUMBER.match(text):
            return text
        return plain(Decimal(text)) if _LOOSE.match(text) else None

    def write(self, value: Any) -> str | None:
        """The decimal without exponent."""
        if isinstance(value, str) and _NUMBER.match(value):
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
class Date:
    """X12 type DT: CCYYMMDD."""

    makes: str = "date"
    exact: bool = True

    def read(self, text: str) -> str | None:
        """ISO 8601."""
        return read_date(text)

    def write(self, value: Any) -> str | None:
        """CCYYMMDD of an ISO date."""
        return value.replace("-", "") if isinstance(value, str) and precision_of(value) == "day" else None


@dataclass(frozen=True, slots=True)
class When:
    """Date, time, zone: DTM02..04 or BSN03..04. UT is UTC; any other zone code stays."""

    makes: str = "when"

    def read(self, texts: list[str]) -> dict[str, str] | None:
        """`{value, precision, zone}`."""
        date = read_date(texts[0])
        if date is None or len(texts) > 3:  # noqa: PLR2004  date, time, zone
            return None
        time = texts[1] if len(texts) > 1 else ""
        zone = texts[2] if len(texts) > 2 else ""  # noqa: PLR2004
        if not time:
            return None if zone else {"value": date, "precision": "day"}
        found = _TIME.match(time)
        if found is None or not (found[1] < "24" and found[2] < "60" and (found[3] or "") < "60"):
            return None
        clock = f"{found[1]}:{found[2]}" + (f":{found[3]}" if found[3] else "")
        when = {"value": f"{date}T{clock}", "precision": "second" if found[3] else "minute"}
        if zone:
            when["zone"] = "UTC" if zone == "UT" else zone
        return when

    def write(self, value: Any, width: int) -> list[str] | None:
        """Date, time and zone as far as they are known and fit; None for a mere year or month."""
        text = value.get("value") if isinstance(value, dict) else value
        if not isinstance(text, str) or precision_of(text) not in ("day", "minute", "second"):
            return None
        zone = value.get("zone", "") if isinstance(value, dict) else ""
        texts = [text[:10].replace("-", "")]
        if len(text) > len("2026-05-01"):
            texts += [text[11:].replace(":", "")] + (["UT" if zone == "UTC" else zone] if zone else [])
        elif zone:
            return None
        return texts if len(texts) <= width else None


@dataclass(frozen=True, slots=True)
class Many:
    """One item of a list in each element."""

    makes: str = "list"

    def read(self, texts: list[str]) -> list[str]:
        """The texts that are there."""
        return [text for text in texts if text]

    def write(self, value: Any, width: int) -> list[str] | None:
        """The items."""
        return list(value) if len(value) <= width else None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Qualifier and value in turn: N103/N104, PO106/107 … PO124/125."""

    codes: Codes
    makes: str = "pairs"

    def read(self, texts: list[str]) -> list[dict[str, str]] | None:
        """`[{scheme, value}]`; `source_code` where the table would write another code."""
        found: list[dict[str, str]] = []
        codes = self.codes
        for place in range(0, len(texts) - 1, 2):
            code, value = texts[place], texts[place + 1]
            if code and value:
                scheme = codes.reading.get(code) or codes.read(code)
                if scheme is None:
                    return None
                pair = {"scheme": scheme, "value": value}
                if not codes.exact and codes.write(scheme) != code:
                    pair["source_code"] = code
                found.append(pair)
        return found or None

    def write(self, value: Any, width: int) -> list[str] | None:
        """Qualifiers and values; None where a scheme has no code or there are too many."""
        texts: list[str] = []
        for each in value:
            own = each.get("source_code")
            code = own if own and self.codes.read(own) == each["scheme"] else self.codes.write(each["scheme"])
            if code is None:
                return None
            texts += [code, each["value"]]
        return texts if len(texts) <= width else None


@dataclass(frozen=True, slots=True)
class Fields:
    """Groups of a qualifier and its values, each group a field that the table names: PER03/04, SCH05/06/07."""

    codes: Codes
    inner: Narrow | Wide
    size: int = 2
    makes: str = "fields"

    def read(self, texts: list[str]) -> dict[str, Any] | None:
        """Value by field; None where a qualifier is unknown or occurs twice."""
        found: dict[str, Any] = {}
        for place in range(0, len(texts), self.size):
            code, *rest = texts[place : place + self.size]
            if not code and not any(rest):
                continue
            field = self.codes.read(code) if code else None
            while rest and not rest[-1]:
                rest.pop()
            if field is None or field in found or not rest:
                return None
            value = read_texts(self.inner, rest)
            if value is None:
                return None
            found[field] = value
        return found or None

    def write(self, value: Any, width: int) -> list[str] | None:
        """The groups in the table's order."""
        texts: list[str] = []
        for field, code in self.codes.writing.items():
            if field not in value:
                continue
            inner = write_texts(self.inner, value[field], self.size - 1)
            if inner is None:
                return None
            texts += [code, *inner, *[""] * (self.size - 1 - len(inner))]
        while texts and not texts[-1]:
            texts.pop()
        return texts if len(texts) <= width else None


@dataclass(frozen=True, slots=True)
class Sscc:
    """MAN01/MAN02: GM with application identifier 00 before the SSCC (20 digits), AA with the bare SSCC (18)."""

    makes: str = "text"

    def read(self, texts: list[str]) -> str | None:
        """The 18 digits."""
        number = texts[1] if len(texts) == 2 else ""  # noqa: PLR2004  qualifier and number
        if not (number.isascii() and number.isdigit()):
            return None
        if len(number) == SSCC_LENGTH + 2 and number.startswith("00"):
            return number[2:]
        return number if len(number) == SSCC_LENGTH else None

    def write(self, value: Any, width: int) -> list[str] | None:
        """GM and 20 digits; the wire's other forms are kept by the reader."""
        right = isinstance(value, str) and len(value) == SSCC_LENGTH and value.isascii() and value.isdigit()
        return ["GM", "00" + value] if right and width > 1 else None


Narrow = Same | Coded | Number | Implied | Date
"""A pair on one element: `read(text)`, `write(value)`; `makes` is text, decimal or date."""
Wide = When | Many | Pairs | Fields | Sscc
"""A pair on a range: `read(texts)`, `write(value, width)`; `makes` is when, list, pairs, fields or text."""


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


def read_date(text: str) -> str | None:
    """CCYYMMDD to ISO 8601; None for anything else and for a day that does not exist."""
    found = _DATE.match(text)
    if found is None:
        return None
    try:
        dt.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return f"{found[1]}-{found[2]}-{found[3]}"
