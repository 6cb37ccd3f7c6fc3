"""Verification holds what is stored against the trail: a forged payload, receipt or document is named."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from gateway import canonical
from gateway.errors import OurFault
from gateway.events import DocumentAccepted, InterchangeComposed, MessageRefused, ReceiptIssued
from gateway.ports import Changes, Direction, Numbered
from gateway.store import Problem, Store, contents
from gateway.store.payloads import Payloads
from gateway.store.verify import Wrong

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
LARGE = 1 << 21


def sha256(data: bytes) -> str:
    """Hexadecimal."""
    return hashlib.sha256(data).hexdigest()


async def forged(store: Store, *statements: str, **values: Any) -> None:
    """Run SQL behind the gateway's back."""

    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement), {key: value for key, value in values.items() if f":{key}" in statement})

    await store.database.write(run)


async def named(store: Store, *, read_bytes: bool = True) -> set[tuple[Wrong, str | None, str | None]]:
    """What verification names: what, message, document."""
    found = await store.verify([KEY.public_key()], read_bytes=read_bytes)
    return _places(found.problems)


def _places(problems: Iterable[Problem]) -> set[tuple[Wrong, str | None, str | None]]:
    return {(one.what, one.message_id, one.document_id) for one in problems}


async def received(store: Store, trade: Any, **fields: Any) -> str:
    """A received message with its issued receipt, sealed."""
    changes = trade.received(**fields)
    id_: str = changes.messages[0].id
    issued = ReceiptIssued(message_id=id_, disposition="processed", sha256=sha256(b"MDN"))
    await store.accept(Changes(messages=changes.messages, jobs=changes.jobs, events=(*changes.events, issued)))
    await store.seal(KEY)
    return id_


@pytest.mark.parametrize("form", ["payload", "raw"])
async def test_changed_bytes_in_a_row_are_named_and_never_handed_out(store: Store, trade: Any, form: str) -> None:
    """Only `read_bytes` sees them; whoever asks for them gets OurFault."""
    id_ = await received(store, trade, payload=b"ORDER 1", raw=b"S/MIME")
    assert await named(store) == set()
    await forged(store, "UPDATE payload SET data = :data WHERE form = :form", data=b"forged", form=form)
    assert await named(store) == {(Wrong.CONTENT_CHANGED, id_, None)}
    assert await named(store, read_bytes=False) == set()
    with pytest.raises(OurFault, match="was changed"):
        await (store.payload(id_) if form == "payload" else store.raw(id_))


@pytest.mark.parametrize("form", ["payload", "raw"])
async def test_changed_bytes_with_fitting_hashes_beside_them_are_named(store: Store, trade: Any, form: str) -> None:
    """The sealed event has the true hash; also without reading the bytes."""
    id_ = await received(store, trade, payload=b"ORDER 1", raw=b"S/MIME")
    statements = ["UPDATE payload SET data = :data, sha256 = :sha WHERE form = :form"]
    if form == "payload":
        statements.append("UPDATE message SET payload_sha256 = :sha")
    await forged(store, *statements, data=b"forged", sha=sha256(b"forged"), form=form)
    assert await named(store, read_bytes=False) == {(Wrong.CONTENT_CHANGED, id_, None)}


async def test_a_changed_hash_on_the_message_is_named(store: Store, trade: Any) -> None:
    """The payload's own row says otherwise."""
    id_ = await received(store, trade)
    await forged(store, "UPDATE message SET payload_sha256 = :sha", sha=sha256(b"x"))
    assert await named(store) == {(Wrong.CONTENT_CHANGED, id_, None)}


@pytest.mark.parametrize("gone", [True, False])
async def test_a_changed_or_missing_payload_file_is_named(
    store: Store, trade: Any, tmp_path: Path, *, gone: bool
) -> None:
    """Large payloads stand in the folder."""
    id_ = await received(store, trade, payload=b"x" * LARGE)
    (file,) = [path for path in (tmp_path / "payloads").rglob("*") if path.is_file()]
    if gone:
        file.unlink()
    else:
        file.write_bytes(b"forged")
    assert await named(store) == {(Wrong.CONTENT_CHANGED, id_, None)}


async def test_removed_payload_and_purge_without_its_event_are_named(store: Store, trade: Any) -> None:
    """A purge by hand is not a purge; a purge by command is."""
    first, second, third = [await received(store, trade) for _ in range(3)]
    await store.purge_payload(third, by="ann", reason="retention")
    await forged(
        store,
        "DELETE FROM payload WHERE message_id = :first",
        "UPDATE payload SET place = 'purged', data = NULL WHERE message_id = :second",
        first=first,
        second=second,
    )
    assert await named(store) == {(Wrong.CONTENT_REMOVED, first, None), (Wrong.CONTENT_REMOVED, second, None)}


async def test_a_forged_or_removed_receipt_is_named(store: Store, trade: Any) -> None:
    """What we signed is evidence."""
    first, second = [await received(store, trade) for _ in range(2)]
    await forged(
        store,
        "UPDATE receipt SET body = :body WHERE message_id = :first",
        "DELETE FROM receipt WHERE message_id = :second",
        body=b"forged",
        first=first,
        second=second,
    )
    assert await named(store) == {(Wrong.CONTENT_CHANGED, first, None), (Wrong.CONTENT_REMOVED, second, None)}


