"""Replays: stored messages that are worked again, one after the other; what is asked for and what came of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.ports.values import Json, MessageState

MOST_MESSAGES = 100_000
"""Of one replay: more than that is several."""


class Versions(StrEnum):
    """What messages are read with."""

    CURRENT = "current"
    """The agreement, map and guide of now."""
    ORIGINAL = "original"
    """Those that read them first, by their content hash."""


class ReplayState(StrEnum):
    """Where a replay stands."""

    PREPARING = "preparing"
    """Its messages are written down; nothing of it is worked yet."""
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class Act(StrEnum):
    """What a replay does about one document."""

    SAME = "same"
    """Nothing: its targets have what would be sent."""
    AGAIN = "again"
    """It failed or was held: worked again, the same document under the same key."""
    CORRECTED = "corrected"
    """It failed or was held and is another one now: goes in its place, under the same key."""
    REPLACED = "replaced"
    """It was delivered and is another one now: sent as a replacement."""
    NEW = "new"
    """It was refused, or not there, and is accepted now."""
    AS_NEW = "as_new"
    """It goes once more, with a new identity and new keys."""
    LEFT = "left"
    """It stays as it is, though something differs: a person has to look."""
    FAILED = "failed"
    """It could not be read again."""
    READ = "read"
    """Its message was never read to the end: that work is done again."""


EFFECTS = frozenset({Act.AGAIN, Act.CORRECTED, Act.REPLACED, Act.NEW, Act.AS_NEW, Act.READ})
"""Those after which something is done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which messages: all of these at once."""

    ids: tuple[str, ...] = ()
    partner: str | None = None
    kind: str | None = None
    """Of a document in them."""
    state: MessageState | None = None
    since: datetime | None = None
    until: datetime | None = None
    order_number: str | None = None
    target: str | None = None
    outbound: bool = False
    """What our ERP gave for partners, instead of what they sent. Messages that are named may be either."""

    @property
    def anything(self) -> bool:
        """Whether anything was said."""
        return self != Selection()


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """A replay as stored."""

    id: str
    at: datetime
    by: str
    why: str
    versions: Versions
    as_new: bool
    selection: Json
    """As it was asked for, in words."""
    total: int
    state: ReplayState
    changed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayItem:
    """One message of a replay."""

    number: int
    message_id: str
    outcome: str | None = None
    """Of its documents, what most wants a look; None: not yet."""
    told: tuple[Json, ...] = ()
    """Document by document: kind, number, act, why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a replay is."""

    done: int
    outcomes: dict[str, int] = field(default_factory=dict)
    """How many messages, by their outcome."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What a replay did about one message; part of `Changes`."""

    replay_id: str
    item: ReplayItem | None
    """None: it was found paused or ended, and its work ends; the commit holds only while that is so."""
    last: bool = False
    """No message is left: the replay is done."""
    unheld: tuple[str, ...] = ()
    """Documents that wait for no word of the cross-references any more."""
