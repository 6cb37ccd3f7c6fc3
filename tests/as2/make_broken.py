"""Make samples/as2/broken: `python tests/as2/make_broken.py samples/as2/broken`.

Each file has one fault, and its name says which.

Made with the test keys in its folder `keys`, which are made when they are not there and never trusted by anybody.
Encryption is never twice the same, so every run makes other octets with the same faults.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

from gateway.as2 import (
    CIPHERS,
    HASHES,
    As2Fault,
    KeyPair,
    KeyTransport,
    ReceiptKind,
    Refusal,
    ber,
    build_message,
    cms,
    compression,
    der,
    envelope,
)
from gateway.as2.addressing import read_headers
from gateway.as2.building import Layer, sign_layer
from gateway.as2.certificates import identity
from gateway.as2.explaining import Sight, explain
from gateway.as2.policy import Policy
from gateway.as2.receipt import build_receipt

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PAYLOAD = (
    b"ISA*00*          *00*          *ZZ*ACME           *ZZ*HARBORLINE     *260301*1200*U*00401*000000007*0*T*>~\r\n"
    b"GS*PR*ACME*HARBORLINE*20260301*1200*7*X*004010~\r\nST*855*0001~\r\nBAK*00*AC*4500012345*20260301~\r\n"
    b"SE*3*0001~\r\nGE*1*7~\r\nIEA*1*000000007~\r\n"
)
OPTIONS = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256"
HTTP = {
    "AS2-Version": "1.1",
    "AS2-From": "ACME",
    "AS2-To": "HARBORLINE",
    "Message-ID": "<20260301-7@acme.example>",
    "Subject": "order acknowledgement",
    "Disposition-Notification-To": "edi@acme.example",
    "Disposition-Notification-Options": OPTIONS,
}
NAMES = {"acme": "ACME TEST ONLY", "ours": "HARBORLINE TEST ONLY", "mallory": "MALLORY TEST ONLY"}
WARNING = "TEST KEY of samples/as2/broken: published, protects nothing, never to be trusted\n"
BOUNDARY = "----=_part"


def pair(folder: Path, name: str) -> KeyPair:
    """A fixed pair of test keys, made once."""
    key_file, certificate_file = folder / f"{name}-test-key.pem", folder / f"{name}.pem"
    if not key_file.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[name])])
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(made.public_key())
        builder = builder.serial_number(1000 + list(NAMES).index(name))
        builder = builder.not_valid_before(MOMENT - timedelta(days=1))
        builder = builder.not_valid_after(MOMENT + timedelta(days=36500))
        certificate = builder.sign(made, hashes.SHA256())
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        folder.mkdir(parents=True, exist_ok=True)
        key_file.write_text(WARNING + pem.decode())
        certificate_file.write_text(WARNING + certificate.public_bytes(serialization.Encoding.PEM).decode())
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return KeyPair(private_key=key, certificate=x509.load_pem_x509_certificate(certificate_file.read_bytes()))


class Maker:
    """The three who write: acme is the partner, mallory is nobody, ours receives."""

    def __init__(self, keys: Path) -> None:
        self.acme, self.ours, self.mallory = (pair(keys, name) for name in NAMES)

    def content(self, payload: bytes = PAYLOAD) -> Layer:
        """The payload as a part."""
        return Layer(
            headers=(
                ("Content-Type", "application/edi-x12"),
                ("Content-Transfer-Encoding", "binary"),
                ("Content-Disposition", 'attachment; filename="855.edi"'),
            ),
            content=[payload],
        )

    def signed(
        self,
        layer: Layer | None = None,
        key: KeyPair | None = None,
        algorithm: str = "sha-256",
        boundary: str = BOUNDARY,
    ) -> Layer:
        """A multipart/signed by acme."""
        made, _ = sign_layer(
            layer or self.content(), key=key or self.acme, algorithm=HASHES[algorithm], moment=MOMENT, boundary=boundary
        )
        return made

    def encrypted(
        self, layer: Layer | bytes, *, recipient: KeyPair | None = None, cipher: str = "aes-256-cbc"
    ) -> Layer:
        """An envelope for us."""
        pieces = [layer] if isinstance(layer, bytes) else layer.pieces()
        to = (recipient or self.ours).certificate
        body = envelope.encrypt(pieces, recipients=[to], suite=CIPHERS[cipher], transport=KeyTransport.PKCS1)
        kind = "enveloped-data" if cipher.endswith("cbc") else "authEnveloped-data"
        return pkcs7(body, kind)

    def compressed(self, layer: Layer) -> Layer:
        """A compressed part."""
        return pkcs7(compression.deflate(layer.pieces()), "compressed-data")

    def sealed(self, change: Callable[[bytes], bytes]) -> bytes:
        """A signed and encrypted message whose signed octets were changed before encryption."""
        whole = b"".join(self.signed().pieces())
        changed = change(whole)
        assert changed != whole
        return message(self.encrypted(changed))

    def broken_signature(self, change: Callable[[bytes], bytes]) -> bytes:
        """A signed and encrypted message whose SignedData was written anew."""
        content = self.content()
        inside = b"".join(content.pieces())
        return message(self.encrypted(multipart(inside, change(inside))))

    def signed_data(
        self, inside: bytes, *, who: KeyPair, key: KeyPair, attributes: bool = True, signers: int = 1
    ) -> bytes:
        """A SignedData that claims to be by `who` and is made with the key of `key`."""
        digest = HASHES["sha-256"]
        hashed = der.sequence(der.identifier(digest.oid))
        values = [
            attribute("1.2.840.113549.1.9.3", der.identifier(cms.DATA)),
            attribute("1.2.840.113549.1.9.4", der.tlv(ber.OCTET_STRING, digest.digest([inside]))),
        ]
        to_sign = der.set_of(values) if attributes else inside
        octets = key.private_key.sign(to_sign, padding.PKCS1v15(), digest.scheme)
        scheme = der.sequence(der.identifier(der.oid("1.2.840.113549.1.1.1")), der.tlv(ber.NULL))
        fields = [der.integer(1), identity(who.certificate).issuer_and_serial, hashed]
        fields += [b"\xa0" + to_sign[1:]] if attributes else []
        info = der.sequence(*fields, scheme, der.tlv(ber.OCTET_STRING, octets))
        structure = der.sequence(
            der.integer(1),
            der.tlv(ber.SET, hashed),
            der.sequence(der.identifier(cms.DATA)),
            der.tlv(cms.EXPLICIT_0, identity(who.certificate).der),
            der.tlv(ber.SET, *([info] * signers)),
        )
        return cms.frame(cms.SIGNED_DATA, [structure])

    def receipt(self, **changes: object) -> tuple[tuple[tuple[str, str], ...], bytes]:
        """The partner's receipt for `sent.http`."""
        headers, body = self.sent()
        sight = Sight(keys=[self.ours], certificates=[self.ours.certificate], policy=FREE, moment=MOMENT)
        opened = explain(headers, body, sight)
        taken = open_ours(self, headers, body)
        assert opened.mic == taken.mic
        settings: dict[str, object] = {
            "request": read_headers(headers),
            "opened": taken,
            "fault": None,
            "key": self.acme,
            "our_name": "ACME station",
            "message_id": "<receipt-7@acme.example>",
            "date": MOMENT,
            "boundary": BOUNDARY,
        }
        built = build_receipt(**(settings | changes))  # type: ignore[arg-type]
        return built.headers, built.body

    def sent(self) -> tuple[tuple[tuple[str, str], ...], bytes]:
        """A message of ours, signed and not encrypted."""
        built = build_message(
            PAYLOAD,
            content_type="application/edi-x12",
            filename="855.edi",
            as2_from="HARBORLINE",
            as2_to="ACME",
            message_id="<20260301-1@harborline.example>",
            date=MOMENT,
            subject="order",
            sign_with=self.ours,
            encrypt_for=(),
            compress=False,
            receipt=ReceiptKind.SIGNED,
            boundary=BOUNDARY,
        )
        return built.headers, built.body


