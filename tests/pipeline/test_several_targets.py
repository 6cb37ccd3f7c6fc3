"""One document to several targets: a state each, what counts never waits for the rest, what is taken can be undone."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from gateway.pipeline.giving_up import all_retried
from gateway.pipeline.settling import Decision, Settlement, settled
from gateway.ports import DocumentState

from .erps import UNDO, aim, later, stands

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


def broken(trade: Any, tmp_path: Path, *to: object, undo: Any = None, when: Any = None) -> None:
    """`erp` refuses everything, `wms` takes it."""
    call = {} if undo is None else {"compensate": undo | ({} if when is None else {"when": when})}
    refusing = {"path": "/api/nothing-here"}
    aim(trade, tmp_path, *(to or ("erp", "wms")), erp={"call": refusing}, wms={"call": call}, hook={})


def mended(trade: Any, tmp_path: Path, *to: object) -> None:
    """All of them take it."""
    aim(trade, tmp_path, *(to or ("erp", "wms")), erp={}, wms={"call": {"compensate": UNDO}}, hook={})


async def state(trade: Any, message: Any) -> str:
    """The document's own."""
    (document,) = await trade.gateway.documents(message)
    return str(document.state.value)


async def test_each_target_gets_the_document_with_a_key_of_its_own(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Delivered when all of them have it; one event for each."""
    mended(trade, tmp_path, "erp", "wms", {"target": "hook", "optional": True})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "delivered", "wms": "delivered", "hook": "delivered"}
    (document,) = await trade.gateway.documents(message)
    assert (document.state, document.target) == (DocumentState.DELIVERED, "erp")
    keys = {row["key"] for row in trade.at_erp("order_acknowledgement")}
    assert keys == {document.id, f"{document.id}.wms", f"{document.id}.hook"}
    kinds = await trade.gateway.kinds(message_id=message.id)
    assert (kinds.count("document.delivered"), kinds.count("document.routed")) == (3, 3)


async def test_document_is_partly_delivered_while_one_that_counts_is_missing(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """And delivered once it has it."""
    aim(trade, tmp_path, "erp", "wms", erp={}, wms={"base_url": "http://127.0.0.1:1"})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "delivered", "wms": "pending"}
    assert await state(trade, message) == "partly_delivered"
    mended(trade, tmp_path)
    await later(trade, hours=1)
    assert await state(trade, message) == "delivered"


async def test_document_is_delivered_without_its_optional_target(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Which is tried all the same, and given up by itself: nothing is undone."""
    broken(trade, tmp_path, "wms", {"target": "erp", "optional": True}, undo=UNDO)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "failed", "wms": "delivered"}
    assert await state(trade, message) == "delivered"
    assert trade.ledger.undone() == []


async def test_what_others_took_is_undone_when_one_that_counts_is_given_up(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """By the configured call, under a stable key, recorded."""
    broken(trade, tmp_path, undo=UNDO, when=["erp"])
    await trade.order()
    trade.misbehave(fail={"status": 503, "times": 1, "path": "/api/documents/ERP-000001"})
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "failed", "wms": "compensating"}
    assert await state(trade, message) == "failed"
    await later(trade)
    assert await stands(trade, message) == {"erp": "failed", "wms": "compensated"}
    assert await state(trade, message) == "compensated"
    (document,) = await trade.gateway.documents(message)
    assert trade.ledger.undone() == ["ERP-000001"]
    undoing = [one["key"] for one in trade.ledger.calls() if one["method"] == "DELETE"]
    assert undoing == [f"{document.id}.wms.undo"] * 2
    told = {one.kind: one.data for one in await trade.gateway.trail(message_id=message.id)}
    assert told["document.compensated"]["because"] == ["erp"]


async def test_target_that_takes_it_after_the_other_was_given_up_is_undone_too(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """The last end of a delivery sees all the others."""
    broken(trade, tmp_path, undo=UNDO)
    await trade.order()
    trade.misbehave(fail={"status": 503, "times": 1, "path": "/api/order-acknowledgements"})
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "failed", "wms": "pending"}
    await later(trade)
    assert await stands(trade, message) == {"erp": "failed", "wms": "compensated"}


