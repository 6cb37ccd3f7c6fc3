"""A message's trail as somebody without the gateway can verify it: the octets that were hashed and signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvenEvent:
    """One event, and what its hash is over (docs/audit-trail.md)."""

    number: int
    kind: str
    at: datetime
    data: str
    """The JSON text that was hashed, to the byte."""
    hashed: bytes
    hash: str
    seal: int | None
    """None: not sealed yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvenSeal:
    """One seal: what was signed, by which key, and the events that it lists."""

    number: int
    at: datetime
    signed: bytes
    signature: bytes
    key: str
    """SHA-256 of the 32 bytes of the Ed25519 public key."""
    entries: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrailProof:
    """The chain of one message, oldest first, and every seal that lists an event of it."""

    events: tuple[ProvenEvent, ...]
    seals: tuple[ProvenSeal, ...]
