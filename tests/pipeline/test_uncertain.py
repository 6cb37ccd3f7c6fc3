"""Calls whose answer never came: asked about, relied on the key, or left to an operator. Never a blind repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import OurFault
from gateway.pipeline.settling import Decision, Settlement, settled
from gateway.ports import Changes, DocumentState, Job

from .erps import LOOKUP, aim, later, stands

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)

NEVER = {"honours_key": False}


async def decide(trade: Any, message: Any, decision: str, **more: Any) -> None:
    """What `gateway message settle` does."""
    said = Settlement(decided=Decision(decision), by="ann", reason="looked", **more)
    store = trade.gateway.store
    await store.apply(await settled(store, message.id, "erp", said, trade.clock()))


async def uncertain(trade: Any, edi: Any, tmp_path: Path, misbehaviour: str, **target: Any) -> Any:
    """An acknowledgement whose first call got no answer; its message."""
    aim(trade, tmp_path, "erp", erp=target)
    await trade.order()
    trade.misbehave(ignore_key={"times": 1000}, **{misbehaviour: {"times": 1}})
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "uncertain"}
    return message


async def test_document_that_the_look_up_finds_is_delivered_without_a_second_call(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """The ERP stored it and the connection broke: it is asked, and its own id is kept."""
    message = await uncertain(trade, edi, tmp_path, "drop_after_commit", lookup=LOOKUP, **NEVER)
    await later(trade)
    assert await stands(trade, message) == {"erp": "delivered"}
    (document,) = await trade.gateway.documents(message)
    (row,) = trade.at_erp("order_acknowledgement")
    assert (document.state, document.their_id) == (DocumentState.DELIVERED, row["id"])
    assert [one["what"] for one in trade.ledger.calls()] == ["dropped", "found"]
    told = {one.kind: one.data for one in await trade.gateway.trail(message_id=message.id)}
    assert told["delivery.looked_up"]["found"] is True
    assert told["document.delivered"]["after_uncertain"] is True


async def test_document_that_the_look_up_misses_is_called_again_with_the_same_key(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """The ERP never stored it: asked, missing, called."""
    message = await uncertain(trade, edi, tmp_path, "drop_before_commit", lookup=LOOKUP, **NEVER)
    await later(trade)
    assert await stands(trade, message) == {"erp": "delivered"}
    assert [one["what"] for one in trade.ledger.calls()] == ["dropped", "missing", "stored"]
    assert len({one["key"] for one in trade.ledger.calls()}) == 1


async def test_look_up_that_says_neither_is_asked_again_and_nothing_is_called(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """An ERP that is down when it is asked: still uncertain, hours later found."""
    message = await uncertain(trade, edi, tmp_path, "drop_after_commit", lookup=LOOKUP, **NEVER)
    trade.misbehave(fail={"status": 503, "times": 1000})
    for _ in range(5):
        await later(trade, hours=1)
        assert await stands(trade, message) == {"erp": "uncertain"}
    trade.behave()
    await later(trade, hours=2)
    assert await stands(trade, message) == {"erp": "delivered"}
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_look_up_waits_as_long_as_configured_after_the_call(trade: Any, edi: Any, tmp_path: Path) -> None:
    """The ERP may still be at work on what was cut off."""
    message = await uncertain(
        trade, edi, tmp_path, "drop_after_commit", lookup=LOOKUP | {"wait_seconds": "600"}, **NEVER
    )
    await later(trade, minutes=5)
    assert [one["what"] for one in trade.ledger.calls()] == ["dropped"]
    await later(trade, minutes=6)
    assert await stands(trade, message) == {"erp": "delivered"}


async def test_without_look_up_and_key_the_delivery_waits_for_an_operator(trade: Any, edi: Any, tmp_path: Path) -> None:
    """No second call ever; listed, on the trail with what to do; the operator saw it in the ERP."""
    message = await uncertain(trade, edi, tmp_path, "drop_after_commit", **NEVER)
    for _ in range(3):
        await later(trade, hours=30)
    assert await stands(trade, message) == {"erp": "uncertain"}
    assert len(trade.ledger.calls()) == 1
    assert [one.id for one in await trade.gateway.store.messages(uncertain=True)] == [message.id]
    told = {one.kind: one.data for one in await trade.gateway.trail(message_id=message.id)}
    assert f"gateway message settle {message.id} --target erp" in told["delivery.uncertain"]["reason"]
    await decide(trade, message, "delivered", their_id="ERP-000001")
    await later(trade)
    (document,) = await trade.gateway.documents(message)
    assert (document.state, document.their_id) == (DocumentState.DELIVERED, "ERP-000001")
    assert await trade.gateway.store.messages(uncertain=True) == []
    assert len(trade.ledger.calls()) == 1
    told = {one.kind: one.data for one in await trade.gateway.trail(message_id=message.id)}
    assert told["delivery.settled"]["by"] == "ann"


async def test_operator_who_says_again_has_it_called_again(trade: Any, edi: Any, tmp_path: Path) -> None:
    """It was not there."""
    message = await uncertain(trade, edi, tmp_path, "drop_before_commit", **NEVER)
    await later(trade)
    await decide(trade, message, "again")
    await later(trade)
    assert await stands(trade, message) == {"erp": "delivered"}
    assert len(trade.at_erp("order_acknowledgement")) == 1
    with pytest.raises(OurFault, match="is delivered: it cannot be settled as again"):
        await decide(trade, message, "again")
    with pytest.raises(OurFault, match="no delivery to wms; it has: erp"):
        await settled(
            trade.gateway.store, message.id, "wms", Settlement(decided=Decision.AGAIN, by="a", reason=""), trade.clock()
        )


async def test_operator_who_discards_it_has_it_never_called(trade: Any, edi: Any, tmp_path: Path) -> None:
    """The document has failed, and says so."""
    message = await uncertain(trade, edi, tmp_path, "drop_before_commit", **NEVER)
    await later(trade)
    await decide(trade, message, "discarded")
    await later(trade, hours=1)
    assert await stands(trade, message) == {"erp": "discarded"}
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.FAILED]
    assert len(trade.ledger.calls()) == 1


@pytest.mark.parametrize("honours", [True, False])
async def test_attempt_whose_process_died_counts_as_uncertain(
    *, trade: Any, edi: Any, tmp_path: Path, honours: bool
) -> None:
    """Killed during the call: with the key honoured the call is made again, else an operator is asked."""
    aim(trade, tmp_path, "erp", erp={"honours_key": honours})
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode())
    await trade.post(built.headers, built.body)
    message = await trade.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
    while jobs := await trade.gateway.claim():
        for job in jobs:
            if job.step == "deliver":
                await trade.gateway.step(job)  # the call is made, its commit never comes
            else:
                await trade.gateway.worker._work(job)
    trade.clock.advance(minutes=2)
    assert await trade.gateway.store.reap() == 1
    await later(trade)
    assert await stands(trade, message) == {"erp": "delivered" if honours else "uncertain"}
    assert len(trade.at_erp("order_acknowledgement")) == 1
    if honours:
        told = {one.kind: one.data for one in await trade.gateway.trail(message_id=message.id)}
        assert told["document.delivered"]["after_uncertain"] is True


@pytest.mark.parametrize("honours", [True, False])
async def test_call_whose_end_could_not_be_written_counts_as_uncertain(
    *, trade: Any, edi: Any, tmp_path: Path, honours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full, or the database gone, just when the ERP had taken it: to the store it may not have."""
    aim(trade, tmp_path, "erp", erp={"honours_key": honours})
    await trade.order()
    store, full = trade.gateway.store, ["once"]
    real = store.finish

    async def finish(job: Job, changes: Changes) -> None:
        if job.step == "deliver" and full:
            full.clear()
            raise OurFault("database or disk is full", remedy="Make room.")
        await real(job, changes)

    monkeypatch.setattr(store, "finish", finish)
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "uncertain"}
    await later(trade)
    assert await stands(trade, message) == {"erp": "delivered" if honours else "uncertain"}
    assert len(trade.ledger.calls()) == (2 if honours else 1)
    assert len(trade.at_erp("order_acknowledgement")) == 1
    if honours:
        told = {one.kind: one.data for one in await trade.gateway.trail(message_id=message.id)}
        assert told["document.delivered"]["after_uncertain"] is True


async def test_refused_connection_after_an_uncertain_call_leaves_it_uncertain_when_it_is_given_up(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """What may have taken place is never called failed by what says nothing about it."""
    message = await uncertain(trade, edi, tmp_path, "drop_after_commit")
    trade.misbehave(fail={"status": 503, "times": 1000})
    for _ in range(20):
        await later(trade, hours=5)
    assert "work.given_up" in await trade.gateway.kinds(message_id=message.id)
    assert await stands(trade, message) == {"erp": "uncertain"}


async def test_target_that_is_gone_while_its_delivery_is_uncertain_is_not_routed_elsewhere(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """Another ERP might then have it a second time."""
    message = await uncertain(trade, edi, tmp_path, "drop_after_commit", lookup=LOOKUP)
    aim(trade, tmp_path, "other", other={})
    await later(trade)
    assert await stands(trade, message) == {"erp": "uncertain"}
    assert "delivery.uncertain" in await trade.gateway.kinds(message_id=message.id)
    assert len(trade.at_erp("order_acknowledgement")) == 1
