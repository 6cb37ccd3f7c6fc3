"""The Protocols at our borders: documents to targets, messages to AS2 stations, submissions from the REST layer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.as2 import Stretch
from gateway.findings import Finding
from gateway.partners.agreement import Agreement
from gateway.partners.receipt_address import ReceiptAddress
from gateway.ports.stored import Document
from gateway.ports.values import HttpAnswer, Json, Receipt


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
    their_id: str | None = None
    """The far side's own id of what is undone or replaced."""
    replaces: bool = False
    """It replaces or cancels a document that the far side has."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A call as it would be made."""

    method: str
    where: str
    """The address, or the file."""
    body: str
    """JSON text; empty for none."""
    key: str


class Connector(Protocol):
    """The way to one far side."""

    @property
    def honours_key(self) -> bool:
        """Whether a repeat with the same idempotency key has no second effect there."""

    def looks_up(self, kind: str) -> bool:
        """Whether the far side can be asked what it has of this kind of document."""

    def lookup_wait(self, kind: str) -> float:
        """Seconds after a call without an answer before it is asked."""

    def undoes(self, kind: str, because: Collection[str]) -> bool:
        """Whether what it took of this kind can be undone when these targets were given up."""

    def replaces(self, kind: str) -> bool:
        """Whether what it took of this kind can be replaced by another document."""

    def told(self, delivery: Delivery) -> Told:
        """The call that `deliver` would make; nothing is sent. Raises DeliveryFailed where it cannot be made."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Hand over a document. Raises DeliveryFailed with its outcome."""

    async def look_up(self, delivery: Delivery) -> Delivered | None:
        """What the far side has under this delivery's key; None: it has it not.

        Raises DeliveryFailed (uncertain) when its answer says neither.
        """

    async def undo(self, delivery: Delivery) -> Delivered:
        """Undo a document that the far side took. Raises DeliveryFailed with its outcome."""


class As2Post(Protocol):
    """The way to partners' AS2 stations."""

    async def post(self, agreement: Agreement, headers: Sequence[tuple[str, str]], body: bytes | Stretch) -> HttpAnswer:
        """Post a built message to the partner's station; its 2xx answer. Raises DeliveryFailed with its outcome.

        A body that is a stretch of a file goes out from there.
        """

    async def post_receipt(
        self, agreement: Agreement, address: ReceiptAddress, headers: Sequence[tuple[str, str]], body: bytes
    ) -> HttpAnswer:
        """Post an asynchronous receipt to its address, which never is a private one unless the agreement names it."""


class WebhookPost(Protocol):
    """The way to one webhook."""

    async def post(self, event_id: str, body: str) -> int:
        """Post an event, signed; the status of the 2xx answer. Raises DeliveryFailed, permanent where it was 410."""


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

    async def unread(self, *, partner: str | None, start: bytes, size: int, sha256: str, reason: str) -> None:
        """Keep a trace of a body that the web layer refused before it was a document, and why.

        `start` are its first octets (64 KiB are kept), `size` and `sha256` are of all that came.
        """

    async def fetched(self, document: Document) -> None:
        """Record that the partner fetched `document` over REST; only the first time has an effect."""
