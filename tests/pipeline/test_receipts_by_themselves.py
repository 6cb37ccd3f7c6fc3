"""Receipts of theirs that come by themselves: the right one closes its message, no other changes anything."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from gateway import as2
from gateway.pipeline.admission import Guard
from gateway.pipeline.giving_up import all_retried
from gateway.pipeline.receipts import MOST_TOLD
from gateway.ports import DocumentState, JobState, MessageState

WITHIN = 30
ORDER = "4500012345"


@dataclass(kw_only=True)
class Peer:
    """Acme's station in a test's hands: it takes what is posted, and the test makes its receipts."""

    trade: Any
    how: str = "later"
    seen: list[tuple[tuple[tuple[str, str], ...], bytes]] = field(default_factory=list)

    async def post(self, request: web.Request) -> web.Response:
        """What `how` says: a receipt later or now, a page for people, nothing at all."""
        self.seen.append((tuple(request.headers.items()), await request.read()))
        if self.how == "now":
            receipt = self.receipt()
            return web.Response(body=receipt.body, headers=dict(receipt.headers))
        if self.how == "page":
            return web.Response(text="<p>Thank you.</p>", content_type="text/html")
        return web.Response(status=503 if self.how == "down" else 200)

    def receipt(self, attempt: int = -1, **how: Any) -> as2.BuiltReceipt:
        """A receipt for what was posted; `mic`, `refusal`, `key`, `message_id` spoil it."""
        headers, body = self.seen[attempt]
        ring = self.trade.station.station.keyring
        request = as2.read_headers(headers)
        if "original" in how:
            request = as2.Addressing(
                as2_from=request.as2_from, as2_to=request.as2_to, message_id=how["original"], receipt=request.receipt
            )
        opened = as2.open_message(
            headers, body, keys=ring.ours, partner_certificates=ring.theirs["us"], policy=as2.Policy()
        )
        if "mic" in how:
            opened = as2.Opened(
                **{name: getattr(opened, name) for name in opened.__dataclass_fields__} | {"mic": how["mic"]}
            )
        refusal = how.get("refusal")
        fault = None if refusal is None else as2.As2Fault("no", refusal=refusal, public="no")
        return as2.build_receipt(
            request=request,
            opened=None if fault else opened,
            fault=fault,
            key=how.get("key", ring.ours[0]),
            our_name="peer",
            message_id="<receipt@peer>",
            date=self.trade.clock(),
        )


@pytest.fixture
async def peer(trade: Any) -> AsyncIterator[Peer]:
    """It stands where acme's station stood, and is asked for receipts that come by themselves."""
    made = Peer(trade=trade)
    application = web.Application(client_max_size=1_000_000)
    application.router.add_post("/as2", made.post)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    asynchronously(trade)
    trade.gateway.agree("acme", as2={"url": f"http://127.0.0.1:{runner.addresses[0][1]}/as2"})
    yield made
    await runner.cleanup()


def asynchronously(trade: Any) -> None:
    """The distributor asks acme for receipts at its own address."""
    settings = trade.gateway.station.settings
    listen = settings.listen.model_copy(update={"public_url": trade.gateway.url})
    trade.gateway.change(settings=settings.model_copy(update={"listen": listen}))
    trade.gateway.agree("acme", as2={"receipt_mode": "async", "receipt_within_minutes": WITHIN})


async def tell(trade: Any, receipt: as2.BuiltReceipt, path: str = "/as2/receipts") -> int:
    """Post a receipt to the distributor; the HTTP status."""
    headers = dict(receipt.headers)
    async with trade.http.post(f"{trade.gateway.url}{path}", data=receipt.body, headers=headers) as answer:
        if answer.status == 200:
            assert await answer.read() == b""
        return int(answer.status)


async def unfinished(trade: Any) -> dict[str, int]:
    """How many jobs of the distributor's are in each state but done, without the wait for a 997."""
    found: dict[str, int] = await trade.gateway.store.unfinished()
    return {state: count for state, count in found.items() if count}


