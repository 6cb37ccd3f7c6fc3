"""Where a document goes: the agreement's own target, else the first route of `gateway.yaml` that fits (M25)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.partners.agreement import Agreement
from gateway.settings import Destination, Route, Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The targets and the rule that chose them, in words for the trail."""

    target: str
    """The first of them; the only one, mostly."""
    rule: str
    destinations: tuple[Destination, ...]
    """All of them, those that count first."""


def decide(settings: Settings, agreement: Agreement, kind: str, business_unit: str | None) -> Decision | None:
    """The target of a document, or None when no rule fits."""
    if agreement.target is not None:
        return _decision((Destination(target=agreement.target),), f"partners/{agreement.name}: target")
    for number, route in enumerate(settings.routes, start=1):
        if _fits(route, agreement.name, kind, business_unit):
            return _decision(route.destinations, f"gateway.yaml: route {number}")
    return None


def _decision(destinations: tuple[Destination, ...], rule: str) -> Decision:
    return Decision(target=destinations[0].target, rule=rule, destinations=destinations)


def _fits(route: Route, partner: str, kind: str, business_unit: str | None) -> bool:
    return (
        (not route.business_unit or business_unit in route.business_unit)
        and (not route.partner or partner in route.partner)
        and (not route.document or kind in route.document)
    )
