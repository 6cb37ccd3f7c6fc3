"""What is asked of a message: chosen by the agreement, judged by what was really decrypted and verified."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """Demands and limits for one partner. Sizes in octets."""

    require_signature: bool = True
    require_encryption: bool = True
    require_compression: bool = False
    hashes: frozenset[str] = frozenset({"sha-256", "sha-384", "sha-512"})
    """Accepted in signatures and MICs; `sha-1` and `md5` only by adding them here for a partner."""
    ciphers: frozenset[str] = frozenset(
        {"aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm"}
    )
    """Accepted for content; `3des-cbc` only by adding it here for a partner."""
    max_size: int = 100 * MEGABYTE
    """Of the body as received."""
    max_inflated: int = 200 * MEGABYTE
    """Of what a compressed layer becomes."""
    max_ratio: int = 200
    """Inflated to compressed; looked at from one megabyte on, as small bodies of spaces compress well."""
