"""What is decided about one received message, piece by piece; made durable in one commit at the end, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.events import Event
from gateway.partners.agreement import Agreement
from gateway.pipeline.station import Station
from gateway.ports import (
    AnswersSeen,
    Changes,
    DeliveryChange,
    DocumentUpdate,
    Message,
    MessageUpdate,
    NewDocument,
    NewJob,
    NewMessage,
)

_LISTS = (
    "messages", "message_updates", "documents", "document_updates", "answers_seen", "deliveries", "jobs", "met",
    "keys", "woken", "events",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """A point to which decisions can be taken back."""

    lengths: tuple[int, ...]
    accepted: int


@dataclass(kw_only=True, slots=True)
class Decisions:
    """Everything decided so far about one received message; becomes one `Changes`."""

    station: Station
    agreement: Agreement
    message: Message
    messages: list[NewMessage] = field(default_factory=list)
    message_updates: list[MessageUpdate] = field(default_factory=list)
    documents: list[NewDocument] = field(default_factory=list)
    document_updates: list[DocumentUpdate] = field(default_factory=list)
    answers_seen: list[AnswersSeen] = field(default_factory=list)
    deliveries: list[DeliveryChange] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    accepted: int = 0

    def mark(self) -> Mark:
        """How far it has come."""
        return Mark(tuple(len(getattr(self, name)) for name in _LISTS), self.accepted)

    def back(self, mark: Mark) -> None:
        """Undo what was decided since."""
        for name, length in zip(_LISTS, mark.lengths, strict=True):
            del getattr(self, name)[length:]
        self.accepted = mark.accepted

    def changes(self) -> Changes:
        """The lot, frozen."""
        return Changes(
            messages=tuple(self.messages),
            message_updates=tuple(self.message_updates),
            documents=tuple(self.documents),
            document_updates=tuple(self.document_updates),
            answers_seen=tuple(self.answers_seen),
            deliveries=tuple(self.deliveries),
            jobs=tuple(self.jobs),
            met=tuple(self.met),
            keys=tuple(self.keys),
            woken=tuple(self.woken),
            events=tuple(self.events),
        )
