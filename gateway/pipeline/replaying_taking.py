"""What a replay takes as a document of its own: what was refused, what goes once more, what follows the stored one.

It is decided as if it came now, but of the day that it came, and by what the message was read with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gateway.events import DocumentRouted
from gateway.findings import Severity
from gateway.pipeline import documents, identity, replacing
from gateway.pipeline.deliveries import UNROUTED
from gateway.pipeline.replaying_calls import Call, as_stored
from gateway.pipeline.replaying_hand import Hand
from gateway.pipeline.replaying_plan import Planned, planned
from gateway.pipeline.replaying_said import REJECTED, REPLACES
from gateway.pipeline.rereading import Reread
from gateway.pipeline.settling import deliver_job
from gateway.ports import (
    DeliveryChange,
    DeliveryRecord,
    DeliveryState,
    Document,
    DocumentState,
    DocumentUpdate,
    NewDocument,
    NewJob,
    seen,
)
from gateway.ports.replays import Act

_S = DeliveryState
_ASIDE = frozenset({_S.DISCARDED, _S.COMPENSATED})


async def new(hand: Hand, one: Reread, stored: Document | None) -> Planned:
    """It was refused, or not there."""
    if stored is not None and await hand.said.rejected(stored):
        return planned(one, stored, Act.SAME, REJECTED)
    holder = await hand.holder(one)
    if holder is not None:
        same = holder.sha256 == one.sha256
        told = f"message {holder.message_id} brought {'it' if same else 'another one of its number'}"
        return planned(one, stored, Act.SAME if same else Act.LEFT, told)
    taken = await documents.take(
        hand.station,
        hand.eyes.agreement,
        one.kind,
        one.body,
        origin=_origin(hand, one),
        findings=one.findings,
        sha256=one.sha256,
        beside=tuple(hand.fresh),
    )
    if not taken.accepted or not taken.documents:
        return planned(one, stored, Act.SAME, f"still refused: {_why(taken)}")
    new = replace(taken.documents[0], agreement=hand.eyes.version)
    if (first := _before(hand, taken)) is not None:
        return planned(one, stored, Act.SAME if first.sha256 == new.sha256 else Act.LEFT, _stands(first, new))
    hand.fresh.append(new)
    _add(hand, taken, new, taken.deliveries, taken.jobs)
    calls = [await hand.told(as_stored(new), each.target, each.key, Act.NEW) for each in taken.deliveries]
    return planned(one, stored, Act.NEW, "the partner was told that it is refused: tell them", calls=calls)


async def as_new(hand: Hand, one: Reread, stored: Document) -> Planned:
    """Once more, whatever is there: a new identity, new keys."""
    if await hand.said.held_as_replacement(stored):
        return planned(one, stored, Act.LEFT, REPLACES)
    holder = await hand.holder(one)
    if holder is not None and (holder.message_id != hand.message.id or holder.replaced_by is not None):
        told = f"its number is document {holder.id}'s, of message {holder.message_id}"
        return planned(one, stored, Act.LEFT, told)
    taken = await _taken(hand, one, stored, replacing.Standing(ends=holder))
    if isinstance(taken, str):
        return planned(one, stored, Act.LEFT, taken)
    new = _document(hand, taken, stored)
    _add(hand, taken, new, taken.deliveries, taken.jobs)
    calls = [await hand.told(as_stored(new), each.target, each.key, Act.AS_NEW) for each in taken.deliveries]
    return planned(one, stored, Act.AS_NEW, "", calls=calls)


async def successor(hand: Hand, one: Reread, stored: Document, rows: list[DeliveryRecord]) -> Planned:
    """Another document than the stored one: in its place where that went nowhere, else as its replacement."""
    holder = await hand.holder(one)
    if holder is not None and holder.id != stored.id:
        told = f"its number is document {holder.id}'s, of message {holder.message_id}"
        return planned(one, stored, Act.LEFT, told)
    taken = await _taken(hand, one, stored, replacing.Standing(follows=stored, ends=holder))
    if isinstance(taken, str):
        return planned(one, stored, Act.LEFT, taken)
    new = _document(hand, taken, stored)
    calls, chosen = await _calls(hand, new, stored, rows, taken.deliveries)
    if not chosen and taken.deliveries:
        why = next((call.why for call in calls if call.act is Act.LEFT), "")
        return planned(one, stored, Act.LEFT if why else Act.SAME, why, calls=calls)
    by_target = {each.target: each for each in chosen}
    jobs = [job for job in taken.jobs if job.step != "deliver" or job.data.get("target") in {*by_target, UNROUTED}]
    _add(hand, taken, new, chosen, [_aimed(job, by_target) for job in jobs])
    _end(hand, stored, rows)
    act = Act.REPLACED if any(call.act is Act.REPLACED for call in calls) else Act.CORRECTED
    return planned(one, stored, act, "", calls=calls)


async def _calls(
    hand: Hand, new: NewDocument, stored: Document, rows: list[DeliveryRecord], planned: Sequence[DeliveryChange]
) -> tuple[list[Call], list[DeliveryChange]]:
    """What each target gets, and the deliveries that are made."""
    document, before = as_stored(new), {row.target: row for row in rows}
    went = any(row.state is _S.DELIVERED for row in rows)
    calls: list[Call] = []
    chosen: list[DeliveryChange] = []
    for each in planned:
        row = before.get(each.target)
        if row is None and went:
            why = f"it was delivered elsewhere, and would go to {each.target} now"
            calls.append(Call(target=each.target, act=Act.LEFT, why=why))
        elif row is None:
            calls.append(await hand.told(document, each.target, each.key, Act.CORRECTED))
            chosen.append(each)
        elif row.state is _S.DELIVERED:
            call = await hand.compared(document, row, of=stored)
            calls.append(call)
            if call.act is Act.REPLACED:
                chosen.append(each)
        elif row.state in _ASIDE:
            calls.append(Call(target=each.target, act=Act.LEFT, why=f"it was {row.state.value} there"))
        else:  # failed, or pending while it is held: the target has it not
            calls.append(await hand.told(document, each.target, row.key, Act.CORRECTED))
            chosen.append(replace(each, key=row.key))
    gone = [
        row.target for row in rows if row.state is _S.DELIVERED and row.target not in {one.target for one in planned}
    ]
    calls += [Call(target=name, act=Act.LEFT, why=f"{name} has it, and it is no longer routed there") for name in gone]
    return calls, chosen


def _end(hand: Hand, stored: Document, rows: list[DeliveryRecord]) -> None:
    """What is left of the work on the stored one: its jobs find that it was replaced, and end."""
    made, now = hand.sum, hand.station.clock()
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
                    document_id=stored.id, target=row.target, key=row.key, state=_S.DISCARDED, reason=hand.reason
                )
            )
    if not rows and stored.state is DocumentState.FAILED:
        made.jobs.append(hand.unrouted(stored))


async def _taken(hand: Hand, one: Reread, stored: Document, stands: replacing.Standing) -> documents.Taken | str:
    """Taken as if it came now; or why it cannot be."""
    taken = await documents.take(
        hand.station,
        hand.eyes.agreement,
        one.kind,
        one.body,
        origin=_origin(hand, one),
        findings=one.findings,
        sha256=one.sha256,
        again=stored,
        stands=stands,
        beside=tuple(hand.fresh),
    )
    if not taken.accepted:
        return f"it would be refused now: {_why(taken)}"
    if taken.documents[0].review is not None:
        return "it would wait for a decision: gateway review list has the stored one, if that waits too"
    if (first := _before(hand, taken)) is not None:
        return _stands(first, taken.documents[0])
    # The identities of the first reading are this message's already.
    keys = [key for key in taken.keys if await hand.station.queries.key_owner(key[0]) is None]
    return replace(taken, keys=tuple(keys))


def _before(hand: Hand, taken: documents.Taken) -> NewDocument | None:
    """What is taken of this message now under one of its identities: two sets may be one number, read so."""
    return next((hand.named[name] for name in _identities(taken) if name in hand.named), None)


def _identities(taken: documents.Taken) -> list[str]:
    return [name for name in (taken.documents[0].natural_key, *(name for name, _ in taken.keys)) if name]


def _stands(first: NewDocument, new: NewDocument) -> str:
    other = "" if first.sha256 == new.sha256 else ", with other content"
    return f"it stands in the message before: set {first.position}{other}"


def _document(hand: Hand, taken: documents.Taken, stored: Document) -> NewDocument:
    """Of the day that the stored one came: words and routes are those of that day."""
    return replace(taken.documents[0], at=stored.at, agreement=hand.eyes.version)


def _add(
    hand: Hand,
    taken: documents.Taken,
    new: NewDocument,
    deliveries: Sequence[DeliveryChange],
    jobs: Sequence[NewJob],
) -> None:
    made, targets = hand.sum, {each.target for each in deliveries}
    made.documents.append(new)
    hand.named.update(dict.fromkeys(_identities(taken), new))
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


def _origin(hand: Hand, one: Reread) -> documents.Origin:
    return documents.Origin(
        message_id=hand.message.id,
        position=one.position or None,
        map=one.map,
        guide=one.guide,
        unmapped=one.unmapped,
        envelope=one.envelope,
        order=one.order,
    )


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
