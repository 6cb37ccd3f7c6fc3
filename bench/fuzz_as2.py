"""What is fuzzed of AS2: any octets as a message or a receipt, also inside layers that no octets by chance would open.

The laws: opening a message gives `Opened` or PartnerFault, reading a receipt a verdict or PartnerFault; whatever came,
a receipt can be built for it and read back; what counts as signed has the MIC of something that was really signed; a
positive verdict on our signed message names our MIC.

An input is one octet that chooses the layers around it, header lines, a blank line and a body.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway import as2
from gateway.as2 import mime
from gateway.as2.algorithms import CIPHERS
from gateway.as2.certificates import PrivateKey
from gateway.as2.compression import deflate
from gateway.as2.envelope import encrypt
from gateway.as2.recipients import KeyTransport
from gateway.errors import PartnerFault

NOW = datetime(2026, 3, 1, tzinfo=UTC)
# Fixed, so that a corpus keeps its valid signatures from run to run; short, so that a run gets far.
P = int(
    "C9AE7E4F0D921AF621F9641E88CC53E55D8A7D94823210C1F4A776FC6A2040DA"
    "17D8536CDE580033DE1E9E890A2F799BAF6153C8D05D4C97E8ED516257024C3F",
    16,
)
Q = int(
    "F21E9677B03DEFCE8EA362C8EB1455DE6DEF6C7F609A3E803D771715576E9DBA"
    "F20A14730DAFBC6E6DF676060AA51EC553F988E538AB698D72A9174B77CB2D39",
    16,
)
PAYLOAD = b"ISA*00*~"
OURS_SENT = as2.Sent(message_id="<sent@ours>", mic="x", mic_algorithm="sha-256", signed=True)
ADDRESSED = (("AS2-From", "acme"), ("AS2-To", "ours"), ("Message-ID", "<1@acme>"))
ASKED = (
    ("Disposition-Notification-To", "acme"),
    ("Disposition-Notification-Options", "signed-receipt-protocol=optional, pkcs7-signature"),
)
POLICIES = (
    as2.Policy(max_size=65_536, max_inflated=262_144),
    as2.Policy(require_encryption=False, max_size=65_536, max_inflated=262_144),
    as2.Policy(require_encryption=False, require_signature=False, max_size=65_536, max_inflated=262_144),
    as2.Policy(
        require_encryption=False,
        require_signature=False,
        hashes=frozenset(as2.HASHES),
        ciphers=frozenset(as2.CIPHERS),
    ),
)
LAYERS = ("nothing", "an envelope", "compression", "an envelope around compression")


def _certified(key: PrivateKey, name: str) -> as2.KeyPair:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(4130).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=9999))
    return as2.KeyPair(private_key=key, certificate=builder.sign(key, hashes.SHA256()))


@cache
def ours() -> as2.KeyPair:
    """Our key pair: RSA, for it decrypts."""
    public = rsa.RSAPublicNumbers(65537, P * Q)
    exponent = pow(65537, -1, (P - 1) * (Q - 1))
    numbers = rsa.RSAPrivateNumbers(P, Q, exponent, exponent % (P - 1), exponent % (Q - 1), pow(Q, -1, P), public)
    return _certified(numbers.private_key(), "ours")


@cache
def theirs() -> as2.KeyPair:
    """The partner's: EC, for it signs."""
    return _certified(ec.derive_private_key(4130, ec.SECP256R1()), "acme")


@cache
def elliptic() -> as2.KeyPair:
    """Our other key pair: EC, it decrypts too."""
    return _certified(ec.derive_private_key(5753, ec.SECP256R1()), "ours-ec")


@cache
def probabilistic() -> as2.KeyPair:
    """The partner's other one: RSA, for it signs by PSS. The same numbers as ours: only signatures are looked at."""
    return _certified(ours().private_key, "acme-rsa")


def _certificates() -> list[x509.Certificate]:
    return [theirs().certificate, probabilistic().certificate]


