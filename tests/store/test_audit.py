"""The trail: whatever is changed, removed, reordered or inserted after it was sealed is named."""

from __future__ import annotations

import hashlib
import textwrap
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from gateway.errors import OurFault
from gateway.events import DocumentRouted
from gateway.ports import Changes
from gateway.store import Store
from gateway.store.tables import event, seal
from gateway.store.trail import hash_of
from gateway.store.verify import Wrong

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


async def three_seals(store: Store, trade: Any) -> list[str]:
    """Two messages, events of both in each of three seals; their ids."""
    received = [trade.received(), trade.received()]
    for one in received:
        await store.accept(one)
    ids = [one.messages[0].id for one in received]
    await store.seal(KEY)
    for target in ("erp", "wms"):
        events = tuple(
            DocumentRouted(message_id=id_, document_id="d", target=target, rule=rule) for rule in "xy" for id_ in ids
        )
        await store.apply(Changes(events=events))
        await store.seal(KEY)
    return ids


async def tampered(
    store: Store, *statements: str, **values: Any
) -> set[tuple[Wrong, str | None, int | None, int | None]]:
    """Run SQL behind the gateway's back; what verification names."""

    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(
                text(statement), {name: value for name, value in values.items() if f":{name}" in statement}
            )

    await store.database.write(run)
    found = await store.verify([KEY.public_key()])
    return {(problem.what, problem.message_id, problem.number, problem.seal) for problem in found.problems}


async def test_an_untouched_trail_verifies(store: Store, trade: Any, clock: Any) -> None:
    """And says how much of it is not sealed yet, and since when."""
    first, _ = await three_seals(store, trade)
    await store.apply(Changes(events=(trade.event(first),)))
    found = await store.verify([KEY.public_key()])
    assert found.ok
    assert (found.seals, found.sealed, found.unsealed, found.last_seal) == (3, 10, 1, 3)
    assert found.oldest_unsealed == (await store.timeline(message_id=first))[-1].at
    assert await store.seal(KEY) == 1
    assert await store.seal(KEY) == 0
    assert (await store.verify([KEY.public_key()])).seals == 4


@pytest.mark.parametrize("column", ["kind", "data", "partner", "order_number", "at", "hash", "previous"])
async def test_any_changed_field_of_a_sealed_event_is_named(store: Store, trade: Any, column: str) -> None:
    """The event itself and not the ones after it."""
    first, _ = await three_seals(store, trade)
    value = "at + 1" if column == "at" else "'{}'"
    change = f"UPDATE event SET {column} = {value} WHERE message_id = :id AND number = 2"  # noqa: S608  our own words
    named = await tampered(store, change, id=first)
    assert named == {(Wrong.CHANGED, first, 2, 2)}


async def test_a_forged_event_with_a_fitting_hash_is_named(store: Store, trade: Any) -> None:
    """Recomputing the hashes does not help without the signing key."""
    first, _ = await three_seals(store, trade)
    await tampered(store, "UPDATE event SET kind = 'x' WHERE message_id = :id AND number = 2", id=first)

    def forge(connection: Connection) -> None:
        row = connection.execute(event.select().where(event.c.message_id == first, event.c.number == 2)).one()
        connection.execute(event.update().where(event.c.id == row.id).values(hash=hash_of(row)))

    await store.database.write(forge)
    assert (Wrong.CHANGED, first, 2, 2) in await tampered(store)


async def test_a_removed_event_is_named(store: Store, trade: Any) -> None:
    """By message and number, although it is gone."""
    first, _ = await three_seals(store, trade)
    named = await tampered(store, "DELETE FROM event WHERE message_id = :id AND number = 3", id=first)
    assert named == {(Wrong.REMOVED, first, 3, 2)}


async def test_the_last_event_of_a_chain_cannot_be_cut_off(store: Store, trade: Any) -> None:
    """Also with the count on the message adjusted."""
    first, _ = await three_seals(store, trade)
    named = await tampered(
        store,
        "DELETE FROM event WHERE message_id = :id AND number = 5",
        "UPDATE message SET chain_length = 4, chain_head ="
        " (SELECT hash FROM event WHERE message_id = :id AND number = 4) WHERE id = :id",
        id=first,
    )
    assert named == {(Wrong.REMOVED, first, 5, 3)}


async def test_reordered_events_are_named(store: Store, trade: Any) -> None:
    """A row goes behind those that were sealed after it."""
    first, _ = await three_seals(store, trade)
    named = await tampered(
        store,
        "UPDATE event SET id = id + 1000000 WHERE message_id = :first AND number = 2",
        first=first,
    )
    assert named == {(Wrong.MOVED, first, 2, 2)}


