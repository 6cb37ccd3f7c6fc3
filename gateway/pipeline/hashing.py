"""Content hashes as the trail records them."""

from __future__ import annotations

import hashlib
from typing import Protocol, runtime_checkable

from gateway.as2 import Stretch


@runtime_checkable
class WithDigest(Protocol):
    """What knows its SHA-256, as a file of the spool does."""

    @property
    def sha256(self) -> str:
        """As hex."""


def sha256_hex(content: object) -> str:
    """SHA-256 of bytes or of a file, as hex; what has not been written yet has none."""
    if isinstance(content, bytes | bytearray | memoryview):
        return hashlib.sha256(content).hexdigest()
    if isinstance(content, Stretch):
        state = hashlib.sha256()
        for piece in content.pieces():
            state.update(piece)
        return state.hexdigest()
    return content.sha256 if isinstance(content, WithDigest) else ""