FREE = Policy(require_signature=False, require_encryption=False)


def open_ours(maker: Maker, headers: tuple[tuple[str, str], ...], body: bytes):  # noqa: ANN201  Opened
    """As the partner would open it."""
    from gateway.as2 import open_message  # noqa: PLC0415

    return open_message(headers, body, keys=[maker.acme], partner_certificates=[maker.ours.certificate], policy=FREE)


def attribute(name: str, value: bytes) -> bytes:
    """A signed attribute."""
    return der.sequence(der.identifier(der.oid(name)), der.tlv(ber.SET, value))


def pkcs7(body: bytes, kind: str) -> Layer:
    """A CMS structure as a part."""
    headers = (
        ("Content-Type", f'application/pkcs7-mime; smime-type={kind}; name="smime.p7m"'),
        ("Content-Transfer-Encoding", "binary"),
    )
    return Layer(headers=headers, content=[body])


def multipart(inside: bytes, signature: bytes, more: bytes = b"") -> bytes:
    """A multipart/signed written by hand."""
    head = (
        f'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="{BOUNDARY}"'
    )
    mark = f"--{BOUNDARY}".encode()
    part = b"Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: binary\r\n\r\n" + signature
    return b"\r\n".join(
        (head.encode(), b"", mark, inside, mark, part, *([mark, more] if more else []), mark + b"--", b"")
    )


