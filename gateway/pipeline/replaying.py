"""What a replay does about a stored message: read again, held against what came of it, decided by the document.

Nothing here is written or sent; a dry run shows the decision, the step commits it. What a target has already is never
given to it twice: it is left alone, or replaced where the target can be told so. What it has not goes under the key
that it would have had. Only `as_new` makes effects beside those that were. What the partner was told stays told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from gateway.errors import DeliveryFailed, OurFault, PartnerFault
from gateway.events import DocumentReviewed, DocumentRouted, MessageReplayed
from gateway.findings import Severity
from gateway.mapping.differences import Difference, differences
from gateway.pipeline import documents, identity, replacing
from gateway.pipeline.deliveries import UNROUTED, settle_job
from gateway.pipeline.replaying_calls import Call, body_then, compared, delivery_of
from gateway.pipeline.rereading import Eyes, Reread, eyes_of_now, eyes_of_then, reread
from gateway.pipeline.reviewing import GATEWAY
from gateway.pipeline.settling import deliver_job
from gateway.pipeline.station import Station
from gateway.ports import (
    AnswersSeen,
    Changes,
    DeliveriesSeen,
    DeliveryChange,
    DeliveryRecord,
    DeliveryState,
    Direction,
    Document,
    DocumentState,
    DocumentUpdate,
    Message,
    MessageState,
    NewDocument,
    NewJob,
    Review,
    TrailEntry,
    seen,
)
from gateway.ports.lanes import LOWEST
from gateway.ports.replays import Act, Versions

_S = DeliveryState
_THERE = frozenset({_S.DELIVERED, _S.COMPENSATING})
_ASIDE = frozenset({_S.DISCARDED, _S.COMPENSATED})
_ENDED = frozenset({DocumentState.REJECTED, DocumentState.FAILED})

WORST = (
    Act.FAILED, Act.LEFT, Act.AS_NEW, Act.REPLACED, Act.CORRECTED, Act.NEW, Act.READ, Act.AGAIN, Act.SAME,
)  # fmt: skip
"""What most wants a look comes first: a message's outcome is the first of its documents'."""


@dataclass(frozen=True, kw_only=True, slots=True)
class How:
    """What was asked for."""

    replay_id: str
    versions: Versions
    as_new: bool
    by: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What is done about one document."""

    kind: str
    number: str
    act: Act
    why: str = ""
    position: str = ""
    document_id: str | None = None
    """The stored one."""
    fields: tuple[Difference, ...] = ()
    """What it says otherwise than the stored one."""
    calls: tuple[Call, ...] = ()


