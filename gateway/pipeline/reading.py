"""The `read` step: an interchange becomes verdicts, acknowledgment, documents and deliveries, in one commit.

A 997 answers every group but never an acknowledgment; a TA1 answers an interchange that asks for it or whose envelope
fails. Either all of it happens or nothing: no half-read interchange is ever visible.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gateway import canonical
from gateway.edi import acknowledge, x12
from gateway.edi.tree import Loop, Message, Verdict
from gateway.errors import OurFault, PartnerFault
from gateway.events import (
    AcknowledgmentComposed,
    AcknowledgmentReceived,
    AcknowledgmentUnmatched,
    DocumentDuplicate,
    DocumentRejected,
    DuplicateReceived,
    Event,
    InterchangeRead,
)
from gateway.findings import Codes, EdiPlace, Finding, Severity, worst
from gateway.mapping import Map
from gateway.mapping.envelope import read_envelope
from gateway.partners.agreement import Agreement, Kind
from gateway.pipeline import composing, documents, identity
from gateway.pipeline.station import Station
from gateway.ports import (
    Changes,
    Direction,
    DocumentState,
    DocumentUpdate,
    Job,
    MessageState,
    MessageUpdate,
    NewDocument,
    NewJob,
    NewMessage,
    Numbered,
    Numbers,
    new_id,
)
from gateway.ports import Message as StoredMessage

IN_A_THREAD = 65_536
"""Payloads from this size on are parsed off the event loop."""

_ACKNOWLEDGMENT_GROUP = "FA"
_TAKEN = frozenset({"A", "E"})
"""Outcomes (elements 715 and I17) that say the partner has it; P refuses a set, and we send one a group."""

Render = Callable[[Station, composing.Outgoing, Numbers], bytes]


@dataclass(kw_only=True, slots=True)
class _Found:
    """Everything decided so far about one message; becomes one `Changes`."""

    messages: list[NewMessage] = field(default_factory=list)
    message_updates: list[MessageUpdate] = field(default_factory=list)
    documents: list[NewDocument] = field(default_factory=list)
    document_updates: list[DocumentUpdate] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    accepted: int = 0

    def changes(self) -> Changes:
        """The lot, frozen."""
        return Changes(
            messages=tuple(self.messages),
            message_updates=tuple(self.message_updates),
            documents=tuple(self.documents),
            document_updates=tuple(self.document_updates),
            jobs=tuple(self.jobs),
            met=tuple(self.met),
            keys=tuple(self.keys),
            events=tuple(self.events),
        )


async def read(station: Station, job: Job) -> Changes:
    """Read the job's message."""
    message = await station.queries.message(job.message_id)
    if message is None:
        raise OurFault(f"message {job.message_id} is not in the store", remedy="gateway audit verify")
    agreement = station.agreement(message.partner)
    if agreement is None:
        raise OurFault(
            f"partner {message.partner} does not exchange documents now",
            remedy=f"set its status to active, then: gateway message retry {message.id}",
        )
    reading = _Reading(station, agreement, message)
    payload = await station.queries.payload(message.id)
    try:
        if len(payload) >= IN_A_THREAD:
            interchanges = await asyncio.to_thread(_parse, station, payload)
        else:
            interchanges = _parse(station, payload)
    except PartnerFault as fault:
        return reading.unreadable(fault)
    for interchange in interchanges:
        await reading.interchange(interchange)
    return reading.done()


def _parse(station: Station, payload: bytes) -> list[x12.Interchange]:
    return x12.read_all(payload, guides=station.guides)


