"""What a replay does about a document that was taken before, without a second effect.

What a target has is left alone, or replaced where it can be told so; what it has not goes under the key it would have
had. What people decided, and what is still on its way, is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.pipeline import replaying_taking as taking
from gateway.pipeline.deliveries import settle_job
from gateway.pipeline.replaying_calls import Call
from gateway.pipeline.replaying_hand import Hand
from gateway.pipeline.replaying_plan import Planned, planned
from gateway.pipeline.replaying_said import PUT_ASIDE, REPLACES, UNDER_REVIEW
from gateway.pipeline.rereading import Reread
from gateway.pipeline.settling import deliver_job
from gateway.ports import (
    DeliveryChange,
    DeliveryRecord,
    DeliveryState,
    Document,
    DocumentState,
    DocumentUpdate,
    Review,
    seen,
)
from gateway.ports.replays import Act

_S = DeliveryState


async def once_more(hand: Hand, one: Reread, stored: Document, rows: list[DeliveryRecord], *, changed: bool) -> Planned:
    """A set that was taken before, without a second effect."""
    if stored.replaced_by is not None:
        what = f"document {stored.replaced_by} replaced it since"
        return planned(one, stored, Act.LEFT if changed else Act.SAME, what)
    if where := next((row.target for row in rows if row.state is _S.UNCERTAIN), None):
        advice = f"nobody knows whether {where} has it: gateway message settle {stored.id} --target {where}"
        return planned(one, stored, Act.LEFT, advice)
    if where := next((row.target for row in rows if row.state is _S.COMPENSATING), None):
        # The undo would take along what is sent there meanwhile.
        return planned(one, stored, Act.LEFT, f"it is being undone at {where}; replay it when that has ended")
    if stored.state is DocumentState.HELD:
        return await _held(hand, one, stored, rows, changed=changed)
    if any(row.state is _S.PENDING for row in rows):
        told = "it is on its way" + ("; replay it when that has ended" if changed else "")
        return planned(one, stored, Act.LEFT if changed else Act.SAME, told)
    if changed:
        return await taking.successor(hand, one, stored, rows)
    return await _unchanged(hand, one, stored, rows)


async def _held(hand: Hand, one: Reread, stored: Document, rows: list[DeliveryRecord], *, changed: bool) -> Planned:
    if await hand.said.held_as_replacement(stored):
        return planned(one, stored, Act.LEFT, REPLACES)
    if stored.review is Review.ORDER_HELD:
        return planned(one, stored, Act.LEFT if changed else Act.SAME, "it waits behind its order")
    if changed:
        return await taking.successor(hand, one, stored, rows)
    if stored.review is not None:
        return planned(one, stored, Act.SAME, UNDER_REVIEW)
    return await _again(hand, one, stored, rows, [row for row in rows if row.state is _S.PENDING])


async def _unchanged(hand: Hand, one: Reread, stored: Document, rows: list[DeliveryRecord]) -> Planned:
    """The same document: what failed goes again; a target whose words changed gets a replacement."""
    there = [await hand.compared(stored, row) for row in rows if row.state is _S.DELIVERED]
    if any(call.act is Act.REPLACED for call in there):
        return await taking.successor(hand, one, stored, rows)
    there += [_undone(stored, row) for row in rows if row.state is _S.COMPENSATED]
    gave_up = [row for row in rows if row.state is _S.FAILED]
    if not rows and stored.state is DocumentState.FAILED and await hand.said.put_aside("deliver", stored.id):
        return planned(one, stored, Act.LEFT, PUT_ASIDE)
    if gave_up or (not rows and stored.state is DocumentState.FAILED):
        return await _again(hand, one, stored, rows, gave_up, beside=there)
    left = next((call.why for call in there if call.act is Act.LEFT), None)
    return planned(one, stored, Act.SAME if left is None else Act.LEFT, left or "", calls=there)


async def _again(
    hand: Hand,
    one: Reread,
    stored: Document,
    rows: list[DeliveryRecord],
    meant: list[DeliveryRecord],
    *,
    beside: Sequence[Call] = (),
) -> Planned:
    """The same document under the same keys."""
    made, now, several = hand.sum, hand.station.clock(), len(rows) > 1
    calls = [*beside]
    for row in meant:
        made.deliveries.append(
            DeliveryChange(document_id=stored.id, target=row.target, key=row.key, state=_S.PENDING, reason=hand.reason)
        )
        made.jobs.append(deliver_job(stored, row, now, several=several))
        calls.append(await hand.told(stored, row.target, row.key, Act.AGAIN))
        if several:
            made.jobs.append(settle_job(stored, stored.partner, row.target, now))
    if not rows:
        made.jobs.append(hand.unrouted(stored))
    if not several:
        made.updates.append(DocumentUpdate(id=stored.id, state=DocumentState.ACCEPTED))
    made.seen.append(seen(stored.id, rows))
    made.unheld.append(stored.id)
    return planned(one, stored, Act.AGAIN, "", calls=calls)


def _undone(document: Document, row: DeliveryRecord) -> Call:
    advice = f"it was undone there: gateway message settle {document.id} --target {row.target} --again"
    return Call(target=row.target, act=Act.LEFT, why=advice)
