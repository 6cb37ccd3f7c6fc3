"""The algorithms of AS2 as tables: one row per name, one place to add one.

Names are what people write in agreements and what `micalg` says (RFC 5751 3.4.3.2); identifiers are the content octets
of the OIDs on the wire. Which rows a partner may use is `Policy`'s business, not a property of the row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cryptography.hazmat.primitives import hashes

from gateway.as2 import der
from gateway.as2.ber import NULL
from gateway.as2.der import oid
from gateway.as2.octets import Octets, Stretch


@dataclass(frozen=True, kw_only=True, slots=True)
class Hash:
    """One digest algorithm: the name we write, its wire identifier and how to compute it."""

    name: str
    oid: bytes
    scheme: hashes.HashAlgorithm
    start: Callable[..., Any]
    """Its constructor in `hashlib`."""
    sendable: bool = True
    """SHA-1 and MD5 are read for those who must (a partner switch), never signed with in a message of ours."""

    def digest(self, pieces: Iterable[Octets]) -> bytes:
        """The digest over the pieces in order."""
        state = self.start(usedforsecurity=False)
        for octets in pieces:
            if not isinstance(octets, Stretch):
                state.update(octets)
                continue
            for piece in octets.pieces():
                state.update(piece)
        digest: bytes = state.digest()
        return digest


class Mode(Enum):
    """How a cipher protects what it encrypts."""

    CBC = "cbc"
    GCM = "gcm"


@dataclass(frozen=True, kw_only=True, slots=True)
class CipherSuite:
    """One content encryption algorithm. Lengths in octets."""

    name: str
    oid: bytes
    mode: Mode
    key_length: int
    block: int = 16
    sendable: bool = True
    """3DES is read for those who must (a partner switch), never written."""


HASHES: dict[str, Hash] = {
    row.name: row
    for row in (
        Hash(name="sha-256", oid=oid("2.16.840.1.101.3.4.2.1"), scheme=hashes.SHA256(), start=hashlib.sha256),
        Hash(name="sha-384", oid=oid("2.16.840.1.101.3.4.2.2"), scheme=hashes.SHA384(), start=hashlib.sha384),
        Hash(name="sha-512", oid=oid("2.16.840.1.101.3.4.2.3"), scheme=hashes.SHA512(), start=hashlib.sha512),
        Hash(name="sha-1", oid=oid("1.3.14.3.2.26"), scheme=hashes.SHA1(), start=hashlib.sha1, sendable=False),  # noqa: S303  a partner switch decides
        Hash(name="md5", oid=oid("1.2.840.113549.2.5"), scheme=hashes.MD5(), start=hashlib.md5, sendable=False),  # noqa: S303  likewise
    )
}
HASH_BY_OID = {row.oid: row for row in HASHES.values()}
_MICALG_ALIASES = {
    alias: name for name in HASHES for alias in (name.replace("-", ""), f"rsa-{name}", f"rsa-{name.replace('-', '')}")
}
"""Spellings of peers; those with `rsa-` by RFC 5751 3.4.3.2, historical note."""

CIPHERS: dict[str, CipherSuite] = {
    row.name: row
    for row in (
        CipherSuite(name="aes-128-cbc", oid=oid("2.16.840.1.101.3.4.1.2"), mode=Mode.CBC, key_length=16),
        CipherSuite(name="aes-192-cbc", oid=oid("2.16.840.1.101.3.4.1.22"), mode=Mode.CBC, key_length=24),
        CipherSuite(name="aes-256-cbc", oid=oid("2.16.840.1.101.3.4.1.42"), mode=Mode.CBC, key_length=32),
        CipherSuite(name="aes-128-gcm", oid=oid("2.16.840.1.101.3.4.1.6"), mode=Mode.GCM, key_length=16),
        CipherSuite(name="aes-192-gcm", oid=oid("2.16.840.1.101.3.4.1.26"), mode=Mode.GCM, key_length=24),
        CipherSuite(name="aes-256-gcm", oid=oid("2.16.840.1.101.3.4.1.46"), mode=Mode.GCM, key_length=32),
        CipherSuite(
            name="3des-cbc", oid=oid("1.2.840.113549.3.7"), mode=Mode.CBC, key_length=24, block=8, sendable=False
        ),
    )
}
CIPHER_BY_OID = {row.oid: row for row in CIPHERS.values()}

# Key transport (RFC 3370 4.2.1, RFC 3560).
RSA_ENCRYPTION = oid("1.2.840.113549.1.1.1")
RSA_OAEP = oid("1.2.840.113549.1.1.7")
MGF1 = oid("1.2.840.113549.1.1.8")
P_SPECIFIED = oid("1.2.840.113549.1.1.9")

# Key agreement: the curves written to and what derives the key that wraps (RFC 5753 7.1, 7.2; RFC 8551 2.3 and 2.7.1).
EC_PUBLIC_KEY = oid("1.2.840.10045.2.1")
CURVES = {"secp256r1": HASHES["sha-256"], "secp384r1": HASHES["sha-384"], "secp521r1": HASHES["sha-512"]}
KEY_AGREEMENTS: dict[bytes, Hash] = {
    oid("1.3.133.16.840.63.0.2"): HASHES["sha-1"],
    oid("1.3.132.1.11.1"): HASHES["sha-256"],
    oid("1.3.132.1.11.2"): HASHES["sha-384"],
    oid("1.3.132.1.11.3"): HASHES["sha-512"],
}
"""dhSinglePass-stdDH-…kdf-scheme. SHA-1 is read, and harmless there: nobody gains by a collision of derived keys."""
KEY_AGREEMENT_BY_HASH = {row.name: identifier for identifier, row in KEY_AGREEMENTS.items()}
KEY_WRAPS: dict[bytes, int] = {
    oid("2.16.840.1.101.3.4.1.5"): 16,
    oid("2.16.840.1.101.3.4.1.25"): 24,
    oid("2.16.840.1.101.3.4.1.45"): 32,
}
"""AES key wrap (RFC 3394, RFC 3565 2.3.2): the length of the key that wraps, in octets."""
KEY_WRAP_BY_LENGTH = {length: identifier for identifier, length in KEY_WRAPS.items()}

# Signatures (RFC 3370 3.2, RFC 4056, RFC 5754). RSA_ENCRYPTION in a SignerInfo takes its hash from digestAlgorithm.
RSA_PSS = oid("1.2.840.113549.1.1.10")
RSA_SIGNATURES: dict[bytes, Hash] = {
    oid("1.2.840.113549.1.1.4"): HASHES["md5"],
    oid("1.2.840.113549.1.1.5"): HASHES["sha-1"],
    oid("1.2.840.113549.1.1.11"): HASHES["sha-256"],
    oid("1.2.840.113549.1.1.12"): HASHES["sha-384"],
    oid("1.2.840.113549.1.1.13"): HASHES["sha-512"],
}
ECDSA_SIGNATURES: dict[bytes, Hash] = {
    oid("1.2.840.10045.4.1"): HASHES["sha-1"],
    oid("1.2.840.10045.4.3.2"): HASHES["sha-256"],
    oid("1.2.840.10045.4.3.3"): HASHES["sha-384"],
    oid("1.2.840.10045.4.3.4"): HASHES["sha-512"],
}
ECDSA_BY_HASH = {row.name: identifier for identifier, row in ECDSA_SIGNATURES.items()}


PLAIN: dict[bytes, bytes] = {
    der.sequence(der.identifier(name), *null): name
    for name in (RSA_ENCRYPTION, *HASH_BY_OID, *RSA_SIGNATURES, *ECDSA_SIGNATURES)
    for null in ((), (der.tlv(NULL),))
}
"""Algorithms without parameters, as CMS writes them: known at a glance."""
LONGEST_PLAIN = max(map(len, PLAIN))


def hash_named(name: str) -> Hash | None:
    """The hash a `micalg` names, in any spelling peers use; `None` for one we do not know."""
    name = name.strip().strip('"').lower()
    return HASHES.get(_MICALG_ALIASES.get(name, name))
