"""A received message looked into for an operator: its layers from the outside in, what fails and why.

Laws: what comes of the message is what `open_message` says, nobody else; every layer is opened with the functions that
open it there, within the same limits. What this adds is where the fault stands and what may have caused it. It is for
the receiver's own eyes: told to a sender it would be an oracle.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography import x509

from gateway.as2 import anatomy, ber, cms, compression, envelope, mime, recipients
from gateway.as2.addressing import Addressing, index_of
from gateway.as2.addressing import addressing as read
from gateway.as2.algorithms import HASHES, Hash
from gateway.as2.certificates import KeyPair
from gateway.as2.explaining_content import content_layer
from gateway.as2.explaining_signatures import SignatureFound, look_at_signature
from gateway.as2.explanation import Explanation, Layer, name_of
from gateway.as2.faults import As2Fault, Refusal
from gateway.as2.opening import Opened, open_message, receipt_hash
from gateway.as2.policy import Policy
from gateway.errors import PartnerFault

_PKCS7_MIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_DEFAULT_HASH = "sha-256"
_SHOWN = 78
_INDEFINITE = 0x80
_OVER = {
    "signed": "what was signed, MIME headers included",
    "compressed": "the uncompressed part, MIME headers included",
    "encrypted": "the decrypted part, MIME headers included",
    "plain": "the content, without headers",
}
"""RFC 4130 7.3.1, RFC 5402 section 4: of the layers that are there the first one of these decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """With what a message is looked at."""

    keys: Sequence[KeyPair]
    certificates: Sequence[x509.Certificate]
    """The partner's; empty when he is not known here."""
    policy: Policy
    moment: datetime
    """When certificates must be valid; aware."""
    our_id: str | None = None
    """Our AS2 name, where it is known."""
    partner: str | None = None
    """Who the sender is to us, where he is known."""
    demands: Callable[[Opened], As2Fault | None] | None = None
    """What else is agreed with him, judged of a message that is open."""


@dataclass(kw_only=True, slots=True)
class _Walk:
    """The way inward: what was seen, and what the MIC would be over."""

    sight: Sight
    layers: list[Layer] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    octets: dict[str, bytes] = field(default_factory=dict)
    found: SignatureFound | None = None
    payload: bytes | None = None
    stranger: str | None = None
    """Why it is answered as from an unknown relationship, before it is opened."""


def explain(headers: mime.Headers, body: bytes, sight: Sight) -> Explanation:
    """Look into a request. Never raises for what the sender did."""
    walk = _Walk(sight=sight)
    request = _addressed(headers, walk)
    if len(body) > sight.policy.max_size:
        said = f"the body has {len(body)} octets; {sight.policy.max_size} are allowed"
        walk.layers.append(Layer(title="body", wrong=(said,)))
    else:
        whole = mime.Entity(data=body, start=0, body=0, end=len(body), headers=mime.Index(headers))
        walk.octets["plain"] = body
        try:
            _inward(whole, walk)
        except ValueError as fault:  # MimeFault, BerFault
            where = f"inside what is {walk.kinds[-1]}, " if walk.kinds else ""
            walk.layers.append(Layer(title="MIME", wrong=(f"{where}MIME cannot be read: {fault}",)))
    return _concluded(headers, body, walk, request)


