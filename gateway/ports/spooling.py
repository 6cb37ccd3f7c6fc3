"""What is too large for memory, on its way into the store and out of it."""

from __future__ import annotations

from typing import Protocol

from gateway.as2.octets import Scratch, Source

IN_MEMORY = 1024 * 1024
"""Octets up to which a body is held in memory; what is larger is spooled while it comes."""

__all__ = ["IN_MEMORY", "Scratch", "Source", "Spooled"]


class Spooled(Scratch, Protocol):
    """A file that a body is written to as it comes. It is there until it is discarded, or nobody holds it any more.

    The store keeps it when a message that is stored has it as its payload or its raw octets; discarding it then costs
    the store nothing.
    """

    @property
    def sha256(self) -> str:
        """Of all that was written, as hex."""

    def discard(self) -> None:
        """Remove the file now, but for what the store keeps. It blocks for a moment."""
