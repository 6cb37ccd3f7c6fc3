"""What is agreed with one partner about AS2: the section `as2` of an agreement.

A model only; what joins it with other sections and files is `gateway.partners.checks`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from cryptography import x509
from pydantic import AfterValidator, Field

from gateway.settings import As2Id, Authentication, Part, Url


def _name(text: str) -> str:
    try:
        name = x509.Name.from_rfc4514_string(text)
    except ValueError:
        raise ValueError("a subject such as CN=example-as2,O=Example Supplier") from None
    if not list(name):
        raise ValueError("a subject with at least one part, such as CN=example-as2")
    return text


class As2Channel(Part):
    """How we exchange AS2 messages with this partner."""

    id: As2Id = Field(description="The partner's AS2 name (AS2-From of what they send).", examples=["PARTNER-AS2"])
    url: Url = Field(description="Where their station listens.", examples=["https://as2.example.com/as2"])
    certificates: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="Their certificates, PEM files in the workspace. Any of them may sign; encrypted is for the newest "
        "that a signed exchange confirmed, and for the first one while none is.",
        examples=[("certs/example.pem",)],
    )
    accept_expired_until: date | None = Field(
        default=None,
        description="Up to the end of this day (UTC) their certificates count though they have expired.",
        examples=["2027-01-31"],
    )
    trust: Literal["pinned", "chain"] = Field(
        default="pinned",
        description="Who may have signed: the certificates above; or also what an authority vouches for (chain).",
    )
    signer_ca: tuple[str, ...] = Field(
        default=(),
        description="PEM files with the authorities of chain and of revocation lists, roots and intermediates.",
        examples=[("certs/example-ca.pem",)],
    )
    signer_subject: Annotated[str, AfterValidator(_name)] | None = Field(
        default=None,
        description="What must stand in a signer's subject, for chain.",
        examples=["CN=example-as2,O=Example Supplier"],
    )
    revocation: Literal["none", "crl"] = Field(default="none", description="Whether revocation lists are asked.")
    crls: tuple[str, ...] = Field(
        default=(),
        description="Revocation lists: files in the workspace, or http addresses that are fetched every hour.",
        examples=[("http://ca.example.com/as2.crl",)],
    )
    stale_crl: Literal["warn", "refuse"] = Field(
        default="warn",
        description="What happens while a list is missing or too old: a warning, or signers are refused.",
    )
    sign: Literal["sha256", "sha384", "sha512", "no"] = Field(
        default="sha256", description="Hash of the signatures we make; no: unsigned."
    )
    encrypt: Literal["aes128-cbc", "aes192-cbc", "aes256-cbc", "no"] = Field(
        default="aes256-cbc", description="Cipher we encrypt with; no: unencrypted."
    )
    compress: bool = Field(default=True, description="Compress what we send (RFC 5402).")
    receipt: Literal["signed", "unsigned", "none"] = Field(default="signed", description="Receipt that we ask for.")
    require_signature: bool = Field(default=True, description="Refuse what is not signed.")
    require_encryption: bool = Field(default=True, description="Refuse what is not encrypted.")
    authentication: Authentication | None = Field(default=None, description="HTTP authentication at their station.")
    timeout_seconds: Annotated[Decimal, Field(gt=0, le=600)] = Field(
        default=Decimal(60), description="How long to wait for the receipt."
    )