def _addressed(headers: mime.Headers, walk: _Walk) -> Addressing | None:
    """The AS2 headers: who, which message, which receipt."""
    try:
        request = read(index_of(headers))
    except PartnerFault as fault:
        walk.layers.append(Layer(title="AS2 headers", wrong=(str(fault),)))
        return None
    asked = request.receipt
    facts = [("from", request.as2_from), ("to", request.as2_to), ("message id", request.message_id)]
    facts += [("subject", request.subject)] if request.subject else []
    facts += [("features", ", ".join(request.features)[:200])] if request.features else []
    facts += [("AS2-Version", request.version), ("receipt asked for", str(asked.kind))]
    facts += [("its hash", ", ".join(asked.micalgs)[:200])] if asked.micalgs else []
    facts += [("receipt goes to", asked.delivery_url[:200])] if asked.delivery_url else []
    wrong: list[str] = []
    sight = walk.sight
    if sight.our_id is not None and sight.our_id != request.as2_to:
        walk.stranger = f"it is addressed to {request.as2_to!r}, we are {sight.our_id!r}"
    elif sight.our_id is not None and sight.partner is None:
        walk.stranger = f"no agreement names a partner {request.as2_from!r}"
    if walk.stranger:
        wrong.append(walk.stranger)
    try:
        receipt_hash(request, walk.sight.policy)
    except As2Fault as fault:
        wrong.append(str(fault))
    walk.layers.append(Layer(title="AS2 headers", facts=tuple(facts), wrong=tuple(wrong)))
    return request


def _inward(entity: mime.Entity | None, walk: _Walk) -> None:
    """Layer after layer; each kind once, encryption outermost: that bounds it."""
    while entity is not None:
        kind = entity.media_type
        if kind == "multipart/signed":
            entity = _signed(entity, walk)
        elif kind in _PKCS7_MIME:
            opened = _structure(entity, walk)
            if opened is None:
                return
            content_type, structure = opened
            if content_type in {cms.ENVELOPED_DATA, cms.AUTH_ENVELOPED_DATA}:
                entity = _encrypted(content_type, structure, walk)
            elif content_type == cms.COMPRESSED_DATA:
                entity = _compressed(structure, walk)
            else:
                what = cms.NAMES.get(content_type, anatomy.dotted(content_type))
                said = f"{what} is not a layer of AS2"
                if content_type == cms.SIGNED_DATA:
                    said += ": a signature must be multipart/signed, its content beside it (RFC 4130 4.2)"
                walk.layers.append(Layer(title=f"CMS {what}", wrong=(said,)))
                return
        else:
            layer, walk.payload = content_layer(entity)
            walk.layers.append(layer)
            return


def _structure(entity: mime.Entity, walk: _Walk) -> tuple[bytes, ber.Element] | None:
    """The CMS structure in an entity; None where there is none, which is told."""
    try:
        octets = entity.decoded()
    except mime.MimeFault as fault:
        encoding = mime.printable(entity.headers.get("content-transfer-encoding", ""))[:40]
        said = f"its Content-Transfer-Encoding says {encoding}, and what came cannot be read so: {fault}"
        walk.layers.append(Layer(title="CMS", wrong=(said,)))
        return None
    try:
        content_type, structure = cms.open_frame(octets)
    except ber.BerFault as fault:
        said = f"its CMS structure cannot be read: {_unreadable(bytes(octets[:_SHOWN]), len(octets)) or fault}"
        walk.layers.append(Layer(title="CMS", facts=(("size", f"{len(octets)} octets"),), wrong=(said,)))
        return None
    claimed = _claimed(entity)
    really = cms.NAMES.get(content_type, anatomy.dotted(content_type))
    if claimed and claimed.lower() != really.lower():
        note = f"its Content-Type says {claimed}, it is {really}"
        walk.layers.append(Layer(title="CMS", notes=(note,)))
    return content_type, structure


def _claimed(entity: mime.Entity) -> str:
    """The smime-type that a header claims; nothing is decided by it."""
    try:
        return mime.printable(mime.structured(entity.content_type).parameters.get("smime-type", ""))[:40]
    except mime.MimeFault:
        return ""


def _unreadable(start: bytes, size: int) -> str | None:
    """Why octets are no CMS structure, as far as their beginning shows it (X.690 8.1.3)."""
    if start[:1] != bytes((ber.SEQUENCE,)):
        begins = mime.printable(start[:30].decode("ascii", "replace"))
        return f"it begins with {begins!r}" if start else "nothing came"
    length = start[1] if len(start) > 1 else 0
    if length == _INDEFINITE:
        return "its length is indefinite, and its end is missing or something in it is cut off"
    count = length & 0x7F if length > _INDEFINITE else 0
    announced = 2 + count + (int.from_bytes(start[2 : 2 + count], "big") if count else length)
    return f"it announces {announced} octets, {size} came" if announced > size else None


