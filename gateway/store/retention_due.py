"""What the rules say is to go: found page by page in the order of ids, which is that of time. It changes nothing.

Whatever is not at its end stays: work that is open or given up, a message that a replay has yet to come to, a document
that is held, under review, not yet fetched or of which nobody knows whether it was delivered. So does what a legal hold
covers. Both are counted, with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Text, cast, func, literal_column, or_, select

from gateway.partners.retention import Policy, Rule, What
from gateway.ports import (
    OWN_CHAINS,
    DeliveryState,
    DocumentState,
    JobState,
    first_id,
)
from gateway.ports.replays import ReplayState
from gateway.store import retention_holds
from gateway.store.retention_holds import chunks
from gateway.store.tables import (
    delivery,
    document,
    job,
    message,
    payload,
    reference_hold,
    replay,
    replay_item,
)

OPEN_STATES = (DocumentState.HELD.value, DocumentState.AVAILABLE.value)
OPEN_DELIVERIES = (DeliveryState.PENDING.value, DeliveryState.UNCERTAIN.value, DeliveryState.COMPENSATING.value)
ENDED = (JobState.DONE.value, JobState.DISCARDED.value)
OPEN_REPLAYS = (ReplayState.RUNNING.value, ReplayState.PAUSED.value)
"""Not one that is being prepared: a command that was broken off leaves it so for ever, and nothing resumes it."""
UNFINISHED = "unfinished"
_SPARE = timedelta(minutes=1)
"""An id is made a moment before its row; `at` decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """Something whose time is over."""

    what: What
    id: str
    """The message's, or the document's."""
    message_id: str
    partner: str | None
    at: datetime
    size: int
    """Bytes."""
    sha256: str
    rule: str
    kind: str = ""
    number: str = ""
    kept: str | None = None
    """Why it stays nevertheless: `unfinished`, or `legal hold 3`."""


def before(policy: Policy, what: What, now: datetime) -> datetime | None:
    """Nothing from then on can be due; None: nothing ever is."""
    days = policy.least(what)
    return None if days is None else now - timedelta(days=days)


def message_page(connection: Connection, after: str, before: datetime, most: int) -> list[str]:
    """The ids of the next messages."""
    wanted = (message.c.id > after, message.c.id < first_id(before + _SPARE))
    return list(connection.execute(select(message.c.id).where(*wanted).order_by(message.c.id).limit(most)).scalars())


def document_page(connection: Connection, after: str, before: datetime, most: int) -> list[str]:
    """The ids of the next documents that have their content."""
    wanted = (document.c.id > after, document.c.id < first_id(before + _SPARE), document.c.purged_at.is_(None))
    return list(connection.execute(select(document.c.id).where(*wanted).order_by(document.c.id).limit(most)).scalars())


def payloads(connection: Connection, ids: Sequence[str], policy: Policy, now: datetime) -> list[Due]:
    """Which of these messages have bytes that are to go."""
    kinds: dict[str, set[str]] = defaultdict(set)
    named = (document.c.message_id, document.c.sent_as, document.c.kind)
    of = or_(document.c.message_id.in_(ids), document.c.sent_as.in_(ids))
    for row in connection.execute(select(*named).where(of)):
        for id_ in {row.message_id, row.sent_as} - {None}:
            kinds[id_].add(row.kind)
    stored = (
        select(message.c.id, message.c.partner, message.c.at, message.c.payload_sha256, func.sum(payload.c.size))
        .join_from(message, payload)
        .where(message.c.id.in_(ids), message.c.id.not_in(OWN_CHAINS), payload.c.place != "purged")
        .group_by(message.c.id)
        .order_by(message.c.id)
    )
    found: list[Due] = []
    for id_, partner, at, sha256, size in connection.execute(stored):
        rule = policy.rule(What.PAYLOAD, partner, kinds[id_])
        if rule.over(at, now):
            one = Due(
                what=What.PAYLOAD,
                id=id_,
                message_id=id_,
                partner=partner,
                at=at,
                size=int(size),
                sha256=sha256,
                rule=rule.name,
            )
            found.append(one)
    return judged(connection, found)


def documents(connection: Connection, ids: Sequence[str], policy: Policy, now: datetime) -> list[Due]:
    """Which of these documents have content that is to go."""
    columns = ("id", "message_id", "sent_as", "partner", "kind", "number", "at", "sha256")
    wanted = (document.c.id.in_(ids), document.c.purged_at.is_(None))
    rows = connection.execute(select(*(document.c[name] for name in columns)).where(*wanted).order_by(document.c.id))
    over: dict[str, tuple[Due, str | None]] = {}
    for row in rows:
        rule: Rule = policy.rule(What.DOCUMENT, row.partner, (row.kind,))
        if rule.over(row.at, now):
            one = Due(
                what=What.DOCUMENT,
                id=row.id,
                message_id=row.message_id,
                partner=row.partner,
                at=row.at,
                size=0,
                sha256=row.sha256,
                rule=rule.name,
                kind=row.kind,
                number=row.number,
            )
            over[row.id] = one, row.sent_as
    if not over:
        return []
    length = select(document.c.id, func.length(cast(document.c.body, Text))).where(document.c.id.in_(list(over)))
    sizes = {id_: int(size) for id_, size in connection.execute(length)}
    carriers = {id_: sent_as for id_, (_, sent_as) in over.items() if sent_as is not None}
    return judged(connection, [replace(one, size=sizes[id_]) for id_, (one, _) in over.items()], carriers)


def judged(connection: Connection, found: Sequence[Due], carriers: dict[str, str] | None = None) -> list[Due]:
    """The same, with what keeps some of them; `carriers` are the messages that carry documents to partners."""
    carried = carriers or {}
    ids = {one.message_id for one in found} | set(carried.values())
    if not ids:
        return []
    held, open_ = retention_holds.on(connection, ids), unfinished(connection, ids)

    def kept(one: Due) -> str | None:
        both = [id_ for id_ in (one.message_id, carried.get(one.id)) if id_ is not None]
        hold = next((held[id_] for id_ in both if id_ in held), None)
        if hold is not None:
            return f"legal hold {hold}"
        return UNFINISHED if any(id_ in open_ for id_ in both) else None

    return [replace(one, kept=kept(one)) for one in found]


def unfinished(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these messages have work or documents that are not at their end. Telling webhooks is no such work."""
    found: set[str] = set()
    for some in chunks(ids):
        work = (job.c.message_id.in_(some), job.c.state.not_in(ENDED))
        works = select(job.c.message_id).where(*work, job.c.step != literal_column("'notify'"))
        found.update(connection.execute(works.distinct()).scalars())
        meant = select(replay_item.c.message_id).join_from(replay_item, replay)
        meant = meant.where(replay_item.c.message_id.in_(some), replay_item.c.outcome.is_(None))
        found.update(connection.execute(meant.where(replay.c.state.in_(OPEN_REPLAYS))).scalars())
        of = or_(document.c.message_id.in_(some), document.c.sent_as.in_(some))
        is_open = or_(document.c.state.in_(OPEN_STATES), document.c.review.is_not(None))
        stands = select(document.c.message_id, document.c.sent_as)
        delivering = stands.join_from(delivery, document).where(of, delivery.c.state.in_(OPEN_DELIVERIES))
        lacking = stands.join_from(reference_hold, document).where(of)
        for statement in (stands.where(of, is_open), delivering, lacking):
            found.update(id_ for row in connection.execute(statement) for id_ in row if id_ is not None)
    return found
