"""An operator's decision about one delivery: it took place, it is made again, or it is not made.

It is recorded with its reason. The job of the delivery is put back to work each time: where nothing is left to do it
ends at once, dead letter or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.errors import OurFault
from gateway.events import DeliverySettled
from gateway.pipeline import identity, purged, reviewing
from gateway.pipeline.deliveries import settle_job
from gateway.ports import (
    Changes,
    DeliveryChange,
    DeliveryRecord,
    DeliveryState,
    Document,
    DocumentState,
    DocumentUpdate,
    NewJob,
    Queries,
    Review,
    seen,
)


class Decision(StrEnum):
    """What an operator says."""

    DELIVERED = "delivered"
    AGAIN = "again"
    DISCARDED = "discarded"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """What a decision comes to."""

    state: DeliveryState
    of: frozenset[DeliveryState]
    """The states in which it may be made."""
    document: DocumentState
    """Where the document has no other target."""


_S = DeliveryState
DECISIONS: Mapping[Decision, _Row] = {
    Decision.DELIVERED: _Row(
        state=_S.DELIVERED, of=frozenset({_S.UNCERTAIN, _S.FAILED}), document=DocumentState.DELIVERED
    ),
    Decision.AGAIN: _Row(
        state=_S.PENDING,
        of=frozenset({_S.UNCERTAIN, _S.FAILED, _S.COMPENSATED, _S.DISCARDED}),
        document=DocumentState.ACCEPTED,
    ),
    Decision.DISCARDED: _Row(
        state=_S.DISCARDED, of=frozenset({_S.UNCERTAIN, _S.FAILED}), document=DocumentState.FAILED
    ),
}
HELD = frozenset({Decision.AGAIN, Decision.DISCARDED})
"""What may be decided about the pending delivery of a replacement that the agreement holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """The decision, who made it and why."""

    decided: Decision
    by: str
    reason: str
    their_id: str | None = None


async def settled(queries: Queries, id_: str, target: str, settlement: Settlement, now: datetime) -> Changes:
    """The changes of a decision about the delivery to `target` of the document, or the message's document, `id_`.

    Raises OurFault where there is no such delivery, or none that this may be decided about, or more than one.
    """
    one = await queries.document(id_)
    documents = {one.id: one} if one is not None else {each.id: each for each in await queries.documents_of(id_)}
    rows = await queries.deliveries(list(documents))
    document, row = _chosen(documents, rows, id_, target, settlement.decided)
    if settlement.decided is Decision.AGAIN:
        purged.refuse(document)
    others = [each for each in rows if each.document_id == document.id]
    several, made = len(others) > 1, DECISIONS[settlement.decided]
    held = row.state is DeliveryState.PENDING
    # A held replacement is let go, or not, as a whole: its targets have it all or none.
    meant = [one for one in others if one.state is DeliveryState.PENDING] if held else [row]
    jobs: list[NewJob] = []
    if not held or settlement.decided is Decision.AGAIN:
        jobs = [deliver_job(document, one, now, several=several) for one in meant]
    updates: list[DocumentUpdate] = []
    if held or not several:
        updates.append(
            DocumentUpdate(
                id=document.id,
                state=made.document,
                target=row.target,
                their_id=settlement.their_id,
                cleared=("review",) if held else (),
            )
        )
    else:
        jobs.append(settle_job(document, document.partner, target, now))
    if held and settlement.decided is Decision.AGAIN and document.replaces is not None:
        # From now on it replaces the earlier one.
        updates.append(DocumentUpdate(id=document.replaces, replaced_by=document.id))
    return Changes(
        deliveries_seen=seen(document.id, others),
        deliveries=tuple(_change(one, made.state, settlement) for one in meant),
        document_updates=tuple(updates),
        jobs=tuple(jobs),
        events=tuple(_event(document, one, settlement) for one in meant),
    )


