"""Private keys never lie about in the clear, are never replaced by accident, and fail to load with a plain sentence."""

from __future__ import annotations

import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.as2 import KeyPair
from gateway.errors import OurFault
from gateway.partners.certificate_facts import weakness
from gateway.partners.keys import (
    AS2_KEY,
    PUBLIC_SEAL_KEY,
    SEAL_KEY,
    create_keys,
    load_as2_key_pair,
    load_certificate,
    load_certificates,
    load_public_seal_key,
    load_seal_key,
    publish_seal_key,
    write_certificate,
    write_private_key,
)
from gateway.settings import Identity, Secret, Settings, X12Identity

from .conftest import NOW

SETTINGS = Settings(
    identity=Identity(name="Example", as2_id="EXAMPLE-AS2", x12=X12Identity(qualifier="ZZ", id="EXAMPLE")),
    passphrase=Secret(file="keys/passphrase"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with fresh keys."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/passphrase").write_text("correct horse\n")
    create_keys(tmp_path, SETTINGS, now=NOW, days=30, bits=2048)
    return tmp_path


def test_made_keys_load_again(folder: Path) -> None:
    """Certificate and key belong together; the seal key is Ed25519."""
    pair = load_as2_key_pair(folder, SETTINGS)
    assert pair.certificate.public_key() == pair.private_key.public_key()
    assert isinstance(pair.private_key, rsa.RSAPrivateKey)
    assert pair.private_key.key_size == 2048
    assert isinstance(load_seal_key(folder, SETTINGS), Ed25519PrivateKey)


def test_the_certificate_is_fit_for_as2(key_pair: KeyPair) -> None:
    """It signs and it encrypts keys, and it is no authority."""
    certificate = key_pair.certificate
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_encipherment
    assert not usage.key_cert_sign
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.not_valid_after_utc == NOW + timedelta(days=365)
    assert certificate.subject == certificate.issuer
    assert weakness(certificate) is None


@pytest.mark.parametrize("file", [AS2_KEY, SEAL_KEY])
def test_keys_at_rest_are_encrypted_and_private(folder: Path, file: str) -> None:
    """openssl, a witness of its own, opens them with the passphrase only."""
    path = folder / file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    command = ["openssl", "pkey", "-noout", "-in", str(path), "-passin"]
    assert subprocess.run([*command, "pass:correct horse"], check=False, capture_output=True).returncode == 0
    assert subprocess.run([*command, "pass:wrong"], check=False, capture_output=True).returncode != 0


def test_existing_keys_are_kept(folder: Path) -> None:
    """Making keys again makes only what is missing."""
    before = (folder / AS2_KEY).read_bytes()
    assert create_keys(folder, SETTINGS, now=NOW) == ()
    (folder / SEAL_KEY).unlink()
    (folder / PUBLIC_SEAL_KEY).unlink()
    assert create_keys(folder, SETTINGS, now=NOW) == (folder / SEAL_KEY, folder / PUBLIC_SEAL_KEY)
    with pytest.raises(OurFault, match="is there already"):
        write_private_key(folder / AS2_KEY, Ed25519PrivateKey.generate(), "x")
    assert (folder / AS2_KEY).read_bytes() == before
    assert sorted(path.name for path in (folder / "keys").iterdir()) == [
        "gateway.key",
        "passphrase",
        "seal.key",
        "seal.pub",
    ]


def test_half_a_key_pair_is_not_completed(folder: Path) -> None:
    """A new certificate for an old key, or the reverse, would lock our partners out."""
    (folder / "certs/gateway.pem").unlink()
    with pytest.raises(OurFault, match=r"gateway\.pem is not"):
        create_keys(folder, SETTINGS, now=NOW)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("keys/passphrase", "wrong\n", "wrong passphrase"),
        ("keys/passphrase", None, "secret file"),
        (AS2_KEY, None, "No such file"),
        (AS2_KEY, "nonsense", "not a private key"),
        (AS2_KEY, "x" * 200_000, "larger than"),
        ("certs/gateway.pem", None, "No such file"),
        ("certs/gateway.pem", "nonsense", "no readable PEM certificate"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_plainly(folder: Path, file: str, content: str | None, message: str) -> None:
    """With a remedy, without a traceback and without the passphrase."""
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    with pytest.raises(OurFault, match=message) as caught:
        load_as2_key_pair(folder, SETTINGS)
    assert caught.value.remedy
    assert "correct horse" not in str(caught.value)


def test_an_unencrypted_key_is_refused(folder: Path) -> None:
    """The remedy names the command that encrypts it."""
    subprocess.run(["openssl", "genrsa", "-out", str(folder / AS2_KEY), "2048"], check=True, capture_output=True)
    with pytest.raises(OurFault, match="not encrypted"):
        load_as2_key_pair(folder, SETTINGS)


def test_keys_that_do_not_belong_together_are_refused(folder: Path, key_pair: KeyPair) -> None:
    """A certificate of another key; a key of another kind."""
    write_certificate(folder / "certs/gateway.pem", key_pair.certificate, overwrite=True)
    with pytest.raises(OurFault, match="does not belong to"):
        load_as2_key_pair(folder, SETTINGS)
    write_private_key(folder / AS2_KEY, load_seal_key(folder, SETTINGS), "correct horse", overwrite=True)
    with pytest.raises(OurFault, match="neither an RSA nor an EC key"):
        load_as2_key_pair(folder, SETTINGS)
    write_private_key(folder / SEAL_KEY, key_pair.private_key, "correct horse", overwrite=True)
    with pytest.raises(OurFault, match="not an Ed25519 key"):
        load_seal_key(folder, SETTINGS)


def test_a_partners_certificates_load_in_order(folder: Path, key_pair: KeyPair) -> None:
    """The first one encrypts."""
    write_certificate(folder / "certs/new.pem", key_pair.certificate)
    loaded = load_certificates(folder, ("certs/new.pem", "certs/gateway.pem"))
    assert loaded == (key_pair.certificate, load_certificate(folder / "certs/gateway.pem"))


@pytest.mark.parametrize(("kind", "fit"), [("rsa1024", False), ("ec", True), ("ed25519", False)])
def test_a_weak_or_unfit_partner_key_is_noticed(key_pair: KeyPair, kind: str, *, fit: bool) -> None:
    """Ed25519 cannot encrypt for AS2; short RSA keys are broken."""
    keys = {
        "rsa1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505  the weak key is the point
        "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ed25519": Ed25519PrivateKey.generate,
    }
    public = keys[kind]().public_key()
    from_ours = key_pair.certificate
    certificate = (
        x509.CertificateBuilder()
        .subject_name(from_ours.subject)
        .issuer_name(from_ours.subject)
        .public_key(public)
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key_pair.private_key, from_ours.signature_hash_algorithm)
    )
    assert (weakness(certificate) is None) is fit


@pytest.mark.parametrize("passphrase", ["", "x" * 1001])
def test_a_passphrase_that_does_not_protect_is_refused(tmp_path: Path, passphrase: str) -> None:
    """Nothing is written."""
    with pytest.raises(OurFault, match="empty or too long"):
        write_private_key(tmp_path / "a.key", Ed25519PrivateKey.generate(), passphrase)
    assert not (tmp_path / "a.key").exists()


def test_the_public_seal_key_needs_no_passphrase(folder: Path) -> None:
    """An auditor reads it as it is; one that belongs to another key stops the start."""
    key = load_seal_key(folder, SETTINGS)
    assert load_public_seal_key(folder) == key.public_key()
    publish_seal_key(folder, key)
    with pytest.raises(OurFault, match="does not belong"):
        publish_seal_key(folder, Ed25519PrivateKey.generate())
    (folder / PUBLIC_SEAL_KEY).write_bytes(b"x")
    with pytest.raises(OurFault, match="not an Ed25519"):
        load_public_seal_key(folder)
    (folder / PUBLIC_SEAL_KEY).unlink()
    publish_seal_key(folder, key)
    assert load_public_seal_key(folder) == key.public_key()
