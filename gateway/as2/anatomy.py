"""What stands in CMS structures, for people: algorithms, names, certificates, times.

Reads with the same bounded reader as everything else here. Judges nothing, decrypts nothing, and what it does not know
it shows by number: `gateway.as2.explaining` says what it means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from gateway.as2 import ber, cms, der, mime
from gateway.as2.algorithms import (
    CIPHER_BY_OID,
    ECDSA_SIGNATURES,
    HASH_BY_OID,
    RSA_ENCRYPTION,
    RSA_OAEP,
    RSA_PSS,
    RSA_SIGNATURES,
)
from gateway.as2.certificates import identified, named, readable

MAX_SHOWN = 20
"""Recipients, signers and certificates of one structure that are looked at."""
_KEY_IDENTIFIER = 0x80
_AGREEMENT = 0xA1
_CERTIFICATES = 0xA0
_SIGNED_ATTRIBUTES = 0xA0
_ENCRYPTED_CONTENT = 0x80
_MESSAGE_DIGEST = der.oid("1.2.840.113549.1.9.4")
_SIGNING_TIME = der.oid("1.2.840.113549.1.9.5")
_ATTRIBUTES = {
    der.oid("1.2.840.113549.1.9.3"): "content type",
    _MESSAGE_DIGEST: "message digest",
    _SIGNING_TIME: "signing time",
    der.oid("1.2.840.113549.1.9.15"): "S/MIME capabilities",
    der.oid("1.2.840.113549.1.9.16.2.11"): "encryption key preference",
    der.oid("1.2.840.113549.1.9.52"): "algorithm protection",
}
_RDN = {
    der.oid("2.5.4.3"): "CN",
    der.oid("2.5.4.6"): "C",
    der.oid("2.5.4.7"): "L",
    der.oid("2.5.4.8"): "ST",
    der.oid("2.5.4.10"): "O",
    der.oid("2.5.4.11"): "OU",
    der.oid("1.2.840.113549.1.9.1"): "emailAddress",
}
_UTC_TIME, _BMP_STRING = 0x17, 0x1E
_OTHER_CIPHERS = {
    der.oid("1.2.840.113549.3.2"): "rc2-cbc",
    der.oid("1.2.840.113549.3.4"): "rc4",
    der.oid("1.3.14.3.2.7"): "des-cbc",
}
"""Never accepted, but what they are is worth a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """Whom a CMS structure names: as it is written there, and the candidate that it fits."""

    text: str
    certificate: x509.Certificate | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipientSeen:
    """For whom a session key is there, and how it travels."""

    who: Who
    transport: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvelopeSeen:
    """An EnvelopedData or AuthEnvelopedData (RFC 5652 6.1, RFC 5083 2.1) from outside."""

    cipher: str
    known: bool
    size: int
    """Octets of the encrypted content."""
    recipients: tuple[RecipientSeen, ...]
    infos: tuple[ber.Element, ...]
    """The RecipientInfos themselves."""
    key_length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SignerSeen:
    """A SignerInfo (RFC 5652 5.3)."""

    who: Who
    hash: str
    scheme: str
    attributes: tuple[str, ...]
    """Names of the signed attributes; empty when there are none."""
    digest: bytes | None
    """The digest of the content that was signed, as the attribute says."""
    signing_time: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureSeen:
    """A SignedData (RFC 5652 5.1)."""

    signers: tuple[SignerSeen, ...]
    certificates: tuple[x509.Certificate, ...]
    """Those inside the message: claims, never a proof."""
    detached: bool


def envelope(structure: ber.Element, candidates: Sequence[x509.Certificate]) -> EnvelopeSeen:
    """What an envelope shows without its key. Raises BerFault."""
    found = [field for field in cms.fields(structure, 3)[1:] if field.tag != cms.EXPLICIT_0]
    if len(found) < 2:  # noqa: PLR2004  recipients and content
        raise ber.BerFault("an envelope without content")
    encrypted = cms.fields(found[1], 3)
    identifier = cms.algorithm(encrypted[1])[0]
    suite = CIPHER_BY_OID.get(identifier)
    if encrypted[2].tag & ~0x20 != _ENCRYPTED_CONTENT:
        raise ber.BerFault("an envelope without content")
    recipients: list[RecipientSeen] = []
    infos = found[0].expect(ber.SET).parts
    for info in infos[:MAX_SHOWN]:
        recipients += _recipients(info, candidates)
    return EnvelopeSeen(
        cipher=suite.name if suite else _OTHER_CIPHERS.get(identifier, f"cipher {dotted(identifier)}"),
        known=suite is not None,
        size=sum(map(len, encrypted[2].octets())),
        recipients=tuple(recipients[:MAX_SHOWN]),
        infos=tuple(infos),
        key_length=suite.key_length if suite else 0,
    )


def _recipients(info: ber.Element, candidates: Sequence[x509.Certificate]) -> list[RecipientSeen]:
    """One RecipientInfo (RFC 5652 6.2): RSA for one, ECDH for several, or a kind that AS2 does not use."""
    if info.tag == ber.SEQUENCE:
        found = cms.fields(info, 4)
        return [RecipientSeen(who=who(found[1], candidates), transport=_transport(found[2]))]
    if info.tag == _AGREEMENT:
        keys = info.parts[-1].expect(ber.SEQUENCE).parts[:MAX_SHOWN]
        return [RecipientSeen(who=who(cms.fields(one, 2)[0], candidates), transport="ecdh") for one in keys]
    nobody = Who(text="not by a certificate", certificate=None)
    return [RecipientSeen(who=nobody, transport=f"recipient of kind {info.tag & 0x1F}")]


