"""For whom a message is encrypted: the session key on its way to each recipient (RFC 5652 6.2).

RSA keys by key transport, here; EC keys by key agreement, `key_agreement`. Passwords and shared keys are passed over.
A session key that does not come out right is replaced by a random one: nobody learns from outside which it was.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from gateway.as2 import ber, cms, der, key_agreement
from gateway.as2.algorithms import CURVES, HASH_BY_OID, HASHES, MGF1, P_SPECIFIED, RSA_ENCRYPTION, RSA_OAEP, Hash
from gateway.as2.certificates import Identity, KeyPair, Use, identity, named, unfit
from gateway.as2.faults import As2Fault, Refusal
from gateway.errors import OurFault

PUBLIC = "The message could not be decrypted."
"""The one thing a peer is told, whatever went wrong inside an envelope."""

_NULL = der.tlv(ber.NULL)
_MAX_RECIPIENTS = 64
"""How many are looked at: a message for more partners than that is none of ours."""

_SECRET = os.urandom(32)
"""Of this process: what spare session keys are made with."""


Found = tuple[x509.Certificate, bytes] | None
"""Our certificate that a recipient is, and the session key it was sent."""


class KeyTransport(StrEnum):
    """How the session key travels to a recipient with an RSA key."""

    PKCS1 = "rsa-pkcs1-v1.5"
    OAEP = "rsa-oaep-sha-256"
    OAEP_SHA384 = "rsa-oaep-sha-384"
    OAEP_SHA512 = "rsa-oaep-sha-512"


_OAEP_HASHES = {
    KeyTransport.OAEP: HASHES["sha-256"],
    KeyTransport.OAEP_SHA384: HASHES["sha-384"],
    KeyTransport.OAEP_SHA512: HASHES["sha-512"],
}


def failed(detail: str) -> As2Fault:
    """The uniform refusal; `detail` is for the operator."""
    return As2Fault(detail, refusal=Refusal.DECRYPTION_FAILED, public=PUBLIC)


def session_key(
    recipients: Sequence[ber.Element], keys: Sequence[KeyPair], length: int
) -> tuple[x509.Certificate, bytes]:
    """Which of us the first such recipient is, and the session key; a random one when it does not come out right.

    `length` in octets. Raises As2Fault when none of them is us, BerFault.
    """
    for recipient in recipients[:_MAX_RECIPIENTS]:
        reader = _READERS.get(recipient.tag)
        found = reader(recipient, keys) if reader is not None else None
        if found is not None:
            certificate, key = found
            spare = _spare(recipient, length)
            return certificate, key if len(key) == length else spare
    several = f" ({_MAX_RECIPIENTS} of {len(recipients)} looked at)" if len(recipients) > _MAX_RECIPIENTS else ""
    raise failed(f"the envelope is addressed to none of our certificates{several}")


def is_spare(key: bytes, recipients: Sequence[ber.Element]) -> bool:
    """Whether `session_key` gave this key in place of one that did not come out right: for the receiver's own eyes."""
    return any(key == _spare(one, len(key)) for one in recipients[:_MAX_RECIPIENTS])


def _spare(recipient: ber.Element, length: int) -> bytes:
    """Always the same for the same octets: whoever sends them again does not learn from a second plaintext that the
    first one came from a spare key.
    """
    return hashlib.blake2b(recipient.whole, key=_SECRET, digest_size=length).digest()


def _transported(recipient: ber.Element, keys: Sequence[KeyPair]) -> Found:
    """The session key in one KeyTransRecipientInfo, empty when it comes out wrong; `None` when it is not ours."""
    found = cms.fields(recipient, 4)
    for pair in keys:
        if named(found[1], (pair.certificate,)) is not None:
            break
    else:
        return None
    if not isinstance(pair.private_key, rsa.RSAPrivateKey):
        return None
    scheme = _transport(found[2])
    # RFC 3218 2.3.2: go on with a random key. The library returns random octets for bad PKCS#1 v1.5 padding.
    try:
        return pair.certificate, pair.private_key.decrypt(found[3].expect(ber.OCTET_STRING).joined(), scheme)
    except (ValueError, UnsupportedAlgorithm):  # the latter for OAEP with hashes nobody uses
        return pair.certificate, b""


