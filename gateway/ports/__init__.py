"""Where pipeline, store and connectors meet: frozen values, and the Protocols that each side keeps.

The pipeline computes `Changes`; the store makes them durable in one commit; connectors carry a `Delivery` out.
None of the three imports another; `gateway.wiring` joins them.
"""

from __future__ import annotations

from gateway.ports.changes import (
    WAIT_FOR_NUMBERED,
    Awaited,
    Changes,
    ComesBack,
    DocumentUpdate,
    MessageUpdate,
    NewDocument,
    NewJob,
    NewMessage,
    Numbered,
    Numbers,
    own_chain,
)
from gateway.ports.deliveries import (
    DeliveriesSeen,
    DeliveryChange,
    DeliveryRecord,
    DeliveryState,
    document_state,
    seen,
)
from gateway.ports.exchange import As2Post, Connector, Delivered, Delivery, Refused, Submissions, Submitted, WebhookPost
from gateway.ports.lanes import PRIORITIES, Terms, TermsOf, rate_of
from gateway.ports.nodes import MISSED, Node, NodeState
from gateway.ports.proof import ProvenEvent, ProvenSeal, TrailProof
from gateway.ports.references import Held, Hold, ReferenceChange, ReferenceState
from gateway.ports.spooling import IN_MEMORY, Spooled
from gateway.ports.spooling import Source as OctetSource
from gateway.ports.steps import Step
from gateway.ports.stored import Accepted, ApiKey, Attempt, Document, Job, Message, Overdue, Page, TrailEntry, Wait
from gateway.ports.storing import Keys, LeaseLost, NaturalKeyTaken, Queries, Store
from gateway.ports.tracing import Tracing
from gateway.ports.values import (
    CERTIFICATES,
    CONFIGURATION,
    RETENTION,
    WEBHOOKS,
    WHEN_OVER,
    Channel,
    Clock,
    Direction,
    DocumentState,
    Expected,
    HttpAnswer,
    JobState,
    Json,
    MessageState,
    Receipt,
    Review,
    new_id,
)
from gateway.ports.versions import Source, Version, VersionKind, VersionShelf

__all__ = [
    "CERTIFICATES",
    "CONFIGURATION",
    "IN_MEMORY",
    "MISSED",
    "PRIORITIES",
    "RETENTION",
    "WAIT_FOR_NUMBERED",
    "WEBHOOKS",
    "WHEN_OVER",
    "Accepted",
    "ApiKey",
    "As2Post",
    "Attempt",
    "Awaited",
    "Changes",
    "Channel",
    "Clock",
    "ComesBack",
    "Connector",
    "Delivered",
    "DeliveriesSeen",
    "Delivery",
    "DeliveryChange",
    "DeliveryRecord",
    "DeliveryState",
    "Direction",
    "Document",
    "DocumentState",
    "DocumentUpdate",
    "Expected",
    "Held",
    "Hold",
    "HttpAnswer",
    "Job",
    "JobState",
    "Json",
    "Keys",
    "LeaseLost",
    "Message",
    "MessageState",
    "MessageUpdate",
    "NaturalKeyTaken",
    "NewDocument",
    "NewJob",
    "NewMessage",
    "Node",
    "NodeState",
    "Numbered",
    "Numbers",
    "OctetSource",
    "Overdue",
    "Page",
    "ProvenEvent",
    "ProvenSeal",
    "Queries",
    "Receipt",
    "ReferenceChange",
    "ReferenceState",
    "Refused",
    "Review",
    "Source",
    "Spooled",
    "Step",
    "Store",
    "Submissions",
    "Submitted",
    "Terms",
    "TermsOf",
    "Tracing",
    "TrailEntry",
    "TrailProof",
    "Version",
    "VersionKind",
    "VersionShelf",
    "Wait",
    "WebhookPost",
    "document_state",
    "new_id",
    "own_chain",
    "rate_of",
    "seen",
]
