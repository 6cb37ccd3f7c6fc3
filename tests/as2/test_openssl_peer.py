"""`openssl cms` as the other station, as a real process: it reads what we write, for every algorithm we send.

What it writes is read in `test_vectors.py`, row by row of the table there; here long and streamed messages.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.as2 import CIPHERS as SUITES
from gateway.as2 import HASHES, KeyPair, KeyTransport, Policy, SignatureScheme, Stretch
from gateway.as2.mime import Entity, Index, parts
from gateway.store.spool import SpoolFile

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")

ENTITY = b"Content-Type: application/edi-x12\r\n\r\nISA*00~\r\nIEA~\r\n"
HTTP = (("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"))
ENVELOPED = (*HTTP, ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data"))
CIPHERS = {
    "aes-128-cbc": ["-aes-128-cbc"],
    "aes-256-cbc": ["-aes-256-cbc"],
    "aes-128-gcm": ["-aes-128-gcm"],
    "aes-256-gcm": ["-aes-256-gcm"],
    "3des-cbc": ["-des3"],
}


@pytest.fixture
def folder(tmp_path: Path, stations: Any) -> Path:
    """Keys and certificates as files: `acme.pem`, `ours.pem`, each with its `.crt`."""
    for name, pair in (("acme", stations.acme), ("ours", stations.ours)):
        write(tmp_path, name, pair)
    return tmp_path


def write(folder: Path, name: str, pair: KeyPair) -> None:
    """A pair as `openssl` wants it."""
    key = pair.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.pem").write_bytes(key)
    (folder / f"{name}.crt").write_bytes(pair.certificate.public_bytes(Encoding.PEM))


def openssl(folder: Path, *arguments: str) -> bytes:
    """Run `openssl cms` there; its standard output."""
    done = subprocess.run(["openssl", "cms", *arguments], cwd=folder, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


SENDABLE = [name for name, row in SUITES.items() if row.sendable]
RECIPIENTS = [("rsa", transport) for transport in KeyTransport] + [
    (kind, KeyTransport.PKCS1) for kind in ("ec", "p-384", "p-521")
]


@pytest.mark.parametrize(("kind", "transport"), RECIPIENTS)
@pytest.mark.parametrize("cipher", SENDABLE)
def test_openssl_decrypts_whatever_we_encrypt(
    stations: Any, pair: Callable[..., KeyPair], tmp_path: Path, *, cipher: str, kind: str, transport: KeyTransport
) -> None:
    """Every cipher for every kind of recipient: RSA by PKCS#1 v1.5 and OAEP, EC by ECDH."""
    theirs = pair("theirs", kind)
    write(tmp_path, "theirs", theirs)
    built = stations.send(sign_with=None, encrypt_for=[theirs.certificate], cipher=cipher, key_transport=transport)
    (tmp_path / "message.der").write_bytes(built.body)
    entity = openssl(
        tmp_path, "-decrypt", "-binary", "-inform", "DER", "-in", "message.der",
        "-recip", "theirs.crt", "-inkey", "theirs.pem",
    )  # fmt: skip
    assert entity.partition(b"\r\n\r\n")[2] == stations.payload


def test_openssl_finds_each_of_several_recipients(stations: Any, pair: Callable[..., KeyPair], tmp_path: Path) -> None:
    """RSA and EC keys in one envelope."""
    pairs = {f"several-{kind}": pair(f"several-{kind}", kind) for kind in ("rsa", "ec", "p-384", "p-521")}
    built = stations.send(sign_with=None, encrypt_for=[one.certificate for one in pairs.values()])
    (tmp_path / "message.der").write_bytes(built.body)
    for name, one in pairs.items():
        write(tmp_path, name, one)
        entity = openssl(
            tmp_path, "-decrypt", "-binary", "-inform", "DER", "-in", "message.der",
            "-recip", f"{name}.crt", "-inkey", f"{name}.pem",
        )  # fmt: skip
        assert entity.endswith(stations.payload)


@pytest.mark.parametrize("micalg", [name for name, row in HASHES.items() if row.sendable])
@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        ("rsa", SignatureScheme.PKCS1),
        ("rsa", SignatureScheme.PSS),
        ("ec", SignatureScheme.PKCS1),
        ("p-384", SignatureScheme.PKCS1),
        ("p-521", SignatureScheme.PKCS1),
    ],
)
def test_openssl_verifies_whatever_we_sign(
    stations: Any, pair: Callable[..., KeyPair], tmp_path: Path, *, kind: str, scheme: SignatureScheme, micalg: str
) -> None:
    """Message and receipt, every hash with every kind of key, PKCS#1 v1.5 and PSS."""
    mine = pair("mine", kind)
    write(tmp_path, "mine", mine)
    built = stations.send(sign_with=mine, encrypt_for=[], micalg=micalg, signature_scheme=scheme)
    opened = stations.take(
        built.headers, built.body, Policy(require_encryption=False), partner_certificates=[mine.certificate]
    )
    receipt = stations.answer(built.headers, opened, key=mine, signature_scheme=scheme)
    for one in (built, receipt):
        whole = Entity(data=one.body, start=0, body=0, end=len(one.body), headers=Index(one.headers))
        content, signature = parts(whole)
        (tmp_path / "part").write_bytes(content.octets)
        (tmp_path / "part.p7s").write_bytes(signature.decoded())
        verified = openssl(
            tmp_path, "-verify", "-binary", "-inform", "DER", "-in", "part.p7s", "-content", "part",
            "-certfile", "mine.crt", "-CAfile", "mine.crt", "-purpose", "any",
        )  # fmt: skip
        assert verified == bytes(content.octets)