def _build(
    *,
    sign: bool = True,
    pss: bool = False,
    encrypt_for: tuple[x509.Certificate, ...] = (),
    transport: KeyTransport = KeyTransport.PKCS1,
    compress: bool = False,
    after: bool = False,
) -> as2.Built:
    return as2.build_message(
        PAYLOAD,
        content_type="application/edi-x12",
        filename="order.edi",
        as2_from="acme",
        as2_to="ours",
        message_id="<1@acme>",
        date=NOW,
        subject="order",
        sign_with=(probabilistic() if pss else theirs()) if sign else None,
        signature_scheme=as2.SignatureScheme.PSS,
        encrypt_for=encrypt_for,
        key_transport=transport,
        compress=compress,
        compress_after_signing=after,
        receipt=as2.ReceiptKind.SIGNED,
        boundary="seed",
    )


@cache
def genuine() -> frozenset[str]:
    """The MICs of everything that was really signed."""
    return frozenset(_build(compress=compress).mic for compress in (False, True))


def _headers_and_body(data: bytes) -> tuple[list[tuple[str, str]], bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    return [(name.strip(), value.strip()) for name, mark, value in pairs if mark], body


def message(data: bytes) -> None:
    """Any octets posted to us."""
    choice, rest = (data[0], data[1:]) if data else (0, b"")
    policy, layer, addressed = POLICIES[choice & 3], choice >> 2 & 3, not choice & 64
    headers, body = _headers_and_body(rest)
    if layer in {1, 3}:
        entity = rest
        if layer == 3:
            entity = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n" + deflate([rest])
        body = encrypt(
            [entity], recipients=[ours().certificate], suite=CIPHERS["aes-128-cbc"], transport=KeyTransport.PKCS1
        )
        headers = [("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data")]
    elif layer == 2:
        body, headers = deflate([rest]), [("Content-Type", "application/pkcs7-mime; smime-type=compressed-data")]
    if addressed:
        headers = [*ADDRESSED, *ASKED, *headers]
    opened: as2.Opened | None = None
    fault: as2.As2Fault | None = None
    try:
        request = as2.read_headers(headers)
        try:
            opened = as2.open_message(
                headers, body, keys=[ours(), elliptic()], partner_certificates=_certificates(), policy=policy
            )
        except as2.As2Fault as error:
            fault = error
    except PartnerFault:
        return
    if opened is not None and opened.signed_by is not None and opened.mic_algorithm == "sha-256":
        assert opened.mic in genuine(), "something counts as signed that nobody signed"
    assert opened is None or opened.signed_by or not policy.require_signature, "taken unsigned"
    assert opened is None or opened.encrypted or not policy.require_encryption, "taken in the clear"
    _answered(request, opened, fault)


def _answered(request: as2.Addressing, opened: as2.Opened | None, fault: as2.As2Fault | None) -> None:
    """The receipt for it says what it must, to a reader who knows only what was sent."""
    made = as2.build_receipt(
        request=request, opened=opened, fault=fault, key=None, our_name="ours", message_id="<2@ours>", date=NOW
    )
    mic, algorithm = (opened.mic, opened.mic_algorithm) if opened else ("x", "sha-256")
    sent = as2.Sent(message_id=request.message_id, mic=mic, mic_algorithm=algorithm, signed=True)
    verdict = as2.read_receipt(made.headers, made.body, sent=sent, partner_certificates=[], require_signature=False)
    assert verdict.processed == (opened is not None), "the receipt says something else than what became of it"


def receipt(data: bytes) -> None:
    """Any octets as the answer to a message of ours."""
    choice, rest = (data[0], data[1:]) if data else (0, b"")
    headers, body = _headers_and_body(rest)
    try:
        verdict = as2.read_receipt(
            headers,
            body,
            sent=OURS_SENT,
            partner_certificates=_certificates(),
            require_signature=bool(choice & 1),
            hashes=frozenset(as2.HASHES),
        )
    except PartnerFault:
        return
    if choice & 1 and verdict.processed:
        assert verdict.signed_by is not None, "an unsigned receipt counts"
    assert not verdict.processed or verdict.mic is None or verdict.mic == OURS_SENT.mic, "another MIC counts"
    assert len(verdict.text) <= 2000  # what it promises
    assert mime.printable(verdict.disposition) == verdict.disposition, "controls in a disposition"


TARGETS: dict[str, Callable[[bytes], None]] = {"message": message, "receipt": receipt}


def _posted(built: as2.Built | as2.BuiltReceipt, choice: int) -> bytes:
    wanted = {"content-type", "content-transfer-encoding", "content-disposition", "mime-version"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in built.headers if name.lower() in wanted)
    return bytes((choice,)) + lines.encode("ascii") + b"\r\n" + built.body


def seeds(target: str) -> Iterator[bytes]:
    """The first inputs of a target."""
    yield b""
    if target == "receipt":
        yield from _receipts()
        return
    for compress, after in ((False, False), (True, False), (True, True)):
        built = _build(compress=compress, after=after)
        for layer in range(4):
            for policy in range(4):
                yield _posted(built, layer << 2 | policy)
    for who in ((ours(),), (elliptic(),), (elliptic(), ours())):
        for transport in (KeyTransport.PKCS1, KeyTransport.OAEP):
            yield _posted(_build(encrypt_for=tuple(one.certificate for one in who), transport=transport), 0)
    yield _posted(_build(pss=True), 1)
    yield _posted(_build(sign=False), 2)
    yield _posted(_build(sign=False, compress=True), 2)
    yield b"\x42AS2-From: acme\r\nAS2-To: ours\r\nMessage-ID: <1@acme>\r\nContent-Type: text/plain\r\n\r\nx"


def _receipts() -> Iterator[bytes]:
    request = as2.Addressing(
        as2_from="ours",
        as2_to="acme",
        message_id=OURS_SENT.message_id,
        receipt=as2.ReceiptRequest(kind=as2.ReceiptKind.SIGNED, micalgs=("sha-256",)),
    )
    refused = as2.As2Fault("x", refusal=as2.Refusal.DECRYPTION_FAILED)
    for key in (theirs(), None):
        made = as2.build_receipt(
            request=request, opened=None, fault=refused, key=key, our_name="acme", message_id="<r@acme>", date=NOW
        )
        for choice in (0, 1):
            yield _posted(made, choice)
    built = _build()
    opened = as2.open_message(
        built.headers, built.body, keys=[], partner_certificates=[theirs().certificate], policy=POLICIES[1]
    )
    taken = replace(opened, mic=OURS_SENT.mic, addressing=request)
    for key in (theirs(), probabilistic(), None):
        made = as2.build_receipt(
            request=request, opened=taken, fault=None, key=key, our_name="acme", message_id="<r@acme>", date=NOW
        )
        yield _posted(made, int(key is not None))


TOKENS: tuple[bytes, ...] = (
    *b"Content-Type: |Content-Transfer-Encoding: |base64|binary|quoted-printable|multipart/signed; boundary=seed".split(
        b"|"
    ),
    *b"--seed|--seed--|\r\n--seed\r\n|\r\n\r\n|application/pkcs7-mime|application/pkcs7-signature".split(b"|"),
    *b"boundary=|; name*0*=utf-8''%e4|name*1=|filename=\"|text/plain|message/disposition-notification".split(b"|"),
    *b"Disposition: automatic-action/MDN-sent-automatically; processed|/error: ".split(b"|"),
    b"/warning: duplicate-document",
    *b"Original-Message-ID: <sent@ours>|Received-Content-MIC: x, sha-256|Final-Recipient: rfc822; x".split(b"|"),
    *b'multipart/report; report-type=disposition-notification; boundary="seed-report"|--seed-report'.split(b"|"),
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07", b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a",
    b"\x06\x06\x2b\x81\x04\x01\x0b\x01", b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x05", b"\xa1\x00", b"\xa2\x00",
    b"\x30\x80", b"\x00\x00", b"\xa0\x80", b"\x24\x80", b"\x04\x82\x10\x00", b"\x30\x84\xff\xff\xff\xff", b"\x31\x00",
    b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09",
    zlib.compress(b"Content-Type: text/plain\r\n\r\nx"),
)  # fmt: skip
"""Also the entries of the fuzzer's dictionary."""


def warm() -> None:
    """Everything that is made once."""
    assert genuine()
