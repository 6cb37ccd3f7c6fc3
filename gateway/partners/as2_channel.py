"""What is agreed with one partner about AS2: the section `as2` of an agreement.

A model only; what joins it with other sections and files is `gateway.partners.checks`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from gateway.settings import As2Id, Authentication, Part, Url


class As2Channel(Part):
    """How we exchange AS2 messages with this partner."""

    id: As2Id = Field(description="The partner's AS2 name (AS2-From of what they send).", examples=["PARTNER-AS2"])
    url: Url = Field(description="Where their station listens.", examples=["https://as2.example.com/as2"])
    certificates: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="Their certificates, PEM files in the workspace; the first one encrypts, any may sign.",
        examples=[("certs/example.pem",)],
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
    receipt_mode: Literal["sync", "async"] = Field(
        default="sync",
        description="How the receipt comes: sync in the answer; async by itself, to /as2/receipts below "
        "listen.public_url of gateway.yaml.",
    )
    receipt_within_minutes: Annotated[int, Field(ge=1, le=4320)] = Field(
        default=60, description="An asynchronous receipt that has not come by then: the message is sent again."
    )
    receipt_urls: tuple[Url, ...] = Field(
        default=(),
        description="Where they may have their asynchronous receipts sent: addresses, or beginnings that end in /; "
        "absent: anywhere at the scheme, host and port of url. A private address only where it is named whole.",
        examples=[("https://as2.example.com/receipts",)],
    )
    processing_after_seconds: Annotated[int, Field(ge=1, le=300)] | None = Field(
        default=None,
        description="Send HTTP 102 each time that a message of theirs has been worked for so long; absent: never, "
        "because many HTTP clients take 102 for the answer. For partners whose client is known to wait on.",
    )

    @property
    def asks_asynchronously(self) -> bool:
        """Whether we ask for receipts that come by themselves."""
        return self.receipt != "none" and self.receipt_mode == "async"
