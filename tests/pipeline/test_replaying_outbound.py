"""What our ERP gave for a partner is written again by the map of now; it is sent again only when that was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.mapping import compile_map, from_folders, shipped
from gateway.ports import Channel, DocumentState, Message
from gateway.ports.replays import Selection, Versions

from .test_replaying import dry, replayed

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
KIND = "purchase_order"


def mend(trade: Any) -> None:
    """Orders are written as call-offs from now on."""
    station = trade.gateway.station
    rule = station.directory.known("acme").documents.send[KIND]
    find = from_folders(shipped())
    file, text = find("x12/850")
    for old, new in (('"00": original', '"00": {read: original}'), ('"06": confirm', '"06": original')):
        assert old in text
        text = text.replace(old, new, 1)
    mended = compile_map(rule.map, lambda name: (file, text) if name == "x12/850" else find(name))
    trade.gateway.change(maps={**station.maps, rule.map: mended})


async def ordered(trade: Any) -> Message:
    """An order that acme's station has; the message that our ERP gave it in."""
    document = await trade.gateway.store.document(await trade.order())
    await trade.settle()
    message = await trade.gateway.store.message(document.message_id)
    assert message is not None
    assert message.channel is Channel.ERP
    return message


async def interchanges(trade: Any) -> list[str]:
    """What was written for the partner, by its control numbers."""
    found = [await trade.gateway.payload(one) for one in await trade.gateway.all("850-")]
    return sorted(found, key=lambda text: text.split("*")[13])


async def test_order_that_would_be_written_as_it_was_sent_is_the_same(trade: Any) -> None:
    """Control numbers and dates aside."""
    message = await ordered(trade)
    assert await replayed(trade, message) == ["same"]
    assert len(await interchanges(trade)) == 1


async def test_order_that_would_be_written_otherwise_is_left_with_every_difference(trade: Any) -> None:
    """As the document says it and segment by segment; nothing is sent."""
    message = await ordered(trade)
    mend(trade)
    (planned,) = (await dry(trade, message)).planned
    assert (planned.act.value, planned.number) == ("left", "4500012345"), planned.why
    assert "--as-new" in planned.why
    ((call,),) = (planned.calls,)
    ((segment,),) = (call.fields,)
    assert (segment.was or "").startswith("BEG*00*")
    assert (segment.now or "").startswith("BEG*06*")
    assert await replayed(trade, message) == ["left"]
    await trade.settle()
    assert len(await interchanges(trade)) == 1


async def test_as_new_sends_it_once_more_under_new_control_numbers(trade: Any) -> None:
    """And goes on awaiting its answer for that one."""
    message = await ordered(trade)
    mend(trade)
    assert await replayed(trade, message, as_new=True) == ["as_new"]
    await trade.settle()
    first, second = await interchanges(trade)
    assert ("BEG*00*" in first, "BEG*06*" in second) == (True, True)
    assert first.split("*")[13] != second.split("*")[13]
    (document,) = [one for one in await trade.gateway.documents(message) if one.kind == KIND]
    assert (await trade.gateway.store.payload(document.sent_as)).decode() == second
    assert document.state in {DocumentState.SENT, DocumentState.ACKNOWLEDGED}


async def test_order_that_could_not_be_written_is_put_to_work_again(trade: Any) -> None:
    """Its map is there now."""
    maps = trade.gateway.station.maps
    trade.gateway.change(maps={})
    document = await trade.gateway.store.document(await trade.order())
    for _ in range(40):
        trade.clock.advance(hours=12)
        await trade.gateway.work()
    message = await trade.gateway.store.message(document.message_id)
    assert (await dry(trade, message)).planned[0].why.startswith("it cannot be written yet")
    trade.gateway.change(maps=maps)
    assert await replayed(trade, message) == ["again"]
    await trade.settle()
    assert len(await interchanges(trade)) == 1
    assert [one async for one in trade.gateway.store.dead_letters()] == []


async def test_versions_of_then_write_nothing(trade: Any) -> None:
    """Refused with its remedy."""
    message = await ordered(trade)
    (planned,) = (await dry(trade, message, versions=Versions.ORIGINAL)).planned
    assert planned.act.value == "failed"
    assert "--with original" in planned.why


async def test_only_who_asks_for_what_went_out_gets_it(trade: Any) -> None:
    """So that `--as-new` over a partner never orders twice by the way."""
    message = await ordered(trade)

    async def chosen(**wanted: Any) -> list[str]:
        return [one.id async for one in trade.gateway.store.selected(Selection(**wanted))]

    assert message.id not in await chosen(partner="acme")
    assert await chosen(partner="acme", outbound=True) == await chosen(ids=(message.id,)) == [message.id]
