"""Open a received AS2 message: layer by layer from the outside in, by received octets (RFC 4130 section 4, RFC 5402).

Laws: what a layer is, its CMS structure says; each layer may stand once, encryption outermost. What policy demands is
judged when all are off, from what was really decrypted and verified, before anything more is read. Inside an envelope
every failure of form is the one refusal `decryption-failed`, and bad padding is not even found out before everything
else was done as always.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509

from gateway.as2 import attachments, cms, compression, envelope, mime, signature
from gateway.as2.addressing import Addressing, ReceiptKind, indexed
from gateway.as2.algorithms import HASHES, Hash, hash_named
from gateway.as2.certificates import KeyPair, fingerprint
from gateway.as2.faults import As2Fault, Refusal
from gateway.as2.filenames import filename_of
from gateway.as2.octets import Octets, Spool, Stretch, small
from gateway.as2.policy import Policy
from gateway.as2.recipients import failed

_PKCS7_MIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_BEFORE: dict[str, frozenset[str]] = {
    "encrypted": frozenset(),
    "compressed": frozenset({"encrypted", "signed"}),
    "signed": frozenset({"encrypted", "compressed"}),
}
"""What may lie around each layer; itself never: that bounds nesting."""
_DEFAULT_HASH = "sha-256"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A message that was taken: payload, and what was really found around it."""

    addressing: Addressing
    payload: bytes | Stretch = field(repr=False)
    """A stretch only when a `spool` was given and it is large: then it lasts as long as what the spool made."""
    content_type: str
    """Media type with its parameters, as sent but for controls."""
    filename: str | None
    """The sender's name for the file, without any path."""
    attachments: tuple[str, ...]
    """The names of the files that the payload encloses, empty for one without; none when the payload is the one file.
    `attachments.split` gives the files."""
    mic: str
    """Base64 of the digest a receipt carries (RFC 4130 7.3.1)."""
    mic_algorithm: str
    signed_by: str | None
    """Fingerprint of the certificate that verified the signature; `None` when there was no signature."""
    signature_hash: str | None
    encrypted: bool
    cipher: str | None
    compressed: bool
    encrypted_for: str | None = None
    """Fingerprint of our certificate that it was encrypted for; `None` when it was not encrypted."""

    @property
    def message_id(self) -> str:
        """The Message-ID as it came."""
        return self.addressing.message_id

    @property
    def receipt_requested(self) -> ReceiptKind:
        """Whether a receipt is wanted, and signed or not."""
        return self.addressing.receipt.kind


class _Opening:
    """The message being opened: the entity in hand and the layers taken off."""

    def __init__(
        self,
        whole: mime.Entity,
        *,
        keys: Sequence[KeyPair],
        certificates: Sequence[x509.Certificate],
        policy: Policy,
        spool: Spool | None,
    ) -> None:
        self.entity = whole
        self.keys, self.certificates, self.policy, self.spool = keys, certificates, policy, spool
        self.layers: set[str] = set()
        self.verified: signature.Verified | None = None
        self.cipher: str | None = None
        self.recipient: x509.Certificate | None = None
        self.sound = True
        # Rule of the MIC (RFC 4130 7.3.1, RFC 5402 section 4): of the layers named here the first one present decides.
        self.mic_octets: dict[str, Octets] = {"plain": whole.content}

    def peel(self) -> bool:
        """Take off one layer; False when there is none left. Raises As2Fault, MimeFault, BerFault, InflateFault."""
        kind = self.entity.media_type
        if kind == "multipart/signed":
            self._enter("signed")
            self._signed()
        elif kind in _PKCS7_MIME:
            content_type, structure = cms.open_frame(cms.octets(self.entity, self.spool))
            if content_type in {cms.ENVELOPED_DATA, cms.AUTH_ENVELOPED_DATA}:
                self._enter("encrypted")
                opened = envelope.decrypt(
                    content_type, structure, keys=self.keys, accepted=self.policy.ciphers, spool=self.spool
                )
                self.sound, self.cipher, self.recipient = opened.sound, opened.cipher, opened.recipient
                self._go_on("encrypted", opened.data, opened.end)
            elif content_type == cms.COMPRESSED_DATA:
                self._enter("compressed")
                plain = compression.inflate(structure, self.policy, self.spool)
                self._go_on("compressed", plain, len(plain))
            else:
                name = cms.NAMES.get(content_type, content_type.hex())
                raise mime.MimeFault(f"{name} is not a layer of AS2")
        else:
            return False
        return True

    def _enter(self, layer: str) -> None:
        if not self.layers <= _BEFORE[layer]:
            raise mime.MimeFault(f"a layer ({layer}) where it may not stand, inside: {', '.join(sorted(self.layers))}")
        self.layers.add(layer)

    def _go_on(self, layer: str, data: bytes | Stretch, end: int) -> None:
        self.mic_octets[layer] = data[:end] if isinstance(data, Stretch) else memoryview(data)[:end]
        self.entity = mime.entity(data, 0, end)
        if layer == "encrypted" and not self.entity.headers:
            # Octets behind a wrong session key begin with a blank line once in 200 times: taken for a MIME part without
            # headers they would be refused in other words than the rest.
            raise mime.MimeFault("no header in what was encrypted")

    def _signed(self) -> None:
        """RFC 1847 2.1: two parts, the content and its signature."""
        parts = mime.parts(self.entity)
        if len(parts) != 2:  # noqa: PLR2004
            raise mime.MimeFault(f"multipart/signed with {len(parts)} parts")
        self.verified = signature.verify(
            small(cms.octets(parts[1], self.spool)),
            parts[0].octets,
            certificates=self.certificates,
            accepted=self.policy.hashes,
        )
        self.mic_octets["signed"] = parts[0].octets
        self.entity = parts[0]


