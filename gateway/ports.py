"""Where pipeline, store and connectors meet: frozen values, and the Protocols that each side keeps.

The pipeline computes `Changes`; the store makes them durable in one commit; connectors carry a `Delivery` out.
None of the three imports another; `gateway.wiring` joins them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from gateway.events import Event
from gateway.findings import Finding
from gateway.partners.agreement import Agreement

Json = Mapping[str, Any]
"""A JSON object; decimals are strings."""


def new_id(now: datetime) -> str:
    """A UUIDv7 (RFC 9562 5.7) as text: sorts by the time of `now`, 74 bits are random."""
    milliseconds = int(now.timestamp() * 1000)
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Direction(StrEnum):
    """Seen from us."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Channel(StrEnum):
    """How a message came or goes."""

    AS2 = "as2"
    REST = "rest"
    ERP = "erp"
    FOLDER = "folder"
    CLI = "cli"


class MessageState(StrEnum):
    """Where a message stands. Terminal: processed, acknowledged, delivered, rejected, refused."""

    RECEIVED = "received"
    """In: durable, waiting to be read."""
    PROCESSED = "processed"
    """In: read; every set in it is accepted or was answered with its findings."""
    REJECTED = "rejected"
    """In: nothing in it was accepted. Out: the partner's station or acknowledgment refused it."""
    REFUSED = "refused"
    """In: refused unread (not decrypted, not verified, too large); the sender was told."""
    READY = "ready"
    """Out: composed and numbered, waiting to be sent."""
    SENT = "sent"
    """Out: receipt verified, functional acknowledgment awaited."""
    DELIVERED = "delivered"
    """Out: receipt verified, no functional acknowledgment is awaited."""
    ACKNOWLEDGED = "acknowledged"
    """Out: the partner's functional acknowledgment accepted it."""
    FAILED = "failed"
    """Work on it was given up; an operator can retry."""


class DocumentState(StrEnum):
    """Where a document stands."""

    ACCEPTED = "accepted"
    """In: checked and matched, delivery under way."""
    DELIVERED = "delivered"
    """In: its target has it."""
    REJECTED = "rejected"
    """In: refused; `findings` say why. Out: the partner's station or acknowledgment refused it."""
    SUBMITTED = "submitted"
    """Out: the ERP handed it over."""
    COMPOSED = "composed"
    """Out: written as an interchange, on its way."""
    AVAILABLE = "available"
    """Out: waits for the partner at the REST API."""
    FETCHED = "fetched"
    """Out: the partner has read it over REST."""
    SENT = "sent"
    """Out: the partner's station has it."""
    ACKNOWLEDGED = "acknowledged"
    """Out: the partner's 997 accepted it."""
    ANSWERED = "answered"
    """Out: a business answer (855, REST acknowledgement) is here."""
    SHIPPED = "shipped"
    """Out: a ship notice for it is here."""
    FAILED = "failed"
    """Work on it was given up; an operator can retry."""


WAIT_FOR_NUMBERED = "(numbered)"
"""As the `wait_key` of a NewJob: wait for the key that the message's `Numbered.wait_key` gives."""


