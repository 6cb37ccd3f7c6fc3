"""Receiving: message, duplicate key, receipt, job and event are one commit, and a repeat changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import OurFault
from gateway.ports import Changes, MessageState, NaturalKeyTaken, Receipt
from gateway.store import Store


async def test_what_was_accepted_is_all_there(store: Store, trade: Any) -> None:
    """Message, bytes on the wire, receipt, job and trail."""
    changes = trade.received(
        payload=b"payload", raw=b"wire", raw_headers=(("AS2-From", "ACME"),), duplicate_key="as2:1"
    )
    accepted = await store.accept(changes)
    message = await store.message(accepted.message_id)
    assert not accepted.duplicate
    assert message is not None
    assert message.state is MessageState.RECEIVED
    assert message.receipt == changes.messages[0].receipt == accepted.receipt
    assert message.raw_headers == (("AS2-From", "ACME"),)
    assert message.at == changes.messages[0].at
    assert await store.payload(message.id) == b"payload"
    assert await store.raw(message.id) == b"wire"
    assert [entry.kind for entry in await store.timeline(message_id=message.id)] == ["message.received"]
    assert [job.message_id for job in await store.claim("me", ["read"], 5)] == [message.id]


async def test_the_same_message_again_gets_the_first_receipt_and_has_no_effect(store: Store, trade: Any) -> None:
    """The only trace is an event in the first message's chain."""
    first = await store.accept(trade.received(duplicate_key="as2:acme:<1@acme>"))
    other_receipt = Receipt(status=200, headers=(), body=b"another MDN")
    again = await store.accept(trade.received(duplicate_key="as2:acme:<1@acme>", receipt=other_receipt))
    assert again.duplicate
    assert again.message_id == first.message_id
    assert again.receipt == first.receipt
    assert len(await store.messages()) == 1
    assert len(await store.claim("me", ["read"], 5)) == 1
    kinds = [entry.kind for entry in await store.timeline(message_id=first.message_id)]
    assert kinds == ["message.received", "message.duplicate"]


async def test_of_many_copies_at_once_exactly_one_is_stored(store: Store, trade: Any) -> None:
    """A sender that retries on several connections cannot get in twice."""
    answers = await asyncio.gather(*(store.accept(trade.received(duplicate_key="as2:k")) for _ in range(20)))
    assert sorted(answer.duplicate for answer in answers) == [False] + [True] * 19
    assert len({answer.message_id for answer in answers}) == 1
    assert len(await store.timeline(message_id=answers[0].message_id)) == 20


async def test_a_message_that_is_sent_again_and_again_does_not_fill_its_trail(
    store: Store, trade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds a message can repeat it for ever: the answer is always the first one, the trail tells of some."""
    monkeypatch.setattr("gateway.store.store.MOST_REPEATS", 5)
    first = await store.accept(trade.received(duplicate_key="as2:k"))
    for _ in range(8):
        again = await store.accept(trade.received(duplicate_key="as2:k"))
        assert again.duplicate
        assert again.receipt == first.receipt
    kinds = [entry.kind for entry in await store.timeline(message_id=first.message_id)]
    assert kinds == ["message.received", *["message.duplicate"] * 5]


async def test_the_same_changes_accepted_twice_are_one_message(store: Store, trade: Any) -> None:
    """A caller that never saw the answer may ask again."""
    changes = trade.received()
    await store.accept(changes)
    assert (await store.accept(changes)).duplicate


async def test_a_taken_natural_key_leaves_nothing_of_the_message(store: Store, trade: Any) -> None:
    """A REST document whose number is known is decided anew; its message was not stored."""
    first, second = trade.received(), trade.received()
    await store.accept(Changes(messages=first.messages, documents=(trade.document(first.messages[0].id),)))
    with pytest.raises(NaturalKeyTaken):
        await store.accept(
            Changes(
                messages=second.messages,
                documents=(trade.document(second.messages[0].id),),
                jobs=second.jobs,
                events=second.events,
            )
        )
    assert await store.message(second.messages[0].id) is None
    assert await store.claim("me", ["read"], 5) == []


async def test_an_event_of_an_unknown_message_is_our_fault(store: Store, trade: Any) -> None:
    """It never becomes a chain without a message."""
    with pytest.raises(OurFault, match="not stored"):
        await store.apply(Changes(events=(trade.event("00000000-0000-7000-8000-000000000000"),)))


async def test_octets_that_were_hashed_already_are_not_hashed_again(store: Store, trade: Any) -> None:
    """Whoever made the message says their digests; of those it does not say, the store computes them."""
    said = hashlib.sha256(b"as it was said").hexdigest()
    new = trade.received(payload=b"payload", raw=b"wire")
    (message,) = new.messages
    accepted = await store.accept(replace(new, messages=(replace(message, digests={"payload": said}),)))
    stored = await store.message(accepted.message_id)
    assert stored is not None
    assert stored.payload_sha256 == said
    found = await store.message((await store.accept(trade.received(payload=b"payload"))).message_id)
    assert found is not None
    assert found.payload_sha256 == hashlib.sha256(b"payload").hexdigest()
