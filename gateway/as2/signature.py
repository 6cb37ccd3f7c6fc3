"""Signatures: detached SignedData (RFC 5652 section 5) over octets someone else points at.

Laws: a signature counts only when a configured certificate made it. Certificates inside the message are ignored, unless
whoever configures gave a judge of them (`Signers`). Signed attributes are required and read: the content type and
digest in them are what ties the signature to the content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509

from gateway.as2 import ber, cms, der, schemes
from gateway.as2.algorithms import HASH_BY_OID, HASHES, Hash
from gateway.as2.certificates import KeyPair, Signers, fingerprint, identity, named, readable
from gateway.as2.faults import As2Fault, Refusal
from gateway.as2.octets import Octets

_CONTENT_TYPE = der.oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = der.oid("1.2.840.113549.1.9.4")
_TYING = frozenset({_CONTENT_TYPE, _MESSAGE_DIGEST})
"""The attributes that tie a signature to its content."""
_OID_OF_NINE, _LONG = b"\x06\x09", 0x80
_SIGNING_TIME = der.oid("1.2.840.113549.1.9.5")
_SIGNED_ATTRIBUTES = 0xA0
_MAX_ENCLOSED = 10
_MAX_CERTIFICATE = 16_384
_SET_TAG = bytes((ber.SET,))
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_UTC_TIME_ENDS = 2050
_MAX_SIGNERS = 16
_SIGNING = 256
"""Certificates of ours, times hashes, whose part of a signature is kept."""


def _attribute(identifier: bytes, value: bytes) -> bytes:
    return der.sequence(der.identifier(identifier), der.tlv(ber.SET, value))


def _before(identifier: bytes, tag: int, length: int) -> bytes:
    """All of an attribute but its value, which is the content of one primitive element and stands last."""
    return _attribute(identifier, der.tlv(tag, bytes(length)))[:-length]


_SIGNED_CONTENT_TYPE = _attribute(_CONTENT_TYPE, der.identifier(cms.DATA))
_BEFORE_DIGEST = {
    row.name: _before(_MESSAGE_DIGEST, ber.OCTET_STRING, row.scheme.digest_size) for row in HASHES.values()
}
_BEFORE_UTC_TIME = _before(_SIGNING_TIME, _UTC_TIME, len("YYMMDDhhmmssZ"))
_BEFORE_GENERALIZED_TIME = _before(_SIGNING_TIME, _GENERALIZED_TIME, len("YYYYMMDDhhmmssZ"))
_DETACHED = der.sequence(der.identifier(cms.DATA))
_VERSION_1 = der.integer(1)
_HASHED_WITH = {row.name: der.sequence(der.identifier(row.oid)) for row in HASHES.values()}
"""RFC 5754 2: parameters absent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """Who signed, and the digest of the content that the signature vouches for."""

    certificate: x509.Certificate
    hash: Hash
    digest: bytes


def verify(
    signature: Octets,
    content: Octets,
    *,
    certificates: Sequence[x509.Certificate],
    accepted: frozenset[str],
) -> Verified:
    """The configured signer of exactly these octets. Raises As2Fault, BerFault."""
    content_type, structure = cms.open_frame(signature)
    if content_type != cms.SIGNED_DATA:
        raise ber.BerFault("not a signature")
    found = cms.fields(structure, 4)
    encapsulated = cms.fields(found[2], 1)[0].oid()
    signers = found[-1].expect(ber.SET).parts
    known, why = certificates, ""
    for further in (False, True):
        if further:
            if not isinstance(certificates, Signers):
                break
            known, why = certificates.trusting(_enclosed(found[3:-1], signers[:_MAX_SIGNERS]))
        for signer in signers[:_MAX_SIGNERS]:  # the first known one decides: one digest, one key, whatever follows
            details = cms.fields(signer, 5)
            certificate = named(details[1], known)
            if certificate is not None:
                return _verify_signer(details, certificate, content, encapsulated, accepted)
    looked_at = f"first {_MAX_SIGNERS} of {len(signers)}" if len(signers) > _MAX_SIGNERS else f"{len(signers)}"
    raise As2Fault(
        f"none of the {looked_at} signers is one of this partner's certificates{why and f' ({why})'}"
        if signers
        else "the signature has no signer",
        refusal=Refusal.AUTHENTICATION_FAILED,
        public="The message is not signed by a certificate known for this partner.",
    )


def _enclosed(fields: Sequence[ber.Element], signers: Sequence[ber.Element]) -> tuple[x509.Certificate, ...]:
    """The certificates inside a SignedData (RFC 5652 5.1), bounded, those that the signers name first.

    What cannot be read is left out. Whoever judges them looks at a few only, and stations enclose old ones, and those
    that they decrypt with.
    """
    enclosed = next((one for one in fields if one.tag == cms.EXPLICIT_0), None)
    looked_at = enclosed.parts[:_MAX_ENCLOSED] if enclosed is not None else ()
    fit = [one for one in looked_at if one.tag == ber.SEQUENCE and len(one.whole) <= _MAX_CERTIFICATE]
    found = [made for one in fit if (made := readable(bytes(one.whole))) is not None]
    signing = [named(cms.fields(one, 5)[1], found) for one in signers]
    return tuple(sorted(found, key=lambda one: one not in signing))