async def test_an_event_moved_to_another_seal_is_named(store: Store, trade: Any) -> None:
    """Or out of every seal."""
    first, second = await three_seals(store, trade)
    move = "UPDATE event SET seal = {} WHERE message_id = :id AND number = 2"
    assert await tampered(store, move.format(3), id=first) == {
        (Wrong.MOVED, first, 2, 2),
        (Wrong.INSERTED, first, 2, 3),
    }
    assert (Wrong.MOVED, second, 2, 2) in await tampered(store, move.format("NULL"), id=second)


async def test_an_inserted_event_is_named(store: Store, trade: Any) -> None:
    """Whether it claims a seal or not."""
    first, _ = await three_seals(store, trade)
    copied = "message_id, {number}, kind, at, partner, order_number, data, previous, hash, {seal}"
    insert = (
        "INSERT INTO event (message_id, number, kind, at, partner, order_number, data, previous, hash, seal)"  # noqa: S608
        f" SELECT {copied} FROM event WHERE message_id = :id AND number = 2"
    )
    named = await tampered(store, insert.format(number=6, seal=2), id=first)
    assert (Wrong.INSERTED, first, 6, 2) in named
    named = await tampered(store, insert.format(number=7, seal="NULL"), id=first)
    assert (Wrong.CHANGED, first, 7, None) in named


@pytest.mark.parametrize(
    "change", ["at = at + 1", "first = 4", "last = 7", "previous = ''", "entries = ''", "key = 'x'"]
)
async def test_a_changed_seal_is_named(store: Store, trade: Any, change: str) -> None:
    """Its signature does not fit any more."""
    await three_seals(store, trade)
    named = await tampered(store, f"UPDATE seal SET {change} WHERE number = 2")  # noqa: S608  our own words
    assert (Wrong.SEAL_CHANGED, None, None, 2) in named


async def test_a_removed_seal_is_named(store: Store, trade: Any) -> None:
    """And so are the events that claim to be in it."""
    first, second = await three_seals(store, trade)
    named = await tampered(store, "DELETE FROM seal WHERE number = 2")
    assert named == {(Wrong.SEAL_REMOVED, None, None, 2)} | {
        (Wrong.SEAL_REMOVED, id_, number, 2) for id_ in (first, second) for number in (2, 3)
    }


async def test_removing_the_last_seal_leaves_events_that_name_it(store: Store, trade: Any) -> None:
    """The trail cannot be cut back to an earlier seal unseen."""
    first, second = await three_seals(store, trade)
    named = await tampered(store, "DELETE FROM seal WHERE number = 3")
    assert named == {(Wrong.SEAL_REMOVED, id_, number, 3) for id_ in (first, second) for number in (4, 5)}


async def test_a_trail_cut_off_with_everything_that_names_it_is_found_by_an_anchor(store: Store, trade: Any) -> None:
    """Number and hash of the last seal, noted elsewhere, is what an auditor keeps."""
    await three_seals(store, trade)
    before = await store.verify([KEY.public_key()])
    assert before.last_seal is not None
    assert before.last_hash is not None
    anchor = (before.last_seal, before.last_hash)
    assert (await store.verify([KEY.public_key()], anchor=anchor)).ok
    named = await tampered(
        store,
        "DELETE FROM event WHERE seal = 3",
        "DELETE FROM seal WHERE number = 3",
        "UPDATE message SET chain_length = 3, chain_head ="
        " (SELECT hash FROM event WHERE event.message_id = message.id AND event.number = 3)",
    )
    assert named == set()
    (problem,) = (await store.verify([KEY.public_key()], anchor=anchor)).problems
    assert (problem.what, problem.seal) == (Wrong.SEAL_REMOVED, 3)


async def test_a_seal_by_another_key_is_named(store: Store, trade: Any) -> None:
    """Old keys are given beside the new one; unknown ones are not trusted."""
    await three_seals(store, trade)
    other = Ed25519PrivateKey.generate()
    found = await store.verify([other.public_key()])
    assert {problem.what for problem in found.problems} == {Wrong.SEAL_CHANGED}
    assert (await store.verify([other.public_key(), KEY.public_key()])).ok


async def test_a_changed_event_that_is_not_sealed_yet_breaks_its_chain(store: Store, trade: Any) -> None:
    """The hash chain alone shows it."""
    changes = trade.received()
    await store.accept(changes)
    id_ = changes.messages[0].id
    assert await tampered(store, "UPDATE event SET kind = 'x' WHERE message_id = :id", id=id_) == {
        (Wrong.CHANGED, id_, 1, None)
    }


