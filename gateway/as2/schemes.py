"""Signature schemes: which key and which algorithm made a signature, and making one (RFC 3370 3.2, RFC 4056, RFC 5754).

Law: the hash in a scheme's name is the digest's, or a weak one would come in beside the accepted one.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from gateway.as2 import ber, cms, der
from gateway.as2.algorithms import (
    ECDSA_BY_HASH,
    ECDSA_SIGNATURES,
    HASH_BY_OID,
    MGF1,
    RSA_ENCRYPTION,
    RSA_PSS,
    RSA_SIGNATURES,
    Hash,
)
from gateway.as2.certificates import PrivateKey, fingerprint
from gateway.as2.faults import As2Fault, Refusal
from gateway.errors import OurFault

_SALT_LENGTH = 0xA2
_DEFAULT_SALT = 20
_MAX_SALT = 512
_RSA_SCHEME = der.sequence(der.identifier(RSA_ENCRYPTION), der.tlv(ber.NULL))  # RFC 3370 3.2


def broken(message: str) -> As2Fault:
    """The refusal of a signature that does not hold; `message` is for the operator."""
    return As2Fault(message, refusal=Refusal.INTEGRITY_FAILED, public="The signature does not match the content.")


def matches(certificate: x509.Certificate, octets: bytes, signed: bytes, scheme: ber.Element, digest: Hash) -> bool:
    """Whether the key of `certificate` made this signature. Raises As2Fault for a scheme we do not know."""
    identifier, parameters = cms.algorithm(scheme)
    key = certificate.public_key()
    try:
        # The hash in a scheme's name must be the digest's, or a weak one would come in beside the accepted one.
        if isinstance(key, rsa.RSAPublicKey) and _hash_of_rsa(identifier, digest) is digest:
            key.verify(octets, signed, padding.PKCS1v15(), digest.scheme)
        elif isinstance(key, rsa.RSAPublicKey) and identifier == RSA_PSS:
            key.verify(octets, signed, _pss(parameters, digest), digest.scheme)
        elif isinstance(key, ec.EllipticCurvePublicKey) and ECDSA_SIGNATURES.get(identifier) is digest:
            key.verify(octets, signed, ec.ECDSA(digest.scheme))
        else:
            raise broken(
                f"scheme {identifier.hex()} does not fit {digest.name} or the key of {fingerprint(certificate)}"
            )
    except InvalidSignature:
        return False
    except (ValueError, UnsupportedAlgorithm) as error:
        raise broken(f"the signature cannot be checked: {error}") from error
    return True


def _hash_of_rsa(identifier: bytes, digest: Hash) -> Hash | None:
    """The hash of a PKCS#1 v1.5 scheme; rsaEncryption takes the digest's (RFC 3370 3.2), an unknown one has none."""
    return digest if identifier == RSA_ENCRYPTION else RSA_SIGNATURES.get(identifier)


def _pss(parameters: ber.Element | None, digest: Hash) -> padding.PSS:
    """RFC 4056 section 2: hash and mask hash are the digest's; the salt length is a parameter."""
    salt, mask = _DEFAULT_SALT, None
    for field in parameters.parts if parameters is not None else ():
        if field.tag == _SALT_LENGTH:
            salt = field.parts[0].integer()
        elif field.tag == cms.EXPLICIT_1:
            function, arguments = cms.algorithm(field.parts[0])
            if function == MGF1 and arguments is not None:
                mask = HASH_BY_OID.get(cms.algorithm(arguments)[0])
    if mask is not digest or not 0 <= salt <= _MAX_SALT:
        raise broken("PSS parameters that do not fit the digest")
    return padding.PSS(mgf=padding.MGF1(digest.scheme), salt_length=salt)


def sign(signed: bytes, key: PrivateKey, algorithm: Hash) -> tuple[bytes, bytes]:
    """The AlgorithmIdentifier and the signature over `signed`. RSA signs with PKCS#1 v1.5, EC with ECDSA."""
    if isinstance(key, rsa.RSAPrivateKey):
        return _RSA_SCHEME, key.sign(signed, padding.PKCS1v15(), algorithm.scheme)
    if algorithm.name not in ECDSA_BY_HASH:
        raise OurFault(f"ECDSA does not sign with {algorithm.name}", remedy="Choose a SHA-2 hash for this partner.")
    return der.sequence(der.identifier(ECDSA_BY_HASH[algorithm.name])), key.sign(signed, ec.ECDSA(algorithm.scheme))
