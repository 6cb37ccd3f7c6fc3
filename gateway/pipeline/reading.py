"""The `read` step: an interchange becomes verdicts, acknowledgment, documents and deliveries, in one commit.

What answers what (997 and TA1, CONTRL) is the standard's; an acknowledgment is never answered. Either all of it happens
or nothing: no half-read interchange is ever visible.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ParamSpec, TypeVar

from gateway.as2 import Stretch
from gateway.edi import partial
from gateway.edi.interchange import Group, Interchange, of_group
from gateway.edi.reading import standard_at
from gateway.edi.rules import RULES
from gateway.edi.tree import Loop, Message, Verdict
from gateway.errors import OurFault, PartnerFault
from gateway.events import (
    DocumentDuplicate,
    DocumentRejected,
    DuplicateReceived,
    InterchangeRead,
)
from gateway.findings import Codes, EdiPlace, Finding, Severity, worst
from gateway.mapping import Map
from gateway.mapping.envelope import read_envelope
from gateway.partners.agreement import Agreement, Kind
from gateway.partners.guides import Syntax
from gateway.pipeline import (
    addressing,
    answering,
    at_hand,
    documents,
    files,
    identity,
    judging,
    replacing,
    standards,
    versions,
)
from gateway.pipeline.bodies import as_octets
from gateway.pipeline.decisions import Decisions
from gateway.pipeline.station import Station
from gateway.pipeline.wire import Wire
from gateway.ports import (
    Changes,
    Job,
    MessageState,
    MessageUpdate,
    NewDocument,
)
from gateway.ports import Message as StoredMessage

IN_A_THREAD = 65_536
"""Bytes of payload from which on everything pure (parsing, and each set's map and checks) is off the event loop."""

Position = tuple[int, int]
"""A set: which group of its interchange, which set of the group, both from 0."""

P = ParamSpec("P")
T = TypeVar("T")


async def read(station: Station, job: Job) -> Changes:
    """Read the job's message."""
    message = await at_hand.message_of(station, job)
    agreement = station.agreement(message.partner)
    if agreement is None:
        raise OurFault(
            f"partner {message.partner} does not exchange documents now",
            remedy=f"set its status to active, then: gateway message retry {message.id}",
        )
    payload = as_octets(await at_hand.octets_of(station, job))
    reading = _Reading(station, agreement, message)
    await reading.every_file(payload)
    return reading.done()


class _Reading:
    """One message being read, file by file: each is answered as if it had come alone, all of it is one commit."""

    def __init__(self, station: Station, agreement: Agreement, message: StoredMessage) -> None:
        self._station = station
        self._agreement = agreement
        self._message = message
        self._decided = Decisions(station=station, agreement=agreement, message=message)
        self._taken: set[str] = set()
        self._answered: set[str] = set()
        """Earlier messages that this one repeats, and whose answers are sent again."""
        self._firsts: dict[str, NewDocument] = {}
        """Documents of this message that are to be stored, by their identities."""
        self._file: files.File
        """In hand, with the standard and the syntax that it is read by."""
        self._wire: Wire
        self._syntax: Syntax

    async def every_file(self, payload: bytes | Stretch) -> None:
        """Every file of the message: interchanges are read, the others are kept in it and named on the trail."""
        try:
            found = await self._aside(
                files.files_of, self._message.content_type, payload, spool=self._station.store.spool
            )
        except PartnerFault as fault:
            self._unreadable(fault)
            return
        for one in found:
            if one.edi:
                await self.file(one)
            else:
                self._decided.events.append(await self._aside(files.kept, self._message, one))
        if not any(one.edi for one in found):
            self._unreadable(PartnerFault(f"none of the files attached ({len(found)}) is an interchange"))

    async def file(self, file: files.File) -> None:
        """One file: what is read to its end counts, whatever is wrong behind it."""
        data, limit = file.data, self._station.settings.max_interchange_bytes
        if isinstance(data, Stretch) and standard_at(file.start) is None:
            data = file.start  # what is no interchange is told so by how it begins
        elif len(data) > limit:
            found = addressing.too_large(len(data), limit)
            self._unreadable(PartnerFault(found.text, findings=(found,)))
            return
        elif isinstance(data, Stretch):
            data = await self._aside(file.whole)
        self._file = file
        self._wire = standards.of_payload(self._agreement, data)
        self._syntax = syntax = self._station.syntax(self._agreement, "receive", self._wire.name)
        whole = await self._aside(
            self._wire.reader.read_whole,
            data,
            guides=syntax.guides,
            tolerances=syntax.tolerances,
            limits=judging.LIMITS,
            charset=syntax.charset,
        )
        for interchange in whole.interchanges:
            await self.interchange(interchange)
        if whole.fault is not None:
            self._unreadable(whole.fault)

    def _unreadable(self, fault: PartnerFault) -> None:
        """What cannot be read is said on the trail; without its header no acknowledgment can be addressed."""
        self._decided.events.append(
            DocumentRejected(
                message_id=self._message.id,
                partner=self._agreement.name,
                document="interchange",
                number=None,
                rules=tuple(finding.rule for finding in fault.findings),
                reason=str(fault),
            )
        )

    def done(self) -> Changes:
        """All of it as one commit."""
        state = MessageState.PROCESSED if self._decided.accepted else MessageState.REJECTED
        self._decided.message_updates.append(MessageUpdate(id=self._message.id, state=state))
        return self._decided.changes()

    async def interchange(self, interchange: Interchange) -> None:
        """One interchange: envelope, groups, answers."""
        wire = self._wire
        key = identity.interchange_key(wire.name, self._agreement.name, interchange.control_number)
        findings = [*interchange.findings, *addressing.check(self._station, self._agreement, wire, interchange)]
        if (owner := await self._station.queries.key_owner(key)) is not None or key in self._taken:
            first = await self._station.queries.message(owner) if owner else None
            if first is not None and await files.came_in(
                self._station.queries, first, self._file, self._station.store.spool
            ):
                self._decided.accepted += 1
                self._decided.events.append(
                    DuplicateReceived(
                        message_id=self._message.id, partner=self._agreement.name, channel=wire.name, key=key
                    )
                )
                if first.id not in self._answered:
                    self._answered.add(first.id)
                    await answering.answer_again(self._decided, first)
                return
            if not self._allows_repeats:
                findings.append(addressing.control_number_used(wire, interchange))
        elif worst(findings) is not Severity.REJECT:
            self._decided.keys.append((key, self._message.id))
            self._taken.add(key)
        rejected = worst(findings) is Severity.REJECT
        whole = partial.apply(interchange, self._syntax.partial)
        self._decided.events.append(
            InterchangeRead(
                message_id=self._message.id,
                partner=self._agreement.name,
                standard=wire.name,
                sender=interchange.sender,
                receiver=interchange.receiver,
                control_number=interchange.control_number,
                outcome=Verdict.REJECTED.value if rejected else whole.outcome.value,
                messages=sum(len(group.messages) for group in interchange.groups),
                findings=len(findings)
                + sum(len(one.findings) for group in interchange.groups for one in group.messages),
                tolerated=tolerated(interchange),
            )
        )
        if rejected:
            interchange = replace(interchange, findings=tuple(findings), envelope=Verdict.REJECTED)
        wire.answer_envelope(self._decided, interchange)
        await wire.reconcile(self._decided, interchange)
        if not rejected:
            await self._groups(whole)

    async def _groups(self, interchange: Interchange) -> None:
        """All but the acknowledgments: every set judged, what falls with others refused, then answered."""
        mark, firsts = self._decided.mark(), dict(self._firsts)
        judged = await self._judged(interchange, {})
        final = partial.apply(judged, self._syntax.partial)
        if final is not judged:
            # What a document got wrong is known only now: the sets that were taken before it are taken back.
            self._decided.back(mark)
            self._firsts = firsts
            await self._judged(interchange, _fallen(judged, final))
        for group in final.groups:
            sets = (one for one in group.messages if not self._wire.is_answer(group, one))
            self._decided.accepted += any(one.outcome is not Verdict.REJECTED for one in sets)
        self._wire.answer(self._decided, final)

    async def _judged(self, interchange: Interchange, fallen: Mapping[Position, Message]) -> Interchange:
        """The interchange with each set judged and decided about; `fallen` ones are refused whatever they say."""
        groups = [
            await self._group(interchange, group, number, fallen) for number, group in enumerate(interchange.groups)
        ]
        return replace(interchange, groups=tuple(groups))

    @property
    def _allows_repeats(self) -> bool:
        dialect = self._wire.dialect(self._agreement)
        return dialect is not None and dialect.control_numbers_may_repeat

    async def _group(
        self, interchange: Interchange, group: Group, number: int, fallen: Mapping[Position, Message]
    ) -> Group:
        """One group: each set is judged and taken; the group as its acknowledgment tells it."""
        judged: list[Message] = []
        for index, message in enumerate(group.messages):
            if self._wire.is_answer(group, message):
                judged.append(message)
                continue
            kind = self._kind_of(message)
            if kind is None:
                judged.append(_not_agreed(self._wire, message))
                self._rejected(judged[-1], message.type)
            elif (number, index) in fallen:
                judged.append(fallen[number, index])
                self._rejected(judged[-1], kind)
            elif message.outcome is Verdict.REJECTED or group.outcome is Verdict.REJECTED:
                judged.append(message)
                self._rejected(message, kind)
            else:
                judged.append(await self._document(interchange, group, message, kind))
        return replace(group, messages=tuple(judged), outcome=of_group(group.findings, judged))

    def _kind_of(self, message: Message) -> Kind | None:
        rules = self._agreement.documents.receive
        return next((kind for kind, rule in rules.items() if rule.set == message.type), None)

    async def _document(self, interchange: Interchange, group: Group, message: Message, kind: Kind) -> Message:
        """One set that the guide accepts: its map, and what is decided about it; the set as it is acknowledged."""
        mapping = self._map(kind)
        if mapping.hooked:  # code that is not ours may take a second for a value
            judged = await asyncio.to_thread(judging.judge, mapping, kind, message)
        else:
            judged = await self._aside(judging.judge, mapping, kind, message)
        origin = documents.Origin(
            message_id=self._message.id,
            position="/".join(filter(None, (interchange.control_number, group.control_number, message.control_number))),
            map=versions.record(mapping.name, mapping.hash),
            guide=self._guide(kind, message),
            unmapped=judged.unmapped,
            envelope=read_envelope(interchange, group, message),
        )
        if judged.valid:
            taken = await documents.take(
                self._station,
                self._agreement,
                kind,
                judged.body,
                origin=origin,
                findings=judged.findings,
                sha256=judged.sha256,
                beside=self._decided.documents,
            )
        else:
            taken = documents.reject(
                self._station,
                self._agreement,
                kind,
                judged.body,
                origin=origin,
                findings=judged.findings,
                sha256=judged.sha256,
            )
        for document in taken.documents:
            identities = [document.natural_key, *(name for name, _ in taken.keys)] if document.natural_key else []
            first = next((self._firsts[one] for one in identities if one in self._firsts), None)
            if first is not None and first.sha256 == document.sha256:
                self._repeated(document, first)
                return message
            if first is not None:
                taken = documents.reject(
                    self._station,
                    self._agreement,
                    kind,
                    judged.body,
                    origin=origin,
                    findings=(*judged.findings, replacing.other_content(kind, document.body, first)),
                    sha256=judged.sha256,
                )
            else:
                self._firsts.update(dict.fromkeys(filter(None, identities), document))
        self._decided.documents.extend(taken.documents)
        self._decided.document_updates.extend(taken.updates)
        self._decided.answers_seen.extend(taken.seen)
        self._decided.deliveries.extend(taken.deliveries)
        self._decided.jobs.extend(taken.jobs)
        self._decided.keys.extend(taken.keys)
        self._decided.woken.extend(taken.woken)
        self._decided.events.extend(taken.events)
        return message if taken.accepted else judging.refused(message, taken.findings)

    async def _aside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Pure work: off the event loop when the payload is large."""
        if self._message.size < IN_A_THREAD:
            return work(*args, **kwargs)
        return await asyncio.to_thread(work, *args, **kwargs)

    def _repeated(self, document: NewDocument, first: NewDocument) -> None:
        """The same document twice in one message: the first one counts."""
        self._decided.events.append(
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
        """A set that the guide refuses: its findings go to the acknowledgment and onto the trail."""
        fatal = [finding for finding in message.findings if finding.severity is Severity.REJECT]
        self._decided.events.append(
            DocumentRejected(
                message_id=self._message.id,
                partner=self._agreement.name,
                document=kind,
                number=None,
                rules=tuple(dict.fromkeys(finding.rule for finding in fatal)),
                reason=fatal[0].text if fatal else "its group was refused",
            )
        )

    def _guide(self, kind: Kind, message: Message) -> str:
        """By which guide it was checked: the version, the guide's name and hash."""
        name = self._agreement.documents.receive[kind].guide
        own = self._station.partner_guides.get(name) if name else None
        return versions.guide_record(self._syntax.guides, own, message.version, message.type)

    def _map(self, kind: Kind) -> Map:
        rule = self._agreement.documents.receive[kind]
        mapping = self._station.maps.get(rule.map or "")
        if mapping is None:
            raise OurFault(
                f"map {rule.map} of partner {self._agreement.name} is not there",
                remedy=f"gateway partner check {self._agreement.name}; gateway message retry {self._message.id}",
            )
        return mapping


def given_up(job: Job) -> Changes:
    """What else becomes true when reading is given up: the message has failed, an operator can retry."""
    return Changes(message_updates=(MessageUpdate(id=job.message_id, state=MessageState.FAILED),))


def tolerated(interchange: Interchange) -> tuple[str, ...]:
    """The rules that an interchange broke and that were put up with: those whose findings are milder than the rule."""
    groups = interchange.groups
    findings = [*interchange.findings, *(one for group in groups for one in group.findings)]
    findings += [one for group in groups for message in group.messages for one in message.findings]
    mild = (one.rule for one in findings if one.severity is Severity.ACCEPT)
    return tuple(sorted({rule for rule in mild if RULES[rule].severity is not Severity.ACCEPT}))


def _fallen(judged: Interchange, final: Interchange) -> dict[Position, Message]:
    """The sets that are refused only because of others."""
    return {
        (number, index): after
        for number, (old, new) in enumerate(zip(judged.groups, final.groups, strict=True))
        for index, (before, after) in enumerate(zip(old.messages, new.messages, strict=True))
        if after is not before
    }


def _not_agreed(wire: Wire, message: Message) -> Message:
    """A set that the agreement does not have: rejected, never ignored (718 code 1, 0085 code 17)."""
    header = wire.header
    finding = Finding(
        rule="pipeline.set.not_agreed",
        place=EdiPlace(
            message=message.control_number,
            segment=1,
            tag=header.message_tag,
            element=header.message_type,
            offset=message.offset,
        ),
        said=message.type,
        wanted="a transaction set of the agreement",
        fix="agree on it first: the partner file has no such set under documents.receive",
        codes=Codes(ak502="1", contrl="17"),
    )
    if message.outcome is Verdict.REJECTED:
        return message
    return replace(message, findings=(*message.findings, finding), outcome=Verdict.REJECTED, root=Loop("", []))
