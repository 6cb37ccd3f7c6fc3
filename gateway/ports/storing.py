"""The store's Protocols: one commit per method, reading by any key, API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.mapping.references import CrossReference
from gateway.ports.changes import Changes
from gateway.ports.deliveries import DeliveryRecord
from gateway.ports.references import Hold, ReferenceState
from gateway.ports.replays import Replay, ReplayItem
from gateway.ports.spooling import Source, Spooled
from gateway.ports.stored import Accepted, ApiKey, Attempt, Document, Job, Message, Overdue, Page, TrailEntry, Wait
from gateway.ports.values import Direction, DocumentState, MessageState
from gateway.ports.versions import Version, VersionKind


class NaturalKeyTaken(Exception):  # noqa: N818
    """Another document took the natural key meanwhile, or the cross-references that were decided over are others now;
    nothing was written. Deciding anew will see it.
    """


class LeaseLost(Exception):  # noqa: N818
    """The job was given to another worker meanwhile; nothing was written."""


class Store(Protocol):
    """Durable state. Each method is one commit; when it returns, the state is on disk."""

    async def accept(self, changes: Changes) -> Accepted:
        """Store the one message in `changes` with all the rest, unless its duplicate key is known."""

    async def apply(self, changes: Changes) -> None:
        """Make `changes` durable. Raises NaturalKeyTaken."""

    async def claim(self, owner: str, steps: Sequence[str], limit: int) -> list[Job]:
        """Take due jobs, fairly over lanes and within their caps; the attempt is written in the same commit."""

    async def finish(self, job: Job, changes: Changes) -> None:
        """End `job` and make `changes` durable together. Raises LeaseLost, NaturalKeyTaken."""

    async def postpone(self, job: Job, *, outcome: str, reason: str, run_at: datetime, changes: Changes) -> None:
        """Keep `job` for `run_at`; the attempt is kept with its reason. Raises LeaseLost."""

    async def bury(self, job: Job, *, outcome: str, reason: str, changes: Changes) -> None:
        """Make `job` a dead letter. Raises LeaseLost."""

    async def judge(self, document_id: str, changes: Changes) -> bool:
        """Write a decision about a document that is under review; False when it is not, any more."""

    async def resume(self, partner: str | None, *, by: str, reason: str) -> int:
        """Put held documents (of one partner) back to work, whatever they wait for; how many there were."""

    async def disable_webhook(self, name: str, *, by: str, reason: str) -> bool:
        """Tell a webhook nothing more; False when it was disabled already."""

    async def webhook_disabled(self, name: str) -> bool:
        """Whether a webhook is told nothing."""

    async def lane_failures(self, name: str) -> int:
        """How many calls of a lane failed in a row."""

    def spool(self, *, kept: bool = False) -> Spooled:
        """A new file for what is too large for memory; `kept` says that it is meant for a message.

        It blocks, and so do its methods. Raises OurFault, NoRoom when the disk is full.
        """


class Queries(Protocol):
    """Reading. Methods that take `partner` never show another partner's rows."""

    async def get(self, kind: VersionKind, hash: str) -> Version | None:  # noqa: A002  as `VersionShelf`
        """The agreement, map or guide of this hash."""

    async def replay(self, replay_id: str) -> Replay | None:
        """A replay."""

    async def replay_item(self, replay_id: str, number: int) -> ReplayItem | None:
        """One message of a replay."""

    async def message(self, message_id: str) -> Message | None:
        """A message without its bytes."""

    async def payload(self, message_id: str) -> bytes:
        """The unwrapped bytes of a message; raises OurFault when they were purged."""

    async def raw(self, message_id: str) -> bytes | None:
        """What was on the wire, when that differs from the payload."""

    async def octets(self, message_id: str, form: str = "payload") -> bytes | Source | None:
        """The payload, or `raw`, of a message, to be read in pieces where it stands in a file."""

    async def messages(
        self, *, partner: str | None = None, state: MessageState | None = None, limit: int = 50
    ) -> list[Message]:
        """The newest messages first."""

    async def message_by_duplicate_key(self, key: str) -> Message | None:
        """The message that took this duplicate key."""

    async def key_owner(self, key: str) -> str | None:
        """The id of the message that took an identity of `Changes.keys` or `Numbered.keys`."""

    async def answers_to(self, message_id: str) -> list[Message]:
        """The acknowledgments that answer a message, oldest first."""

    async def message_by_wait_key(self, wait_key: str) -> Message | None:
        """The newest message that is, or was, closed by `wait_key`."""

    async def waiting(self, wait_key: str) -> Job | None:
        """The job that waits for `wait_key`."""

    async def document(self, document_id: str, *, partner: str | None = None) -> Document | None:
        """One document."""

    async def documents_of(self, message_id: str) -> list[Document]:
        """The documents read from, or written to, a message."""

    async def document_by_key(self, partner: str, direction: Direction, natural_key: str) -> Document | None:
        """The accepted document with this natural key."""

    async def order(
        self, partner: str, number: str, direction: Direction, *, release: str | None = None
    ) -> Document | None:
        """The newest purchase order with this number (and release) that went to, or came from, this partner."""

    async def documents_by_number(self, partner: str, direction: Direction, kind: str, number: str) -> list[Document]:
        """The accepted documents of one kind with this number, of any revision and purpose, oldest first."""

    async def documents_for_order(
        self, partner: str, kind: str, order_number: str, *, release: str | None = None
    ) -> list[Document]:
        """The accepted documents of one kind that answer an order: those that name this release, or none."""

    async def named_answers(self, partner: str, kind: str, order_number: str) -> list[tuple[str, str]]:
        """Id and number of the accepted documents of one kind that name an order, oldest first."""

    async def documents_by_id(self, ids: Sequence[str]) -> list[Document]:
        """These documents, in any order."""

    async def documents(
        self,
        *,
        partner: str,
        kind: str,
        direction: Direction,
        state: DocumentState | None = None,
        updated_after: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """A partner's documents, oldest change first."""

    async def reference_versions(self, partner: str) -> ReferenceState:
        """The state of the cross-references for a partner; one small reading."""

    async def references(self, partner: str) -> tuple[ReferenceState, tuple[CrossReference, ...]]:
        """The rows for a partner, its own and those for all, and their state, as one reading."""

    async def reference_rows(
        self, *, partner: str | None = None, list_: str | None = None, retired: bool = False
    ) -> list[CrossReference]:
        """Rows as they stand (`ALL` selects those for all partners), or with `retired` those that hold no more."""

    async def holds(self, *, partner: str | None = None, limit: int = 1000) -> list[Hold]:
        """The words that documents wait for, the oldest first."""

    async def waits(self, wait_keys: Sequence[str]) -> list[Wait]:
        """What is expected under these wait keys and has not come, by the time it is due."""

    async def overdue(self, *, partner: str | None = None, limit: int = 1000) -> list[Overdue]:
        """What has not come in time, the oldest first."""

    async def under_review(self, *, partner: str | None = None, limit: int = 1000) -> list[Document]:
        """The documents that wait for a decision, the oldest first."""

    async def attempts(self, message_id: str) -> list[Attempt]:
        """Every try at the work on a message."""

    async def attempt_lost(self, job: Job) -> bool:
        """Whether the try before this one at the job began and never ended: its process died."""

    async def deliveries(self, document_ids: Sequence[str]) -> list[DeliveryRecord]:
        """The deliveries of these documents, by document and target."""

    async def timeline(
        self, *, message_id: str | None = None, order_number: str | None = None, partner: str | None = None
    ) -> list[TrailEntry]:
        """The trail of one message, or of everything that belongs to an order, oldest first."""


class Keys(Protocol):
    """API keys. A key's text is `gw_<id>_<secret>`; look-ups are by id, then the hash is compared in constant time."""

    async def add_key(self, key: ApiKey, *, secret_sha256: str) -> None:
        """Store a new key."""

    async def key(self, key_id: str) -> tuple[ApiKey, str] | None:
        """A key and the SHA-256 of its secret."""

    async def keys(self, *, partner: str | None = None) -> list[ApiKey]:
        """All keys, or one partner's."""

    async def revoke_key(self, key_id: str, at: datetime) -> bool:
        """Make a key useless from now on; False when there is none."""

    async def touch_key(self, key_id: str, at: datetime) -> None:
        """Record the last use, at most once a minute."""
