"""The service characters of an interchange, as its ISA or UNA declares them.

X12.5: ISA is 106 bytes; element separator at offset 3, component separator at 104, terminator at 105.
ISO 9735: UNA names component, element, decimal mark, release, repetition (blank before syntax 4) and terminator.
All are single ASCII bytes here: a separator outside ASCII would cut letters of the charset in two.
"""

from __future__ import annotations

from dataclasses import dataclass

REPETITION_FROM = "00402"
"""ISA11 is a repetition separator from this ISA12 on; before, it names the standard (`U`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delimiters:
    """Separators as one-character strings; `repetition` and `release` are None where there is none."""

    element: str = "*"
    component: str = ">"
    segment: str = "~"
    repetition: str | None = None
    release: str | None = None
    """EDIFACT's `?`: the next character is data. X12 has none."""
    decimal: str = "."

    @property
    def all(self) -> str:
        """Every service character: none may stand in X12 data, each is released in EDIFACT data."""
        return self.element + self.component + self.segment + (self.repetition or "") + (self.release or "")


STANDARD = Delimiters()
EDIFACT = Delimiters(element="+", component=":", segment="'", release="?")
EDIFACT_4 = Delimiters(element="+", component=":", segment="'", release="?", repetition="*")
"""Without UNA: ISO 9735 level A and B characters; syntax 4 has a repetition separator."""


def repetition_of(isa11: str, isa12: str) -> str | None:
    """The repetition separator that ISA11 declares, if this version has one and it can be one."""
    # X12.5 from 00402: ISA11 is the separator; a letter, digit or blank there is the old standard's name.
    # An ISA that was cut by its separators may have any ISA11; what is not one ASCII character cannot be one either.
    if isa12 < REPETITION_FROM or len(isa11) != 1 or not isa11.isascii() or isa11.isalnum() or isa11.isspace():
        return None
    return isa11


def refusals(delimiters: Delimiters) -> list[tuple[str, str, str]]:
    """Why these characters cannot be delimiters: (which one, what it is, the TA105 code), empty when they can."""
    named = [
        ("element separator", delimiters.element, "026"),
        ("component separator", delimiters.component, "027"),
        ("segment terminator", delimiters.segment, "004"),
    ]
    if delimiters.repetition is not None:
        named.append(("repetition separator", delimiters.repetition, "022"))
    refused: list[tuple[str, str, str]] = []
    seen: dict[str, str] = {}
    for name, character, code in named:
        if not character:
            refused.append((name, "nothing", code))
        elif character.isalnum() or character == " " or not character.isascii():
            refused.append((name, f"{character!r}, which occurs in data", code))
        elif character in seen:
            refused.append((name, f"{character!r}, which is the {seen[character]} too", code))
        seen[character] = name
    return refused
