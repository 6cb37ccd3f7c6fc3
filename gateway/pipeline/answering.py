"""Our answers to what partners send: a 997 for every group but acknowledgments, a TA1 where one is due.

Composed here, numbered inside the commit that takes what they answer, sent like any other message.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.edi import acknowledge, x12
from gateway.edi.tree import Loop, Verdict
from gateway.errors import OurFault
from gateway.events import AcknowledgmentComposed
from gateway.pipeline import composing, identity
from gateway.pipeline.decisions import Decisions
from gateway.pipeline.station import Station
from gateway.ports import Message, Numbered, Numbers, new_id

Render = Callable[[Station, composing.Outgoing, Numbers], bytes]


def answer_group(decided: Decisions, group: x12.Group) -> None:
    """Queue the 997 for a group; a group of acknowledgments gets none (X12.20)."""
    syntax = decided.station.syntax(decided.agreement, "receive")
    root = acknowledge.compose_997(group, guides=syntax.guides)
    if root is not None:
        _answer(decided, "997", group.outcome, group.control_number, root=root, render=composing.render)


def answer_interchange(decided: Decisions, interchange: x12.Interchange) -> None:
    """Queue the TA1 for an interchange."""
    root = Loop("", [acknowledge.compose_ta1(interchange)])
    _answer(decided, "TA1", interchange.envelope, interchange.control_number, root=root, render=composing.render_ta1)


async def answer_again(decided: Decisions, first: Message) -> None:
    """Queue the very bytes that answered `first`: the partner repeats it because the answer did not reach them.

    Under a new Message-ID: a station that has seen the old one would not hand it on. Bytes that were purged are over.
    """
    station, agreement, now = decided.station, decided.agreement, decided.station.clock()
    for answer in await station.queries.answers_to(first.id):
        try:
            payload = await station.queries.payload(answer.id)
        except OurFault:
            continue
        message_id = new_id(now)
        decided.messages.append(
            composing.outbound_message(
                station.settings,
                agreement,
                message_id=message_id,
                payload=payload,
                filename=answer.filename or "answer.edi",
                now=now,
                answers=decided.message.id,
            )
        )
        decided.jobs.append(composing.send_job(agreement, message_id, now))


def _answer(decided: Decisions, type_: str, outcome: Verdict, answers: str, *, root: Loop, render: Render) -> None:
    """Queue an acknowledgment: composed and numbered in the commit that takes what it answers."""
    station, agreement, now = decided.station, decided.agreement, decided.station.clock()
    assert agreement.x12 is not None
    outgoing = composing.Outgoing(
        agreement=agreement,
        dialect=agreement.x12,
        type=type_,
        functional_id=acknowledge.FUNCTIONAL_ACKNOWLEDGMENT,
        root=root,
        at=now,
    )
    message_id = new_id(now)
    series = composing.series(station, agreement)
    payload = Numbered(
        series=series,
        render=lambda numbers: render(station, outgoing, numbers),
        keys=lambda numbers: (identity.sent_interchange_key(series, numbers.interchange),),
    )
    decided.messages.append(
        composing.outbound_message(
            station.settings,
            agreement,
            message_id=message_id,
            payload=payload,
            filename=f"{type_}-{answers}.edi",
            now=now,
            answers=decided.message.id,
        )
    )
    decided.jobs.append(composing.send_job(agreement, message_id, now))
    decided.events.append(
        AcknowledgmentComposed(
            message_id=decided.message.id,
            partner=agreement.name,
            type=type_,
            outcome=outcome.value,
            answers=answers,
            sent_as=message_id,
        )
    )
