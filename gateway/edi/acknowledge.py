"""Acknowledgments: verdicts and findings in, 997 trees and TA1 segments out; and theirs read back into frozen values.

Codes stand in the findings, which have them from `rules`. Never acknowledges an acknowledgment; an unknown set is
answered like any other, with a rejection. Knows nothing of partners, maps or storage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from gateway.edi.interchange import Group, Interchange, InterchangeEnd
from gateway.edi.library import Guides
from gateway.edi.rules import finding
from gateway.edi.tree import Loop, Message, Segment, Verdict, simple
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace, Finding, Severity

FUNCTIONAL_ACKNOWLEDGMENT = "FA"
"""GS01 of groups that are never acknowledged."""

# Verdict to 717 (AK501) and 715 (AK901).
SET_CODES = {Verdict.ACCEPTED: "A", Verdict.ACCEPTED_WITH_ERRORS: "E", Verdict.REJECTED: "R"}
ACCEPTING = frozenset("AE")
"""Verdict codes under which a set counts as accepted; all others (M R W X) refuse it."""
PARTLY = "P"
MAXIMUM_CODES = 5
"""How many codes AK5 and AK9 have room for."""
MAXIMUM_ELEMENTS = 99
"""AK4 segments per AK3."""
LAST_POSITION = 999_999
"""Element 719 has six digits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementError:
    """An AK4: what is said to be wrong with one element."""

    element: int
    component: int | None
    number: str
    code: str
    said: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentError:
    """An AK3 with its AK4s."""

    tag: str
    position: int
    loop: str
    code: str
    elements: tuple[ElementError, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAcknowledgment:
    """An AK2 loop: the verdict on one transaction set. `outcome` is AK501: A E M R W X."""

    type: str
    control_number: str
    outcome: str
    codes: tuple[str, ...]
    errors: tuple[SegmentError, ...]

    @property
    def accepted(self) -> bool:
        """Whether the far side took the set."""
        return self.outcome in ACCEPTING


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionalAcknowledgment:
    """A 997: the verdict on one group that we sent. `outcome` is AK901: A E P M R W X.

    `sets` may be empty: then the group's verdict holds for each of its sets.
    """

    functional_id: str
    group_control_number: str
    outcome: str
    included: int
    received: int
    accepted: int
    codes: tuple[str, ...]
    sets: tuple[SetAcknowledgment, ...]

    def outcome_of(self, control_number: str) -> str:
        """The verdict code for the set with this ST02; the group's own where it is not listed (R under P)."""
        for one in self.sets:
            if one.control_number == control_number or one.control_number.lstrip("0") == control_number.lstrip("0"):
                return one.outcome
        # P says that some were refused; a set that it does not name is not known to be taken.
        return "R" if self.outcome == PARTLY else self.outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class InterchangeAcknowledgment:
    """A TA1. `outcome` is A, E or R; `code` is the note code, 000 for none; date and time are those of our ISA."""

    control_number: str
    date: str
    time: str
    outcome: str
    code: str


def compose_997(group: Group, *, guides: Guides) -> Loop | None:
    """The tree of a 997 that answers `group`; None for a group of acknowledgments.

    Each set is named, with the segments and elements that the findings name. Notes are not reported.
    """
    if group.functional_id == FUNCTIONAL_ACKNOWLEDGMENT:
        return None
    loops = [_set(message, guides) for message in group.messages]
    accepted = sum(message.outcome is not Verdict.REJECTED for message in group.messages)
    received = len(group.messages)
    outcome = SET_CODES[group.outcome]
    if 0 < accepted < received and group.outcome is not Verdict.REJECTED:
        outcome = PARTLY
    included = received if group.declared is None else min(group.declared, LAST_POSITION)
    codes = _codes(one.codes.ak905 for one in _grave(group.findings))
    functional_id = group.functional_id if len(group.functional_id) == len(FUNCTIONAL_ACKNOWLEDGMENT) else "ZZ"
    number = group.control_number if group.control_number.isascii() and group.control_number.isdigit() else "0"
    head = Segment("AK1", [functional_id, number[:9]])
    tail = Segment("AK9", [outcome, str(included), str(received), str(accepted), *codes])
    return Loop("", [head, *loops, tail])


def _set(message: Message, guides: Guides) -> Loop:
    findings = _grave(message.findings)
    number = message.control_number if 4 <= len(message.control_number) <= 9 else message.control_number[:9].zfill(4)  # noqa: PLR2004  element 329
    kind = message.type if len(message.type) == 3 else message.type[:3].zfill(3)  # noqa: PLR2004  element 143
    loop = Loop("AK2", [Segment("AK2", [kind, number])])
    # 721 and 719 are mandatory in AK3: what has no segment is told by AK5 alone.
    placed = [one for one in findings if isinstance(one.place, EdiPlace) and one.place.tag and one.codes.ak304]
    placed.sort(key=_segment_key)
    for key, found in groupby(placed, key=_segment_key):
        loop.children.append(_segment(key, list(found), message, guides))
    codes = _codes(one.codes.ak502 for one in findings)
    outcome = message.outcome
    if outcome is Verdict.ACCEPTED and findings:
        outcome = Verdict.ACCEPTED_WITH_ERRORS
    loop.children.append(Segment("AK5", [SET_CODES[outcome], *codes]))
    return loop


def _segment_key(one: Finding) -> tuple[int, str, str]:
    place = one.place
    assert isinstance(place, EdiPlace)
    return place.segment or 0, place.tag or "", one.codes.ak304 or ""


def _segment(key: tuple[int, str, str], found: list[Finding], message: Message, guides: Guides) -> Loop:
    position, tag, code = key
    # 721 has two or three characters; what stood there may have been anything.
    name = tag[:3] if len(tag) > 1 and tag.isascii() and tag.isalnum() else "ZZZ"
    loop = Loop("AK3", [Segment("AK3", [name, str(min(position, LAST_POSITION)), "", code])])
    guide = guides.find(message.version, message.type)
    spec = None if guide is None else next((one for one in guide.segments() if one.tag == tag), None)
    for one in sorted(found, key=_element_key)[:MAXIMUM_ELEMENTS]:
        place = one.place
        assert isinstance(place, EdiPlace)
        if one.codes.ak403 is None or place.element is None or place.element > 99:  # noqa: PLR2004  element 722
            continue
        number = ""
        if spec is not None and place.element <= len(spec.elements):
            element = spec.elements[place.element - 1]
            if place.component and place.component <= len(element.components):
                element = element.components[place.component - 1]
            number = element.number if element.number.isdigit() else ""
        at = str(place.element) if place.component is None else (str(place.element), str(place.component))
        copy = _copy(one)
        loop.children.append(Segment("AK4", [at, number, one.codes.ak403, *([copy] if copy else [])]))
    return loop


def _element_key(one: Finding) -> tuple[int, int]:
    place = one.place
    assert isinstance(place, EdiPlace)
    return place.element or 0, place.component or 0


def _copy(one: Finding) -> str:
    """AK404: the data in error where it was quoted, without what could be a delimiter."""
    if one.rule == "edi.element.charset" or not (one.said.startswith('"') and one.said.endswith('"')):
        return ""
    return "".join(c for c in one.said[1:-1] if c.isascii() and (c.isalnum() or c in " .,-/_")).strip()


def _grave(findings: Iterable[Finding]) -> list[Finding]:
    return [one for one in findings if one.severity is not Severity.ACCEPT]


def _codes(codes: Iterable[str | None]) -> list[str]:
    """Distinct codes in order, as many as there is room for."""
    return list(dict.fromkeys(code for code in codes if code))[:MAXIMUM_CODES]


def wants_997(interchange: Interchange | InterchangeEnd, group: Group) -> bool:
    """Whether a 997 is due: never for acknowledgments, and not where the TA1 refuses the whole interchange."""
    return group.functional_id != FUNCTIONAL_ACKNOWLEDGMENT and interchange.envelope is not Verdict.REJECTED


def wants_ta1(interchange: Interchange | InterchangeEnd) -> bool:
    """Whether a TA1 is due: ISA14 asks for one, or the envelope is not simply accepted."""
    asked = interchange.ack_requested if isinstance(interchange, Interchange) else interchange.start.ack_requested
    return asked or interchange.envelope is not Verdict.ACCEPTED


def compose_ta1(interchange: Interchange | InterchangeEnd) -> Segment:
    """The TA1 segment that answers an interchange: its number, date and time, and what the envelope deserves."""
    start = interchange if isinstance(interchange, Interchange) else interchange.start
    codes = _codes(one.codes.ta105 for one in _grave(interchange.findings))
    return Segment(
        "TA1",
        [
            _digits(start.control_number, 9),
            _digits(start.date, 6),
            _digits(start.time, 4),
            SET_CODES[interchange.envelope],
            codes[0] if codes else "000",
        ],
    )


def _digits(text: str, length: int) -> str:
    """What was sent where it is a number of that length; zeros where it is not, for the TA1 must be readable."""
    return text.zfill(length) if text.isascii() and text.isdigit() and len(text) <= length else "0" * length


def read_997(message: Message) -> FunctionalAcknowledgment:
    """The far side's verdict from a checked 997. Raises PartnerFault when AK1 or AK9 cannot be read."""
    head = tail = None
    sets: list[SetAcknowledgment] = []
    for child in message.root.children:
        if isinstance(child, Loop):
            if child.name == "AK2":
                sets.append(_read_set(child))
        elif child.tag == "AK1":
            head = child
        elif child.tag == "AK9":
            tail = child
    if head is None or tail is None or not head.text(2) or not tail.text(1):
        place = EdiPlace(message=message.control_number, tag="AK1" if head is None or not head.text(2) else "AK9")
        wanted = "AK1 with the group's number and AK9 with a verdict"
        found = finding("edi.acknowledgment.unreadable", place, said="", wanted=wanted)
        raise PartnerFault(found.text, findings=(found,))
    return FunctionalAcknowledgment(
        functional_id=head.text(1),
        group_control_number=head.text(2),
        outcome=tail.text(1),
        included=_number(tail.text(2)),
        received=_number(tail.text(3)),
        accepted=_number(tail.text(4)),
        codes=_texts(tail, 5),
        sets=tuple(sets),
    )


def _read_set(loop: Loop) -> SetAcknowledgment:
    head = loop.children[0] if loop.children and isinstance(loop.children[0], Segment) else Segment("AK2", [])
    verdict = Segment("AK5", [])
    errors: list[SegmentError] = []
    for child in loop.children[1:]:
        if isinstance(child, Loop):
            errors.append(_read_segment(child))
        elif child.tag == "AK5":
            verdict = child
    return SetAcknowledgment(
        type=head.text(1),
        control_number=head.text(2),
        outcome=verdict.text(1) or "R",
        codes=_texts(verdict, 2),
        errors=tuple(errors),
    )


def _read_segment(loop: Loop) -> SegmentError:
    segments = [child for child in loop.children if isinstance(child, Segment)]
    head = segments[0] if segments and segments[0].tag == "AK3" else Segment("AK3", [])
    elements: list[ElementError] = []
    for one in segments:
        if one.tag != "AK4":
            continue
        position = simple(one.elements[0] if one.elements else "")
        parts = (position,) if isinstance(position, str) else position
        component = _number(parts[1]) if len(parts) > 1 else None
        elements.append(
            ElementError(
                element=_number(parts[0]),
                component=component,
                number=one.text(2),
                code=one.text(3),
                said=one.text(4),
            )
        )
    return SegmentError(
        tag=head.text(1),
        position=_number(head.text(2)),
        loop=head.text(3),
        code=head.text(4),
        elements=tuple(elements),
    )


def read_ta1(segment: Segment) -> InterchangeAcknowledgment:
    """The far side's verdict on an interchange; what is absent is empty text."""
    return InterchangeAcknowledgment(
        control_number=segment.text(1),
        date=segment.text(2),
        time=segment.text(3),
        outcome=segment.text(4),
        code=segment.text(5),
    )


def _texts(segment: Segment, first: int) -> tuple[str, ...]:
    return tuple(segment.text(index) for index in range(first, len(segment.elements) + 1) if segment.text(index))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0  # noqa: PLR2004  the longest count
