"""Dead letters in an operator's hand: one cause is one group, worked again under the same key, put aside and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import OurFault
from gateway.pipeline.giving_up import discarded, retried
from gateway.pipeline.lanes import terms_of
from gateway.ports import Changes, DeliveryChange, DeliveryState, DocumentState
from gateway.ports.dead_letters import DeadLetter

from .erps import aim, stands

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
REFUSING = {"call": {"path": "/api/nothing-here"}}


async def letters(trade: Any, *, put_aside: bool = False) -> list[DeadLetter]:
    """All there are."""
    return [one async for one in trade.gateway.store.dead_letters(discarded=put_aside)]


async def put_aside(trade: Any, letter: DeadLetter) -> bool:
    """By ann."""
    store = trade.gateway.store
    changes = await discarded(store, letter, by="ann", why="entered by hand")
    return bool(await store.move_dead(letter, changes, again=False))


async def worked_again(trade: Any, letter: DeadLetter) -> bool:
    """By ann."""
    store = trade.gateway.store
    changes = await retried(store, letter, by="ann", why="mended")
    moved = await store.move_dead(letter, changes, again=True)
    await trade.gateway.work()
    return bool(moved)


async def refused(trade: Any, edi: Any, folder: Path, *to: str, **targets: Any) -> Any:
    """An answer that `erp` refuses, as what it is."""
    aim(trade, folder, *(to or ("erp",)), **({"erp": REFUSING} | targets))
    await trade.order()
    return await trade.arrives(edi.file(edi.ack()))


async def test_letter_says_what_was_given_up_where_and_why(trade: Any, edi: Any, tmp_path: Path) -> None:
    """With its document, as the last attempt ended."""
    message = await refused(trade, edi, tmp_path)
    (letter,) = await letters(trade)
    assert (letter.partner, letter.step, letter.target, letter.attempts) == ("acme", "deliver", "erp", 1)
    assert (letter.kind, letter.message_id, letter.discarded) == ("order_acknowledgement", message.id, False)
    assert letter.reason.startswith("target erp answered 404")
    assert await trade.gateway.store.dead_letter(letter.id) == letter


async def test_letter_that_is_put_aside_is_not_done_and_says_so(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Delivery discarded, document failed, who and why on the trail; what the partner was told stays told."""
    message = await refused(trade, edi, tmp_path)
    (letter,) = await letters(trade)
    assert await put_aside(trade, letter)
    assert await letters(trade) == []
    assert await stands(trade, message) == {"erp": "discarded"}
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.FAILED
    told = (await trade.gateway.trail(message_id=message.id))[-1]
    assert (told.kind, told.data["by"], told.data["reason"]) == ("work.discarded", "ann", "entered by hand")
    assert told.data["gave_up"] == letter.reason
    (aside,) = await letters(trade, put_aside=True)
    assert (aside.id, aside.discarded) == (letter.id, True)
    assert (await trade.gateway.store.message(message.id)).state == message.state


async def test_letter_is_taken_back_and_delivered_under_its_own_key(trade: Any, edi: Any, tmp_path: Path) -> None:
    """As if it had not been put aside; twice at once is once."""
    message = await refused(trade, edi, tmp_path)
    (letter,) = await letters(trade)
    await put_aside(trade, letter)
    aim(trade, tmp_path, "erp", erp={})
    (aside,) = await letters(trade, put_aside=True)
    assert await worked_again(trade, aside)
    assert not await worked_again(trade, aside)
    assert await stands(trade, message) == {"erp": "delivered"}
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.DELIVERED
    assert [row["key"] for row in trade.at_erp("order_acknowledgement")] == [document.id]


async def test_dead_letter_is_worked_again_under_its_own_key(trade: Any, edi: Any, tmp_path: Path) -> None:
    """With a fresh schedule; the trail says who."""
    message = await refused(trade, edi, tmp_path)
    (letter,) = await letters(trade)
    aim(trade, tmp_path, "erp", erp={})
    assert await worked_again(trade, letter)
    assert await stands(trade, message) == {"erp": "delivered"}
    assert "work.retried" in await trade.gateway.kinds(message_id=message.id)


async def test_one_of_several_targets_put_aside_leaves_the_document_to_the_others(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """It is decided over all that are left; taken back, it is not delivered until it is."""
    message = await refused(trade, edi, tmp_path, "erp", "wms", wms={})
    (letter,) = await letters(trade)
    assert await put_aside(trade, letter)
    await trade.gateway.work()
    assert await stands(trade, message) == {"erp": "discarded", "wms": "delivered"}
    (document,) = await trade.gateway.documents(message)
    assert document.state is DocumentState.DELIVERED
    aim(trade, tmp_path, "erp", "wms", erp={}, wms={})
    (aside,) = await letters(trade, put_aside=True)
    assert await worked_again(trade, aside)
    assert await stands(trade, message) == {"erp": "delivered", "wms": "delivered"}


async def test_delivery_that_may_have_taken_place_is_not_put_aside(trade: Any, edi: Any, tmp_path: Path) -> None:
    """It is settled: nobody loses silently what a target may have."""
    aim(trade, tmp_path, "erp", erp={"base_url": "http://127.0.0.1:1"})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    for _ in range(40):
        trade.clock.advance(hours=3)
        await trade.gateway.work()
    (letter,) = await letters(trade)
    (document,) = await trade.gateway.documents(message)
    for state in (DeliveryState.PENDING, DeliveryState.UNCERTAIN):
        change = DeliveryChange(document_id=document.id, target="erp", key=document.id, state=state)
        await trade.gateway.store.apply(Changes(deliveries=(change,)))
    with pytest.raises(OurFault, match="nobody knows"):
        await put_aside(trade, letter)


async def test_lane_that_keeps_its_order_goes_on_when_the_letter_that_holds_it_is_put_aside(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """What stood behind it is worked at once."""
    await refused(trade, edi, tmp_path, erp=REFUSING | {"ordered": True})
    store = trade.gateway.store
    store.agree(terms_of(trade.gateway.station.settings, [trade.gateway.station.directory.known("acme")]))
    await store.reap()
    await trade.order("4500012346")
    aim(trade, tmp_path, "erp", erp={"ordered": True})
    second = await trade.arrives(edi.file(edi.ack("4500012346", supplier="SO-2"), control="000000002"))
    assert await stands(trade, second) == {"erp": "pending"}
    (letter,) = await letters(trade)
    await put_aside(trade, letter)
    await trade.gateway.work()
    assert await stands(trade, second) == {"erp": "delivered"}
