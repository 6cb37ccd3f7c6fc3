"""Removing what is due, some of it in each commit, with the proof of it on the trail in the same one.

What is due is judged again here, under the lock that legal holds take: nothing is removed because of an older look.
Files go after the commit that says so; one that a killed process left behind is known by its row, see `orphans`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.errors import OurFault
from gateway.events import DocumentPurged, Event, PayloadPurged
from gateway.partners.retention import Policy, What
from gateway.ports import OWN_CHAINS, Changes
from gateway.store import changes as changing
from gateway.store import retention_holds
from gateway.store.retention_due import Due
from gateway.store.tables import document, message, payload

AT_ONCE = 100
"""Messages, or documents, in one commit."""
KEPT_FIELDS = ("number", "release_number", "revision", "purpose", "response")
"""What stays of a document beside its columns: by these it is found again, or answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """Who has something removed, and why."""

    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Purged:
    """What one commit removed, what was due and stayed, and the files that are to go now."""

    gone: Sequence[Due] = ()
    stayed: Sequence[Due] = ()
    files: Sequence[tuple[str, str, str]] = ()
    """SHA-256, message and form."""


Files = Sequence[tuple[str, str, str]]
"""SHA-256, message and form of each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How one sort of thing is found and removed."""

    page: Callable[[Connection, str, datetime, int], list[str]]
    """The next ids after one, of things from before a time."""
    find: Callable[[Connection, Sequence[str], Policy, datetime], list[Due]]
    remove: Callable[[Connection, Sequence[Due], Why, datetime], Files]


def of_policy(
    connection: Connection, way: Way, ids: Sequence[str], *, policy: Policy, why: Why, now: datetime
) -> Purged:
    """Remove what the rules say of these."""
    retention_holds.lock(connection)
    found = way.find(connection, ids, policy, now)
    gone = [one for one in found if one.kept is None]
    files = way.remove(connection, gone, why, now) if gone else ()
    return Purged(gone=gone, stayed=[one for one in found if one.kept is not None], files=files)


def of_message(connection: Connection, message_id: str, *, why: Why, now: datetime) -> Files:
    """Remove the bytes of one message because somebody said so; its files. Raises OurFault, also for a legal hold."""
    retention_holds.lock(connection)
    stored = select(payload.c.place, payload.c.size).where(payload.c.message_id == message_id)
    rows = connection.execute(stored).all()
    if not rows:
        raise OurFault(f"There is no message {message_id}", remedy="`gateway message list` shows the newest ones.")
    held = retention_holds.on(connection, [message_id]).get(message_id)
    if held is not None:
        raise OurFault(
            f"Message {message_id} is under legal hold {held}: nothing of it is removed",
            remedy="`gateway retention hold list` says by whom and why; whoever may lift it does so with hold remove.",
        )
    if message_id in OWN_CHAINS:
        raise OurFault(f"Message {message_id} tells of the gateway itself", remedy="Nothing of it is anybody's secret.")
    if all(row.place == "purged" for row in rows):
        return ()
    whose = select(message.c.partner, message.c.payload_sha256, message.c.at).where(message.c.id == message_id)
    row = connection.execute(whose).one()
    one = Due(
        what=What.PAYLOAD,
        id=message_id,
        message_id=message_id,
        partner=row.partner,
        at=row.at,
        size=sum(form.size for form in rows if form.place != "purged"),
        sha256=row.payload_sha256,
        rule="",
    )
    return remove_payloads(connection, [one], why, now)


def remove_payloads(connection: Connection, gone: Sequence[Due], why: Why, now: datetime) -> Files:
    """Remove the bytes of these messages."""
    ids = [one.id for one in gone]
    stored = (payload.c.message_id.in_(ids), payload.c.place == "folder")
    found = connection.execute(select(payload.c.sha256, payload.c.message_id, payload.c.form).where(*stored))
    files = [(row.sha256, row.message_id, row.form) for row in found]
    connection.execute(update(payload).where(payload.c.message_id.in_(ids)).values(place="purged", data=None))
    facts = (
        PayloadPurged(
            message_id=one.id,
            partner=one.partner,
            by=why.by,
            reason=why.reason,
            sha256=one.sha256,
            rule=one.rule or None,
            size=one.size,
        )
        for one in gone
    )
    record(connection, facts, now)
    return files


_LEFT = select(
    document.c.id,
    *(document.c.body[name].as_string().label(name) for name in KEPT_FIELDS),
    document.c.body[("order", "number")].as_string().label("of_order"),
    document.c.body[("order", "release_number")].as_string().label("of_release"),
)
"""Only these come out of the database: a document may be larger than memory is meant for."""


def remove_documents(connection: Connection, gone: Sequence[Due], why: Why, now: datetime) -> Files:
    """Remove the content of these documents; what they are known by stays."""
    for row in connection.execute(_LEFT.where(document.c.id.in_([one.id for one in gone]))).mappings().all():
        left: dict[str, Any] = {name: row[name] for name in KEPT_FIELDS if row[name] is not None}
        order = {"number": row["of_order"], "release_number": row["of_release"]}
        if any(order.values()):
            left["order"] = {name: value for name, value in order.items() if value is not None}
        values = {"body": left, "findings": [], "purged_at": now}
        connection.execute(update(document).where(document.c.id == row["id"]).values(values))
    facts = (
        DocumentPurged(
            message_id=one.message_id,
            partner=one.partner,
            document=one.kind,
            document_id=one.id,
            number=one.number,
            sha256=one.sha256,
            by=why.by,
            reason=why.reason,
            rule=one.rule,
        )
        for one in gone
    )
    record(connection, facts, now)
    return ()


def record(connection: Connection, facts: Any, now: datetime) -> None:
    """Put facts on the trail."""
    events: tuple[Event, ...] = tuple(facts)
    changing.write(connection, Changes(events=events), {}, now)


def names_hash(names: Sequence[str]) -> str:
    """What stands on the trail for rows that were removed by the hundred."""
    return hashlib.sha256("".join(f"{one}\n" for one in names).encode()).hexdigest()
