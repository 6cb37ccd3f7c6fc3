"""Trust by chain: a signer certificate that comes with a message counts when the partner's authority vouches for it.

What is checked: the path to an authority of the agreement by the rules of `cryptography.x509.verification` (signatures,
validity now, basic constraints, algorithms, at most five certificates; of authorities key usage and extended key usage
where they are given), the subject that the agreement names, key and key usage (`certificate_facts`), extended key usage
(RFC 8550 4.4.4: emailProtection or any, where it is given), that it is no authority itself, and revocation where the
agreement asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.partners.certificate_facts import is_authority, may_sign, subject, weakness
from gateway.partners.revocation import Revocation

_DEPTH = 5
_JUDGED = 2
"""Certificates of the agreed subject that are looked at in one message, an old and a new one: each that leads nowhere
may cost a hundred signature checks before the library gives up."""
_SIGNING = frozenset({ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


def _may_issue(_policy: object, _authority: object, usage: x509.KeyUsage | None) -> None:
    """RFC 5280 4.2.1.3: keyCertSign, where key usage is said at all; private authorities often leave it out."""
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an authority's key usage does not allow signing certificates")


def _for_message_signers(_policy: object, _authority: object, usage: x509.ExtendedKeyUsage | None) -> None:
    """Authorities of S/MIME are limited to emailProtection, where TLS's rules would ask for clientAuth."""
    if usage is not None and not _SIGNING & set(usage):
        raise ValueError("an authority's extended key usage leaves out emailProtection")


_AUTHORITIES = (
    verification.ExtensionPolicy.webpki_defaults_ca()
    .may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_issue)
    .may_be_present(x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, _for_message_signers)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChainTrust:
    """Whom one agreement trusts to vouch for signers, and for which subject."""

    authorities: tuple[x509.Certificate, ...]
    subject: x509.Name
    """Every attribute named here stands in a signer's subject, with this value."""
    revocation: Revocation | None = None

    def judged(self, enclosed: Sequence[x509.Certificate], now: datetime) -> tuple[tuple[x509.Certificate, ...], str]:
        """Of the certificates in a message those that may have signed it; and why the others may not."""
        accepted: list[x509.Certificate] = []
        reasons: list[str] = []
        candidates = [one for one in enclosed if self._named(one)]  # the others are most likely authorities
        if len(candidates) > _JUDGED:
            reasons.append(f"{len(candidates)} certificates have the subject that the agreement names")
        for one in candidates[:_JUDGED]:
            why = self._refusal(one, enclosed, now)
            if why is None:
                accepted.append(one)
            else:
                reasons.append(f"{subject(one)}: {why}")
        if not accepted and not reasons:
            reasons.append("no certificate in the message has the subject that the agreement names")
        return tuple(accepted), "; ".join(reasons)

    def _named(self, certificate: x509.Certificate) -> bool:
        present = {(one.oid, one.value) for one in certificate.subject}
        return all((one.oid, one.value) in present for one in self.subject)

    def _refusal(
        self, certificate: x509.Certificate, enclosed: Sequence[x509.Certificate], now: datetime
    ) -> str | None:
        if weak := weakness(certificate):
            return weak
        if is_authority(certificate) or not may_sign(certificate) or not _for_messages(certificate):
            return "its key usage does not allow signing messages"
        others = [one for one in enclosed if one is not certificate]
        try:
            # The subject's alternative names and its extended key usage are TLS's there, and judged above instead.
            verifier = (
                verification.PolicyBuilder()
                .store(verification.Store(list(self.authorities)))
                .time(now.astimezone(UTC).replace(tzinfo=None))
                .max_chain_depth(_DEPTH)
                .extension_policies(
                    ca_policy=_AUTHORITIES,
                    ee_policy=verification.ExtensionPolicy.permit_all(),
                )
                .build_client_verifier()
            )
            chain = verifier.verify(certificate, others).chain
        except (verification.VerificationError, ValueError) as error:
            return f"no chain to an authority of the agreement: {str(error)[:200]}"
        return None if self.revocation is None else self.revocation.chain_refusal(chain, now)


def _for_messages(certificate: x509.Certificate) -> bool:
    try:
        said = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except (ValueError, x509.DuplicateExtension):
        return False
    return bool(_SIGNING & set(said))
