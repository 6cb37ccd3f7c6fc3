"""Why a message is refused, in the words an MDN has for it (RFC 4130 7.5.3 to 7.5.5, RFC 5402 section 5)."""

from __future__ import annotations

from enum import StrEnum

from gateway.errors import PartnerFault


class Refusal(StrEnum):
    """Disposition type and modifier of a negative receipt."""

    AUTHENTICATION_FAILED = "processed/error: authentication-failed"
    DECRYPTION_FAILED = "processed/error: decryption-failed"
    DECOMPRESSION_FAILED = "processed/error: decompression-failed"
    INSUFFICIENT_SECURITY = "processed/error: insufficient-message-security"
    INTEGRITY_FAILED = "processed/error: integrity-check-failed"
    UNEXPECTED = "processed/error: unexpected-processing-error"
    UNKNOWN_RELATIONSHIP = "processed/error: unknown-trading-relationship"
    UNSUPPORTED_FORMAT = "failed/Failure: unsupported format"
    UNSUPPORTED_MICALG = "failed/Failure: unsupported MIC-algorithms"


class As2Fault(PartnerFault):
    """A message that cannot be taken. Its receipt carries `refusal` and `public`; `str(fault)` is the operator's."""

    def __init__(self, message: str, *, refusal: Refusal, public: str | None = None) -> None:
        super().__init__(message, public=public)
        self.refusal = refusal
