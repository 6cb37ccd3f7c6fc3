"""The audit trail's vocabulary: one frozen dataclass per fact, in the past tense; the docstring is the documentation.

Events hold references and hashes, never payloads and never secrets: a purged payload still verifies. Long, for it is
one table: whoever looks for a fact looks here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A fact about one message. `message_id` names the chain it is appended to."""

    kind: ClassVar[str] = ""
    """Dotted, stable name of the fact; set by each subclass."""

    message_id: str
    partner: str | None = None
    order_number: str | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The fact's own fields as JSON values, without the three that every event has."""
        mine: Any = type(self)
        return {name: value for name in _own_fields(mine) if (value := getattr(self, name)) is not None}


_OF_EVERY_EVENT = frozenset({"message_id", "partner", "order_number"})


@cache
def _own_fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name not in _OF_EVERY_EVENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageReceived(Event):
    """A message from a far side is durable: raw bytes, duplicate key, receipt and first job are one commit."""

    kind: ClassVar[str] = "message.received"
    channel: str
    sha256: str
    size: int
    payload_sha256: str | None = None
    as2_message_id: str | None = None
    signed_by: str | None = None
    signature_hash: str | None = None
    encrypted: bool | None = None
    cipher: str | None = None
    compressed: bool | None = None
    receipt_asked: str | None = None
    """none, unsigned or signed."""
    mic: str | None = None
    encrypted_for: str | None = None
    """Our certificate that it was encrypted for: SHA-256, as `signed_by` is theirs."""
    as2_version: str | None = None
    """What the sender's station says it is, `1.0` where it does not."""
    features: tuple[str, ...] | None = None
    """What it says it is able to (EDIINT-Features)."""
    attachments: int | None = None
    """How many files the payload encloses (multipart/related)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRefused(Event):
    """A message was refused before processing; the sender was told `reason`."""

    kind: ClassVar[str] = "message.refused"
    channel: str
    reason: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DuplicateReceived(Event):
    """The same message came again; it got the first answer and had no second effect.

    A message's trail tells of its first hundred repeats.
    """

    kind: ClassVar[str] = "message.duplicate"
    channel: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptIssued(Event):
    """A receipt (MDN) was made for a received message; it is stored with it, byte for byte."""

    kind: ClassVar[str] = "receipt.issued"
    disposition: str
    sha256: str
    mic: str | None = None
    deliver_to: str | None = None
    """Where it goes by itself, when the sender asked for an asynchronous one; else it went out in the answer."""
    again: bool | None = None
    """True for a repeat whose MIC is another: its own receipt went out in the answer, and only its hash is kept, here.

    A message's trail tells of a hundred of them.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptDelivered(Event):
    """An asynchronous receipt of ours was taken at the address that the sender asked for."""

    kind: ClassVar[str] = "receipt.delivered"
    url: str
    status: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptOverdue(Event):
    """No asynchronous receipt came in the time agreed; the message is sent again. A late one still closes it."""

    kind: ClassVar[str] = "receipt.overdue"
    as2_message_id: str
    waited_seconds: int
    """Since the message was posted last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptRepeated(Event):
    """A valid receipt came for a message that another receipt has closed already; it had no effect."""

    kind: ClassVar[str] = "receipt.repeated"
    disposition: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptNotFinal(Event):
    """An asynchronous receipt refuses our message, but unsigned or for a cause that may pass: nothing is decided.

    The message is sent again when the time for its receipt is over.
    """

    kind: ClassVar[str] = "receipt.not_final"
    disposition: str
    sha256: str
    receipt_signed_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptRefused(Event):
    """A receipt came for this message and proves nothing: wrong signature, wrong MIC, never asked for. No effect."""

    kind: ClassVar[str] = "receipt.refused"
    reason: str
    received_as: str
    """The refused message that keeps its octets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InterchangeRead(Event):
    """An interchange was read and checked."""

    kind: ClassVar[str] = "interchange.read"
    standard: str
    sender: str
    receiver: str
    control_number: str
    outcome: str
    messages: int
    findings: int
    tolerated: tuple[str, ...] = ()
    """The rules that it broke and that the agreement tolerates."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentKept(Event):
    """A file that came in a message beside its interchanges, or instead of them, is kept in it; nobody reads it."""

    kind: ClassVar[str] = "attachment.kept"
    name: str | None
    """As the sender named it, without any path."""
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AcknowledgmentComposed(Event):
    """An acknowledgment (997, TA1, CONTRL) of a received interchange was composed."""

    kind: ClassVar[str] = "acknowledgment.composed"
    type: str
    outcome: str
    answers: str
    """What it answers: the control number of the group or interchange."""
    sent_as: str
    """The message it leaves as."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AcknowledgmentReceived(Event):
    """The partner's functional acknowledgment closed a message that we sent."""

    kind: ClassVar[str] = "acknowledgment.received"
    type: str
    outcome: str
    control_number: str
    received_as: str
    """The message it came in."""
    accepted: bool | None = None
    """Whether the partner has what we sent, or refuses it; absent where nothing is decided yet."""
    document: str | None = None
    """The kind of the document that it carries, where it carries one; its id and number below."""
    document_id: str | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AcknowledgmentUnmatched(Event):
    """A functional acknowledgment came for something that we did not send, or that was closed already."""

    kind: ClassVar[str] = "acknowledgment.unmatched"
    type: str
    control_number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AcknowledgmentOverdue(Event):
    """What answers a message or an order of ours did not come in the time agreed; said again while it does not come."""

    kind: ClassVar[str] = "acknowledgment.overdue"
    awaited: str
    """functional_acknowledgement, order_acknowledgement or ship_notice."""
    due_at: str
    waited_seconds: int
    """Since it went out."""
    reminder: int = 0
    """How often it was said before."""
    control_number: str | None = None
    """Of the group or interchange that is not acknowledged."""
    document_id: str | None = None
    """The order that is not answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AcknowledgmentLate(Event):
    """What was overdue came after all; nothing is overdue there any more."""

    kind: ClassVar[str] = "acknowledgment.late"
    awaited: str
    """receipt, functional_acknowledgement, order_acknowledgement or ship_notice."""
    overdue_since: str
    late_seconds: int
    received_as: str | None = None
    """The message that it came in."""
    document_id: str | None = None
    """The order that it answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentAccepted(Event):
    """A canonical document was read from a message, checked and matched; one that waited for a decision, approved."""

    kind: ClassVar[str] = "document.accepted"
    document: str
    document_id: str
    number: str
    sha256: str
    agreement: str
    map: str | None = None
    guide: str | None = None
    unmapped: int = 0
    """How many elements on the wire no map line names (kept in `extensions`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentRejected(Event):
    """A document was refused; `rules` names the findings, the document's row has them whole."""

    kind: ClassVar[str] = "document.rejected"
    document: str
    number: str | None
    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentDuplicate(Event):
    """A document that we already have came again in a new message; it had no second effect."""

    kind: ClassVar[str] = "document.duplicate"
    document: str
    number: str
    first: str
    """The document it repeats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentRouted(Event):
    """It was decided where a document goes, and by which rule."""

    kind: ClassVar[str] = "document.routed"
    document_id: str
    target: str
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentDelivered(Event):
    """A target took a document; `their_id` is the target's own name for it.

    `map` and `map_hash` name the JSON map that made the body, `left_out` counts what that map has no line for.
    """

    kind: ClassVar[str] = "document.delivered"
    document_id: str
    target: str
    idempotency_key: str
    status: int | None = None
    their_id: str | None = None
    map: str | None = None
    map_hash: str | None = None
    left_out: int | None = None
    after_uncertain: bool | None = None
    """True: a call before had no answer. Called again with the same key, unless a look-up found it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryUncertain(Event):
    """Nobody knows whether a target took a document, and nothing can find out: it waits for an operator."""

    kind: ClassVar[str] = "delivery.uncertain"
    document_id: str
    target: str
    idempotency_key: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryLookedUp(Event):
    """A target was asked whether it took a document whose answer never came."""

    kind: ClassVar[str] = "delivery.looked_up"
    document_id: str
    target: str
    idempotency_key: str
    found: bool
    their_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliverySettled(Event):
    """An operator decided what becomes of a delivery: it took place, it is made again, or it is not made."""

    kind: ClassVar[str] = "delivery.settled"
    document_id: str
    target: str
    decided: str
    """delivered, again or discarded."""
    by: str
    reason: str
    their_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentCompensated(Event):
    """What a target took was undone there, because another target of the document was given up."""

    kind: ClassVar[str] = "document.compensated"
    document_id: str
    target: str
    idempotency_key: str
    because: tuple[str, ...]
    """The targets that were given up."""
    status: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentNotCompensated(Event):
    """Another target of the document was given up, and what this one took has no compensation: a person must look."""

    kind: ClassVar[str] = "document.not_compensated"
    document_id: str
    target: str
    because: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentReplaced(Event):
    """A document replaces or cancels one that came before, by its purpose code; both are kept."""

    kind: ClassVar[str] = "document.replaced"
    document_id: str
    replaces: str
    purpose: str
    held: bool = False
    """It waits for an operator, as the agreement says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentHeld(Event):
    """A document waits for words that the cross-references do not have; it goes on when they are taught."""

    kind: ClassVar[str] = "document.held"
    document_id: str
    step: str
    words: int
    """How many words it waits for."""
    reason: str
    references: str
    """The state of the cross-references that it was read with: of the partner's own rows, of those for all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentResumed(Event):
    """A held document went back to work: a word that it waits for was taught, or an operator asked."""

    kind: ClassVar[str] = "document.resumed"
    document_id: str
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentUnderReview(Event):
    """A document waits: for somebody who approves what differs from its order, or for its order to come or to go."""

    kind: ClassVar[str] = "document.under_review"
    document_id: str
    review: str
    """outside_tolerance, order_unknown or order_held."""
    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentReviewed(Event):
    """It was decided about a document under review: it goes on, or it is refused."""

    kind: ClassVar[str] = "document.reviewed"
    document_id: str
    review: str
    decision: str
    """approved or rejected."""
    by: str
    """Who decided; `gateway` where the agreement did."""
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentTranslated(Event):
    """A document was translated by cross-references before it was delivered or written; the stored one stays."""

    kind: ClassVar[str] = "document.translated"
    document_id: str
    step: str
    words: int
    """How many values were translated."""
    kept: int
    """How many were not known and stayed as they were."""
    references: str
    """The state of the cross-references: of the partner's own rows, of those for all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferencesChanged(Event):
    """Cross-references were taught or retired; the message is the list of the rows, as CSV."""

    kind: ClassVar[str] = "references.changed"
    by: str
    reason: str
    added: int
    ended: int
    """Rows that got a last day because a later one follows."""
    retired: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryAttemptFailed(Event):
    """A delivery did not succeed and will be tried again, unless the outcome is permanent.

    Also the first failure of a step (`target` names it) for a cause on our side, with its remedy: no route, no map.
    """

    kind: ClassVar[str] = "delivery.attempt_failed"
    target: str
    attempt: int
    outcome: str
    reason: str
    retry_at: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkGivenUp(Event):
    """A job is dead: permanent refusal or attempts used up. An operator can retry it."""

    kind: ClassVar[str] = "work.given_up"
    step: str
    attempts: int
    reason: str
    document_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkRetried(Event):
    """An operator put a dead job back to work."""

    kind: ClassVar[str] = "work.retried"
    step: str
    by: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkDiscarded(Event):
    """An operator put a dead job aside: it is not done. What the partner was told stays told; it can be taken back."""

    kind: ClassVar[str] = "work.discarded"
    step: str
    by: str
    reason: str
    gave_up: str
    """Why it was given up."""
    document_id: str | None = None
    target: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PayloadPurged(Event):
    """The bytes of a message were removed; their hashes stay, so the trail still verifies."""

    kind: ClassVar[str] = "payload.purged"
    by: str
    reason: str
    sha256: str
    rule: str | None = None
    """The setting that asked for it; absent where somebody named the message."""
    size: int | None = None
    """Bytes that were removed, of all forms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentPurged(Event):
    """The content of a canonical document was removed; its number, state and hash stay."""

    kind: ClassVar[str] = "document.purged"
    document: str
    document_id: str
    number: str
    sha256: str
    by: str
    reason: str
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptsPurged(Event):
    """The record of the work on a message was removed: its jobs and their attempts. `sha256` is of that record."""

    kind: ClassVar[str] = "attempts.purged"
    jobs: int
    attempts: int
    sha256: str
    by: str
    reason: str
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsPurged(Event):
    """Rows that only guarded against repeats, or told of deliveries to webhooks, were removed by the hundred.

    On the trail of the message `retention`. `sha256` is of their names, one line each, in order.
    """

    kind: ClassVar[str] = "retention.rows_purged"
    what: str
    """idempotency, control_number or webhook."""
    rows: int
    sha256: str
    by: str
    reason: str
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LegalHoldPlaced(Event):
    """From now on nothing that it names is removed, whatever a rule or an operator says."""

    kind: ClassVar[str] = "legal_hold.placed"
    hold: int
    by: str
    reason: str
    held_partner: str | None = None
    held_order: str | None = None
    held_message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LegalHoldLifted(Event):
    """The rules apply again to what it named."""

    kind: ClassVar[str] = "legal_hold.lifted"
    hold: int
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentSubmitted(Event):
    """The ERP handed us a document for a partner; it is durable."""

    kind: ClassVar[str] = "document.submitted"
    document: str
    document_id: str
    number: str
    sha256: str
    agreement: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentAvailable(Event):
    """A document waits for the partner at the REST API."""

    kind: ClassVar[str] = "document.available"
    document_id: str
    document: str | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentFetched(Event):
    """The partner fetched a document from the REST API for the first time."""

    kind: ClassVar[str] = "document.fetched"
    document_id: str
    document: str | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InterchangeComposed(Event):
    """An interchange was written for a partner: map applied, checked, numbered, enveloped.

    `left_out` counts what the document says and the map cannot write.
    """

    kind: ClassVar[str] = "interchange.composed"
    type: str
    control_number: str
    group_control_number: str
    """GS06; in EDIFACT, where we write no group, the message's own reference (0062)."""
    sha256: str
    size: int
    document_id: str | None = None
    agreement: str | None = None
    map: str | None = None
    guide: str | None = None
    left_out: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MessagePosted(Event):
    """A message is about to be posted and its receipt may come later: what that receipt must say to count.

    Also written after an attempt whose end is uncertain, because a receipt for it may still come.
    """

    kind: ClassVar[str] = "message.posted"
    as2_message_id: str
    mic: str
    mic_algorithm: str
    further_mics: dict[str, str] | None = None
    """By algorithm, where the receipt may choose another."""
    signature_hash: str | None = None
    """Absent: it goes unsigned."""
    cipher: str | None = None
    """Absent: it goes unencrypted."""
    compressed: bool | None = None
    receipt_asked: str | None = None
    """unsigned or signed."""
    receipt_to: str | None = None
    """Where it was asked to go; absent: in the answer."""
    signed_with: str | None = None
    """Our certificate that it is signed with: SHA-256."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageSent(Event):
    """A message was handed to the partner's station and its receipt verified: signer, MIC and request agree."""

    kind: ClassVar[str] = "message.sent"
    as2_message_id: str
    disposition: str
    mic: str | None = None
    mic_algorithm: str | None = None
    mic_matched: bool | None = None
    receipt_signed_by: str | None = None
    signature_hash: str | None = None
    """Absent: it went unsigned."""
    cipher: str | None = None
    """Absent: it went unencrypted."""
    compressed: bool | None = None
    receipt_asked: str | None = None
    """none, unsigned or signed."""
    receipt_came: str | None = None
    """How, unless it was in the answer as asked."""
    signed_with: str | None = None
    """Our certificate that the message was signed with: SHA-256, as `receipt_signed_by` is theirs."""
    document: str | None = None
    """The kind of the document that it carries, where it carries one; its id and number below."""
    document_id: str | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRejectedByPartner(Event):
    """The partner's station received our message and refused it; its receipt says why."""

    kind: ClassVar[str] = "message.rejected_by_partner"
    as2_message_id: str
    disposition: str
    receipt_came: str | None = None
    """How, unless it was in the answer as asked."""
    document: str | None = None
    """The kind of the document that it carries, where it carries one; its id and number below."""
    document_id: str | None = None
    number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigurationActivated(Event):
    """From now on messages are worked by this configuration; those under way end with the one they began with.

    Its chain is that of the message `configuration`.
    """

    kind: ClassVar[str] = "configuration.activated"
    version: str
    """SHA-256 over all its files."""
    gateway: str
    node: str
    agreements: int
    maps: int
    guides: int
    changed: tuple[str, ...] = ()
    """The files that differ from the one before, the first hundred of them; none at a start."""
    needs_restart: tuple[str, ...] = ()
    """Sections of gateway.yaml that were changed and hold only after a restart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigurationRefused(Event):
    """A changed configuration is wrong: the one before stays active, and nothing of the new one holds.

    Its chain is that of the message `configuration`.
    """

    kind: ClassVar[str] = "configuration.refused"
    node: str
    active: str
    """The version that stays."""
    reason: str
    remedy: str
    findings: int
    texts: tuple[str, ...] = ()
    """The first findings, each with its file and line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateExpiring(Event):
    """A certificate that nothing follows has come near its end; said once for each threshold, by one node.

    Its chain is that of the message `certificates`.
    """

    kind: ClassVar[str] = "certificate.expiring"
    role: str
    """ours, theirs, tls, tls-client, their-tls-client, ca."""
    file: str
    certificate: str
    """SHA-256, hexadecimal."""
    subject: str
    not_after: str
    days_left: int
    """Negative: it has expired."""
    threshold: int
    """90, 60, 30 or 7 days; 0: it has expired."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookDisabled(Event):
    """A webhook is told nothing more: it answered 410 (Gone), or an operator said so.

    Its chain is that of the message `webhooks`.
    """

    kind: ClassVar[str] = "webhook.disabled"
    webhook: str
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookEnabled(Event):
    """An operator has a webhook told again.

    Its chain is that of the message `webhooks`.
    """

    kind: ClassVar[str] = "webhook.enabled"
    webhook: str
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookSecretsChanged(Event):
    """A webhook got a new signing secret, or lost the old ones.

    Its chain is that of the message `webhooks`.
    """

    kind: ClassVar[str] = "webhook.secrets_changed"
    webhook: str
    by: str
    reason: str
    secrets: int
    """How many sign now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookRedelivered(Event):
    """An operator had events sent to a webhook once more.

    Its chain is that of the message `webhooks`.
    """

    kind: ClassVar[str] = "webhook.redelivered"
    webhook: str
    by: str
    reason: str
    deliveries: int
    event_id: str | None = None
    """Absent: all that failed, or all since a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LanePaused(Event):
    """An operator has a lane start no more work.

    Its chain is that of the message `lanes`.
    """

    kind: ClassVar[str] = "lane.paused"
    lane: str
    by: str
    reason: str
    until: str | None = None
    """Absent: until somebody lets it go."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneResumed(Event):
    """An operator lets a lane go on, whoever paused it: one of them, or the gateway after failures in a row.

    Its chain is that of the message `lanes`.
    """

    kind: ClassVar[str] = "lane.resumed"
    lane: str
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneCapped(Event):
    """An operator said how many jobs of a lane run at once.

    Its chain is that of the message `lanes`.
    """

    kind: ClassVar[str] = "lane.capped"
    lane: str
    by: str
    reason: str
    cap: int | None = None
    """Absent: the default again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneRated(Event):
    """An operator said how many jobs of a lane start in a time.

    Its chain is that of the message `lanes`.
    """

    kind: ClassVar[str] = "lane.rated"
    lane: str
    by: str
    reason: str
    rate: str | None = None
    """Absent: what is agreed again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageReplayed(Event):
    """A stored message was read again by a replay, and this was done about the documents in it."""

    kind: ClassVar[str] = "message.replayed"
    replay: str
    by: str
    reason: str
    versions: str
    """current or original: what it was read with."""
    outcome: str
    """Of its documents, what most wants a look: same, again, corrected, replaced, new, as_new, left, failed or read."""
    documents: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayBegun(Event):
    """An operator has stored messages worked again.

    Its chain is that of the message `replays`.
    """

    kind: ClassVar[str] = "replay.begun"
    replay: str
    by: str
    reason: str
    versions: str
    as_new: bool
    messages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayChanged(Event):
    """A replay was paused, let go on, cancelled, or came to its end.

    Its chain is that of the message `replays`.
    """

    kind: ClassVar[str] = "replay.changed"
    replay: str
    state: str
    """paused, running, cancelled or done."""
    by: str
    done: int
    """How many messages were worked."""


EVENTS: dict[str, type[Event]] = {
    known.kind: known
    for known in tuple(globals().values())
    if isinstance(known, type) and issubclass(known, Event) and known is not Event
}
"""Every kind of event by its dotted name."""
