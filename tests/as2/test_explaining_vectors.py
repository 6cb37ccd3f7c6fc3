"""What is said of messages that `openssl cms` made: each by the algorithms that its name says (vectors/README.md)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.as2 import CIPHERS, HASHES, KeyPair, Policy, anatomy, cms
from gateway.as2.explaining import Sight, explain

VECTORS = Path(__file__).parent / "vectors"
HEADERS = (
    ("AS2-From", "acme"),
    ("AS2-To", "us"),
    ("Message-ID", "<1@acme>"),
    ("Content-Type", "application/pkcs7-mime"),
)
ANYTHING = Policy(
    require_signature=False, require_encryption=False, hashes=frozenset(HASHES), ciphers=frozenset(CIPHERS)
)
CIPHER = re.compile(r"(aes-\d+-(cbc|gcm)|3des-cbc)$")
HASH = re.compile(r"(sha-\d+|md5)$")


@lru_cache
def ours() -> tuple[KeyPair, ...]:
    """Every key that a vector was made for."""
    pairs = []
    for file in sorted(VECTORS.glob("ours-*.pem")):
        key = load_pem_private_key(file.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        certificate = x509.load_pem_x509_certificate(file.with_suffix(".crt").read_bytes())
        pairs.append(KeyPair(private_key=key, certificate=certificate))
    return tuple(pairs)


@pytest.mark.parametrize("file", sorted(VECTORS.glob("encrypt-*.der")), ids=lambda file: file.stem)
def test_an_envelope_names_its_cipher_and_whose_key_opens_it(file: Path) -> None:
    """RSA and ECDH, by issuer and by key identifier, of definite and indefinite length."""
    sight = Sight(keys=ours(), certificates=(), policy=ANYTHING, moment=datetime.now(UTC))
    found = explain(HEADERS, file.read_bytes(), sight)
    assert found.taken is not False, found.sentence
    layer = next(one for one in found.layers if one.title.startswith("encrypted"))
    rows = [value for name, value in layer.facts if name == "for"]
    transport = "ecdh" if re.match(r"encrypt-p\d", file.stem) else "rsa"
    assert any("which is our key of" in row and transport in row for row in rows), rows
    oaep = re.search(r"oaep-(sha-\d+)", file.stem)
    assert oaep is None or f"rsa-oaep-{oaep[1]}" in rows[0]
    cipher = CIPHER.search(file.stem)
    assert cipher is None or dict(layer.facts)["cipher"] == cipher[1]


@pytest.mark.parametrize("file", sorted(VECTORS.glob("sign-*.p7s")), ids=lambda file: file.stem)
def test_a_signature_names_its_hash_and_scheme(file: Path) -> None:
    """PKCS#1, PSS and ECDSA, with the certificates that came along and when it was signed."""
    content_type, structure = cms.open_frame(file.read_bytes())
    assert content_type == cms.SIGNED_DATA
    seen = anatomy.signature(structure, ())
    signer = seen.signers[0]
    scheme = "rsa-pss" if "pss" in file.stem else "ecdsa" if re.search(r"-p\d|several", file.stem) else "rsa-pkcs1-v1.5"
    assert signer.scheme == scheme
    said = HASH.search(file.stem)
    assert signer.hash == (said[1] if said else "sha-256")
    assert signer.digest is not None
    assert signer.signing_time is not None
    assert bool(seen.certificates) is ("nocerts" not in file.stem)