async def test_the_verifier_on_the_page_agrees(store: Store, trade: Any) -> None:
    """docs/audit-trail.md is exact: its own few lines recompute every hash and every signature."""
    await three_seals(store, trade)
    page = (Path(__file__).parents[2] / "docs" / "audit-trail.md").read_text()
    lines = page.partition("## A verifier in a few lines\n")[2]
    program: dict[str, Any] = {}
    exec(textwrap.dedent(lines), program)  # noqa: S102  our own page
    rows = await store.database.read(lambda connection: connection.execute(event.select()).all())
    seals = await store.database.read(lambda connection: connection.execute(seal.select()).all())
    assert len(rows) == 10
    for row in rows:
        at = row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert program["event_hash"](row, at) == row.hash
    for row in seals:
        signed = program["signed_bytes"](row, row.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        KEY.public_key().verify(row.signature, signed)


async def test_garbage_in_a_seal_is_a_finding_not_a_crash(store: Store, trade: Any) -> None:
    """Whoever changes the database decides what stands in it."""
    await three_seals(store, trade)
    for garbage in ("no lines", "a b c\n" * 20, "a 1 c d\n"):
        named = await tampered(store, "UPDATE seal SET entries = :garbage WHERE number = 1", garbage=garbage)
        assert (Wrong.SEAL_CHANGED, None, None, 1) in named


async def test_more_events_than_one_seal_holds_are_sealed_in_several(
    store: Store, trade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seal is bounded; the duty goes on until nothing is left."""
    monkeypatch.setattr("gateway.store.seals.MOST", 4)
    changes = trade.received()
    await store.accept(changes)
    await store.apply(Changes(events=tuple(trade.event(changes.messages[0].id) for _ in range(9))))
    await store.seal(KEY)
    found = await store.verify([KEY.public_key()])
    assert (found.ok, found.seals, found.sealed, found.unsealed) == (True, 3, 10, 0)


async def test_a_purged_payload_is_gone_and_the_trail_still_verifies(store: Store, trade: Any, tmp_path: Any) -> None:
    """Small in the row, large in the folder: neither can be read again; who did it is on the trail."""
    large = b"x" * (1 << 21)
    changes = trade.received(payload=b"small", raw=large)
    await store.accept(changes)
    id_ = changes.messages[0].id
    await store.seal(KEY)
    (file,) = [path for path in (tmp_path / "payloads").rglob("*") if path.is_file()]
    assert file.name.startswith(hashlib.sha256(large).hexdigest())
    await store.purge_payload(id_, by="ann", reason="retention")
    await store.purge_payload(id_, by="ann", reason="again")
    assert not file.exists()
    for read in (store.payload(id_), store.raw(id_)):
        with pytest.raises(OurFault, match="purged"):
            await read
    assert [entry.kind for entry in await store.timeline(message_id=id_)] == ["message.received", "payload.purged"]
    assert (await store.verify([KEY.public_key()])).ok


async def test_a_missing_or_changed_payload_file_is_our_fault(store: Store, trade: Any, tmp_path: Any) -> None:
    """With the file's name and the remedy."""
    changes = trade.received(payload=b"x" * (1 << 21))
    await store.accept(changes)
    id_ = changes.messages[0].id
    assert len(await store.payload(id_)) == 1 << 21
    (file,) = [path for path in (tmp_path / "payloads").rglob("*") if path.is_file()]
    file.write_bytes(b"other")
    with pytest.raises(OurFault, match="was changed"):
        await store.payload(id_)
    file.unlink()
    with pytest.raises(OurFault, match="cannot be read"):
        await store.payload(id_)


async def test_the_timeline_of_an_order_has_the_events_of_all_its_messages(store: Store, trade: Any) -> None:
    """Also those that were written before anyone knew which order it was, and none of another order."""
    order, answer, other = trade.received(), trade.received(), trade.received()
    for one in (order, answer, other):
        await store.accept(one)
    reply = trade.message(answers=answer.messages[0].id)

    def routed(message_id: str, number: str) -> DocumentRouted:
        return DocumentRouted(message_id=message_id, order_number=number, document_id="d", target="t", rule="r")

    ids = [one.messages[0].id for one in (order, answer, other)]
    await store.apply(
        Changes(
            messages=(reply,),
            documents=(
                trade.document(ids[0], kind="purchase_order", number="4711", order_number=None, natural_key="o"),
            ),
            events=(routed(ids[1], "4711"), routed(ids[1], "4712"), routed(ids[2], "4712"), trade.event(reply.id)),
        )
    )
    found = [(entry.message_id, entry.kind, entry.order_number) for entry in await store.timeline(order_number="4711")]
    assert found == [
        (ids[0], "message.received", None),
        (ids[1], "message.received", None),
        (ids[1], "document.routed", "4711"),
        (reply.id, "message.received", None),
    ]
    assert await store.timeline(order_number="4711", partner="baltic") == []
    assert await store.timeline() == []
