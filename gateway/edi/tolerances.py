"""What a reader may put up with, and how much it takes in: two frozen values that an agreement chooses.

A deviation is legal (read), noted (read, with a harmless finding) or tolerated (read only under a switch here).
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True, slots=True)
class Tolerances:
    """Named switches, all off: each turns one rejecting finding into a note."""

    collapsed_isa: bool = False
    """ISA elements without their fixed widths."""
    wrapped_lines: bool = False
    """Line breaks inside segments, as 80-column files have them."""
    indented_segments: bool = False
    """Blanks or tabs before a segment's tag."""
    control_number_zeros: bool = False
    """IEA02, GE02, SE02 that differ from their header only in leading zeros."""

    @classmethod
    def named(cls, *names: str) -> Tolerances:
        """Switches by name; raises ValueError for a name that does not exist."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(names) - known)
        if unknown:
            raise ValueError(f"no tolerance is named {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        return cls(**dict.fromkeys(names, True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds on what one file may make us hold; what exceeds them is refused with a finding or a PartnerFault."""

    segment: int = 1 << 20
    """Bytes in one segment; in BIN and BDS, what a message may have."""
    message: int = 64 << 20
    """Bytes in one transaction set: the set is what memory holds."""
    findings: int = 100
    """Findings kept per transaction set, and per envelope level."""
    depth: int = 64
    """Levels of HL nesting."""
