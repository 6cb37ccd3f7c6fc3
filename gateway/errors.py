"""What stops us. A partner's mistake inside a document is a `Finding`; these are for when there is no going on.

What the peer is told (`public`), what is logged (the message) and whose fault it is (the class) are separate.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.findings import Finding


class PartnerFault(Exception):  # noqa: N818  the trade speaks of faults, and the class says whose it is
    """The far side sent something that cannot be processed at all.

    `public` is what the far side may be told; `str(fault)` may say more and goes to the log and the trail.
    """

    def __init__(self, message: str, *, public: str | None = None, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.public = message if public is None else public
        self.findings = findings


class OurFault(Exception):  # noqa: N818
    """Something on our side is missing or broken: configuration, disk, database. `remedy` is told to the operator."""

    def __init__(self, message: str, *, remedy: str = "", findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.findings = findings


class NoRoom(OurFault):
    """The disk is full, or too much is under way at once. It passes: whoever sent something may send it again later."""


class Outcome(StrEnum):
    """How a delivery failed."""

    PERMANENT = "permanent"
    """The far side said no; sending the same again is pointless."""
    TRANSIENT = "transient"
    """It did not take place; try again later."""
    UNCERTAIN = "uncertain"
    """The request went out and no answer came: it may have taken place."""


class DeliveryFailed(Exception):  # noqa: N818
    """A call to a far side did not succeed. `retry_after` is in seconds, when the far side asked for it."""

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome,
        retry_after: float | None = None,
        status: int | None = None,
        answer: str = "",
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.retry_after = retry_after
        self.status = status
        self.answer = answer
