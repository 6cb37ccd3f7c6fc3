"""Signature schemes: which key and which algorithm made a signature, and making one (RFC 3370 3.2, RFC 4056, RFC 5754).

Law: the hash in a scheme's name is the digest's, or a weak one would come in beside the accepted one.
"""

from __future__ import annotations

from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gateway.as2 import ber, cms, der
from gateway.as2.algorithms import (
    ECDSA_BY_HASH,
    ECDSA_SIGNATURES,
    HASH_BY_OID,
    HASHES,
    MGF1,
    RSA_ENCRYPTION,
    RSA_PSS,
    RSA_SIGNATURES,
    Hash,
)
from gateway.as2.certificates import PrivateKey, identity
from gateway.as2.faults import As2Fault, Refusal
from gateway.errors import OurFault

_SALT_LENGTH = 0xA2
_TRAILER = 0xA3
_DEFAULT_SALT = 20
_MAX_SALT = 512
_RSA_SCHEME = der.sequence(der.identifier(RSA_ENCRYPTION), der.tlv(ber.NULL))  # RFC 3370 3.2


class SignatureScheme(StrEnum):
    """How an RSA key signs. An EC key signs by ECDSA, whatever stands here."""

    PKCS1 = "rsa-pkcs1-v1.5"
    PSS = "rsa-pss"


def broken(message: str) -> As2Fault:
    """The refusal of a signature that does not hold; `message` is for the operator."""
    return As2Fault(message, refusal=Refusal.INTEGRITY_FAILED, public="The signature does not match the content.")


def matches(certificate: x509.Certificate, octets: bytes, signed: bytes, scheme: ber.Element, digest: Hash) -> bool:
    """Whether the key of `certificate` made this signature. Raises As2Fault for a scheme we do not know."""
    identifier, parameters = cms.algorithm(scheme)
    who = identity(certificate)
    if who.key_fault is not None:
        raise broken(f"certificate {who.fingerprint}: {who.key_fault}")
    try:
        if who.rsa_key is not None and identifier == RSA_PSS:
            who.rsa_key.verify(octets, signed, _pss(parameters, digest), digest.scheme)
        elif who.rsa_key is not None and _hash_of_rsa(identifier, digest) is digest and not who.pss_only:
            who.rsa_key.verify(octets, signed, padding.PKCS1v15(), digest.scheme)
        elif who.ec_key is not None and ECDSA_SIGNATURES.get(identifier) is digest:
            who.ec_key.verify(octets, signed, ec.ECDSA(digest.scheme))
        else:
            raise broken(f"scheme {identifier.hex()} does not fit {digest.name} or the key of {who.fingerprint}")
    except InvalidSignature:
        return False
    except (ValueError, UnsupportedAlgorithm) as error:
        raise broken(f"the signature cannot be checked: {error}") from error
    return True


def _hash_of_rsa(identifier: bytes, digest: Hash) -> Hash | None:
    """The hash of a PKCS#1 v1.5 scheme; rsaEncryption takes the digest's (RFC 3370 3.2), an unknown one has none."""
    return digest if identifier == RSA_ENCRYPTION else RSA_SIGNATURES.get(identifier)


def _pss(parameters: ber.Element | None, digest: Hash) -> padding.PSS:
    """RFC 4056 section 2, RFC 4055 3.1: hash and mask hash are the digest's; the salt length is a parameter."""
    salt = _DEFAULT_SALT
    hashed = mask = HASHES["sha-1"]
    for field in parameters.parts if parameters is not None else ():
        if field.tag == _SALT_LENGTH:
            salt = cms.inside(field).integer()
        elif field.tag == cms.EXPLICIT_0:
            hashed = _row(cms.inside(field))
        elif field.tag == cms.EXPLICIT_1:
            function, arguments = cms.algorithm(cms.inside(field))
            if function != MGF1 or arguments is None:
                raise broken("PSS with a mask function we do not know")
            mask = _row(arguments)
        elif field.tag != _TRAILER or cms.inside(field).integer() != 1:
            raise broken("PSS with parameters we do not know")
    if mask is not digest or hashed is not digest or not 0 <= salt <= _MAX_SALT:
        raise broken("PSS parameters that do not fit the digest")
    return padding.PSS(mgf=padding.MGF1(digest.scheme), salt_length=salt)


def _row(element: ber.Element) -> Hash:
    identifier = cms.algorithm(element)[0]
    found = HASH_BY_OID.get(identifier)
    if found is None:
        raise broken(f"PSS with an unknown hash {identifier.hex()}")
    return found


def sign(signed: bytes, key: PrivateKey, algorithm: Hash, scheme: SignatureScheme) -> tuple[bytes, bytes]:
    """The AlgorithmIdentifier and the signature over `signed`. RSA signs by `scheme`, EC by ECDSA.

    Raises OurFault for a hash that does not fit the key.
    """
    if not isinstance(key, rsa.RSAPrivateKey):
        if algorithm.name not in ECDSA_BY_HASH:
            raise OurFault(f"ECDSA does not sign with {algorithm.name}", remedy="Choose a SHA-2 hash for this partner.")
        return der.sequence(der.identifier(ECDSA_BY_HASH[algorithm.name])), key.sign(signed, ec.ECDSA(algorithm.scheme))
    if scheme is SignatureScheme.PKCS1:
        return _RSA_SCHEME, key.sign(signed, padding.PKCS1v15(), algorithm.scheme)
    length = algorithm.scheme.digest_size  # RFC 4056 3: the salt is as long as the hash
    try:
        octets = key.sign(signed, padding.PSS(mgf=padding.MGF1(algorithm.scheme), salt_length=length), algorithm.scheme)
    except ValueError as error:
        raise OurFault(
            f"an RSA key of {key.key_size} bits is too short for PSS with {algorithm.name}",
            remedy="Choose sha-256 for this partner, or make a longer key.",
        ) from error
    return _pss_identifier(algorithm), octets


def _pss_identifier(algorithm: Hash) -> bytes:
    """RSASSA-PSS with its parameters (RFC 4055 3.1)."""
    hashed = der.sequence(der.identifier(algorithm.oid))
    mask = der.sequence(der.identifier(MGF1), hashed)
    salt = der.integer(algorithm.scheme.digest_size)
    parameters = [(cms.EXPLICIT_0, hashed), (cms.EXPLICIT_1, mask), (_SALT_LENGTH, salt)]
    return der.sequence(der.identifier(RSA_PSS), der.sequence(*(der.tlv(tag, value) for tag, value in parameters)))
