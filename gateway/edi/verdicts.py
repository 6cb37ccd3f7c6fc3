"""Verdicts as an acknowledgment needs them: small and bounded, kept in a file that somebody else opened.

An acknowledgment is written when the trailers were read, for a refused group or interchange takes its sets with it;
until then only what it will say of each set is kept, one line a set, so that a million sets need no memory.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from gateway.edi.interchange import Group, GroupEnd
from gateway.edi.rules import RULES
from gateway.edi.tree import Message, Verdict, verdict_of
from gateway.findings import Codes, EdiPlace, Finding, Severity

MOST_FINDINGS = 120
"""Findings kept of one set; more than a reader's own limit."""
SLOT = 1024
"""Bytes kept free at the beginning of a group for what is known only at its end."""
_LONGEST = 35
"""Characters kept of a header's value: the longest that any acknowledgment repeats."""
_UNSAFE = re.compile(r"[^ -~]")
_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


@dataclass(frozen=True, kw_only=True, slots=True)
class SetVerdict:
    """What became of one transaction set or message. `findings` are without notes."""

    type: str
    version: str
    control_number: str
    association: str
    agency: str
    outcome: Verdict
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupVerdict:
    """What became of one group. In an EDIFACT interchange without UNG, `control_number` is empty."""

    functional_id: str
    sender: str
    receiver: str
    control_number: str
    version: str
    declared: int | None
    received: int
    accepted: int
    outcome: Verdict
    refused: bool
    """Its own findings refuse it, and its sets with it."""
    findings: tuple[Finding, ...] = ()


def grave(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings without the notes: what an acknowledgment reports."""
    return tuple(one for one in findings if one.severity is not Severity.ACCEPT)


def of_message(message: Message) -> SetVerdict:
    """The verdict on one set, as it stands when the set was read."""
    return SetVerdict(
        type=message.type[:_LONGEST],
        version=message.version[:_LONGEST],
        control_number=message.control_number[:_LONGEST],
        association=message.association[:_LONGEST],
        agency=message.agency[:_LONGEST],
        outcome=message.outcome,
        findings=grave(message.findings)[:MOST_FINDINGS] if message.findings else (),
    )


def of_group(group: Group) -> GroupVerdict:
    """The verdict on a group that was put together."""
    return GroupVerdict(
        functional_id=group.functional_id,
        sender=group.sender,
        receiver=group.receiver,
        control_number=group.control_number,
        version=group.version,
        declared=group.declared,
        received=len(group.messages),
        accepted=sum(message.outcome is not Verdict.REJECTED for message in group.messages),
        outcome=group.outcome,
        refused=verdict_of(group.findings) is Verdict.REJECTED,
        findings=grave(group.findings),
    )


def of_end(end: GroupEnd) -> GroupVerdict:
    """The verdict on a group whose end was read."""
    refused = verdict_of(end.findings) is Verdict.REJECTED
    return GroupVerdict(
        functional_id=_kept(end.start.functional_id),
        sender=_kept(end.start.sender),
        receiver=_kept(end.start.receiver),
        control_number=_kept(end.start.control_number),
        version=_kept(end.start.version),
        declared=end.declared,
        received=end.received,
        accepted=0 if refused else end.accepted,
        outcome=end.outcome,
        refused=refused,
        findings=grave(end.findings),
    )


def _kept(text: str) -> str:
    """A header's value in few bytes: an acknowledgment repeats printable ASCII only."""
    return _UNSAFE.sub(".", text[:_LONGEST])


class Ledger:
    """The verdicts of one interchange, group by group. Written while it is read, read when it has ended.

    `spill` is open for reading and writing and belongs to the ledger until it is no longer used (a
    `tempfile.SpooledTemporaryFile`); without it, memory holds everything.
    """

    def __init__(self, spill: BinaryIO | None = None) -> None:
        self._file = io.BytesIO() if spill is None else spill
        self.clear()

    def clear(self) -> None:
        """Forget everything: another interchange begins."""
        self._file.seek(0)
        self._file.truncate()
        self._open: int | None = None
        self._end = 0
        self.groups_used = False
        """Whether any group has a number: in EDIFACT, whether there is an UNG."""
        self.refused = False
        """Whether any set is, acknowledgments apart."""
        self.types: set[bool] = set()
        """Whether messages are acknowledgments themselves: True, False, both, or nothing came."""

    def open_group(self) -> None:
        """A group begins."""
        self._open = self._end
        self._write(b" " * (SLOT - 1) + b"\n")

    def add(self, message: Message, *, service: bool = False) -> None:
        """A set was read. `service`: it is a CONTRL, a 997 or a 999 itself."""
        self.types.add(service)
        one = of_message(message)
        self.refused = self.refused or (one.outcome is Verdict.REJECTED and not service)
        row: list[Any] = [one.type, one.version, one.control_number, one.association, one.agency, one.outcome.value]
        if one.findings:
            row.append([_row(found) for found in one.findings])
        self._write(_encode(row).encode() + b"\n")

    def close_group(self, end: GroupEnd) -> None:
        """A group ended; its verdict goes where it begins."""
        if self._open is None:
            return
        verdict = of_end(end)
        self.groups_used = self.groups_used or bool(verdict.control_number)
        values = asdict(verdict)
        found = [_row(one, said=False) for one in verdict.findings[:9]]
        values["end"] = self._end
        while True:
            values["findings"] = found
            line = _encode(values).encode()
            if len(line) < SLOT:
                break
            # What does not fit is told by what stands before it: the codes of a group are few.
            found.pop()
        self._file.seek(self._open)
        self._file.write(line.ljust(SLOT - 1) + b"\n")
        self._file.seek(self._end)
        self._open = None

    def groups(self) -> Iterator[tuple[GroupVerdict, Iterator[SetVerdict]]]:
        """The groups that ended, in order, each with its sets; read the sets of one before the next."""
        at = 0
        stop = self._end if self._open is None else self._open
        while at < stop:
            self._file.seek(at)
            values = _decode(self._file.read(SLOT).decode())
            end: int = values.pop("end")
            values["findings"] = tuple(_finding(row) for row in values["findings"])
            values["outcome"] = Verdict(values["outcome"])
            yield GroupVerdict(**values), self._sets(at + SLOT, end)
            at = end

    def _sets(self, at: int, end: int) -> Iterator[SetVerdict]:
        self._file.seek(at)
        while at < end:
            line = self._file.readline()
            at += len(line)
            kind, version, number, association, agency, outcome, *found = _decode(line.decode())
            yield SetVerdict(
                type=kind,
                version=version,
                control_number=number,
                association=association,
                agency=agency,
                outcome=Verdict(outcome),
                findings=tuple(_finding(row) for row in found[0]) if found else (),
            )

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._end += len(data)


def _row(found: Finding, *, said: bool = True) -> list[Any]:
    place = found.place
    where = (
        (place.segment, place.tag and place.tag[:_LONGEST], place.element, place.component, place.repeat)
        if isinstance(place, EdiPlace)
        else (None,) * 5
    )
    own = RULES[found.rule].codes if found.rule in RULES else None
    codes = None if found.codes == own else {key: code for key, code in asdict(found.codes).items() if code}
    return [found.rule, found.severity.value, *where, found.said if said else "", codes]


def _finding(row: list[Any]) -> Finding:
    rule, severity, segment, tag, element, component, repeat, said, codes = row
    return Finding(
        rule=rule,
        place=EdiPlace(segment=segment, tag=tag, element=element, component=component, repeat=repeat),
        said=said,
        wanted="",
        fix="",
        severity=Severity(severity),
        codes=RULES[rule].codes if codes is None else Codes(**codes),
    )
