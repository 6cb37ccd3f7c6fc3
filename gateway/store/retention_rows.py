"""Rows that are removed by the hundred: identities that guarded against repeats, and ended deliveries to webhooks.

Each commit puts one event on the chain `retention` that says how many went, by which rules, and the hash of their
names. An identity's age is that of the message that took it: one that came with a repeat goes with the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, literal_column, or_, select

from gateway.events import RowsPurged
from gateway.partners.retention import Policy, What
from gateway.ports import RETENTION, JobState
from gateway.store.retention_due import Due, judged
from gateway.store.retention_purge import Why, names_hash, record
from gateway.store.tables import attempt, identity, job, message

_BEGINNINGS = {What.IDEMPOTENCY: ("rest:", "again:"), What.CONTROL_NUMBER: ("x12:", "edifact:")}
"""How their keys begin, see `gateway.pipeline.identity`."""
_ENDED = (JobState.DONE.value, JobState.DEAD.value, JobState.DISCARDED.value)
_NOTIFY = job.c.step == literal_column("'notify'")


def idempotency_page(connection: Connection, after: str, before: datetime, most: int) -> list[str]:
    """The next keys of REST requests."""
    return _identity_page(connection, What.IDEMPOTENCY, after, before, most)


def control_number_page(connection: Connection, after: str, before: datetime, most: int) -> list[str]:
    """The next control numbers of partners."""
    return _identity_page(connection, What.CONTROL_NUMBER, after, before, most)


def webhook_page(connection: Connection, after: str, before: datetime, most: int) -> list[str]:
    """The next ended deliveries."""
    wanted = (job.c.id > int(after or 0), _NOTIFY, job.c.state.in_(_ENDED), job.c.first_run_at < before)
    return [
        str(id_) for id_ in connection.execute(select(job.c.id).where(*wanted).order_by(job.c.id).limit(most)).scalars()
    ]


def idempotency(connection: Connection, ids: Sequence[str], policy: Policy, now: datetime) -> list[Due]:
    """Which of these are to go."""
    return _identities(connection, What.IDEMPOTENCY, ids, policy, now)


def control_numbers(connection: Connection, ids: Sequence[str], policy: Policy, now: datetime) -> list[Due]:
    """Which of these are to go."""
    return _identities(connection, What.CONTROL_NUMBER, ids, policy, now)


def webhooks(connection: Connection, ids: Sequence[str], policy: Policy, now: datetime) -> list[Due]:
    """Which of these deliveries are to go."""
    columns = (job.c.id, job.c.message_id, job.c.document_id, job.c.first_run_at, message.c.partner)
    wanted = (job.c.id.in_([int(id_) for id_ in ids]), _NOTIFY, job.c.state.in_(_ENDED))
    rule = policy.rule(What.WEBHOOK, None)
    return judged(
        connection,
        [
            Due(
                what=What.WEBHOOK,
                id=str(row.id),
                message_id=row.message_id,
                partner=row.partner,
                at=row.first_run_at,
                size=0,
                sha256="",
                rule=rule.name,
                number=row.document_id,
            )
            for row in connection.execute(select(*columns).join_from(job, message).where(*wanted).order_by(job.c.id))
            if rule.over(row.first_run_at, now)
        ],
    )


def remove_identities(connection: Connection, gone: Sequence[Due], why: Why, now: datetime) -> tuple[()]:
    """Remove these keys."""
    connection.execute(delete(identity).where(identity.c.key.in_([one.id for one in gone])))
    return _recorded(connection, gone, [one.id for one in gone], why, now)


def remove_webhooks(connection: Connection, gone: Sequence[Due], why: Why, now: datetime) -> tuple[()]:
    """Remove these deliveries with their attempts, unless somebody asks for one again at this moment."""
    ids = [int(one.id) for one in gone]
    ended = select(job.c.id).where(job.c.id.in_(ids), job.c.state.in_(_ENDED)).with_for_update()
    locked = set(connection.execute(ended).scalars())
    connection.execute(delete(attempt).where(attempt.c.job_id.in_(locked)))
    connection.execute(delete(job).where(job.c.id.in_(locked)))
    really = [one for one in gone if int(one.id) in locked]
    return _recorded(connection, really, [f"{one.message_id} {one.number}" for one in really], why, now)


def _recorded(connection: Connection, gone: Sequence[Due], names: Sequence[str], why: Why, now: datetime) -> tuple[()]:
    if gone:
        fact = RowsPurged(
            message_id=RETENTION,
            what=gone[0].what.value,
            rows=len(gone),
            sha256=names_hash(sorted(names)),
            by=why.by,
            reason=why.reason,
            rules=tuple(sorted({one.rule for one in gone})),
        )
        record(connection, [fact], now)
    return ()


def _of(what: What) -> ColumnElement[bool]:
    return or_(*(identity.c.key.like(f"{beginning}%") for beginning in _BEGINNINGS[what]))


def _identity_page(connection: Connection, what: What, after: str, before: datetime, most: int) -> list[str]:
    wanted = (identity.c.key > after, _of(what), message.c.at < before)
    some = select(identity.c.key).join_from(identity, message).where(*wanted).order_by(identity.c.key).limit(most)
    return list(connection.execute(some).scalars())


def _identities(connection: Connection, what: What, ids: Sequence[str], policy: Policy, now: datetime) -> list[Due]:
    columns = (identity.c.key, identity.c.message_id, message.c.partner, message.c.at)
    rows = connection.execute(
        select(*columns).join_from(identity, message).where(identity.c.key.in_(ids)).order_by(identity.c.key)
    )
    found: list[Due] = []
    for row in rows:
        rule = policy.rule(what, row.partner)
        if rule.over(row.at, now):
            one = Due(
                what=what,
                id=row.key,
                message_id=row.message_id,
                partner=row.partner,
                at=row.at,
                size=len(row.key),
                sha256="",
                rule=rule.name,
            )
            found.append(one)
    return judged(connection, found)