def _again(kind: str, walk: _Walk) -> bool:
    """Whether this layer may not stand here; then it is told and not looked into."""
    if kind not in walk.kinds and not (kind == "encrypted" and walk.kinds):
        walk.kinds.append(kind)
        return False
    around = ", ".join(walk.kinds)
    walk.layers.append(
        Layer(title=kind, wrong=(f"a layer ({kind}) where it may not stand, inside: {around}",)),
    )
    return True


def _encrypted(content_type: bytes, structure: ber.Element, walk: _Walk) -> mime.Entity | None:
    if _again("encrypted", walk):
        return None
    sight = walk.sight
    try:
        seen = anatomy.envelope(structure, [pair.certificate for pair in sight.keys])
    except ber.BerFault as fault:
        walk.layers.append(Layer(title="encrypted", wrong=(f"its envelope cannot be read: {fault}",)))
        return None
    facts = [("structure", cms.NAMES[content_type]), ("cipher", seen.cipher), ("size", f"{seen.size} octets")]
    for one in seen.recipients:
        fits = f", which is our key of {name_of(one.who.certificate)}" if one.who.certificate else ""
        facts.append(("for", f"{one.who.text}, {one.transport}{fits}"))
    layer = Layer(title=f"encrypted with {seen.cipher}", facts=tuple(facts))
    names = "; ".join(one.who.text for one in seen.recipients) or "nobody"
    try:
        opened = envelope.decrypt(content_type, structure, keys=sight.keys, accepted=sight.policy.ciphers)
    except (As2Fault, ber.BerFault) as fault:
        said = str(fault)
        addressed = any(one.who.certificate for one in seen.recipients)
        if not sight.keys and seen.known:
            layer = replace(layer, hidden=(f"without the private key of {names} nothing inside can be seen",))
        elif isinstance(fault, As2Fault) and not addressed and seen.cipher in sight.policy.ciphers:
            ours = ", ".join(name_of(pair.certificate) for pair in sight.keys)
            layer = replace(layer, wrong=(f"it is encrypted for {names}; the keys here are those of {ours}",))
        else:
            layer = replace(layer, wrong=(said if seen.known else f"{seen.cipher} is not accepted",))
        walk.layers.append(layer)
        return None
    if recipients.is_spare(recipients.session_key(seen.infos, sight.keys, seen.key_length)[1], seen.infos):
        said = "our key does not open its session key, though it names our certificate: it was made for another key"
        walk.layers.append(replace(layer, wrong=(said,)))
        return None
    if not opened.sound:
        said = "what it decrypts to ends in no padding: the encrypted octets were changed or cut off on the way"
        walk.layers.append(replace(layer, wrong=(said,)))
        return None
    walk.layers.append(replace(layer, facts=(*layer.facts, ("decrypted", f"{opened.end} octets"))))
    return _go_on("encrypted", bytes(opened.data), opened.end, walk)


def _compressed(structure: ber.Element, walk: _Walk) -> mime.Entity | None:
    if _again("compressed", walk):
        return None
    packed = len(structure.whole)
    try:
        plain = compression.inflate(structure, walk.sight.policy)
    except (compression.InflateFault, ber.BerFault) as fault:
        layer = Layer(
            title="compressed",
            facts=(("size", f"{packed} octets"),),
            wrong=(f"what is compressed cannot be inflated: {fault}",),
        )
        walk.layers.append(layer)
        return None
    ratio = f"{packed} octets inflate to {len(plain)}, {len(plain) / packed:.1f} times as much"
    order = "after signing" if "signed" not in walk.kinds else "before signing"
    walk.layers.append(Layer(title="compressed", facts=(("size", ratio), ("order", order))))
    return _go_on("compressed", bytes(plain), len(plain), walk)


