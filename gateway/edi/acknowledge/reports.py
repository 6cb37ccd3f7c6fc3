"""What the far side says of an interchange that we sent, read from their CONTRL into frozen values.

Positions are ours: `element` counts the first element after the tag as 1, where S011 says 2.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.edi.acknowledge.answers import components_of, number_of
from gateway.edi.rules import finding
from gateway.edi.tree import Loop, Message, Segment
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace

ACKNOWLEDGING = frozenset("7")
"""0083 under which something counts as taken; 4 refuses, 8 says only that an interchange came."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementReport:
    """An element that is said to be wrong: an UCD, or S011 of an UCI, UCF, UCM. Counted from 1; 0 is not given."""

    code: str
    element: int
    component: int = 0
    repeat: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentReport:
    """An UCS with its UCDs. With code 13 and no elements, something is missing behind `position`."""

    position: int
    code: str
    elements: tuple[ElementReport, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """What is said to be wrong at one level: 0085, the service segment (0013) and the place in it."""

    code: str
    segment: str = ""
    element: int = 0
    component: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageReport:
    """An UCM. `action` is 0083: 4 rejected, 7 acknowledged."""

    type: str
    version: str
    """0052 and 0054 in one: D96A."""
    reference: str
    action: str
    reason: Reason | None
    errors: tuple[SegmentReport, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupReport:
    """An UCF with its messages. Messages that it does not name share its action."""

    control_number: str
    action: str
    reason: Reason | None
    messages: tuple[MessageReport, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class InterchangeReport:
    """A CONTRL: the verdict on one interchange that we sent. `action` is 0083: 4 rejected, 7 acknowledged, 8 received.

    What is not named below a 7 is acknowledged.
    """

    control_number: str
    sender: str
    """Ours: S002 of our UNB."""
    receiver: str
    action: str
    reason: Reason | None
    groups: tuple[GroupReport, ...]
    messages: tuple[MessageReport, ...]

    def outcome_of(self, reference: str, group: str = "") -> str:
        """The action on the message with this 0062, in the group with this 0048 where we sent groups."""
        if self.action not in ACKNOWLEDGING:
            return self.action
        messages, action = self.messages, self.action
        if group:
            found = next((one for one in self.groups if one.control_number == group), None)
            if found is not None:
                messages, action = found.messages, found.action
                if action not in ACKNOWLEDGING:
                    return action
        return next((one.action for one in messages if one.reference == reference), action)


def read_contrl(message: Message) -> InterchangeReport:
    """The far side's verdict from a checked CONTRL. Raises PartnerFault when its UCI cannot be read."""
    head: Segment | None = None
    groups: list[GroupReport] = []
    messages: list[MessageReport] = []
    for child in message.root.children:
        if isinstance(child, Segment):
            head = child if child.tag == "UCI" else head
        elif child.name == "UCM":
            messages.append(_message(child))
        elif child.name == "UCF":
            groups.append(_group(child))
    if head is None or not head.text(1) or not head.text(4):
        place = EdiPlace(message=message.control_number, tag="UCI")
        wanted = "UCI with the interchange's reference and an action"
        found = finding("edi.acknowledgment.unreadable", place, said="", wanted=wanted)
        raise PartnerFault(found.text, findings=(found,))
    return InterchangeReport(
        control_number=head.text(1),
        sender=head.text(2),
        receiver=head.text(3),
        action=head.text(4),
        reason=_reason(head, 5),
        groups=tuple(groups),
        messages=tuple(messages),
    )


def _group(loop: Loop) -> GroupReport:
    head = _head(loop)
    inner = (child for child in loop.children if isinstance(child, Loop) and child.name == "UCM")
    return GroupReport(
        control_number=head.text(1),
        action=head.text(4),
        reason=_reason(head, 5),
        messages=tuple(_message(child) for child in inner),
    )


def _message(loop: Loop) -> MessageReport:
    head = _head(loop)
    identifier = (*components_of(head, 2), "", "")
    inner = (child for child in loop.children if isinstance(child, Loop) and child.name == "UCS")
    return MessageReport(
        type=identifier[0],
        version=identifier[1] + identifier[2],
        reference=head.text(1),
        action=head.text(3),
        reason=_reason(head, 4),
        errors=tuple(_segment(child) for child in inner),
    )


def _segment(loop: Loop) -> SegmentReport:
    head = _head(loop)
    inner = (child for child in loop.children if isinstance(child, Segment) and child.tag == "UCD")
    return SegmentReport(
        position=number_of(head.text(1)), code=head.text(2), elements=tuple(_element(child) for child in inner)
    )


def _element(segment: Segment) -> ElementReport:
    element, component, repeat = _position(segment, 2)
    return ElementReport(code=segment.text(1), element=element, component=component, repeat=repeat)


def _reason(segment: Segment, first: int) -> Reason | None:
    """0085, 0013 and S011, from element `first` on."""
    if not segment.text(first):
        return None
    element, component, _ = _position(segment, first + 2)
    return Reason(code=segment.text(first), segment=segment.text(first + 1), element=element, component=component)


def _position(segment: Segment, element: int) -> tuple[int, int, int]:
    parts = (*components_of(segment, element), "", "")
    return max(number_of(parts[0]) - 1, 0), number_of(parts[1]), number_of(parts[2])


def _head(loop: Loop) -> Segment:
    first = loop.children[0] if loop.children else None
    return first if isinstance(first, Segment) else Segment(loop.name, [])