@dataclass(slots=True)
class _Sum:
    """All of one commit."""

    documents: list[NewDocument] = field(default_factory=list)
    updates: list[DocumentUpdate] = field(default_factory=list)
    deliveries: list[DeliveryChange] = field(default_factory=list)
    seen: list[DeliveriesSeen] = field(default_factory=list)
    answers: list[AnswersSeen] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    unheld: list[str] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What a replay does about one message."""

    planned: tuple[Planned, ...]
    changes: Changes
    unheld: tuple[str, ...] = ()

    @property
    def outcome(self) -> Act:
        """What most wants a look."""
        acts = {one.act for one in self.planned}
        return next((act for act in WORST if act in acts), Act.SAME)


async def decide(station: Station, message: Message, how: How) -> Decided:
    """Decide about a message. Never raises for what is wrong with it: that is an outcome."""
    try:
        return await _Deciding(station, message, how).decided()
    except (PartnerFault, OurFault) as fault:
        remedy = f"; {fault.remedy}" if isinstance(fault, OurFault) and fault.remedy else ""
        return failed(message, how, f"{fault}{remedy}")


def failed(message: Message, how: How, why: str) -> Decided:
    """It cannot be decided."""
    planned = (Planned(kind="message", number=message.id, act=Act.FAILED, why=why),)
    return Decided(planned=planned, changes=Changes(events=(_event(message, how, planned),)))


def _event(message: Message, how: How, planned: Sequence[Planned]) -> MessageReplayed:
    acts = {one.act for one in planned}
    return MessageReplayed(
        message_id=message.id,
        partner=message.partner,
        replay=how.replay_id,
        by=how.by,
        reason=how.why,
        versions=how.versions.value,
        outcome=next((act.value for act in WORST if act in acts), Act.SAME.value),
        documents=len(planned),
    )


class _Deciding:
    """One message in hand."""

    def __init__(self, station: Station, message: Message, how: How) -> None:
        self._station = station
        self._message = message
        self._how = how
        self._sum = _Sum()
        self._eyes: Eyes
        self._trail: list[TrailEntry] | None = None

    async def decided(self) -> Decided:
        planned = await self._planned()
        made = self._sum
        changes = Changes(
            documents=tuple(made.documents),
            document_updates=tuple(made.updates),
            deliveries=tuple(made.deliveries),
            further_seen=tuple(made.seen),
            answers_seen=tuple(made.answers),
            jobs=tuple(replace(job, priority=LOWEST) for job in made.jobs),
            keys=tuple(made.keys),
            woken=tuple(made.woken),
            events=(*made.events, _event(self._message, self._how, planned)),
        )
        return Decided(planned=planned, changes=changes, unheld=tuple(made.unheld))

    async def _planned(self) -> tuple[Planned, ...]:
        message = self._message
        if message.state in {MessageState.RECEIVED, MessageState.FAILED}:
            return (self._read_first(message),)
        stored = sorted(
            await self._station.queries.documents_of(message.id),
            key=lambda one: (one.at, one.replaced_by is None, one.id),
        )
        if self._how.versions is Versions.ORIGINAL:
            self._eyes = await eyes_of_then(self._station, stored)
        else:
            self._eyes = eyes_of_now(self._station, message.partner)
        by_place = {(one.position, one.kind): one for one in stored}  # the newest of each place
        found = await reread(self._station, self._eyes, message)
        planned = [await self._about(one, by_place.pop((one.position, one.kind), None)) for one in found]
        gone = [one for one in by_place.values() if one.state is not DocumentState.REJECTED]
        planned += [_left(one, "it is not found in the message any more, read so") for one in gone]
        return tuple(planned)

    def _read_first(self, message: Message) -> Planned:
        """A message that was never read to its end."""
        if message.state is MessageState.RECEIVED:
            return Planned(kind="message", number=message.id, act=Act.LEFT, why="it is still being read")
        lane = identity.inbound_lane(message.partner or "", "read")
        again = NewJob(
            message_id=message.id, step="read", lane=lane, run_at=self._station.clock(), again_after=timedelta(0)
        )
        self._sum.jobs.append(again)
        return Planned(kind="message", number=message.id, act=Act.READ, why="reading it was given up")

    async def _about(self, one: Reread, stored: Document | None) -> Planned:
        """One set."""
        refused = stored is None or stored.state is DocumentState.REJECTED
        if not one.valid:
            if refused:
                return _planned(one, stored, Act.SAME, f"still refused: {one.refusal}")
            return _planned(one, stored, Act.LEFT, f"it would be refused now: {one.refusal}")
        if stored is not None and stored.state in _ENDED and await self._rejected_by_somebody(stored):
            return _planned(one, stored, Act.SAME, "somebody rejected it: gateway message show has who and why")
        if stored is None or refused:
            return await self._new(one, stored)
        if self._how.as_new:
            return await self._as_new(one, stored)
        if stored.replaced_by is not None:
            what = f"document {stored.replaced_by} replaced it since"
            return _planned(one, stored, Act.SAME if one.sha256 == stored.sha256 else Act.LEFT, what)
        return await self._accepted(one, stored)

    async def _accepted(self, one: Reread, stored: Document) -> Planned:
        """One that was taken the first time: by how it stands at its targets."""
        rows = list(await self._station.queries.deliveries([stored.id]))
        states = {row.state for row in rows}
        changed = one.sha256 != stored.sha256
        if _S.UNCERTAIN in states:
            where = next(row.target for row in rows if row.state is _S.UNCERTAIN)
            advice = f"nobody knows whether {where} has it: gateway message settle {stored.id} --target {where}"
            return _planned(one, stored, Act.LEFT, advice)
        if stored.state is DocumentState.HELD:
            return await self._held(one, stored, rows, changed=changed)
        if _S.PENDING in states:
            told = "it is on its way" + ("; replay it when that has ended" if changed else "")
            return _planned(one, stored, Act.LEFT if changed else Act.SAME, told)
        if changed:
            return await self._successor(one, stored, rows)
        return await self._unchanged(one, stored, rows)

    async def _held(self, one: Reread, stored: Document, rows: list[DeliveryRecord], *, changed: bool) -> Planned:
        if stored.review is Review.REPLACEMENT or await self._held_by_an_agreement(stored):
            return _planned(one, stored, Act.LEFT, "it replaces another one, and waits for a decision")
        if stored.review is Review.ORDER_HELD:
            return _planned(one, stored, Act.LEFT if changed else Act.SAME, "it waits behind its order")
        if changed:
            return await self._successor(one, stored, rows)
        if stored.review is not None:
            return _planned(one, stored, Act.SAME, "it waits for a decision: gateway review list")
        return await self._again(one, stored, rows, [row for row in rows if row.state is _S.PENDING])

    async def _unchanged(self, one: Reread, stored: Document, rows: list[DeliveryRecord]) -> Planned:
        """The same document: what failed goes again; a target whose words changed gets a replacement."""
        there = [await self._compared(stored, row) for row in rows if row.state in _THERE]
        if any(call.act is Act.REPLACED for call in there):
            return await self._successor(one, stored, rows)
        gave_up = [row for row in rows if row.state is _S.FAILED]
        if gave_up or (not rows and stored.state is DocumentState.FAILED):
            return await self._again(one, stored, rows, gave_up, beside=there)
        left = next((call.why for call in there if call.act is Act.LEFT), None)
        return _planned(one, stored, Act.SAME if left is None else Act.LEFT, left or "", calls=there)

    async def _compared(self, document: Document, row: DeliveryRecord, *, of: Document | None = None) -> Call:
        """What a target that has `of` (by default the document itself) would get now, and whether it can be told."""
        connector = self._station.connectors.get(row.target)
        if connector is None:
            return Call(target=row.target, act=Act.SAME, why="it has it, and is no target any more")
        before = await body_then(self._station, of or document, row.target, await self._events())
        try:
            plain = connector.told(await delivery_of(self._station, document, row.key))
            fields = compared(before, plain.body)
            if not fields and (before is not None or of is None):
                return Call(target=row.target, act=Act.SAME, why="it has what would be sent")
            if not connector.replaces(document.kind):
                why = f"{row.target} has it, and has no replace call for {document.kind}"
                return Call(target=row.target, act=Act.LEFT, why=why, fields=fields)
            anew = await delivery_of(self._station, document, document.id, their_id=row.their_id, replaces=True)
            return Call(target=row.target, act=Act.REPLACED, told=connector.told(anew), fields=fields)
        except (DeliveryFailed, OurFault) as fault:
            return Call(target=row.target, act=Act.LEFT, why=f"{row.target} has it, and what it would get now: {fault}")

    async def _again(
        self,
        one: Reread,
        stored: Document,
        rows: list[DeliveryRecord],
        meant: list[DeliveryRecord],
        *,
        beside: Sequence[Call] = (),
    ) -> Planned:
        """The same document under the same keys."""
        made, now, several = self._sum, self._station.clock(), len(rows) > 1
        calls = [*beside]
        for row in meant:
            made.deliveries.append(
                DeliveryChange(
                    document_id=stored.id, target=row.target, key=row.key, state=_S.PENDING, reason=self._reason
                )
            )
            made.jobs.append(deliver_job(stored, row, now, several=several))
            calls.append(await self._told(stored, row.target, row.key, Act.AGAIN))
            if several:
                made.jobs.append(settle_job(stored, stored.partner, row.target, now))
        if not rows:
            made.jobs.append(self._unrouted(stored))
        if not several:
            made.updates.append(DocumentUpdate(id=stored.id, state=DocumentState.ACCEPTED))
        made.seen.append(seen(stored.id, rows))
        made.unheld.append(stored.id)
        return _planned(one, stored, Act.AGAIN, "", calls=calls)

    async def _told(self, document: Document, target: str, key: str, act: Act) -> Call:
        """A call to a target that has nothing of it."""
        connector = self._station.connectors.get(target)
        if connector is None:
            return Call(target=target, act=act, why="it is no target any more: routed anew")
        try:
            return Call(target=target, act=act, told=connector.told(await delivery_of(self._station, document, key)))
        except (DeliveryFailed, OurFault) as fault:
            return Call(target=target, act=act, why=str(fault))

    async def _new(self, one: Reread, stored: Document | None) -> Planned:
        """It was refused, or not there."""
        holder = await self._holder(identity.natural_key(one.kind, one.body))
        if holder is not None:
            same = holder.sha256 == one.sha256
            told = f"message {holder.message_id} brought {'it' if same else 'another one of its number'}"
            return _planned(one, stored, Act.SAME if same else Act.LEFT, told)
        taken = await documents.take(
            self._station,
            self._eyes.agreement,
            one.kind,
            one.body,
            origin=self._origin(one),
            findings=one.findings,
            sha256=one.sha256,
            beside=self._sum.documents,
        )
        if not taken.accepted or not taken.documents:
            return _planned(one, stored, Act.SAME, f"still refused: {_why(taken)}")
        new = replace(taken.documents[0], agreement=self._eyes.version)
        self._add(taken, new, taken.deliveries, taken.jobs)
        calls = [await self._told(_stored(new), each.target, each.key, Act.NEW) for each in taken.deliveries]
        return _planned(one, stored, Act.NEW, "the partner was told that it is refused: tell them", calls=calls)

    async def _as_new(self, one: Reread, stored: Document) -> Planned:
        """Once more, whatever is there: a new identity, new keys."""
        holder = await self._holder(identity.natural_key(one.kind, one.body))
        if holder is not None and (holder.message_id != self._message.id or holder.replaced_by is not None):
            told = f"its number is document {holder.id}'s, of message {holder.message_id}"
            return _planned(one, stored, Act.LEFT, told)
        taken = await self._taken(one, stored, replacing.Standing(ends=holder))
        if isinstance(taken, str):
            return _planned(one, stored, Act.LEFT, taken)
        new = self._document(taken, stored)
        self._add(taken, new, taken.deliveries, taken.jobs)
        calls = [await self._told(_stored(new), each.target, each.key, Act.AS_NEW) for each in taken.deliveries]
        return _planned(one, stored, Act.AS_NEW, "", calls=calls)

    async def _successor(self, one: Reread, stored: Document, rows: list[DeliveryRecord]) -> Planned:
        """Another document than the stored one: in its place where that went nowhere, else as its replacement."""
        holder = await self._holder(identity.natural_key(one.kind, one.body))
        if holder is not None and holder.id != stored.id:
            told = f"its number is document {holder.id}'s, of message {holder.message_id}"
            return _planned(one, stored, Act.LEFT, told)
        taken = await self._taken(one, stored, replacing.Standing(follows=stored, ends=holder))
        if isinstance(taken, str):
            return _planned(one, stored, Act.LEFT, taken)
        new = self._document(taken, stored)
        calls, chosen = await self._calls(new, stored, rows, taken.deliveries)
        if not chosen and taken.deliveries:
            why = next((call.why for call in calls if call.act is Act.LEFT), "")
            return _planned(one, stored, Act.LEFT if why else Act.SAME, why, calls=calls)
        by_target = {each.target: each for each in chosen}
        jobs = [job for job in taken.jobs if job.step != "deliver" or job.data.get("target") in {*by_target, UNROUTED}]
        self._add(taken, new, chosen, [_aimed(job, by_target) for job in jobs])
        self._end(stored, rows)
        act = Act.REPLACED if any(call.act is Act.REPLACED for call in calls) else Act.CORRECTED
        return _planned(one, stored, act, "", calls=calls)

    async def _calls(
        self, new: NewDocument, stored: Document, rows: list[DeliveryRecord], planned: Sequence[DeliveryChange]
    ) -> tuple[list[Call], list[DeliveryChange]]:
        """What each target gets, and the deliveries that are made."""
        document, before = _stored(new), {row.target: row for row in rows}
        went = any(row.state in _THERE for row in rows)
        calls: list[Call] = []
        chosen: list[DeliveryChange] = []
        for each in planned:
            row = before.get(each.target)
            if row is None and went:
                why = f"it was delivered elsewhere, and would go to {each.target} now"
                calls.append(Call(target=each.target, act=Act.LEFT, why=why))
            elif row is None:
                calls.append(await self._told(document, each.target, each.key, Act.CORRECTED))
                chosen.append(each)
            elif row.state in _THERE:
                call = await self._compared(document, row, of=stored)
                calls.append(call)
                if call.act is Act.REPLACED:
                    chosen.append(each)
            elif row.state in _ASIDE:
                calls.append(Call(target=each.target, act=Act.LEFT, why=f"it was {row.state.value} there"))
            else:  # failed, or pending while it is held: the target has it not
                calls.append(await self._told(document, each.target, row.key, Act.CORRECTED))
                chosen.append(replace(each, key=row.key))
        gone = [row.target for row in rows if row.state in _THERE and row.target not in {one.target for one in planned}]
        calls += [
            Call(target=name, act=Act.LEFT, why=f"{name} has it, and it is no longer routed there") for name in gone
        ]
        return calls, chosen

    def _end(self, stored: Document, rows: list[DeliveryRecord]) -> None:
        """What is left of the work on the stored one: its jobs find that it was replaced, and end."""
        made, now = self._sum, self._station.clock()
        made.seen.append(seen(stored.id, rows))
        made.unheld.append(stored.id)
        if stored.state is DocumentState.HELD:
            made.updates.append(DocumentUpdate(id=stored.id, state=DocumentState.FAILED, cleared=("review",)))
        for row in rows:
            if row.state is _S.FAILED:
                made.jobs.append(deliver_job(stored, row, now, several=len(rows) > 1))
            elif row.state is _S.PENDING:
                made.deliveries.append(
                    DeliveryChange(
                        document_id=stored.id, target=row.target, key=row.key, state=_S.DISCARDED, reason=self._reason
                    )
                )
        if not rows and stored.state is DocumentState.FAILED:
            made.jobs.append(self._unrouted(stored))

    def _unrouted(self, document: Document) -> NewJob:
        """The work on a document that no route led on."""
        return NewJob(
            message_id=document.message_id,
            document_id=document.id,
            step="deliver",
            lane=identity.inbound_lane(document.partner, UNROUTED),
            run_at=self._station.clock(),
            data={"target": UNROUTED},
            again_after=timedelta(0),
        )

    async def _taken(self, one: Reread, stored: Document, stands: replacing.Standing) -> documents.Taken | str:
        """Taken as if it came now; or why it cannot be."""
        taken = await documents.take(
            self._station,
            self._eyes.agreement,
            one.kind,
            one.body,
            origin=self._origin(one),
            findings=one.findings,
            sha256=one.sha256,
            again=stored,
            stands=stands,
            beside=self._sum.documents,
        )
        if not taken.accepted:
            return f"it would be refused now: {_why(taken)}"
        if taken.documents[0].review is not None:
            return "it would wait for a decision: gateway review list has the stored one, if that waits too"
        # The identities of the first reading are this message's already.
        keys = [key for key in taken.keys if await self._station.queries.key_owner(key[0]) is None]
        return replace(taken, keys=tuple(keys))

    def _document(self, taken: documents.Taken, stored: Document) -> NewDocument:
        """Of the day that the stored one came: words and routes are those of that day."""
        return replace(taken.documents[0], at=stored.at, agreement=self._eyes.version)

    def _add(
        self,
        taken: documents.Taken,
        new: NewDocument,
        deliveries: Sequence[DeliveryChange],
        jobs: Sequence[NewJob],
    ) -> None:
        made, targets = self._sum, {each.target for each in deliveries}
        made.documents.append(new)
        made.updates.extend(taken.updates)
        made.deliveries.extend(deliveries)
        made.jobs.extend(jobs)
        made.keys.extend(key for key in taken.keys if key not in made.keys)
        made.woken.extend(taken.woken)
        made.answers.extend(taken.seen)
        made.events.extend(
            one
            for one in taken.events
            if not isinstance(one, DocumentRouted) or one.target in targets or one.target == UNROUTED
        )

    def _origin(self, one: Reread) -> documents.Origin:
        return documents.Origin(
            message_id=self._message.id,
            position=one.position,
            map=one.map,
            guide=one.guide,
            unmapped=one.unmapped,
            envelope=one.envelope,
        )

    async def _holder(self, key: str) -> Document | None:
        partner = self._eyes.agreement.name
        return await self._station.queries.document_by_key(partner, Direction.INBOUND, key)

    async def _held_by_an_agreement(self, document: Document) -> bool:
        """A replacement that waits for a person, of a time before that was a review: it waits for no word."""
        if document.review is not None or document.replaces is None:
            return False
        holds = await self._station.queries.holds(partner=document.partner)
        return all(one.document_id != document.id for one in holds)

    async def _rejected_by_somebody(self, document: Document) -> bool:
        return any(
            one.kind == DocumentReviewed.kind
            and one.data.get("document_id") == document.id
            and one.data.get("decision") == "rejected"
            and one.data.get("by") != GATEWAY
            for one in await self._events()
        )

    async def _events(self) -> list[TrailEntry]:
        if self._trail is None:
            self._trail = await self._station.queries.timeline(message_id=self._message.id)
        return self._trail

    @property
    def _reason(self) -> str:
        return f"replay {self._how.replay_id}, {self._how.by}: {self._how.why}"


def _aimed(job: NewJob, chosen: dict[str, DeliveryChange]) -> NewJob:
    """A delivery's job as it is among those that are left, with its key."""
    each = chosen.get(str(job.data.get("target")))
    if job.step != "deliver" or each is None:
        return job
    data: dict[str, Any] = {"target": each.target, "key": each.key}
    if len(chosen) > 1:
        data["several"] = True
    if not each.critical:
        data["optional"] = True
    own = each.key == identity.delivery_key(each.document_id, job.part)
    return replace(job, data=data, part=job.part if own else each.target)


