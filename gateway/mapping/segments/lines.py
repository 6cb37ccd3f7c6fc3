"""The right side of a map line: `path | pair | pair`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.canonical.shape import near
from gateway.mapping.codes import UNITS, Codes
from gateway.mapping.groups import Allocations, Id, Ids, Joined, Many, Pairs, Sscc, Wrapped
from gateway.mapping.hooks import Hooked
from gateway.mapping.moments import Date, Day, Moment, ShortDate, ShortWhen, Stamp, When
from gateway.mapping.pairs import Checked, Coded, Fields, Implied, Narrow, Number, Same, Wide, is_wide
from gateway.mapping.paths import Path, read_path
from gateway.mapping.rules import Problems
from gateway.mapping.segments.words import Address
from gateway.mapping.source import Node

_PLAIN: Final[Mapping[str, Callable[[], Narrow | Wide]]] = {
    "date": Date,
    "when": When,
    "stamp": Stamp,
    "day": Day,
    "moment": Moment,
    "unit": lambda: Coded(UNITS),
    "list": Many,
    "lines": Many,
    "sscc": Sscc,
    "gtin": lambda: Checked("gtin"),
    "gln": lambda: Checked("gln"),
    "sscc18": lambda: Checked("sscc"),
}
_DATED: Final[Mapping[str, Callable[[], Narrow | Wide]]] = {
    "date": ShortDate,
    "when": ShortWhen,
}
_TABLED: Final[Mapping[str, Callable[[Codes], Narrow | Wide]]] = {
    "code": Coded,
    "pairs": Pairs,
    "allocations": Allocations,
}
NONE: Final[Mapping[str, Hooked]] = MappingProxyType({})
_NUMBERS: Final = ("decimal", "count")
_SEPARATORS: Final = {"blank": " ", "comma": ", ", "slash": "/", "dash": "-", "line": "\n", "nothing": ""}
_ANY: Final = re.compile(r".")
_TAKES: Final[Mapping[str, tuple[int, re.Pattern[str]]]] = {
    **dict.fromkeys(("code", "pairs", "allocations", "implied", "join", "wrap", "count", "hook"), (1, _ANY)),
    **dict.fromkeys(("ids", "id"), (2, re.compile(r"[234]\Z"))),
    **dict.fromkeys(("fields", "named"), (2, re.compile(r"[2-9]\Z"))),
    **dict.fromkeys(("date", "when"), (1, re.compile(r"short\Z"))),
}
"""How many words a pair takes at most, and the form of the last of them."""
_NUMBER: Final = re.compile(r"[0-9]{1,3}\Z")
NAMES: Final = (*_NUMBERS, *_PLAIN, *_TABLED, "implied", "ids", "id", "fields", "named", "join", "wrap", "hook")


@dataclass(frozen=True, slots=True)
class Line:
    """What a map line that names a field says."""

    path: Path
    pair: Narrow | Wide
    beside: Path | None = None
    count: str = ""
    """What is counted: a list's path, or HL."""
    joined: bool = False
    """Lines of one text, for a repeated segment."""


@dataclass(frozen=True, slots=True)
class _Where:
    node: Node
    key: str
    codes: Mapping[str, Codes]
    problems: Problems
    comma: bool
    hooks: Mapping[str, Hooked]

    def say(self, rule: str, said: str, wanted: str) -> None:
        self.problems.add(rule, self.node.file, self.node.line, self.key, said=said, wanted=wanted)