class JobState(StrEnum):
    """`waiting` jobs run when their time-out comes or end when their `wait_key` is met."""

    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What the sender was or will be answered, byte for byte (an MDN with its HTTP headers)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """Control numbers given out by the store inside the commit that uses them."""

    interchange: int
    group: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbered:
    """A payload that needs control numbers from `series` before it is bytes.

    The store takes the next numbers and calls `render` inside the transaction: no number is lost or used twice.
    `render` is quick and pure. `wait_key` and `events` may depend on the numbers as well.
    """

    series: str
    """`x12:<our id>:<their id>`; one counter for interchanges, one for groups."""
    render: Callable[[Numbers], bytes]
    wait_key: Callable[[Numbers], str] | None = None
    keys: Callable[[Numbers], tuple[str, ...]] | None = None
    """Identities that the numbers give the message, kept as `Changes.keys` are."""
    events: Callable[[Numbers, bytes], tuple[Event, ...]] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMessage:
    """A message to be stored. `raw` is what was on the wire when that differs from `payload` (an AS2 body)."""

    id: str
    partner: str | None
    direction: Direction
    channel: Channel
    state: MessageState
    at: datetime
    payload: bytes | Numbered
    content_type: str = "application/octet-stream"
    filename: str | None = None
    raw: bytes | None = None
    raw_headers: tuple[tuple[str, str], ...] = ()
    as2_message_id: str | None = None
    mic: str | None = None
    duplicate_key: str | None = None
    """Unique over all messages: `as2:<partner>:<Message-ID>`, `x12:<partner>:<ISA13>`, `rest:<partner>:<key>`."""
    receipt: Receipt | None = None
    answers: str | None = None
    """The message that this one acknowledges."""
    wait_key: str | None = None
    """What closes it (its functional acknowledgment); a `Numbered` payload's `wait_key` takes precedence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageUpdate:
    """A change to a stored message; `None` leaves a field as it is.

    A state that would go back is left out (`gateway.store.states`): a late SENT never overwrites ACKNOWLEDGED.
    """

    id: str
    state: MessageState | None = None
    raw: bytes | None = None
    raw_headers: tuple[tuple[str, str], ...] | None = None
    as2_message_id: str | None = None
    mic: str | None = None
    receipt: Receipt | None = None
    wait_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDocument:
    """A canonical document to be stored. Unique: (partner, direction, natural_key)."""

    id: str
    message_id: str
    partner: str
    direction: Direction
    kind: str
    """purchase_order | order_acknowledgement | ship_notice"""
    number: str
    order_number: str | None
    business_unit: str | None
    state: DocumentState
    at: datetime
    body: Json
    sha256: str
    """Of the canonical JSON without `source`: two equal documents have one hash."""
    natural_key: str | None
    """Set for accepted documents: `<kind>:<number>:<revision>`; refused ones have none and may come again."""
    findings: tuple[Json, ...] = ()
    agreement: str | None = None
    map: str | None = None
    guide: str | None = None
    position: str | None = None
    """Where it stood in its message: `000000012/1/0001` (interchange, group, set)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentUpdate:
    """A change to a stored document; `None` leaves a field as it is.

    A state that would go back is left out (`gateway.store.states`): a late COMPOSED never overwrites ANSWERED.
    """

    id: str
    state: DocumentState | None = None
    sent_as: str | None = None
    """The message that carries it to the partner."""
    target: str | None = None
    their_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJob:
    """Work to be done after the commit. Unique: (message_id, step, document_id); the same work again is left out."""

    message_id: str
    step: str
    lane: str
    """`partner:direction:endpoint`; each lane has its own cap, so one slow far side never slows another."""
    run_at: datetime
    document_id: str | None = None
    wait_key: str | None = None
    """With a wait key the job waits: it runs at `run_at` (the time-out) unless `Changes.met` ends it before."""
    data: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """Everything one step decided, made durable in one commit or not at all."""

    messages: tuple[NewMessage, ...] = ()
    message_updates: tuple[MessageUpdate, ...] = ()
    documents: tuple[NewDocument, ...] = ()
    document_updates: tuple[DocumentUpdate, ...] = ()
    jobs: tuple[NewJob, ...] = ()
    met: tuple[str, ...] = ()
    """Wait keys that are met: their waiting jobs are done."""
    keys: tuple[tuple[str, str], ...] = ()
    """(identity, message): identities taken for ever, such as `x12:<partner>:<ISA13>`; one that is taken already
    raises NaturalKeyTaken."""
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A stored message, without its bytes."""

    id: str
    partner: str | None
    direction: Direction
    channel: Channel
    state: MessageState
    at: datetime
    content_type: str
    filename: str | None
    payload_sha256: str
    size: int
    raw_headers: tuple[tuple[str, str], ...]
    as2_message_id: str | None
    mic: str | None
    answers: str | None
    receipt: Receipt | None
    wait_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A stored document."""

    id: str
    message_id: str
    partner: str
    direction: Direction
    kind: str
    number: str
    order_number: str | None
    business_unit: str | None
    state: DocumentState
    at: datetime
    updated_at: datetime
    body: Json
    sha256: str
    findings: tuple[Json, ...]
    agreement: str | None
    map: str | None
    guide: str | None
    position: str | None
    target: str | None
    their_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Claimed work. `attempt` counts from 1 and, with `owner`, fences its completion."""

    id: int
    message_id: str
    document_id: str | None
    step: str
    lane: str
    attempt: int
    owner: str
    wait_key: str | None
    data: Json
    first_run_at: datetime
    """When it was first due, or revived: deadlines of policies count from here."""
    tries: int = 1
    """Attempts since then, this one included: the position in the retry schedule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try at a job, kept for ever: written before it is made, completed after."""

    job_id: int
    step: str
    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    """done | transient | uncertain | permanent | lost (its process died)"""
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrailEntry:
    """One event as stored."""

    message_id: str
    number: int
    """Position in its message's chain, from 1."""
    kind: str
    at: datetime
    partner: str | None
    order_number: str | None
    data: Json
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """Answer of `Store.accept`: stored now, or stored before (then `receipt` is the first one)."""

    message_id: str
    duplicate: bool
    receipt: Receipt | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of documents and the cursor of the next one."""

    documents: tuple[Document, ...]
    cursor: str | None


class NaturalKeyTaken(Exception):  # noqa: N818
    """Another document took the natural key meanwhile; nothing was written. Deciding anew will see it."""


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

    async def revive(self, message_id: str, *, by: str, reason: str) -> int:
        """Put the dead jobs of a message back to work; how many there were."""


class Queries(Protocol):
    """Reading. Methods that take `partner` never show another partner's rows."""

    async def message(self, message_id: str) -> Message | None:
        """A message without its bytes."""

    async def payload(self, message_id: str) -> bytes:
        """The unwrapped bytes of a message; raises OurFault when they were purged."""

    async def raw(self, message_id: str) -> bytes | None:
        """What was on the wire, when that differs from the payload."""

    async def messages(
        self, *, partner: str | None = None, state: MessageState | None = None, limit: int = 50
    ) -> list[Message]:
        """The newest messages first."""

    async def message_by_duplicate_key(self, key: str) -> Message | None:
        """The message that took this duplicate key."""

    async def key_owner(self, key: str) -> str | None:
        """The id of the message that took an identity of `Changes.keys` or `Numbered.keys`."""

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

    async def order(self, partner: str, number: str, direction: Direction) -> Document | None:
        """The newest purchase order with this number that went to (or came from) this partner."""

    async def documents_for_order(self, partner: str, kind: str, order_number: str) -> list[Document]:
        """The accepted documents of one kind that answer an order."""

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

    async def attempts(self, message_id: str) -> list[Attempt]:
        """Every try at the work on a message."""

    async def timeline(
        self, *, message_id: str | None = None, order_number: str | None = None, partner: str | None = None
    ) -> list[TrailEntry]:
        """The trail of one message, or of everything that belongs to an order, oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One document on its way to one target."""

    document_id: str
    kind: str
    partner: str
    body: Json
    idempotency_key: str
    """The same on every attempt: the far side can tell a repeat from a second document."""
    correlation_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """What the far side answered, and how the body was made that it answered to."""

    status: int
    their_id: str | None
    map: str | None = None
    """The JSON map that made the body; None where it was the canonical JSON itself."""
    map_hash: str | None = None
    left_out: int | None = None
    """How many fields and parts of the document the map has no line for."""


