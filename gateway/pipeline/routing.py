"""Where a document goes: the agreement's own target, else the first route of `gateway.yaml` that fits (M25).

An answer goes by the order that it answers where it says nothing itself: by that order's business unit, ship-to, number
and day. So the ERP that ordered gets the answer, also after another one has begun to take new orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.partners.agreement import Agreement
from gateway.ports import Json
from gateway.settings import Destination, Route, Settings

SHIP_TO = "ship_to"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The targets and the rule that chose them, in words for the trail."""

    target: str
    """The first of them; the only one, mostly."""
    rule: str
    destinations: tuple[Destination, ...]
    """All of them, those that count first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a route may look at."""

    partner: str
    kind: str
    day: date
    """When the order came or went that it is or answers; of what answers none, when it came."""
    number: str = ""
    """Of that order; of what answers none, its own."""
    business_unit: str | None = None
    bodies: tuple[Json, ...] = ()
    """The document, then the order that it answers: the first of them that names a ship-to says it."""

    @property
    def ship_to(self) -> tuple[Json, ...]:
        """The parties that the goods go to: of the head, else of the lines."""
        for body in self.bodies:
            found = _named(body) or tuple(one for line in body.get("lines") or () for one in _of_line(line))
            if found:
                return found
        return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighed:
    """One route, and why it does not fit: nothing where it does."""

    number: int
    route: Route
    misses: tuple[str, ...]


def decide(settings: Settings, agreement: Agreement, facts: Facts) -> Decision | None:
    """The target of a document, or None when no rule fits."""
    if agreement.target is not None:
        return _decision((Destination(target=agreement.target),), f"partners/{agreement.name}: target")
    for number, route in enumerate(settings.routes, start=1):
        if next(_misses(route, facts), None) is None:
            return _decision(route.destinations, f"gateway.yaml: route {number}")
    return None


def _decision(destinations: tuple[Destination, ...], rule: str) -> Decision:
    return Decision(target=destinations[0].target, rule=rule, destinations=destinations)


def weigh(settings: Settings, facts: Facts) -> tuple[Weighed, ...]:
    """Every route held against a document, for whoever asks why."""
    return tuple(
        Weighed(number=number, route=route, misses=tuple(_misses(route, facts)))
        for number, route in enumerate(settings.routes, start=1)
    )


def _misses(route: Route, facts: Facts) -> Iterator[str]:
    """The conditions of a route that a document does not fulfil, in words."""
    for name, fits, said in _CONDITIONS:
        wanted = getattr(route, name)
        if wanted and not fits(wanted, facts):
            words = ", ".join(map(str, wanted)) if isinstance(wanted, tuple) else str(wanted)
            yield f"{name} is {said(facts) or 'not said'}, not {words}"


_Fits = Callable[[Any, Facts], bool]
_Said = Callable[[Facts], str]


def _begins(text: str, beginnings: tuple[str, ...]) -> bool:
    return any(text.startswith(one) for one in beginnings)


_CONDITIONS: tuple[tuple[str, _Fits, _Said], ...] = (
    ("partner", lambda wanted, facts: facts.partner in wanted, lambda facts: facts.partner),
    ("document", lambda wanted, facts: facts.kind in wanted, lambda facts: facts.kind),
    ("business_unit", lambda wanted, facts: facts.business_unit in wanted, lambda facts: facts.business_unit or ""),
    ("number_prefix", lambda wanted, facts: _begins(facts.number, wanted), lambda facts: facts.number),
    ("since", lambda wanted, facts: facts.day >= wanted, lambda facts: f"before: {facts.day}"),
    ("until", lambda wanted, facts: facts.day <= wanted, lambda facts: f"over: {facts.day}"),
    ("ship_to", lambda wanted, facts: not set(wanted).isdisjoint(_ids(facts)), lambda facts: ", ".join(_ids(facts))),
    (
        "postcode",
        lambda wanted, facts: any(_begins(one, tuple(map(squeezed, wanted))) for one in _postcodes(facts)),
        lambda facts: ", ".join(_postcodes(facts)),
    ),
)
"""The conditions of a route, cheapest first; one that is absent fits everything."""


def squeezed(postcode: str) -> str:
    """A postcode as it is compared: `sw1a 2aa` is SW1A2AA."""
    return "".join(one for one in postcode.upper() if one.isalnum())


def _ids(facts: Facts) -> list[str]:
    """The ids of the ship-to, each alone and with its scheme."""
    found = [one for party in facts.ship_to for one in party.get("ids") or () if isinstance(one, Mapping)]
    return [form for one in found for form in (f"{one.get('scheme')}:{one.get('value')}", str(one.get("value")))]


def _postcodes(facts: Facts) -> list[str]:
    found = (party.get("address") for party in facts.ship_to)
    return [squeezed(str(one["postcode"])) for one in found if isinstance(one, Mapping) and one.get("postcode")]


def _named(node: Json) -> tuple[Json, ...]:
    parties = node.get("parties") or ()
    return tuple(one for one in parties if isinstance(one, Mapping) and one.get("role") == SHIP_TO)


def _of_line(line: object) -> tuple[Json, ...]:
    return _named(line) if isinstance(line, Mapping) else ()
