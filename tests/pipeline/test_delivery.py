"""A document to its ERP: by schedule, once, whatever the ERP does meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pipeline.giving_up import all_retried
from gateway.ports import DocumentState

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


async def test_erp_down_for_an_hour_loses_nothing_and_gets_the_document_once(trade: Any, edi: Any) -> None:
    """Tried again by the schedule, each attempt kept with its reason and one key; delivered once when it is back."""
    await trade.order()
    trade.misbehave(fail={"status": 503, "times": 10_000})
    message = await trade.arrives(edi.file(edi.ack()))
    for _ in range(12):
        trade.clock.advance(minutes=5)
        await trade.gateway.work()
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.ACCEPTED
    assert trade.at_erp("order_acknowledgement") == []
    trade.behave()
    trade.clock.advance(hours=1)
    await trade.gateway.work()
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.DELIVERED
    assert len(trade.at_erp("order_acknowledgement")) == 1
    attempts = [one for one in await trade.gateway.store.attempts(message.id) if one.step == "deliver"]
    assert [one.outcome for one in attempts[:-1]] == ["transient"] * (len(attempts) - 1)
    assert attempts[-1].outcome == "done"
    assert 5 <= len(attempts) <= 13
    kinds = await trade.gateway.kinds(message_id=message.id)
    assert kinds.count("delivery.attempt_failed") == len(attempts) - 1
    assert kinds.count("document.delivered") == 1
    assert len({call["key"] for call in trade.ledger.calls()}) == 1


async def test_answer_that_never_came_is_uncertain_and_the_repeat_has_no_second_effect(trade: Any, edi: Any) -> None:
    """The ERP stored it and the connection broke: the same key again, one document."""
    await trade.order()
    trade.misbehave(drop_after_commit={"times": 1})
    message = await trade.arrives(edi.file(edi.ack()))
    trade.clock.advance(minutes=1)
    await trade.gateway.work()
    outcomes = [one.outcome for one in await trade.gateway.store.attempts(message.id) if one.step == "deliver"]
    assert outcomes == ["uncertain", "done"]
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_erp_that_says_no_is_a_dead_letter_that_an_operator_can_retry(trade: Any, edi: Any) -> None:
    """422 is final: failed, on the trail; after the retry it is there once."""
    await trade.order()
    trade.misbehave(fail={"status": 422, "times": 1})
    message = await trade.arrives(edi.file(edi.ack()))
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.FAILED
    assert "work.given_up" in await trade.gateway.kinds(message_id=message.id)
    assert await all_retried(trade.gateway.store, message.id, by="test", why="the ERP was repaired") == 1
    await trade.gateway.work()
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.DELIVERED]
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_document_of_a_business_unit_without_route_waits_and_says_what_to_add(trade: Any, edi: Any) -> None:
    """No rule fits: nothing goes to the wrong ERP, the attempt names the remedy."""
    await trade.order(unit="west")
    message = await trade.arrives(edi.file(edi.ack()))
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.ACCEPTED
    attempt = (await trade.gateway.store.attempts(message.id))[-1]
    assert "add a route to gateway.yaml" in attempt.reason
    assert trade.at_erp("order_acknowledgement") == []


STEPS = ["read", "deliver", "compose", "send"]


@pytest.mark.parametrize("step", STEPS)
async def test_step_that_runs_twice_has_one_effect(trade: Any, edi: Any, step: str) -> None:
    """The process dies after the step's work and before its commit: the second run ends the same, once."""
    if step in {"compose", "send"}:
        await trade.submit(trade.order_body())
    else:
        await trade.order()
        built = trade.wire(edi.file(edi.ack()).encode())
        await trade.post(built.headers, built.body)
    for _ in range(6):
        jobs = await trade.gateway.claim()
        if any(job.step == step for job in jobs):
            break
        for job in jobs:
            await trade.gateway.worker._work(job)
    job = next(job for job in jobs if job.step == step)
    await trade.gateway.step(job)  # its work is done, its commit never comes
    trade.clock.advance(minutes=2)
    assert await trade.gateway.store.reap() == len(jobs)
    await trade.settle()
    if step in {"compose", "send"}:
        assert len(await trade.gateway.all("850")) == 1
        assert len(await trade.station.all("850")) == 1
        assert (await trade.gateway.newest("850")).state.value == "acknowledged"
    else:
        assert len(trade.at_erp("order_acknowledgement")) == 1
        assert len([one for one in await trade.gateway.all("997") if one.answers]) == 1
