"""What a replay does about a stored message: read again, held against what came of it, decided by the document.

Nothing here is written or sent; a dry run shows the decision, the step commits it. What a target has already is never
given to it twice: it is left alone, or replaced where the target can be told so. What it has not goes under the key
that it would have had. Only `as_new` makes effects beside those that were. What the partner was told stays told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from gateway.errors import OurFault, PartnerFault
from gateway.events import MessageReplayed
from gateway.pipeline import identity, replaying_outbound, replaying_standing, replaying_taking, rereading_json
from gateway.pipeline.replaying_hand import Hand
from gateway.pipeline.replaying_plan import Decided, How, Planned, Sum, left, outcome_of, planned
from gateway.pipeline.replaying_said import PUT_ASIDE, REJECTED, Said
from gateway.pipeline.rereading import Reread, eyes_of_now, eyes_of_then, reread
from gateway.pipeline.station import Station
from gateway.ports import Changes, Channel, Document, DocumentState, Message, MessageState, NewJob
from gateway.ports.lanes import LOWEST
from gateway.ports.replays import Act, Versions


async def decide(station: Station, message: Message, how: How) -> Decided:
    """Decide about a message. Never raises for what is wrong with it: that is an outcome."""
    try:
        if message.state in {MessageState.RECEIVED, MessageState.FAILED}:
            return await _read_first(station, message, how)
        if message.channel is Channel.ERP:
            return await _outbound(station, message, how)
        return await _decided(station, message, how)
    except (PartnerFault, OurFault) as fault:
        remedy = f"; {fault.remedy}" if isinstance(fault, OurFault) and fault.remedy else ""
        return failed(message, how, f"{fault}{remedy}")


def failed(message: Message, how: How, why: str) -> Decided:
    """It cannot be decided."""
    found = (Planned(kind="message", number=message.id, act=Act.FAILED, why=why),)
    return Decided(planned=found, changes=Changes(events=(_event(message, how, found),)))


def _event(message: Message, how: How, found: Sequence[Planned]) -> MessageReplayed:
    return MessageReplayed(
        message_id=message.id,
        partner=message.partner,
        replay=how.replay_id,
        by=how.by,
        reason=how.why,
        versions=how.versions.value,
        outcome=outcome_of(found).value,
        documents=len(found),
    )


async def _read_first(station: Station, message: Message, how: How) -> Decided:
    """A message that was never read to its end."""
    made, act, why = Sum(), Act.LEFT, "it is still being read"
    if message.state is MessageState.FAILED and await Said(station, message).put_aside("read"):
        why = PUT_ASIDE
    elif message.state is MessageState.FAILED:
        act, why = Act.READ, "reading it was given up"
        lane = identity.inbound_lane(message.partner or "", "read")
        again = NewJob(message_id=message.id, step="read", lane=lane, run_at=station.clock(), again_after=timedelta(0))
        made.jobs.append(again)
    found = (Planned(kind="message", number=message.id, act=act, why=why),)
    return Decided(planned=found, changes=made.changes(_event(message, how, found)))


async def _outbound(station: Station, message: Message, how: How) -> Decided:
    """A document of ours for a partner."""
    one, made = await replaying_outbound.decide(station, message, how.versions, as_new=how.as_new)
    made = made or Changes()
    jobs = tuple(replace(job, priority=LOWEST) for job in made.jobs)
    events = (*made.events, _event(message, how, (one,)))
    return Decided(planned=(one,), changes=replace(made, jobs=jobs, events=events))


async def _decided(station: Station, message: Message, how: How) -> Decided:
    stored = sorted(
        await station.queries.documents_of(message.id),
        key=lambda one: (one.at, one.replaced_by is None, one.id),
    )
    over_rest = message.channel is Channel.REST
    if how.versions is Versions.ORIGINAL:
        eyes = await eyes_of_then(station, stored, by_maps=not over_rest)
    else:
        eyes = eyes_of_now(station, message.partner)
    hand = Hand(station, message, how, eyes)
    by_place = {(one.position or "", one.kind): one for one in stored}  # the newest of each place
    if over_rest:
        sets = await rereading_json.reread(station, eyes, message, stored)
    else:
        sets = await reread(station, eyes, message)
    found = [await _about(hand, one, by_place.pop((one.position, one.kind), None)) for one in sets]
    gone = [one for one in by_place.values() if one.state is not DocumentState.REJECTED]
    found += [left(one, "it is not found in the message any more, read so") for one in gone]
    changes = hand.sum.changes(_event(message, how, found))
    return Decided(planned=tuple(found), changes=changes, unheld=tuple(hand.sum.unheld))


async def _about(hand: Hand, one: Reread, stored: Document | None) -> Planned:
    """One set."""
    refused = stored is None or stored.state is DocumentState.REJECTED
    if not one.valid:
        if refused:
            return planned(one, stored, Act.SAME, f"still refused: {one.refusal}")
        return planned(one, stored, Act.LEFT, f"it would be refused now: {one.refusal}")
    if stored is None or refused:
        return await replaying_taking.new(hand, one, stored)
    rows = list(await hand.station.queries.deliveries([stored.id]))
    changed = one.sha256 != stored.sha256
    if await hand.said.stays_rejected(stored, {row.state for row in rows}):
        return planned(one, stored, Act.SAME, REJECTED)
    if hand.how.as_new:
        return await replaying_taking.as_new(hand, one, stored)
    return await replaying_standing.once_more(hand, one, stored, rows, changed=changed)
