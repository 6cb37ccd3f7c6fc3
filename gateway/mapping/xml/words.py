"""The words of a line that says a field in text: an XML map's, a CSV map's. All pairs are on texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.canonical.shape import near
from gateway.mapping.codes import Codes
from gateway.mapping.json.pairs import IsoDate, Pair
from gateway.mapping.json.words import JsonConstant, JsonLine
from gateway.mapping.moments import Date
from gateway.mapping.pairs import Coded, Number, Same
from gateway.mapping.paths import read_path
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node
from gateway.mapping.xml.pairs import CommaNumber, Day, Elements, Moment, Spelled

NAMES: Final = ("code", "decimal", "date", "when", "list", "lines", "count")
_CONSTANT: Final = re.compile(r"=(.*?)(?: with ([a-z][a-z0-9_.]*))?\Z", re.DOTALL)
_USUAL: Final = re.compile(r"any (\S.*)\Z")
_REPEATED: Final = re.compile(r"same ([a-z][a-z0-9_.]*)\Z")


@dataclass(frozen=True, slots=True)
class Again:
    """`same currency.code`: the path of a field of the document that the wire repeats."""

    path: str


@dataclass(frozen=True, slots=True)
class Usually:
    """`any en`: whatever is read is right, and kept; written where nothing is kept."""

    text: str


def pairs(*, comma: bool) -> dict[tuple[str, ...], Pair]:
    """The pairs without a table. `comma`: decimals have a comma."""
    number = CommaNumber() if comma else Number()
    return {
        (): Spelled(Same(), "text", exact=True),
        ("decimal",): Spelled(number, "decimal", "a decimal such as " + ("12,50" if comma else "12.50")),
        ("date",): Spelled(Day(IsoDate()), "date", "a date such as 2026-05-01"),
        ("date", "compact"): Spelled(Day(Date()), "date", "a date such as 20260501"),
        ("when",): Moment(),
        ("list",): Elements(),
        ("list", "2"): Elements(width=2),
        ("lines",): Elements(joined=True),
    }


def read_constant(text: str) -> JsonConstant | None:
    """The value of `=X`, `=X with field`, `same field` or `any X`; None where it is none of them."""
    usual = _USUAL.match(text)
    if usual is not None:
        return JsonConstant(Usually(usual[1]), "")
    repeated = _REPEATED.match(text)
    if repeated is not None:
        return JsonConstant(Again(repeated[1]), "")
    found = _CONSTANT.match(text)
    return None if found is None or not found[1] else JsonConstant(found[1], found[2] or "")


def read_line(
    node: Node, key: str, codes: Mapping[str, Codes], known: Mapping[tuple[str, ...], Pair], problems: Problems
) -> JsonLine | None:
    """Path and pair of `path | pair`; None, with the reason in `problems`."""
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
    if call in known:
        return JsonLine(path, known[call])
    name, rest = call[0], call[1:]
    counted = read_path(rest[0]) if name == "count" and len(rest) == 1 else None
    if counted:
        return JsonLine(path, known["decimal",], count=counted)
    beside = read_path(rest[2]) if name == "code" and rest[1:2] == ("beside",) and len(rest) == 3 else None  # noqa: PLR2004
    if name == "code" and rest and (len(rest) == 1 or beside):
        table = codes.get(rest[0])
        if table is not None:
            return JsonLine(path, Spelled(Coded(table), "text", "a code"), table, beside)
        wanted = "a table under codes" + near(rest[0], codes)
        problems.add("map.codes.unknown", node.file, node.line, key, said=rest[0], wanted=wanted)
        return None
    names = sorted({each[0] for each in known if each} | {"code", "count"})
    wanted = "one of " + ", ".join(names) + (near(name, names) if name not in names else " with its parameters")
    problems.add("map.pair.unknown", node.file, node.line, key, said=" ".join(call), wanted=wanted)
    return None
