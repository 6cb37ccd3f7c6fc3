"""The answers to a file while it is read: TA1, 997 or 999, CONTRL, without holding a set or an answer.

Verdicts go to a ledger as the sets come; an interchange is answered when its trailer was judged, for that may refuse
what was read before. An answer is a stream of segments, written in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import BinaryIO, Literal

from gateway.edi.acknowledge import contrl, functional
from gateway.edi.acknowledge.ta1 import compose_ta1, wants_ta1
from gateway.edi.interchange import Event, GroupEnd, GroupStart, InterchangeEnd, InterchangeStart
from gateway.edi.library import Guides
from gateway.edi.tree import Loop, Message, Segment, Verdict, walk
from gateway.edi.verdicts import GroupVerdict, Ledger, SetVerdict
from gateway.errors import PartnerFault

SERVICE = frozenset({"997", "999", contrl.SERVICE_MESSAGE})
"""Acknowledgments: never answered, and never the reason to refuse others."""
PIECE = 2_000
"""Segments that are written at once."""
_SENT_IN = {"997": "004010", "999": functional.IMPLEMENTATION_FROM}
"""What an answer is sent in when its group's version has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """What an agreement decides about acknowledgments."""

    implementation: bool = False
    """A 999 rather than a 997 for groups in 005010 and later."""
    version: str | None = None
    """GS08 of our 997 and 999; the group's own version when None and there is a guide for it."""
    contrl: bool = False
    """A CONTRL for every interchange, whether UNB 0031 asks or not."""
    every_message: bool = False
    """Name in a CONTRL the messages that are simply acknowledged, too."""
    receipt: bool = False
    """A CONTRL that says only that the interchange came."""
    partial: Literal["set", "group", "interchange"] = "set"
    """What a refused set takes with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Acknowledgment:
    """One answer. Its segments are to be read before the next answer is asked for, and once."""

    kind: str
    """TA1, 997, 999, CONTRL."""
    version: str
    """GS08 to send it in, 0052 and 0054 in one of a CONTRL (D3, 41); of a TA1 the ISA12 it answers."""
    answers: str
    """The control number of the interchange or group that it answers."""
    outcome: Verdict
    segments: Iterator[Segment]
    """Without ST and SE, UNH and UNT."""


def stream(
    events: Iterable[Event], *, guides: Guides, spill: BinaryIO | None = None, choices: Choices | None = None
) -> Iterator[Acknowledgment]:
    """The answers to a file from the events of reading it, interchange by interchange.

    `spill` holds the verdicts of one interchange (see `verdicts.Ledger`). A PartnerFault of the reader refuses the
    interchange it stands in; that is answered, then it is raised.
    """
    ledger = Ledger(spill)
    chosen = choices or Choices()
    start: InterchangeStart | None = None
    groups = 0
    try:
        for event in events:
            match event:
                case InterchangeStart():
                    start, groups = event, 0
                    ledger.clear()
                case GroupStart():
                    groups += 1
                    ledger.open_group()
                case Message():
                    ledger.add(event, service=event.type in SERVICE)
                case GroupEnd():
                    ledger.close_group(event)
                case InterchangeEnd():
                    start = None
                    yield from _answers(event, ledger, guides, chosen)
                case _:
                    pass
    except PartnerFault as fault:
        if start is not None:
            end = InterchangeEnd(
                start=start,
                groups=groups,
                findings=(*start.findings, *fault.findings),
                outcome=Verdict.REJECTED,
                envelope=Verdict.REJECTED,
            )
            yield from _answers(end, ledger, guides, chosen)
        raise


def enclosed(answer: Acknowledgment, control_number: str) -> Iterator[Segment]:
    """The answer from ST to SE or UNH to UNT, counted. A TA1 stands alone."""
    if answer.kind == "TA1":
        yield from answer.segments
        return
    head, tail = ("UNH", "UNT") if answer.kind == "CONTRL" else ("ST", "SE")
    if answer.kind == "CONTRL":
        split = (answer.version[0], answer.version[1:])
        yield Segment(head, [control_number, (answer.kind, *split, "UN")])
    else:
        yield Segment(head, [answer.kind, control_number])
    count = 1
    for segment in answer.segments:
        count += 1
        yield segment
    yield Segment(tail, [str(count + 1), control_number])


def written(segments: Iterable[Segment], write: Callable[[list[Segment]], bytes]) -> Iterator[bytes]:
    """Segments as bytes, some at a time; `write` knows delimiters and charset."""
    rest = iter(segments)
    while piece := list(islice(rest, PIECE)):
        yield write(piece)


def _answers(end: InterchangeEnd, ledger: Ledger, guides: Guides, choices: Choices) -> Iterator[Acknowledgment]:
    if end.start.standard == "edifact":
        if contrl.wants_contrl(end, agreed=choices.contrl) and ledger.types != {True}:
            yield _contrl(end, ledger, choices)
        return
    if wants_ta1(end):
        yield Acknowledgment(
            kind="TA1",
            version=end.start.version,
            answers=end.start.control_number,
            outcome=end.envelope,
            segments=iter([compose_ta1(end)]),
        )
    if end.envelope is not Verdict.REJECTED:
        for group, sets in _groups(ledger, choices):
            if group.functional_id != functional.FUNCTIONAL_ACKNOWLEDGMENT:
                yield _functional(group, sets, guides, choices)


def _functional(group: GroupVerdict, sets: Iterator[SetVerdict], guides: Guides, choices: Choices) -> Acknowledgment:
    version = choices.version
    kind = functional.functional_kind(group.version, implementation=choices.implementation, sent_in=version)
    if version is None:
        version = group.version if guides.find(group.version, kind) is not None else _SENT_IN[kind]
    inner = functional.children(group, sets, guides=guides, kind=kind, version=version)
    return Acknowledgment(
        kind=kind, version=version, answers=group.control_number, outcome=group.outcome, segments=_flat(inner)
    )


def _contrl(end: InterchangeEnd, ledger: Ledger, choices: Choices) -> Acknowledgment:
    options = contrl.Options(
        every_message=choices.every_message, receipt=choices.receipt, groups_used=ledger.groups_used
    )
    return Acknowledgment(
        kind="CONTRL",
        version="41" if contrl.syntax_of(end.start) == 4 else "D3",  # noqa: PLR2004  syntax versions
        answers=end.start.control_number,
        outcome=end.outcome,
        segments=_flat(contrl.children(end, _groups(ledger, choices), options)),
    )


def _groups(ledger: Ledger, choices: Choices) -> Iterator[tuple[GroupVerdict, Iterator[SetVerdict]]]:
    """The groups with their sets; refused where the agreement lets a refused set take them along."""
    for group, sets in ledger.groups():
        broken = ledger.refused if choices.partial == "interchange" else group.accepted < group.received
        if broken and choices.partial != "set":
            yield replace(group, refused=True, accepted=0, outcome=Verdict.REJECTED), sets
        else:
            yield group, sets


def _flat(children: Iterable[Segment | Loop]) -> Iterator[Segment]:
    return chain.from_iterable(
        (child,) if isinstance(child, Segment) else (segment for _, segment, _ in walk(child)) for child in children
    )