def _transport(element: ber.Element) -> str:
    identifier, parameters = cms.algorithm(element)
    if identifier == RSA_ENCRYPTION:
        return "rsa-pkcs1-v1.5"
    if identifier != RSA_OAEP:
        return f"key transport {dotted(identifier)}"
    given = parameters.parts if parameters is not None else ()
    hashed = next((cms.algorithm(cms.inside(one))[0] for one in given if one.tag == cms.EXPLICIT_0), None)
    # RFC 4055 4.1: SHA-1 is the default.
    return f"rsa-oaep-{'sha-1' if hashed is None else hash_name(hashed)}"


def signature(structure: ber.Element, candidates: Sequence[x509.Certificate]) -> SignatureSeen:
    """What a signature says about itself; `candidates` and the certificates inside give signers their names."""
    found = cms.fields(structure, 4)
    encapsulated = cms.fields(found[2], 1)
    inside: list[x509.Certificate] = []
    for field in found[3:-1]:
        if field.tag == _CERTIFICATES:
            inside = [one for element in field.parts[:MAX_SHOWN] if (one := readable(bytes(element.whole))) is not None]
    signers = found[-1].expect(ber.SET).parts[:MAX_SHOWN]
    return SignatureSeen(
        signers=tuple(_signer(one, [*candidates, *inside]) for one in signers),
        certificates=tuple(inside),
        detached=len(encapsulated) == 1,
    )


def _signer(info: ber.Element, candidates: Sequence[x509.Certificate]) -> SignerSeen:
    found = cms.fields(info, 5)
    attributed = found[3].tag == _SIGNED_ATTRIBUTES
    names: list[str] = []
    digest: bytes | None = None
    moment: datetime | None = None
    for attribute in found[3].parts[:MAX_SHOWN] if attributed else ():
        name, values = cms.fields(attribute, 2)[:2]
        identifier = name.oid()
        names.append(_ATTRIBUTES.get(identifier, dotted(identifier)))
        value = next(iter(values.expect(ber.SET).parts), None)
        if value is not None and identifier == _MESSAGE_DIGEST:
            digest = bytes(value.joined())
        elif value is not None and identifier == _SIGNING_TIME:
            moment = _moment(value)
    return SignerSeen(
        who=who(found[1], candidates),
        hash=hash_name(cms.algorithm(found[2])[0]),
        scheme=_scheme(cms.algorithm(found[4 if attributed else 3])[0]),
        attributes=tuple(names),
        digest=digest,
        signing_time=moment,
    )


def _scheme(identifier: bytes) -> str:
    if identifier == RSA_ENCRYPTION or identifier in RSA_SIGNATURES:
        return "rsa-pkcs1-v1.5"
    if identifier == RSA_PSS:
        return "rsa-pss"
    return "ecdsa" if identifier in ECDSA_SIGNATURES else f"scheme {dotted(identifier)}"


def _moment(value: ber.Element) -> datetime | None:
    """UTCTime or GeneralizedTime (RFC 5652 11.3)."""
    text = bytes(value.content).decode("latin-1").removesuffix("Z")
    try:
        if value.tag == _UTC_TIME:  # RFC 5280 4.1.2.5.1: 50 and later are of the last century
            text = f"{'19' if text[:2] >= '50' else '20'}{text}"
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def who(element: ber.Element, candidates: Sequence[x509.Certificate]) -> Who:
    """A SignerIdentifier or RecipientIdentifier (RFC 5652 5.3, 6.2.1) in words. Raises BerFault."""
    if element.tag & ~0x20 == _KEY_IDENTIFIER:  # also rKeyId of an ECDH recipient (RFC 5753 3.1.1)
        key = _first_octets(element)
        return Who(text=f"key identifier {key[:40].hex()}", certificate=identified(key, candidates))
    certificate = named(element, candidates)
    issuer, serial = element.parts
    return Who(text=f"issuer {name(issuer)}, serial {serial.integer():x}", certificate=certificate)


def _first_octets(element: ber.Element) -> bytes:
    """An octet string, or the first one inside (RecipientKeyIdentifier)."""
    try:
        return bytes(element.joined())
    except ber.BerFault:
        return bytes(element.parts[0].joined())


def name(issuer: ber.Element) -> str:
    """A distinguished name as people read it (RFC 4514, most specific last as it stands)."""
    words: list[str] = []
    for relative in issuer.expect(ber.SEQUENCE).parts[:MAX_SHOWN]:
        for pair in relative.expect(ber.SET).parts[:MAX_SHOWN]:
            kind, value = cms.fields(pair, 2)[:2]
            charset = "utf-16-be" if value.tag == _BMP_STRING else "utf-8"
            text = mime.printable(bytes(value.content[:200]).decode(charset, "replace"))
            words.append(f"{_RDN.get(kind.oid(), dotted(kind.oid()))}={text}")
    return ", ".join(words) or "without a name"


def hash_name(identifier: bytes) -> str:
    """A hash by its usual name, an unknown one by its number."""
    found = HASH_BY_OID.get(identifier)
    return found.name if found else f"hash {dotted(identifier)}"


def dotted(octets: bytes) -> str:
    """An object identifier as people write it (X.690 8.19)."""
    arcs: list[int] = []
    value = 0
    for octet in octets[:64]:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    if not arcs:
        return "(empty)"
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
