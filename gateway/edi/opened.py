"""What is open while an interchange is read: the service segments' names, a message's head, a group, a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.edi.interchange import GroupStart
from gateway.edi.numbers import Seen
from gateway.edi.segments import Mark, Run
from gateway.edi.tree import Verdict
from gateway.findings import Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Tags:
    """The service segments by what they do."""

    start: str
    end: str
    group: str
    group_end: str
    message: str
    message_end: str
    group_number: int
    """The element of the group's header with its control number."""
    message_number: int


class Head(NamedTuple):
    """What ST or UNH says, and what is wrong with it."""

    type: str
    version: str
    control_number: str
    association: str
    agency: str
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class OpenGroup:
    """A group while it is read."""

    start: GroupStart
    findings: list[Finding]
    implicit: bool = False
    """EDIFACT messages that stand in no group."""
    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    numbers: Seen = field(default_factory=Seen)

    @property
    def received(self) -> int:
        """Messages so far."""
        return sum(self.verdicts.values())


@dataclass(slots=True)
class OpenMessage:
    """A message while its segments come."""

    mark: Mark
    """Its ST or UNH."""
    parts: list[Run | Mark] = field(default_factory=list)
    size: int = 0
    """What is held of it, in bytes."""


def joined(parts: list[Run | Mark]) -> list[Run | Mark]:
    """Runs that follow each other as one: chunks of a file end anywhere."""
    if len(parts) == 1:
        return parts
    joined: list[Run | Mark] = []
    runs: list[Run] = []
    for part in [*parts, None]:
        if isinstance(part, Run):
            runs.append(part)
            continue
        if runs:
            joined.append(Run(b"".join(run.raw for run in runs), runs[0].offset, runs[-1].ends_with_release))
            runs = []
        if part is not None:
            joined.append(part)
    return joined
