"""Our acknowledgments of what partners send: queued like any other message of ours, in the commit that takes what
they answer, and numbered inside it.

Which acknowledgment answers what, and what it says, is the standard's (`gateway.pipeline.standards`).
"""

from __future__ import annotations

from datetime import UTC

from gateway.edi.tree import Verdict
from gateway.errors import OurFault
from gateway.events import AcknowledgmentComposed
from gateway.pipeline import identity
from gateway.pipeline.decisions import Decisions
from gateway.pipeline.outgoing import outbound_message, send_job
from gateway.pipeline.wire import Outgoing, Wire
from gateway.ports import Message, Numbered, new_id

AGAIN_AN_HOUR = 10
"""How often in an hour the answers to one message go out again."""


def queue(decided: Decisions, wire: Wire, outgoing: Outgoing, *, outcome: Verdict, answers: str) -> None:
    """Queue an acknowledgment of what has the control number `answers`."""
    station, agreement, now = decided.station, decided.agreement, outgoing.at
    message_id = new_id(now)
    payload = Numbered(
        series=wire.series(station, agreement),
        render=lambda numbers: wire.render(station.settings, outgoing, numbers),
        keys=lambda numbers: (wire.sent_key(station, agreement, wire.control_number(numbers)),),
    )
    decided.messages.append(
        outbound_message(
            station.settings,
            agreement,
            message_id=message_id,
            payload=payload,
            content_type=wire.content_type,
            filename=f"{outgoing.type}-{answers}.edi",
            now=now,
            answers=decided.message.id,
        )
    )
    decided.jobs.append(send_job(agreement, message_id, now))
    decided.events.append(
        AcknowledgmentComposed(
            message_id=decided.message.id,
            partner=agreement.name,
            type=outgoing.type,
            outcome=outcome.value,
            answers=answers,
            sent_as=message_id,
        )
    )


async def answer_again(decided: Decisions, first: Message) -> None:
    """Queue the very bytes that answered `first`: the partner repeats it because the answer did not reach them.

    Under a new Message-ID: a station that has seen the old one would not hand it on. Bytes that were purged are over.
    A few times an hour: AS2 does not sign the Message-ID, so whoever holds a message can repeat it under ever new ones.
    """
    station, agreement, now = decided.station, decided.agreement, decided.station.clock()
    hour = f"{now.astimezone(UTC):%Y%m%d%H}"
    for number in range(AGAIN_AN_HOUR):
        key = identity.answered_again_key(first.id, hour, number)
        if await station.queries.key_owner(key) is None:
            decided.keys.append((key, decided.message.id))
            break
    else:
        return
    for answer in await station.queries.answers_to(first.id):
        try:
            payload = await station.queries.payload(answer.id)
        except OurFault:
            continue
        message_id = new_id(now)
        decided.messages.append(
            outbound_message(
                station.settings,
                agreement,
                message_id=message_id,
                payload=payload,
                content_type=answer.content_type,
                filename=answer.filename or "answer.edi",
                now=now,
                answers=decided.message.id,
            )
        )
        decided.jobs.append(send_job(agreement, message_id, now))
