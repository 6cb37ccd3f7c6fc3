"""Who asked to be told of what: the webhooks of gateway.yaml and of the agreements, and the event stream.

A partner's webhook is told only of its own partner, and only of types that are for partners.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.partners.agreement import Agreement
from gateway.publication.telling import MAY_TELL
from gateway.published import TYPES, fitting
from gateway.settings import Settings, Webhook

WEBHOOKS = "webhooks"
STREAM = "nats"
"""The two ways out; each has its own rows in the outbox, so neither waits for the other."""

_FOR_PARTNERS = frozenset(name for name, row in TYPES.items() if row.for_partners)
_ON_REQUEST = frozenset({"webhook.test"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A webhook. Its name is `<name>` in gateway.yaml, `<partner>/<name>` in an agreement."""

    name: str
    lane: str
    webhook: Webhook
    types: frozenset[str]
    partners: frozenset[str]
    """Whose events; empty: everybody's."""


class Subscribers:
    """Every webhook, by name, and what the stream takes."""

    def __init__(self, endpoints: Iterable[Endpoint] = (), stream: Iterable[str] = ()) -> None:
        self.endpoints: Mapping[str, Endpoint] = {one.name: one for one in endpoints}
        self._ours: dict[str, list[Endpoint]] = {}
        self._partners: dict[tuple[str, str], list[Endpoint]] = {}
        for one in self.endpoints.values():
            for type_ in one.types:
                if not one.partners:
                    self._ours.setdefault(type_, []).append(one)
                for partner in one.partners:
                    self._partners.setdefault((type_, partner), []).append(one)
        self._stream = frozenset(stream) - _ON_REQUEST
        types = self._stream | self._ours.keys() | {type_ for type_, _ in self._partners}
        self.kinds = frozenset(kind for kind, may in MAY_TELL.items() if may & types)
        """The kinds of fact that anybody may be told of."""

    @classmethod
    def of(cls, settings: Settings, agreements: Iterable[Agreement]) -> Subscribers:
        """As the configuration has them; those of agreements at rest are told nothing."""
        endpoints = [
            Endpoint(
                name=name,
                lane=f":events:{name}",
                webhook=own,
                types=fitting(own.types) - _ON_REQUEST,
                partners=frozenset(own.partners),
            )
            for name, own in settings.webhooks.items()
        ]
        endpoints += [
            Endpoint(
                name=f"{agreement.name}/{name}",
                lane=f"{agreement.name}:events:{name}",
                webhook=theirs,
                types=(fitting(theirs.types) & _FOR_PARTNERS) - _ON_REQUEST,
                partners=frozenset({agreement.name}),
            )
            for agreement in agreements
            if agreement.exchanges
            for name, theirs in agreement.webhooks.items()
        ]
        return cls(endpoints, () if settings.nats is None else fitting(settings.nats.types))

    def told(self, type_: str, partner: str | None) -> tuple[Endpoint, ...]:
        """The webhooks that are told of an event."""
        theirs = () if partner is None else self._partners.get((type_, partner), ())
        return (*self._ours.get(type_, ()), *theirs)

    def ways(self, type_: str, partner: str | None) -> tuple[str, ...]:
        """By which ways an event goes out; none: nobody asked for it."""
        webhooks = type_ in self._ours or (partner is not None and (type_, partner) in self._partners)
        return (WEBHOOKS,) * webhooks + (STREAM,) * (type_ in self._stream)
