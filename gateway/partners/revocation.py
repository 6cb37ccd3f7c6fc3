"""Revocation lists (RFC 5280 5): files of the workspace, or what was fetched from addresses that agreements name.

Nothing is fetched here and never while a message is received: `CrlShelf` holds what there is, a background task renews
it. A list counts when an authority of the agreement signed it. OCSP is not asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.as2 import fingerprint
from gateway.errors import OurFault
from gateway.partners.keys import write_file

CACHE = "data/crls"
MAX_BYTES = 20_000_000


def is_address(source: str) -> bool:
    """Whether a source of a list is an address, not a file."""
    return source.startswith(("http://", "https://"))


def read_crl(content: bytes, name: str) -> x509.CertificateRevocationList:
    """A list in PEM or DER. OurFault when it is neither, or too large."""
    if len(content) > MAX_BYTES:
        raise OurFault(f"{name} has more than {MAX_BYTES} bytes", remedy="name the list of the right authority")
    try:
        if b"-----BEGIN X509 CRL" in content:
            return x509.load_pem_x509_crl(content)
        return x509.load_der_x509_crl(content)
    except ValueError:
        raise OurFault(f"{name} is no revocation list", remedy="it may be PEM or DER; see where it came from") from None


class CrlShelf:
    """The lists that there are, by their source; shared by all configurations of a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lists: dict[str, x509.CertificateRevocationList] = {}
        self._signers: dict[tuple[str, str], tuple[x509.CertificateRevocationList, bool]] = {}
        """By source and authority: the list that was looked at, and whether that authority signed it."""

    def load(self, sources: Iterable[str]) -> None:
        """Read files, and what was fetched before for addresses. OurFault for a file that is no list."""
        for source in sources:
            path = self._cached(source) if is_address(source) else self._folder / source
            try:
                with path.open("rb") as file:
                    content = file.read(MAX_BYTES + 1)
            except OSError as error:
                if is_address(source):
                    continue  # not fetched yet
                raise OurFault(f"{source}: {error.strerror}", remedy="put the revocation list there") from error
            try:
                self._lists[source] = read_crl(content, source)
            except OurFault:
                if not is_address(source):  # else it is fetched again
                    raise

    def put(self, address: str, content: bytes, authorities: Sequence[x509.Certificate]) -> None:
        """Keep what was fetched. OurFault for what is no list of these authorities, or an earlier one.

        The one before stays then: whoever sits on the way to the address cannot make a revocation forgotten.
        """
        listed, before = read_crl(content, address), self._lists.get(address)
        if not any(signed_by(listed, one) for one in authorities if one.subject == listed.issuer):
            raise OurFault(f"{address} is signed by nobody in signer_ca", remedy="add the authority that signs it")
        if before is not None and before.issuer == listed.issuer and listed.last_update_utc < before.last_update_utc:
            raise OurFault(
                f"{address} is of {listed.last_update_utc:%Y-%m-%d %H:%M}, before the one that is known",
                remedy="ask the authority for its newest list",
            )
        self._lists[address] = listed
        write_file(self._cached(address), content, mode=0o644, overwrite=True)

    def get(self, source: str) -> x509.CertificateRevocationList | None:
        """The list of a source, if there is one."""
        return self._lists.get(source)

    def signed(self, source: str, listed: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
        """Whether an authority signed a list of this source; computed once for each list."""
        key = source, fingerprint(authority)
        known = self._signers.get(key)
        if known is None or known[0] is not listed:
            known = self._signers[key] = listed, signed_by(listed, authority)
        return known[1]

    def _cached(self, address: str) -> Path:
        return self._folder / CACHE / f"{hashlib.sha256(address.encode()).hexdigest()[:32]}.crl"


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """What one agreement says about revocation."""

    shelf: CrlShelf
    sources: tuple[str, ...]
    authorities: tuple[x509.Certificate, ...]
    stale: Literal["warn", "refuse"]

    def refusal(self, certificate: x509.Certificate, now: datetime) -> str | None:
        """Why a certificate does not count; None when it does. With `stale: warn` a list that is too old still says."""
        current = False
        for source in self.sources:
            listed = self.shelf.get(source)
            if listed is None or listed.issuer != certificate.issuer or not self._signed(source, listed):
                continue
            found = listed.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if found is not None:
                return f"it was revoked on {found.revocation_date_utc:%Y-%m-%d} ({source})"
            current = current or not out_of_date(listed, now)
        if not current and self.stale == "refuse":
            return "there is no current revocation list of its authority"
        return None

    def _signed(self, source: str, listed: x509.CertificateRevocationList) -> bool:
        return any(self.shelf.signed(source, listed, one) for one in self.authorities if one.subject == listed.issuer)


def signed_by(listed: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    """Whether an authority made a list (RFC 5280 6.3.3 f)."""
    key = authority.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        return listed.is_signature_valid(key)
    except (TypeError, InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False


def out_of_date(listed: x509.CertificateRevocationList, now: datetime) -> bool:
    """Whether its successor should be there (nextUpdate has passed, or it has none)."""
    return listed.next_update_utc is None or listed.next_update_utc < now
