"""The partner's answer to one file of ours: acknowledgments first, then what a scenario answers to each order.

Pure: bytes in, bytes out; the moment and the first free control number are parameters. A file that is no interchange is
told of, never answered: nobody knows whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle

from gateway.edi.interchange import Interchange
from gateway.edi.tree import Verdict
from gateway.errors import OurFault, PartnerFault
from gateway.partners.agreement import Kind
from gateway.pipeline import standards
from gateway.simulation.scenarios import SCENARIOS
from gateway.simulation.voice import Json, Voice, messages_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One file for us."""

    type: str
    """997, CONTRL, 855, …"""
    about: str
    """The order's number, or the control number that is answered."""
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Correspondence:
    """What one file leads to; `told` is a line for each thing that happened."""

    replies: tuple[Reply, ...]
    told: tuple[str, ...]


class Choice:
    """Which scenario answers the next order."""

    def __init__(self, names: tuple[str, ...], begin: int = 0) -> None:
        self._names = cycle(names)
        self.taken = 0
        for _ in range(begin):
            self.next()

    def next(self) -> str:
        """The scenarios in turn."""
        self.taken += 1
        return next(self._names)


def chosen(scenario: str, *, every: bool) -> tuple[str, ...]:
    """The names that answer orders in turn. Raises OurFault for an unknown one."""
    if scenario not in SCENARIOS:
        raise OurFault(f"there is no scenario {scenario}", remedy=f"there are {', '.join(SCENARIOS)}")
    return tuple(SCENARIOS) if every else (scenario,)


def correspond(partner: Voice, data: bytes, choice: Choice, *, at: datetime, number: int) -> Correspondence:
    """What the partner answers to `data`. Every reply takes one control number, from `number` on."""
    replies: list[Reply] = []
    told: list[str] = []
    wire = standards.of_payload(partner.agreement, data)
    try:
        interchanges = partner.read(wire, data)
    except PartnerFault as fault:
        return Correspondence(replies=(), told=(f"cannot be read, and gets no answer: {fault}",))
    for interchange in interchanges:
        for type_, made in partner.acknowledge(wire, interchange, at=at, number=number + len(replies)):
            replies.append(Reply(type=type_, about=interchange.control_number, data=made))
            told.append(f"{type_} for interchange {interchange.control_number}")
        for kind, document in _heard(partner, interchange, told):
            if kind != "purchase_order":
                told.append(f"{kind} {document.get('number') or ''} is heard".replace("  ", " "))
                continue
            scenario = choice.next()
            answer = SCENARIOS[scenario].answer(document, at.astimezone(UTC).date())
            told.append(f"order {document['number']} is answered: {scenario}")
            for answered, body in answer.documents():
                place = number + len(replies)
                reply = _said(partner, answered, body, document["number"], at=at, number=place, told=told)  # type: ignore[arg-type]
                replies += [] if reply is None else [reply]
    return Correspondence(replies=tuple(replies), told=tuple(told))


def _heard(partner: Voice, interchange: Interchange, told: list[str]) -> Iterator[tuple[Kind, Json]]:
    rules = partner.agreement.documents.receive
    for _, message in messages_of(interchange):
        kind = next((kind for kind, rule in rules.items() if rule.set == message.type), None)
        if kind is None:
            continue
        if message.outcome is Verdict.REJECTED:
            told.append(f"{message.type} {message.control_number} is refused: {message.findings[0].text}")
            continue
        heard = partner.understand(kind, message)
        if heard.refused:
            told.append(f"{message.type} {message.control_number} is refused: {heard.refused[0].text}")
            continue
        yield kind, heard.document


def _said(
    partner: Voice, kind: Kind, body: Json, order: str, *, at: datetime, number: int, told: list[str]
) -> Reply | None:
    rule = partner.agreement.documents.send.get(kind)
    if rule is None:
        told.append(f"the agreement has no {kind}: not sent")
        return None
    spoken = partner.speak(kind, body, at=at, number=number)
    told.extend(f"not expressible in {rule.set}: {one.pointer}: {one.reason}" for one in spoken.lost)
    if spoken.data is None:
        told.append(f"{rule.set} cannot be written: {spoken.findings[0].text if spoken.findings else 'no reason'}")
        return None
    told.append(f"{rule.set} for order {order}")
    return Reply(type=rule.set or kind, about=order, data=spoken.data)
