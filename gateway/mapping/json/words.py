"""The words of a JSON map's line: pointers (`/Header/Plant`), constants (`=2 | number`), paths and pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from gateway.canonical.shape import near
from gateway.mapping.codes import Codes
from gateway.mapping.json.pairs import Flag, IsoDate, IsoWhen, JsonNumber, Option, Pair, Said, Texts
from gateway.mapping.moments import Date
from gateway.mapping.pairs import Coded, Number, Same
from gateway.mapping.paths import Path, read_path
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node

NAMES: Final = ("code", "flag", "option", "number", "decimal", "date", "when", "list", "lines", "count")
_CONSTANT: Final = re.compile(r"=(.*?)(?: with ([a-z][a-z0-9_.]*))?(?: \| (number|flag))?\Z", re.DOTALL)
_SIMPLE: Final[Mapping[tuple[str, ...], Pair]] = {
    (): Said(Same(), "text"),
    ("decimal",): Said(Number(), "decimal", "a text with a decimal"),
    ("date",): Said(IsoDate(), "date", "a date such as 2026-05-01"),
    ("date", "compact"): Said(Date(), "date", "a date such as 20260501"),
    ("when",): IsoWhen(),
    ("list",): Texts(),
    ("lines",): Texts(joined=True),
}
_CODED: Final = {"code": Coded, "flag": Flag, "option": Option}


@dataclass(frozen=True, slots=True)
class JsonLine:
    """The right side of a line that names a field."""

    path: Path
    pair: Pair
    table: Codes | None = None
    beside: Path | None = None
    count: Path | None = None


@dataclass(frozen=True, slots=True)
class JsonConstant:
    """The right side of a line that names none."""

    value: Any
    field: str


def read_constant(text: str) -> JsonConstant | None:
    """The value of `=X`, `=X with field`, `=2 | number`, `=true | flag`; None where it is no such constant."""
    found = _CONSTANT.match(text)
    if found is None:
        return None
    value: Any = found[1]
    if found[3] == "number":
        value = Decimal(value) if re.fullmatch(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,12})?", value, re.ASCII) else None
    elif found[3] == "flag":
        value = {"true": True, "false": False}.get(value)
    return None if value is None else JsonConstant(value, found[2] or "")


def read_line(
    node: Node, key: str, codes: Mapping[str, Codes], problems: Problems, *, digits: bool = False
) -> JsonLine | None:
    """Path and pair of `path | pair`; None, with the reason in `problems`. `digits`: the field is a text."""
    words = [word.strip() for word in (node.text or "").split("|")]
    path = read_path(words[0])
    if not path:
        wanted = "a path such as order.number, or =VALUE"
        problems.add("map.file.shape", node.file, node.line, key, said=node.text or "nothing", wanted=wanted)
        return None
    call = tuple(words[1].split()) if len(words) > 1 else ()
    if len(words) > 2 or (len(words) > 1 and not call):  # noqa: PLR2004  path and pair
        problems.add("map.pair.unknown", node.file, node.line, key, said=node.text or "", wanted="one pair after the |")
        return None
    if call in _SIMPLE:
        return JsonLine(path, _SIMPLE[call])
    if call == ("number",):
        return JsonLine(path, JsonNumber("text" if digits else "decimal"))
    name, rest = call[0], call[1:]
    counted = read_path(rest[0]) if name == "count" and len(rest) == 1 else None
    if counted:
        return JsonLine(path, JsonNumber("decimal"), count=counted)
    beside = read_path(rest[2]) if name == "code" and rest[1:2] == ("beside",) and len(rest) == 3 else None  # noqa: PLR2004
    if name in _CODED and rest and (len(rest) == 1 or beside):
        table = codes.get(rest[0])
        if table is None:
            wanted = "a table under codes" + near(rest[0], codes)
            problems.add("map.codes.unknown", node.file, node.line, key, said=rest[0], wanted=wanted)
            return None
        pair: Pair = Said(Coded(table), "text", "a code") if name == "code" else _CODED[name](table)
        return JsonLine(path, pair, table, beside)
    wanted = "one of " + ", ".join(NAMES) + (near(name, NAMES) if name not in NAMES else " with its parameters")
    problems.add("map.pair.unknown", node.file, node.line, key, said=" ".join(call), wanted=wanted)
    return None
