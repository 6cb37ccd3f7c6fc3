"""`Changes` made durable: everything one step decided, written by the operation that carries them.

Order of writing: numbers, messages, documents, jobs, events. Nothing here commits; the caller's operation does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, literal_column, select, update

from gateway.errors import OurFault
from gateway.events import Event
from gateway.ports import (
    AnswersSeen,
    Changes,
    DocumentUpdate,
    MessageUpdate,
    NaturalKeyTaken,
    NewDocument,
    NewMessage,
    Numbered,
    Receipt,
    TermsOf,
)
from gateway.ports.lanes import plain
from gateway.publication import Announcer
from gateway.store import (
    certificates,
    deliveries,
    holds,
    jobs,
    later,
    leases,
    looks,
    numbers,
    outbox,
    prepared,
    references,
    replays,
    trail,
)
from gateway.store.payloads import Stored
from gateway.store.statements import add_or_leave, change_row, insert_or_leave
from gateway.store.tables import document, identity, message, order_mention, payload, receipt

Kept = Mapping[tuple[str, str], Stored]
"""Payloads whose place was decided before the transaction, by message and form."""

_INSERT_PAYLOAD = insert(payload)
_INSERT_RECEIPT = insert(receipt)
_raw = and_(payload.c.message_id == bindparam("of_message"), payload.c.form == literal_column("'raw'"))
_DELETE_RAW = delete(payload).where(_raw)
_DELETE_RECEIPT = delete(receipt).where(receipt.c.message_id == bindparam("of_message"))
_OTHER_FILE = select(payload.c.sha256).where(
    _raw, payload.c.place == literal_column("'folder'"), payload.c.sha256 != bindparam("new_sha256")
)


def collectable(changes: Changes) -> bool:
    """Whether writing `changes` only adds the rows that `later` collects, and reads none of them."""
    replaced = any(one.raw is not None or one.receipt is not None for one in changes.message_updates)
    repeated = any(one.again_after is not None for one in changes.jobs)
    decided = bool(changes.deliveries_seen or changes.further_seen or changes.replayed)
    return not (changes.met or changes.woken or replaced or repeated or changes.references or decided)


def write(
    connection: Connection,
    changes: Changes,
    kept: Kept,
    now: datetime,
    *,
    duplicates: bool = False,
    lease: leases.Lease | None = None,
    terms: TermsOf = plain,
    announcer: Announcer | None = None,
) -> bool:
    """Write `changes`. With `duplicates`, a message whose duplicate key is known writes nothing: the answer is False.

    With `lease`, new jobs are leased to who offers it, as far as their lanes allow. What `announcer` makes of the
    events goes to the outbox.
    Raises NaturalKeyTaken, and OurFault when something names what is not stored.
    """
    if lease is not None:
        lease.begin()
    facts: list[Event] = []
    keys = list(changes.keys)
    wait_keys: dict[str, str | None] = {}
    rows: list[dict[str, Any]] = []
    stored: list[Stored] = []
    for new in changes.messages:
        wait_keys[new.id] = new.wait_key
        body = _numbered(connection, new, facts, keys, wait_keys) if isinstance(new.payload, Numbered) else None
        body = body or kept[new.id, "payload"]
        stored.append(body)
        if new.raw is not None:
            stored.append(kept[new.id, "raw"])
        rows.append(_message_row(new, body, wait_keys[new.id]))
        if lease is not None:
            lease.brings(new, body, wait_keys[new.id])

    facts.extend(changes.events)
    facts.extend(references.write(connection, changes.references, now))
    fresh: dict[str, trail.Head] = {row["id"]: (0, trail.GENESIS) for row in rows}
    heads = fresh | trail.heads_of(connection, (fact.message_id for fact in facts if fact.message_id not in fresh))
    chained = trail.link(facts, heads, now)

    for row in rows:
        row["chain_length"], row["chain_head"] = heads[row["id"]]
        if not add_or_leave(connection, message, row):
            if duplicates:
                later.must_read(connection)
                return False
            raise OurFault(
                f"Message {row['id']} or its duplicate key {row['duplicate_key']} is stored already",
                remedy="This is a fault of the gateway: report it with the log.",
            )
    later.add(connection, _INSERT_PAYLOAD, [one.row for one in stored])
    receipts = [_receipt_row(new.id, new.receipt) for new in changes.messages if new.receipt is not None]
    later.add(connection, _INSERT_RECEIPT, receipts)
    _update_messages(connection, changes.message_updates, kept, {id_: heads[id_] for id_ in heads if id_ not in fresh})
    for key, owner in keys:
        if not add_or_leave(connection, identity, {"key": key, "message_id": owner}):
            raise NaturalKeyTaken(f"{key} is another message's")
    _write_documents(connection, changes, now)
    if changes.held is not None:
        holds.hold(connection, changes.held, now)
    certificates.add(connection, changes.certificates, now)
    if changes.replayed is not None:
        replays.write(connection, changes.replayed, now)
    jobs.meet(connection, changes.met, now)
    jobs.wake(connection, changes.woken, now)
    work = jobs.rows_of(changes.jobs, wait_keys, terms)
    if lease is None:
        jobs.add(connection, changes.jobs, work, now)
    else:
        leases.add(connection, work, lease)
    trail.append(connection, chained)
    outbox.add(
        connection, announcer, facts, chained=chained, documents=(*changes.documents, *changes.released), now=now
    )
    return True


def _numbered(
    connection: Connection,
    new: NewMessage,
    facts: list[Event],
    keys: list[tuple[str, str]],
    wait_keys: dict[str, str | None],
) -> Stored:
    """Number and render a payload; it stands in the row, whatever its size, because the commit is under way."""
    assert isinstance(new.payload, Numbered)
    given = numbers.take(connection, new.payload.series)
    data = new.payload.render(given)
    if new.payload.wait_key is not None:
        wait_keys[new.id] = new.payload.wait_key(given)
    if new.payload.keys is not None:
        keys.extend((key, new.id) for key in new.payload.keys(given))
    if new.payload.events is not None:
        facts.extend(new.payload.events(given, data))
    sha256 = hashlib.sha256(data).hexdigest()
    return Stored(message_id=new.id, form="payload", place="row", sha256=sha256, size=len(data), data=data)


def _message_row(new: NewMessage, body: Stored, wait_key: str | None) -> dict[str, Any]:
    return {
        "id": new.id,
        "partner": new.partner,
        "direction": new.direction.value,
        "channel": new.channel.value,
        "state": new.state.value,
        "at": new.at,
        "content_type": new.content_type,
        "filename": new.filename,
        "payload_sha256": body.sha256,
        "size": body.size,
        "raw_headers": new.raw_headers,
        "as2_message_id": new.as2_message_id,
        "mic": new.mic,
        "duplicate_key": new.duplicate_key,
        "answers": new.answers,
        "wait_key": wait_key,
    }


def _receipt_row(message_id: str, answer: Receipt) -> dict[str, Any]:
    return {"message_id": message_id, "status": answer.status, "headers": answer.headers, "body": answer.body}


def _update_messages(
    connection: Connection, updates: Sequence[MessageUpdate], kept: Kept, heads: Mapping[str, trail.Head]
) -> None:
    """One statement for each message: its own changes and the new head of its chain."""
    columns: dict[str, dict[str, Any]] = {
        id_: {"chain_length": length, "chain_head": head} for id_, (length, head) in heads.items()
    }
    states: dict[str, str] = {}
    for change in updates:
        values = columns.setdefault(change.id, {})
        for name in ("as2_message_id", "mic", "wait_key", "raw_headers", "overdue_since"):
            if (value := getattr(change, name)) is not None:
                values[name] = value
        if change.in_time:
            values["overdue_since"] = None
        if change.state is not None:
            states[change.id] = change.state.value
    for id_ in sorted(columns):
        values, state = columns[id_], states.get(id_)
        if (values or state) and not change_row(connection, message, id_, values, state):
            raise _missing("message", id_)
    for change in updates:
        if change.raw is not None:
            prepared.change(connection, _DELETE_RAW, {"of_message": change.id})
            prepared.change(connection, _INSERT_PAYLOAD, kept[change.id, "raw"].row)
        if change.receipt is not None:
            prepared.change(connection, _DELETE_RECEIPT, {"of_message": change.id})
            prepared.change(connection, _INSERT_RECEIPT, _receipt_row(change.id, change.receipt))


def replaced(connection: Connection, changes: Changes, kept: Kept) -> list[tuple[str, str]]:
    """The files that `changes` will leave without a row: SHA-256 and message of raw octets posted before."""
    found: list[tuple[str, str]] = []
    for change in changes.message_updates:
        if change.raw is not None:
            old = {"of_message": change.id, "new_sha256": kept[change.id, "raw"].sha256}
            found += [(row.sha256, change.id) for row in prepared.fetch(connection, _OTHER_FILE, old)]
    return found


def _write_documents(connection: Connection, changes: Changes, now: datetime) -> None:
    """Documents and their deliveries. A natural key is free before the next one takes it."""
    _check_answers(connection, changes.answers_seen)
    for change in changes.document_updates:
        if change.key_ended:
            _end_key(connection, change.id)
    _insert_documents(connection, changes.documents)
    for change in changes.document_updates:
        _update_document(connection, change, now)
    for seen in (*filter(None, (changes.deliveries_seen,)), *changes.further_seen):
        deliveries.check(connection, seen)
    deliveries.write(connection, changes.deliveries, now)


def _check_answers(connection: Connection, seen: Sequence[AnswersSeen]) -> None:
    """Lock the orders, so that of two answers one sees the other. Raises NaturalKeyTaken when there are others now."""
    if not seen:
        return
    orders = sorted({id_ for one in seen for id_ in one.orders})
    locked = select(document.c.id).where(document.c.id.in_(orders)).order_by(document.c.id)
    connection.execute(locked.with_for_update(key_share=True)).all()
    for one in seen:
        found = looks.named_answers(connection, one.partner, one.kind, one.order_number)
        if {id_ for id_, _ in found} != one.ids:
            raise NaturalKeyTaken(f"another {one.kind} of order {one.order_number} came meanwhile")


def _insert_documents(connection: Connection, documents: Sequence[NewDocument]) -> None:
    for new in documents:
        row = {name: getattr(new, name) for name in _DOCUMENT_FIELDS}
        row |= {"updated_at": new.at, "state": new.state.value, "direction": new.direction.value}
        if not add_or_leave(connection, document, row, conflict=("partner", "direction", "natural_key")):
            raise NaturalKeyTaken(f"{new.partner} {new.direction} {new.natural_key} is another document's")
        if new.further_orders:
            named = dict.fromkeys(new.further_orders)
            rows = [{"partner": new.partner, "order_number": one, "document_id": new.id} for one in named]
            connection.execute(insert_or_leave(order_mention, connection.dialect.name), rows)


_DOCUMENT_FIELDS = tuple(column.name for column in document.columns if column.name in NewDocument.__slots__)


_CHANGED_FIELDS = (
    "target", "sent_as", "their_id", "agreement", "map", "guide", "review", "findings", "answer_overdue_since",
    "notice_overdue_since", "replaced_by",
)  # fmt: skip


def _update_document(connection: Connection, change: DocumentUpdate, now: datetime) -> None:
    values: dict[str, Any] = {"updated_at": now}
    for name in _CHANGED_FIELDS:
        if (value := getattr(change, name)) is not None:
            values[name] = value
    values.update(dict.fromkeys(change.cleared))
    if not change_row(connection, document, change.id, values, change.state and change.state.value):
        raise _missing("document", change.id)


def _end_key(connection: Connection, document_id: str) -> None:
    """Free the natural key of a document for the one that follows it; it still counts as accepted.

    Raises NaturalKeyTaken when another one has followed it meanwhile.
    """
    key = document.c.natural_key
    mine = (document.c.id == document_id) & document.c.replaced_by.is_(None) & key.not_like(f"%#{document_id}")
    ended = update(document).where(mine).values(natural_key=key + f"#{document_id}")
    if connection.execute(ended).rowcount == 0:
        raise NaturalKeyTaken(f"document {document_id} was followed by another one meanwhile")


def _missing(what: str, id_: str) -> OurFault:
    return OurFault(f"A change names {what} {id_}, which is not stored", remedy="Report it with the log.")
