"""Replays in the store: what is meant, how far it is, what came of each message. Rows of items are written once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, literal_column, or_, select, tuple_, update

from gateway.ports import Channel, Direction, Message, MessageState, NaturalKeyTaken
from gateway.ports.replays import Progress, Replay, Replayed, ReplayItem, ReplayState, Selection, Versions
from gateway.store import queries
from gateway.store.tables import (
    delivery,
    document,
    job,
    message,
    payload,
    receipt,
    reference_hold,
    replay,
    replay_item,
    work_done,
)

PAGE = 200


def page(connection: Connection, wanted: Selection, after: tuple[Any, str] | None) -> list[Message]:
    """Messages that are meant, the oldest first."""
    statement = _meant(wanted)
    if after is not None:
        order = (message.c.at, message.c.id)
        statement = statement.where(tuple_(*order) > tuple_(*after, types=[one.type for one in order]))
    statement = statement.order_by(message.c.at, message.c.id).limit(PAGE)
    return [queries.message_of(row) for row in connection.execute(statement)]


def _meant(wanted: Selection) -> Select[Any]:
    columns = (receipt.c.status, receipt.c.headers, receipt.c.body)
    read = select(job.c.message_id).where(job.c.message_id == message.c.id, job.c.step == literal_column("'read'"))
    statement = select(message, *columns).outerjoin_from(message, receipt)
    moved = select(work_done.c.message_id).where(work_done.c.message_id == message.c.id)
    was_read = or_(read.exists(), moved.where(work_done.c.steps.like("%,read,%")).exists())
    # Over REST a document was taken in the request, or refused: then there is none to work again.
    taken = (message.c.channel == Channel.REST.value) & (message.c.state == MessageState.PROCESSED.value)
    ours = (message.c.channel == Channel.ERP.value) & (message.c.state == MessageState.PROCESSED.value)
    way = ours if wanted.outbound else or_(was_read, taken, ours) if wanted.ids else or_(was_read, taken)
    statement = statement.where(message.c.direction == Direction.INBOUND.value, way)
    if wanted.ids:
        statement = statement.where(message.c.id.in_(wanted.ids))
    if wanted.partner is not None:
        statement = statement.where(message.c.partner == wanted.partner)
    if wanted.state is not None:
        statement = statement.where(message.c.state == wanted.state.value)
    if wanted.since is not None:
        statement = statement.where(message.c.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(message.c.at < wanted.until)
    mine = select(document.c.id).where(document.c.message_id == message.c.id)
    if wanted.kind is not None:
        statement = statement.where(mine.where(document.c.kind == wanted.kind).exists())
    if wanted.order_number is not None:
        number = wanted.order_number
        named = or_(document.c.order_number == number, document.c.id.in_(queries.mentioning(number)))
        statement = statement.where(mine.where(named).exists())
    if wanted.target is not None:
        there = select(delivery.c.document_id).join_from(delivery, document)
        there = there.where(document.c.message_id == message.c.id, delivery.c.target == wanted.target)
        statement = statement.where(there.exists())
    return statement


def purged(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Those of these messages whose bytes are gone."""
    gone = select(payload.c.message_id).where(payload.c.message_id.in_(ids), payload.c.place == "purged")
    return sorted(set(connection.execute(gone).scalars()))


def add(connection: Connection, new: Replay) -> None:
    """Write a replay down."""
    row = {name: getattr(new, name) for name in Replay.__slots__}
    row |= {"versions": new.versions.value, "state": new.state.value, "selection": dict(new.selection)}
    connection.execute(insert(replay), [row])


def add_items(connection: Connection, replay_id: str, items: Sequence[tuple[int, str]]) -> None:
    """And its messages, some at a time."""
    rows = [{"replay_id": replay_id, "number": number, "message_id": id_} for number, id_ in items]
    connection.execute(insert(replay_item), rows)