def read_line(
    node: Node, address: Address, key: str, codes: Mapping[str, Codes], problems: Problems, *, comma: bool = False,
    hooks: Mapping[str, Hooked] = NONE,
) -> Line | None:  # fmt: skip
    """Path and pair of `path | pair | pair`; None, with the reason in `problems`, where it is none."""
    where = _Where(node, key, codes, problems, comma, hooks)
    words = [word.strip() for word in (node.text or "").split("|")]
    path = read_path(words[0])
    if path is None:
        where.say("map.file.shape", node.text or "nothing", "a path such as order.number, or =VALUE, or ignore")
        return None
    calls = [word.split() for word in words[1:]]
    if any(not call for call in calls):
        where.say("map.pair.unknown", "an empty pair", "a pair after each |")
        return None
    if not calls and address.wide:
        where.say("map.address.wrong", "a range", "one element or component, or a pair for several, such as list")
        return None
    if not calls:
        return Line(path, Same())
    name, *rest = calls[0]
    pair: Narrow | Wide | None
    if name in ("fields", "named") and rest:
        inner = _pair(calls[1], where) if len(calls) > 1 else Same()
        table = _table(rest[0], where)
        size = int(rest[1]) if len(rest) > 1 and _NUMBER.match(rest[1]) else 2
        pair = Fields(table, inner, max(size, 2), last=name == "named") if table and inner else None
    elif len(calls) > 1:
        where.say("map.pair.unknown", " | ".join(words[1:]), "one pair, or fields TABLE | pair")
        return None
    else:
        pair = _pair(calls[0], where)
    if pair is None:
        return None
    if not is_wide(pair) and address.wide:
        where.say("map.address.wrong", "a range", f"one element or component for {name}")
        return None
    odd = [word for call in calls[1:] for word in _odd(call)]
    beside = None
    if isinstance(pair, Coded) and "beside" in rest[:-1]:
        beside = read_path(rest[rest.index("beside") + 1])
        odd += [] if beside else rest
        rest = rest[: rest.index("beside")]
    if odd := [*odd, *_odd([name, *rest])]:
        where.say("map.pair.unknown", " ".join(odd), f"{name} with its parameters; beside FIELD behind code and unit")
        return None
    return Line(path, pair, beside, rest[0] if name == "count" and rest else "", name == "lines")


def _odd(call: list[str]) -> list[str]:
    """The words behind a pair's name that it does not know: a slip that would else be read past."""
    name, *rest = call
    takes, form = _TAKES.get(name, (0, _ANY))
    given = rest[:takes]
    return [*(word for word in given[-1:] if len(given) == takes and not form.match(word)), *rest[takes:]]


def _pair(call: list[str], where: _Where) -> Narrow | Wide | None:  # noqa: PLR0911  one for each shape of a call
    name, *rest = call
    if name in _DATED and rest[:1] == ["short"]:
        return _DATED[name]()
    if name in _PLAIN:
        return _PLAIN[name]()
    if name == "decimal" or (name == "count" and rest):
        return Number(comma=where.comma)
    if name == "implied" and rest and _NUMBER.match(rest[0]) and len(rest[0]) == 1:
        return Implied(int(rest[0]))
    if name == "join" and rest and rest[0] in _SEPARATORS:
        return Joined(_SEPARATORS[rest[0]])
    if name == "wrap" and rest and _NUMBER.match(rest[0]) and int(rest[0]):
        return Wrapped(int(rest[0]))
    if name in (*_TABLED, "ids", "id") and rest:
        table = _table(rest[0], where)
        if table is None:
            return None
        if name in ("ids", "id"):
            ids = Ids(table, int(rest[1]) if len(rest) > 1 and rest[1] in ("2", "3", "4") else 2)
            return ids if name == "ids" else Id(ids)
        return _TABLED[name](table)
    if name == "hook" and rest:
        if rest[0] not in where.hooks:
            where.say("map.hook.unknown", rest[0], "a hook listed under hooks" + near(rest[0], where.hooks))
        return where.hooks.get(rest[0])
    wanted = "one of " + ", ".join(NAMES) + (near(name, NAMES) if name not in NAMES else " with its parameters")
    where.say("map.pair.unknown", " ".join(call), wanted)
    return None


def _table(name: str, where: _Where) -> Codes | None:
    table = where.codes.get(name)
    if table is None:
        where.say("map.codes.unknown", name, "a table under codes" + near(name, where.codes))
    return table
