"""Encrypted content: EnvelopedData (RFC 5652 section 6, RFC 3565) and AuthEnvelopedData (RFC 5083, RFC 5084).

Law: whoever sends variants of a message learns nothing from how they fail. A session key that does not come out right
is replaced by a random one, and bad CBC padding does not end the work: the plaintext goes on to the next layer with
`sound=False`, and whoever opened the message refuses it at the end. All failures here share one public text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import (
    AEADEncryptionContext,
    Cipher,
    CipherAlgorithm,
    CipherContext,
    algorithms,
    modes,
)

from gateway.as2 import ber, cms, der
from gateway.as2.algorithms import CIPHER_BY_OID, CipherSuite, Mode
from gateway.as2.certificates import KeyPair
from gateway.as2.faults import As2Fault, Refusal
from gateway.as2.octets import Octets, Spool, Stretch, flat, gathered
from gateway.as2.recipients import KeyTransport, failed, recipient_infos, session_key
from gateway.errors import OurFault

_ENCRYPTED_CONTENT = 0x80
_AUTHENTICATED_ATTRIBUTES = 0xA1
_GCM_NONCE = 12
_GCM_TAG = 16
_GCM_DEFAULT_TAG = 12
"""RFC 5084 3.2: aes-ICVlen DEFAULT 12."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decrypted:
    """What came out: `data[:end]`. When not `sound` it is to be treated like any content, and refused at last."""

    data: bytes | Stretch
    end: int
    sound: bool
    cipher: str
    recipient: x509.Certificate | None = None
    """Ours that it was encrypted for."""


def decrypt(
    content_type: bytes,
    structure: ber.Element,
    *,
    keys: Sequence[KeyPair],
    accepted: frozenset[str],
    spool: Spool | None = None,
) -> Decrypted:
    """Open an envelope with whichever of our keys it was made for. Raises As2Fault, BerFault."""
    found: Sequence[ber.Element] = [
        field for field in cms.fields(structure, 3)[1:] if field.tag != cms.EXPLICIT_0
    ]  # no originatorInfo
    if len(found) < 2:  # noqa: PLR2004  recipients and content
        raise ber.BerFault("an envelope without content")
    encrypted = cms.fields(found[1], 3)
    identifier, parameters = cms.algorithm(encrypted[1])
    suite = CIPHER_BY_OID.get(identifier)
    authenticated = content_type == cms.AUTH_ENVELOPED_DATA
    if suite is None or suite.name not in accepted or authenticated != (suite.mode is Mode.GCM):
        name = suite.name if suite else f"cipher {identifier.hex()}"
        raise As2Fault(f"{name} is not accepted from this partner", refusal=Refusal.INSUFFICIENT_SECURITY)
    if encrypted[2].tag & ~0x20 != _ENCRYPTED_CONTENT or parameters is None:
        raise ber.BerFault("an envelope without content")
    recipient, key = session_key(found[0].expect(ber.SET).parts, keys, suite.key_length)
    pieces = list(encrypted[2].octets())
    if suite.mode is Mode.GCM:
        cipher = _gcm(key, parameters, found[2:])
        try:
            # What goes into a scratch is looked at by nobody until the tag has been found right.
            plain = gathered(_through(cipher, pieces), spool)
        except InvalidTag:
            raise failed("the authentication tag does not match: wrong key, or changed on the way") from None
        return Decrypted(data=plain, end=len(plain), sound=True, cipher=suite.name, recipient=recipient)
    plain, end, sound = _decrypt_cbc(suite, key, parameters, pieces, spool)
    return Decrypted(data=plain, end=end, sound=sound, cipher=suite.name, recipient=recipient)


def _block_cipher(suite: CipherSuite, key: bytes) -> CipherAlgorithm:
    return algorithms.AES(key) if suite.sendable else TripleDES(key)


def _decrypt_cbc(
    suite: CipherSuite, key: bytes, parameters: ber.Element, pieces: list[Octets], spool: Spool | None
) -> tuple[bytes | Stretch, int, bool]:
    """What came out, where its padding begins, and whether there is any.

    RFC 5652 6.3: the last octet says how many octets of padding there are, each of that value.
    """
    vector = bytes(parameters.joined())
    size = sum(map(len, pieces))
    if len(vector) != suite.block or size == 0 or size % suite.block:
        raise failed(f"{size} octets are not whole blocks of {suite.name}")
    cipher = Cipher(_block_cipher(suite, key), modes.CBC(vector)).decryptor()  # noqa: S304, RUF100  a partner switch
    plain = gathered(_through(cipher, pieces), spool)
    last = bytes(plain[size - suite.block : size])
    count = last[-1]
    sound = 1 <= count <= suite.block and last[-count:] == bytes((count,)) * count
    return plain, size - count if sound else size, sound


