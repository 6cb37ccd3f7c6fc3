"""The committed vectors: we open each, `openssl` verifies each, and its command makes one that we open too.

One table, `vectors/vectors.tsv`, read in three ways. Compressed layers are checked with zlib beside it.
"""

from __future__ import annotations

import csv
import runpy
import shlex
import shutil
import subprocess
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.as2 import CIPHERS, HASHES, KeyPair, Opened, Policy, cms, open_message
from gateway.as2.mime import entity

FOLDER = Path(__file__).parent / "vectors"
with (FOLDER / "vectors.tsv").open(newline="") as file:
    VECTORS = list(csv.DictReader(file, delimiter="\t"))
ENTITIES = {"part", "compressed-part", "signed-part", "compressed-signed-part", "signed-compressed-part"}
HTTP = (("AS2-From", "acme"), ("AS2-To", "us"), ("Message-ID", "<1@acme>"))
ENVELOPED = (*HTTP, ("Content-Type", "application/pkcs7-mime; smime-type=enveloped-data"))
SIGNED = (*HTTP, ("Content-Type", 'multipart/signed; boundary="v"'))
PAYLOAD = (FOLDER / "part").read_bytes().partition(b"\r\n\r\n")[2]

rows = pytest.mark.parametrize("row", VECTORS, ids=[row["file"] for row in VECTORS])
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")


def certificate(name: str) -> x509.Certificate:
    """A certificate of the folder."""
    return x509.load_pem_x509_certificate((FOLDER / f"{name}.crt").read_bytes())


@pytest.fixture(scope="session")
def ours() -> list[KeyPair]:
    """All keys of ours in the folder."""
    found = []
    for path in sorted(FOLDER.glob("ours-*.pem")):
        key: Any = load_pem_private_key(path.read_bytes(), None)
        found.append(KeyPair(private_key=key, certificate=certificate(path.stem)))
    return found


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder's keys and entities, where commands may write."""
    folder = tmp_path_factory.mktemp("vectors")
    for path in (*FOLDER.glob("*.pem"), *FOLDER.glob("*.crt"), *(FOLDER / name for name in ENTITIES)):
        shutil.copy(path, folder)
    return folder


def opened(row: dict[str, str], octets: bytes, keys: list[KeyPair]) -> Opened:
    """One file as a message: decrypted with the one key it is for, or verified with the one that made it."""
    everything = {"hashes": frozenset(HASHES), "ciphers": frozenset(CIPHERS)}
    if row["kind"] == "envelope":
        mine = [pair for pair in keys if pair.certificate == certificate(row["key"])]
        return open_message(
            ENVELOPED,
            octets,
            keys=mine,
            partner_certificates=[certificate("acme-rsa")],
            policy=Policy(require_signature=False, **everything),
        )
    content = (FOLDER / row["content"]).read_bytes()
    attached = b"\r\n--v\r\nContent-Type: application/pkcs7-signature\r\n\r\n" + octets + b"\r\n--v--\r\n"
    return open_message(
        SIGNED,
        b"--v\r\n" + content + attached,
        keys=(),
        partner_certificates=[certificate(row["key"])],
        policy=Policy(require_encryption=False, **everything),
    )


def check(row: dict[str, str], octets: bytes, keys: list[KeyPair]) -> None:
    """The payload, its name, and the layers and algorithms the table says."""
    found = opened(row, octets, keys)
    assert (found.payload, found.filename) == (PAYLOAD, "vector.edi")
    assert (found.cipher if row["kind"] == "envelope" else found.signature_hash) == row["algorithm"]
    assert found.compressed == ("compressed" in row["content"])
    assert (found.signed_by is not None) == (row["kind"] == "signature" or "signed" in row["content"])


def openssl(command: str, folder: Path) -> bytes:
    """Run a command of the table there; its standard output."""
    done = subprocess.run(shlex.split(command), cwd=folder, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@rows
def test_we_open_every_vector(ours: list[KeyPair], row: dict[str, str]) -> None:
    """As it lies in the folder."""
    check(row, (FOLDER / row["file"]).read_bytes(), ours)


@needs_openssl
@rows
def test_openssl_verifies_every_vector(row: dict[str, str]) -> None:
    """By the command in the table: what comes out is the entity that went in."""
    assert openssl(row["verified"], FOLDER) == (FOLDER / row["content"]).read_bytes()


@needs_openssl
@rows
def test_the_command_of_the_table_makes_one_that_we_open(
    ours: list[KeyPair], workshop: Path, row: dict[str, str]
) -> None:
    """With whatever version of openssl is here."""
    openssl(row["made"], workshop)
    check(row, (workshop / row["file"]).read_bytes(), ours)


@pytest.mark.parametrize("name", ["compressed-part", "compressed-signed-part"])
def test_zlib_inflates_the_compressed_entities(name: str) -> None:
    """The octets inside are plain zlib, and what comes out is the entity (RFC 3274 section 2)."""
    whole = (FOLDER / name).read_bytes()
    structure = cms.open_frame(entity(whole).decoded())[1]
    inside = structure.parts[2].parts[1].parts[0].joined()
    assert zlib.decompress(inside) == (FOLDER / name.removeprefix("compressed-")).read_bytes()


def test_the_table_is_the_one_that_makes_the_files() -> None:
    """Nothing in the folder is without its row, and no row without its file."""
    made = runpy.run_path(str(FOLDER / "make.py"))["VECTORS"]
    assert [asdict(vector) for vector in made] == VECTORS
    files = {path.name for path in FOLDER.iterdir() if path.suffix in {".p7s", ".der"}}
    assert files == {row["file"] for row in VECTORS}


def test_every_algorithm_that_is_sent_or_read_has_a_vector() -> None:
    """Each hash and each cipher of our tables."""
    for kind, table in (("signature", set(HASHES)), ("envelope", set(CIPHERS))):
        assert {row["algorithm"] for row in VECTORS if row["kind"] == kind} == table
