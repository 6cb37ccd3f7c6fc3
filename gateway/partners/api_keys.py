"""API keys: `gw_<id>_<secret>`. The text is shown once; only the SHA-256 of the secret is kept.

The secret has 256 random bits, so a plain hash is enough (nothing to guess) and checking a key costs microseconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_TEXT = re.compile(r"gw_([0-9a-f]{12})_([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True, slots=True)
class MintedKey:
    """A new key. `text` is for its holder alone; `id` and `secret_sha256` (hex) are what the store keeps."""

    id: str
    text: str
    secret_sha256: str


def mint_api_key() -> MintedKey:
    """A new key from the operating system's randomness."""
    key_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    return MintedKey(id=key_id, text=f"gw_{key_id}_{secret}", secret_sha256=secret_sha256(secret))


def parse_api_key(text: str) -> tuple[str, str] | None:
    """(id, secret) of a key's text; None when it is no key at all."""
    match = _TEXT.fullmatch(text)
    return (match[1], match[2]) if match else None


def secret_sha256(secret: str) -> str:
    """What the store keeps of a secret: SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def secret_matches(secret: str, stored_sha256: str) -> bool:
    """Whether `secret` is the one that was hashed; takes the same time either way."""
    return hmac.compare_digest(secret_sha256(secret), stored_sha256)
