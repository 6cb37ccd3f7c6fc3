"""What a partner is told when our certificate changes: a mail's text with the certificate in it, ready to be sent."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.partners.agreement import Agreement
from gateway.partners.certificate_facts import key_words, subject, with_colons
from gateway.settings import Settings


def letter(settings: Settings, agreement: Agreement, certificate: x509.Certificate, since: datetime | None) -> str:
    """The text. `since` is when we begin to sign with it; None where that is not decided."""
    us, contact = settings.identity, agreement.contact
    day = "a date that we will tell you" if since is None else f"{since:%Y-%m-%d %H:%M} UTC"
    to = [f"To: {contact.email}"] if contact and contact.email else []
    return "\n".join(
        [
            *to,
            f"Subject: New AS2 certificate of {us.name} ({us.as2_id}), in use from {day}",
            "",
            f"To {contact.name if contact else agreement.title}",
            "",
            f"{us.name} (AS2 name {us.as2_id}) changes the certificate of its AS2 station.",
            "",
            f"1. Before {day}: please add the certificate below to your station, beside the one of ours that you have.",
            f"2. From {day} on our messages and receipts are signed with it.",
            "3. Encrypt for it as soon as you have it; we decrypt with both. Please keep the old one until then.",
            "",
            "Tell us when it is in place. Compare the fingerprint with us by telephone, not by answering this mail.",
            "",
            f"  subject       {subject(certificate)}",
            f"  serial        {certificate.serial_number:X}",
            f"  key           {key_words(certificate)}",
            (
                f"  valid         {certificate.not_valid_before_utc:%Y-%m-%d} to "
                f"{certificate.not_valid_after_utc:%Y-%m-%d}"
            ),
            f"  SHA-256       {with_colons(certificate, 'sha256')}",
            f"  SHA-1         {with_colons(certificate, 'sha1')}",
            "",
            certificate.public_bytes(Encoding.PEM).decode("ascii"),
        ]
    )
