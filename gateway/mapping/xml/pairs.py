"""Pairs on XML and CSV text: each turns a text into a field's value and back. None means that it cannot.

Space around codes, numbers and dates says nothing (XML Schema collapses it). A date may come with a zone or a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from gateway.mapping.codes import Codes
from gateway.mapping.json.pairs import IsoDate, IsoWhen, Texts
from gateway.mapping.moments import Date
from gateway.mapping.pairs import Narrow, Number
from gateway.mapping.xml.text import may_hold

_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d|T[\d:.]{5,18}(?:Z|[+-]\d\d:\d\d)?)?\Z", re.ASCII)
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A text through a pair on texts. `exact`: its spaces count."""

    inner: Narrow | IsoDate | Day | CommaNumber
    makes: str
    wanted: str = "a text"
    exact: bool = False

    @property
    def codes(self) -> Codes | None:
        """The table of the inner pair."""
        found: Codes | None = getattr(self.inner, "codes", None)
        return found

    def read(self, value: Any) -> Any:
        """What the text means."""
        if not isinstance(value, str):
            return None
        return self.inner.read(value if self.exact else value.strip())

    def write(self, value: Any) -> str | None:
        """The text, if a document can hold it."""
        text = self.inner.write(value)
        return text if isinstance(text, str) and may_hold(text) else None


@dataclass(frozen=True, slots=True)
class Day:
    """xsd:date, with a zone or even a time behind it, which the field cannot hold."""

    inner: IsoDate | Date
    makes: str = "date"

    def read(self, text: str) -> str | None:
        """The day."""
        found = _DAY.match(text)
        return self.inner.read(found[1] if found and isinstance(self.inner, IsoDate) else text)

    def write(self, value: Any) -> str | None:
        """The day alone."""
        return self.inner.write(value)


@dataclass(frozen=True, slots=True)
class Moment:
    """xsd:date or xsd:dateTime as precise as it is; fractions of a second and the zone of a day are passed over."""

    makes: str = "when"
    wanted: str = "an ISO 8601 date, or date and time"

    def read(self, value: Any) -> dict[str, str] | None:
        """`{value, precision, zone}`."""
        if not isinstance(value, str):
            return None
        found = _MOMENT.match(value.strip())
        text = found[1] + (found[2] + (found[3] or "") if found[2] else "") if found else value.strip()
        return IsoWhen().read(text)

    def write(self, value: Any) -> str | None:
        """The text."""
        return IsoWhen().write(value)


@dataclass(frozen=True, slots=True)
class Elements(Texts):
    """One text in each of several elements of a name."""

    wanted: str = "elements of text"
    width: int = 0
    """How many elements there are; 0: any number."""

    def read(self, value: Any) -> list[str] | str | None:
        """The texts; empty ones say nothing in a list."""
        if not isinstance(value, list):
            return None
        return Texts.read(self, value if self.joined else [each for each in value if each] or None)

    def write(self, value: Any) -> list[str] | None:
        """The texts, if a document can hold them."""
        made = Texts.write(self, value)
        fits = made is not None and (not self.width or len(made) <= self.width) and all(map(may_hold, made))
        return made if fits else None


@dataclass(frozen=True, slots=True)
class CommaNumber:
    """A decimal with a comma: 12,50."""

    makes: str = "decimal"
    exact: bool = False

    def read(self, text: str) -> str | None:
        """The decimal; a point would be a thousands' mark or a mistake."""
        return None if "." in text else Number().read(text.replace(",", "."))

    def write(self, value: Any) -> str | None:
        """The decimal with its comma."""
        text = Number().write(value)
        return None if text is None else text.replace(".", ",")
