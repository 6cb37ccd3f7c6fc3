"""Makes the vectors: test keys, entities, and one message by `openssl cms` for every algorithm we read.

    python tests/as2/vectors/make.py            # all of it anew, in this folder

`vectors.tsv` is the table of what was made: each row with the command that made the file and the one that verifies it.
The keys here are for these files and for nothing else.
"""

from __future__ import annotations

import base64
import csv
import shlex
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gateway.as2 import cms, der

FOLDER = Path(__file__).parent
DAYS = 27000
PART = (
    b"Content-Type: application/edi-x12\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b'Content-Disposition: attachment; filename="vector.edi"\r\n\r\n'
    b"ISA*00*          *00*          *ZZ*ACME           *ZZ*OURS           *260301*1200*U*00401*000000001*0*T*>~\r\n"
    b"GS*FA*ACME*OURS*20260301*1200*1*X*004010~\r\n"
    b"ST*997*0001~\r\nAK1*PO*1~\r\nAK9*A*1*1*1~\r\nSE*4*0001~\r\n"
    b"GE*1*1~\r\nIEA*1*000000001~\r\n"
)
ZLIB = der.oid("1.2.840.113549.1.9.16.3.8")

KEYS = {
    "rsa": "-newkey rsa:2048",
    "p256": "-newkey ec -pkeyopt ec_paramgen_curve:P-256",
    "p384": "-newkey ec -pkeyopt ec_paramgen_curve:P-384",
    "p521": "-newkey ec -pkeyopt ec_paramgen_curve:P-521",
    "pss": "-newkey rsa-pss -pkeyopt rsa_keygen_bits:2048",
}
"""By kind; `acme` signs with each, `ours` is encrypted for by each but the last."""
ELLIPTIC = ("p256", "p384", "p521")
HASHES = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
WEAK = {"sha-1": "sha1", "md5": "md5"}
AES = ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm")
OAEP = "-keyopt rsa_padding_mode:oaep"


@dataclass(frozen=True, kw_only=True, slots=True)
class Vector:
    """One file: `kind` is signature or envelope, `content` what is inside it, `key` whose key made or opens it."""

    file: str
    kind: str
    content: str
    key: str
    algorithm: str
    """The hash of a signature, the cipher of an envelope, as our tables call them."""
    made: str
    verified: str


def signature(
    name: str,
    algorithm: str,
    options: str = "",
    *,
    key: str = "acme-rsa",
    content: str = "part",
    trusted: str | None = None,
) -> Vector:
    """A detached signature."""
    file = f"sign-{name}.p7s"
    digest = (HASHES | WEAK)[algorithm]
    return Vector(
        file=file,
        kind="signature",
        content=content,
        key=key,
        algorithm=algorithm,
        made=f"openssl cms -sign -binary -md {digest} -in {content} -outform DER -signer {key}.crt -inkey {key}.pem"
        f"{options} -out {file}",
        verified=f"openssl cms -verify -binary -inform DER -in {file} -content {content}"
        f" -certfile {key}.crt -CAfile {trusted or key}.crt -purpose any -no_check_time",
    )


def envelope(
    name: str, cipher: str, options: str = "", *, key: str = "ours-rsa", content: str = "part", others: str = ""
) -> Vector:
    """An envelope; `options` are of the recipient, `others` stand before it."""
    file = f"encrypt-{name}.der"
    return Vector(
        file=file,
        kind="envelope",
        content=content,
        key=key,
        algorithm=cipher,
        made=f"openssl cms -encrypt -binary -{'des3' if cipher == '3des-cbc' else cipher} -in {content} -outform DER"
        f"{others} -recip {key}.crt{options} -out {file}",
        verified=f"openssl cms -decrypt -binary -inform DER -in {file} -recip {key}.crt -inkey {key}.pem",
    )


def signatures() -> Iterator[Vector]:
    """Sign x hash x scheme, and the ways a signer is named."""
    for name in HASHES:
        yield signature(f"rsa-pkcs1-{name}", name)
        yield signature(f"rsa-pss-{name}", name, " -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:digest")
        yield signature(f"pss-key-{name}", name, " -keyopt rsa_padding_mode:pss", key="acme-pss")
        for curve in ELLIPTIC:
            yield signature(f"{curve}-{name}", name, key=f"acme-{curve}")
    for name in WEAK:
        yield signature(f"rsa-pkcs1-{name}", name)
    yield signature("p256-sha-1", "sha-1", key="acme-p256")
    yield signature("rsa-pss-salt-20", "sha-256", " -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20")
    yield signature("keyid", "sha-256", " -keyid")
    yield signature("p256-keyid", "sha-256", " -keyid", key="acme-p256")
    yield signature("nocerts", "sha-256", " -nocerts")
    yield signature("nosmimecap", "sha-256", " -nosmimecap")
    yield signature("indefinite-length", "sha-256", " -stream")
    others = "".join(f" -signer acme-{kind}.crt -inkey acme-{kind}.pem" for kind in ("p256", "p521"))
    yield signature("several-signers", "sha-256", others, trusted="acme-all")
    yield signature("compressed", "sha-256", content="compressed-part")


