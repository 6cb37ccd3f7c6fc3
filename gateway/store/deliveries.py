"""Deliveries: a row for each document and target. Whoever decides over several of them is checked when it commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, func, literal_column, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ports import DeliveriesSeen, DeliveryChange, DeliveryRecord, DeliveryState, NaturalKeyTaken
from gateway.store import later
from gateway.store.states import DELIVERY_STATE_FROM
from gateway.store.tables import delivery

_KEPT = ("their_id", "status")
"""What stays when a change does not name it."""


def write(connection: Connection, changes: Sequence[DeliveryChange], now: datetime) -> None:
    """Make or change rows; written with others at the end of a batch."""
    for one in changes:
        row = {
            "document_id": one.document_id,
            "target": one.target,
            "critical": one.critical,
            "state": (one.state or DeliveryState.PENDING).value,
            "their_id": one.their_id,
            "status": one.status,
            "key": one.new_key or one.key,
            "updated_at": now,
            "reason": one.reason,
        }
        statement = _change(connection.dialect.name, one.state, one.only_from, new_key=one.new_key is not None)
        later.add(connection, statement, [row])


@cache
def _change(
    dialect: str, state: DeliveryState | None, only_from: frozenset[DeliveryState] | None, *, new_key: bool
) -> Any:
    words = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = words(delivery)
    new, values = statement.excluded, {}
    for name in ("updated_at", "reason", *_KEPT, *(("key",) if new_key else ())):
        values[name] = func.coalesce(new[name], delivery.c[name]) if name in _KEPT else new[name]
    where = None
    if state is not None:
        values["state"] = new["state"]
        leavable = DELIVERY_STATE_FROM[state] if only_from is None else only_from
        # Spelled out: a list of parameters cannot be written for many rows at once.
        where = or_(*(delivery.c.state == literal_column(f"'{one}'") for one in sorted(leavable | {state})))
    made = statement.on_conflict_do_update(index_elements=("document_id", "target"), set_=values, where=where)
    return made.inline()


def check(connection: Connection, seen: DeliveriesSeen) -> None:
    """Lock a document's deliveries. Raises NaturalKeyTaken when they stand otherwise than they were seen."""
    statement = (
        select(delivery.c.target, delivery.c.state)
        .where(delivery.c.document_id == seen.document_id)
        .order_by(delivery.c.target)
        .with_for_update()
    )
    if [(row.target, row.state) for row in connection.execute(statement)] != [(t, s.value) for t, s in seen.states]:
        raise NaturalKeyTaken(f"the deliveries of document {seen.document_id} changed meanwhile")


def of(connection: Connection, document_ids: Sequence[str]) -> list[DeliveryRecord]:
    """The deliveries of these documents, by document and target."""
    if not document_ids:
        return []
    statement = (
        select(delivery)
        .where(delivery.c.document_id.in_(document_ids))
        .order_by(delivery.c.document_id, delivery.c.target)
    )
    return [
        DeliveryRecord(**{**row, "state": DeliveryState(row["state"])})
        for row in connection.execute(statement).mappings()
    ]
