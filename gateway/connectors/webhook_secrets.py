"""Standard Webhooks 1.0: secrets and signatures.

A secret's text is `whsec_` and base64 (HMAC-SHA256, signs as v1), or `whsk_` and base64 (Ed25519, signs as v1a). Where
several stand, separated by blanks or line ends, each signs: so a secret is exchanged while both are known.
No message here ever repeats one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.errors import OurFault

SYMMETRIC, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
MOST = 4
"""Secrets of one webhook at once: two while one is exchanged, and some more for slow receivers."""
SHORTEST, LONGEST = 24, 64
"""Octets of a symmetric secret ("Signature scheme": 192 to 512 bits)."""
SEED = 32
"""Octets of an Ed25519 key (RFC 8032 5.1.5); some write the public key behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningSecret:
    """One secret, ready to sign."""

    text: str = field(repr=False)
    key: bytes | Ed25519PrivateKey = field(repr=False)

    def sign(self, content: bytes) -> str:
        """`v1,…` or `v1a,…`."""
        if isinstance(self.key, bytes):
            return "v1," + base64.b64encode(hmac.new(self.key, content, hashlib.sha256).digest()).decode()
        return "v1a," + base64.b64encode(self.key.sign(content)).decode()

    @property
    def shown(self) -> str:
        """What the receiver needs to verify: the secret itself, or the public key."""
        if isinstance(self.key, bytes):
            return self.text
        return PUBLIC + base64.b64encode(self.key.public_key().public_bytes_raw()).decode()


def read_secrets(where: str, text: str) -> tuple[SigningSecret, ...]:
    """The secrets in a text, the newest first. Raises OurFault that names `where`, never the text."""
    words = text.split()
    if not 1 <= len(words) <= MOST:
        raise OurFault(
            f"{where}: {len(words)} signing secrets",
            remedy=f"1 to {MOST} of them, separated by blanks or line ends; gateway webhook rotate makes one",
        )
    return tuple(_read(where, number, word) for number, word in enumerate(words, 1))


def new_secret(*, asymmetric: bool = False) -> SigningSecret:
    """A new one from the operating system's randomness."""
    if not asymmetric:
        key = secrets.token_bytes(32)
        return SigningSecret(text=SYMMETRIC + base64.b64encode(key).decode(), key=key)
    private = Ed25519PrivateKey.generate()
    both = private.private_bytes_raw() + private.public_key().public_bytes_raw()
    return SigningSecret(text=PRIVATE + base64.b64encode(both).decode(), key=private)


def signed_headers(keys: Sequence[SigningSecret], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers: the id of the event, the time of this attempt, a signature by each secret."""
    # "Signature scheme": neither id nor time may hold the stop that parts them.
    assert "." not in event_id
    content = f"{event_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(key.sign(content) for key in keys),
    }


def _read(where: str, number: int, word: str) -> SigningSecret:
    prefix = next((one for one in (SYMMETRIC, PRIVATE) if word.startswith(one)), None)
    try:
        octets = base64.b64decode(word.removeprefix(prefix or ""), validate=True)
    except binascii.Error:
        octets = b""
    if prefix == SYMMETRIC and SHORTEST <= len(octets) <= LONGEST:
        return SigningSecret(text=word, key=octets)
    if prefix == PRIVATE and len(octets) in {SEED, 2 * SEED}:
        private = Ed25519PrivateKey.from_private_bytes(octets[:SEED])
        if octets[SEED:] in {b"", private.public_key().public_bytes_raw()}:
            return SigningSecret(text=word, key=private)
    raise OurFault(
        f"{where}: signing secret {number} is none",
        remedy=f"{SYMMETRIC} and base64 of {SHORTEST} to {LONGEST} octets, or {PRIVATE} and base64 of an Ed25519 key; "
        "gateway webhook rotate makes one",
    )
