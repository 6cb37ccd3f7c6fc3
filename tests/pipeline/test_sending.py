"""AS2 out: an answer that is no valid receipt is uncertain and tried again with the same Message-ID."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from gateway import as2
from gateway.errors import OurFault
from gateway.pipeline import refused_receipts
from gateway.ports import DocumentState, MessageState, Submitted


class Peer:
    """A station whose receipts a test spoils."""

    def __init__(self) -> None:
        self.how = ""
        self.seen: list[str] = []
        self.last: as2.BuiltReceipt | None = None

    def answer(self, trade: Any, headers: Any, body: bytes) -> web.Response:
        """A receipt as the real station would make it, but for what `how` says."""
        station = trade.station.station
        request = as2.read_headers(headers)
        self.seen.append(request.message_id)
        if self.how == "down":
            return web.Response(status=503)
        if self.how == "empty":
            return web.Response()
        if self.how == "nonsense":
            return web.Response(text=f"{len(self.seen):06d}" * 100)
        if self.how == "stored":
            assert self.last is not None
            return web.Response(body=self.last.body, headers=dict(self.last.headers))
        opened = as2.open_message(
            headers,
            body,
            keys=station.keyring.ours,
            partner_certificates=station.keyring.theirs["us"],
            policy=as2.Policy(),
        )
        refusal = {"negative": as2.Refusal.AUTHENTICATION_FAILED, "passing": as2.Refusal.DECRYPTION_FAILED}.get(
            self.how
        )
        fault = None if refusal is None else as2.As2Fault("no", refusal=refusal, public="no")
        receipt = as2.build_receipt(
            request=request,
            opened=None if fault else opened,
            fault=fault,
            key=None if self.how == "unsigned" else station.keyring.ours[0],
            our_name="peer",
            message_id="<receipt@peer>",
            date=trade.clock(),
        )
        self.last = receipt
        if self.how == "proxy":
            return web.Response(status=504)
        return web.Response(body=receipt.body, headers=dict(receipt.headers))


@pytest.fixture
async def peer(trade: Any) -> AsyncIterator[Peer]:
    """It stands where acme's station stood."""
    made = Peer()

    async def post(request: web.Request) -> web.Response:
        answer = made.answer(trade, tuple(request.headers.items()), await request.read())
        if made.how == "slow":
            await asyncio.sleep(0.6)
        return answer

    application = web.Application()
    application.router.add_post("/as2", post)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    trade.gateway.agree("acme", as2={"url": f"http://127.0.0.1:{runner.addresses[0][1]}/as2"})
    yield made
    await runner.cleanup()


@pytest.mark.parametrize(
    ("how", "outcome"),
    [("unsigned", "uncertain"), ("empty", "uncertain"), ("slow", "uncertain"), ("down", "transient")],
)
async def test_message_without_a_valid_receipt_is_sent_again_with_the_same_message_id(
    trade: Any, peer: Peer, how: str, outcome: str
) -> None:
    """Never taken for delivered; the good receipt of the second attempt ends it."""
    peer.how = how
    trade.gateway.agree("acme", as2={"timeout_seconds": Decimal("0.3") if how == "slow" else 5})
    order_id = await trade.order()
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.READY
    attempts = [one for one in await trade.gateway.store.attempts(sent.id) if one.step == "send"]
    assert [one.outcome for one in attempts] == [outcome]
    peer.how = ""
    trade.clock.advance(minutes=1)
    await trade.gateway.work()
    assert (await trade.gateway.newest("850")).state is MessageState.SENT
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    assert len(peer.seen) == 2
    assert len(set(peer.seen)) == 1


async def test_receipt_that_proves_nothing_is_kept_while_the_message_is_sent_again(trade: Any, peer: Peer) -> None:
    """Its octets and headers, once for each content; the trail of the message names it, and why it does not count."""
    peer.how = "unsigned"
    await trade.order()
    peer.how = "stored"
    for _ in range(3):
        trade.clock.advance(hours=1)
        await trade.gateway.work()
    sent = await trade.gateway.newest("850")
    told = [one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "receipt.refused"]
    assert len(peer.seen) > len(told) == 1
    (kept,) = [one for one in await trade.gateway.all() if one.state is MessageState.REFUSED]
    assert told[0].data["received_as"] == kept.id
    assert "not signed" in told[0].data["reason"]
    assert await trade.gateway.store.payload(kept.id) == peer.last.body
    assert dict(kept.raw_headers)["Content-Type"] == dict(peer.last.headers)["Content-Type"]
    trade.clock.advance(hours=1)
    peer.how = "empty"
    await trade.gateway.work()
    peer.how = ""
    trade.clock.advance(hours=24)
    await trade.gateway.work()
    assert (await trade.gateway.newest("850")).state is MessageState.SENT