def envelopes() -> Iterator[Vector]:
    """Cipher x transport or agreement, and the ways a recipient is named."""
    for cipher in (*AES, "3des-cbc"):
        yield envelope(f"rsa-pkcs1-{cipher}", cipher)
        yield envelope(f"rsa-oaep-sha-256-{cipher}", cipher, f" {OAEP} -keyopt rsa_oaep_md:sha256")
        for curve in ELLIPTIC:
            wrap = " -aes128-wrap" if cipher == "3des-cbc" else ""
            yield envelope(f"{curve}-{cipher}", cipher, " -keyopt ecdh_kdf_md:sha256", key=f"ours-{curve}", others=wrap)
        yield envelope(f"indefinite-length-{cipher}", cipher, others=" -stream")
    yield envelope("rsa-oaep-sha-1", "aes-256-cbc", f" {OAEP}")
    yield envelope("rsa-oaep-sha-384", "aes-256-cbc", f" {OAEP} -keyopt rsa_oaep_md:sha384")
    yield envelope("rsa-oaep-sha-512", "aes-256-cbc", f" {OAEP} -keyopt rsa_oaep_md:sha512")
    yield envelope(
        "rsa-oaep-sha-256-mask-sha-1", "aes-256-cbc", f" {OAEP} -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha1"
    )
    for name in ("sha1", "sha384", "sha512"):
        for curve in ELLIPTIC:
            yield envelope(f"{curve}-kdf-{name}", "aes-256-cbc", f" -keyopt ecdh_kdf_md:{name}", key=f"ours-{curve}")
    for wrap in ("128", "192", "256"):
        yield envelope(f"p256-wrap-{wrap}", "aes-192-cbc", key="ours-p256", others=f" -aes{wrap}-wrap")
    yield envelope("rsa-keyid", "aes-256-cbc", others=" -keyid")
    yield envelope("p256-keyid", "aes-256-cbc", key="ours-p256", others=" -keyid")
    every = " -recip acme-rsa.crt -recip acme-p256.crt -recip ours-p521.crt -recip ours-p384.crt"
    yield envelope("several-rsa", "aes-128-cbc", others=every)
    yield envelope("several-p256", "aes-256-gcm", key="ours-p256", others=f"{every} -recip ours-rsa.crt")
    yield envelope("several-keyid", "aes-256-cbc", key="ours-p256", others=f" -keyid{every} -recip ours-rsa.crt")
    for content in ("signed-part", "compressed-part", "compressed-signed-part", "signed-compressed-part"):
        yield envelope(content, "aes-256-cbc", content=content)


VECTORS = (*signatures(), *envelopes())


def run(command: str, folder: Path = FOLDER) -> bytes:
    """Run a command of the table; its standard output. Raises CalledProcessError."""
    return subprocess.run(shlex.split(command), cwd=folder, capture_output=True, check=True, timeout=30).stdout


LABEL = "published, protects nothing, never to be trusted"


def make_keys() -> None:
    """Certificates for as long as they may be needed."""
    for who in ("acme", "ours"):
        for kind, options in KEYS.items():
            if (who, kind) != ("ours", "pss"):
                name = f"{who}-{kind}"
                subject = shlex.quote(f"/O=TEST VECTORS ONLY/CN={name}")
                run(
                    f"openssl req -x509 {options} -nodes -sha256 -days {DAYS} -subj {subject}"
                    f" -keyout {name}.pem -out {name}.crt"
                )
                key = FOLDER / f"{name}.pem"
                key.write_text(f"TEST KEY of tests/as2/vectors: {LABEL}\n{key.read_text()}")
    every = b"".join((FOLDER / f"acme-{kind}.crt").read_bytes() for kind in KEYS)
    (FOLDER / "acme-all.crt").write_bytes(every)


def compressed(entity: bytes) -> bytes:
    """An entity that is another one, compressed (RFC 3274, RFC 5402)."""
    octets = der.tlv(0xA0, der.tlv(4, zlib.compress(entity, 9)))
    content = der.sequence(der.identifier(cms.DATA), octets)
    structure = der.sequence(der.integer(0), der.sequence(der.identifier(ZLIB)), content)
    head = (
        b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    return head + base64.encodebytes(cms.frame(cms.COMPRESSED_DATA, [structure])).replace(b"\n", b"\r\n")


def signed(entity: bytes, file: str) -> bytes:
    """A multipart/signed around an entity and its signature."""
    head = (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b0"\r\n\r\n'
    )
    attached = b"Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    attached += base64.encodebytes((FOLDER / file).read_bytes()).replace(b"\n", b"\r\n")
    return head + b"--b0\r\n" + entity + b"\r\n--b0\r\n" + attached + b"--b0--\r\n"


def main() -> None:
    """Everything, in the order in which one file needs another."""
    make_keys()
    (FOLDER / "part").write_bytes(PART)
    (FOLDER / "compressed-part").write_bytes(compressed(PART))
    for vector in signatures():
        run(vector.made)
    signed_part = signed(PART, "sign-rsa-pkcs1-sha-256.p7s")
    (FOLDER / "signed-part").write_bytes(signed_part)
    (FOLDER / "compressed-signed-part").write_bytes(compressed(signed_part))
    (FOLDER / "signed-compressed-part").write_bytes(signed(compressed(PART), "sign-compressed.p7s"))
    for vector in envelopes():
        run(vector.made)
    with (FOLDER / "vectors.tsv").open("w", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Vector)], delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(vector) for vector in VECTORS)


if __name__ == "__main__":
    main()
