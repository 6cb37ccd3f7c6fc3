"""For whom a message is encrypted: the session key on its way to each recipient (RFC 5652 6.2).

A session key that does not come out right is replaced by a random one: nobody learns from outside which it was.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gateway.as2 import ber, cms, der
from gateway.as2.algorithms import HASH_BY_OID, HASHES, MGF1, P_SPECIFIED, RSA_ENCRYPTION, RSA_OAEP, Hash
from gateway.as2.certificates import KeyPair, fingerprint, identity, named
from gateway.as2.faults import As2Fault, Refusal
from gateway.errors import OurFault

PUBLIC = "The message could not be decrypted."
"""The one thing a peer is told, whatever went wrong inside an envelope."""

_NULL = der.tlv(ber.NULL)


class KeyTransport(StrEnum):
    """How the session key travels to a recipient with an RSA key."""

    PKCS1 = "rsa-pkcs1-v1.5"
    OAEP = "rsa-oaep-sha-256"


def failed(detail: str) -> As2Fault:
    """The uniform refusal; `detail` is for the operator."""
    return As2Fault(detail, refusal=Refusal.DECRYPTION_FAILED, public=PUBLIC)


def session_key(recipients: Sequence[ber.Element], keys: Sequence[KeyPair], length: int) -> bytes:
    """The session key for the first recipient who is us; a random one when it does not come out right.

    `length` in octets. Raises As2Fault when none of them is us, BerFault.
    """
    for recipient in recipients:
        if recipient.tag != ber.SEQUENCE:  # only KeyTransRecipientInfo has no tag (RFC 5652 6.2)
            continue
        found = cms.fields(recipient, 4)
        pair = next((pair for pair in keys if named(found[1], [pair.certificate]) is not None), None)
        if pair is None or not isinstance(pair.private_key, rsa.RSAPrivateKey):
            continue
        scheme = _transport(found[2])
        key = spare = os.urandom(length)
        # RFC 3218 2.3.2: go on with a random key. The library returns random octets for bad PKCS#1 v1.5 padding.
        with contextlib.suppress(ValueError):
            key = pair.private_key.decrypt(bytes(found[3].expect(ber.OCTET_STRING).joined()), scheme)
        return key if len(key) == length else spare
    raise failed("the envelope is addressed to none of our certificates")


def _transport(element: ber.Element) -> padding.AsymmetricPadding:
    """The padding of an RSA recipient (RFC 3370 4.2.1, RFC 4055 4.1)."""
    identifier, parameters = cms.algorithm(element)
    if identifier == RSA_ENCRYPTION:
        return padding.PKCS1v15()
    if identifier != RSA_OAEP:
        raise failed(f"unknown key transport {identifier.hex()}")
    digest = mask = HASHES["sha-1"]
    for field in parameters.parts if parameters is not None else ():
        inside, arguments = cms.algorithm(field.parts[0])
        if field.tag == cms.EXPLICIT_0:
            digest = _hash(inside)
        elif field.tag == cms.EXPLICIT_1 and inside == MGF1 and arguments is not None:
            mask = _hash(cms.algorithm(arguments)[0])
        elif inside != P_SPECIFIED or (arguments is not None and arguments.joined()):
            raise failed("unknown OAEP parameters")
    return padding.OAEP(mgf=padding.MGF1(mask.scheme), algorithm=digest.scheme, label=None)


def _hash(identifier: bytes) -> Hash:
    found = HASH_BY_OID.get(identifier)
    if found is None:
        raise failed(f"unknown hash {identifier.hex()}")
    return found


def recipient_info(certificate: x509.Certificate, key: bytes, transport: KeyTransport) -> bytes:
    """KeyTransRecipientInfo (RFC 5652 6.2.1). Raises OurFault when the certificate has no RSA key."""
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise OurFault(
            f"certificate {fingerprint(certificate)} has no RSA key",
            remedy="Ask the partner for an RSA encryption certificate.",
        )
    who = identity(certificate)
    if transport is KeyTransport.OAEP:
        digest = HASHES["sha-256"]
        scheme: padding.AsymmetricPadding = padding.OAEP(
            mgf=padding.MGF1(digest.scheme), algorithm=digest.scheme, label=None
        )
        named_hash = der.sequence(der.identifier(digest.oid))
        mask = der.sequence(der.identifier(MGF1), named_hash)
        parameters = der.sequence(der.tlv(cms.EXPLICIT_0, named_hash), der.tlv(cms.EXPLICIT_1, mask))
        algorithm = der.sequence(der.identifier(RSA_OAEP), parameters)
    else:
        scheme = padding.PKCS1v15()
        algorithm = der.sequence(der.identifier(RSA_ENCRYPTION), _NULL)
    return der.sequence(
        der.integer(0),
        who.issuer_and_serial,
        algorithm,
        der.tlv(ber.OCTET_STRING, public.encrypt(key, scheme)),
    )