async def reviewed(
    queries: Queries, document: Document, *, approved: bool, by: str, why: str, now: datetime
) -> Changes:
    """The changes of a decision about a document under review. Raises OurFault where nobody decides about it."""
    if document.review is not Review.REPLACEMENT:
        if approved:
            return reviewing.approval(document, by=by, why=why, now=now)
        return reviewing.refusal(document, by=by, why=why)
    told = reviewing.reviewed(document, "approved" if approved else "rejected", by=by, why=why)
    rows = [one for one in await queries.deliveries([document.id]) if one.state is DeliveryState.PENDING]
    if rows:
        decided = Decision.AGAIN if approved else Decision.DISCARDED
        changes = await settled(
            queries, document.id, rows[0].target, Settlement(decided=decided, by=by, reason=why), now
        )
        return replace(changes, events=(told, *changes.events))
    if approved:  # no route fitted: it is looked for again
        return reviewing.approval(document, by=by, why=why, now=now)
    # Its number stays taken: what it was to replace holds good, and a repeat of that is one.
    update = DocumentUpdate(id=document.id, state=DocumentState.FAILED, cleared=("review",))
    return Changes(document_updates=(update,), events=(told,))


def _change(row: DeliveryRecord, state: DeliveryState, settlement: Settlement) -> DeliveryChange:
    return DeliveryChange(
        document_id=row.document_id,
        target=row.target,
        key=row.key,
        new_key=key if (key := _key(row)) != row.key else None,
        state=state,
        their_id=settlement.their_id,
        reason=f"{settlement.by}: {settlement.reason}" if settlement.reason else settlement.by,
    )


def _key(row: DeliveryRecord) -> str:
    """Of its calls from now on: under the old key it would be a repeat of what was undone."""
    return f"{row.key}~2" if row.state is DeliveryState.COMPENSATED else row.key


def _event(document: Document, row: DeliveryRecord, settlement: Settlement) -> DeliverySettled:
    return DeliverySettled(
        message_id=document.message_id,
        partner=document.partner,
        order_number=document.order_number,
        document_id=document.id,
        target=row.target,
        decided=settlement.decided.value,
        by=settlement.by,
        reason=settlement.reason,
        their_id=settlement.their_id,
    )


def _chosen(
    documents: Mapping[str, Document], rows: list[DeliveryRecord], id_: str, target: str, decided: Decision
) -> tuple[Document, DeliveryRecord]:
    """The one delivery that is meant."""
    mine = [one for one in rows if one.target == target]
    if not mine:
        known = ", ".join(sorted({one.target for one in rows})) or "none"
        raise OurFault(f"{id_} has no delivery to {target}; it has: {known}", remedy=f"gateway message show {id_}")
    fitting = [
        one
        for one in mine
        if one.state in DECISIONS[decided].of
        or (
            decided in HELD
            and one.state is DeliveryState.PENDING
            and documents[one.document_id].state is DocumentState.HELD
            and documents[one.document_id].replaces is not None
        )
    ]
    if not fitting:
        stands = ", ".join(sorted({one.state.value for one in mine}))
        raise OurFault(
            f"the delivery to {target} is {stands}: it cannot be settled as {decided}",
            remedy="only what is uncertain or given up can be; what was undone or discarded can be made again",
        )
    if len(fitting) > 1:
        ids = ", ".join(one.document_id for one in fitting[:10])
        raise OurFault(f"{len(fitting)} documents of {id_} wait at {target}", remedy=f"name one of them: {ids}")
    return documents[fitting[0].document_id], fitting[0]


def deliver_job(document: Document, row: DeliveryRecord, now: datetime, *, several: bool) -> NewJob:
    """A delivery made again, under its key."""
    # The first target's key is the document's id; a document in another one's place has that one's keys.
    part = "" if row.key == document.id or row.key.startswith(f"{document.id}~") else row.target
    flags = {"several": several, "optional": not row.critical}
    return NewJob(
        message_id=document.message_id,
        document_id=document.id,
        part=part,
        step="deliver",
        lane=identity.inbound_lane(document.partner, row.target),
        run_at=now,
        data={"target": row.target, "key": _key(row)} | {name: True for name, said in flags.items() if said},
        again_after=timedelta(0),
    )