def message(layer: Layer, *, without: tuple[str, ...] = (), **changes: str) -> bytes:
    """A request as a file."""
    headers = HTTP | {name.replace("_", "-"): value for name, value in changes.items()}
    rows = [(name, value) for name, value in headers.items() if name not in without]
    return captured([*rows, *layer.headers], b"".join(layer.content))


def captured(headers: list[tuple[str, str]] | tuple[tuple[str, str], ...], body: bytes) -> bytes:
    """Headers, blank line, body."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n" + body


def flipped(data: bytes, at: int) -> bytes:
    """One octet changed."""
    at %= len(data)
    return data[:at] + bytes((data[at] ^ 0x5A,)) + data[at + 1 :]


def body_changed(layer: Layer, change: Callable[[bytes], bytes]) -> bytes:
    """A request whose envelope was changed on the way."""
    return message(Layer(headers=layer.headers, content=[change(b"".join(layer.content))]))


def by_hand(maker: Maker, suite: str, *, cut: int = 0) -> bytes:
    """An envelope as other stations write it, its content shorter by `cut` octets."""
    row = CIPHERS[suite]
    plain = b"".join(maker.signed().pieces())
    count = row.block - len(plain) % row.block
    key, vector = bytes(range(row.key_length)), bytes(row.block)
    cipher = algorithms.AES(key) if suite.startswith("aes") else TripleDES(key)
    octets = Cipher(cipher, modes.CBC(vector)).encryptor().update(plain + bytes((count,)) * count)
    public = maker.ours.certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    transport = der.sequence(der.identifier(der.oid("1.2.840.113549.1.1.1")), der.tlv(ber.NULL))
    who = identity(maker.ours.certificate).issuer_and_serial
    sealed = der.tlv(ber.OCTET_STRING, public.encrypt(key, padding.PKCS1v15()))
    info = der.sequence(der.integer(0), who, transport, sealed)
    algorithm = der.sequence(der.identifier(row.oid), der.tlv(ber.OCTET_STRING, vector))
    content = der.sequence(der.identifier(cms.DATA), algorithm, der.tlv(0x80, octets[: len(octets) - cut]))
    structure = der.sequence(der.integer(0), der.tlv(ber.SET, info), content)
    return message(pkcs7(cms.frame(cms.ENVELOPED_DATA, [structure]), "enveloped-data"))


def endless(maker: Maker) -> bytes:
    """An envelope of indefinite length, never ended (X.690 8.1.3.6)."""
    body = b"".join(maker.encrypted(maker.signed()).content)
    inner = ber.read(body).parts[1].parts[0]
    opened = b"\x30\x80" + der.identifier(cms.ENVELOPED_DATA) + b"\xa0\x80" + bytes(inner.whole)
    return message(pkcs7(opened, "enveloped-data"))


def messages(maker: Maker) -> Mapping[str, bytes]:
    """Every broken message by the name of its fault."""
    signed, envelope_ = maker.signed(), maker.encrypted(maker.signed())
    acme, mallory = maker.acme, maker.mallory
    zeros = maker.compressed(maker.content(bytes(3_000_000)))
    damaged = maker.compressed(maker.content())
    damaged = Layer(headers=damaged.headers, content=[flipped(b"".join(damaged.content), -40)])
    sound = message(envelope_)
    twice = Layer(headers=(("Content-Type", "text/plain"), *maker.content().headers), content=[PAYLOAD])
    three = multipart(
        b"".join(maker.content().pieces()),
        maker.signed_data(b"".join(maker.content().pieces()), who=acme, key=acme),
        b"Content-Type: text/plain\r\n\r\na disclaimer that a relay added",
    )
    opaque = maker.signed_data(b"", who=acme, key=acme)
    micalg = OPTIONS.replace("sha-256", "sha3-256")
    protocol = "signed-receipt-protocol=required, pgp-signature; signed-receipt-micalg=optional, sha-256"
    return {
        "nothing-wrong": sound,
        "no-signer": maker.broken_signature(lambda inside: maker.signed_data(inside, who=acme, key=acme, signers=0)),
        "wrong-signer": message(maker.encrypted(maker.signed(key=mallory))),
        "forged-signer": maker.broken_signature(lambda inside: maker.signed_data(inside, who=acme, key=mallory)),
        "content-changed": maker.sealed(lambda whole: whole.replace(b"4500012345", b"4500012346")),
        "line-ends-changed": maker.sealed(lambda whole: whole.replace(b"~\r\n", b"~\n")),
        "signed-without-headers": maker.broken_signature(
            lambda inside: maker.signed_data(inside.partition(b"\r\n\r\n")[2], who=acme, key=acme)
        ),
        "attributes-stripped": maker.broken_signature(
            lambda inside: maker.signed_data(inside, who=acme, key=acme, attributes=False)
        ),
        "signature-not-base64": maker.sealed(lambda whole: whole.replace(b"\r\nMII", b"\r\nM=I", 1)),
        "signed-with-sha-1": message(maker.encrypted(maker.signed(algorithm="sha-1"))),
        "not-signed": message(maker.encrypted(maker.content())),
        "not-encrypted": message(signed),
        "signed-twice": message(maker.encrypted(maker.signed(maker.signed(boundary="inner")))),
        "three-parts": message(maker.encrypted(three)),
        "opaque-signature": message(maker.encrypted(pkcs7(opaque, "signed-data"))),
        "encrypted-to-somebody-else": message(maker.encrypted(signed, recipient=mallory)),
        "encrypted-with-3des": by_hand(maker, "3des-cbc"),
        "bad-padding": body_changed(envelope_, lambda body: flipped(body, -1)),
        "session-key-changed": body_changed(
            envelope_, lambda body: flipped(body, body.index(b"\x04\x82\x01\x00") + 90)
        ),
        "authenticated-content-changed": body_changed(
            maker.encrypted(signed, cipher="aes-256-gcm"), lambda body: flipped(body, -60)
        ),
        "half-a-block": by_hand(maker, "aes-128-cbc", cut=8),
        "truncated": body_changed(envelope_, lambda body: body[:700]),
        "indefinite-never-ended": endless(maker),
        "base64-said-binary-came": message(
            Layer(
                headers=(envelope_.headers[0], ("Content-Transfer-Encoding", "base64")),
                content=[b"MIIB\x00\x01this is no base64!"],
            )
        ),
        "not-cms": message(pkcs7(b"<html>502 Bad Gateway</html>", "enveloped-data")),
        "boundary-missing": maker.sealed(
            lambda whole: whole.replace(b"\r\n--" + BOUNDARY.encode() + b"--\r\n", b"\r\n")
        ),
        "boundary-not-named": maker.sealed(lambda whole: whole.replace(f'; boundary="{BOUNDARY}"'.encode(), b"")),
        "something-behind-the-boundary": maker.sealed(lambda whole: whole + b"Scanned by a mail relay\r\n"),
        "headers-never-ended": message(maker.encrypted(b"Content-Type: application/edi-x12\r\n" + b"x" * 60)),
        "double-header": sound.replace(b"AS2-To:", b"AS2-To: SOMEBODY\r\nAS2-To:", 1),
        "double-content-type": message(maker.encrypted(maker.signed(twice))),
        "compressed-bomb": message(maker.encrypted(maker.signed(zeros))),
        "compression-damaged": message(maker.encrypted(maker.signed(damaged))),
        "compressed-posing-as-encrypted": message(
            Layer(headers=envelope_.headers, content=maker.compressed(signed).content)
        ),
        "unknown-micalg": message(envelope_, Disposition_Notification_Options=micalg),
        "unknown-receipt-protocol": message(envelope_, Disposition_Notification_Options=protocol),
        "not-as2": message(envelope_, without=tuple(HTTP)),
        "no-message-id": message(envelope_, without=("Message-ID",)),
        "name-too-long": message(envelope_, AS2_From="A" * 129),
    }


def receipts(maker: Maker) -> Mapping[str, bytes]:
    """Every broken receipt for the message in sent.http, by the name of its fault."""
    sound = captured(*maker.receipt())
    taken = open_ours(maker, *maker.sent())
    request = read_headers(maker.sent()[0])
    other = build_message(
        PAYLOAD.replace(b"4500012345", b"4500099999"),
        content_type="application/edi-x12",
        filename="855.edi",
        as2_from="HARBORLINE",
        as2_to="ACME",
        message_id=request.message_id,
        date=MOMENT,
        subject="order",
        sign_with=maker.ours,
        encrypt_for=(),
        compress=False,
        receipt=ReceiptKind.SIGNED,
        boundary=BOUNDARY,
    )
    refused = As2Fault("", refusal=Refusal.DECRYPTION_FAILED, public="The message could not be decrypted.")
    from dataclasses import replace  # noqa: PLC0415

    return {
        "mdn-nothing-wrong": sound,
        "mdn-other-message": captured(
            *maker.receipt(request=replace(request, message_id="<20260301-2@harborline.example>"))
        ),
        "mdn-other-mic": captured(*maker.receipt(opened=open_ours(maker, other.headers, other.body))),
        "mdn-without-mic": captured(*maker.receipt(opened=replace(taken, mic="", mic_algorithm="sha-256"))),
        "mdn-unsigned": captured(*maker.receipt(key=None)),
        "mdn-wrong-signer": captured(*maker.receipt(key=maker.mallory)),
        "mdn-changed": sound.replace(b"; processed", b"; processed/warning: all-fine"),
        "mdn-refused": captured(*maker.receipt(opened=None, fault=refused)),
        "mdn-odd-disposition": captured(*maker.receipt(key=None)).replace(b"; processed", b"; dispatched"),
        "mdn-cut-off": sound[: len(sound) // 2],
        "mdn-web-page": captured(
            (("Content-Type", "text/html"),), b"<html><body><h1>502 Bad Gateway</h1></body></html>\n"
        ),
    }


def main(folder: Path) -> None:
    """Write them all."""
    maker = Maker(folder / "keys")
    for name, octets in (messages(maker) | dict(receipts(maker))).items():
        (folder / f"{name}.http").write_bytes(octets)
    (folder / "keys" / "sent.http").write_bytes(captured(*maker.sent()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/as2/make_broken.py FOLDER")
    main(Path(sys.argv[1]))