def _through(cipher: CipherContext, pieces: Sequence[Octets]) -> Iterator[bytes]:
    for piece in flat(pieces):
        yield cipher.update(piece)
    yield cipher.finalize()


def _gcm(key: bytes, parameters: ber.Element, rest: Sequence[ber.Element]) -> CipherContext:
    """RFC 5083 2.1, 2.2: the tag covers the content and the authenticated attributes, as a SET."""
    arguments = cms.fields(parameters, 1)
    nonce = bytes(arguments[0].expect(ber.OCTET_STRING).joined())
    length = arguments[1].integer() if len(arguments) > 1 else _GCM_DEFAULT_TAG
    attributes = next((field for field in rest if field.tag == _AUTHENTICATED_ATTRIBUTES), None)
    tag = next((bytes(field.joined()) for field in rest if field.tag & ~0x20 == ber.OCTET_STRING), b"")
    if len(tag) != length or not _GCM_DEFAULT_TAG <= length <= _GCM_TAG or not 8 <= len(nonce) <= 64:  # noqa: PLR2004
        raise failed("impossible GCM parameters")
    cipher = Cipher(algorithms.AES(key), modes.GCM(nonce, tag, min_tag_length=_GCM_DEFAULT_TAG)).decryptor()
    if attributes is not None:
        cipher.authenticate_additional_data(der.set_of([bytes(one.whole) for one in attributes.parts]))
    return cipher


def encrypt(
    pieces: Sequence[Octets],
    *,
    recipients: Sequence[x509.Certificate],
    suite: CipherSuite,
    transport: KeyTransport,
) -> bytes:
    """An envelope for every recipient, as one. Raises as `encrypted` does."""
    return b"".join(encrypted(pieces, recipients=recipients, suite=suite, transport=transport))


def encrypted(
    pieces: Sequence[Octets],
    *,
    recipients: Sequence[x509.Certificate],
    suite: CipherSuite,
    transport: KeyTransport,
) -> Iterator[bytes | memoryview]:
    """An envelope for every recipient, in pieces: its lengths are known before anything is encrypted.

    Raises OurFault when a recipient cannot be encrypted for, or the cipher is not for sending.
    """
    if not suite.sendable:
        raise OurFault(f"{suite.name} is never sent", remedy="Choose an AES cipher for this partner.")
    if not recipients:
        raise OurFault("nobody to encrypt for", remedy="Configure the partner's encryption certificate.")
    key = os.urandom(suite.key_length)
    version, infos = recipient_infos(recipients, key, transport)
    if suite.mode is Mode.GCM:
        version = 0  # RFC 5083 2.1
    size = sum(map(len, pieces))
    if suite.mode is Mode.GCM:
        nonce = os.urandom(_GCM_NONCE)
        cipher: CipherContext = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
        parameters = der.sequence(der.tlv(ber.OCTET_STRING, nonce), der.integer(_GCM_TAG))
        content_type, padding, tag = cms.AUTH_ENVELOPED_DATA, b"", der.tlv(ber.OCTET_STRING, bytes(_GCM_TAG))
    else:
        vector = os.urandom(suite.block)
        cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
        parameters = der.tlv(ber.OCTET_STRING, vector)
        count = suite.block - size % suite.block
        content_type, padding, tag = cms.ENVELOPED_DATA, bytes((count,)) * count, b""
    algorithm = der.sequence(der.identifier(suite.oid), parameters)
    header = der.header(_ENCRYPTED_CONTENT, size + len(padding))
    room = [header, *pieces, padding]  # the ciphertext will have the length of these
    content = der.wrap(ber.SEQUENCE, [der.identifier(cms.DATA), algorithm, *room])
    whole = cms.framed(content_type, der.wrap(ber.SEQUENCE, [der.integer(version), infos, *content, tag]))
    head = b"".join(flat(whole[: len(whole) - len(pieces) - 2]))
    return _encrypted(head, cipher, [*pieces, padding], sealed=bool(tag))


def _encrypted(
    head: bytes, cipher: CipherContext, pieces: Sequence[Octets], *, sealed: bool
) -> Iterator[bytes | memoryview]:
    yield head
    yield from _through(cipher, pieces)
    if sealed:
        assert isinstance(cipher, AEADEncryptionContext)
        yield der.tlv(ber.OCTET_STRING, cipher.tag)
