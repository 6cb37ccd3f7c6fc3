"""What an EDI file is made of, as frozen values: the events of a stream, and whole interchanges with final verdicts.

The words are X12's; EDIFACT's UNB, UNG and UNH say the same. EDIFACT messages outside any UNG stand in one group
without a control number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.edi.delimiters import Delimiters
from gateway.edi.tree import Message, Segment, Verdict, verdict_of
from gateway.errors import PartnerFault
from gateway.findings import Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class InterchangeStart:
    """An ISA or UNB. Identifiers are without padding; date and time as sent (YYMMDD or CCYYMMDD, HHMM)."""

    sender_qualifier: str
    sender: str
    receiver_qualifier: str
    receiver: str
    date: str
    time: str
    version: str
    """ISA12, or syntax identifier and version of UNB: `UNOC:3`."""
    control_number: str
    ack_requested: bool
    """ISA14, 0031: a TA1 or CONTRL is wanted."""
    test: bool
    """ISA15 is T, 0035 is 1."""
    delimiters: Delimiters
    offset: int
    findings: tuple[Finding, ...] = ()
    standard: str = "x12"
    charset: str = "utf-8"
    """The Python codec its messages are read with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupStart:
    """A GS or UNG; where EDIFACT has none, everything but `offset` is empty. Date and time as sent."""

    functional_id: str
    """GS01, 0038."""
    sender: str
    receiver: str
    date: str
    time: str
    control_number: str
    version: str
    """GS08 as sent; of UNG D96A."""
    offset: int
    findings: tuple[Finding, ...] = ()
    standard: str = "x12"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ta1:
    """A TA1 of the partner, as a segment for `acknowledge.read_ta1`."""

    segment: Segment
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupEnd:
    """A GE, or where it should have stood. `findings` are all of the group's own; `outcome` counts its sets in."""

    start: GroupStart
    declared: int | None
    """GE01, None when it is missing or no number."""
    received: int
    accepted: int
    """Sets that are not rejected, before a rejection of the group itself."""
    findings: tuple[Finding, ...]
    outcome: Verdict
    end: int = 0
    """Byte offset behind it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InterchangeEnd:
    """An IEA, or where it should have stood. `findings` are all of the envelope's own."""

    start: InterchangeStart
    groups: int
    findings: tuple[Finding, ...]
    outcome: Verdict
    envelope: Verdict
    """What the envelope alone deserves: what a TA1 says."""
    end: int = 0
    """Byte offset behind it."""


Event = InterchangeStart | GroupStart | Message | Ta1 | GroupEnd | InterchangeEnd


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A functional group with its sets; verdicts are final."""

    functional_id: str
    sender: str
    receiver: str
    date: str
    time: str
    control_number: str
    version: str
    declared: int | None
    messages: tuple[Message, ...]
    findings: tuple[Finding, ...]
    outcome: Verdict
    standard: str = "x12"


@dataclass(frozen=True, kw_only=True, slots=True)
class Interchange:
    """An interchange with its groups; verdicts are final: in a rejected one everything is rejected."""

    sender_qualifier: str
    sender: str
    receiver_qualifier: str
    receiver: str
    date: str
    time: str
    version: str
    control_number: str
    ack_requested: bool
    test: bool
    delimiters: Delimiters
    groups: tuple[Group, ...]
    tas: tuple[Ta1, ...]
    findings: tuple[Finding, ...]
    outcome: Verdict
    envelope: Verdict
    """What the envelope alone deserves: what a TA1 says."""
    standard: str = "x12"
    charset: str = "utf-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """A file put together: its interchanges, and what ended the reading before the file's end, if anything did.

    The last interchange is the broken one where its ISA was read: rejected, with the fault among its findings.
    """

    interchanges: tuple[Interchange, ...]
    fault: PartnerFault | None = None


def of_group(findings: Iterable[Finding], sets: Iterable[Message]) -> Verdict:
    """The verdict of a group: what its own findings deserve, with what became of its sets."""
    return with_parts(verdict_of(findings), (one.outcome for one in sets))


def with_parts(own: Verdict, parts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole that deserves `own` by itself: the graver of it and its parts' together."""
    if own is Verdict.REJECTED:
        return own
    together = combined(parts)
    return together if own is Verdict.ACCEPTED or together is Verdict.REJECTED else own


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole from its parts: rejected when all of them are, with errors when any is not accepted."""
    parts = list(verdicts)
    if parts and all(part is Verdict.REJECTED for part in parts):
        return Verdict.REJECTED
    return Verdict.ACCEPTED if all(part is Verdict.ACCEPTED for part in parts) else Verdict.ACCEPTED_WITH_ERRORS


def final_group(end: GroupEnd, messages: list[Message]) -> Group:
    """A group with its sets, once its trailer was judged."""
    start = end.start
    # A group that is refused takes its sets with it.
    if verdict_of(end.findings) is Verdict.REJECTED:
        messages = [replace(message, outcome=Verdict.REJECTED) for message in messages]
    return Group(
        functional_id=start.functional_id,
        sender=start.sender,
        receiver=start.receiver,
        date=start.date,
        time=start.time,
        control_number=start.control_number,
        version=start.version,
        declared=end.declared,
        messages=tuple(messages),
        findings=end.findings,
        outcome=end.outcome,
        standard=start.standard,
    )


def final_interchange(end: InterchangeEnd, groups: list[Group], tas: list[Ta1]) -> Interchange:
    """An interchange with its groups, once its trailer was judged."""
    start = end.start
    if end.envelope is Verdict.REJECTED:
        groups = [
            replace(
                group,
                outcome=Verdict.REJECTED,
                messages=tuple(replace(message, outcome=Verdict.REJECTED) for message in group.messages),
            )
            for group in groups
        ]
    return Interchange(
        sender_qualifier=start.sender_qualifier,
        sender=start.sender,
        receiver_qualifier=start.receiver_qualifier,
        receiver=start.receiver,
        date=start.date,
        time=start.time,
        version=start.version,
        control_number=start.control_number,
        ack_requested=start.ack_requested,
        test=start.test,
        delimiters=start.delimiters,
        groups=tuple(groups),
        tas=tuple(tas),
        findings=end.findings,
        outcome=end.outcome,
        envelope=end.envelope,
        standard=start.standard,
        charset=start.charset,
    )


def put_together(events: Iterable[Event]) -> Whole:
    """A file from its events. A PartnerFault ends it: the interchange it stands in is rejected, the others stay."""
    interchanges: list[Interchange] = []
    groups: list[Group] = []
    messages: list[Message] = []
    tas: list[Ta1] = []
    start: InterchangeStart | None = None
    try:
        for event in events:
            match event:
                case InterchangeStart():
                    start = event
                case Message():
                    messages.append(event)
                case Ta1():
                    tas.append(event)
                case GroupEnd():
                    groups.append(final_group(event, messages))
                    messages = []
                case InterchangeEnd():
                    interchanges.append(final_interchange(event, groups, tas))
                    groups, tas, start = [], [], None
                case _:
                    pass
    except PartnerFault as fault:
        if start is not None:
            end = InterchangeEnd(
                start=start,
                groups=len(groups),
                findings=(*start.findings, *fault.findings),
                outcome=Verdict.REJECTED,
                envelope=Verdict.REJECTED,
            )
            interchanges.append(final_interchange(end, groups, tas))
        return Whole(interchanges=tuple(interchanges), fault=fault)
    return Whole(interchanges=tuple(interchanges))
