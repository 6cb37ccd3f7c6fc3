"""What a replay decides about a message, as values: what was asked for, what is done about each document, all of it.

Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.events import MessageReplayed
from gateway.mapping.differences import Difference, differences
from gateway.pipeline import identity
from gateway.pipeline.replaying_calls import Call
from gateway.pipeline.rereading import Reread
from gateway.ports import (
    AnswersSeen,
    Changes,
    DeliveriesSeen,
    DeliveryChange,
    Document,
    DocumentUpdate,
    NewDocument,
    NewJob,
)
from gateway.ports.lanes import LOWEST
from gateway.ports.replays import Act, Versions

WORST = (
    Act.FAILED, Act.LEFT, Act.AS_NEW, Act.REPLACED, Act.CORRECTED, Act.NEW, Act.READ, Act.AGAIN, Act.SAME,
)  # fmt: skip
"""What most wants a look comes first: a message's outcome is the first of its documents'."""


@dataclass(frozen=True, kw_only=True, slots=True)
class How:
    """What was asked for."""

    replay_id: str
    versions: Versions
    as_new: bool
    by: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What is done about one document."""

    kind: str
    number: str
    act: Act
    why: str = ""
    position: str = ""
    document_id: str | None = None
    """The stored one."""
    fields: tuple[Difference, ...] = ()
    """What it says otherwise than the stored one."""
    calls: tuple[Call, ...] = ()


@dataclass(slots=True)
class Sum:
    """All of one commit."""

    documents: list[NewDocument] = field(default_factory=list)
    updates: list[DocumentUpdate] = field(default_factory=list)
    deliveries: list[DeliveryChange] = field(default_factory=list)
    seen: list[DeliveriesSeen] = field(default_factory=list)
    answers: list[AnswersSeen] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    unheld: list[str] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)

    def changes(self, event: MessageReplayed) -> Changes:
        """As one commit, behind live traffic, with the fact that it was replayed."""
        return Changes(
            documents=tuple(self.documents),
            document_updates=tuple(self.updates),
            deliveries=tuple(self.deliveries),
            further_seen=tuple(self.seen),
            answers_seen=tuple(self.answers),
            jobs=tuple(replace(job, priority=LOWEST) for job in self.jobs),
            keys=tuple(self.keys),
            woken=tuple(self.woken),
            events=(*self.events, event),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What a replay does about one message."""

    planned: tuple[Planned, ...]
    changes: Changes
    unheld: tuple[str, ...] = ()

    @property
    def outcome(self) -> Act:
        """What most wants a look."""
        return outcome_of(self.planned)


def outcome_of(planned: Sequence[Planned]) -> Act:
    """What most wants a look."""
    acts = {one.act for one in planned}
    return next((act for act in WORST if act in acts), Act.SAME)


def planned(one: Reread, stored: Document | None, act: Act, why: str = "", *, calls: Sequence[Call] = ()) -> Planned:
    """What is done about a set that was read again."""
    body = one.body
    return Planned(
        kind=one.kind,
        number=identity.number_of(one.kind, body) if body else (stored.number if stored else "-"),
        act=act,
        why=why,
        position=one.position,
        document_id=None if stored is None else stored.id,
        fields=() if stored is None or not body else _fields(stored, one),
        calls=tuple(calls),
    )


def _fields(stored: Document, one: Reread) -> tuple[Difference, ...]:
    """What the map reads otherwise; what the envelope says is the same octets as before."""
    envelope = set(one.envelope)
    return differences({name: value for name, value in stored.body.items() if name not in envelope}, one.body)


def left(document: Document, why: str) -> Planned:
    """A stored document that stays as it is, though nothing in its message was read as it."""
    return Planned(
        kind=document.kind,
        number=document.number,
        act=Act.LEFT,
        why=why,
        position=document.position or "",
        document_id=document.id,
    )
