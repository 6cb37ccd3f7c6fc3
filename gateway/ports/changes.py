"""What a step decides: new messages, documents, jobs and events, made durable in one commit or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.events import Event
from gateway.partners.confirmations import Reached
from gateway.ports.deliveries import DeliveriesSeen, DeliveryChange
from gateway.ports.references import Held, ReferenceChange
from gateway.ports.replays import Replayed
from gateway.ports.spooling import Spooled
from gateway.ports.stored import Document
from gateway.ports.values import Channel, Direction, DocumentState, Json, MessageState, Receipt, Review

WAIT_FOR_NUMBERED = "(numbered)"
"""As the `wait_key` of a NewJob: wait for the key that the message's `Numbered.wait_key` gives."""


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
    """`x12:<our id>:<partner>`; one counter for interchanges, one for groups (in EDIFACT: for messages)."""
    render: Callable[[Numbers], bytes]
    wait_key: Callable[[Numbers], str | None] | None = None
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
    payload: bytes | Numbered | Spooled
    content_type: str = "application/octet-stream"
    filename: str | None = None
    raw: bytes | Spooled | None = None
    raw_headers: tuple[tuple[str, str], ...] = ()
    as2_message_id: str | None = None
    mic: str | None = None
    duplicate_key: str | None = None
    """Unique over all messages: `as2:<partner>:<Message-ID>`. What came over REST has none:
    its Idempotency-Key is an identity of `Changes.keys`, because a repeat under a new key takes that one too."""
    receipt: Receipt | None = None
    answers: str | None = None
    """The message that this one acknowledges."""
    wait_key: str | None = None
    """What closes it (its functional acknowledgment); a `Numbered` payload's `wait_key` takes precedence."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 as hex of those of its octets that were hashed already, by form (`payload`, `raw`)."""


def own_chain(id_: str, note: bytes, *, at: datetime) -> NewMessage:
    """The message whose chain tells what befell the gateway itself: no partner's, its payload a note that says so."""
    return NewMessage(
        id=id_,
        partner=None,
        direction=Direction.INBOUND,
        channel=Channel.FOLDER,
        state=MessageState.PROCESSED,
        at=at,
        payload=note,
        content_type="text/plain",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageUpdate:
    """A change to a stored message; `None` leaves a field as it is.

    A state that would go back is left out (`gateway.store.states`): a late SENT never overwrites ACKNOWLEDGED.
    """

    id: str
    state: MessageState | None = None
    raw: bytes | Spooled | None = None
    raw_headers: tuple[tuple[str, str], ...] | None = None
    as2_message_id: str | None = None
    mic: str | None = None
    receipt: Receipt | None = None
    wait_key: str | None = None
    overdue_since: datetime | None = None
    in_time: bool = False
    """Nothing is overdue any more: `overdue_since` becomes empty."""


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
    """Where it stood in its message: `000000012/1/0001` (interchange, group if there is one, set)."""
    review: Review | None = None
    further_orders: tuple[str, ...] = ()
    """The numbers of the orders that it names beside `order_number`."""
    replaces: str | None = None
    """The document that it replaces or cancels."""


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
    agreement: str | None = None
    """What it was written with, where that is known only then: hash; name and hash."""
    map: str | None = None
    guide: str | None = None
    answer_overdue_since: datetime | None = None
    notice_overdue_since: datetime | None = None
    review: Review | None = None
    cleared: tuple[str, ...] = ()
    """Of the three before, those that become empty."""
    findings: tuple[Json, ...] | None = None
    """What is wrong with it now, where it was looked at again."""
    replaced_by: str | None = None
    """The document that replaces or cancels it."""
    key_ended: bool = False
    """Its natural key is another document's from now on: its own ends in `#` and its id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJob:
    """Work to be done after the commit. Unique: (message_id, step, document_id, part); the same again is left out."""

    message_id: str
    step: str
    lane: str
    """`partner:direction:endpoint`; each lane has its own cap, so one slow far side never slows another."""
    run_at: datetime
    document_id: str | None = None
    part: str = ""
    """Which of several jobs of one step for one document: the target's name; of one event, the webhook's."""
    wait_key: str | None = None
    """With a wait key the job waits: it runs at `run_at` (the time-out) unless `Changes.met` ends it before."""
    data: Json = field(default_factory=dict)
    again_after: timedelta | None = None
    """When the same work is there: it is done with this `data`; what has ended is done again, but not sooner than so
    long after it last began. Repeats of a request never become more than one job at a time."""
    priority: int | None = None
    """Its place in `gateway.ports.lanes.PRIORITIES`, where it is not its lane's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaited:
    """The job did its part and waits for the far side: it comes back by the schedule, and not sooner than `seconds`.

    Unless `Changes.met` names its wait key before. When the time for retries is over, it is given up.
    """

    seconds: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ComesBack:
    """The job looked, and looks again at that time; no schedule counts, nothing failed."""

    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswersSeen:
    """The documents that answer an order as somebody decided over them; another one meanwhile makes it decide anew."""

    partner: str
    kind: str
    order_number: str
    orders: tuple[str, ...]
    """Ids of the orders of this number: whoever decides holds them while he commits."""
    ids: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """Everything one step decided, made durable in one commit or not at all."""

    messages: tuple[NewMessage, ...] = ()
    message_updates: tuple[MessageUpdate, ...] = ()
    documents: tuple[NewDocument, ...] = ()
    document_updates: tuple[DocumentUpdate, ...] = ()
    deliveries: tuple[DeliveryChange, ...] = ()
    deliveries_seen: DeliveriesSeen | None = None
    """Raises NaturalKeyTaken when they stand otherwise by now."""
    further_seen: tuple[DeliveriesSeen, ...] = ()
    """The same of further documents."""
    answers_seen: tuple[AnswersSeen, ...] = ()
    """The same, of what answers an order."""
    jobs: tuple[NewJob, ...] = ()
    met: tuple[str, ...] = ()
    """Wait keys that are met: their waiting jobs are done."""
    released: tuple[Document, ...] = ()
    """Documents that waited for a decision and go on: what is published of them is read from these."""
    woken: tuple[str, ...] = ()
    """Wait keys whose waiting jobs are to run now: what they look for may be here."""
    awaited: Awaited | None = None
    """The job that decided this is not over."""
    comes_back: ComesBack | None = None
    """Nor is this one."""
    called: bool = True
    """False: a step that calls a far side did not, so that its success says nothing of the lane's far side."""
    keys: tuple[tuple[str, str], ...] = ()
    """(identity, message): identities taken until retention ends them, such as `x12:<partner>:<ISA13>` and
    `edifact:<partner>:<0020>`; one that is taken already raises NaturalKeyTaken."""
    replayed: Replayed | None = None
    """What a replay did about a message."""
    references: tuple[ReferenceChange, ...] = ()
    held: Held | None = None
    certificates: tuple[Reached, ...] = ()
    """Certificates that this step proved to be in use; what is known already is left out."""
    events: tuple[Event, ...] = ()
