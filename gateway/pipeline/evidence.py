"""Everything that proves one exchange, as files: message, receipt, what was signed, certificates, trail and seals.

Laws: no private key is ever among them; the same message gives the same octets. The decrypted signed part is among
them, or nobody else could verify: who may see the evidence may see the message. What is missing is said, never passed
over.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.as2 import CIPHERS, HASHES, Policy, Sent, fingerprint
from gateway.as2.explaining import Sight, explain
from gateway.as2.explaining_receipts import ReceiptSight, explain_receipt, hash_of
from gateway.as2.explanation import Explanation
from gateway.as2.rebuilding import rebuilt
from gateway.errors import OurFault
from gateway.pipeline import wrapping
from gateway.pipeline.evidence_page import page
from gateway.pipeline.remembered import sent_of
from gateway.pipeline.station import Station
from gateway.ports import Direction, Message, TrailProof

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that the format knows: the same evidence is the same octets."""
_ANY = frozenset(HASHES)
_COMPRESS = ("no", "before")
"""The agreement may have said otherwise when it was sent."""
_POLICY = Policy(require_signature=False, require_encryption=False, hashes=_ANY, ciphers=frozenset(CIPHERS))
"""Nothing is judged anew: whatever was accepted then is looked into."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What is there of one exchange."""

    message: Message
    trail: TrailProof
    seal_key: bytes
    """The public key of the seals, as PEM."""
    wire: bytes | None
    """The body as it was on the wire; of a message that never was, None."""
    payload: bytes | None
    seen: Explanation | None
    """The message, looked into; None for what is no AS2 message."""
    receipt: Explanation | None
    entity: bytes | None
    """What the MIC covers."""
    lacking: tuple[str, ...]
    """What cannot be shown, and why, in sentences."""

    @property
    def inbound(self) -> bool:
        """Whether it came to us."""
        return self.message.direction is Direction.INBOUND


async def gather(station: Station, message_id: str, trail: TrailProof, seal_key: bytes) -> Evidence:
    """Read and look into one message. Raises OurFault when there is none."""
    message = await station.queries.message(message_id)
    if message is None:
        raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones")
    lacking: list[str] = []
    payload: bytes | None = None
    wire: bytes | None = None
    try:
        payload = await station.queries.payload(message_id)
        wire = await station.queries.raw(message_id)
        if wire is None and message.raw_headers:
            wire = payload
    except OurFault as fault:
        lacking.append(f"The octets are not kept any more: {fault}")
    seen = _looked_into(station, message, wire, _signers(trail)) if wire is not None and message.raw_headers else None
    receipt = _receipt(station, message, await sent_of(station, message), _signers(trail))
    entity = seen.mic_octets if seen is not None else None
    if entity is None and payload is not None and message.mic and message.direction is Direction.OUTBOUND:
        entity = _again(station, message, payload)
        lacking.append(
            "Our signature is encrypted for the partner and cannot be taken out again; `entity` was made again from the"
            " payload and has the MIC that was stored when the message was sent. What proves it is their receipt."
            if entity is not None
            else "What was signed is encrypted for the partner and could not be made again with the same MIC."
        )
    elif entity is None and seen is not None:
        lacking.append(f"What was signed is not among the files: {seen.sentence}")
    return Evidence(
        message=message,
        trail=trail,
        seal_key=seal_key,
        wire=wire,
        payload=payload,
        seen=seen,
        receipt=receipt,
        entity=entity,
        lacking=tuple(lacking),
    )


def _again(station: Station, message: Message, payload: bytes) -> bytes | None:
    """What we signed, wrapped anew by the agreement, compressed or not, until it has the MIC of then."""
    agreement = station.directory.known(message.partner or "")  # also one that is suspended now
    if agreement is None or agreement.as2 is None or not message.mic:
        return None
    clear = {"sign": "no", "encrypt": "no", "receipt": "none"}
    for compress in (agreement.as2.compress, *_COMPRESS):
        channel = agreement.as2.model_copy(update=clear | {"compress": compress})
        try:
            built = wrapping.wrap(station, agreement.model_copy(update={"as2": channel}), message, payload)
        except OurFault:
            return None
        found = rebuilt(built, mic=message.mic, mic_algorithm=hash_of(message.mic))
        if found is not None:
            return found
    return None


def _signers(trail: TrailProof) -> frozenset[str]:
    """Texts of the trail; a certificate counts whose fingerprint stands there."""
    return frozenset(one.data for one in trail.events)


