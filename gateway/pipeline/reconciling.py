"""Their acknowledgments of what we sent: a 997, 999, TA1 or CONTRL closes the message it names, and its documents.

An acknowledgment is never acknowledged (X12.20, ISO 9735-4 5.3). One that names nothing of ours, or something closed
already, has no effect but its event. It may come before our own commit of having sent: the store's states let it win.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.edi import acknowledge
from gateway.edi.acknowledge import Fate
from gateway.edi.interchange import Group, Interchange
from gateway.edi.tree import Message as EdiMessage
from gateway.edi.tree import Segment, Verdict, verdict_of
from gateway.errors import OurFault, PartnerFault
from gateway.events import AcknowledgmentReceived, AcknowledgmentUnmatched, DocumentRejected
from gateway.findings import Finding
from gateway.pipeline import files, identity, waiting
from gateway.pipeline.bodies import as_octets
from gateway.pipeline.decisions import Decisions
from gateway.pipeline.wire import Wire
from gateway.ports import (
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Expected,
    Message,
    MessageState,
    MessageUpdate,
)

READERS = {"997": acknowledge.read_997, "999": acknowledge.read_999}

TAKEN = frozenset({"A", "E"})
"""Outcomes (elements 715 and I17) that say the partner has it; P refuses a set, and we send one a group."""

OUR_SET = "0001"
"""ST02 of the one set in a group of ours."""

REFUSED, RECEIVED = "4", "8"
"""0083 of a CONTRL."""

CLOSED = frozenset({MessageState.ACKNOWLEDGED, MessageState.REJECTED})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What the acknowledgment says: which, about what, with which outcome."""

    type: str
    control_number: str
    outcome: str


async def reconcile_x12(wire: Wire, decided: Decisions, interchange: Interchange, groups: Iterable[Group]) -> None:
    """The TA1s of an interchange, then the groups of acknowledgments in it unless its envelope is refused."""
    for ta1 in interchange.tas:
        await _ta1(wire, decided, ta1.segment, ta1.findings)
    if interchange.envelope is Verdict.REJECTED:
        return
    if interchange.tas and not interchange.groups:
        decided.accepted += 1
    for group in groups:
        await _functional(decided, group)


async def _functional(decided: Decisions, group: Group) -> None:
    """A group of 997s or 999s: each closes a group that we sent; a group that is refused as a whole closes nothing."""
    if verdict_of(group.findings) is Verdict.REJECTED:
        _unreadable(decided, "997", group.findings)
        return
    decided.accepted += 1
    for message in group.messages:
        reader = READERS.get(message.type)
        if reader is None or message.outcome is Verdict.REJECTED:
            _unreadable(decided, message.type, message.findings)
            continue
        found = reader(message)
        outcome = _outcome(found)
        answer = _Answer(type=message.type, control_number=found.group_control_number, outcome=outcome)
        key = identity.acknowledgment_key(decided.agreement.name, found.functional_id, found.group_control_number)
        sent = await decided.station.queries.message_by_wait_key(key)
        if sent is None or sent.state in CLOSED:
            _unmatched(decided, answer)
        else:
            decided.met.append(key)
            await _settle(decided, sent, answer, accepted=outcome in TAKEN)


def _outcome(found: acknowledge.FunctionalAcknowledgment) -> str:
    """The worse of what AK9 says of the group and AK5 of our set in it: an A that refuses the set is a refusal."""
    verdicts = (found.outcome, found.outcome_of(OUR_SET))
    refused = [one for one in verdicts if one not in TAKEN]
    return refused[0] if refused else max(verdicts)  # E is worse than A


async def _ta1(wire: Wire, decided: Decisions, segment: Segment, findings: tuple[Finding, ...]) -> None:
    """A TA1: a refusal closes our message, an acceptance only says that it arrived.

    Where nothing else is awaited an acceptance of the last interchange in it closes it.
    """
    if findings:  # its number may be no number at all
        _unreadable(decided, "TA1", findings)
        return
    found = acknowledge.read_ta1(segment)
    answer = _Answer(type="TA1", control_number=found.control_number, outcome=found.outcome)
    sent = await _sent_as(wire, decided, found.control_number)
    if sent is None or sent.state in CLOSED:
        _unmatched(decided, answer)
    elif answer.outcome not in TAKEN:
        await _settle(decided, sent, answer, accepted=False)
    elif sent.wait_key is None and sent.answers is None and await _ends_with(wire, decided, sent, found.control_number):
        await _settle(decided, sent, answer, accepted=True)
    else:
        _received(decided, sent, answer, None)


async def reconcile_contrl(wire: Wire, decided: Decisions, message: EdiMessage) -> None:
    """A CONTRL: refusing our interchange, or a message in it, or all of it acknowledged, closes what we sent.

    One that says only that the interchange came (0083 is 8) closes nothing, unless it is agreed: another may follow.
    """
    try:
        found = None if message.outcome is Verdict.REJECTED else acknowledge.read_contrl(message)
    except PartnerFault as fault:
        _unreadable(decided, message.type, fault.findings)
        return
    if found is None:
        _unreadable(decided, message.type, message.findings)
        return
    decided.accepted += 1
    key = identity.contrl_key(decided.agreement.name, found.control_number)
    sent = await decided.station.queries.message_by_wait_key(key)
    sent = sent or await _sent_as(wire, decided, found.control_number)
    if sent is None or sent.state in CLOSED:
        answer = _Answer(type=message.type, control_number=found.control_number, outcome=found.action)
        _unmatched(decided, answer)
        return
    fates = set(acknowledge.reconcile(await _sets(wire, decided, sent, found), found).fates.values())
    refused = Fate.REJECTED in fates
    outcome = REFUSED if refused else found.action
    answer = _Answer(type=message.type, control_number=found.control_number, outcome=outcome)
    dialect = decided.agreement.edifact
    enough = found.action == RECEIVED and dialect is not None and dialect.received_is_enough
    taken = enough or fates == {Fate.ACCEPTED}
    if refused or (taken and await _ends_with(wire, decided, sent, found.control_number)):
        decided.met.extend(() if sent.wait_key is None else (sent.wait_key,))
        await _settle(decided, sent, answer, accepted=not refused)
    else:
        _received(decided, sent, answer, None)