async def test_an_attempt_ends_as_its_answer_says_also_where_that_cannot_be_kept(
    trade: Any, peer: Peer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Uncertain: the request went out. What the store said is in the log."""

    async def full(*_: object, **__: object) -> None:
        raise OurFault("the disk is full", remedy="make room")

    peer.how = "unsigned"
    with monkeypatch.context() as patch:
        order = trade.order_body()
        assert isinstance(await trade.submit(order), Submitted)
        patch.setattr(trade.gateway.store, "accept", full)
        await trade.gateway.work()
    sent = await trade.gateway.newest("850")
    attempts = [one for one in await trade.gateway.store.attempts(sent.id) if one.step == "send"]
    assert [(one.outcome, "no valid receipt" in one.reason) for one in attempts] == [("uncertain", True)]
    assert "the disk is full" in caplog.text


async def test_of_receipts_that_prove_nothing_a_message_keeps_a_few(
    trade: Any, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may be another one: what a station answers for days does not fill the store."""
    monkeypatch.setattr(refused_receipts, "START_KEPT", 100)
    peer.how = "nonsense"
    await trade.order()
    for _ in range(refused_receipts.MOST_IN_ANSWERS + 3):
        trade.clock.advance(hours=5)
        await trade.gateway.work()
    assert len(peer.seen) > refused_receipts.MOST_IN_ANSWERS
    kept = [one for one in await trade.gateway.all() if one.state is MessageState.REFUSED]
    assert len(kept) == refused_receipts.MOST_IN_ANSWERS
    assert {one.size for one in kept} == {100}


async def test_negative_receipt_rejects_message_and_order_and_is_not_tried_again(trade: Any, peer: Peer) -> None:
    """The station has it and refuses it: on the trail, nothing is awaited any more."""
    peer.how = "negative"
    order_id = await trade.order()
    trade.clock.advance(hours=48)
    await trade.gateway.work()
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.REJECTED
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.REJECTED
    kinds = await trade.gateway.kinds(message_id=sent.id)
    assert "message.rejected_by_partner" in kinds
    assert "acknowledgment.overdue" not in kinds
    assert len(peer.seen) == 1


async def test_refusal_that_may_pass_is_tried_again_and_costs_no_document(trade: Any, peer: Peer) -> None:
    """Their certificate was wrong for an hour: the same Message-ID again, then it is taken."""
    peer.how = "passing"
    order_id = await trade.order()
    await trade.gateway.work()
    assert (await trade.gateway.newest("850")).state is MessageState.READY
    peer.how = "right"
    trade.clock.advance(hours=1)
    await trade.gateway.work()
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    assert len(peer.seen) > 1
    assert len(set(peer.seen)) == 1


async def test_order_that_the_partner_refused_may_be_submitted_again(trade: Any, peer: Peer) -> None:
    """The same order, the same number: a new document goes out; nothing answers it with the refused one."""
    peer.how = "negative"
    refused = await trade.order()
    await trade.gateway.work()
    peer.how = "right"
    again = await trade.order()
    await trade.gateway.work()
    assert again != refused
    assert (await trade.gateway.store.document(again)).state is DocumentState.SENT
    assert len(set(peer.seen)) == 2


@pytest.mark.parametrize("lost", ["slow", "proxy"])
async def test_receipt_of_an_attempt_before_the_agreement_was_changed_counts(trade: Any, peer: Peer, lost: str) -> None:
    """It was taken, its receipt got lost; then another hash was agreed. A station that knows the Message-ID gives the
    receipt of the first attempt, whose MIC is not that of the second.
    """
    trade.gateway.agree("acme", as2={"timeout_seconds": Decimal("0.3") if lost == "slow" else 5})
    peer.how = lost
    await trade.order()
    first = peer.last
    assert first is not None
    trade.gateway.agree("acme", as2={"sign": "sha512", "timeout_seconds": 5})
    peer.how, peer.last = "stored", first
    trade.clock.advance(minutes=1)
    await trade.gateway.work()
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.SENT
    assert sent.receipt.body == first.body


async def test_acknowledged_message_is_sent_no_more_though_its_receipts_prove_nothing(
    trade: Any, peer: Peer, edi: Any
) -> None:
    """Their receipts are wrong, their 997 is right: the message is acknowledged and the work ends."""
    peer.how = "unsigned"
    await trade.order()
    sent = await trade.gateway.newest("850")
    group = (await trade.gateway.payload(sent)).split("GS*")[1].split("*")[5]
    await trade.arrives(edi.closes(group))
    trade.clock.advance(hours=80)
    await trade.gateway.work()
    assert (await trade.gateway.newest("850")).state is MessageState.ACKNOWLEDGED
    assert len(peer.seen) == 1
    assert not any((await trade.gateway.store.unfinished()).values())
