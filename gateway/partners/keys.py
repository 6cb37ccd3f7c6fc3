"""Keys and certificates: our AS2 key pair, the key that seals the audit trail, our partners' certificates.

Private keys are PKCS#8, encrypted with the workspace's passphrase, mode 0600, written atomically and never replaced
unless told to. Loading says in one sentence what is wrong and what to do; a passphrase never stands in a message.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.as2 import KeyPair
from gateway.as2.certificates import identity
from gateway.errors import OurFault
from gateway.partners.certificate_making import KINDS, self_signed
from gateway.settings import Settings

AS2_KEY = "keys/gateway.key"
SEAL_KEY = "keys/seal.key"
PUBLIC_SEAL_KEY = "keys/seal.pub"
MAX_PEM_BYTES = 100_000
MAX_PASSPHRASE_BYTES = 1000
"""OpenSSL reads at most 1,023 bytes."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey


def new_as2_key_pair(
    *, company: str, as2_id: str, now: datetime, days: int = 1095, bits: Literal[2048, 3072] = 3072
) -> KeyPair:
    """A fresh RSA key with a self-signed certificate valid from an hour before `now` for `days`."""
    return self_signed(KINDS[f"rsa-{bits}"](), company=company, as2_id=as2_id, now=now, days=days)


def create_keys(
    folder: Path, settings: Settings, *, now: datetime, days: int = 1095, bits: Literal[2048, 3072] = 3072
) -> tuple[Path, ...]:
    """Make whatever of AS2 key, certificate and seal key the workspace lacks; the files written.

    A key without its certificate, or the reverse, is never replaced: OurFault.
    """
    passphrase = settings.passphrase.read(folder)
    key_path, certificate_path = folder / AS2_KEY, folder / settings.identity.certificate
    written: list[Path] = []
    if key_path.exists() != certificate_path.exists():
        there, absent = (key_path, certificate_path) if key_path.exists() else (certificate_path, key_path)
        raise OurFault(f"{there} is there, {absent} is not", remedy="restore the missing file, or move both away")
    if not key_path.exists():
        pair = new_as2_key_pair(
            company=settings.identity.name, as2_id=settings.identity.as2_id, now=now, days=days, bits=bits
        )
        write_private_key(key_path, pair.private_key, passphrase)
        write_certificate(certificate_path, pair.certificate)
        written += [key_path, certificate_path]
    if not (folder / SEAL_KEY).exists():
        seal_key = Ed25519PrivateKey.generate()
        write_private_key(folder / SEAL_KEY, seal_key, passphrase)
        publish_seal_key(folder, seal_key)
        written += [folder / SEAL_KEY, folder / PUBLIC_SEAL_KEY]
    return tuple(written)


def publish_seal_key(folder: Path, key: Ed25519PrivateKey) -> None:
    """Store the public half of the seal key, so that verifying the trail needs no passphrase.

    One that is there already and is another key's is OurFault: it was exchanged, or the seal key was.
    """
    path = folder / PUBLIC_SEAL_KEY
    public = key.public_key()
    if path.exists():
        if load_public_seal_key(folder) != public:
            raise OurFault(
                f"{path} does not belong to {folder / SEAL_KEY}",
                remedy="restore the right one; remove seal.pub if the seal key was replaced on purpose",
            )
        return
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_file(path, pem, mode=0o644)


def load_public_seal_key(folder: Path) -> Ed25519PublicKey:
    """The key that verifies the seals; OurFault when it is missing or no Ed25519 key."""
    path = folder / PUBLIC_SEAL_KEY
    pem = _read(path, remedy="gateway serve writes it when it starts")
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise OurFault(f"{path} is not an Ed25519 public key", remedy="remove it: gateway serve writes it anew")
    return key


def write_private_key(path: Path, key: PrivateKey, passphrase: str, *, overwrite: bool = False) -> None:
    """Store `key` encrypted. An existing file is OurFault unless `overwrite`."""
    secret = passphrase.encode()
    if not 1 <= len(secret) <= MAX_PASSPHRASE_BYTES:
        raise OurFault("the passphrase is empty or too long", remedy=f"use 1 to {MAX_PASSPHRASE_BYTES} bytes")
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(secret),
    )
    write_file(path, pem, mode=0o600, overwrite=overwrite)


