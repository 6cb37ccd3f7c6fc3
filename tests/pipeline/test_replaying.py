"""Stored messages worked again: what a target has is not given to it twice; interrupted, it goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.events import DocumentReviewed
from gateway.mapping import compile_json_map, compile_map, from_folders, shipped
from gateway.partners import configuration
from gateway.pipeline import replaying, replaying_plan, replaying_step, versions
from gateway.pipeline.lanes import terms_of
from gateway.ports import Changes, DocumentState, Message, Source, Version, VersionKind, new_id
from gateway.ports.replays import Replay, ReplayState, Selection, Versions
from gateway.store import Store

from .erps import aim, later, stands

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
OTHERWISE = (
    "AC: accepted_with_changes, AE: {read: accepted_with_changes}",
    "AC: {read: pending}, AE: accepted_with_changes",
)
"""What BAK02 AC is read as."""
REFUSING = {"call": {"path": "/api/nothing-here"}}
REPLACE = {"call": {"replace": {"method": "PUT", "path": "/api/order-acknowledgements/{their_id}"}}}


def mend(trade: Any, old: str, new: str) -> None:
    """The map of 855s reads something otherwise from now on."""
    station = trade.gateway.station
    rule = trade.gateway.station.directory.known("acme").documents.receive["order_acknowledgement"]
    find = from_folders(shipped())
    assert old in find("x12/855")[1]

    def mended(name: str) -> tuple[str, str]:
        file, text = find(name)
        return file, text.replace(old, new)

    trade.gateway.change(maps={**station.maps, rule.map: compile_map(rule.map, mended)})


async def begun(trade: Any, *messages: Message, as_read: Versions = Versions.CURRENT, as_new: bool = False) -> Replay:
    """A replay of these messages, not worked yet."""
    store: Store = trade.gateway.store
    now = trade.clock()
    new = Replay(
        id=new_id(now),
        at=now,
        by="ann",
        why="the map was mended",
        versions=as_read,
        as_new=as_new,
        selection={},
        total=len(messages),
        state=ReplayState.PREPARING,
        changed_at=now,
    )
    await store.begin_replay(new, [one.id for one in messages])
    await run_on(trade, new.id)
    return new


async def run_on(trade: Any, replay_id: str) -> None:
    """Let it run, as `resume` does."""
    store: Store = trade.gateway.store
    item = await store.next_of_replay(replay_id)
    assert item is not None
    message = await store.message(item.message_id)
    assert message is not None
    job = replaying_step.job_of(replay_id, item, message, trade.clock(), again=True)
    assert await store.move_replay(replay_id, ReplayState.RUNNING, by="ann", job=job)


async def replayed(trade: Any, *messages: Message, **how: Any) -> list[str]:
    """Worked to its end; the outcome of each message."""
    new = await begun(trade, *messages, **how)
    await trade.gateway.work()
    found = await trade.gateway.store.replay(new.id)
    assert found.state is ReplayState.DONE
    return [str(one.outcome) for one in await trade.gateway.store.replay_items(new.id)]


async def dry(trade: Any, message: Message, **how: Any) -> replaying_plan.Decided:
    """What would be done."""
    given = {"replay_id": "", "versions": Versions.CURRENT, "as_new": False, "by": "ann", "why": ""} | how
    fresh = await trade.gateway.store.message(message.id)
    return await replaying.decide(trade.gateway.station, fresh, replaying_plan.How(**given))


def calls(trade: Any) -> list[tuple[str, str]]:
    """Method and key of every call that the ERP got for answers."""
    return [(one["method"], one["key"]) for one in trade.ledger.calls() if one["method"] != "GET"]


async def current(trade: Any, message: Message) -> Any:
    """The document that counts."""
    (one,) = [one for one in await trade.gateway.documents(message) if one.replaced_by is None]
    return one


async def test_what_was_delivered_and_is_the_same_is_left_alone(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Nothing is sent; the trail says that it was looked at, by whom and why."""
    aim(trade, tmp_path, "erp", erp={})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    before = calls(trade)
    assert await replayed(trade, message) == ["same"]
    assert calls(trade) == before
    told = (await trade.gateway.trail(message_id=message.id))[-1]
    assert (told.kind, told.data["outcome"], told.data["by"]) == ("message.replayed", "same", "ann")