class Connector(Protocol):
    """The way to one far side."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Hand over a document. Raises DeliveryFailed with its outcome."""


class Clock(Protocol):
    """Now, aware, in UTC."""

    def __call__(self) -> datetime:
        """The present moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """An API key as stored: the secret itself was shown once and only its SHA-256 is kept."""

    id: str
    partner: str | None
    """`None` for keys of the ERP scope."""
    scope: str
    """erp | supplier"""
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """A document handed over by HTTP is durable; `receipt` is the answer, byte for byte the same for a repeat."""

    transaction_id: str
    receipt: Receipt
    duplicate: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A document handed over by HTTP was not taken: the HTTP status, the rule, and every finding at once."""

    status: int
    rule: str
    title: str
    findings: tuple[Finding, ...]


class Submissions(Protocol):
    """Taking documents over HTTP: the pipeline keeps it, the web layer calls it."""

    async def submit(
        self,
        *,
        kind: str,
        partner: str | None,
        body: bytes,
        idempotency_key: str | None,
        order_id: str | None,
        correlation_id: str,
    ) -> Submitted | Refused:
        """Validate, match and store one canonical document (strict JSON in `body`), all errors at once.

        `partner` is `None` in the ERP scope and the partner's name in the supplier scope. `order_id` names the
        order that an acknowledgement answers; the caller has checked that the partner may see it.
        """

    async def fetched(self, document: Document) -> None:
        """Record that the partner fetched `document` over REST; only the first time has an effect."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpAnswer:
    """A bounded HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class As2Post(Protocol):
    """The way to partners' AS2 stations."""

    async def post(self, agreement: Agreement, headers: Sequence[tuple[str, str]], body: bytes) -> HttpAnswer:
        """Post a built message to the partner's station; its 2xx answer. Raises DeliveryFailed with its outcome."""