class _Reading:
    """One message being read."""

    def __init__(self, station: Station, agreement: Agreement, message: StoredMessage) -> None:
        self._station = station
        self._agreement = agreement
        self._message = message
        self._found = _Found()
        self._taken: set[str] = set()
        self._firsts: dict[str, NewDocument] = {}
        """Documents of this message that are to be stored, by their identities."""

    def unreadable(self, fault: PartnerFault) -> Changes:
        """Nothing of an interchange is there: no acknowledgment can be addressed, the receipt was the only answer."""
        event = DocumentRejected(
            message_id=self._message.id,
            partner=self._agreement.name,
            document="interchange",
            number=None,
            rules=tuple(finding.rule for finding in fault.findings),
            reason=str(fault),
        )
        update = MessageUpdate(id=self._message.id, state=MessageState.REJECTED)
        return Changes(message_updates=(update,), events=(event,))

    def done(self) -> Changes:
        """All of it as one commit."""
        state = MessageState.PROCESSED if self._found.accepted else MessageState.REJECTED
        self._found.message_updates.append(MessageUpdate(id=self._message.id, state=state))
        return self._found.changes()

    async def interchange(self, interchange: x12.Interchange) -> None:
        """One interchange: envelope, groups, answers."""
        key = identity.interchange_key(self._agreement.name, interchange.control_number)
        findings = [*interchange.findings, *self._addressing(interchange)]
        if (owner := await self._station.queries.key_owner(key)) is not None or key in self._taken:
            first = await self._station.queries.message(owner) if owner else None
            if first is not None and first.payload_sha256 == self._message.payload_sha256:
                self._found.accepted += 1
                self._found.events.append(
                    DuplicateReceived(message_id=self._message.id, partner=self._agreement.name, channel="x12", key=key)
                )
                return
            if not self._allows_repeats:
                findings.append(_control_number_used(interchange))
        elif worst(findings) is not Severity.REJECT:
            self._found.keys.append((key, self._message.id))
            self._taken.add(key)
        rejected = worst(findings) is Severity.REJECT
        self._found.events.append(
            InterchangeRead(
                message_id=self._message.id,
                partner=self._agreement.name,
                standard="x12",
                sender=interchange.sender,
                receiver=interchange.receiver,
                control_number=interchange.control_number,
                outcome=Verdict.REJECTED.value if rejected else interchange.outcome.value,
                messages=sum(len(group.messages) for group in interchange.groups),
                findings=len(findings)
                + sum(len(one.findings) for group in interchange.groups for one in group.messages),
            )
        )
        if rejected:
            interchange = replace(interchange, findings=tuple(findings), envelope=Verdict.REJECTED)
        if acknowledge.wants_ta1(interchange) and (interchange.groups or not interchange.tas):
            # An interchange of nothing but TA1s is an acknowledgment itself: whatever it asks for, it gets none.
            self._answer_ta1(interchange)
        for ta1 in interchange.tas:
            if ta1.findings:  # its number may be no number at all
                self._unreadable_acknowledgment("TA1", ta1.findings)
            else:
                await self._ta1_received(acknowledge.read_ta1(ta1.segment))
        if rejected:
            return
        if interchange.tas and not interchange.groups:
            self._found.accepted += 1
        for group in interchange.groups:
            if group.functional_id == _ACKNOWLEDGMENT_GROUP:
                await self._acknowledgments(group)
            else:
                await self._group(interchange, group)

    @property
    def _allows_repeats(self) -> bool:
        return self._agreement.x12 is not None and self._agreement.x12.control_numbers_may_repeat

    def _addressing(self, interchange: x12.Interchange) -> list[Finding]:
        """The interchange must be from the partner whose station sent it, and for us."""
        findings: list[Finding] = []
        sender = self._station.directory.by_x12(interchange.sender_qualifier, interchange.sender)
        if sender is None or sender.name != self._agreement.name:
            theirs = self._agreement.x12.identity if self._agreement.x12 else None
            findings.append(
                Finding(
                    rule="pipeline.interchange.sender_unknown",
                    place=EdiPlace(interchange=interchange.control_number, tag="ISA", element=6),
                    said=f"{interchange.sender_qualifier} {interchange.sender}",
                    wanted=f"{theirs.qualifier} {theirs.id}, as agreed" if theirs else "an agreed sender",
                    fix="send with the ISA05 and ISA06 that were agreed",
                    codes=Codes(ta105="006"),
                )
            )
        ours = composing.ours(self._station, self._agreement)
        if (interchange.receiver_qualifier, interchange.receiver) != (ours.qualifier, ours.id):
            findings.append(
                Finding(
                    rule="pipeline.interchange.receiver_unknown",
                    place=EdiPlace(interchange=interchange.control_number, tag="ISA", element=8),
                    said=f"{interchange.receiver_qualifier} {interchange.receiver}",
                    wanted=f"{ours.qualifier} {ours.id}",
                    fix="address it with our ISA07 and ISA08",
                    codes=Codes(ta105="008"),
                )
            )
        return findings

    async def _group(self, interchange: x12.Interchange, group: x12.Group) -> None:
        """One group: each set is judged and taken, then the 997 says so."""
        judged: list[Message] = []
        for message in group.messages:
            kind = self._kind_of(message)
            if kind is None:
                judged.append(_not_agreed(message))
                self._rejected(judged[-1], message.type)
                continue
            judged.append(message)
            if message.outcome is not Verdict.REJECTED and group.outcome is not Verdict.REJECTED:
                await self._document(interchange, group, message, kind)
            else:
                self._rejected(message, kind)
        outcome = group.outcome if group.outcome is Verdict.REJECTED else x12.combined(one.outcome for one in judged)
        answered = replace(group, messages=tuple(judged), outcome=outcome)
        if any(message.outcome is not Verdict.REJECTED for message in judged):
            self._found.accepted += 1
        self._answer_997(answered)

    def _kind_of(self, message: Message) -> Kind | None:
        rules = self._agreement.documents.receive
        return next((kind for kind, rule in rules.items() if rule.set == message.type), None)

    async def _document(self, interchange: x12.Interchange, group: x12.Group, message: Message, kind: Kind) -> None:
        """One accepted set through its map, and what is decided about it."""
        mapping = self._map(kind)
        reading = mapping.read(message.root)
        origin = documents.Origin(
            message_id=self._message.id,
            position=f"{interchange.control_number}/{group.control_number}/{message.control_number}",
            map=mapping.hash,
            guide=message.version,
            unmapped=len(reading.unmapped),
            envelope=read_envelope(interchange, group, message),
        )
        model, findings = canonical.parse(kind, reading.document)
        if model is not None:
            findings = (*findings, *canonical.check(model))
        findings = (*message.findings, *reading.findings, *findings)
        if model is None or worst(findings) is Severity.REJECT:
            taken = documents.reject(
                self._station, self._agreement, kind, reading.document, origin=origin, findings=findings
            )
        else:
            body = canonical.dump(model)
            taken = await documents.take(self._station, self._agreement, kind, body, origin=origin, findings=findings)
        for document in taken.documents:
            identities = [document.natural_key, *(name for name, _ in taken.keys)] if document.natural_key else []
            first = next((self._firsts[one] for one in identities if one in self._firsts), None)
            if first is not None and first.sha256 == document.sha256:
                self._repeated(document, first)
                return
            if first is not None:
                findings = (*findings, documents.number_taken(kind, document.body, first))
                taken = documents.reject(
                    self._station, self._agreement, kind, reading.document, origin=origin, findings=findings
                )
            else:
                self._firsts.update(dict.fromkeys(filter(None, identities), document))
        self._found.documents.extend(taken.documents)
        self._found.document_updates.extend(taken.updates)
        self._found.jobs.extend(taken.jobs)
        self._found.keys.extend(taken.keys)
        self._found.events.extend(taken.events)

    def _repeated(self, document: NewDocument, first: NewDocument) -> None:
        """The same document twice in one message: the first one counts."""
        self._found.events.append(
            DocumentDuplicate(
                message_id=self._message.id,
                partner=self._agreement.name,
                order_number=document.order_number,
                document=document.kind,
                number=document.number,
                first=first.id,
            )
        )

    def _rejected(self, message: Message, kind: str) -> None:
        """A set that the guide refuses: its findings go to the 997 and onto the trail."""
        fatal = [finding for finding in message.findings if finding.severity is Severity.REJECT]
        self._found.events.append(
            DocumentRejected(
                message_id=self._message.id,
                partner=self._agreement.name,
                document=kind,
                number=None,
                rules=tuple(dict.fromkeys(finding.rule for finding in fatal)),
                reason=fatal[0].text if fatal else "its group was refused",
            )
        )

    def _map(self, kind: Kind) -> Map:
        rule = self._agreement.documents.receive[kind]
        mapping = self._station.maps.get(rule.map or "")
        if mapping is None:
            raise OurFault(
                f"map {rule.map} of partner {self._agreement.name} is not there",
                remedy=f"gateway partner check {self._agreement.name}; gateway message retry {self._message.id}",
            )
        return mapping

    def _answer_997(self, group: x12.Group) -> None:
        root = acknowledge.compose_997(group, guides=self._station.guides)
        if root is not None:
            self._answer("997", group.outcome, group.control_number, root, composing.render)

    def _answer_ta1(self, interchange: x12.Interchange) -> None:
        root = Loop("", [acknowledge.compose_ta1(interchange)])
        self._answer("TA1", interchange.envelope, interchange.control_number, root, composing.render_ta1)

    def _answer(self, type_: str, outcome: Verdict, answers: str, root: Loop, render: Render) -> None:
        """Queue an acknowledgment: composed and numbered in the commit that takes what it answers."""
        station, agreement, now = self._station, self._agreement, self._station.clock()
        assert agreement.x12 is not None
        outgoing = composing.Outgoing(
            agreement=agreement,
            dialect=agreement.x12,
            type=type_,
            functional_id=_ACKNOWLEDGMENT_GROUP,
            root=root,
            at=now,
        )
        message_id = new_id(now)
        payload = Numbered(
            series=composing.series(station, agreement), render=lambda numbers: render(station, outgoing, numbers)
        )
        self._found.messages.append(
            composing.outbound_message(
                station.settings,
                agreement,
                message_id=message_id,
                payload=payload,
                filename=f"{type_}-{answers}.edi",
                now=now,
                answers=self._message.id,
            )
        )
        self._found.jobs.append(composing.send_job(agreement, message_id, now))
        self._found.events.append(
            AcknowledgmentComposed(
                message_id=self._message.id,
                partner=agreement.name,
                type=type_,
                outcome=outcome.value,
                answers=answers,
                sent_as=message_id,
            )
        )

    async def _acknowledgments(self, group: x12.Group) -> None:
        """A group of 997s: each closes a group that we sent. It is never acknowledged itself (X12.20)."""
        self._found.accepted += 1
        for message in group.messages:
            if message.type != "997" or message.outcome is Verdict.REJECTED:
                self._unreadable_acknowledgment(message.type, message.findings)
                continue
            answer = acknowledge.read_997(message)
            key = identity.acknowledgment_key(self._agreement.name, answer.functional_id, answer.group_control_number)
            sent = await self._station.queries.message_by_wait_key(key)
            if sent is None or sent.state in {MessageState.ACKNOWLEDGED, MessageState.REJECTED}:
                self._unmatched("997", answer.group_control_number)
                continue
            self._found.met.append(key)
            await self._settle(sent, "997", answer.group_control_number, answer.outcome)

    async def _ta1_received(self, answer: acknowledge.InterchangeAcknowledgment) -> None:
        """A TA1 of theirs: a refusal closes our message, an acceptance only says that it arrived."""
        key = identity.sent_interchange_key(self._agreement.name, answer.control_number)
        owner = await self._station.queries.key_owner(key)
        sent = await self._station.queries.message(owner) if owner else None
        if sent is None:
            self._unmatched("TA1", answer.control_number)
        elif answer.outcome in _TAKEN:
            self._received(sent, None, "TA1", answer.control_number, answer.outcome)
        else:
            await self._settle(sent, "TA1", answer.control_number, answer.outcome)

    async def _settle(self, sent: StoredMessage, type_: str, control_number: str, outcome: str) -> None:
        """What the partner's verdict does to the message that we sent, and to its documents."""
        accepted = outcome in _TAKEN
        state = MessageState.ACKNOWLEDGED if accepted else MessageState.REJECTED
        self._found.message_updates.append(MessageUpdate(id=sent.id, state=state))
        stands = DocumentState.ACKNOWLEDGED if accepted else DocumentState.REJECTED
        order_number = None
        for document in await self._station.queries.documents_of(sent.id):
            order_number = document.order_number
            if document.direction is Direction.OUTBOUND:
                self._found.document_updates.append(DocumentUpdate(id=document.id, state=stands))
        self._received(sent, order_number, type_, control_number, outcome)

    def _received(
        self, sent: StoredMessage, order_number: str | None, type_: str, control_number: str, outcome: str
    ) -> None:
        self._found.events.append(
            AcknowledgmentReceived(
                message_id=sent.id,
                partner=self._agreement.name,
                order_number=order_number,
                type=type_,
                outcome=outcome,
                control_number=control_number,
                received_as=self._message.id,
            )
        )

    def _unmatched(self, type_: str, control_number: str) -> None:
        self._found.events.append(
            AcknowledgmentUnmatched(
                message_id=self._message.id, partner=self._agreement.name, type=type_, control_number=control_number
            )
        )

    def _unreadable_acknowledgment(self, type_: str, findings: Sequence[Finding]) -> None:
        """An acknowledgment that cannot be read is not answered; the operator sees it."""
        self._found.events.append(
            DocumentRejected(
                message_id=self._message.id,
                partner=self._agreement.name,
                document=type_,
                number=None,
                rules=tuple(finding.rule for finding in findings),
                reason=findings[0].text if findings else "not an acknowledgment",
            )
        )


def given_up(job: Job) -> Changes:
    """What else becomes true when reading is given up: the message has failed, an operator can retry."""
    return Changes(message_updates=(MessageUpdate(id=job.message_id, state=MessageState.FAILED),))


def _not_agreed(message: Message) -> Message:
    """A set that the agreement does not have: rejected, never ignored (718 code 1)."""
    finding = Finding(
        rule="pipeline.set.not_agreed",
        place=EdiPlace(message=message.control_number, segment=1, tag="ST", element=1, offset=message.offset),
        said=message.type,
        wanted="a transaction set of the agreement",
        fix="agree on it first: the partner file has no such set under documents.receive",
        codes=Codes(ak502="1"),
    )
    if message.outcome is Verdict.REJECTED:
        return message
    return replace(message, findings=(*message.findings, finding), outcome=Verdict.REJECTED, root=Loop("", []))


def _control_number_used(interchange: x12.Interchange) -> Finding:
    return Finding(
        rule="pipeline.interchange.control_number_used",
        place=EdiPlace(interchange=interchange.control_number, tag="ISA", element=13),
        said=interchange.control_number,
        wanted="a control number that this sender has not used before",
        fix="count ISA13 up; resend unchanged what was sent before",
        codes=Codes(ta105="025"),
    )