_READERS: Mapping[int, Callable[[ber.Element, Sequence[KeyPair]], Found]] = {
    ber.SEQUENCE: _transported,
    key_agreement.TAG: key_agreement.session_key,
}
"""By tag: only KeyTransRecipientInfo has none (RFC 5652 6.2)."""


def _transport(element: ber.Element) -> padding.AsymmetricPadding:
    """The padding of an RSA recipient (RFC 3370 4.2.1, RFC 4055 4.1)."""
    identifier, parameters = cms.algorithm(element)
    if identifier == RSA_ENCRYPTION:
        return padding.PKCS1v15()
    if identifier != RSA_OAEP:
        raise failed(f"unknown key transport {identifier.hex()}")
    digest = mask = HASHES["sha-1"]
    for field in parameters.parts if parameters is not None else ():
        inside, arguments = cms.algorithm(cms.inside(field))
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


def recipient_infos(certificates: Sequence[x509.Certificate], key: bytes, transport: KeyTransport) -> tuple[int, bytes]:
    """The version of an EnvelopedData for these recipients, and their RecipientInfos.

    Raises OurFault when a certificate cannot be encrypted for.
    """
    infos = [_recipient_info(certificate, key, transport) for certificate in certificates]
    # RFC 5652 6.1: version 0 when every recipient's is 0, which is RSA named by issuer and serial number; else 2.
    return (0 if all(info[0] == ber.SEQUENCE for info in infos) else 2), der.set_of(infos)


def _recipient_info(certificate: x509.Certificate, key: bytes, transport: KeyTransport) -> bytes:
    """What the certificate's key asks for. Its key usage is asked by whoever configures it, only its kind here."""
    who = identity(certificate)
    if who.rsa_key is not None and not who.pss_only:
        return _transport_info(who, who.rsa_key, key, transport)
    if who.ec_key is not None and who.ec_key.curve.name in CURVES:
        return key_agreement.recipient_info(who, who.ec_key, key)
    raise OurFault(
        f"certificate {who.fingerprint} does not encrypt: {unfit(certificate, Use.ENCRYPT)}",
        remedy="Ask the partner for an encryption certificate with an RSA key, or one on P-256, P-384 or P-521.",
    )


def _transport_info(who: Identity, public: rsa.RSAPublicKey, key: bytes, transport: KeyTransport) -> bytes:
    """KeyTransRecipientInfo (RFC 5652 6.2.1), by PKCS#1 v1.5 or OAEP (RFC 4055 4.1)."""
    digest = _OAEP_HASHES.get(transport)
    if digest is None:
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        algorithm = der.sequence(der.identifier(RSA_ENCRYPTION), _NULL)
    else:
        scheme = padding.OAEP(mgf=padding.MGF1(digest.scheme), algorithm=digest.scheme, label=None)
        hashed = der.sequence(der.identifier(digest.oid))
        mask = der.sequence(der.identifier(MGF1), hashed)
        parameters = der.sequence(der.tlv(cms.EXPLICIT_0, hashed), der.tlv(cms.EXPLICIT_1, mask))
        algorithm = der.sequence(der.identifier(RSA_OAEP), parameters)
    try:
        wrapped = der.tlv(ber.OCTET_STRING, public.encrypt(key, scheme))
    except ValueError as error:
        raise OurFault(
            f"an RSA key of {public.key_size} bits is too short for {transport}",
            remedy="Choose another key transport for this partner, or ask for a longer key.",
        ) from error
    return der.sequence(der.integer(0), who.issuer_and_serial, algorithm, wrapped)