async def test_two_gateways_exchange_an_order_and_its_receipt_comes_by_itself(trade: Any) -> None:
    """Posted first, sent when the receipt is here; its octets are the evidence, the same on both sides."""
    asynchronously(trade)
    trade.station.agree("us", as2={"receipt_urls": (f"{trade.gateway.url}/as2/receipts",)})
    order_id = await trade.order()
    assert (await trade.gateway.newest("850")).state is MessageState.POSTED
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.COMPOSED
    await trade.station.work()
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.SENT
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    (theirs,) = [one for one in await trade.station.all() if one.as2_message_id == sent.as2_message_id]
    assert sent.receipt.body == theirs.receipt.body
    assert set(theirs.receipt.headers) <= set(sent.receipt.headers)
    assert {"receipt.issued", "receipt.delivered"} <= set(await trade.station.kinds(message_id=theirs.id))
    (event,) = [one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "message.sent"]
    assert event.data["receipt_came"] == "by itself"
    assert event.data["mic_matched"] is True
    assert {"message.posted", "message.sent"} <= set(await trade.gateway.kinds(order=ORDER))


@pytest.mark.parametrize("path", ["/as2/receipts", "/as2"])
async def test_a_receipt_is_taken_at_both_addresses(trade: Any, peer: Peer, path: str) -> None:
    """Stations that know one address of ours post everything there."""
    await trade.order()
    assert await tell(trade, peer.receipt(), path) == 200
    assert (await trade.gateway.newest("850")).state is MessageState.SENT
    assert await unfinished(trade) == {"waiting": 2}  # only the waits for the 997 and the 855
    trade.clock.advance(hours=2)
    await trade.gateway.work()
    assert len(peer.seen) == 1