async def _sent_as(wire: Wire, decided: Decisions, control_number: str) -> Message | None:
    """What we sent in the interchange of this number: what we wrote, else a file, the first one that is still open."""
    queries, found = decided.station.queries, None
    composed = wire.sent_key(decided.station, decided.agreement, control_number)
    first, *again = identity.sendings(wire.sent_file_key(decided.agreement, control_number))
    for key in (composed, first, *again):
        owner = await queries.key_owner(key)
        if owner is None and key != composed:
            break  # it was not sent so often
        sent = await queries.message(owner) if owner else None
        if sent is not None and sent.state not in CLOSED:
            return sent
        found = sent or found
    return found


async def _sets(
    wire: Wire, decided: Decisions, sent: Message, found: acknowledge.InterchangeReport
) -> Mapping[str, Sequence[str]]:
    """Message numbers by group in the interchange that is answered; of bytes that were purged, what is named."""
    interchanges = await _interchanges(wire, decided, sent)
    if interchanges is None:
        return {"": [one.reference for one in found.messages] or [""]}
    return {
        group.control_number: [one.control_number for one in group.messages]
        for interchange in interchanges
        if interchange.control_number == found.control_number
        for group in interchange.groups
    }


async def _ends_with(wire: Wire, decided: Decisions, sent: Message, control_number: str) -> bool:
    """Whether the last interchange that we sent in a message is that one: of several the last closes the message."""
    interchanges = await _interchanges(wire, decided, sent)
    if not interchanges:
        return True

    def key(number: str) -> str:
        return wire.sent_file_key(decided.agreement, number)

    return key(interchanges[-1].control_number) == key(control_number)


async def _interchanges(wire: Wire, decided: Decisions, sent: Message) -> Sequence[Interchange] | None:
    """What was in the message that we sent; None where its bytes were purged."""
    try:
        payload = as_octets(await decided.station.queries.octets(sent.id) or b"")
    except OurFault:
        return None

    def read() -> list[Interchange]:
        return [
            interchange
            for one in files.files_of(sent.content_type, payload, spool=decided.station.store.spool)
            if one.edi
            for interchange in wire.reader.read_whole(one.whole(), guides=decided.station.guides).interchanges
        ]

    return await asyncio.to_thread(read)  # it may be large


async def _settle(decided: Decisions, sent: Message, answer: _Answer, *, accepted: bool) -> None:
    """What the partner's verdict does to the message that we sent, and to its documents."""
    state = MessageState.ACKNOWLEDGED if accepted else MessageState.REJECTED
    decided.message_updates.append(MessageUpdate(id=sent.id, state=state, in_time=sent.overdue_since is not None))
    stands = DocumentState.ACKNOWLEDGED if accepted else DocumentState.REJECTED
    carried = None
    for document in await decided.station.queries.documents_of(sent.id):
        carried = document
        if document.direction is Direction.OUTBOUND:
            decided.document_updates.append(DocumentUpdate(id=document.id, state=stands))
    _received(decided, sent, answer, carried, accepted=accepted)
    expected, now = Expected.FUNCTIONAL_ACKNOWLEDGEMENT, decided.station.clock()
    order = None if carried is None else carried.order_number
    decided.events.extend(waiting.late_message(sent, expected, now, received_as=decided.message.id, order=order))


def _received(
    decided: Decisions, sent: Message, answer: _Answer, carried: Document | None, *, accepted: bool | None = None
) -> None:
    decided.events.append(
        AcknowledgmentReceived(
            message_id=sent.id,
            partner=decided.agreement.name,
            order_number=None if carried is None else carried.order_number,
            type=answer.type,
            outcome=answer.outcome,
            control_number=answer.control_number,
            received_as=decided.message.id,
            accepted=accepted,
            document=None if carried is None else carried.kind,
            document_id=None if carried is None else carried.id,
            number=None if carried is None else carried.number,
        )
    )


def _unmatched(decided: Decisions, answer: _Answer) -> None:
    decided.events.append(
        AcknowledgmentUnmatched(
            message_id=decided.message.id,
            partner=decided.agreement.name,
            type=answer.type,
            control_number=answer.control_number,
        )
    )


def _unreadable(decided: Decisions, type_: str, findings: tuple[Finding, ...]) -> None:
    """An acknowledgment that cannot be read is not answered; the operator sees it."""
    decided.events.append(
        DocumentRejected(
            message_id=decided.message.id,
            partner=decided.agreement.name,
            document=type_,
            number=None,
            rules=tuple(finding.rule for finding in findings),
            reason=findings[0].text if findings else "not an acknowledgment",
        )
    )
