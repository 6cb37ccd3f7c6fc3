"""Whether stored bytes and documents are what the trail says of them: the hashes in the events against what is kept.

Works through the messages, then the events about documents, some at a time; bytes are loaded one payload at a time.
What was purged must have its `payload.purged` or `document.purged` event; its hashes are compared still.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from gateway import canonical
from gateway.errors import OurFault
from gateway.events import (
    DocumentAccepted,
    DocumentPurged,
    DocumentSubmitted,
    InterchangeComposed,
    MessageReceived,
    MessageRefused,
    PayloadPurged,
    ReceiptIssued,
)
from gateway.mapping import envelope
from gateway.store import queries
from gateway.store.payloads import Payloads
from gateway.store.tables import document, event, message, payload, receipt
from gateway.store.verify import SHOWN, Problem, Wrong

AT_ONCE = 200
"""Messages, or events about documents, in one look at the database."""

_OF_BYTES = tuple(
    one.kind for one in (MessageReceived, MessageRefused, InterchangeComposed, ReceiptIssued, PayloadPurged)
)
_OF_DOCUMENTS = (DocumentAccepted.kind, DocumentSubmitted.kind)

_MESSAGE: Select[Any] = select(message.c.id, message.c.payload_sha256)
_FORM: Select[Any] = select(payload.c.message_id, payload.c.form, payload.c.place, payload.c.sha256, payload.c.size)
_FACT: Select[Any] = select(event.c.id, event.c.message_id, event.c.number, event.c.kind, event.c.partner, event.c.data)

Hashes = Mapping[str, Any]
"""The data of an event."""


def _received(data: Hashes) -> dict[str, Any]:
    """On the wire and unwrapped, where these differ."""
    unwrapped = data.get("payload_sha256")
    return {"payload": data.get("sha256")} if unwrapped is None else {"payload": unwrapped, "raw": data.get("sha256")}


_SAYS: Mapping[str, Callable[[Hashes], dict[str, Any]]] = {
    MessageReceived.kind: _received,
    InterchangeComposed.kind: lambda data: {"payload": data.get("sha256")},
    ReceiptIssued.kind: lambda data: {} if data.get("again") else {"receipt": data.get("sha256")},
}
"""Which forms of a message an event has the SHA-256 of."""


File = tuple[str, str, str]
"""A payload's file: the SHA-256, the message and the form that name it."""


def check_messages(
    connection: Connection, after: str, *, read_bytes: bool
) -> tuple[list[Problem], list[File], str | None]:
    """A stretch of messages after that id: problems, files whose bytes are to be checked, and the last id.

    `read_bytes` hashes what stands in rows, too. Files may be large: nobody reads them while the database is being
    read, see `check_file`.
    """
    rows = connection.execute(_MESSAGE.where(message.c.id > after).order_by(message.c.id).limit(AT_ONCE)).all()
    if not rows:
        return [], [], None
    ids = [row.id for row in rows]
    kept: dict[str, dict[str, Row[Any]]] = {id_: {} for id_ in ids}
    for row in connection.execute(_FORM.where(payload.c.message_id.in_(ids))):
        kept[row.message_id][row.form] = row
    told: dict[str, list[Row[Any]]] = {id_: [] for id_ in ids}
    wanted = event.c.message_id.in_(ids) & event.c.kind.in_(_OF_BYTES)
    for fact in connection.execute(_FACT.where(wanted).order_by(event.c.id)):
        told[fact.message_id].append(fact)
    problems: list[Problem] = []
    for row in rows:
        problems += _compared(connection, row, kept[row.id], told[row.id])
        if read_bytes:
            problems += _read(connection, row.id, kept[row.id])
    stored = [form for forms in kept.values() for form in forms.values()] if read_bytes else []
    files = [(one.sha256, one.message_id, one.form) for one in stored if one.place == "folder"]
    return problems[:SHOWN], files, ids[-1]


def check_file(payloads: Payloads, file: File) -> Problem | None:
    """What is wrong with the bytes of a file, read in pieces."""
    try:
        payloads.open(*file)
    except OurFault as fault:
        return Problem(what=Wrong.CONTENT_CHANGED, detail=str(fault), message_id=file[1])
    return None


def is_current(connection: Connection, file: File) -> bool:
    """Whether that file is still one that counts: it may have been purged, or replaced, while it was looked at."""
    sha256, id_, form = file
    named = (payload.c.message_id == id_) & (payload.c.form == form) & (payload.c.place == "folder")
    return connection.execute(select(payload.c.sha256).where(named)).scalar() == sha256


