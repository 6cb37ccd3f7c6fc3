"""What is wrong, or worth knowing, between the routes of gateway.yaml: never reached, overlapping, days without any.

Works on the file's text like `gateway.partners.checks`, which gives each finding its place. What cannot be read as a
date is another check's finding and counts as absent here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from typing import Any

from gateway.findings import Severity
from gateway.partners.dialects import Wrong

RULES: Mapping[str, str] = {
    "workspace.route_never": "A route's last day is not before its first.",
    "workspace.route_unreachable": "No route stands behind one that takes everything it would (a warning).",
    "workspace.routes_overlap": "Two routes to different targets that can both fit are told, where neither is the "
    "special case of the other, nor only adds a target (a note: the first one decides).",
    "workspace.route_gap": "What a partner may send has a route that asks for no place and no number, on every day "
    "from today on (a note; a warning where days are lacking; told once for all partners).",
}
EXACT = ("partner", "document", "business_unit", "ship_to")
BEGINNINGS = ("postcode", "number_prefix")
MOST = 50
"""Overlaps that are told of one file."""
_FIRST, _LAST = date.min, date.max


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One route's conditions as they are compared."""

    index: int
    targets: frozenset[str]
    """However `to` is written; empty where it cannot be read."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By condition; one that is absent fits everything."""
    since: date = _FIRST
    until: date = _LAST

    @property
    def name(self) -> str:
        """As people count it."""
        return f"route {self.index + 1}"

    def takes(self, partner: str, kind: str) -> bool:
        """Whether it may fit a document of this kind from this partner."""
        asked = (("partner", partner), ("document", kind))
        return all(name not in self.words or word in self.words[name] for name, word in asked)

    @property
    def open(self) -> bool:
        """Whether it takes whatever comes of its partners and kinds. Our own units are known: each has its route."""
        return not set(self.words) - {"partner", "document", "business_unit"}


def rules_of(routes: Sequence[object]) -> list[Rule]:
    """The routes of a file's text."""
    return [_rule(index, one) for index, one in enumerate(routes) if isinstance(one, dict)]


def wrong_between(rules: Sequence[Rule]) -> Iterator[Wrong]:
    """Routes in themselves and against each other; the keys are below `routes`."""
    told = 0
    hidden: set[int] = set()
    for one in rules:
        if one.until < one.since:
            said, wanted = f"until {one.until}, since {one.since}", "a last day that is not before the first"
            yield Wrong(keys=(one.index, "until"), rule="route_never", said=said, wanted=wanted, fix="correct one")
            hidden.add(one.index)
    for earlier, later in combinations(rules, 2):
        if later.index in hidden or earlier.index in hidden:
            continue
        if _covers(earlier, later):
            hidden.add(later.index)
            yield Wrong(
                keys=(later.index,),
                rule="route_unreachable",
                said=f"{later.name} is never reached: {earlier.name} takes all that would go there",
                wanted="the special case before the general one",
                fix=f"move it before {earlier.name}, or remove one of the two",
                severity=Severity.ACCEPT_WITH_ERRORS,
            )
        elif told < MOST and _differ(earlier, later) and _meet(earlier, later) and not _covers(later, earlier):
            told += 1
            yield Wrong(
                keys=(later.index,),
                rule="routes_overlap",
                said=f"{earlier.name} and {later.name} can fit the same document",
                wanted=f"to know that {earlier.name} decides then, because it comes first",
                fix="add a condition to one of them if that is not what you want",
                severity=Severity.ACCEPT,
            )


def gaps(rules: Sequence[Rule], partner: str, kind: str, today: date) -> Wrong | None:
    """What of a partner's documents of a kind has no route; None where all have one, or none has (told elsewhere)."""
    fitting = [one for one in rules if one.takes(partner, kind) and one.since <= one.until]
    if not fitting:
        return None
    opened = sorted((one.since, one.until) for one in fitting if one.open)
    if not opened:
        names = ", ".join(one.name for one in fitting[:5]) + (", …" if len(fitting) > 5 else "")  # noqa: PLR2004
        return Wrong(
            keys=(),
            rule="route_gap",
            said=f"{kind} goes by {names}, each under a condition",
            wanted="to know that what fits none of them waits",
            fix="add a last route without conditions, if any can come that fits none",
            severity=Severity.ACCEPT,
        )
    days = _uncovered(opened, today)
    if days is None:
        return None
    since, until = days
    return Wrong(
        keys=(),
        rule="route_gap",
        said=f"no route takes {kind} of orders from {since}" + (" on" if until == _LAST else f" to {until}"),
        wanted="a route for every day",
        fix="move since: or until: of the routes so that they meet",
        severity=Severity.ACCEPT_WITH_ERRORS,
    )


def _uncovered(spans: Sequence[tuple[date, date]], today: date) -> tuple[date, date] | None:
    """The first days, from today on, that no span has. `spans` are sorted."""
    day = today
    for since, until in spans:
        if since > day:
            return day, since - timedelta(days=1)
        if until >= day:
            if until == _LAST:
                return None
            day = until + timedelta(days=1)
    return day, _LAST


def _rule(index: int, route: dict[str, Any]) -> Rule:
    words = {
        name: tuple(_form(name, one) for one in said)
        for name in (*EXACT, *BEGINNINGS)
        if isinstance(said := route.get(name), list) and said
    }
    since, until = _day(route.get("since")), _day(route.get("until"))
    targets = _targets(route.get("to"))
    return Rule(index=index, targets=targets, words=words, since=since or _FIRST, until=until or _LAST)


def _targets(to: object) -> frozenset[str]:
    """`north`, `[north, …]` and `[{target: north, …}]`."""
    named = to if isinstance(to, list) else [to]
    names = [one.get("target") if isinstance(one, dict) else one for one in named]
    return frozenset(name for name in names if isinstance(name, str))


def _differ(one: Rule, other: Rule) -> bool:
    """Whether they lead elsewhere; one that adds a target to the other's does not."""
    return not (one.targets <= other.targets or other.targets <= one.targets)


def _form(name: str, said: object) -> str:
    return "".join(one for one in str(said).upper() if one.isalnum()) if name == "postcode" else str(said)


def _day(said: object) -> date | None:
    try:
        return date.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _covers(one: Rule, other: Rule) -> bool:
    """Whether everything that fits `other` fits `one`."""
    if not (one.since <= other.since and other.until <= one.until):
        return False
    for name, words in one.words.items():
        theirs = other.words.get(name)
        if theirs is None:
            return False
        if name in BEGINNINGS:
            if not all(text.startswith(words) for text in theirs):
                return False
        elif not set(theirs) <= set(words):
            return False
    return True


def _meet(one: Rule, other: Rule) -> bool:
    """Whether a document can fit both."""
    if one.since > other.until or other.since > one.until:
        return False
    for name in one.words.keys() & other.words.keys():
        mine, theirs = one.words[name], other.words[name]
        if name in BEGINNINGS:
            if not any(text.startswith(mine) for text in theirs) and not any(text.startswith(theirs) for text in mine):
                return False
        elif set(mine).isdisjoint(theirs):
            return False
    return True