def _go_on(kind: str, data: bytes, end: int, walk: _Walk) -> mime.Entity:
    walk.octets[kind] = data[:end]
    return mime.entity(data, 0, end)


def _signed(entity: mime.Entity, walk: _Walk) -> mime.Entity | None:
    if _again("signed", walk):
        return None
    sight = walk.sight
    walk.found = look_at_signature(
        entity, certificates=sight.certificates, accepted=sight.policy.hashes, moment=sight.moment
    )
    walk.layers.append(walk.found.layer)
    if walk.found.content is not None:
        walk.octets["signed"] = bytes(walk.found.content.octets)
    return walk.found.content


def _concluded(headers: mime.Headers, body: bytes, walk: _Walk, request: Addressing | None) -> Explanation:
    """What `open_message` says, and the sentence for it."""
    sight = walk.sight
    layers = [one for layer in walk.layers for one in layer.all()]
    wrong = [said for layer in layers for said in layer.wrong]
    hidden = [said for layer in layers for said in layer.hidden]
    found = walk.found
    explanation = Explanation(
        sentence="",
        taken=None,
        disposition=None,
        told=None,
        layers=tuple(walk.layers),
        signed_octets=bytes(found.content.octets) if found and found.content else None,
        signature=found.signature if found else None,
        signer=found.signer if found else None,
        inside=found.inside if found else (),
        payload=walk.payload,
    )
    if "plain" in walk.octets and not hidden and walk.payload is not None:
        mic, algorithm, layer = _mic(walk, request)
        covered = walk.octets[layer]
        explanation = replace(explanation, mic=mic, mic_algorithm=algorithm, mic_over=_OVER[layer], mic_octets=covered)
    if request is None:
        return replace(explanation, taken=False, sentence=f"Not AS2, no receipt can be addressed: {wrong[0]}.")
    if walk.stranger is not None:
        refusal = str(Refusal.UNKNOWN_RELATIONSHIP)
        return replace(explanation, taken=False, disposition=refusal, sentence=f"Refused: {walk.stranger}.")
    try:
        opened = open_message(
            headers, body, keys=sight.keys, partner_certificates=sight.certificates, policy=sight.policy
        )
        unfit = sight.demands(opened) if sight.demands is not None else None
        if unfit is not None:
            raise unfit
    except As2Fault as fault:
        if hidden and not wrong:
            return replace(explanation, sentence=f"Cannot be judged here: {hidden[0]}.")
        said = wrong[0] if wrong else str(fault)
        told = fault.public if fault.public != str(fault) else None
        return replace(
            explanation, taken=False, disposition=str(fault.refusal), told=told, sentence=f"Refused: {said}."
        )
    explanation = replace(explanation, mic=opened.mic, mic_algorithm=opened.mic_algorithm)
    how = [f"encrypted with {opened.cipher}"] if opened.cipher else []
    how += ["compressed"] if opened.compressed else []
    how += [f"signed by {name_of(found.signer)}"] if found and found.signer else []
    said = ", ".join(how) or "neither signed nor encrypted"
    return replace(explanation, taken=True, disposition="processed", sentence=f"Taken: {said}.")


def _mic(walk: _Walk, request: Addressing | None) -> tuple[str, str, str]:
    """The MIC as a receipt would carry it, or would have; its hash, and the layer that it covers."""
    chosen: Hash | None = None
    try:
        chosen = receipt_hash(request, walk.sight.policy) if request else None
    except As2Fault:
        chosen = None
    if chosen is None:
        chosen = HASHES.get(walk.found.hash if walk.found else _DEFAULT_HASH, HASHES[_DEFAULT_HASH])
    layer = next(layer for layer in _OVER if layer in walk.octets)
    digest = chosen.digest([walk.octets[layer]])
    return base64.b64encode(digest).decode("ascii"), chosen.name, layer
