"""A captured AS2 message from files: headers, blank line, body; or both apart. Bounded as a request is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.as2 import KeyPair
from gateway.as2.certificates import PrivateKey, identity
from gateway.as2.mime import MAX_HEADER_OCTETS, MimeFault, fields
from gateway.cli.printable import printable
from gateway.errors import OurFault

MAX_FILE = 256 * 1024 * 1024
MAX_PEM = 1024 * 1024
_FIRST_LINE = re.compile(rb"(?:[A-Z]+ \S+ HTTP/[0-9.]+|HTTP/[0-9.]+ [0-9]{3}[^\r\n]*)\r?\n")
_BLANK = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_DER = 0x30

Headers = tuple[tuple[str, str], ...]


def captured(file: Path, headers: Path | None) -> tuple[Headers, bytes]:
    """Headers and body of a capture. OurFault when it cannot be one."""
    data = octets_of(file)
    if headers is not None:
        return _read(octets_of(headers), str(headers)), data
    start = _FIRST_LINE.match(data)
    at = start.end() if start else 0
    if data[:1] == bytes((_DER,)):  # the bare CMS structure
        return (("Content-Type", "application/pkcs7-mime"),), data
    blank = _BLANK.search(data, at, at + MAX_HEADER_OCTETS)
    if blank is None:
        raise OurFault(
            f"{printable(file)} has no headers: no blank line in its first {MAX_HEADER_OCTETS} bytes",
            remedy="put the HTTP headers and a blank line in front of the body, or give them with --headers FILE",
        )
    found, body = _read(data[at : blank.start()], str(file)), data[blank.end() :]
    in_chunks = any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in found)
    return found, (_joined(body) if in_chunks else None) or body


def _joined(body: bytes) -> bytes | None:
    """A body from the network without its chunk sizes (RFC 9112 7.1); None when it has none any more."""
    pieces: list[bytes] = []
    at = 0
    while (size := _CHUNK.match(body, at)) is not None:
        start, end = size.end(), size.end() + int(size[1], 16)
        if end == start:
            return b"".join(pieces)
        if body[end : end + 2] != b"\r\n":
            return None
        pieces.append(body[start:end])
        at = end + 2
    return None


def written(headers: Headers, body: bytes) -> bytes:
    """The capture of a message, as `captured` reads it."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1", "replace") + b"\r\n" + body


def octets_of(file: Path) -> bytes:
    """A file, or with - what comes in on stdin. OurFault when it cannot be read or is too large."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with file.open("rb") as handle:
                data = handle.read(MAX_FILE + 1)
    except OSError as error:
        raise OurFault(f"{printable(file)}: {error.strerror}", remedy="name a file that can be read") from error
    if len(data) > MAX_FILE:
        raise OurFault(f"{printable(file)} is larger than {MAX_FILE} bytes", remedy="that is more than is looked into")
    return data


def _read(text: bytes, where: str) -> Headers:
    start = _FIRST_LINE.match(text)
    try:
        return fields(text[start.end() if start else 0 :].decode("latin-1"))
    except MimeFault as fault:
        raise OurFault(
            f"the headers in {printable(where)} cannot be read: {fault}", remedy="one `Name: value` a line"
        ) from fault


def key_pairs(
    keys: list[Path], certificates: list[Path], passphrase: str | None
) -> tuple[list[KeyPair], list[x509.Certificate]]:
    """Our pairs and the other certificates, from PEM files: a certificate that fits a key is its pair's."""
    known = [one for file in certificates for one in _certificates(file)]
    pairs: list[KeyPair] = []
    for file in keys:
        key = _private_key(file, passphrase)
        inside = _certificates(file, needed=False)
        fitting = next((one for one in [*inside, *known] if _belongs(one, key)), None)
        if fitting is None:
            raise OurFault(
                f"no certificate fits the key in {printable(file)}", remedy="give its certificate with --cert"
            )
        pairs.append(KeyPair(private_key=key, certificate=fitting))
    ours = [pair.certificate for pair in pairs]
    return pairs, [one for one in known if one not in ours]


def _belongs(certificate: x509.Certificate, key: PrivateKey) -> bool:
    return identity(certificate).key_fault is None and certificate.public_key() == key.public_key()


def _private_key(file: Path, passphrase: str | None) -> PrivateKey:
    pem = _small(file)
    secret = passphrase.encode() if passphrase and b"ENCRYPTED" in pem else None
    try:
        key = serialization.load_pem_private_key(pem, secret)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise OurFault(
            f"{printable(file)} holds no private key that opens",
            remedy="a PEM file; when it is encrypted, put its passphrase into GATEWAY_PASSPHRASE",
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise OurFault(f"{printable(file)} is neither an RSA nor an EC key", remedy="AS2 needs one of these")
    return key


def _certificates(file: Path, *, needed: bool = True) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_small(file))
    except ValueError:
        if not needed:
            return []
        remedy = "store it as PEM; from DER: openssl x509 -inform DER -in FILE -out FILE.pem"
        raise OurFault(f"{printable(file)} holds no readable PEM certificate", remedy=remedy) from None


def _small(file: Path) -> bytes:
    content = octets_of(file)
    if len(content) > MAX_PEM:
        raise OurFault(f"{printable(file)} is larger than {MAX_PEM} bytes", remedy="that is no key or certificate")
    return content
