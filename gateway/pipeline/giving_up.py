"""An operator's hand on dead letters: work again, or put aside for good; which of them are one trouble.

What is put aside is not done, and nobody is told anything: what the partner was told stays told. It can be taken back.
A delivery of which nobody knows whether it took place is no dead letter to put aside: it is settled.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from gateway.errors import OurFault
from gateway.events import WorkDiscarded, WorkRetried
from gateway.pipeline import purged
from gateway.pipeline.deliveries import UNROUTED, settle_job
from gateway.ports import (
    Changes,
    DeliveryChange,
    DeliveryRecord,
    DeliveryState,
    Document,
    DocumentState,
    DocumentUpdate,
    NaturalKeyTaken,
    NewJob,
    Queries,
)
from gateway.ports.dead_letters import DELIVER, DeadLetter

_OWN = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d[:\d.+Z-]*"
    r"|\b[0-9a-fA-F]{16,}\b|\d{4,}"
)
"""What a reason says of one document only: ids, moments, long numbers. A status (422) is not among them."""
LONGEST = 300
DECISIONS = 10
"""How often it is decided anew when somebody was quicker."""


def cause_of(letter: DeadLetter) -> str:
    """Its reason without what is its document's own: letters that share it have one cause."""
    first = next(iter(letter.reason.splitlines()), "")
    for number in filter(None, (letter.number, letter.order_number)):
        first = re.sub(rf"(?<![\w-]){re.escape(number)}(?![\w-])", "…", first)
    return _OWN.sub("…", first)[:LONGEST]


def group_of(letter: DeadLetter) -> str:
    """The name of the group that a letter is in: the same work, at the same far side, for the same cause."""
    words = "\0".join((letter.partner, letter.step, letter.target, cause_of(letter)))
    return f"g{hashlib.sha256(words.encode()).hexdigest()[:8]}"


async def retried(queries: Queries, letter: DeadLetter, *, by: str, why: str) -> Changes:
    """What follows when a letter is worked again; what was put aside counts as if it had not been.

    Raises OurFault where the content of its document was purged meanwhile.
    """
    meant = None if letter.document_id is None else await queries.document(letter.document_id)
    if meant is not None:
        purged.refuse(meant)
    told = WorkRetried(
        message_id=letter.message_id,
        partner=letter.partner,
        order_number=letter.order_number,
        step=letter.step,
        by=by,
        reason=why,
    )
    found = await _delivery(queries, letter)
    if found is None or found[1].state not in {DeliveryState.FAILED, DeliveryState.DISCARDED}:
        return Changes(events=(told,))
    document, row = found
    return Changes(
        deliveries=(_change(row, DeliveryState.PENDING, by, why),),
        document_updates=() if _several(letter) else (DocumentUpdate(id=document.id, state=DocumentState.ACCEPTED),),
        jobs=_settled(letter, document),
        events=(told,),
    )


async def discarded(queries: Queries, letter: DeadLetter, *, by: str, why: str) -> Changes:
    """What follows when a letter is put aside. Raises OurFault where nobody knows whether its call took place."""
    told = WorkDiscarded(
        message_id=letter.message_id,
        partner=letter.partner,
        order_number=letter.order_number,
        step=letter.step,
        by=by,
        reason=why,
        gave_up=letter.reason,
        document_id=letter.document_id,
        target=letter.target if letter.step == DELIVER else None,
    )
    found = await _delivery(queries, letter)
    if found is None:
        return Changes(events=(told,))
    document, row = found
    if row.state is DeliveryState.UNCERTAIN:
        raise OurFault(
            f"nobody knows whether {row.target} has {document.kind} {document.number}: it is not put aside unasked",
            remedy=f"ask there, then say what holds: gateway message settle {document.id} --target {row.target}",
        )
    return Changes(
        deliveries=(_change(row, DeliveryState.DISCARDED, by, why),),
        # Of several targets it is decided over all of them; the only one leaves the document failed.
        document_updates=() if _several(letter) else (DocumentUpdate(id=document.id, state=DocumentState.FAILED),),
        jobs=_settled(letter, document),
        events=(told,),
    )


class Letters(Queries, Protocol):
    """Dead letters, read and moved."""

    def dead_letters(self, *, discarded: bool = False, message_id: str | None = None) -> AsyncIterator[DeadLetter]:
        """All of them, or a message's."""

    async def move_dead(self, letter: DeadLetter, changes: Changes, *, again: bool) -> bool:
        """Put one back to work, or aside; False when it stands otherwise by now. Raises NaturalKeyTaken."""


async def all_retried(store: Letters, message_id: str, *, by: str, why: str) -> int:
    """Work again on all that was given up of a message, each as `retried` says; how many letters there were.

    Its deliveries are on their way in the same commit, so that a replay beside it leaves them alone.
    """
    count = 0
    async for letter in store.dead_letters(message_id=message_id):
        for _ in range(DECISIONS):
            try:
                moved = await store.move_dead(letter, await retried(store, letter, by=by, why=why), again=True)
            except NaturalKeyTaken:
                continue  # somebody was quicker: decide again, seeing theirs
            count += moved
            break
    return count


async def _delivery(queries: Queries, letter: DeadLetter) -> tuple[Document, DeliveryRecord] | None:
    """The document of a delivery and how it stands at its target; None where the letter is no delivery."""
    if letter.step != DELIVER or letter.document_id is None or letter.target == UNROUTED:
        return None
    document = await queries.document(letter.document_id)
    rows: Iterable[DeliveryRecord] = await queries.deliveries([letter.document_id])
    row = next((one for one in rows if one.target == letter.target), None)
    return None if document is None or row is None else (document, row)


def _several(letter: DeadLetter) -> bool:
    return bool(letter.data.get("several"))


def _settled(letter: DeadLetter, document: Document) -> tuple[NewJob, ...]:
    if not _several(letter):
        return ()
    return (settle_job(document, document.partner, letter.target, letter.at),)


def _change(row: DeliveryRecord, state: DeliveryState, by: str, why: str) -> DeliveryChange:
    reason = f"{by}: {why}" if why else by
    return DeliveryChange(document_id=row.document_id, target=row.target, key=row.key, state=state, reason=reason)