def _why(taken: documents.Taken) -> str:
    fatal = next((one for one in taken.findings if one.severity is Severity.REJECT), None)
    return "" if fatal is None else fatal.text


def _planned(one: Reread, stored: Document | None, act: Act, why: str = "", *, calls: Sequence[Call] = ()) -> Planned:
    body = one.body
    return Planned(
        kind=one.kind,
        number=identity.number_of(one.kind, body) if body else (stored.number if stored else "-"),
        act=act,
        why=why,
        position=one.position,
        document_id=None if stored is None else stored.id,
        fields=() if stored is None or not body else _fields(stored, one),
        calls=tuple(calls),
    )


def _fields(stored: Document, one: Reread) -> tuple[Difference, ...]:
    """What the map reads otherwise; what the envelope says is the same octets as before."""
    envelope = set(one.envelope)
    return differences({name: value for name, value in stored.body.items() if name not in envelope}, one.body)


def _left(document: Document, why: str) -> Planned:
    return Planned(
        kind=document.kind,
        number=document.number,
        act=Act.LEFT,
        why=why,
        position=document.position or "",
        document_id=document.id,
    )


def _stored(new: NewDocument) -> Document:
    """A document that is not stored yet, as those who read it see it."""
    return Document(
        id=new.id,
        message_id=new.message_id,
        partner=new.partner,
        direction=new.direction,
        kind=new.kind,
        number=new.number,
        order_number=new.order_number,
        business_unit=new.business_unit,
        state=new.state,
        at=new.at,
        updated_at=new.at,
        body=new.body,
        sha256=new.sha256,
        findings=new.findings,
        agreement=new.agreement,
        map=new.map,
        guide=new.guide,
        position=new.position,
        target=None,
        their_id=None,
        replaces=new.replaces,
    )
