"""Key agreement: the session key on its way to a recipient with an EC key (RFC 5652 6.2.2, RFC 5753 3.1).

Ephemeral-static ECDH: the sender makes a key for this one message, both sides derive from the two keys a third one, and
that wraps the session key. Static keys of senders, MQV, X25519 and 3DES wraps are neither read nor written.

Law: whatever does not come out right here (a point off the curve, a wrap that does not open) is an empty session key,
and the caller goes on with a random one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.as2 import ber, cms, der
from gateway.as2.algorithms import (
    CURVES,
    EC_PUBLIC_KEY,
    KEY_AGREEMENT_BY_HASH,
    KEY_AGREEMENTS,
    KEY_WRAP_BY_LENGTH,
    KEY_WRAPS,
    Hash,
)
from gateway.as2.certificates import Identity, KeyPair, identified, named

TAG = 0xA1
"""KeyAgreeRecipientInfo among the recipients (RFC 5652 6.2)."""

_ORIGINATOR = cms.EXPLICIT_0
_ORIGINATOR_KEY = 0xA1
_UKM = cms.EXPLICIT_1
_RECIPIENT_KEY_IDENTIFIER = 0xA0
_ENTITY_INFO = cms.EXPLICIT_0
_PUBLIC_INFO = 0xA2
_BIT_STRING = 0x03
_VERSION = der.integer(3)
_MAX_KEYS = 64
_MAX_UKM = 1024
_MAX_POINT = 1 + 2 * 66
"""Of P-521, not compressed."""
_MAX_WRAPPED = 64
"""A session key of 32 octets is 40 when wrapped."""


def session_key(recipient: ber.Element, keys: Sequence[KeyPair]) -> tuple[x509.Certificate, bytes] | None:
    """The session key in one KeyAgreeRecipientInfo, empty when it does not come out right; `None` when it is not ours.

    Raises BerFault for a structure or an algorithm we do not know: nothing secret was touched then.
    """
    _, origin, *optional, algorithm, encrypted = _fields(recipient)
    found = _ours(encrypted, keys)
    if found is None:
        return None
    certificate, private, wrapped = found
    agreement, wrap = cms.algorithm(algorithm)
    digest = KEY_AGREEMENTS.get(agreement)
    length = KEY_WRAPS.get(cms.algorithm(wrap)[0]) if wrap is not None else None
    if wrap is None or digest is None or length is None:
        raise ber.BerFault(f"unknown key agreement {agreement.hex()} or key wrap")
    ukm = None
    if optional:
        ukm = bytes(cms.inside(optional[0], _UKM).expect(ber.OCTET_STRING).joined())
    point = _point(origin)
    if len(point) > _MAX_POINT or len(wrapped) > _MAX_WRAPPED or len(ukm or b"") > _MAX_UKM:
        raise ber.BerFault("a key agreement of impossible size")
    with contextlib.suppress(ValueError, InvalidUnwrap):
        public = ec.EllipticCurvePublicKey.from_encoded_point(private.curve, point)  # refuses a point off the curve
        shared = private.exchange(ec.ECDH(), public)
        return certificate, aes_key_unwrap(_wrapping_key(shared, digest, wrap.whole, length, ukm), wrapped)
    return certificate, b""


def _fields(recipient: ber.Element) -> Sequence[ber.Element]:
    """Version, originator, user keying material if any, algorithm, encrypted keys."""
    found = recipient.expect(TAG).parts
    if len(found) not in {4, 5}:
        raise ber.BerFault("a key agreement with fields missing or unknown")
    return found


def _ours(
    encrypted: ber.Element, keys: Sequence[KeyPair]
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey, bytes | memoryview] | None:
    """Our certificate and EC key for the first of the encrypted keys that is for one, and what was wrapped for it."""
    elliptic = {
        pair.certificate: pair.private_key for pair in keys if isinstance(pair.private_key, ec.EllipticCurvePrivateKey)
    }
    certificates = list(elliptic)
    for one in encrypted.expect(ber.SEQUENCE).parts[:_MAX_KEYS] if certificates else ():
        who, wrapped = cms.fields(one, 2)[:2]
        if who.tag == _RECIPIENT_KEY_IDENTIFIER:  # a SEQUENCE, its date and other attributes left unread
            if not who.parts:
                raise ber.BerFault("a recipient without a name")
            certificate = identified(bytes(who.parts[0].expect(ber.OCTET_STRING).joined()), certificates)
        else:
            certificate = named(who, certificates)
        if certificate is not None:
            return certificate, elliptic[certificate], bytes(wrapped.expect(ber.OCTET_STRING).joined())
    return None


def _point(origin: ber.Element) -> bytes:
    """The ephemeral public key. Its curve is the recipient's, whatever its parameters say (RFC 5753 3.1.1)."""
    key = cms.inside(origin, _ORIGINATOR)
    if key.tag != _ORIGINATOR_KEY or len(key.parts) != 2:  # noqa: PLR2004  RFC 5652 6.2.2: algorithm, publicKey
        raise ber.BerFault("a key agreement without the sender's ephemeral key")
    algorithm, octets = key.parts
    content = octets.expect(_BIT_STRING).content
    if cms.algorithm(algorithm)[0] != EC_PUBLIC_KEY or bytes(content[:1]) != b"\0":
        raise ber.BerFault("the sender's ephemeral key is none of an elliptic curve")
    return bytes(content[1:])


def _wrapping_key(
    shared: bytes, digest: Hash, wrap: bytes | memoryview, length: int, ukm: bytes | None = None
) -> bytes:
    """X9.63 over ECC-CMS-SharedInfo (RFC 5753 7.2): the wrap's identifier as it stands, and the length in bits."""
    info = [wrap]
    if ukm is not None:
        info.append(der.tlv(_ENTITY_INFO, der.tlv(ber.OCTET_STRING, ukm)))
    info.append(der.tlv(_PUBLIC_INFO, der.tlv(ber.OCTET_STRING, (length * 8).to_bytes(4, "big"))))
    return X963KDF(algorithm=digest.scheme, length=length, sharedinfo=der.sequence(*info)).derive(shared)


def recipient_info(who: Identity, public: ec.EllipticCurvePublicKey, key: bytes) -> bytes:
    """KeyAgreeRecipientInfo for whoever has that key, on a curve of the table.

    The hash is the curve's, the wrap as strong as the session key it carries (RFC 8551 2.7.1).
    """
    digest = CURVES[public.curve.name]
    ephemeral = ec.generate_private_key(public.curve)
    wrap = der.sequence(der.identifier(KEY_WRAP_BY_LENGTH[len(key)]))  # RFC 3565 2.3.2: parameters absent
    wrapped = aes_key_wrap(_wrapping_key(ephemeral.exchange(ec.ECDH(), public), digest, wrap, len(key)), key)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    sender = (der.sequence(der.identifier(EC_PUBLIC_KEY)), der.tlv(_BIT_STRING, b"\0", point))
    agreement = der.identifier(KEY_AGREEMENT_BY_HASH[digest.name])
    return der.tlv(
        TAG,
        _VERSION,
        der.tlv(_ORIGINATOR, der.tlv(_ORIGINATOR_KEY, *sender)),
        der.sequence(agreement, wrap),
        der.sequence(der.sequence(who.issuer_and_serial, der.tlv(ber.OCTET_STRING, wrapped))),
    )
