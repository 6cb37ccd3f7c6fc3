"""The certificates of authorities: files that an agreement names for trust by chain and for revocation lists."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from gateway.errors import OurFault
from gateway.partners.certificate_reading import read_bytes


def load_authorities(folder: Path, files: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    """All certificates of these PEM files; OurFault when one cannot be read."""
    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += x509.load_pem_x509_certificates(read_bytes(folder / file))
        except ValueError:
            raise OurFault(f"{file} holds no readable PEM certificate", remedy="store the authority's as PEM") from None
    return tuple(found)
