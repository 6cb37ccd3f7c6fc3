"""What the far side says of what we sent, read from their 997, 999 or TA1 into frozen values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.edi.rules import finding
from gateway.edi.tree import Loop, Message, Segment, simple
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace

ACCEPTING = frozenset("AE")
"""Verdict codes under which a set counts as accepted; all others (M R W X) refuse it."""
PARTLY = "P"


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementError:
    """An AK4 or IK4: what is said to be wrong with one element."""

    element: int
    component: int | None
    number: str
    code: str
    said: str
    repeat: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentError:
    """An AK3 or IK3 with its elements."""

    tag: str
    position: int
    loop: str
    code: str
    elements: tuple[ElementError, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAcknowledgment:
    """An AK2 loop: the verdict on one transaction set. `outcome` is AK501 or IK501: A E M R W X."""

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
    """A 997 or 999: the verdict on one group that we sent. `outcome` is AK901: A E P M R W X.

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


def read_997(message: Message) -> FunctionalAcknowledgment:
    """The far side's verdict from a checked 997. Raises PartnerFault when AK1 or AK9 cannot be read."""
    return _read(message)


def read_999(message: Message) -> FunctionalAcknowledgment:
    """The far side's verdict from a checked 999. Raises PartnerFault when AK1 or AK9 cannot be read."""
    return _read(message)


def _read(message: Message) -> FunctionalAcknowledgment:
    head = tail = None
    sets: list[SetAcknowledgment] = []
    for child in message.root.children:
        if isinstance(child, Loop):
            if child.name == "AK2":
                sets.append(_set(child))
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
        included=number_of(tail.text(2)),
        received=number_of(tail.text(3)),
        accepted=number_of(tail.text(4)),
        codes=_texts(tail, 5),
        sets=tuple(sets),
    )


def _set(loop: Loop) -> SetAcknowledgment:
    head, verdict = Segment("AK2", []), Segment("AK5", [])
    errors: list[SegmentError] = []
    for child in loop.children:
        if isinstance(child, Loop):
            errors.append(_segment(child))
        elif child.tag == "AK2":
            head = child
        elif child.tag in ("AK5", "IK5"):
            verdict = child
    return SetAcknowledgment(
        type=head.text(1),
        control_number=head.text(2),
        outcome=verdict.text(1) or "R",
        codes=_texts(verdict, 2),
        errors=tuple(errors),
    )


def _segment(loop: Loop) -> SegmentError:
    head = Segment("AK3", [])
    elements: list[ElementError] = []
    for one in _flat(loop):
        if one.tag in ("AK3", "IK3"):
            head = one
        elif one.tag in ("AK4", "IK4"):
            elements.append(_element(one))
    return SegmentError(
        tag=head.text(1),
        position=number_of(head.text(2)),
        loop=head.text(3),
        code=head.text(4),
        elements=tuple(elements),
    )


def _flat(loop: Loop) -> Iterator[Segment]:
    """The segments of a loop and of those in it: in a 999 an IK4 has its contexts below it."""
    for child in loop.children:
        if isinstance(child, Segment):
            yield child
        else:
            yield from (inner for inner in child.children if isinstance(inner, Segment))


def _element(segment: Segment) -> ElementError:
    parts = components_of(segment, 1)
    return ElementError(
        element=number_of(parts[0]),
        component=_optional(parts, 1),
        number=segment.text(2),
        code=segment.text(3),
        said=segment.text(4),
        repeat=_optional(parts, 2),
    )


def components_of(segment: Segment, element: int) -> tuple[str, ...]:
    """The components of an element, of repeats the first; one empty text where it is absent."""
    value = simple(segment.elements[element - 1]) if element <= len(segment.elements) else ""
    return (value,) if isinstance(value, str) else value


def _optional(parts: tuple[str, ...], index: int) -> int | None:
    return number_of(parts[index]) if len(parts) > index and parts[index] else None


def _texts(segment: Segment, first: int) -> tuple[str, ...]:
    return tuple(segment.text(index) for index in range(first, len(segment.elements) + 1) if segment.text(index))


def number_of(text: str) -> int:
    """A count or position as sent; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0  # noqa: PLR2004  element 719