def _compared(
    connection: Connection, of: Row[Any], kept: Mapping[str, Row[Any]], told: Sequence[Row[Any]]
) -> Iterator[Problem]:
    """The hashes that stand with a message against those on its trail."""

    def wrong(detail: str, number: int | None = None, what: Wrong = Wrong.CONTENT_CHANGED) -> Problem:
        return Problem(what=what, detail=detail, message_id=of.id, number=number)

    body = kept.get("payload")
    if body is None:
        yield wrong("its payload is gone", what=Wrong.CONTENT_REMOVED)
    elif body.sha256 != of.payload_sha256:
        yield wrong("message and stored payload name different SHA-256")
    stored = {form: row.sha256 for form, row in kept.items()}
    kinds = {fact.kind for fact in told}
    if any(row.place == "purged" for row in kept.values()) and PayloadPurged.kind not in kinds:
        yield wrong("it is marked as purged, and no event says so", what=Wrong.CONTENT_REMOVED)
    if ReceiptIssued.kind in kinds:
        answer = connection.execute(select(receipt.c.body).where(receipt.c.message_id == of.id)).scalar()
        stored["receipt"] = None if answer is None else hashlib.sha256(answer).hexdigest()
    for fact in told:
        data = _data(fact)
        if fact.kind == MessageRefused.kind:  # a stranger's message is kept only in part: its event has the whole size
            says = {"payload": data.get("sha256")} if body is not None and data.get("size") == body.size else {}
        else:
            says = _SAYS[fact.kind](data) if fact.kind in _SAYS else {}
        for form, sha256 in says.items():
            if stored.get(form) is None:
                if form != "payload":
                    yield wrong(f"its {form} is gone", fact.number, Wrong.CONTENT_REMOVED)
            elif stored[form] != sha256:
                yield wrong(f"its {form} is not what the event says: SHA-256 {stored[form]}", fact.number)


def _read(connection: Connection, id_: str, kept: Mapping[str, Row[Any]]) -> Iterator[Problem]:
    """The bytes in rows against the hash that stands with them."""
    for form, row in kept.items():
        if row.place == "purged":
            continue
        try:
            queries.place_of(connection, id_, form)
        except OurFault as fault:
            yield Problem(what=Wrong.CONTENT_CHANGED, detail=str(fault), message_id=id_)


def check_documents(connection: Connection, after: int) -> tuple[list[Problem], int | None]:
    """A stretch of the events about documents after that event id: problems, and the last id."""
    wanted = event.c.kind.in_(_OF_DOCUMENTS) & (event.c.id > after)
    facts = connection.execute(_FACT.where(wanted).order_by(event.c.id).limit(AT_ONCE)).all()
    purged = _purged(connection, {fact.message_id for fact in facts})
    problems = [problem for fact in facts if (problem := _of_document(connection, fact, purged)) is not None]
    return problems[:SHOWN], facts[-1].id if facts else None


def _of_document(connection: Connection, fact: Row[Any], purged: AbstractSet[tuple[Any, Any]]) -> Problem | None:
    data = _data(fact)
    id_ = str(data.get("document_id"))
    row = connection.execute(select(document).where(document.c.id == id_)).one_or_none()
    what = Wrong.CONTENT_CHANGED
    if row is None:
        what, detail = Wrong.CONTENT_REMOVED, f"document {id_} is gone"
    elif row.purged_at is not None and (id_, row.sha256) not in purged:
        what, detail = Wrong.CONTENT_REMOVED, f"document {id_} is marked as purged, and no event says so"
    elif row.sha256 != data.get("sha256") or (row.purged_at is None and row.sha256 not in _digests(row.body)):
        detail = f"document {id_} is not what the event says"
    elif (row.message_id, row.partner, row.kind, row.number) != (
        fact.message_id,
        fact.partner,
        data.get("document"),
        data.get("number"),
    ):
        detail = f"document {id_} has another message, partner, kind or number than the event says"
    else:
        return None
    return Problem(what=what, detail=detail, message_id=fact.message_id, number=fact.number, document_id=id_)


def _purged(connection: Connection, message_ids: Iterable[str]) -> set[tuple[Any, Any]]:
    """The documents of these messages that were purged, and their hashes, as their trails say."""
    wanted = (event.c.message_id.in_(list(message_ids)), event.c.kind == DocumentPurged.kind)
    said = (_data(fact) for fact in connection.execute(_FACT.where(*wanted)))
    return {(data.get("document_id"), data.get("sha256")) for data in said}


def _digests(body: Any) -> set[str]:
    """The digest of a document's content without and with the envelope's fields: the interchange's are added later."""
    if not isinstance(body, dict):
        return set()
    bare = {name: value for name, value in body.items() if name not in envelope.FIELDS}
    return {canonical.digest(bare), canonical.digest(body)}


def _data(fact: Row[Any]) -> dict[str, Any]:
    """What an event says; nothing when that cannot be read (its own check names it)."""
    try:
        data = json.loads(fact.data)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
