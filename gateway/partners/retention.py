"""What gateway.yaml and the agreements say of how long data is kept: for each thing one rule, and the rule's name.

Of the places that say something the nearest counts: the partner's kind, the partner, our kind, ours. Where a message
has documents of several kinds, the longest rule counts. Decides over values only; removing is the store's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.partners.agreement import Agreement
from gateway.settings import PartnerRetention, Retention, Settings


class What(StrEnum):
    """What a rule is about; `<what>_days` is its setting."""

    PAYLOAD = "payload"
    """Bytes of messages."""
    DOCUMENT = "document"
    """The content of canonical documents."""
    ATTEMPTS = "attempts"
    """Records of finished work."""
    CONTROL_NUMBER = "control_number"
    """Control numbers of partners' interchanges."""
    IDEMPOTENCY = "idempotency"
    """Idempotency-Keys of REST requests."""
    WEBHOOK = "webhook"
    """Deliveries to webhooks that have ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How many days, and where that is said; `days` None: for ever."""

    days: int | None
    name: str

    def over(self, at: datetime, now: datetime) -> bool:
        """Whether something of then is to go."""
        return self.days is not None and now - at > timedelta(days=self.days)


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """All rules of a configuration."""

    ours: Retention = field(default_factory=Retention)
    partners: Mapping[str, PartnerRetention] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, agreements: Iterable[Agreement]) -> Policy:
        """What a workspace says."""
        return cls(ours=settings.retention, partners={one.name: one.retention for one in agreements})

    def rule(self, what: What, partner: str | None, kinds: Iterable[str] = ()) -> Rule:
        """The rule for something of this partner, with documents of these kinds."""
        found = [_nearest(self._said(what, partner, kind)) for kind in sorted(set(kinds))]
        found = found or [_nearest(self._said(what, partner, None))]
        return next((one for one in found if one.days is None), max(found, key=lambda one: one.days or 0))

    def least(self, what: What) -> int | None:
        """The fewest days that any rule of this sort says: nothing younger can be due. None: nothing ever is."""
        every = [self.ours, *self.ours.kinds.values()]
        every += [part for one in self.partners.values() for part in (one, *one.kinds.values())]
        return min((days for part in every if (days := getattr(part, f"{what}_days", None))), default=None)

    def _said(self, what: What, partner: str | None, kind: str | None) -> Iterator[Rule]:
        """What is said of it, the nearest first."""
        theirs = self.partners.get(partner or "")
        for part, where in ((theirs, f"partners/{partner}: "), (self.ours, "gateway.yaml: ")):
            if part is None:
                continue
            for inner, path in ((part.kinds.get(kind), f"retention.kinds.{kind}"), (part, "retention")):  # type: ignore[call-overload]
                days = getattr(inner, f"{what}_days", None)
                if days is not None:
                    yield Rule(days=days or None, name=f"{where}{path}.{what}_days")


def _nearest(said: Iterator[Rule]) -> Rule:
    return next(said, Rule(days=None, name=""))
