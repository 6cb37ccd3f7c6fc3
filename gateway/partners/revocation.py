"""Revocation lists (RFC 5280 5): files of the workspace, or what was fetched from addresses that agreements name.

Nothing is fetched here and never while a message is received: `CrlShelf` holds what there is, a background task renews
it. A list counts when an authority of the agreement signed it. OCSP is not asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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
_DEEPEST = 5
"""Authorities above each other that are looked at, as many as a chain may have."""


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
        """Why a certificate does not count; None when it does. With `stale: warn` a list that is too old still says.

        What the authorities above it have signed counts no more than they do: each is looked for in the list of the
        one above it. With `stale: refuse` a current list must be there for each of them (RFC 5280 6.1.3 a 3), but for
        those that the agreement trusts without one above them.
        """
        why, current = self._listed(certificate, now)
        if why is not None:
            return why
        if not current and self.stale == "refuse":
            return "there is no current revocation list of its authority"
        return self._above(certificate, now, _DEEPEST)

    def chain_refusal(self, chain: Sequence[x509.Certificate], now: datetime) -> str | None:
        """The same of a verified chain, the certificate first, whose intermediates may have come with a message."""
        why = self.refusal(chain[0], now)
        for one in chain[1:]:
            why = why or self._authority(one, now)
        return why

    def _above(self, certificate: x509.Certificate, now: datetime, depth: int) -> str | None:
        """Why all authorities of the agreement that issued it count no more; None where one does, or none is known."""
        if depth == 0:
            return None
        issuers = self._issuers(certificate)
        reasons = [self._authority(one, now) or self._above(one, now, depth - 1) for one in issuers]
        return reasons[0] if reasons and all(reasons) else None

    def _issuers(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """Those authorities of the agreement that issued it; none of a root."""
        return [
            one
            for one in self.authorities
            if one.subject == certificate.issuer != certificate.subject and issued(certificate, one)
        ]

    def _authority(self, one: x509.Certificate, now: datetime) -> str | None:
        why, current = self._listed(one, now)
        if why is None and not current and self.stale == "refuse" and self._issuers(one):
            why = "there is no current revocation list of the authority above it"
        return None if why is None else f"its authority {one.subject.rfc4514_string()}: {why}"

    def _listed(self, certificate: x509.Certificate, now: datetime) -> tuple[str | None, bool]:
        """Where it is revoked, by which list; and whether there is a current list of its authority."""
        current = False
        for source in self.sources:
            listed = self.shelf.get(source)
            if listed is None or listed.issuer != certificate.issuer or not self._signed(source, listed):
                continue
            found = listed.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if found is not None:
                return f"it was revoked on {found.revocation_date_utc:%Y-%m-%d} ({source})", True
            current = current or not out_of_date(listed, now)
        return None, current

    def _signed(self, source: str, listed: x509.CertificateRevocationList) -> bool:
        return any(self.shelf.signed(source, listed, one) for one in self.authorities if one.subject == listed.issuer)


@lru_cache(maxsize=4096)
def issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an authority signed a certificate, which names it as its issuer."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (TypeError, InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


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