async def test_what_was_given_up_is_worked_again_under_its_key(trade: Any, edi: Any, tmp_path: Path) -> None:
    """The same document."""
    aim(trade, tmp_path, "erp", erp=REFUSING)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    aim(trade, tmp_path, "erp", erp={})
    assert await replayed(trade, message) == ["again"]
    assert await stands(trade, message) == {"erp": "delivered"}
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.DELIVERED
    assert [row["key"] for row in trade.at_erp("order_acknowledgement")] == [document.id]
    assert [one async for one in trade.gateway.store.dead_letters()] == []


async def test_what_was_given_up_and_is_read_otherwise_goes_in_its_place_under_its_key(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """One document at the ERP; the first one is kept and says what follows it; no dead letter is left."""
    aim(trade, tmp_path, "erp", erp=REFUSING)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    (first,) = await trade.gateway.documents(message)
    aim(trade, tmp_path, "erp", erp={})
    mend(trade, *OTHERWISE)
    decided = await dry(trade, message)
    assert decided.planned[0].act.value == "corrected"
    assert decided.planned[0].fields
    assert decided.planned[0].calls[0].told.key == first.id
    assert await replayed(trade, message) == ["corrected"]
    new = await current(trade, message)
    assert (new.replaces, new.state) == (first.id, DocumentState.DELIVERED)
    assert [row["key"] for row in trade.at_erp("order_acknowledgement")] == [first.id]
    assert [one async for one in trade.gateway.store.dead_letters()] == []
    assert await replayed(trade, message) == ["same"]


async def test_what_was_delivered_and_is_read_otherwise_is_sent_as_a_replacement_once(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """By the target's replace call, with its own id; the same replay again finds it the same."""
    aim(trade, tmp_path, "erp", erp=REPLACE)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    mend(trade, *OTHERWISE)
    decided = await dry(trade, message)
    (call,) = decided.planned[0].calls
    assert (call.act.value, call.told.method) == ("replaced", "PUT")
    assert call.fields
    assert await replayed(trade, message) == ["replaced"]
    assert [method for method, _ in calls(trade)] == ["POST", "PUT"]
    assert await replayed(trade, message) == ["same"]
    assert [method for method, _ in calls(trade)] == ["POST", "PUT"]


async def test_what_was_delivered_and_cannot_be_replaced_is_left_and_said(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Nothing is sent and nothing changes."""
    aim(trade, tmp_path, "erp", erp={})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    mend(trade, *OTHERWISE)
    before = calls(trade)
    assert (await dry(trade, message)).planned[0].why == "erp has it, and has no replace call for order_acknowledgement"
    assert await replayed(trade, message) == ["left"]
    assert calls(trade) == before
    assert len(await trade.gateway.documents(message)) == 1


async def test_the_versions_of_then_read_what_was_read_then(
    trade: Any, edi: Any, prepared: Any, tmp_path: Path
) -> None:
    """Whatever the map says now."""
    aim(trade, tmp_path, "erp", erp={})
    kept = versions.of(configuration.read(prepared.gateway_workspace.folder))
    await trade.gateway.store.put(kept)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    mend(trade, *OTHERWISE)
    assert await replayed(trade, message, as_read=Versions.ORIGINAL) == ["same"]
    assert await replayed(trade, message) == ["left"]


async def test_as_new_makes_an_effect_beside_the_first(trade: Any, edi: Any, tmp_path: Path) -> None:
    """A new document with a key of its own; once for each replay."""
    aim(trade, tmp_path, "erp", erp={})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    assert await replayed(trade, message, as_new=True) == ["as_new"]
    keys = [key for _, key in calls(trade)]
    assert len(keys) == len(set(keys)) == 2


async def test_what_was_refused_and_is_accepted_now_goes_its_way(trade: Any, edi: Any, tmp_path: Path) -> None:
    """As if it came now; what the partner was told stays told."""
    aim(trade, tmp_path, "erp", erp={})
    message = await trade.arrives(edi.file(edi.ack()))  # its order is not known
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.REJECTED
    answers = await trade.answers(message)
    await trade.order()
    assert await replayed(trade, message) == ["new"]
    assert len(trade.at_erp("order_acknowledgement")) == 1
    assert await trade.answers(message) == answers


async def test_uncertain_and_running_deliveries_are_left(trade: Any, edi: Any, tmp_path: Path) -> None:
    """A replay is no way around an operator's decision."""
    aim(trade, tmp_path, "erp", erp={"base_url": "http://127.0.0.1:1"})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "pending"}
    assert (await dry(trade, message)).planned[0].why == "it is on its way"
    mend(trade, *OTHERWISE)
    assert await replayed(trade, message) == ["left"]


async def test_dry_run_writes_and_sends_nothing(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Not even an event."""
    aim(trade, tmp_path, "erp", erp=REPLACE)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    mend(trade, *OTHERWISE)
    before = (calls(trade), await trade.gateway.kinds(message_id=message.id))
    await dry(trade, message)
    await trade.gateway.work()
    assert (calls(trade), await trade.gateway.kinds(message_id=message.id)) == before


async def several(trade: Any, edi: Any, count: int) -> list[Message]:
    """Answers to orders of their own, refused by the ERP."""
    found = []
    for number in range(count):
        order = f"45000{number:05}"
        await trade.order(order)
        text = edi.file(edi.ack(order, supplier=f"SO-{number}"), control=f"{number + 1:09}")
        found.append(await trade.arrives(text))
    return found


async def test_replay_that_is_killed_in_the_middle_goes_on_and_each_effect_is_once(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """After a decision that was never committed, and after a lease that ran out."""
    aim(trade, tmp_path, "erp", erp=REPLACE)
    messages = await several(trade, edi, 4)
    mend(trade, *OTHERWISE)
    new = await begun(trade, *messages)
    store: Store = trade.gateway.store
    for _ in range(2):
        (job,) = await store.claim("tests", ["replay"], 1)
        await trade.gateway.worker._work(job)
    (lost,) = await store.claim("dead node", ["replay"], 1)
    await trade.gateway.step(lost)  # decided, and its process died before the commit
    assert (await store.replay_progress(new.id)).done == 2
    trade.clock.advance(minutes=2)
    await store.reap()
    await later(trade)
    found = await store.replay(new.id)
    assert found is not None
    assert found.state is ReplayState.DONE
    assert (await store.replay_progress(new.id)).outcomes == {"replaced": 4}
    methods = [method for method, _ in calls(trade)]
    assert (methods.count("POST"), methods.count("PUT")) == (4, 4)
    keys = [key for _, key in calls(trade)]
    assert len(keys) == len(set(keys))


async def test_paused_replay_stops_at_the_next_message_and_goes_on(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Cancelled, it never does."""
    aim(trade, tmp_path, "erp", erp=REPLACE)
    messages = await several(trade, edi, 3)
    mend(trade, *OTHERWISE)
    new = await begun(trade, *messages)
    store: Store = trade.gateway.store
    (job,) = await store.claim("tests", ["replay"], 1)
    await trade.gateway.worker._work(job)
    assert await store.move_replay(new.id, ReplayState.PAUSED, by="ann")
    await trade.gateway.work()
    assert (await store.replay_progress(new.id)).done == 1
    await run_on(trade, new.id)
    (job,) = await store.claim("tests", ["replay"], 1)
    await trade.gateway.worker._work(job)
    assert await store.move_replay(new.id, ReplayState.CANCELLED, by="ann")
    await trade.gateway.work()
    assert (await store.replay_progress(new.id)).done == 2
    assert not await store.move_replay(new.id, ReplayState.RUNNING, by="ann")
    states = [one.data["state"] for one in await store.timeline(message_id="replays") if "state" in one.data]
    assert states == ["running", "paused", "running", "cancelled"]


async def test_purged_message_is_an_outcome_and_the_next_one_goes_on(trade: Any, edi: Any, tmp_path: Path) -> None:
    """It was purged after the replay began."""
    aim(trade, tmp_path, "erp", erp={})
    messages = await several(trade, edi, 2)
    store: Store = trade.gateway.store
    new = await begun(trade, *messages)
    await store.purge_payload(messages[0].id, by="ann", reason="retention")
    await trade.gateway.work()
    first, second = await store.replay_items(new.id)
    assert (first.outcome, second.outcome) == ("failed", "same")
    assert "was purged" in first.told[0]["why"]
    assert await store.purged([one.id for one in messages]) == [messages[0].id]


async def test_messages_are_chosen_by_what_they_are_the_oldest_first(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Only what was read from a partner; every filter narrows."""
    aim(trade, tmp_path, "erp", erp={})
    first, second = await several(trade, edi, 2)
    store: Store = trade.gateway.store

    async def chosen(**wanted: Any) -> list[str]:
        return [one.id async for one in store.selected(Selection(**wanted))]

    assert await chosen() == [first.id, second.id]
    assert await chosen(ids=(second.id,)) == [second.id]
    assert await chosen(order_number="4500000001") == [second.id]
    assert await chosen(until=second.at) == [first.id]
    assert await chosen(since=second.at, partner="acme", target="erp", kind="order_acknowledgement") == [second.id]
    assert await chosen(target="wms") == await chosen(kind="ship_notice") == await chosen(partner="baltic") == []


async def test_replay_is_behind_everything_else_in_a_lane_of_its_own(trade: Any) -> None:
    """Of the lowest priority, and so many in a second."""
    terms = terms_of(trade.gateway.station.settings, trade.gateway.agreements)("acme:inbound:replay")
    assert (terms.priority, terms.rate) == (3, "20/second")


def words_of_the_erp(folder: Path, old: str = "", new: str = "") -> tuple[str, bytes]:
    """The target's JSON map in a folder of its own; its file and text."""
    file, text = from_folders(shipped())("erp/order_acknowledgement")
    path = folder / "maps" / "erp" / "order_acknowledgement.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return file, path.read_bytes()


MAPPED = {
    "documents": {
        "order_acknowledgement": {
            "path": "/api/order-acknowledgements",
            "id_at": "/id",
            "map": "erp/order_acknowledgement",
            "replace": {"path": "/api/order-acknowledgements/{their_id}"},
        }
    }
}


async def test_mended_words_of_a_target_are_a_replacement_though_the_document_is_the_same(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """The body that it got is made again with the map of then."""
    name = "erp/order_acknowledgement"
    file, text = words_of_the_erp(tmp_path)
    aim(trade, tmp_path, "erp", erp=MAPPED)
    source = Source(name=name, file=file, content=text)
    digest = compile_json_map(name, lambda _: (file, text.decode())).hash
    kept = Version(kind=VersionKind.MAP, hash=digest, name=name, gateway="", sources=(source,))
    await trade.gateway.store.put([kept])
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    assert await replayed(trade, message) == ["same"]
    words_of_the_erp(tmp_path, "/SchemaVersion: =2 | number", "/SchemaVersion: =3 | number")
    aim(trade, tmp_path, "erp", erp=MAPPED)
    (planned,) = (await dry(trade, message)).planned
    assert planned.fields == ()
    ((call,),) = (planned.calls,)
    assert [(one.pointer, one.was, one.now) for one in call.fields] == [("/SchemaVersion", "2", "3")]
    assert await replayed(trade, message) == ["replaced"]
    assert [method for method, _ in calls(trade)] == ["POST", "PUT"]


async def test_each_target_is_decided_by_what_it_has(trade: Any, edi: Any, tmp_path: Path) -> None:
    """One refused it, one can be told of a replacement, one cannot."""
    aim(trade, tmp_path, "erp", "wms", "hook", erp=REFUSING, wms=REPLACE, hook={})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    (first,) = await trade.gateway.documents(message)
    mend(trade, *OTHERWISE)
    aim(trade, tmp_path, "erp", "wms", "hook", erp={}, wms=REPLACE, hook={})
    (planned,) = (await dry(trade, message)).planned
    acts = {call.target: call.act.value for call in planned.calls}
    assert acts == {"erp": "corrected", "wms": "replaced", "hook": "left"}
    await replayed(trade, message)
    new = await current(trade, message)
    rows = {row.target: row for row in await trade.gateway.store.deliveries([new.id])}
    assert {name: row.state.value for name, row in rows.items()} == {"erp": "delivered", "wms": "delivered"}
    assert rows["erp"].key == first.id
    assert new.state is DocumentState.DELIVERED


async def test_what_somebody_rejected_stays_rejected(trade: Any, edi: Any, tmp_path: Path) -> None:
    """A replay is no way around a decision; what was refused by the agreement alone may be taken now."""
    aim(trade, tmp_path, "erp", erp={})
    message = await trade.arrives(edi.file(edi.ack()))  # its order is not known
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.REJECTED
    told = DocumentReviewed(
        message_id=message.id,
        partner="acme",
        document_id=document.id,
        review="order_unknown",
        decision="rejected",
        by="ann",
        why="never ordered",
    )
    await trade.gateway.store.apply(Changes(events=(told,)))
    await trade.order()
    assert await replayed(trade, message) == ["same"]
    assert trade.at_erp("order_acknowledgement") == []
