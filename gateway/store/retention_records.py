"""Records of finished work that are to go: found and removed, with their hash on the trail of the message.

Which steps there were stays: whether a message can be worked again goes by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from gateway.events import AttemptsPurged
from gateway.partners.retention import Policy, What
from gateway.store.retention_archive import deflated, text_of
from gateway.store.retention_due import Due, judged
from gateway.store.retention_purge import Files, Why, names_hash, record
from gateway.store.tables import message, work_done


def page(connection: Connection, after: str, before: datetime, most: int) -> list[str]:
    """The next messages whose work has moved out and ended before a time."""
    wanted = (work_done.c.message_id > after, work_done.c.ended_at < before, work_done.c.jobs > 0)
    some = select(work_done.c.message_id).where(*wanted).order_by(work_done.c.message_id).limit(most)
    return list(connection.execute(some).scalars())


def due(connection: Connection, ids: Sequence[str], policy: Policy, now: datetime) -> list[Due]:
    """Which of these records are to go."""
    columns = (work_done.c.message_id, work_done.c.ended_at, func.length(work_done.c.work).label("size"))
    wanted = (
        select(*columns, message.c.partner)
        .join_from(work_done, message)
        .where(work_done.c.message_id.in_(ids), work_done.c.jobs > 0)
    )
    found: list[Due] = []
    for row in connection.execute(wanted.order_by(work_done.c.message_id)):
        rule = policy.rule(What.ATTEMPTS, row.partner)
        if rule.over(row.ended_at, now):
            one = Due(
                what=What.ATTEMPTS,
                id=row.message_id,
                message_id=row.message_id,
                partner=row.partner,
                at=row.ended_at,
                size=int(row.size),
                sha256="",
                rule=rule.name,
            )
            found.append(one)
    return judged(connection, found)


def remove(connection: Connection, gone: Sequence[Due], why: Why, now: datetime) -> Files:
    """Remove these records."""
    by_id = {one.id: one for one in gone}
    wanted = work_done.c.message_id.in_(list(by_id))
    rows = connection.execute(select(work_done).where(wanted).order_by(work_done.c.message_id).with_for_update()).all()
    connection.execute(update(work_done).where(wanted).values(jobs=0, attempts=0, work=deflated([])))
    facts = [
        AttemptsPurged(
            message_id=row.message_id,
            partner=by_id[row.message_id].partner,
            jobs=row.jobs,
            attempts=row.attempts,
            sha256=names_hash([text_of(row.work)]),
            by=why.by,
            reason=why.reason,
            rule=by_id[row.message_id].rule,
        )
        for row in rows
    ]
    record(connection, facts, now)
    return ()