def open_message(
    headers: mime.Headers,
    body: bytes | Stretch,
    *,
    keys: Sequence[KeyPair],
    partner_certificates: Sequence[x509.Certificate],
    policy: Policy,
    spool: Spool | None = None,
) -> Opened:
    """Decrypt, inflate and verify a request. Raises PartnerFault when it is not AS2, else As2Fault.

    `keys` are all our pairs now valid (old and new during a rollover), `partner_certificates` those pinned for the
    partner whom `read_headers(headers).as2_from` names; an empty sequence verifies nothing. With a `spool` a layer that
    is too large for memory goes into a scratch; a body that is a stretch needs one.
    """
    index, addressing = indexed(headers)
    if len(body) > policy.max_size:
        raise As2Fault(f"{len(body)} octets, {policy.max_size} are allowed", refusal=Refusal.UNEXPECTED)
    wanted = receipt_hash(addressing, policy)
    whole = mime.Entity(data=body, start=0, body=0, end=len(body), headers=index)
    opening = _Opening(whole, keys=keys, certificates=partner_certificates, policy=policy, spool=spool)
    try:
        while opening.peel():
            pass
        payload = opening.entity.decoded(spool)
        if not isinstance(payload, Stretch):
            payload = bytes(payload)
        content_type = mime.printable(opening.entity.content_type)
    except ValueError as fault:  # MimeFault, BerFault, InflateFault
        raise _refused(fault, opening) from fault
    _judge(opening, policy)
    try:
        filename = filename_of(opening.entity) or filename_of(whole)
        several = attachments.is_multipart(content_type)
        enclosed = attachments.split(content_type, payload, spool) if several else ()
    except mime.MimeFault as fault:
        raise _refused(fault, opening) from fault
    if not opening.sound:
        raise failed("wrong session key, or padding changed on the way")
    used = opening.verified.hash if opening.verified else HASHES[_DEFAULT_HASH]
    chosen = wanted or used
    if opening.verified is not None and chosen is opening.verified.hash:
        digest = opening.verified.digest
    else:
        layer = next(layer for layer in ("signed", "compressed", "encrypted", "plain") if layer in opening.mic_octets)
        digest = chosen.digest([opening.mic_octets[layer]])
    return Opened(
        addressing=addressing,
        payload=payload,
        content_type=content_type,
        filename=filename,
        attachments=tuple([one.filename or "" for one in enclosed]),
        mic=binascii.b2a_base64(digest, newline=False).decode("ascii"),
        mic_algorithm=chosen.name,
        signed_by=fingerprint(opening.verified.certificate) if opening.verified else None,
        signature_hash=opening.verified.hash.name if opening.verified else None,
        encrypted="encrypted" in opening.layers,
        cipher=opening.cipher,
        compressed="compressed" in opening.layers,
        encrypted_for=fingerprint(opening.recipient) if opening.recipient else None,
    )


def receipt_hash(addressing: Addressing, policy: Policy) -> Hash | None:
    """The first micalg asked for that we support and accept (RFC 4130 7.3); `None` when none was asked for.

    Where it differs from the signature's own hash, the request wins: it is what the sender will compare. Raises
    As2Fault when a list was given and nothing in it will do.
    """
    if not addressing.receipt.supported:
        raise As2Fault("a receipt protocol we do not know is required", refusal=Refusal.UNSUPPORTED_FORMAT)
    asked = addressing.receipt.micalgs
    for name in asked:
        found = hash_named(name)
        if found is not None and found.name in policy.hashes:
            return found
    if asked:
        raise As2Fault(f"no accepted hash among {', '.join(asked)[:100]!r}", refusal=Refusal.UNSUPPORTED_MICALG)
    return None


def _refused(fault: ValueError, opening: _Opening) -> As2Fault:
    """What a failure of form is called; inside an envelope it has one name only."""
    if "encrypted" in opening.layers:
        return failed(f"inside the envelope: {fault}" if opening.cipher else f"envelope: {fault}")
    if isinstance(fault, compression.InflateFault):
        return As2Fault(str(fault), refusal=Refusal.DECOMPRESSION_FAILED)
    return As2Fault(f"cannot be read: {fault}", refusal=Refusal.UNEXPECTED)


def _judge(opening: _Opening, policy: Policy) -> None:
    """Policy, from what was done."""
    for demanded, layer in (
        (policy.require_encryption, "encrypted"),
        (policy.require_signature, "signed"),
        (policy.require_compression, "compressed"),
    ):
        if demanded and layer not in opening.layers:
            raise As2Fault(
                f"not {layer}, though this partner's messages must be", refusal=Refusal.INSUFFICIENT_SECURITY
            )
