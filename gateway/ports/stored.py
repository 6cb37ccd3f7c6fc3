"""What the store gives back: messages, documents, work, trail and keys as they are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from gateway.ports.lanes import NORMAL
from gateway.ports.values import Channel, Direction, DocumentState, Expected, Json, MessageState, Receipt, Review


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
    overdue_since: datetime | None = None
    """Since when its receipt (state posted) or functional acknowledgment (sent) is overdue."""


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
    """The first of its targets."""
    their_id: str | None
    replaces: str | None = None
    """The document that it replaces or cancels."""
    replaced_by: str | None = None
    sent_as: str | None = None
    """The message that carries it to the partner."""
    answer_overdue_since: datetime | None = None
    """Since when an order's acknowledgement is overdue."""
    notice_overdue_since: datetime | None = None
    """Since when an order's ship notice is overdue."""
    review: Review | None = None
    """Why it waits for a decision."""
    purged_at: datetime | None = None
    """When its content was removed; `body` is what it is known by."""

    @property
    def overdue(self) -> dict[Expected, datetime]:
        """The answers to it that are overdue, each since when."""
        known = {
            Expected.ORDER_ACKNOWLEDGEMENT: self.answer_overdue_since,
            Expected.SHIP_NOTICE: self.notice_overdue_since,
        }
        return {what: since for what, since in known.items() if since is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Something that is expected and has not come."""

    expected: Expected
    message_id: str
    document_id: str | None
    due_at: datetime
    overdue: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Overdue:
    """Something that has not come in time."""

    expected: Expected
    since: datetime
    message_id: str
    """What went out and is not answered."""
    partner: str | None
    document_id: str | None = None
    number: str | None = None
    """The order's."""


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
    message: Message | None = None
    """Its message as it was when the job was claimed: the claim brings it along, so that no step need look it up."""
    part: str = ""
    """Which of several jobs of one step for one document: the target's name."""
    payload: bytes | None = field(default=None, repr=False)
    """The message's unwrapped bytes, brought along for work on the message as a whole when they are small."""
    priority: int = NORMAL
    """Its place in `gateway.ports.lanes.PRIORITIES`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try at a job: written before it is made, completed after."""

    job_id: int
    step: str
    number: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    """done | transient | uncertain | permanent | lost (its process died) | returned (given back, never begun)"""
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
