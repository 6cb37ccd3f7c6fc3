"""A multipart/signed looked into for an operator: who signed what with what, and why it does not hold.

`signature.verify` alone decides whether it holds; this tries it again with the certificates inside the message and
over octets as a careless relay may have left them, only to name the likely cause.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from gateway.as2 import anatomy, ber, cms, mime, signature
from gateway.as2.algorithms import HASHES
from gateway.as2.certificates import fingerprint
from gateway.as2.explanation import Layer, certificate_layer, name_of
from gateway.as2.faults import As2Fault, Refusal

_LINE_END = re.compile(rb"\r\n|\n|\r")
_MAX_TRIED = 16 * 1024 * 1024
"""Larger contents are not tried with other line ends."""
_ANY_HASH = frozenset(HASHES)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureFound:
    """A signature and the content it stands beside."""

    layer: Layer
    content: mime.Entity | None = None
    """What was signed, or claims to be; `None` when it cannot be reached."""
    signature: bytes | None = None
    signer: x509.Certificate | None = None
    """The given certificate that verified it."""
    hash: str = ""
    inside: tuple[x509.Certificate, ...] = ()


def look_at_signature(
    entity: mime.Entity, *, certificates: Sequence[x509.Certificate], accepted: frozenset[str], moment: datetime
) -> SignatureFound:
    """What a multipart/signed holds, and whether it holds for one of `certificates`."""
    try:
        parts = mime.parts(entity)
    except mime.MimeFault as fault:
        return SignatureFound(layer=Layer(title="signed", wrong=(f"its multipart/signed cannot be read: {fault}",)))
    if len(parts) != 2:  # noqa: PLR2004  RFC 1847 2.1
        said = f"multipart/signed has {len(parts)} parts; it must be two, the content and its signature (RFC 1847 2.1)"
        return SignatureFound(layer=Layer(title="signed", wrong=(said,)), content=parts[0] if parts else None)
    content = parts[0]
    try:
        octets = bytes(parts[1].decoded())
        content_type, structure = cms.open_frame(octets)
        if content_type != cms.SIGNED_DATA:
            raise ber.BerFault(f"its signature is a {cms.NAMES.get(content_type, anatomy.dotted(content_type))}")
        seen = anatomy.signature(structure, certificates)
    except ValueError as fault:  # MimeFault, BerFault
        said = f"the signature cannot be read: {fault}"
        return SignatureFound(layer=Layer(title="signed", wrong=(said,)), content=content)
    return _judged(_Look(octets, content, seen, certificates, accepted), moment)


@dataclass(frozen=True, slots=True)
class _Look:
    octets: bytes
    content: mime.Entity
    seen: anatomy.SignatureSeen
    certificates: Sequence[x509.Certificate]
    accepted: frozenset[str]


def _judged(look: _Look, moment: datetime) -> SignatureFound:
    seen = look.seen
    wrong: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    signer: x509.Certificate | None = None
    used = seen.signers[0].hash if seen.signers else "nothing"
    try:
        verified = signature.verify(
            look.octets, look.content.octets, certificates=look.certificates, accepted=look.accepted
        )
        signer, used = verified.certificate, verified.hash.name
    except As2Fault as fault:
        wrong, hidden = _refused(look, fault)
    except ber.BerFault as fault:
        wrong = (f"the signature cannot be read: {fault}",)
    inside = [_signer(one, moment) for one in seen.signers]
    inside += [certificate_layer(one, "certificate in the message", moment) for one in seen.certificates]
    if signer is not None and signer not in seen.certificates:
        inside.append(certificate_layer(signer, "certificate of the agreement", moment))
    count = len(look.content.octets)
    weak = [one.hash for one in seen.signers if one.hash in HASHES and not HASHES[one.hash].sendable]
    layer = Layer(
        title=f"signed with {used}",
        facts=(
            ("signature", f"{len(look.octets)} octets, signers: {len(seen.signers)}"),
            ("over", f"{count} octets, MIME headers included"),
        ),
        wrong=wrong,
        hidden=hidden,
        notes=tuple(f"{one} is broken; ask for sha-256" for one in weak),
        inside=tuple(inside),
    )
    return SignatureFound(
        layer=layer, content=look.content, signature=look.octets, signer=signer, hash=used, inside=seen.certificates
    )


def _signer(one: anatomy.SignerSeen, moment: datetime) -> Layer:
    facts = [("named by", one.who.text), ("hash", one.hash), ("scheme", one.scheme)]
    facts.append(("signed attributes", ", ".join(one.attributes) or "none"))
    if one.signing_time is not None:
        facts.append(("says it signed at", f"{one.signing_time:%Y-%m-%d %H:%M:%S} UTC"))
    if one.digest is not None:
        facts.append(("digest it signed", one.digest.hex()))
    notes = ("it says that it signed in the future",) if one.signing_time and one.signing_time > moment else ()
    return Layer(title="signer", facts=tuple(facts), notes=notes)


def _refused(look: _Look, fault: As2Fault) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong, or what cannot be judged because the partner's certificates are not here."""
    if look.certificates or not look.seen.signers:
        return (_cause(look, fault),), ()
    fits = "the signature fits the certificate inside the message; whose that is cannot be said here"
    try:
        signature.verify(look.octets, look.content.octets, certificates=look.seen.certificates, accepted=look.accepted)
    except As2Fault as other:
        if other.refusal is Refusal.AUTHENTICATION_FAILED:
            return (), (f"without the certificate of {look.seen.signers[0].who.text} the signature cannot be judged",)
        return (_cause(look, other),), ()
    except ber.BerFault as other:
        return (f"the signature cannot be read: {other}",), ()
    return (), (fits,)