def one(connection: Connection, replay_id: str) -> Replay | None:
    """One of them."""
    row = connection.execute(select(replay).where(replay.c.id == replay_id)).one_or_none()
    return None if row is None else _replay(row)


def every(connection: Connection, limit: int) -> list[Replay]:
    """The newest first."""
    return [_replay(row) for row in connection.execute(select(replay).order_by(replay.c.id.desc()).limit(limit))]


def _replay(row: Row[Any]) -> Replay:
    fields = {name: getattr(row, name) for name in Replay.__slots__}
    return Replay(**fields | {"versions": Versions(row.versions), "state": ReplayState(row.state)})


def item(connection: Connection, replay_id: str, number: int) -> ReplayItem | None:
    """One message of it."""
    mine = (replay_item.c.replay_id == replay_id) & (replay_item.c.number == number)
    row = connection.execute(select(replay_item).where(mine)).one_or_none()
    return None if row is None else _item(row)


def items(connection: Connection, replay_id: str, *, after: int, limit: int) -> list[ReplayItem]:
    """Messages of it in their order."""
    mine = (replay_item.c.replay_id == replay_id) & (replay_item.c.number > after)
    found = connection.execute(select(replay_item).where(mine).order_by(replay_item.c.number).limit(limit))
    return [_item(row) for row in found]


def _item(row: Row[Any]) -> ReplayItem:
    return ReplayItem(number=row.number, message_id=row.message_id, outcome=row.outcome, told=tuple(row.told or ()))


def next_item(connection: Connection, replay_id: str) -> ReplayItem | None:
    """The first message about which nothing is known yet."""
    mine = (replay_item.c.replay_id == replay_id) & replay_item.c.outcome.is_(None)
    row = connection.execute(select(replay_item).where(mine).order_by(replay_item.c.number).limit(1)).one_or_none()
    return None if row is None else _item(row)


def progress(connection: Connection, replay_id: str) -> Progress:
    """How far it is."""
    outcome = replay_item.c.outcome
    mine = (replay_item.c.replay_id == replay_id) & outcome.is_not(None)
    counted = select(outcome, func.count()).where(mine).group_by(outcome)
    counts = {str(name): int(count) for name, count in connection.execute(counted)}
    return Progress(done=sum(counts.values()), outcomes=counts)


def move(connection: Connection, replay_id: str, state: ReplayState, of: Sequence[ReplayState], now: datetime) -> bool:
    """Bring it to another state; False where it may not be left for it."""
    mine = (replay.c.id == replay_id) & replay.c.state.in_([one.value for one in of])
    moved = update(replay).where(mine).values(state=state.value, changed_at=now)
    return connection.execute(moved).rowcount > 0


def write(connection: Connection, done: Replayed, now: datetime) -> None:
    """What came of one message; with the last one the replay is over.

    Raises NaturalKeyTaken when it was cancelled since it was decided, or runs again where it was found to stand still.
    """
    locked = select(replay.c.state).where(replay.c.id == done.replay_id).with_for_update()
    state = connection.execute(locked).scalar()
    if done.item is None:
        if state == ReplayState.RUNNING.value:
            raise NaturalKeyTaken(f"replay {done.replay_id} was resumed meanwhile")
        return
    if state == ReplayState.CANCELLED.value:
        raise NaturalKeyTaken(f"replay {done.replay_id} was cancelled meanwhile")
    mine = (replay_item.c.replay_id == done.replay_id) & (replay_item.c.number == done.item.number)
    told = {"outcome": done.item.outcome, "told": [dict(one) for one in done.item.told]}
    connection.execute(update(replay_item).where(mine).values(told))
    if done.unheld:
        connection.execute(delete(reference_hold).where(reference_hold.c.document_id.in_(done.unheld)))
    if done.last:
        move(connection, done.replay_id, ReplayState.DONE, (ReplayState.RUNNING, ReplayState.PAUSED), now)
