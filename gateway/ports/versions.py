"""What decided about a document, kept by its content hash: the agreement, the map, the guide of then, word for word.

From the raw bytes of a message and these the same document is made again, years and gateways later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class VersionKind(StrEnum):
    """What was kept."""

    AGREEMENT = "agreement"
    MAP = "map"
    GUIDE = "guide"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One file of it."""

    name: str
    """What other files call it: `x12/855`, `acme/850`."""
    file: str
    """Where it stood: `maps/x12/855.yaml`."""
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One agreement, map or guide as it was."""

    kind: VersionKind
    hash: str
    """The hash recorded with the documents: SHA-256 (hex) of an agreement's file, over all files of a map or guide."""
    name: str
    gateway: str
    """The gateway that first used it."""
    sources: tuple[Source, ...]
    """Itself first, then what it extends."""
    first_seen: datetime | None = None
    """When the store got it."""


class VersionShelf(Protocol):
    """Keeps versions for good. Nothing is ever changed or replaced: the hash is of the content."""

    async def put(self, versions: Iterable[Version]) -> int:
        """Keep those that are not kept yet; how many were new."""

    async def get(self, kind: VersionKind, hash: str) -> Version | None:  # noqa: A002  it is the trade's word
        """The version of this hash; None where it was never in use here."""