@pytest.mark.parametrize("refused", [False, True])
async def test_targets_that_end_at_the_same_moment_are_all_seen(
    *, trade: Any, edi: Any, tmp_path: Path, refused: bool
) -> None:
    """Jobs, and what follows from their ends, run side by side on two nodes: the last one sees all the others."""
    (broken if refused else mended)(trade, tmp_path, "erp", "wms", "hook", **({"undo": UNDO} if refused else {}))
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode())
    await trade.post(built.headers, built.body)
    message = await trade.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
    other = await trade.another_node()
    other.change(settings=trade.gateway.station.settings, connectors=trade.gateway.station.connectors)
    for _ in range(10):
        jobs = await trade.gateway.claim()
        workers = itertools.cycle((trade.gateway.worker, other.worker))
        await asyncio.gather(*(worker._work(job) for worker, job in zip(workers, jobs, strict=False)))
    # Without a compensation of its own `hook` keeps what it took, which is said.
    expected = {"erp": "delivered", "wms": "delivered", "hook": "delivered"}
    if refused:
        expected |= {"erp": "failed", "wms": "compensated"}
    assert await stands(trade, message) == expected
    assert await state(trade, message) == ("failed" if refused else "delivered")


@pytest.mark.parametrize(("undo", "when"), [(None, None), (UNDO, ["hook"])])
async def test_what_has_no_compensation_stays_and_is_told(
    trade: Any, edi: Any, tmp_path: Path, undo: Any, when: Any
) -> None:
    """Said once, on the trail and in the row."""
    broken(trade, tmp_path, undo=undo, when=when)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    await later(trade)
    assert await stands(trade, message) == {"erp": "failed", "wms": "delivered"}
    assert await state(trade, message) == "failed"
    (document,) = await trade.gateway.documents(message)
    reasons = [one.reason for one in await trade.gateway.store.deliveries([document.id])]
    assert reasons[1] == "erp was given up, and this has no compensation"
    assert (await trade.gateway.kinds(message_id=message.id)).count("document.not_compensated") == 1


async def test_retry_brings_the_rest_through_and_what_was_undone_can_be_made_again(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """The operator mended the ERP; the warehouse gets it anew under another key, or it would be a repeat there."""
    broken(trade, tmp_path, undo=UNDO)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    assert await state(trade, message) == "compensated"
    mended(trade, tmp_path)
    await all_retried(trade.gateway.store, message.id, by="ann", why="mended")
    await trade.gateway.work()
    assert await stands(trade, message) == {"erp": "delivered", "wms": "compensated"}
    assert await state(trade, message) == "partly_delivered"
    said = Settlement(decided=Decision.AGAIN, by="ann", reason="mended")
    store = trade.gateway.store
    await store.apply(await settled(store, message.id, "wms", said, trade.clock()))
    await trade.gateway.work()
    assert await state(trade, message) == "delivered"
    (document,) = await trade.gateway.documents(message)
    keys = [row["key"] for row in trade.at_erp("order_acknowledgement")]
    assert keys == [f"{document.id}.wms", document.id, f"{document.id}.wms~2"]


async def test_uncertain_target_is_no_reason_to_undo_anything(trade: Any, edi: Any, tmp_path: Path) -> None:
    """It may have taken it: that is found out first."""
    mended(trade, tmp_path)
    aim(
        trade,
        tmp_path,
        "erp",
        "wms",
        erp={"honours_key": False, "call": {"path": "/api/ship-notices"}},
        wms={"call": {"compensate": UNDO}},
    )
    await trade.order()
    trade.misbehave(drop_after_commit={"times": 1, "path": "/api/ship-notices"})
    message = await trade.arrives(edi.file(edi.ack()))
    await later(trade, hours=1)
    assert await stands(trade, message) == {"erp": "uncertain", "wms": "delivered"}
    assert await state(trade, message) == "partly_delivered"
    assert trade.ledger.undone() == []


async def test_document_without_a_route_gets_all_targets_of_the_route_that_is_added(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """Each in its own lane."""
    aim(trade, tmp_path, "gone", gone={})
    trade.gateway.change(settings=trade.gateway.station.settings.model_copy(update={"routes": ()}), connectors={})
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {}
    mended(trade, tmp_path)
    await later(trade, hours=1)
    assert await stands(trade, message) == {"erp": "delivered", "wms": "delivered"}
    assert await state(trade, message) == "delivered"


async def test_held_document_goes_to_every_target_once_its_word_is_taught(trade: Any, edi: Any, tmp_path: Path) -> None:
    """Each target's job waits for the same word."""
    mended(trade, tmp_path)
    await trade.order()
    trade.gateway.agree("acme", references=_references())
    message = await trade.arrives(edi.file(edi.ack()))
    assert await state(trade, message) == "held"
    trade.gateway.agree("acme", references=None)
    assert await trade.gateway.store.resume("acme", by="ann", reason="kept as they are") == 1
    await trade.gateway.work()
    assert await stands(trade, message) == {"erp": "delivered", "wms": "delivered"}


def _references() -> Any:
    from gateway.partners.agreement import References  # noqa: PLC0415  for this one test

    return References.model_validate({"items": {"theirs": "supplier", "ours": "buyer"}})
