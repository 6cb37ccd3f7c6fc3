"""Documents that wait for a word of the cross-references, and their way back to work.

A held document's job is done; what it waits for stands here. The lock of the tables' state decides the race between a
document that finds a word missing and somebody who teaches it: one of the two sees the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select

from gateway.events import DocumentResumed
from gateway.mapping.references import ALL
from gateway.ports import Held, Hold, NaturalKeyTaken, ReferenceChange
from gateway.store import jobs, references
from gateway.store.tables import document, reference_hold

MOST_SHOWN = 10_000

_FEW = 500
"""So many words are asked for by name; of more, all that waits is looked at."""
_WAITS = select(reference_hold, document.c.order_number).join_from(reference_hold, document)


def hold(connection: Connection, held: Held, now: datetime) -> None:
    """Keep what a document waits for. Raises NaturalKeyTaken when the tables changed since it was read with them."""
    state = references.lock(connection, (held.partner, ALL))
    if (state[held.partner], state[ALL]) != held.versions:
        raise NaturalKeyTaken(f"the cross-references of {held.partner} changed meanwhile")
    connection.execute(delete(reference_hold).where(reference_hold.c.document_id == held.document_id))
    rows = [
        {
            "document_id": held.document_id,
            "message_id": held.message_id,
            "partner": held.partner,
            "step": held.step,
            "list": one.list,
            "scheme": one.scheme,
            "side": one.side,
            "said": one.said,
            "rule": one.finding.rule,
            "pointer": getattr(one.finding.place, "pointer", ""),
            "text": one.finding.text,
            "at": now,
        }
        for one in held.missing
    ]
    connection.execute(insert(reference_hold), rows)


def taught(connection: Connection, change: ReferenceChange, now: datetime) -> list[DocumentResumed]:
    """Put the documents back to work that wait for a word of these rows; a row retired or ended may be awaited too."""
    words = {(row.list, "theirs", row.theirs) for row in change.add} | {
        (row.list, "ours", row.ours) for row in change.add
    }
    statement = _WAITS
    if change.partner != ALL:
        statement = statement.where(reference_hold.c.partner == change.partner)
    fewer = bool(change.retire or change.end)
    if len(words) <= _FEW:
        said = reference_hold.c.said.in_({word for _, _, word in words})
        statement = statement.where(or_(said, reference_hold.c.rule == "reference.ambiguous") if fewer else said)
    found = [
        row
        for row in connection.execute(statement)
        if (row.list, row.side, row.said) in words or (fewer and row.rule == "reference.ambiguous")
    ]
    return _resumed(connection, found, by=change.by, reason="a word that it waits for was taught", now=now)


def release(
    connection: Connection, *, partner: str | None, by: str, reason: str, now: datetime
) -> list[DocumentResumed]:
    """Put held documents back to work, whatever they wait for."""
    statement = _WAITS
    if partner is not None:
        statement = statement.where(reference_hold.c.partner == partner)
    return _resumed(connection, connection.execute(statement).all(), by=by, reason=reason, now=now)


def waiting(connection: Connection, *, partner: str | None, limit: int) -> list[Hold]:
    """The words that documents wait for, the oldest first."""
    columns = [one for one in reference_hold.c if one.name in Hold.__slots__]
    statement = select(*columns, document.c.kind, document.c.number).join_from(reference_hold, document)
    if partner is not None:
        statement = statement.where(reference_hold.c.partner == partner)
    statement = statement.order_by(reference_hold.c.id).limit(min(limit, MOST_SHOWN))
    return [Hold(**row) for row in connection.execute(statement).mappings()]


def _resumed(
    connection: Connection, rows: Iterable[Any], *, by: str, reason: str, now: datetime
) -> list[DocumentResumed]:
    facts: dict[str, DocumentResumed] = {}
    for row in rows:
        if row.document_id in facts:
            continue
        jobs.again(connection, row.message_id, row.step, row.document_id, now)
        connection.execute(delete(reference_hold).where(reference_hold.c.document_id == row.document_id))
        facts[row.document_id] = DocumentResumed(
            message_id=row.message_id,
            partner=row.partner,
            order_number=row.order_number,
            document_id=row.document_id,
            by=by,
            reason=reason,
        )
    return list(facts.values())
