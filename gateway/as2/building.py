"""Build an AS2 message: payload, then compression, signature and encryption from the inside out (RFC 4130 section 4).

Large payloads are never copied into each layer: layers are lists of pieces, joined once at the end.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from cryptography import x509

from gateway.as2 import compression, envelope, signature
from gateway.as2.addressing import ReceiptKind, write_name, write_printable
from gateway.as2.algorithms import CIPHERS, HASHES, Hash
from gateway.as2.certificates import KeyPair, fingerprint
from gateway.as2.der import Pieces
from gateway.as2.filenames import disposition
from gateway.as2.octets import Octets, Spool, Stretch, flat, gathered
from gateway.as2.recipients import KeyTransport
from gateway.as2.schemes import SignatureScheme
from gateway.errors import OurFault

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LINE = re.compile(rb".{1,76}")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")

Headers = tuple[tuple[str, str], ...]
ANNOUNCED: Headers = (("AS2-Version", "1.2"), ("EDIINT-Features", "multiple-attachments"))
"""What we are able to, on every message and receipt, whatever version the other side names (decision 0067).

RFC 4130 6.1, RFC 5402: 1.1 is compression. RFC 6017: 1.2 is this header; CEM is left out, because we have none."""
_SIGNATURE_HEAD = (
    b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)
Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """A request ready to be posted, and what its receipt must say."""

    headers: Headers
    body: bytes | Stretch
    """A stretch only when a `spool` was given and it is large: all of one scratch."""
    message_id: str
    mic: str
    mic_algorithm: str
    signed: bool
    further_mics: Mapping[str, str] = field(default_factory=dict)
    """By the other hashes that a receipt may choose, where more than one was named."""
    signature_hash: str | None = None
    cipher: str | None = None
    compressed: bool = False
    signed_by: str | None = None
    """Fingerprint of our certificate that it was signed with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One MIME entity being built: its headers and the pieces of its content."""

    headers: Headers
    content: Sequence[Octets]

    def pieces(self) -> Pieces:
        """Headers, blank line, content."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return [f"{lines}\r\n".encode("ascii"), *self.content]


def build_message(
    payload: bytes | Stretch,
    *,
    content_type: str,
    filename: str | None,
    as2_from: str,
    as2_to: str,
    message_id: str,
    date: datetime,
    subject: str,
    sign_with: KeyPair | None,
    encrypt_for: Sequence[x509.Certificate],
    compress: bool,
    receipt: ReceiptKind,
    receipt_to: str | None = None,
    micalg: str = "sha-256",
    cipher: str = "aes-256-cbc",
    signature_scheme: SignatureScheme = SignatureScheme.PKCS1,
    key_transport: KeyTransport = KeyTransport.PKCS1,
    compress_after_signing: bool = False,
    micalgs: Sequence[str] = (),
    boundary: str | None = None,
    spool: Spool | None = None,
) -> Built:
    """Wrap `payload` for a partner. Raises OurFault for a value that cannot go into a header, an unknown algorithm.

    `message_id` is with its angle brackets and stays the same on every retry; `date` is aware; `encrypt_for` empty
    sends it in the clear; `micalg` signs, `micalgs` are those that the receipt may choose from, in this order (empty:
    `micalg`); `signature_scheme` and `key_transport` are for RSA keys (an EC key signs by ECDSA and is encrypted for by
    ECDH); `receipt_to` is our address for an asynchronous receipt, without one it comes in the answer;
    `boundary` is for reproducible tests. With a `spool` what is too large for memory goes into a scratch; a payload
    that is a stretch needs one.
    """
    digest_with, *asked = (_sent_hash(name) for name in (micalg, *(micalgs or (micalg,))))
    write_printable(content_type, "Content-Type")
    inner = Layer(
        headers=(
            ("Content-Type", content_type),
            ("Content-Transfer-Encoding", "binary"),
            *((("Content-Disposition", disposition(filename)),) if filename else ()),
        ),
        content=[payload],
    )
    layer = inner
    if compress and not compress_after_signing:
        layer = _compressed(layer, spool)
    # RFC 4130 7.3.1, RFC 5402 section 4: over what is signed, headers included; of what is only compressed or encrypted
    # over the part within, headers included; of what is none of these without headers.
    mic_over: Pieces = layer.pieces() if sign_with else inner.pieces() if compress or encrypt_for else [payload]
    mics: dict[str, bytes] = {}
    if sign_with is not None:
        layer, mics[digest_with.name] = sign_layer(
            layer, key=sign_with, algorithm=digest_with, moment=date, scheme=signature_scheme, boundary=boundary
        )
    mics |= {one.name: one.digest(mic_over) for one in asked if one.name not in mics}
    if compress and compress_after_signing:
        layer = _compressed(layer, spool)
    if encrypt_for:
        suite = _known(CIPHERS, cipher, "cipher")
        pieces = envelope.encrypted(layer.pieces(), recipients=encrypt_for, suite=suite, transport=key_transport)
        kind = "enveloped-data" if suite.name.endswith("cbc") else "authEnveloped-data"
        body = gathered(pieces, spool)
        layer = _pkcs7_mime(kind, [body])
    else:
        body = gathered(flat(layer.content), spool)
    headers = (
        *ANNOUNCED,
        ("AS2-From", write_name(as2_from)),
        ("AS2-To", write_name(as2_to)),
        ("Message-ID", write_printable(message_id, "Message-ID")),
        ("Subject", write_printable(subject, "Subject")),
        ("Date", http_date(date)),
        ("MIME-Version", "1.0"),
        *_receipt_headers(receipt, asked, as2_from, receipt_to),
        *layer.headers,
    )
    texts = {name: base64.b64encode(digest).decode("ascii") for name, digest in mics.items()}
    return Built(
        headers=headers,
        body=body,
        message_id=message_id,
        mic=texts[asked[0].name],
        mic_algorithm=asked[0].name,
        signed=sign_with is not None,
        further_mics={one.name: texts[one.name] for one in asked[1:]},
        signature_hash=digest_with.name if sign_with else None,
        cipher=cipher if encrypt_for else None,
        compressed=compress,
        signed_by=None if sign_with is None else fingerprint(sign_with.certificate),
    )


