"""Their acknowledgments of what we sent: a 997, 999 or TA1 closes the message it names, and tells its documents.

An acknowledgment is never acknowledged (X12.20). One that names nothing of ours, or something closed already, has no
effect but its event. It may come before our own commit of having sent: the store's states let it win.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.edi import acknowledge, x12
from gateway.edi.tree import Segment, Verdict, verdict_of
from gateway.events import AcknowledgmentReceived, AcknowledgmentUnmatched, DocumentRejected
from gateway.findings import Finding
from gateway.pipeline import composing, identity
from gateway.pipeline.decisions import Decisions
from gateway.ports import Direction, DocumentState, DocumentUpdate, Message, MessageState, MessageUpdate

READERS = {"997": acknowledge.read_997, "999": acknowledge.read_999}

TAKEN = frozenset({"A", "E"})
"""Outcomes (elements 715 and I17) that say the partner has it; P refuses a set, and we send one a group."""

OUR_SET = "0001"
"""ST02 of the one set in a group of ours."""

CLOSED = frozenset({MessageState.ACKNOWLEDGED, MessageState.REJECTED})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What the acknowledgment says: which, about what, with which outcome."""

    type: str
    control_number: str
    outcome: str


async def reconcile_group(decided: Decisions, group: x12.Group) -> None:
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
        answer = _Answer(type=message.type, control_number=found.group_control_number, outcome=_outcome(found))
        key = identity.acknowledgment_key(decided.agreement.name, found.functional_id, found.group_control_number)
        sent = await decided.station.queries.message_by_wait_key(key)
        if sent is None or sent.state in CLOSED:
            _unmatched(decided, answer)
        else:
            decided.met.append(key)
            await _settle(decided, sent, answer)


def _outcome(found: acknowledge.FunctionalAcknowledgment) -> str:
    """The worse of what AK9 says of the group and AK5 of our set in it: an A that refuses the set is a refusal."""
    verdicts = (found.outcome, found.outcome_of(OUR_SET))
    refused = [one for one in verdicts if one not in TAKEN]
    return refused[0] if refused else max(verdicts)  # E is worse than A


async def reconcile_ta1(decided: Decisions, segment: Segment, findings: tuple[Finding, ...]) -> None:
    """A TA1: a refusal closes our message, an acceptance only says that it arrived."""
    if findings:  # its number may be no number at all
        _unreadable(decided, "TA1", findings)
        return
    found = acknowledge.read_ta1(segment)
    answer = _Answer(type="TA1", control_number=found.control_number, outcome=found.outcome)
    key = identity.sent_interchange_key(composing.series(decided.station, decided.agreement), found.control_number)
    owner = await decided.station.queries.key_owner(key)
    sent = await decided.station.queries.message(owner) if owner else None
    if sent is None or sent.state in CLOSED:
        _unmatched(decided, answer)
    elif answer.outcome in TAKEN:
        _received(decided, sent, answer, None)
    else:
        await _settle(decided, sent, answer)


async def _settle(decided: Decisions, sent: Message, answer: _Answer) -> None:
    """What the partner's verdict does to the message that we sent, and to its documents."""
    accepted = answer.outcome in TAKEN
    state = MessageState.ACKNOWLEDGED if accepted else MessageState.REJECTED
    decided.message_updates.append(MessageUpdate(id=sent.id, state=state))
    stands = DocumentState.ACKNOWLEDGED if accepted else DocumentState.REJECTED
    order_number = None
    for document in await decided.station.queries.documents_of(sent.id):
        order_number = document.order_number
        if document.direction is Direction.OUTBOUND:
            decided.document_updates.append(DocumentUpdate(id=document.id, state=stands))
    _received(decided, sent, answer, order_number)


def _received(decided: Decisions, sent: Message, answer: _Answer, order_number: str | None) -> None:
    decided.events.append(
        AcknowledgmentReceived(
            message_id=sent.id,
            partner=decided.agreement.name,
            order_number=order_number,
            type=answer.type,
            outcome=answer.outcome,
            control_number=answer.control_number,
            received_as=decided.message.id,
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
