"""Replays and what comes in between: a retry by hand, a cancel, a short pause, sets that become the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.mapping import compile_map, from_folders, shipped
from gateway.pipeline.giving_up import all_retried
from gateway.pipeline.replaying_step import STEP
from gateway.ports import DocumentState, NaturalKeyTaken
from gateway.ports.replays import ReplayState
from gateway.store import Store

from .erps import aim, later
from .test_replaying import OTHERWISE, REFUSING, REPLACE, begun, calls, current, dry, mend, replayed, run_on, several
from .test_replaying_decided import NOTICE, notice

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.mark.parametrize("first", ["retry", "replay"])
async def test_retry_by_hand_and_a_replay_at_once_are_one_call_of_a_key(
    trade: Any, edi: Any, tmp_path: Path, first: str
) -> None:
    """Whoever commits first has it: the target does not have to know the key."""
    aim(trade, tmp_path, "erp", erp=REFUSING)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    aim(trade, tmp_path, "erp", erp={"honours_key": False})
    mend(trade, *OTHERWISE)
    store, before = trade.gateway.store, len(calls(trade))
    decided = await dry(trade, message)
    assert decided.outcome.value == "corrected"
    if first == "retry":
        assert await all_retried(store, message.id, by="ann", why="the ERP is well") == 1
        with pytest.raises(NaturalKeyTaken):
            await store.apply(decided.changes)
        assert (await dry(trade, message)).planned[0].why.startswith("it is on its way")
    else:
        await store.apply(decided.changes)
        assert await all_retried(store, message.id, by="ann", why="the ERP is well") == 0
    await later(trade)
    assert len(calls(trade)) == before + 1
    assert (await current(trade, message)).state is DocumentState.DELIVERED


async def test_replay_that_is_cancelled_during_its_last_message_is_not_done_as_well(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """That message is not worked: what was decided meanwhile is dropped."""
    aim(trade, tmp_path, "erp", erp=REPLACE)
    (message,) = await several(trade, edi, 1)
    mend(trade, *OTHERWISE)
    new = await begun(trade, message)
    store: Store = trade.gateway.store
    (job,) = await store.claim("tests", [STEP], 1)
    decided = await trade.gateway.step(job)
    assert await store.move_replay(new.id, ReplayState.CANCELLED, by="ann")
    with pytest.raises(NaturalKeyTaken):
        await store.finish(job, decided)
    await trade.gateway.worker._work(job)
    await later(trade)
    found = await store.replay(new.id)
    assert found is not None
    assert found.state is ReplayState.CANCELLED
    states = [one.data["state"] for one in await store.timeline(message_id="replays") if "state" in one.data]
    assert states == ["running", "cancelled"]
    assert (await store.replay_progress(new.id)).done == 0
    assert [method for method, _ in calls(trade)] == ["POST"]


async def test_replay_that_is_resumed_in_the_moment_in_which_its_job_ends_goes_on(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """Its job found it paused, and has not ended when it runs again: it decides anew."""
    aim(trade, tmp_path, "erp", erp=REPLACE)
    messages = await several(trade, edi, 2)
    mend(trade, *OTHERWISE)
    new = await begun(trade, *messages)
    store: Store = trade.gateway.store
    (job,) = await store.claim("tests", [STEP], 1)
    assert await store.move_replay(new.id, ReplayState.PAUSED, by="ann")
    idle = await trade.gateway.step(job)
    await run_on(trade, new.id)
    with pytest.raises(NaturalKeyTaken):
        await store.finish(job, idle)
    await trade.gateway.worker._work(job)
    await later(trade)
    found = await store.replay(new.id)
    assert found is not None
    assert found.state is ReplayState.DONE
    assert (await store.replay_progress(new.id)).outcomes == {"replaced": 2}


async def test_of_two_sets_that_become_one_number_the_first_is_taken_and_the_second_is_left(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """Both were another number before; the message is not failed by the second one."""
    aim(trade, tmp_path, "erp", erp={})
    await trade.order()
    trade.misbehave(fail={"status": 422, "times": 2})
    text = notice(edi, "ASN-1", "ASN-1").replace("BSN*00*", "BSN*04*", 1).replace("BSN*00*", "BSN*16*", 1)
    message = await trade.arrives(text)
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.FAILED] * 2
    trade.behave()
    station = trade.gateway.station
    rule = station.directory.known("acme").documents.receive[NOTICE]
    file, text = from_folders(shipped())("x12/856")
    for code, word in (("04", "change"), ("16", "status")):
        assert f'"{code}": {word}' in text
        text = text.replace(f'"{code}": {word}', f'"{code}": {{read: original}}', 1)
    find = from_folders(shipped())
    mended = compile_map(rule.map, lambda name: (file, text) if name == "x12/856" else find(name))
    trade.gateway.change(maps={**station.maps, rule.map: mended})
    decided = await dry(trade, message)
    assert [one.act.value for one in decided.planned] == ["corrected", "left"]
    assert "stands in the message before" in decided.planned[1].why
    assert await replayed(trade, message) == ["left"]
    assert len(trade.at_erp(NOTICE)) == 1


async def test_process_that_dies_while_it_ends_the_work_on_what_was_corrected_sends_nothing_of_it(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """A try that began after the document was replaced made no call: only the corrected one goes out."""
    aim(trade, tmp_path, "erp", erp=REFUSING)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    aim(trade, tmp_path, "erp", erp={})
    mend(trade, *OTHERWISE)
    await begun(trade, message)
    store: Store = trade.gateway.store
    (job,) = await store.claim("tests", [STEP], 1)
    await trade.gateway.worker._work(job)
    lost = await store.claim("dead node", ["deliver"], 9)
    assert len(lost) == 2
    trade.clock.advance(minutes=2)
    await store.reap()
    await later(trade)
    new = await current(trade, message)
    found = {one.id: one for one in await trade.gateway.documents(message)}
    assert new.state is DocumentState.DELIVERED
    states = {row.document_id: row.state.value for row in await store.deliveries(list(found))}
    assert states == {new.id: "delivered", str(new.replaces): "discarded"}
    (at_erp,) = trade.at_erp("order_acknowledgement")
    assert at_erp["body"]["response"] == new.body["response"] != found[str(new.replaces)].body["response"]