def _cause(look: _Look, fault: As2Fault) -> str:
    """Why it does not hold, as far as it can be found out."""
    signers = look.seen.signers
    if not signers:
        return "the signature has no signer: it proves nothing"
    if fault.refusal is Refusal.AUTHENTICATION_FAILED:
        inside = next((one.who.certificate for one in signers if one.who.certificate is not None), None)
        if inside is None:
            return f"it is signed by {signers[0].who.text}, which is none of the certificates known here"
        whose = "none of the partner's"
        print_ = f"sha-256 {fingerprint(inside)[:16]}…"
        if _holds(look):
            return f"it is signed by {name_of(inside)} ({print_}), whose certificate is {whose}"
        return f"it claims to be signed by {name_of(inside)} ({print_}), {whose}, and even for that it does not hold"
    signed = next((one for one in signers if one.digest is not None and one.hash in HASHES), None)
    if signed is None or signed.digest is None:
        return str(fault)
    octets = bytes(look.content.octets)
    if HASHES[signed.hash].digest([octets]) == signed.digest:
        return str(fault)
    if fault.refusal is not Refusal.INTEGRITY_FAILED:
        return str(fault)
    return f"the content is not what was signed{_relayed(octets, signed.hash, signed.digest)}"


def _relayed(data: bytes, hash_name: str, digest: bytes) -> str:
    """Whether a usual change on the way explains the digest."""
    if len(data) > _MAX_TRIED:
        return ""
    unix = _LINE_END.sub(b"\n", data)
    head, blank, rest = data.partition(b"\r\n\r\n")
    tries = (
        (
            unix.replace(b"\n", b"\r\n"),
            "its line ends were CR LF when it was signed: something on the way changed them",
        ),
        (unix, "its line ends were single LF when it was signed: something on the way made them CR LF"),
        (
            data + b"\r\n",
            "a line end at its end was signed and is not there: the boundary was written one line too early",
        ),
        (data.removesuffix(b"\r\n"), "the line end before the boundary was not signed, but another one follows it"),
        (rest, "only the content was signed, without its MIME headers"),
        (head + blank + rest.rstrip(b"\r\n"), "line ends at its end were added after it was signed"),
    )
    for octets_then, cause in tries:
        if octets_then != data and HASHES[hash_name].digest([octets_then]) == digest:
            return f": {cause}"
    return ": it was changed after it was signed"


def _holds(look: _Look) -> bool:
    """Whether the certificates inside the message would verify it, whatever that is worth."""
    try:
        signature.verify(look.octets, look.content.octets, certificates=look.seen.certificates, accepted=_ANY_HASH)
    except (As2Fault, ber.BerFault):
        return False
    return True