Spoil = Callable[[Peer], as2.BuiltReceipt]
WRONG: dict[str, tuple[Spoil, int]] = {
    "wrong MIC": (lambda peer: peer.receipt(mic="AAAA"), 400),
    "unsigned": (lambda peer: peer.receipt(key=None), 400),
    "signed by somebody else": (lambda peer: peer.receipt(key=peer.trade.gateway.station.keyring.ours[0]), 400),
    "unknown message": (lambda peer: peer.receipt(original="<1@nowhere>"), 404),
    "unknown id of our form": (
        lambda peer: peer.receipt(original="<01a1fba6-51a7-7b71-bac9-45631484465c@HARBORLINE>"),
        404,
    ),
    "right id, other host": (
        lambda peer: peer.receipt(original=as2.read_headers(peer.seen[0][0]).message_id.partition("@")[0] + "@x>"),
        404,
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_receipt_that_proves_nothing_is_refused_recorded_and_changes_nothing(
    trade: Any, peer: Peer, name: str
) -> None:
    """A 4xx; the octets are kept; the right receipt still closes the message."""
    spoil, status = WRONG[name]
    await trade.order()
    bad = spoil(peer)
    assert await tell(trade, bad) == status
    sent = await trade.gateway.newest("850")
    assert (sent.state, sent.receipt) == (MessageState.POSTED, None)
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    assert (kept.partner, await trade.gateway.store.payload(kept.id)) == ("acme", bad.body)
    assert ("receipt.refused" in await trade.gateway.kinds(message_id=sent.id)) == (status == 400)
    assert await tell(trade, peer.receipt()) == 200
    assert (await trade.gateway.newest("850")).state is MessageState.SENT


async def test_a_receipt_of_another_partner_is_refused_as_if_the_message_were_unknown(trade: Any, peer: Peer) -> None:
    """Baltic signs well, for a message that went to acme: nobody learns whose it was."""
    await trade.order()
    trade.gateway.agree("baltic", as2=trade.gateway.station.directory.known("acme").as2.model_copy(update={"id": "B"}))
    good = peer.receipt()
    headers = tuple((name, "B" if name == "AS2-From" else value) for name, value in good.headers)
    async with trade.http.post(f"{trade.gateway.url}/as2/receipts", data=good.body, headers=dict(headers)) as answer:
        assert (answer.status, await answer.text()) == (404, "no message of ours to you has this Message-ID\n")
    assert (await trade.gateway.newest("850")).state is MessageState.POSTED


async def test_a_receipt_from_a_stranger_is_refused_and_its_record_is_nobodys(trade: Any, peer: Peer) -> None:
    """403, no partner."""
    await trade.order()
    good = peer.receipt()
    headers = {name: "NOBODY" if name == "AS2-From" else value for name, value in good.headers}
    async with trade.http.post(f"{trade.gateway.url}/as2", data=good.body, headers=headers) as answer:
        assert answer.status == 403
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    assert kept.partner is None


async def test_what_is_no_receipt_is_refused_at_the_address_for_receipts(trade: Any) -> None:
    """A message, plain text, nothing of AS2, too much."""
    built = trade.wire(b"ISA")
    for headers, body, status in (
        (built.headers, built.body, 400),
        ({"AS2-From": "ACME-AS2", "AS2-To": "HARBORLINE", "Message-ID": "<1@a>"}, b"fine", 400),
        ({}, b"fine", 400),
        (built.headers, io.BytesIO(bytes(as2.MAX_RECEIPT + 1)), 413),
    ):
        async with trade.http.post(f"{trade.gateway.url}/as2/receipts", data=body, headers=dict(headers)) as answer:
            assert answer.status == status


async def test_what_is_refused_again_and_again_is_recorded_within_bounds(trade: Any, peer: Peer) -> None:
    """Sixty a minute, twenty on the trail of one message; each is refused all the same, and the right one counts."""
    await trade.order()
    bad = peer.receipt(mic="AAAA")
    assert {await tell(trade, bad) for _ in range(63)} == {400}
    assert len(await trade.gateway.store.messages(state=MessageState.REFUSED, limit=100)) == 60
    kinds = await trade.gateway.kinds(message_id=(await trade.gateway.newest("850")).id)
    assert kinds.count("receipt.refused") == MOST_TOLD
    assert await tell(trade, peer.receipt()) == 200


async def test_a_receipt_that_comes_twice_has_one_effect(trade: Any, peer: Peer) -> None:
    """200 both times; the second is on the trail, and the evidence stays the first."""
    await trade.order()
    first, second = peer.receipt(), peer.receipt()
    assert [await tell(trade, one) for one in (first, second, first)] == [200, 200, 200]
    sent = await trade.gateway.newest("850")
    assert sent.receipt.body == first.body
    kinds = await trade.gateway.kinds(message_id=sent.id)
    assert (kinds.count("message.sent"), kinds.count("receipt.repeated")) == (1, 2)


async def test_a_refusal_after_the_receipt_changes_nothing(trade: Any, peer: Peer) -> None:
    """The first receipt decided; a second one with another verdict is a repeat."""
    await trade.order()
    await tell(trade, peer.receipt())
    assert await tell(trade, peer.receipt(refusal=as2.Refusal.AUTHENTICATION_FAILED)) == 200
    assert (await trade.gateway.newest("850")).state is MessageState.SENT


async def test_a_refusal_by_itself_rejects_message_and_order(trade: Any, peer: Peer) -> None:
    """As with one in the answer: nothing more is sent or awaited."""
    order_id = await trade.order()
    assert await tell(trade, peer.receipt(refusal=as2.Refusal.AUTHENTICATION_FAILED)) == 200
    assert (await trade.gateway.newest("850")).state is MessageState.REJECTED
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.REJECTED
    trade.clock.advance(hours=48)
    await trade.gateway.work()
    assert len(peer.seen) == 1
    assert await unfinished(trade) == {}


@pytest.mark.parametrize(
    "how",
    [
        {"refusal": as2.Refusal.DECRYPTION_FAILED},
        {"refusal": as2.Refusal.AUTHENTICATION_FAILED, "key": None},
    ],
)
async def test_a_refusal_that_may_pass_or_is_unsigned_decides_nothing(trade: Any, peer: Peer, how: Any) -> None:
    """Recorded; the message is sent again with the same Message-ID when its time is over, and may then be taken."""
    await trade.order()
    assert await tell(trade, peer.receipt(**how)) == 200
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.POSTED
    assert "receipt.not_final" in await trade.gateway.kinds(message_id=sent.id)
    trade.clock.advance(minutes=WITHIN + 1)
    await trade.gateway.work()
    assert len({as2.read_headers(headers).message_id for headers, _ in peer.seen}) == 1
    assert len(peer.seen) == 2
    assert await tell(trade, peer.receipt()) == 200
    assert (await trade.gateway.newest("850")).state is MessageState.SENT


async def test_without_a_receipt_in_time_the_message_is_sent_again_and_a_late_receipt_closes_it(
    trade: Any, peer: Peer
) -> None:
    """Not before the time agreed; same Message-ID, same MIC; the receipt of the first attempt counts."""
    await trade.order()
    early = peer.receipt()
    trade.clock.advance(minutes=WITHIN - 1)
    await trade.gateway.work()
    assert len(peer.seen) == 1
    trade.clock.advance(minutes=2)
    await trade.gateway.work()
    assert len(peer.seen) == 2
    sent = await trade.gateway.newest("850")
    overdue = [one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "receipt.overdue"]
    assert [one.data["waited_seconds"] // 60 for one in overdue] == [WITHIN + 1]
    assert len({as2.read_headers(headers).message_id for headers, _ in peer.seen}) == 1
    assert await tell(trade, early) == 200
    assert (await trade.gateway.newest("850")).state is MessageState.SENT
    trade.clock.advance(hours=12)
    await trade.gateway.work()
    assert len(peer.seen) == 2


async def test_a_message_without_any_receipt_is_given_up_and_a_late_receipt_still_closes_it(
    trade: Any, peer: Peer
) -> None:
    """After three days: failed, a dead letter. Then the receipt: sent, and the dead letter is gone."""
    order_id = await trade.order()
    for _ in range(200):
        trade.clock.advance(hours=1)
        await trade.gateway.work()
        if (await trade.gateway.newest("850")).state is MessageState.FAILED:
            break
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.FAILED
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.FAILED
    assert "work.given_up" in await trade.gateway.kinds(message_id=sent.id)
    assert await unfinished(trade) == {JobState.DEAD.value: 1}
    assert 3 * 24 - 2 < len(peer.seen) <= 3 * 24 + 2
    assert await tell(trade, peer.receipt(0)) == 200
    assert (await trade.gateway.newest("850")).state is MessageState.SENT
    assert (await trade.gateway.store.document(order_id)).state is DocumentState.SENT
    assert await unfinished(trade) == {"waiting": 2}  # for the 997 and the 855


async def test_a_given_up_message_is_resent_by_hand_with_the_same_message_id(trade: Any, peer: Peer) -> None:
    """`gateway message retry`: posted anew, and closed by its receipt."""
    peer.how = "down"
    await trade.order()
    for _ in range(80):
        trade.clock.advance(hours=1)
        await trade.gateway.work()
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.FAILED
    peer.how = "later"
    assert await all_retried(trade.gateway.store, sent.id, by="ann", why="their station is up") == 1
    await trade.gateway.work()
    assert (await trade.gateway.newest("850")).state is MessageState.POSTED
    assert len({as2.read_headers(headers).message_id for headers, _ in peer.seen}) == 1
    await tell(trade, peer.receipt())
    assert (await trade.gateway.newest("850")).state is MessageState.SENT


async def test_an_attempt_before_the_agreement_was_changed_may_be_receipted_after_it(trade: Any, peer: Peer) -> None:
    """Another hash, so another MIC, under the same Message-ID: the station answers for what it took first."""
    await trade.order()
    first = peer.receipt()
    trade.gateway.agree("acme", as2={"sign": "sha512"})
    trade.clock.advance(minutes=WITHIN + 1)
    await trade.gateway.work()
    assert len(peer.seen) == 2
    assert await tell(trade, first) == 200
    assert (await trade.gateway.newest("850")).state is MessageState.SENT


async def test_a_station_that_answers_at_once_though_asked_for_later_is_believed(trade: Any, peer: Peer) -> None:
    """The trail says how the receipt came; the one by itself after it is a repeat."""
    peer.how = "now"
    await trade.order()
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.SENT
    (event,) = [one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "message.sent"]
    assert event.data["receipt_came"].startswith("in the answer")
    assert await tell(trade, peer.receipt()) == 200
    assert "receipt.repeated" in await trade.gateway.kinds(message_id=sent.id)


async def test_a_page_for_people_in_the_answer_is_no_receipt_and_no_failure(trade: Any, peer: Peer) -> None:
    """The receipt comes later, as asked."""
    peer.how = "page"
    await trade.order()
    assert (await trade.gateway.newest("850")).state is MessageState.POSTED


async def test_a_station_that_answers_later_though_asked_at_once_is_believed_too(trade: Any, peer: Peer) -> None:
    """An empty answer is uncertain and tried again; the receipt that comes by itself ends that."""
    trade.gateway.agree("acme", as2={"receipt_mode": "sync"})
    await trade.order()
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.READY
    (attempt,) = [one for one in await trade.gateway.store.attempts(sent.id) if one.step == "send"]
    assert attempt.outcome == "uncertain"
    assert "empty" in attempt.reason
    assert await tell(trade, peer.receipt()) == 200
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.SENT
    (event,) = [one for one in await trade.gateway.trail(message_id=sent.id) if one.kind == "message.sent"]
    assert event.data["receipt_came"].startswith("by itself, though")
    trade.clock.advance(hours=2)
    await trade.gateway.work()
    assert len(peer.seen) == 1


async def test_a_receipt_by_itself_after_one_in_the_answer_is_a_repeat(trade: Any, peer: Peer) -> None:
    """The station does both: the second says nothing new."""
    trade.gateway.agree("acme", as2={"receipt_mode": "sync"})
    peer.how = "now"
    await trade.order()
    assert await tell(trade, peer.receipt()) == 200
    assert "receipt.repeated" in await trade.gateway.kinds(message_id=(await trade.gateway.newest("850")).id)


async def test_a_receipt_that_overtakes_the_answer_to_the_post_counts(trade: Any, peer: Peer) -> None:
    """It is here before the worker knows that the post went through: the state stays, nothing is sent again."""
    answered: list[int] = []

    async def post(request: web.Request) -> web.Response:
        peer.seen.append((tuple(request.headers.items()), await request.read()))
        answered.append(await tell(trade, peer.receipt()))
        return web.Response()

    runner = web.AppRunner(_application(post), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    trade.gateway.agree("acme", as2={"url": f"http://127.0.0.1:{runner.addresses[0][1]}/as2"})
    await trade.order()
    await runner.cleanup()
    assert answered == [200]
    assert (await trade.gateway.newest("850")).state is MessageState.SENT
    trade.clock.advance(hours=2)
    await trade.gateway.work()
    assert len(peer.seen) == 1
    assert await unfinished(trade) == {"waiting": 2}


def _application(post: Any) -> web.Application:
    application = web.Application()
    application.router.add_post("/as2", post)
    return application


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
async def test_two_receipts_at_once_at_two_nodes_have_one_effect(trade: Any, peer: Peer) -> None:
    """Whichever is first; the others are repeats."""
    await trade.order()
    node = await trade.another_node()
    receipts = [peer.receipt() for _ in range(6)]
    taken = [
        side.reception.receive_receipt(one.headers, one.body)
        for one, side in zip(receipts, (trade.gateway, node) * 3, strict=True)
    ]
    assert {one.status for one in await asyncio.gather(*taken)} == {200}
    sent = await trade.gateway.newest("850")
    kinds = await trade.gateway.kinds(message_id=sent.id)
    assert (kinds.count("message.sent"), kinds.count("receipt.repeated")) == (1, 5)
    assert sent.receipt.body in {one.body for one in receipts}


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
async def test_a_gateway_that_dies_after_the_post_loses_no_receipt(trade: Any, peer: Peer) -> None:
    """What was posted was written down before: the receipt closes the message, and the next worker sends nothing."""
    await trade.submit(trade.order_body())
    await _until_it_is_to_be_sent(trade)
    (job,) = [one for one in await trade.gateway.claim() if one.step == "send"]
    await trade.gateway.step(job)  # posted, and dead before the commit
    assert await tell(trade, peer.receipt()) == 200
    trade.clock.advance(seconds=trade.gateway.store.lease.total_seconds() + 1)
    node = await trade.another_node()
    await node.store.reap()
    await node.work()
    assert len(peer.seen) == 1
    assert (await trade.gateway.newest("850")).state is MessageState.SENT


async def _until_it_is_to_be_sent(trade: Any) -> None:
    """The order is written, and not yet posted."""
    (job,) = await trade.gateway.claim()
    assert job.step == "compose"
    await trade.gateway.worker._work(job)


async def test_a_receipt_must_show_what_all_requests_of_that_partner_must_show(trade: Any, peer: Peer) -> None:
    """The same guard at both addresses, before the body is read."""
    await trade.order()
    guard = Guard(user=hashlib.sha256(b"acme:secret").digest())
    trade.gateway.change(guards={"acme": guard})
    for path in ("/as2", "/as2/receipts"):
        assert await tell(trade, peer.receipt(), path) == 401
    assert (await trade.gateway.newest("850")).state is MessageState.POSTED
    receipt = peer.receipt()
    headers = dict(receipt.headers) | {"Authorization": "Basic " + base64.b64encode(b"acme:secret").decode()}
    async with trade.http.post(f"{trade.gateway.url}/as2/receipts", data=receipt.body, headers=headers) as answer:
        assert answer.status == 200
    sent = await trade.gateway.newest("850")
    assert sent.state is MessageState.SENT
    assert "authorization" not in {name.lower() for name, _ in sent.receipt.headers}


async def test_a_997_before_the_receipt_keeps_its_state_and_the_evidence_is_added(
    trade: Any, peer: Peer, edi: Any
) -> None:
    """The acknowledgment says more than the receipt; the receipt is kept all the same."""
    await trade.order()
    sent = await trade.gateway.newest("850")
    group = (await trade.gateway.payload(sent)).split("GS*")[1].split("*")[5]
    await trade.arrives(edi.closes(group))
    assert (await trade.gateway.newest("850")).state is MessageState.ACKNOWLEDGED
    receipt = peer.receipt()
    assert await tell(trade, receipt) == 200
    sent = await trade.gateway.newest("850")
    assert (sent.state, sent.receipt.body) == (MessageState.ACKNOWLEDGED, receipt.body)


async def test_without_a_public_address_nothing_is_sent_and_the_remedy_is_told(trade: Any, peer: Peer) -> None:
    """Our mistake: tried again, the attempt names the key."""
    settings = trade.gateway.station.settings
    listen = settings.listen.model_copy(update={"public_url": None})
    trade.gateway.change(settings=settings.model_copy(update={"listen": listen}))
    await trade.order()
    sent = await trade.gateway.newest("850")
    (attempt,) = [one for one in await trade.gateway.store.attempts(sent.id) if one.step == "send"]
    assert "listen.public_url" in attempt.reason
    assert peer.seen == []
