"""What a replay does about a document of ours that went to a partner: written again by the map of now, held against
what was sent.

What the partner may have is not sent again: a second interchange is a second order to them. Only `as_new` sends it,
under new control numbers. What was never written is put to work again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import zip_longest

from gateway.errors import DeliveryFailed, OurFault
from gateway.mapping import Map
from gateway.mapping.differences import Difference, differences
from gateway.partners.guides import Syntax
from gateway.pipeline import composing, identity, judging
from gateway.pipeline.replaying_calls import Call
from gateway.pipeline.replaying_plan import Planned
from gateway.pipeline.replaying_said import PUT_ASIDE, Said
from gateway.pipeline.station import Station
from gateway.pipeline.wire import Wire
from gateway.ports import Changes, Direction, Document, DocumentState, Json, Message, NewJob, Numbered, Numbers
from gateway.ports.replays import Act, Versions

_S = DocumentState
_BEFORE = frozenset({_S.SUBMITTED, _S.HELD, _S.AVAILABLE, _S.FETCHED})
STEP = "compose"
_TAG = re.compile(rb"[^A-Z0-9]")
MOST_ALIGNED = 100
"""Segments of a stretch that differs: the work grows with their cube."""
_LAST_OF_ISA = 105
"""Where an X12 interchange says what ends its segments."""
_NUMBERED = frozenset(
    {b"ISA", b"GS", b"ST", b"SE", b"GE", b"IEA", b"UNA", b"UNB", b"UNG", b"UNH", b"UNT", b"UNE", b"UNZ"}
)
"""Segments that differ with every interchange: numbers, dates, counts."""


async def decide(
    station: Station, message: Message, versions: Versions, *, as_new: bool
) -> tuple[Planned, Changes | None]:
    """About the one document that our ERP gave in this message. Raises OurFault."""
    if versions is Versions.ORIGINAL:
        raise OurFault("what goes out is written by what holds now", remedy="leave out --with original")
    found = await station.queries.documents_of(message.id)
    document = next((one for one in found if one.direction is Direction.OUTBOUND), None)
    if document is None:
        raise OurFault(f"no document came of message {message.id}", remedy="gateway message show")
    if document.state in _BEFORE:
        return _planned(document, Act.SAME, f"it is {document.state.value}: nothing of it was sent yet"), None
    if document.sent_as is None:
        return await _never_written(station, message, document)
    if document.state is _S.FAILED and not as_new:
        advice = f"sending it was given up: gateway message retry {document.sent_as}; with --as-new it is written anew"
        return _planned(document, Act.LEFT, advice), None
    return await _written_again(station, document, as_new=as_new)


async def _never_written(station: Station, message: Message, document: Document) -> tuple[Planned, Changes | None]:
    """Composing it was given up: that work is done again."""
    if document.state is not _S.FAILED:
        return _planned(document, Act.SAME, "it is fetched by the partner, and was not sent"), None
    if await Said(station, message).put_aside(STEP, document.id):
        return _planned(document, Act.LEFT, PUT_ASIDE), None
    try:
        await composing.written(station, document, STEP)
    except (DeliveryFailed, OurFault) as fault:
        return _planned(document, Act.LEFT, f"it cannot be written yet: {fault}"), None
    job = NewJob(
        message_id=document.message_id,
        document_id=document.id,
        step=STEP,
        lane=identity.outbound_lane(document.partner, STEP),
        run_at=station.clock(),
        again_after=timedelta(0),
    )
    call = Call(target=document.partner, act=Act.AGAIN, why="it is written and sent")
    return _planned(document, Act.AGAIN, "writing it was given up", calls=(call,)), Changes(jobs=(job,))


async def _written_again(station: Station, document: Document, *, as_new: bool) -> tuple[Planned, Changes | None]:
    assert document.sent_as is not None
    try:
        made = await composing.written(station, document, STEP)
    except DeliveryFailed as failed:
        return _planned(document, Act.LEFT, f"it was sent, and could not be written now: {failed}"), None
    if not made.messages:
        return _planned(document, Act.LEFT, "it was sent, and would wait for a word of the cross-references now"), None
    payload = made.messages[0].payload
    assert isinstance(payload, Numbered)
    before = await station.queries.payload(document.sent_as)
    now = payload.render(Numbers(interchange=1, group=1))
    segments = _segments_differ(before, now)
    agreement, wire, mapping = composing.agreed(station, document)
    syntax = station.syntax(agreement, "send", wire.name)
    read = [_read(wire, syntax, mapping, document, one) for one in (before, now)]
    fields = differences(*read)
    if as_new:
        call = Call(target=document.partner, act=Act.AS_NEW, why="another interchange", fields=segments)
        return _planned(document, Act.AS_NEW, "the partner gets it ONCE MORE", fields=fields, calls=(call,)), made
    if not segments:
        return _planned(document, Act.SAME, "it would be written as it was sent"), None
    why = f"{document.partner} was sent another one: change it there, or send it once more with --as-new"
    call = Call(target=document.partner, act=Act.LEFT, why=f"sent as message {document.sent_as}", fields=segments)
    return _planned(document, Act.LEFT, why, fields=fields, calls=(call,)), None


def _read(wire: Wire, syntax: Syntax, mapping: Map, document: Document, data: bytes) -> Json:
    """What an interchange of ours says, by the map of now."""
    for interchange in wire.reader.read_all(data, guides=syntax.guides, charset=syntax.charset):
        for group in interchange.groups:
            for one in group.messages:
                return judging.judge(mapping, document.kind, one).body  # type: ignore[arg-type]  # it is agreed on
    return {}


def _segments_differ(before: bytes, now: bytes) -> tuple[Difference, ...]:
    """Segment by segment, without those that carry numbers, dates and counts.

    Long stretches are told place by place: to align a thousand segments with a thousand takes minutes.
    """
    was, new = _segments(before), _segments(now)
    head = _alike(was, new)
    was, new = was[head:], new[head:]
    tail = _alike(was[::-1], new[::-1])
    was, new = was[: len(was) - tail], new[: len(new) - tail]
    stretches: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(was), 0, len(new))]
    if max(len(was), len(new)) <= MOST_ALIGNED:
        stretches = SequenceMatcher(None, was, new, autojunk=False).get_opcodes()
    return tuple(
        Difference(pointer=f"segment {head + at + 1}", was=old, now=fresh)
        for what, start, end, first, last in stretches
        if what != "equal"
        for at, (old, fresh) in enumerate(zip_longest(was[start:end], new[first:last]), start)
        if old != fresh
    )


def _alike(was: Sequence[str], new: Sequence[str]) -> int:
    """How many they begin with in common."""
    least = min(len(was), len(new))
    return next((at for at in range(least) if was[at] != new[at]), least)


def _segments(data: bytes) -> list[str]:
    if data.startswith(b"ISA"):
        parts: Sequence[bytes] = data.split(data[_LAST_OF_ISA : _LAST_OF_ISA + 1])
    else:
        parts = re.split(rb"(?<!\?)'", data)
    kept = [one.strip() for one in parts]
    return [one.decode("latin-1") for one in kept if one and _TAG.split(one, maxsplit=1)[0] not in _NUMBERED]


def _planned(
    document: Document,
    act: Act,
    why: str,
    *,
    fields: tuple[Difference, ...] = (),
    calls: tuple[Call, ...] = (),
) -> Planned:
    return Planned(
        kind=document.kind,
        number=document.number,
        act=act,
        why=why,
        document_id=document.id,
        fields=fields,
        calls=calls,
    )
