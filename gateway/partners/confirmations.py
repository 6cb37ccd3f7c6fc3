"""Which certificates are proved to be in use, on their side and on ours: kept in the store, remembered here.

Theirs is confirmed when something signed by it was verified; ours when a partner encrypted for it, or answered with a
positive signed receipt what we signed with it. Remembering makes it cheap: the store is written the first time only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Whose(StrEnum):
    """Whose certificate it is."""

    OURS = "ours"
    THEIRS = "theirs"


class Stage(StrEnum):
    """How far a certificate has come between us and one partner; each implies those before it."""

    SENT = "sent"
    """Ours: the partner was given it."""
    IMPORTED = "imported"
    """Ours: the partner says that it has it; theirs: it stands in the agreement."""
    CONFIRMED = "confirmed"
    """A signed exchange proved it, or an operator says so."""


Certified = tuple[str, Whose, str]
"""Partner, whose, fingerprint (SHA-256, lower-case hexadecimal)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """A step that one certificate has reached with one partner."""

    partner: str
    whose: Whose
    fingerprint: str
    stage: Stage
    how: str
    """In words: what proved it, or who said so."""
    message_id: str | None = None
    """The message that proved it."""
    at: datetime | None = None
    """When the store got it."""


class Confirmations:
    """The confirmed ones, in memory; shared by all configurations of a process. What is confirmed stays so."""

    def __init__(self, known: Iterable[Certified] = ()) -> None:
        self._known = frozenset(known)

    def __contains__(self, certified: Certified) -> bool:
        """Whether it is confirmed, as far as this process knows."""
        return certified in self._known

    def learn(self, reached: Iterable[Reached]) -> None:
        """These are durable; the confirmed ones among them count from now on."""
        found = {(one.partner, one.whose, one.fingerprint) for one in reached if one.stage is Stage.CONFIRMED}
        if more := found - self._known:
            self._known |= more
