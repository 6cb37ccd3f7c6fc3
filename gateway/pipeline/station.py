"""What every step needs to know, joined once by `gateway.wiring`: who we are, whom we trade with, the ports."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from gateway.edi.delta import PartnerGuide
from gateway.edi.library import Guides
from gateway.mapping import Map
from gateway.mapping.hooks import NO_HOOKS, Hooks
from gateway.partners.agreement import Agreement, Standard
from gateway.partners.directory import Directory
from gateway.partners.guides import Syntax, syntax_of
from gateway.partners.keyring import Keyring
from gateway.pipeline.admission import Guard
from gateway.pipeline.shipments import Shipments
from gateway.pipeline.snapshots import Snapshots
from gateway.ports import As2Post, Clock, Connector, Queries, Store, WebhookPost
from gateway.settings import Settings

LARGE_AT_ONCE = 2
"""Messages too large for memory that are opened or built at once; the others wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Station:
    """Our side of every exchange."""

    settings: Settings
    directory: Directory
    versions: Mapping[str, str]
    """The content hash of each agreement, by partner."""
    maps: Mapping[str, Map]
    """Every map that an agreement names, compiled."""
    guides: Guides
    """The guides that come with the gateway."""
    partner_guides: Mapping[str, PartnerGuide]
    """Every guide that an agreement names, with what it extends."""
    keyring: Keyring
    """Our keys and the partners' certificates."""
    store: Store
    queries: Queries
    clock: Clock
    connectors: Mapping[str, Connector]
    """Targets by name."""
    as2: As2Post
    webhooks: Mapping[str, WebhookPost] = field(default_factory=dict)
    """Webhooks by name."""
    hooks: Hooks = NO_HOOKS
    """The workspace's: maps of then that name some are made again with them."""
    guards: Mapping[str, Guard] = field(default_factory=dict)
    """What partners' requests to our AS2 address must show in HTTP and TLS, where their agreement asks for it."""
    references: Snapshots = field(default_factory=Snapshots)
    """The partners' cross-references in memory."""
    shipments: Shipments = field(default_factory=Shipments)
    """What was shipped of the orders that were asked about of late."""
    crypto: Executor
    """Threads for RSA and long parses: they release the interpreter, the event loop goes on."""
    large: Executor = field(default_factory=lambda: ThreadPoolExecutor(LARGE_AT_ONCE, thread_name_prefix="large"))
    """Threads for messages that are too large for memory: however many there are, small ones find a thread of
    `crypto`."""

    def agreement(self, partner: str | None) -> Agreement | None:
        """The agreement with a partner that exchanges documents at present."""
        return None if partner is None else self.directory.by_name(partner)

    def syntax(self, agreement: Agreement, direction: Literal["send", "receive"], standard: Standard) -> Syntax:
        """How files from a partner, or to it, are read: its guides are made once, this only puts them together."""
        dialect = agreement.dialect(standard)
        return syntax_of(agreement, self.partner_guides, standard=self.guides, direction=direction, dialect=dialect)

    def version(self, partner: str) -> str:
        """The version of a partner's agreement, as it is recorded with every message."""
        return self.versions.get(partner, "")
