"""How an EDIFACT interchange is written: syntax identifier and version, service characters, charset, UNA (ISO 9735).

What no reader could understand is our fault, not a partner's: it is refused before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.edi.delimiters import EDIFACT, EDIFACT_4, Delimiters
from gateway.edi.repertoires import charset_of, repertoire_of
from gateway.edi.writing import Writer
from gateway.errors import OurFault

REPETITION_FROM = 4
"""The syntax version that has a repetition separator, long dates (0017) and longer elements in UNB."""


class Una(StrEnum):
    """When the service string advice is written."""

    ALWAYS = "always"
    NEEDED = "needed"
    """Where the delimiters are not those that the syntax has without it."""
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Syntax:
    """S001, and what follows from it for every byte of the interchange."""

    identifier: str = "UNOC"
    """0001: names the character repertoire, UNOA to UNOY."""
    version: int = 3
    """0002: 1 to 4."""
    delimiters: Delimiters | None = None
    """None: those that the version has without UNA."""
    una: Una = Una.NEEDED
    newline: str = ""
    """What follows each terminator: nothing, or line breaks that some partners want to see."""
    charset: str | None = None
    """Where the partner agreed on another one than that of the identifier."""
    strict: bool = True
    """Refuse what the repertoire of UNOA and UNOB lacks; otherwise whatever the charset has is written."""

    @property
    def service(self) -> Delimiters:
        """The service characters in force."""
        return self.delimiters or self._usual

    @property
    def fourth(self) -> bool:
        """Whether this is syntax 4."""
        return self.version >= REPETITION_FROM

    @property
    def _usual(self) -> Delimiters:
        return EDIFACT_4 if self.fourth else EDIFACT

    def writer(self) -> Writer:
        """The writer of such segments. Raises OurFault for a syntax that does not exist or cannot be read."""
        if self.version not in (1, 2, 3, 4):
            raise OurFault(f"there is no EDIFACT syntax {self.version}", remedy="choose 1, 2, 3 or 4")
        if self.service.repetition is not None and not self.fourth:
            raise OurFault(
                f"EDIFACT syntax {self.version} has no repetition separator",
                remedy="choose syntax 4, or delimiters without one",
            )
        return Writer(
            delimiters=self.service,
            charset=self.charset or charset_of(self.identifier),
            newline=self.newline,
            repertoire=repertoire_of(self.identifier, self.version) if self.strict else None,
        )

    def advice(self) -> bytes:
        """UNA, or nothing. Raises OurFault where it is needed and must not be written."""
        service, usual = self.service, self._usual
        if self.fourth:
            # ISO 9735-1:1998 Annex B: the decimal mark that UNA names means nothing.
            usual = replace(usual, decimal=service.decimal)
        if self.una is not Una.ALWAYS and service == usual:
            return b""
        if self.una is Una.NEVER:
            raise OurFault(
                "delimiters other than the usual ones need UNA", remedy="write UNA, or choose the usual ones"
            )
        release, repetition = service.release or " ", service.repetition or " "
        characters = [service.component, service.element, service.decimal, release, repetition, service.segment]
        return ("UNA" + "".join(characters) + self.newline).encode("ascii")
