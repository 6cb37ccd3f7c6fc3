"""Who may post at our AS2 address at all: what HTTP and TLS must show, looked at before a body is read.

Only partners whose agreement asks for it are held to it; all others are proved by their signatures alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.partners.agreement import Agreement
from gateway.partners.keys import load_certificates

CHALLENGE = ("WWW-Authenticate", 'Basic realm="AS2", charset="UTF-8"')
"""RFC 7617 2, 2.1."""
_MAX_CREDENTIALS = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What a request shows of its sender, beside the message."""

    authorization: tuple[str, ...] = field(default=(), repr=False)
    """The Authorization headers."""
    certificate: bytes | None = None
    """The client certificate that TLS verified, as DER."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Denial:
    """A request that is not let in: the HTTP answer, and the reason for the operator."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """What one partner's requests must show."""

    user: bytes | None = field(default=None, repr=False)
    """SHA-256 of user:password; hashes are compared, so that neither content nor length shows in the time."""
    certificates: frozenset[bytes] = frozenset()
    """DER of the TLS client certificates of which one must be shown."""

    def denial(self, shown: Shown) -> Denial | None:
        """Why a request stays outside, None when it may come in."""
        if self.certificates and shown.certificate not in self.certificates:
            other = shown.certificate and f"another one, SHA-256 {hashlib.sha256(shown.certificate).hexdigest()}"
            return Denial(
                status=403,
                text="A TLS client certificate that was agreed is needed.",
                reason=f"a TLS client certificate that was agreed is needed, the request showed {other or 'none'}",
            )
        if self.user is None:
            return None
        given = shown.authorization
        user = _user(given[0]) if len(given) == 1 else None
        if user is not None and hmac.compare_digest(hashlib.sha256(user).digest(), self.user):
            return None
        return Denial(
            status=401,
            text="User and password are needed (HTTP basic).",
            headers=(CHALLENGE,),
            reason="HTTP authentication is wrong" if given else "the request carries no HTTP authentication",
        )


def guards(agreements: Iterable[Agreement], folder: Path) -> dict[str, Guard]:
    """The guards of those partners that have one; secrets and files are read now. Raises OurFault."""
    made: dict[str, Guard] = {}
    for agreement in agreements:
        channel = agreement.as2
        if channel is None or not agreement.exchanges:
            continue
        basic = channel.require_authentication
        pair = None if basic is None else f"{basic.username}:{basic.password.read(folder)}".encode()
        certificates = load_certificates(folder, channel.require_client_certificates)
        if pair is not None or certificates:
            made[agreement.name] = Guard(
                user=None if pair is None else hashlib.sha256(pair).digest(),
                certificates=frozenset(one.public_bytes(Encoding.DER) for one in certificates),
            )
    return made


def _user(header: str) -> bytes | None:
    """user:password of an Authorization header (RFC 7617 2), None for anything else."""
    scheme, _, credentials = header.strip().partition(" ")
    if scheme.lower() != "basic" or len(credentials) > _MAX_CREDENTIALS:
        return None
    try:
        return base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
