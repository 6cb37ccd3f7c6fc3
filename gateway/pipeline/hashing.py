"""Content hashes as the trail records them."""

from __future__ import annotations

import hashlib


def sha256_hex(content: object) -> str:
    """SHA-256 of bytes, as hex; anything else has not been written yet and has none."""
    if not isinstance(content, bytes | bytearray | memoryview):
        return ""
    return hashlib.sha256(content).hexdigest()
