"""Which keys and certificates count at a moment: ours that sign and decrypt, a partner's that encrypt and verify."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from gateway.as2.certificates import KeyPair


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyring:
    """Our AS2 key pairs and our partners' certificates."""

    ours: tuple[KeyPair, ...]
    """The first one signs, each may decrypt."""
    theirs: Mapping[str, tuple[x509.Certificate, ...]]
    """By partner; the first one encrypts, any may have signed."""

    def signing(self, partner: str, now: datetime) -> KeyPair:
        """The pair that signs what goes to a partner."""
        del partner, now
        return self.ours[0]

    def decrypting(self, now: datetime) -> tuple[KeyPair, ...]:
        """The pairs that what comes may be encrypted for."""
        del now
        return self.ours

    def encrypting(self, partner: str, now: datetime) -> tuple[x509.Certificate, ...]:
        """The certificates that a message to a partner is encrypted for."""
        del now
        return self.theirs[partner][:1]

    def verifying(self, partner: str, now: datetime) -> tuple[x509.Certificate, ...]:
        """The certificates that may have signed what comes from a partner."""
        del now
        return self.theirs[partner]
