"""Replays beside what others decide: operators, documents of the same message, documents that come meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.partners import configuration
from gateway.partners.agreement import Matching
from gateway.partners.directory import Directory
from gateway.pipeline import versions
from gateway.pipeline.giving_up import discarded, retried
from gateway.pipeline.settling import reviewed
from gateway.ports import DocumentState, NaturalKeyTaken, Review, Submitted
from gateway.ports.replays import Versions

from .erps import UNDO, aim, later, stands
from .test_replaying import OTHERWISE, REFUSING, REPLACE, calls, dry, mend, replayed

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
NOTICE = "ship_notice"
ORDER = "4500012345"


def notice(edi: Any, *names: str) -> str:
    """Ship notices in one interchange; each ships the 24 that were ordered of line 1."""
    sets = [
        edi.set(
            "856",
            f"BSN*00*{name}*20260302*0800*0001",
            "HL*1**S", "DTM*011*20260302", "HL*2*1*O", f"PRF*{ORDER}***20260302",
            "HL*3*2*I", "LIN*1*BP*MA-1001*VP*A-1001*UP*614141300013", "SN1**24*EA", "CTT*3",
            number=f"{number:04}",
        )
        for number, name in enumerate(names, 1)
    ]  # fmt: skip
    return str(edi.interchange(edi.group(*sets, code="SH")))


def limit(trade: Any) -> None:
    """Nothing may be shipped beyond what was ordered."""
    terms = {"tolerances": {"quantity_over_percent": 0}, "outside_tolerance": "reject"}
    trade.gateway.agree("acme", matching=Matching.model_validate(terms))


async def test_of_refused_notices_in_one_message_each_counts_for_those_behind_it(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """As when they were read first: their order came late, and the second one ships too much."""
    aim(trade, tmp_path, "erp", erp={})
    limit(trade)
    message = await trade.arrives(notice(edi, "ASN-1", "ASN-2"))
    assert [one.state for one in await trade.gateway.documents(message)] == [DocumentState.REJECTED] * 2
    await trade.order()
    assert await replayed(trade, message) == ["new"]
    assert [row["key"] for row in trade.at_erp(NOTICE)] == [
        one.id for one in await trade.gateway.documents(message) if one.state is DocumentState.DELIVERED
    ]
    assert len(trade.at_erp(NOTICE)) == 1


async def test_notice_that_came_while_a_replay_decided_counts(trade: Any, edi: Any, tmp_path: Path) -> None:
    """What it was decided over is not all there is: it is decided anew."""
    aim(trade, tmp_path, "erp", erp={})
    limit(trade)
    message = await trade.arrives(notice(edi, "ASN-1"))
    await trade.order()
    decided = await dry(trade, message)
    assert decided.outcome.value == "new"
    done = await trade.submit(trade.notice_body(), kind=NOTICE, partner="acme")
    assert isinstance(done, Submitted)
    with pytest.raises(NaturalKeyTaken):
        await trade.gateway.store.apply(decided.changes)


async def test_refused_document_that_stands_twice_in_its_message_is_taken_once(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """The first one counts; one of other content is left."""
    aim(trade, tmp_path, "erp", erp={})
    sets = (edi.ack(), edi.ack(number="0002"), edi.ack(number="0003", supplier="SO-9"))
    message = await trade.arrives(edi.file(*sets))
    assert {one.state for one in await trade.gateway.documents(message)} == {DocumentState.REJECTED}
    await trade.order()
    decided = await dry(trade, message)
    assert [one.act.value for one in decided.planned] == ["new", "same", "left"]
    assert await replayed(trade, message) == ["left"]
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def held(trade: Any, edi: Any, tmp_path: Path) -> Any:
    """A replacement that waits for an operator, in a message of its own."""
    aim(trade, tmp_path, "erp", erp={})
    trade.gateway.agree("acme", replacements="hold")
    await trade.order()
    await trade.arrives(edi.file(edi.ack()))
    message = await trade.arrives(edi.file(edi.ack(purpose="05", supplier="SO-2"), control="000000002"))
    (document,) = await trade.gateway.documents(message)
    assert (document.state, document.review) == (DocumentState.HELD, Review.REPLACEMENT)
    return message


@pytest.mark.parametrize("as_new", [False, True])
async def test_replacement_that_is_held_is_let_go_by_an_operator_only(
    trade: Any,
    edi: Any,
    tmp_path: Path,
    as_new: bool,  # noqa: FBT001
) -> None:
    """Read otherwise, or as new: it still waits."""
    message = await held(trade, edi, tmp_path)
    before = calls(trade)
    mend(trade, *OTHERWISE)
    assert await replayed(trade, message, as_new=as_new) == ["left"]
    await later(trade)
    assert calls(trade) == before
    (document,) = await trade.gateway.documents(message)
    assert (document.state, document.review) == (DocumentState.HELD, Review.REPLACEMENT)


@pytest.mark.parametrize("otherwise", [False, True])
async def test_what_an_operator_rejected_stays_rejected(
    trade: Any,
    edi: Any,
    tmp_path: Path,
    otherwise: bool,  # noqa: FBT001
) -> None:
    """A held replacement, for which no route fitted."""
    aim(trade, tmp_path, "erp", erp={})
    trade.gateway.agree("acme", replacements="hold")
    await trade.order()
    await trade.arrives(edi.file(edi.ack()))
    routes = trade.gateway.station.settings
    trade.gateway.change(settings=routes.model_copy(update={"routes": ()}))
    message = await trade.arrives(edi.file(edi.ack(purpose="05", supplier="SO-2"), control="000000002"))
    (document,) = await trade.gateway.documents(message)
    store = trade.gateway.store
    made = await reviewed(store, document, approved=False, by="ann", why="asked them", now=trade.clock())
    assert await store.judge(document.id, made)
    trade.gateway.change(settings=routes)
    if otherwise:
        mend(trade, *OTHERWISE)
    before = calls(trade)
    assert await replayed(trade, message) == ["same"]
    await later(trade)
    assert calls(trade) == before


@pytest.mark.parametrize("as_read", list(Versions))
async def test_message_of_a_partner_that_is_gone_is_an_outcome_with_a_remedy(
    trade: Any, edi: Any, prepared: Any, tmp_path: Path, as_read: Versions
) -> None:
    """Nothing goes out in the name of a partner that exchanges nothing now."""
    aim(trade, tmp_path, "erp", erp=REFUSING)
    await trade.gateway.store.put(versions.of(configuration.read(prepared.gateway_workspace.folder)))
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    others = [one for one in trade.gateway.agreements if one.name != "acme"]
    trade.gateway.change(directory=Directory(others))
    decided = await dry(trade, message, versions=as_read)
    assert decided.outcome.value == "failed", decided.planned
    assert "does not exchange documents now" in decided.planned[0].why


async def put_aside(trade: Any, message: Any) -> Any:
    """By an operator; the letter as it stands then."""
    store = trade.gateway.store
    (letter,) = [one async for one in store.dead_letters(message_id=message.id)]
    assert await store.move_dead(letter, await discarded(store, letter, by="ann", why="not ours"), again=False)
    (letter,) = [one async for one in store.dead_letters(message_id=message.id, discarded=True)]
    return letter


@pytest.mark.parametrize("unread", [False, True])
async def test_what_was_put_aside_is_taken_back_by_an_operator_only(
    trade: Any,
    edi: Any,
    tmp_path: Path,
    unread: bool,  # noqa: FBT001
) -> None:
    """A document without a route, and a message that was never read: a replay leaves them until then."""
    aim(trade, tmp_path, "erp", erp={})
    station = trade.gateway.station
    await trade.order()
    if unread:
        trade.gateway.change(maps={})
    else:
        trade.gateway.change(settings=station.settings.model_copy(update={"routes": ()}))
    message = await trade.arrives(edi.file(edi.ack()))
    for _ in range(40):
        await later(trade, hours=12)
    letter = await put_aside(trade, message)
    trade.gateway.change(maps=station.maps, settings=station.settings)
    assert await replayed(trade, message) == ["left"]
    await later(trade)
    assert trade.at_erp("order_acknowledgement") == []
    store = trade.gateway.store
    assert await store.move_dead(letter, await retried(store, letter, by="ann", why="ours after all"), again=True)
    await later(trade)
    assert len(trade.at_erp("order_acknowledgement")) == 1


UNDOING = {"call": {"compensate": UNDO, **REPLACE["call"]}}


async def test_what_is_being_undone_at_a_target_is_not_replaced_there_meanwhile(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """The undo would take the replacement along."""
    aim(trade, tmp_path, "erp", "wms", erp=REFUSING, wms=UNDOING)
    await trade.order()
    trade.misbehave(fail={"status": 503, "times": 1, "path": "/api/documents/ERP-000001"})
    message = await trade.arrives(edi.file(edi.ack()))
    assert await stands(trade, message) == {"erp": "failed", "wms": "compensating"}
    aim(trade, tmp_path, "erp", "wms", erp={}, wms=UNDOING)
    mend(trade, *OTHERWISE)
    decided = await dry(trade, message)
    assert [one.act.value for one in decided.planned] == ["left"]
    assert "undone" in decided.planned[0].why
    assert await replayed(trade, message) == ["left"]
    assert [method for method, _ in calls(trade) if method == "PUT"] == []


async def test_what_was_undone_at_a_target_is_said_when_the_others_get_it_again(
    trade: Any, edi: Any, tmp_path: Path
) -> None:
    """It is an operator's to say whether it is made again there."""
    aim(trade, tmp_path, "erp", "wms", erp=REFUSING, wms=UNDOING)
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    await later(trade)
    assert await stands(trade, message) == {"erp": "failed", "wms": "compensated"}
    aim(trade, tmp_path, "erp", "wms", erp={}, wms=UNDOING)
    (document,) = await trade.gateway.documents(message)
    (planned,) = (await dry(trade, message)).planned
    told = {call.target: (call.act.value, call.why) for call in planned.calls}
    assert told["erp"][0] == "again"
    assert told["wms"] == ("left", f"it was undone there: gateway message settle {document.id} --target wms --again")


@pytest.mark.parametrize("case", ["again", "corrected", "replaced", "new"])
async def test_of_two_replays_that_decide_at_once_one_has_its_effect(
    trade: Any, edi: Any, tmp_path: Path, case: str
) -> None:
    """The other one is decided anew, over what is there by then."""
    aim(trade, tmp_path, "erp", erp=REPLACE if case == "replaced" else REFUSING if case != "new" else {})
    if case != "new":
        await trade.order()
    message = await trade.arrives(edi.file(edi.ack()))
    if case == "new":
        await trade.order()
    elif case != "replaced":
        aim(trade, tmp_path, "erp", erp={})
    if case in {"corrected", "replaced"}:
        mend(trade, *OTHERWISE)
    store, before = trade.gateway.store, len(calls(trade))
    first, second = await dry(trade, message), await dry(trade, message)
    assert first.outcome.value == second.outcome.value == case
    await store.apply(first.changes)
    with pytest.raises(NaturalKeyTaken):
        await store.apply(second.changes)
    await later(trade)
    assert len(calls(trade)) == before + 1
    assert (await dry(trade, message)).outcome.value == "same"
