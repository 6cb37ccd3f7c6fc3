"""Which keys and certificates count at a moment: ours that sign and decrypt, a partner's that encrypt and verify.

Laws. We sign with the newest pair whose date of use has come, never with an expired one, and decrypt with all that are
not retired. We encrypt for the partner's newest confirmed certificate that is valid now, unless the agreement names
one, and believe signatures by any of theirs that is valid now. An expired certificate of theirs counts only up to the
day that the agreement names. One whose time has not begun is used when there is no other: it was pinned by hand, and
clocks differ (decision 0073).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from cryptography import x509

from gateway.as2.certificates import KeyPair, Signers, fingerprint
from gateway.errors import OurFault
from gateway.partners.certificate_facts import expired, may_receive, may_sign, subject
from gateway.partners.confirmations import Confirmations, Whose
from gateway.partners.revocation import Revocation
from gateway.partners.trust import ChainTrust

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""The date of use of the pair that a workspace begins with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """From when a pair of ours signs."""

    sign_from: datetime | None
    """None: it only decrypts, until a roll is planned."""
    partners: Mapping[str, datetime] = field(default_factory=dict)
    """Partners for whom another date was chosen."""

    def begins(self, partner: str) -> datetime | None:
        """From when it signs what goes to a partner."""
        return self.partners.get(partner, self.sign_from)


_ALWAYS = Use(sign_from=ALWAYS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyring:
    """Our AS2 key pairs and our partners' certificates, retired ones left out."""

    ours: tuple[KeyPair, ...]
    theirs: Mapping[str, tuple[x509.Certificate, ...]]
    """By partner, in the order of the agreement: while none is confirmed the first valid one encrypts."""
    uses: Mapping[str, Use] = field(default_factory=dict)
    """By fingerprint of ours; one that is absent always signs."""
    encrypt_for: Mapping[str, x509.Certificate] = field(default_factory=dict)
    """Partners whose agreement names the one to encrypt for, whatever signs."""
    accept_expired_until: Mapping[str, date] = field(default_factory=dict)
    """Partners whose expired certificates count to the end of that day (UTC)."""
    chains: Mapping[str, ChainTrust] = field(default_factory=dict)
    """Partners whose signers may come with the message."""
    revocations: Mapping[str, Revocation] = field(default_factory=dict)
    """Partners whose certificates may be revoked."""
    confirmations: Confirmations = field(default_factory=Confirmations)

    def signing(self, partner: str, now: datetime) -> KeyPair:
        """The pair that signs what goes to a partner. OurFault when none may: ours expired are never signed with."""
        chosen, since = None, ALWAYS
        for pair in self.ours:
            begins = self.uses.get(fingerprint(pair.certificate), _ALWAYS).begins(partner)
            if begins is None or not since <= begins <= now or not may_sign(pair.certificate):
                continue
            if not expired(pair.certificate, now):
                chosen, since = pair, begins
        if chosen is None:
            last = max(self.ours, key=lambda pair: pair.certificate.not_valid_after_utc).certificate
            raise OurFault(
                f"none of our certificates may sign for {partner} now; {_named(last)} is valid until "
                f"{last.not_valid_after_utc:%Y-%m-%d}",
                remedy="make a new one and use it from now on: gateway certificate new NAME, "
                "gateway certificate roll NAME --from now",
            )
        return chosen

    def decrypting(self, now: datetime) -> tuple[KeyPair, ...]:
        """The pairs that what comes may be encrypted for: old and new ones, expired ones too."""
        del now
        return self.ours

    def encrypting(self, partner: str, now: datetime) -> tuple[x509.Certificate, ...]:
        """The one certificate that a message to a partner is encrypted for. OurFault when all have expired."""
        named = self.encrypt_for.get(partner)
        known = self.theirs[partner] if named is None else (named,)
        fit = [one for one in known if may_receive(one)] or list(known)
        if (revocation := self.revocations.get(partner)) is not None:
            fit = [one for one in fit if revocation.refusal(one, now) is None]
            if not fit:
                raise OurFault(
                    f"every certificate of {partner} to encrypt for is revoked, or its list is too old",
                    remedy=f"import their new one: gateway certificate import FILE --partner {partner}",
                )
        current = [one for one in fit if not expired(one, now)]
        if not current and self._bears(partner, now):
            current = fit[:]
        if not current:
            last = max(fit, key=lambda one: one.not_valid_after_utc)
            raise OurFault(
                f"all certificates of {partner} to encrypt for have expired: {_named(last)} on "
                f"{last.not_valid_after_utc:%Y-%m-%d}",
                remedy=f"import their new one: gateway certificate import FILE --partner {partner}; "
                "or allow the old one for a while: as2.accept_expired_until",
            )
        begun = [one for one in current if one.not_valid_before_utc <= now] or current
        confirmed = [one for one in begun if (partner, Whose.THEIRS, fingerprint(one)) in self.confirmations]
        if not confirmed:
            return (begun[0],)
        return (max(reversed(confirmed), key=lambda one: one.not_valid_before_utc),)

    def verifying(self, partner: str, now: datetime) -> tuple[x509.Certificate, ...]:
        """The certificates that may have signed what comes from a partner, valid ones first.

        Expired ones are among them, so that a refusal can say which it was: ask `refusal` about the signer.
        """
        known = self.theirs[partner]
        if len(known) > 1:
            # Two certificates of one key have one key identifier: the valid one must be found first.
            known = tuple(sorted(known, key=lambda one: expired(one, now)))
        chain = self.chains.get(partner)
        return known if chain is None else Signers(known, lambda enclosed: chain.judged(enclosed, now))

    def refusal(self, partner: str, signer: str, now: datetime) -> str | None:
        """Why the signature of this certificate (fingerprint) does not count now, for the operator; None: it does."""
        found = next((one for one in self.theirs.get(partner, ()) if fingerprint(one) == signer), None)
        if found is None:
            return None  # judged by its chain when the message was opened
        if (revocation := self.revocations.get(partner)) is not None and (why := revocation.refusal(found, now)):
            return f"signed with {_named(found)}: {why}"
        if not expired(found, now) or self._bears(partner, now):
            return None
        return (
            f"signed with {_named(found)}, which expired on {found.not_valid_after_utc:%Y-%m-%d}; "
            f"import their new certificate, or set as2.accept_expired_until in the agreement with {partner}"
        )

    def _bears(self, partner: str, now: datetime) -> bool:
        until = self.accept_expired_until.get(partner)
        return until is not None and now.astimezone(UTC).date() <= until


def _named(certificate: x509.Certificate) -> str:
    return f"certificate {fingerprint(certificate)[:16]}… ({subject(certificate)})"