def _verify_signer(
    details: Sequence[ber.Element],
    certificate: x509.Certificate,
    content: Octets,
    encapsulated: bytes,
    accepted: frozenset[str],
) -> Verified:
    """RFC 5652 5.4 and 5.6 for one SignerInfo."""
    digest_hash = HASH_BY_OID.get(cms.algorithm(details[2])[0])
    if digest_hash is None or digest_hash.name not in accepted:
        name = digest_hash.name if digest_hash else "an unknown hash"
        raise As2Fault(f"signed with {name}, not accepted from this partner", refusal=Refusal.INSUFFICIENT_SECURITY)
    attributes = details[3]
    if attributes.tag != _SIGNED_ATTRIBUTES or len(details) < 6:  # noqa: PLR2004  RFC 5652 5.3
        # Without attributes the signature would be over the content itself, and anyone could pass off the attributes
        # of an earlier signature as such a content.
        raise schemes.broken("the signature has no signed attributes")
    values = _attribute_values(attributes)
    digest = digest_hash.digest([content])
    if values[_CONTENT_TYPE].oid() != encapsulated:
        raise schemes.broken("the signed content type is another one than the content's")
    if values[_MESSAGE_DIGEST].expect(ber.OCTET_STRING).joined() != digest:
        raise schemes.broken("the content is not what was signed")
    octets = bytes(details[5].expect(ber.OCTET_STRING).joined())
    # RFC 5652 5.4: the DER of the attributes as a SET, whatever tag and order they came in. Some sign the order they
    # send, so that is tried first where its lengths are definite; both carry the very same attributes.
    received = _SET_TAG + bytes(attributes.whole[1:])
    if not schemes.matches(certificate, octets, received, details[4], digest_hash):
        ordered = der.set_of([bytes(one.whole) for one in attributes.parts])
        if ordered == received or not schemes.matches(certificate, octets, ordered, details[4], digest_hash):
            raise schemes.broken(f"the signature was not made with the key of certificate {fingerprint(certificate)}")
    return Verified(certificate=certificate, hash=digest_hash, digest=digest)


def _attribute_values(attributes: ber.Element) -> dict[bytes, ber.Element]:
    """The one value of each attribute that matters (RFC 5652 11.1, 11.2: exactly one, exactly once)."""
    values: dict[bytes, ber.Element] = {}
    for attribute in attributes.parts:
        octets = attribute.whole[:13]
        if octets[1] < _LONG and octets[2:4] == _OID_OF_NINE and bytes(octets[4:]) not in _TYING:
            continue  # the signing time, known at a glance
        name, inside = cms.fields(attribute, 2)[:2]
        identifier = name.oid()
        if identifier not in _TYING:
            continue
        found = inside.expect(ber.SET).parts
        if identifier in values or len(found) != 1:
            raise schemes.broken("a signed attribute stands more than once")
        values[identifier] = found[0]
    if len(values) != 2:  # noqa: PLR2004  both
        raise schemes.broken("content type or digest is not among the signed attributes")
    return values


def sign(
    digest: bytes,
    *,
    key: KeyPair,
    algorithm: Hash,
    moment: datetime,
    scheme: schemes.SignatureScheme = schemes.SignatureScheme.PKCS1,
) -> bytes:
    """A detached signature over content with that digest, our certificate included (RFC 8551 2.3).

    Attributes: content type, digest, signing time (`moment`, aware). `scheme` is an RSA key's;
    one whose certificate says that it is for PSS only signs so.
    """
    start, signer, pss_only = _fixed(key.certificate, algorithm.name)
    message_digest = _BEFORE_DIGEST[algorithm.name] + digest
    signed = der.set_of([_SIGNED_CONTENT_TYPE, _signing_time(moment), message_digest])
    if pss_only:  # RFC 4055 1.2
        scheme = schemes.SignatureScheme.PSS
    scheme_name, octets = schemes.sign(signed, key.private_key, algorithm, scheme)
    attributes = bytes((_SIGNED_ATTRIBUTES,)) + signed[1:]
    info = der.sequence(signer, attributes, scheme_name, der.tlv(ber.OCTET_STRING, octets))
    return cms.frame(cms.SIGNED_DATA, [der.sequence(start, der.tlv(ber.SET, info))])


@lru_cache(maxsize=_SIGNING)
def _fixed(certificate: x509.Certificate, name: str) -> tuple[bytes, bytes, bool]:
    """What is the same in all signatures of ours with that hash: the start of a SignedData, that of its SignerInfo
    (RFC 5652 5.1, 5.3); and whether the key signs by PSS only.
    """
    who, hashed_with = identity(certificate), _HASHED_WITH[name]
    start = (_VERSION_1, der.tlv(ber.SET, hashed_with), _DETACHED, der.tlv(cms.EXPLICIT_0, who.der))
    return b"".join(start), b"".join((_VERSION_1, who.issuer_and_serial, hashed_with)), who.pss_only


def _signing_time(moment: datetime) -> bytes:
    """UTCTime up to 2049, GeneralizedTime from then on (RFC 5652 11.3)."""
    at = moment.astimezone(UTC)
    digits = at.isoformat(timespec="seconds")[:19].encode("ascii").translate(None, b"-T:") + b"Z"
    return _BEFORE_UTC_TIME + digits[2:] if at.year < _UTC_TIME_ENDS else _BEFORE_GENERALIZED_TIME + digits