async def test_a_changed_refused_message_is_named_and_a_stranger_s_kept_in_part_is_not(
    store: Store, trade: Any
) -> None:
    """A refused message has the hash of its bytes; of a stranger's only the start is kept, and its size says so."""
    ids = []
    for size in (4, 5000):
        message = trade.message(partner=None)
        ids.append(message.id)
        sha = sha256(b"ISA*") if size == 4 else sha256(b"all of it")
        refused = MessageRefused(message_id=message.id, channel="as2", reason="no", sha256=sha, size=size)
        await store.accept(Changes(messages=(message,), events=(refused,)))
    assert await named(store) == set()
    forge = "UPDATE payload SET data = :data, sha256 = :sha"
    await forged(store, forge, "UPDATE message SET payload_sha256 = :sha", data=b"x", sha=sha256(b"x"))
    assert await named(store) == {(Wrong.CONTENT_CHANGED, ids[0], None)}


async def test_a_forged_interchange_of_ours_is_named(store: Store, trade: Any) -> None:
    """What was composed has its hash on the trail."""
    id_ = trade.message().id

    def composed(numbers: Any, data: bytes) -> tuple[InterchangeComposed]:
        control = str(numbers.interchange)
        fact = InterchangeComposed(
            message_id=id_, type="850", control_number=control, group_control_number="1", sha256=sha256(data), size=3
        )
        return (fact,)

    payload = Numbered(series="s", render=lambda _: b"850", events=composed)
    message = trade.message(id=id_, direction=Direction.OUTBOUND, payload=payload)
    await store.apply(Changes(messages=(message,)))
    assert await named(store) == set()
    forge = "UPDATE payload SET data = :data, sha256 = :sha"
    await forged(store, forge, "UPDATE message SET payload_sha256 = :sha", data=b"x", sha=sha256(b"x"))
    assert await named(store) == {(Wrong.CONTENT_CHANGED, id_, None)}


async def accepted(store: Store, trade: Any) -> tuple[str, str]:
    """An accepted document that came in an interchange: message, document."""
    id_ = await received(store, trade)
    content = {"number": "A-1", "lines": [{"line_id": "1", "quantity": "2.50"}]}
    digest = canonical.digest(content)
    document = trade.document(id_, body=content | {"interchange": {"control_number": "1"}}, sha256=digest)
    fact = DocumentAccepted(
        message_id=id_,
        partner="acme",
        order_number="4711",
        document="order_acknowledgement",
        document_id=document.id,
        number="A-1",
        sha256=digest,
        agreement="acme@1",
    )
    await store.apply(Changes(documents=(document,), events=(fact,)))
    await store.seal(KEY)
    return id_, document.id


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("""UPDATE document SET body = '{"number": "A-1", "lines": []}'""", Wrong.CONTENT_CHANGED),
        ("UPDATE document SET body = '[]'", Wrong.CONTENT_CHANGED),
        ("UPDATE document SET sha256 = 'ff'", Wrong.CONTENT_CHANGED),
        ("UPDATE document SET number = 'A-2'", Wrong.CONTENT_CHANGED),
        ("UPDATE document SET partner = 'baltic'", Wrong.CONTENT_CHANGED),
        ("DELETE FROM document", Wrong.CONTENT_REMOVED),
    ],
)
async def test_a_forged_or_removed_document_is_named(store: Store, trade: Any, change: str, what: Wrong) -> None:
    """By its message and its own id."""
    id_, document_id = await accepted(store, trade)
    assert await named(store) == set()
    await forged(store, change)
    assert await named(store, read_bytes=False) == {(what, id_, document_id)}


async def test_more_messages_than_one_look_are_all_compared(
    store: Store, trade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some at a time, to the end."""
    monkeypatch.setattr("gateway.store.contents.AT_ONCE", 2)
    for _ in range(4):
        await received(store, trade)
    last = await received(store, trade)
    await forged(store, "UPDATE payload SET data = :data WHERE message_id = :id", data=b"forged", id=last)
    assert await named(store) == {(Wrong.CONTENT_CHANGED, last, None)}


async def test_a_file_purged_while_the_trail_is_verified_is_no_alarm(
    store: Store, trade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verification began before the purge and looks for the file after it; one that is missing is named still."""
    purged = await received(store, trade, payload=b"A" * LARGE)
    gone = await received(store, trade, payload=b"B" * LARGE)
    check = contents.check_file
    loop = asyncio.get_running_loop()

    def late(payloads: Payloads, file: contents.File) -> Problem | None:
        if file[1] == purged:
            purging = store.purge_payload(purged, by="ann", reason="retention")
            asyncio.run_coroutine_threadsafe(purging, loop).result(10)
        else:
            payloads.remove(*file)
        return check(payloads, file)

    monkeypatch.setattr(contents, "check_file", late)
    assert await named(store) == {(Wrong.CONTENT_CHANGED, gone, None)}
