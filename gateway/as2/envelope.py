"""Encrypted content: EnvelopedData (RFC 5652 section 6, RFC 3565) and AuthEnvelopedData (RFC 5083, RFC 5084).

Law: whoever sends variants of a message learns nothing from how they fail. A session key that does not come out right
is replaced by a random one, and bad CBC padding does not end the work: the plaintext goes on to the next layer with
`sound=False`, and whoever opened the message refuses it at the end. All failures here share one public text.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes

from gateway.as2 import ber, cms, der
from gateway.as2.algorithms import CIPHER_BY_OID, CipherSuite, Mode
from gateway.as2.certificates import KeyPair
from gateway.as2.faults import As2Fault, Refusal
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

    data: bytes
    end: int
    sound: bool
    cipher: str
    recipient: x509.Certificate | None = None
    """Ours that it was encrypted for."""


def decrypt(
    content_type: bytes, structure: ber.Element, *, keys: Sequence[KeyPair], accepted: frozenset[str]
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
        return replace(_decrypt_gcm(suite, key, parameters, pieces, found[2:]), recipient=recipient)
    return replace(_decrypt_cbc(suite, key, parameters, pieces), recipient=recipient)


def _block_cipher(suite: CipherSuite, key: bytes) -> CipherAlgorithm:
    return algorithms.AES(key) if suite.sendable else TripleDES(key)


def _decrypt_cbc(suite: CipherSuite, key: bytes, parameters: ber.Element, pieces: list[memoryview]) -> Decrypted:
    """RFC 5652 6.3: the last octet says how many octets of padding there are, each of that value."""
    vector = bytes(parameters.joined())
    size = sum(map(len, pieces))
    if len(vector) != suite.block or size == 0 or size % suite.block:
        raise failed(f"{size} octets are not whole blocks of {suite.name}")
    cipher = Cipher(_block_cipher(suite, key), modes.CBC(vector)).decryptor()  # noqa: S304, RUF100  a partner switch
    plain = b"".join([*map(cipher.update, pieces), cipher.finalize()]) if len(pieces) > 1 else cipher.update(pieces[0])
    count = plain[-1]
    sound = 1 <= count <= suite.block and plain[-count:] == bytes((count,)) * count
    return Decrypted(data=plain, end=size - count if sound else size, sound=sound, cipher=suite.name)


def _decrypt_gcm(
    suite: CipherSuite, key: bytes, parameters: ber.Element, pieces: list[memoryview], rest: Sequence[ber.Element]
) -> Decrypted:
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
    try:
        plain = b"".join([*map(cipher.update, pieces), cipher.finalize()])
    except InvalidTag:
        raise failed("the authentication tag does not match: wrong key, or changed on the way") from None
    return Decrypted(data=plain, end=len(plain), sound=True, cipher=suite.name)


def encrypt(
    pieces: Sequence[bytes | memoryview],
    *,
    recipients: Sequence[x509.Certificate],
    suite: CipherSuite,
    transport: KeyTransport,
) -> bytes:
    """Encrypt for every recipient. Raises OurFault when one cannot be, or the cipher is not for sending."""
    if not suite.sendable:
        raise OurFault(f"{suite.name} is never sent", remedy="Choose an AES cipher for this partner.")
    if not recipients:
        raise OurFault("nobody to encrypt for", remedy="Configure the partner's encryption certificate.")
    key = os.urandom(suite.key_length)
    version, infos = recipient_infos(recipients, key, transport)
    head: der.Pieces = [der.integer(0 if suite.mode is Mode.GCM else version), infos]  # RFC 5083 2.1: always 0
    if suite.mode is Mode.GCM:
        nonce = os.urandom(_GCM_NONCE)
        cipher = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
        parameters = der.sequence(der.tlv(ber.OCTET_STRING, nonce), der.integer(_GCM_TAG))
        body: der.Pieces = [*map(cipher.update, pieces), cipher.finalize()]
        tail: der.Pieces = [der.tlv(ber.OCTET_STRING, cipher.tag)]
        content_type = cms.AUTH_ENVELOPED_DATA
    else:
        vector = os.urandom(suite.block)
        encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
        parameters = der.tlv(ber.OCTET_STRING, vector)
        count = suite.block - sum(map(len, pieces)) % suite.block
        body = [*map(encryptor.update, [*pieces, bytes((count,)) * count]), encryptor.finalize()]
        tail = []
        content_type = cms.ENVELOPED_DATA
    algorithm = der.sequence(der.identifier(suite.oid), parameters)
    content = der.wrap(ber.SEQUENCE, [der.identifier(cms.DATA), algorithm, *der.wrap(_ENCRYPTED_CONTENT, body)])
    return cms.frame(content_type, der.wrap(ber.SEQUENCE, [*head, *content, *tail]))
