"""Pairs of dates and times: a day, a moment with its time zone, and EDIFACT's value with its format qualifier."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, Final

from gateway.canonical.parts import precision_of
from gateway.mapping.codes import Codes

_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)\Z", re.ASCII)
_TIME: Final = re.compile(r"(\d\d)(\d\d)(\d\d)?\Z", re.ASCII)
_CENTURY: Final = 80
"""Two digits of a year below this are 20xx, others 19xx."""
SHORT_YEARS: Final = (1900 + _CENTURY, 1999 + _CENTURY)
"""The first and the last year that YYMMDD can say."""

# UN/EDIFACT 2379 by what it looks like: strptime's words for it, and the precision it gives.
_STAMPS: Final[dict[str, tuple[str, str]]] = {
    "102": ("YYYYMMDD", "day"),
    "203": ("YYYYMMDDHHMM", "minute"),
    "204": ("YYYYMMDDHHMMSS", "second"),
    "610": ("YYYYMM", "month"),
    "602": ("YYYY", "year"),
    "101": ("YYMMDD", "day"),
    "201": ("YYMMDDHHMM", "minute"),
    "202": ("YYMMDDHHMMSS", "second"),
    "303": ("YYYYMMDDHHMMZZZ", "minute"),
    "304": ("YYYYMMDDHHMMSSZZZ", "second"),
}
_WRITTEN: Final[dict[str, str]] = {"day": "102", "minute": "203", "second": "204", "month": "610", "year": "602"}
_ZONED: Final[dict[str, str]] = {"minute": "303", "second": "304"}


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
class ShortDate:
    """X12 type DT before 004010: YYMMDD."""

    makes: str = "date"
    exact: bool = True

    def read(self, text: str) -> str | None:
        """ISO 8601."""
        return read_date(_long(text))

    def write(self, value: Any) -> str | None:
        """YYMMDD of an ISO date; None for one that YYMMDD would say as another."""
        text = Date().write(value)
        return text[2:] if text is not None and _long(text[2:]) == text else None


@dataclass(frozen=True, slots=True)
class ShortWhen:
    """As `When`, the date as YYMMDD."""

    makes: str = "when"

    def read(self, texts: list[str]) -> dict[str, str] | None:
        """`{value, precision, zone}`."""
        return When().read([_long(texts[0]), *texts[1:]])

    def write(self, value: Any, width: int) -> list[str] | None:
        """Date, time and zone; None for a date that YYMMDD would say as another."""
        texts = When().write(value, width)
        if texts is None or _long(texts[0][2:]) != texts[0]:
            return None
        return [texts[0][2:], *texts[1:]]


def _long(text: str) -> str:
    """CCYYMMDD of YYMMDD; empty, which is no date, for anything else."""
    if len(text) != 6 or not text.isascii() or not text.isdigit():  # noqa: PLR2004  YYMMDD
        return ""
    return ("20" if int(text[:2]) < _CENTURY else "19") + text


@dataclass(frozen=True, slots=True)
class Stamp:
    """A value and the qualifier of its format (UN/EDIFACT C507: 2380, 2379)."""

    makes: str = "when"

    def read(self, texts: list[str]) -> dict[str, str] | None:
        """`{value, precision, zone}`; None for formats that are no point in time, and without a qualifier."""
        digits, form = texts[0], texts[1] if len(texts) > 1 else ""
        shape, precision = _STAMPS.get(form, ("", ""))
        if len(digits) != len(shape) or len(texts) > 2:  # noqa: PLR2004  value and format
            return None
        zone = digits[-3:] if shape.endswith("ZZZ") else ""
        digits = digits[: -len(zone)] if zone else digits
        if not (digits.isascii() and digits.isdigit()):
            return None
        if shape.startswith("YYMM"):
            digits = ("20" if int(digits[:2]) < _CENTURY else "19") + digits
        parts = [digits[:4], digits[4:6], digits[6:8]]
        clock = ":".join(digits[place : place + 2] for place in range(8, len(digits), 2))
        value = "-".join(part for part in parts if part) + (f"T{clock}" if clock else "")
        if precision_of(value) != precision:
            return None
        when = {"value": value, "precision": precision}
        return {**when, "zone": zone} if zone else when

    def write(self, value: Any, width: int) -> list[str] | None:
        """The shortest format that says all of it, years with four digits."""
        text = value.get("value") if isinstance(value, dict) else value
        precision = precision_of(text) if isinstance(text, str) else None
        if precision is None or width < 2:  # noqa: PLR2004  value and format
            return None
        zone = value.get("zone", "") if isinstance(value, dict) else ""
        digits = "".join(each for each in str(text) if each.isdigit())
        if not zone:
            return [digits, _WRITTEN[precision]]
        return [digits + zone, _ZONED[precision]] if precision in _ZONED and len(zone) == 3 else None  # noqa: PLR2004  2379 303


@dataclass(frozen=True, slots=True)
class Day:
    """A value with the qualifier of its format where the field is a day: what is more precise is read as its day."""

    makes: str = "date"

    def read(self, texts: list[str]) -> str | None:
        """ISO 8601; None where not even the day is said."""
        when = Stamp().read(texts)
        return when["value"][:10] if when is not None and when["precision"] not in ("year", "month") else None

    def write(self, value: Any, width: int) -> list[str] | None:
        """CCYYMMDD and 102."""
        day = isinstance(value, str) and precision_of(value) == "day"
        return [value.replace("-", ""), "102"] if day and width > 1 else None


_FIELDS: Final = {"at": "at", "period": "period", "period_format": "period_format"}
_MOMENT: Final = Codes(name="moment", reading=_FIELDS, writing=_FIELDS)


@dataclass(frozen=True, slots=True)
class Moment:
    """A value with the qualifier of its format in a list of dates: `at`, or a week or period as it came."""

    makes: str = "moment"
    codes: Codes = _MOMENT
    """The fields it gives."""

    def read(self, texts: list[str]) -> dict[str, Any] | None:
        """`{at}`, or `{period, period_format}`."""
        when = Stamp().read(texts)
        if when is not None:
            return {"at": when}
        if not texts[0] or len(texts) > 2:  # noqa: PLR2004  value and format
            return None
        return dict(zip(("period", "period_format"), texts, strict=False))

    def write(self, value: Any, width: int) -> list[str] | None:
        """Value and format."""
        if "at" in value:
            return Stamp().write(value["at"], width) if len(value) == 1 else None
        texts = [value.get("period", ""), value.get("period_format", "")]
        return texts if texts[0] and Stamp().read(texts) is None else None


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