def _looked_into(station: Station, message: Message, wire: bytes, said: frozenset[str]) -> Explanation:
    at = station.clock()
    ours = [pair.certificate for pair in station.keyring.decrypting(at)]
    theirs = station.keyring.theirs.get(message.partner or "", ())
    inbound = message.direction is Direction.INBOUND
    sight = Sight(
        keys=station.keyring.decrypting(at) if inbound else (),
        certificates=theirs if inbound else ours,
        policy=replace(_POLICY, max_size=max(_POLICY.max_size, len(wire))),
        moment=message.at,
    )
    seen = explain(message.raw_headers, wire, sight)
    known = _named_in(seen.inside, said)
    if seen.signer is None and known:  # the partner's certificate of then is not configured any more
        seen = explain(message.raw_headers, wire, replace(sight, certificates=known))
    return seen


def _receipt(station: Station, message: Message, sent: Sent | None, said: frozenset[str]) -> Explanation | None:
    """The receipt held against the message: ours for theirs, theirs for ours."""
    receipt = message.receipt
    if receipt is None or not receipt.body or not any(name.lower() == "as2-from" for name, _ in receipt.headers):
        return None
    inbound = message.direction is Direction.INBOUND
    ours = [pair.certificate for pair in station.keyring.decrypting(station.clock())]
    sight = ReceiptSight(
        certificates=ours if inbound else station.keyring.theirs.get(message.partner or "", ()),
        moment=message.at,
        sent=sent,
        require_signature=False,
        hashes=_ANY,
    )
    found = explain_receipt(receipt.headers, receipt.body, sight)
    known = found.inside if inbound else _named_in(found.inside, said)
    if found.signer is None and known:  # ours of then was rolled, theirs is named in the trail
        found = explain_receipt(receipt.headers, receipt.body, replace(sight, certificates=known))
    return found


def _named_in(certificates: Sequence[x509.Certificate], said: frozenset[str]) -> tuple[x509.Certificate, ...]:
    """Those whose fingerprint an event names: they verified then."""
    return tuple(one for one in certificates if any(fingerprint(one) in text for text in said))


def files(evidence: Evidence) -> Mapping[str, bytes]:
    """Every file by its name, README.md and SHA256SUMS among them."""
    message, made = evidence.message, dict[str, bytes]()
    if evidence.wire is not None and message.raw_headers:
        made["message.http"] = _http(message.raw_headers) + evidence.wire
    if evidence.payload is not None:
        made["payload"] = evidence.payload
    if evidence.entity is not None:
        made["entity"] = evidence.entity
    seen, receipt = evidence.seen, evidence.receipt
    if seen is not None and seen.signature is not None:
        made["signature.p7s"] = seen.signature
        if seen.signer is not None:
            made["signer.pem"] = seen.signer.public_bytes(Encoding.PEM)
    if message.receipt is not None:
        made["receipt.http"] = _http(message.receipt.headers) + message.receipt.body
    if receipt is not None and receipt.signature is not None and receipt.signed_octets is not None:
        made["receipt-entity"] = receipt.signed_octets
        made["receipt.p7s"] = receipt.signature
        if receipt.signer is not None:
            made["receipt-signer.pem"] = receipt.signer.public_bytes(Encoding.PEM)
    made["seal.pub"] = evidence.seal_key
    for event in evidence.trail.events:
        made[f"trail/{event.number:04}"] = event.hashed
    hashes = (f"{event.hash}  trail/{event.number:04}\n" for event in evidence.trail.events)
    made["trail/hashes"] = "".join(hashes).encode()
    for seal in evidence.trail.seals:
        made[f"seals/{seal.number}.signed"] = seal.signed
        made[f"seals/{seal.number}.signature"] = seal.signature
        made[f"seals/{seal.number}.entries"] = seal.entries.encode()
    made["README.md"] = page(evidence, frozenset(made)).encode()
    sums = (f"{hashlib.sha256(octets).hexdigest()}  {name}\n" for name, octets in sorted(made.items()))
    return made | {"SHA256SUMS": "".join(sums).encode()}


def zipped(made: Mapping[str, bytes]) -> bytes:
    """The files as one ZIP; the same files give the same octets."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, octets in sorted(made.items()):
            entry = zipfile.ZipInfo(name, date_time=_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, octets)
    return target.getvalue()


def _http(headers: Sequence[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1", "replace") + b"\r\n"
