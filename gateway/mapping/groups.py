"""Pairs of several elements or components: lists, texts put together, qualifiers and values in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gateway.canonical.check_digits import SSCC_LENGTH
from gateway.mapping.codes import UNITS, Codes


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
class Joined:
    """Several texts that are one: a name over two elements."""

    separator: str
    makes: str = "text"

    def read(self, texts: list[str]) -> str:
        """The texts that are there with the separator between them."""
        return self.separator.join(text for text in texts if text)

    def write(self, value: Any, width: int) -> list[str] | None:
        """Cut at each separator, the last text taking the rest; None for no text."""
        if not isinstance(value, str):
            return None
        return value.split(self.separator, width - 1) if self.separator else [value]


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

    def unsaid(self, value: Any) -> list[tuple[str, Any]]:
        """What identifiers say beyond scheme and value, by its place: it has none in the pairs."""
        return [
            (f"{number}/{name}", own)
            for number, each in enumerate(value)
            for name, own in each.items()
            if name not in _SAID
        ]


_SAID: Final = frozenset({"scheme", "value", "source_code", "extensions"})
_PARTY: Final = 3
"""The size of C082: value, code list, agency."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Groups of a value and the code of its scheme: C212 in LIN and PIA, C082 in NAD.

    Of 2 texts: value and code; of 4: code list (1131) and agency (3055) behind them; of 3: value, code list, and the
    agency itself is the scheme.
    """

    codes: Codes
    size: int
    makes: str = "pairs"

    def read(self, texts: list[str]) -> list[dict[str, str]] | None:
        """`[{scheme, value, code_list, agency}]`; None where a value is missing or a code unknown."""
        found: list[dict[str, str]] = []
        for place in range(0, len(texts), self.size):
            group = [*texts[place : place + self.size], *[""] * (place + self.size - len(texts))]
            if not any(group):
                continue
            value, code, code_list, agency = self._parts(group)
            scheme = self.codes.read(code)
            if not value or not scheme:
                return None
            pair = {"scheme": scheme, "value": value}
            if self.codes.write(scheme) != code:
                pair["source_code"] = code
            if code_list:
                pair["code_list"] = code_list
            if agency:
                pair["agency"] = agency
            found.append(pair)
        return found or None

    def _parts(self, group: list[str]) -> tuple[str, str, str, str]:
        """Value, code, code list, agency."""
        if self.size == _PARTY:
            return group[0], group[2], group[1], ""
        return group[0], group[1], *([*group[2:], "", ""][:2])  # type: ignore[return-value]

    def write(self, value: Any, width: int) -> list[str] | None:
        """The groups; None where a scheme has no code, there are too many, or they say more than the groups can."""
        texts: list[str] = []
        for each in value:
            own = each.get("source_code")
            code = own if own and self.codes.read(own) == each["scheme"] else self.codes.write(each["scheme"])
            code_list, agency = each.get("code_list", ""), each.get("agency", "")
            if code is None or (agency and self.size < 4) or (code_list and self.size < 3):  # noqa: PLR2004
                return None
            group = [each["value"], code, code_list, agency]
            if self.size == _PARTY:
                group = [each["value"], code_list, code]
            texts += group[: self.size]
        return texts if len(texts) <= width else None


@dataclass(frozen=True, slots=True)
class Id:
    """One such group, of a field that is one identifier: C517 in LOC."""

    ids: Ids
    makes: str = "id"

    @property
    def codes(self) -> Codes:
        """The table of schemes."""
        return self.ids.codes

    def read(self, texts: list[str]) -> dict[str, str] | None:
        """`{scheme, value}`."""
        found = self.ids.read(texts)
        return found[0] if found else None

    def write(self, value: Any, width: int) -> list[str] | None:
        """The group."""
        return self.ids.write([value], width)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One text over components of so many characters; a component that is not full ends a word."""

    size: int
    makes: str = "text"

    def read(self, texts: list[str]) -> str:
        """The texts put together."""
        text = ""
        for number, each in enumerate(texts):
            text += each if not number or len(texts[number - 1]) == self.size else f" {each}"
        return text

    def write(self, value: Any, width: int) -> list[str] | None:
        """Full components, the last one taking the rest; None for no text."""
        if not isinstance(value, str):
            return None
        count = min(width, -(-len(value) // self.size))
        cut = [value[place * self.size : (place + 1) * self.size] for place in range(count - 1)]
        return [*cut, value[(count - 1) * self.size :]] if count else None


@dataclass(frozen=True, slots=True)
class Allocations:
    """SDQ: a unit, the scheme of the locations, then location and quantity in turn."""

    codes: Codes
    makes: str = "allocations"

    def read(self, texts: list[str]) -> list[dict[str, Any]] | None:
        """`[{location: {scheme, value}, quantity: {value, unit}}]`."""
        unit, code, *rest = [*texts, "", ""] if len(texts) < 2 else texts  # noqa: PLR2004  unit and scheme
        word, scheme = UNITS.read(unit), self.codes.read(code)
        if word is None or scheme is None or len(rest) % 2 or not all(rest):
            return None
        return [
            {"location": {"scheme": scheme, "value": rest[place]}, "quantity": {"value": rest[place + 1], "unit": word}}
            for place in range(0, len(rest), 2)
        ] or None

    def write(self, value: Any, width: int) -> list[str] | None:
        """One segment; None where units or schemes differ, or there are too many."""
        heads = {self._head(each) for each in value}
        if len(heads) != 1:
            return None
        unit, scheme = heads.pop()
        texts = [UNITS.write(unit or ""), self.codes.write(scheme or "")]
        for each in value:
            texts += [(each.get("location") or {}).get("value"), (each.get("quantity") or {}).get("value")]
        found = [text for text in texts if text]
        return found if len(found) == len(texts) <= width else None

    def runs(self, value: Any, width: int) -> list[Any]:
        """The list in the parts that a segment of `width` elements can hold."""
        parts: list[Any] = []
        head: Any = None
        for each in value:
            own = self._head(each)
            if own != head or len(parts[-1]) >= (width - 2) // 2:
                parts.append([])
                head = own
            parts[-1].append(each)
        return parts

    @staticmethod
    def _head(each: dict[str, Any]) -> tuple[Any, Any]:
        """Unit and scheme, which a segment says once."""
        return (each.get("quantity") or {}).get("unit"), (each.get("location") or {}).get("scheme")


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
