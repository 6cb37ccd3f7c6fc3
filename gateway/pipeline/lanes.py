"""What the configuration says of each lane: its priority, its order, its rate. A table over the lane's name.

Lanes are named by `identity`: `partner:direction:endpoint`. Operators' values stand on the lane's row, not here.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.partners.agreement import Agreement
from gateway.ports import PRIORITIES, Terms, TermsOf
from gateway.ports.lanes import LOWEST
from gateway.settings import Settings

STEPS_BEFORE = frozenset({"read", "compose"})
"""Endpoints of ours that what is ordered passes first: out of order there, it stays so."""
STATION = "as2"
REPLAY = "replay"
"""What is worked again goes behind everything else."""
REPLAYED = "20/second"
"""So many messages of it; `gateway lane rate` says otherwise."""


def terms_of(settings: Settings, agreements: Iterable[Agreement]) -> TermsOf:
    """The terms of every lane there is, or will be."""
    partners = {one.name: one for one in agreements}
    orders = any(target.ordered for target in settings.targets.values())

    def terms(name: str) -> Terms:
        partner, direction, endpoint = (*name.split(":", 2), "", "")[:3]
        if endpoint == REPLAY:
            return Terms(priority=LOWEST, rate=REPLAYED)
        agreement = partners.get(partner)
        if agreement is None:
            return Terms()
        inbound = direction == "inbound"
        target = settings.targets.get(endpoint) if inbound and endpoint not in STEPS_BEFORE else None
        posts = not inbound and endpoint == STATION
        ordered = agreement.ordered and (endpoint in STEPS_BEFORE or target is not None or posts)
        if target is not None:
            ordered = ordered or target.ordered
        elif inbound and endpoint == "read":
            ordered = ordered or orders
        rate = target.rate if target is not None else agreement.rate if posts else None
        shared = endpoint if target is not None and rate is not None else None
        return Terms(priority=PRIORITIES.index(agreement.criticality), ordered=ordered, rate=rate, shared=shared)

    return terms
