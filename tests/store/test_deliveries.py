"""Deliveries: a row for each target, states by the table, one decision over several of them at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.ports import (
    Changes,
    DeliveriesSeen,
    DeliveryChange,
    DeliveryState,
    DocumentState,
    DocumentUpdate,
    NaturalKeyTaken,
    NewJob,
    document_state,
    seen,
)
from gateway.store import Store
from gateway.store.states import DELIVERY_STATE_FROM

S = DeliveryState


async def stored(store: Store, trade: Any, **fields: Any) -> Any:
    """A document in a message of its own."""
    message = trade.message()
    document = trade.document(message.id, **fields)
    await store.apply(Changes(messages=(message,), documents=(document,)))
    return document


def change(document: Any, target: str = "erp", **fields: Any) -> DeliveryChange:
    """A change of a delivery."""
    return DeliveryChange(**{"document_id": document.id, "target": target, "key": "k"} | fields)


async def write(store: Store, *changes: DeliveryChange, **more: Any) -> None:
    """In one commit."""
    await store.apply(Changes(deliveries=changes, **more))


@pytest.mark.parametrize("before", S)
async def test_states_follow_the_table(store: Store, trade: Any, before: S) -> None:
    """A change that the table does not have leaves the whole row as it was."""
    document = await stored(store, trade)
    for after in S:
        target = after.value
        await write(store, change(document, target, state=before, reason="first", their_id="1", status=201))
        again = change(document, target, state=after, reason="second", their_id="2", key="other", critical=False)
        await write(store, again)
    for row in await store.deliveries([document.id]):
        after = S(row.target)
        allowed = before is after or before in DELIVERY_STATE_FROM[after]
        assert row.state is (after if allowed else before)
        assert (row.reason, row.their_id) == (("second", "2") if allowed else ("first", "1"))
        assert (row.key, row.critical, row.status) == ("k", True, 201)


async def test_fewer_states_may_be_left_where_the_change_says_so(store: Store, trade: Any) -> None:
    """What is uncertain stays so, whatever a later try that says nothing of it ends with."""
    document = await stored(store, trade)
    await write(store, change(document, state=S.UNCERTAIN))
    await write(store, change(document, state=S.FAILED, only_from=frozenset({S.PENDING})))
    assert [one.state for one in await store.deliveries([document.id])] == [S.UNCERTAIN]
    await write(store, change(document, state=S.FAILED, new_key="k2"))
    assert [(one.state, one.key) for one in await store.deliveries([document.id])] == [(S.FAILED, "k2")]


async def test_a_change_without_a_state_keeps_it_and_makes_a_pending_row(store: Store, trade: Any) -> None:
    """The reason of a try that failed is told; the row of a time without rows comes to be."""
    document = await stored(store, trade)
    await write(store, change(document, reason="503"))
    await write(store, change(document, state=S.DELIVERED))
    await write(store, change(document, reason="later"))
    assert [(one.state, one.reason) for one in await store.deliveries([document.id])] == [(S.DELIVERED, "later")]


async def test_messages_with_an_uncertain_delivery_are_listed(store: Store, trade: Any) -> None:
    """And only those."""
    first = await stored(store, trade)
    second = await stored(store, trade, natural_key="b")
    await write(store, change(first, state=S.UNCERTAIN), change(second))
    assert [one.id for one in await store.messages(uncertain=True)] == [first.message_id]


async def test_a_decision_over_deliveries_that_stand_otherwise_by_now_is_made_anew(store: Store, trade: Any) -> None:
    """Nothing of it is written."""
    document = await stored(store, trade)
    await write(store, change(document), change(document, "wms"))
    decided = seen(document.id, await store.deliveries([document.id]))
    await write(store, change(document, "wms", state=S.DELIVERED))
    update = DocumentUpdate(id=document.id, state=DocumentState.FAILED)
    with pytest.raises(NaturalKeyTaken, match="changed meanwhile"):
        await store.apply(Changes(deliveries_seen=decided, document_updates=(update,)))
    assert (await store.document(document.id)).state is DocumentState.ACCEPTED
    now = seen(document.id, await store.deliveries([document.id]))
    await store.apply(Changes(deliveries_seen=now, document_updates=(update,)))
    with pytest.raises(NaturalKeyTaken):
        await store.apply(Changes(deliveries_seen=DeliveriesSeen(document_id=document.id, states=())))


async def test_of_two_decisions_at_once_the_second_sees_the_first(store: Store, trade: Any) -> None:
    """Each is committed over what it saw, or not at all."""
    document = await stored(store, trade)
    await write(store, change(document, state=S.DELIVERED), change(document, "wms"))
    decided = seen(document.id, await store.deliveries([document.id]))
    both = [
        store.apply(Changes(deliveries_seen=decided, deliveries=(change(document, state=S.COMPENSATING),))),
        store.apply(Changes(deliveries_seen=decided, deliveries=(change(document, "wms", state=S.DELIVERED),))),
    ]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one) for one in outcomes if one is not None) == [NaturalKeyTaken]


async def test_jobs_of_one_step_for_several_targets_are_several(store: Store, trade: Any, clock: Any) -> None:
    """Each in its lane; the same again is left out, and put back to work only its own part."""
    document = await stored(store, trade)

    def job(part: str, **fields: Any) -> NewJob:
        work = {"message_id": document.message_id, "document_id": document.id, "step": "deliver", "part": part}
        return NewJob(**work | {"lane": f"acme:inbound:{part or 'erp'}", "run_at": clock()} | fields)

    await store.apply(Changes(jobs=(job(""), job("wms"), job("wms"), job("hook"))))
    claimed = await store.claim("me", ["deliver"], 10)
    assert sorted((one.part, one.document_id, one.lane) for one in claimed) == [
        ("", document.id, "acme:inbound:erp"),
        ("hook", document.id, "acme:inbound:hook"),
        ("wms", document.id, "acme:inbound:wms"),
    ]
    for one in claimed:
        await store.finish(one, Changes())

    await store.apply(Changes(jobs=(job("wms", again_after=timedelta(0)),)))
    (again,) = await store.claim("me", ["deliver"], 10)
    assert (again.part, again.attempt) == ("wms", 2)
    assert not await store.attempt_lost(again)
    clock.advance(minutes=5)
    await store.reap()
    (again,) = await store.claim("me", ["deliver"], 10)
    assert await store.attempt_lost(again)


async def test_a_natural_key_goes_from_one_document_to_the_next_in_one_commit(store: Store, trade: Any) -> None:
    """The first one still counts as accepted, under a key of its own; of two successors one is decided anew."""
    first = await stored(store, trade)

    async def follow() -> Any:
        message = trade.message()
        new = trade.document(message.id, replaces=first.id)
        ended = DocumentUpdate(id=first.id, replaced_by=new.id, key_ended=True)
        await store.apply(Changes(messages=(message,), documents=(new,), document_updates=(ended,)))
        return new

    outcomes = await asyncio.gather(follow(), follow(), return_exceptions=True)
    (second,) = [one for one in outcomes if not isinstance(one, BaseException)]
    assert [type(one) for one in outcomes if isinstance(one, BaseException)] == [NaturalKeyTaken]
    before, after = await store.document(first.id), await store.document(second.id)
    assert (before.replaced_by, after.replaces) == (second.id, first.id)
    found = await store.documents_by_number("acme", first.direction, first.kind, "A-1")
    assert [one.id for one in found] == [first.id, second.id]


F, D, P, U, C, X = S.FAILED, S.DELIVERED, S.PENDING, S.UNCERTAIN, S.COMPENSATED, S.DISCARDED
TABLE: list[tuple[str, list[S], list[S]]] = [
    ("accepted", [P, P], []),
    ("accepted", [U], [F]),
    ("partly_delivered", [D, P], []),
    ("partly_delivered", [D, U], []),
    ("partly_delivered", [P], [D]),
    ("partly_delivered", [D, C], []),
    ("delivered", [D, D], [P]),
    ("delivered", [D], [F]),
    ("delivered", [D, X], []),
    ("failed", [F, P], []),
    ("failed", [F, D], []),
    ("failed", [F, S.COMPENSATING], []),
    ("failed", [F, C, D], []),
    ("failed", [X], [D]),
    ("compensated", [F, C], []),
    ("compensated", [F], [C]),
]


@pytest.mark.parametrize(("says", "critical", "optional"), TABLE)
async def test_a_documents_state_is_what_the_table_makes_of_its_deliveries(
    store: Store, trade: Any, says: str, critical: list[S], optional: list[S]
) -> None:
    """Those that count, then the others."""
    document = await stored(store, trade)
    rows = [(one, True) for one in critical] + [(one, False) for one in optional]
    changes = [change(document, f"t{n}", state=one, critical=counts) for n, (one, counts) in enumerate(rows)]
    await write(store, *changes)
    assert document_state(await store.deliveries([document.id])).value == says
