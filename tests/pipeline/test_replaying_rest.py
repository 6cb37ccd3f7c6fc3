"""What a partner gave over REST is worked again like what came over AS2; what was refused there is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.partners import configuration
from gateway.pipeline import versions
from gateway.ports import DocumentState, Message, Submitted
from gateway.ports.replays import Selection, Versions
from gateway.store import Store

from .erps import aim, later, stands
from .test_replaying import MAPPED, REFUSING, REPLACE, calls, current, dry, replayed, words_of_the_erp

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
ORDER = "4500012346"


async def given(trade: Any, **changes: Any) -> Message:
    """Baltic's answer to an order, at the order's own address and without the order in its body."""
    body = trade.answer_body(ORDER, "baltic")
    del body["order"]
    order = await trade.order(ORDER, "baltic", "south")
    done = await trade.submit(body | changes, kind="order_acknowledgement", partner="baltic", order_id=order)
    assert isinstance(done, Submitted), done
    await trade.gateway.work()
    message = await trade.gateway.store.message(done.transaction_id)
    assert isinstance(message, Message)
    return message


async def test_what_the_erp_refused_goes_again_under_its_key_and_then_is_the_same(trade: Any, tmp_path: Path) -> None:
    """The order that its address named is the one it answers still."""
    aim(trade, tmp_path, "erp", erp=REFUSING)
    message = await given(trade)
    aim(trade, tmp_path, "erp", erp={})
    (planned,) = (await dry(trade, message)).planned
    assert (planned.act.value, planned.fields) == ("again", ())
    assert await replayed(trade, message) == ["again"]
    assert await stands(trade, message) == {"erp": "delivered"}
    (document,) = await trade.gateway.documents(message)
    assert [row["key"] for row in trade.at_erp("order_acknowledgement")] == [document.id]
    before = calls(trade)
    assert await replayed(trade, message) == ["same"]
    assert calls(trade) == before


async def test_mended_words_of_the_target_are_a_replacement(trade: Any, tmp_path: Path) -> None:
    """As of what came over AS2; the canonical documents are compared where the map of then is not kept."""
    words_of_the_erp(tmp_path)
    aim(trade, tmp_path, "erp", erp=REPLACE)
    message = await given(trade)
    before = len(calls(trade))
    aim(trade, tmp_path, "erp", erp=MAPPED)
    decided = await dry(trade, message)
    assert decided.outcome.value == "replaced", decided.planned
    assert await replayed(trade, message) == ["replaced"]
    assert [method for method, _ in calls(trade)[before:]] == ["PUT"]
    assert (await current(trade, message)).state is DocumentState.DELIVERED
    assert await replayed(trade, message) == ["same"]


async def test_agreement_of_then_reads_it_without_a_map(trade: Any, prepared: Any, tmp_path: Path) -> None:
    """JSON has none."""
    aim(trade, tmp_path, "erp", erp={})
    await trade.gateway.store.put(versions.of(configuration.read(prepared.gateway_workspace.folder)))
    message = await given(trade)
    assert await replayed(trade, message, as_read=Versions.ORIGINAL) == ["same"]


async def test_as_new_goes_once_more(trade: Any, tmp_path: Path) -> None:
    """With a key of its own."""
    aim(trade, tmp_path, "erp", erp={})
    message = await given(trade)
    assert await replayed(trade, message, as_new=True) == ["as_new"]
    await later(trade)
    keys = [key for _, key in calls(trade)]
    assert len(keys) == len(set(keys)) == 2


async def test_kind_that_is_not_agreed_on_any_more_is_an_outcome_with_a_remedy(trade: Any, tmp_path: Path) -> None:
    """Nothing is sent."""
    aim(trade, tmp_path, "erp", erp=REFUSING)
    message = await given(trade)
    known = trade.gateway.station.directory.known("baltic")
    trade.gateway.agree("baltic", documents=known.documents.model_copy(update={"receive": {}}))
    (planned,) = (await dry(trade, message)).planned
    assert planned.act.value == "failed"
    assert "add it to documents: receive:" in planned.why


async def test_only_what_was_taken_over_rest_is_chosen(trade: Any, tmp_path: Path) -> None:
    """What was refused was answered so; what our ERP gave for a partner is not read again."""
    aim(trade, tmp_path, "erp", erp={})
    message = await given(trade)
    await trade.submit({"purpose": "nonsense"}, kind="order_acknowledgement", partner="baltic")
    store: Store = trade.gateway.store
    assert [one.id async for one in store.selected(Selection(partner="baltic"))] == [message.id]
    assert [one.id async for one in store.selected(Selection(target="erp", order_number=ORDER))] == [message.id]
