"""The words of a map line: addresses (`PO106..25`, `MEA04.1`), constants (`=ZZ with reason`), paths and pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.canonical.shape import near
from gateway.mapping.codes import UNITS, Codes
from gateway.mapping.pairs import (
    Coded,
    Date,
    Fields,
    Implied,
    Many,
    Narrow,
    Number,
    Pairs,
    Same,
    Sscc,
    When,
    Wide,
    is_wide,
)
from gateway.mapping.paths import Path, read_path
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node

_ADDRESS: Final = re.compile(r"([A-Z][A-Z0-9]{1,2})(\d\d)(?:\.(\d)|\.\.(\d\d))?\Z", re.ASCII)
_CONSTANT: Final = re.compile(r"=([^ ]*)(?: with ([a-z_.\[\]=]+))?\Z", re.ASCII)
_KEY: Final = re.compile(r"([A-Z][A-Z0-9]{1,2})((?:\*[^*]*)*)\Z", re.ASCII)
NAMES: Final = (
    "code",
    "decimal",
    "implied",
    "date",
    "when",
    "unit",
    "list",
    "lines",
    "pairs",
    "fields",
    "sscc",
    "count",
)


@dataclass(frozen=True, slots=True)
class Address:
    """Elements from 0, both ends included; a component from 1, or 0."""

    first: int
    last: int
    component: int


@dataclass(frozen=True, slots=True)
class Line:
    """The right side of a map line that names a field."""

    path: Path
    pair: Narrow | Wide
    beside: Path | None = None
    count: str = ""
    """What is counted: a list's path, or HL."""
    joined: bool = False
    """Lines of one text, for a repeated segment."""


def read_key(key: str) -> tuple[str, list[tuple[int, tuple[str, ...]]]] | None:
    """Tag and selecting values of `MAN*GM|AA`, `CTP**EUP`; None where it is no segment key."""
    found = _KEY.match(key)
    if found is None:
        return None
    chosen = [(index, tuple(text.split("|"))) for index, text in enumerate(found[2].split("*")[1:]) if text]
    return found[1], chosen


def read_address(tag: str, text: str) -> Address | None:
    """The elements that `text` names; None where it is no address of `tag`."""
    found = _ADDRESS.match(text)
    if found is None or found[1] != tag or found[2] == "00":
        return None
    first = int(found[2]) - 1
    last = int(found[4]) - 1 if found[4] else first
    return Address(first, last, int(found[3] or 0)) if last >= first else None


def read_constant(text: str) -> tuple[str, str] | None:
    """Value and companion field of `=ZZ with reason`; None where it is no constant."""
    found = _CONSTANT.match(text)
    return (found[1], found[2] or "") if found else None


def read_line(node: Node, address: Address, key: str, codes: Mapping[str, Codes], problems: Problems) -> Line | None:
    """Path and pair of `path | pair | pair`; None, with the reason in `problems`, where it is none."""
    words = [word.strip() for word in (node.text or "").split("|")]
    path = read_path(words[0])
    if path is None:
        wanted = "a path such as order.number, or =VALUE"
        problems.add("map.file.shape", node.file, node.line, key, said=node.text or "nothing", wanted=wanted)
        return None
    calls = [word.split() for word in words[1:]]
    if any(not call for call in calls):
        problems.add("map.pair.unknown", node.file, node.line, key, said="an empty pair", wanted="a pair after each |")
        return None
    if not calls:
        return Line(path, Same())
    name, *rest = calls[0]
    inner = _pair(calls[1], node, key, codes, problems) if len(calls) > 1 else Same()
    pair: Narrow | Wide | None
    if name == "fields" and rest and inner is not None:
        table = _table(rest[0], node, key, codes, problems)
        size = int(rest[1]) if len(rest) > 1 and rest[1].isdigit() else 2
        pair = Fields(table, inner, max(size, 2)) if table else None
    elif len(calls) > 1:
        said = " | ".join(words[1:])
        problems.add(
            "map.pair.unknown", node.file, node.line, key, said=said, wanted="one pair, or fields TABLE | pair"
        )
        return None
    else:
        pair = _pair(calls[0], node, key, codes, problems)
    if pair is None:
        return None
    wide = address.last > address.first
    if is_wide(pair) is False and wide:
        problems.add("map.address.wrong", node.file, node.line, key, said="a range", wanted=f"one element for {name}")
        return None
    beside = read_path(rest[rest.index("beside") + 1]) if "beside" in rest[:-1] else None
    return Line(path, pair, beside, rest[0] if name == "count" and rest else "", name == "lines")


def _pair(
    call: list[str], node: Node, key: str, codes: Mapping[str, Codes], problems: Problems
) -> Narrow | Wide | None:
    name, *rest = call
    simple: dict[str, Narrow | Wide] = {
        "decimal": Number(), "count": Number(), "date": Date(), "when": When(), "unit": Coded(UNITS),
        "list": Many(), "lines": Many(), "sscc": Sscc(),
    }  # fmt: skip
    if name in simple and (name != "count" or rest):
        return simple[name]
    if name == "implied" and rest and rest[0].isdigit() and len(rest[0]) == 1:
        return Implied(int(rest[0]))
    if name in ("code", "pairs") and rest:
        table = _table(rest[0], node, key, codes, problems)
        return None if table is None else (Coded(table) if name == "code" else Pairs(table))
    wanted = "one of " + ", ".join(NAMES) + (near(name, NAMES) if name not in NAMES else " with its parameters")
    problems.add("map.pair.unknown", node.file, node.line, key, said=" ".join(call), wanted=wanted)
    return None


def _table(name: str, node: Node, key: str, codes: Mapping[str, Codes], problems: Problems) -> Codes | None:
    table = codes.get(name)
    if table is None:
        wanted = "a table under codes" + near(name, codes)
        problems.add("map.codes.unknown", node.file, node.line, key, said=name, wanted=wanted)
    return table