def test_openssl_decrypts_and_verifies_a_message_of_ours(stations: Any, folder: Path) -> None:
    """The commands of docs/as2.md: decrypted, split by octets, verified over exactly the signed part."""
    built = stations.send()
    (folder / "message.der").write_bytes(built.body)
    openssl(
        folder, "-decrypt", "-binary", "-inform", "DER", "-in", "message.der",
        "-recip", "ours.crt", "-inkey", "ours.pem", "-out", "entity",
    )  # fmt: skip
    data = (folder / "entity").read_bytes()
    head, _, body = data.partition(b"\r\n\r\n")
    headers = Index([("Content-Type", head.decode().partition(": ")[2])])
    content, signature = parts(Entity(data=body, start=0, body=0, end=len(body), headers=headers))
    (folder / "part").write_bytes(content.octets)
    (folder / "part.p7s").write_bytes(signature.decoded())
    verified = openssl(
        folder, "-verify", "-binary", "-inform", "DER", "-in", "part.p7s", "-content", "part",
        "-certfile", "acme.crt", "-CAfile", "acme.crt", "-purpose", "any",
    )  # fmt: skip
    assert verified == bytes(content.octets)
    assert verified.endswith(stations.payload)


@pytest.mark.parametrize("oaep", [False, True])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("cipher", list(CIPHERS))
def test_we_decrypt_what_openssl_encrypted(
    stations: Any, folder: Path, cipher: str, *, stream: bool, oaep: bool
) -> None:
    """DER and streamed BER (indefinite lengths, chunks), RSA PKCS#1 and OAEP (SHA-1 and SHA-256), 3DES by switch."""
    (folder / "entity").write_bytes(ENTITY * 500)
    transport = ["-keyopt", "rsa_padding_mode:oaep"] if oaep else []
    transport += ["-keyopt", "rsa_oaep_md:sha256"] if oaep and stream else []
    body = openssl(
        folder, "-encrypt", "-binary", *CIPHERS[cipher], "-in", "entity", "-outform", "DER",
        "-stream" if stream else "-nodetach", "-recip", "ours.crt", *transport,
    )  # fmt: skip
    policy = Policy(require_signature=False, ciphers=frozenset({cipher}))
    opened = stations.take(ENVELOPED, body, policy)
    assert opened.payload == (ENTITY * 500).partition(b"\r\n\r\n")[2]
    assert opened.cipher == cipher


def test_we_take_a_message_that_openssl_made_throughout(stations: Any, folder: Path) -> None:
    """Signed and encrypted by it, as one AS2 message under the default policy."""
    (folder / "entity").write_bytes(ENTITY)
    signature = openssl(
        folder, "-sign", "-binary", "-md", "sha256", "-in", "entity", "-outform", "DER",
        "-signer", "acme.crt", "-inkey", "acme.pem",
    )  # fmt: skip
    signed = b'Content-Type: multipart/signed; boundary="s"\r\n\r\n--s\r\n' + ENTITY
    signed += b"\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\n" + signature + b"\r\n--s--\r\n"
    (folder / "signed").write_bytes(signed)
    body = openssl(
        folder, "-encrypt", "-binary", "-aes-256-cbc", "-stream", "-in", "signed", "-outform", "DER",
        "-recip", "ours.crt",
    )  # fmt: skip
    opened = stations.take(ENVELOPED, body)
    assert opened.payload == b"ISA*00~\r\nIEA~\r\n"
    assert opened.signed_by is not None


def test_openssl_verifies_our_receipt(stations: Any, folder: Path) -> None:
    """The evidence can be checked without us."""
    built = stations.send()
    receipt = stations.answer(built.headers, stations.take(built.headers, built.body))
    whole = Entity(data=receipt.body, start=0, body=0, end=len(receipt.body), headers=Index(receipt.headers))
    report, signature = parts(whole)
    (folder / "part").write_bytes(report.octets)
    (folder / "part.p7s").write_bytes(signature.decoded())
    verified = openssl(
        folder, "-verify", "-binary", "-inform", "DER", "-in", "part.p7s", "-content", "part",
        "-certfile", "ours.crt", "-CAfile", "ours.crt", "-purpose", "any",
    )  # fmt: skip
    assert b"Original-Message-ID: <1@acme>" in verified


@pytest.mark.parametrize("cipher", list(CIPHERS))
def test_what_openssl_streamed_is_opened_from_a_file(stations: Any, folder: Path, cipher: str) -> None:
    """Six megabytes in thousands of pieces of indefinite length, too large for memory: decrypted into a file."""
    content = random.Random(7).randbytes(6_000_000)
    (folder / "entity").write_bytes(b"Content-Type: application/octet-stream\r\n\r\n" + content)
    openssl(
        folder, "-encrypt", "-binary", *CIPHERS[cipher], "-in", "entity", "-outform", "DER", "-stream",
        "-recip", "ours.crt", "-out", "message.der",
    )  # fmt: skip
    file = SpoolFile(folder)
    file.write((folder / "message.der").read_bytes())
    policy = Policy(require_signature=False, ciphers=frozenset({cipher}))
    opened = stations.take(ENVELOPED, Stretch(file), policy, spool=partial(SpoolFile, folder))
    assert isinstance(opened.payload, Stretch)
    assert b"".join(opened.payload.pieces()) == content