def _sent_hash(name: str) -> Hash:
    found = _known(HASHES, name, "hash")
    if not found.sendable:
        raise OurFault(f"{name} is never sent", remedy="Choose sha-256, sha-384 or sha-512 for this partner.")
    return found


def sign_layer(
    layer: Layer,
    *,
    key: KeyPair,
    algorithm: Hash,
    moment: datetime,
    scheme: SignatureScheme = SignatureScheme.PKCS1,
    boundary: str | None = None,
) -> tuple[Layer, bytes]:
    """A multipart/signed around `layer` (RFC 1847 2.1, RFC 8551 3.5.3), and the digest of what was signed."""
    boundary = new_boundary(boundary)
    pieces = layer.pieces()
    digest = algorithm.digest(pieces)
    octets = signature.sign(digest, key=key, algorithm=algorithm, moment=moment, scheme=scheme)
    delimiter = f"--{boundary}".encode("ascii")
    # RFC 2046 5.1.1: the line end before a delimiter belongs to the delimiter, so the signed octets end before it.
    content: Pieces = [delimiter, b"\r\n", *pieces, b"\r\n", delimiter, b"\r\n"]
    content += [_SIGNATURE_HEAD, _base64_lines(octets), delimiter, b"--\r\n"]
    content_type = (
        f'multipart/signed; protocol="application/pkcs7-signature"; micalg={algorithm.name}; boundary="{boundary}"'
    )
    return Layer(headers=(("Content-Type", content_type),), content=content), digest


def http_date(moment: datetime) -> str:
    """A Date header (RFC 9110 5.6.7) for an aware moment."""
    at = moment.astimezone(UTC)  # not by strftime, whose names of days follow the locale
    text = at.isoformat(timespec="seconds")
    return f"{_DAYS[at.weekday()]}, {text[8:10]} {_MONTHS[at.month - 1]} {text[:4]} {text[11:19]} GMT"


def new_boundary(given: str | None) -> str:
    """A boundary no content can hold but by guessing 128 random bits; a given one is checked for its form only."""
    if not given:
        return secrets.token_hex(16)
    if not _BOUNDARY.fullmatch(given):
        raise OurFault(f"{given!r} is not a MIME boundary", remedy="Use 1 to 70 letters and digits.")
    return given


def _compressed(layer: Layer, spool: Spool | None) -> Layer:
    return _pkcs7_mime("compressed-data", compression.deflated(layer.pieces(), spool))


def _pkcs7_mime(kind: str, body: Sequence[Octets]) -> Layer:
    """RFC 8551 3.2, as binary: HTTP needs no base64."""
    name = "smime.p7z" if kind == "compressed-data" else "smime.p7m"
    return Layer(
        headers=(
            ("Content-Type", f'application/pkcs7-mime; smime-type={kind}; name="{name}"'),
            ("Content-Transfer-Encoding", "binary"),
            ("Content-Disposition", f'attachment; filename="{name}"'),
        ),
        content=body,
    )


def _base64_lines(octets: bytes) -> bytes:
    """Lines of 76 characters, each with its line end (RFC 2045 6.8)."""
    lines = _LINE.findall(binascii.b2a_base64(octets, newline=False))
    return b"\r\n".join([*lines, b""])


def _receipt_headers(receipt: ReceiptKind, asked: Sequence[Hash], as2_from: str, receipt_to: str | None) -> Headers:
    """RFC 4130 7.3."""
    if receipt is ReceiptKind.NONE:
        return ()
    wanted: Headers = (("Disposition-Notification-To", write_name(as2_from)),)
    if receipt_to is not None:  # RFC 4130 7.3: the header that makes it asynchronous, and its address
        wanted += (("Receipt-Delivery-Option", write_printable(receipt_to, "Receipt-Delivery-Option")),)
    if receipt is ReceiptKind.UNSIGNED:
        return wanted
    names = ", ".join(one.name for one in asked)
    options = f"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, {names}"
    return (*wanted, ("Disposition-Notification-Options", options))


def _known(table: Mapping[str, Row], name: str, what: str) -> Row:
    if name not in table:
        raise OurFault(f"unknown {what} {name!r}", remedy=f"Choose one of {', '.join(table)}.")
    return table[name]