def write_certificate(path: Path, certificate: x509.Certificate, *, overwrite: bool = False) -> None:
    """Store `certificate` as PEM, readable by all. An existing file is OurFault unless `overwrite`."""
    write_file(path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644, overwrite=overwrite)


def write_file(path: Path, content: bytes, *, mode: int, overwrite: bool = False) -> None:
    """All of `content` under `path` or nothing: written beside it, synced, then linked into place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            if overwrite:
                Path(temporary).replace(path)
            else:
                os.link(temporary, path)  # unlike a rename, a link never replaces
        finally:
            Path(temporary).unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        raise OurFault(f"{path} is there already", remedy="move it away first; keys are never replaced") from None
    except OSError as error:
        raise OurFault(f"cannot write {path}: {error.strerror}", remedy="check the folder's permissions") from error


def load_as2_key_pair(folder: Path, settings: Settings) -> KeyPair:
    """Our first key and certificate; OurFault when either is missing, unreadable, or they do not belong together."""
    return load_pair(folder / AS2_KEY, folder / settings.identity.certificate, settings.passphrase.read(folder))


def workspace_passphrase(folder: Path, settings: Settings) -> str:
    """The passphrase for a further key; OurFault when it does not open the first: a workspace has one."""
    passphrase = settings.passphrase.read(folder)
    if (folder / AS2_KEY).exists():
        load_private_key(folder / AS2_KEY, passphrase)
    return passphrase


def load_pair(key_path: Path, certificate_path: Path, passphrase: str) -> KeyPair:
    """A key and its certificate; OurFault when either is missing, unreadable, or they do not belong together."""
    key = load_private_key(key_path, passphrase)
    certificate = load_certificate(certificate_path)
    if identity(certificate).key_fault is not None or certificate.public_key() != key.public_key():
        raise OurFault(
            f"{certificate_path} does not belong to {key_path}",
            remedy="put the certificate that was made for this key there",
        )
    return KeyPair(private_key=key, certificate=certificate)


def load_private_key(path: Path, passphrase: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """A private key for AS2; OurFault when it is missing, does not open, or is of another kind."""
    key = _load_private_key(path, passphrase)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise OurFault(f"{path} is neither an RSA nor an EC key", remedy="AS2 needs one of these; see gateway init")
    return key


def load_seal_key(folder: Path, settings: Settings) -> Ed25519PrivateKey:
    """The key that seals the audit trail; OurFault when it is missing or cannot be read."""
    key = _load_private_key(folder / SEAL_KEY, settings.passphrase.read(folder))
    if not isinstance(key, Ed25519PrivateKey):
        raise OurFault(f"{folder / SEAL_KEY} is not an Ed25519 key", remedy="restore the seal key from a backup")
    return key


def _load_private_key(path: Path, passphrase: str) -> object:
    pem = _read(path, remedy="make it with gateway init --keys-only, or restore it from a backup")
    try:
        return serialization.load_pem_private_key(pem, passphrase.encode())
    except TypeError:
        raise OurFault(f"{path} is not encrypted", remedy="encrypt it: openssl pkcs8 -topk8 -v2 aes256") from None
    except (ValueError, UnsupportedAlgorithm):
        raise OurFault(
            f"{path} does not open: wrong passphrase, or not a private key",
            remedy="check the passphrase named in gateway.yaml",
        ) from None


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file; OurFault when there is none."""
    pem = _read(path, remedy="put the certificate there as a PEM file")
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        identity(certificate)  # all of it, its extensions too: what cannot be read is told here and not in an exchange
    except (ValueError, x509.InvalidVersion):
        remedy = "store it as PEM; from DER: openssl x509 -inform DER -in FILE -out FILE.pem"
        raise OurFault(f"{path} holds no readable PEM certificate", remedy=remedy) from None
    except OurFault as fault:
        raise OurFault(f"{path}: {fault}", remedy=fault.remedy) from None
    return certificate


def load_certificates(folder: Path, files: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    """A partner's certificates, in the order of the agreement."""
    return tuple(load_certificate(folder / file) for file in files)


def _read(path: Path, *, remedy: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PEM_BYTES + 1)
    except OSError as error:
        raise OurFault(f"{path}: {error.strerror}", remedy=remedy) from error
    if len(content) > MAX_PEM_BYTES:
        raise OurFault(f"{path} is larger than {MAX_PEM_BYTES} bytes", remedy="that is no key or certificate")
    return content
