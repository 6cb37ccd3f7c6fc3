"""Receipts of ours that go by themselves: durable before the answer, always the same octets, only where agreed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from gateway import as2
from gateway.pipeline import refusals
from gateway.pipeline.giving_up import all_retried
from gateway.ports import MessageState

GOOD = b"automatic-action/MDN-sent-automatically; processed\r\n"


@dataclass(kw_only=True)
class Box:
    """Where acme wants its receipts."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def post(self, request: web.Request) -> web.Response:
        """Kept as it came."""
        self.seen.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
async def box(trade: Any) -> AsyncIterator[Box]:
    """Agreed by its whole address."""
    made = Box()
    application = web.Application()
    application.router.add_post("/{any:.*}", made.post)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/receipts"
    trade.gateway.agree("acme", as2={"receipt_urls": (made.url,)})
    yield made
    await runner.cleanup()


async def stored(trade: Any, built: as2.Built) -> Any:
    """The message as the distributor has it."""
    return await trade.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")


async def test_the_answer_is_empty_and_the_receipt_goes_to_the_address_asked_for(
    trade: Any, edi: Any, box: Box
) -> None:
    """Message, receipt and job are durable before the answer; what arrives is what is stored, bound to the message."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode(), receipt_to=box.url)
    answer = await trade.post(built.headers, built.body)
    assert (answer.status, answer.body) == (202, b"")
    message = await stored(trade, built)
    assert box.seen == []
    await trade.gateway.work()
    ((headers, body),) = box.seen
    assert body == message.receipt.body
    assert headers.items() >= dict(message.receipt.headers).items()
    verdict = as2.read_receipt(
        tuple(headers.items()),
        body,
        sent=as2.Sent(message_id=built.message_id, mic=built.mic, mic_algorithm=built.mic_algorithm, signed=True),
        partner_certificates=trade.station.station.keyring.theirs["us"],
        require_signature=True,
    )
    assert verdict.processed
    assert len(trade.at_erp("order_acknowledgement")) == 1
    trail = await trade.gateway.trail(message_id=message.id)
    assert [one.data["url"] for one in trail if one.kind == "receipt.delivered"] == [box.url]
    assert [one.data["deliver_to"] for one in trail if one.kind == "receipt.issued"] == [box.url]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
async def test_a_gateway_that_dies_before_sending_leaves_the_same_octets_to_the_next(
    trade: Any, edi: Any, box: Box
) -> None:
    """One that died after the post too: the receipt comes twice, octet for octet the same."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode(), receipt_to=box.url)
    await trade.post(built.headers, built.body)
    jobs = [one for one in await trade.gateway.claim() if one.step == "receipt"]
    await trade.gateway.step(jobs[0])  # posted, and dead before the commit
    trade.clock.advance(seconds=trade.gateway.store.lease.total_seconds() + 1)
    node = await trade.another_node()
    assert await node.store.reap()
    await node.work()
    assert len(box.seen) == 2
    assert {body for _, body in box.seen} == {(await stored(trade, built)).receipt.body}


async def test_a_refusal_goes_to_the_address_too_and_is_kept(trade: Any, box: Box) -> None:
    """The answer is empty, the error receipt comes by itself."""
    built = trade.wire(b"ISA", receipt_to=box.url)
    answer = await trade.post(built.headers, built.body[:-40] + bytes(40))
    assert (answer.status, answer.body) == (202, b"")
    await trade.gateway.work()
    ((_, body),) = box.seen
    assert b"decryption-failed" in body
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    assert kept.receipt.body == body


async def test_a_body_over_the_limit_is_refused_by_itself_too(trade: Any, box: Box) -> None:
    """Unread, and told where it was asked for."""
    built = trade.wire(b"x" * 400_000, receipt_to=box.url)
    assert (await trade.post(built.headers, built.body)).body == b""
    await trade.gateway.work()
    assert b"larger than agreed" in box.seen[0][1]


async def test_a_flood_in_a_partners_name_makes_no_flood_of_receipts(
    trade: Any, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what is recorded the receipt goes back to whoever posts."""
    monkeypatch.setattr(refusals, "RECORDS_A_MINUTE", 2)
    built = trade.wire(b"ISA", receipt_to=box.url)
    answers = [await trade.post(built.headers, b"rubbish") for _ in range(5)]
    await trade.gateway.work()
    assert [bool(one.body) for one in answers] == [False, False, True, True, True]
    assert len(box.seen) == 2


NOT_ALLOWED = {
    "another host": "https://evil.example/receipts",
    "another port": "http://127.0.0.1:9/receipts",
    "another path": "{box}/more",
    "below, with dots": "{box}/../receipts",
    "a mail address": "mailto:edi@acme.example",
    "a file": "file:///etc/passwd",
    "a user": "http://acme:secret@127.0.0.1/receipts?key=secret",
    "nonsense": "receipts",
}


@pytest.mark.parametrize("name", NOT_ALLOWED)
async def test_an_address_that_is_not_allowed_refuses_the_message_in_the_answer(
    trade: Any, edi: Any, box: Box, name: str
) -> None:
    """A signed error receipt, nothing taken, nothing called; the resend with a good address is a new chance."""
    await trade.order()
    payload = edi.file(edi.ack()).encode()
    bad = trade.wire(payload, message_id="<one@acme>", receipt_to=NOT_ALLOWED[name].format(box=box.url))
    answer = await trade.post(bad.headers, bad.body)
    assert b"processed/error: unexpected-processing-error" in answer.body
    assert "address" in answer.text
    assert answer.headers["Content-Type"].startswith("multipart/signed")
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    (refused,) = [one for one in await trade.gateway.trail(message_id=kept.id) if one.kind == "message.refused"]
    assert "secret" not in refused.data["reason"]
    await trade.gateway.work()
    assert (box.seen, trade.at_erp("order_acknowledgement")) == ([], [])
    good = trade.wire(payload, message_id="<one@acme>", receipt_to=box.url)
    await trade.post(good.headers, good.body)
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_a_stranger_has_its_receipt_in_the_answer_and_unsigned(trade: Any, box: Box) -> None:
    """Whatever address it asks for, an agreed one of somebody else's too."""
    built = trade.wire(b"ISA", as2_from="NOBODY", receipt_to=box.url)
    answer = await trade.post(built.headers, built.body)
    assert answer.headers["Content-Type"].startswith("multipart/report")
    await trade.gateway.work()
    assert box.seen == []


async def test_an_unknown_micalg_is_refused_by_itself_and_unsigned(trade: Any, box: Box) -> None:
    """RFC 4130 7.3: who cannot be answered as asked is answered unsigned."""
    built = trade.wire(b"ISA", receipt_to=box.url)
    headers = {name: value.replace("sha-256", "sha-0") for name, value in built.headers}
    assert (await trade.post(tuple(headers.items()), built.body)).body == b""
    await trade.gateway.work()
    ((headers, body),) = box.seen
    assert b"unsupported MIC-algorithms" in body
    assert headers["Content-Type"].startswith("multipart/report")


async def test_a_station_that_is_down_gets_the_same_octets_later(trade: Any, edi: Any, box: Box) -> None:
    """By the schedule; the message itself is worked meanwhile."""
    await trade.order()
    box.status = 503
    built = trade.wire(edi.file(edi.ack()).encode(), receipt_to=box.url)
    await trade.post(built.headers, built.body)
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1
    box.status = 204
    trade.clock.advance(minutes=5)
    await trade.gateway.work()
    assert len(box.seen) == 2
    assert len({body for _, body in box.seen}) == 1
    assert (await stored(trade, built)).state is MessageState.PROCESSED


async def test_a_receipt_nobody_takes_is_given_up_and_sent_by_hand(trade: Any, edi: Any, box: Box) -> None:
    """The event says so, the message is as it was; `gateway message retry` sends the same octets."""
    await trade.order()
    box.status = 404
    built = trade.wire(edi.file(edi.ack()).encode(), receipt_to=box.url)
    await trade.post(built.headers, built.body)
    await trade.gateway.work()
    message = await stored(trade, built)
    assert message.state is MessageState.PROCESSED
    trail = await trade.gateway.trail(message_id=message.id)
    assert [one.data["step"] for one in trail if one.kind == "work.given_up"] == ["receipt"]
    box.status = 200
    assert await all_retried(trade.gateway.store, message.id, by="ann", why="their address is up") == 1
    await trade.gateway.work()
    assert [body for _, body in box.seen] == [message.receipt.body] * 2


async def test_a_redirect_is_never_followed(trade: Any, edi: Any, box: Box) -> None:
    """Whoever answers at the agreed address does not choose another one."""
    await trade.order()
    box.status, box.headers = 307, {"Location": f"{box.url}/elsewhere"}
    built = trade.wire(edi.file(edi.ack()).encode(), receipt_to=box.url)
    await trade.post(built.headers, built.body)
    await trade.gateway.work()
    assert len(box.seen) == 1
    attempts = await trade.gateway.store.attempts((await stored(trade, built)).id)
    assert [one.outcome for one in attempts if one.step == "receipt"] == ["permanent"]


async def test_an_address_that_is_agreed_no_more_is_not_called(trade: Any, edi: Any, box: Box) -> None:
    """The agreement of the moment of sending decides."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode(), receipt_to=box.url)
    await trade.post(built.headers, built.body)
    trade.gateway.agree("acme", as2={"receipt_urls": ("https://as2.acme.example/receipts",)})
    await trade.gateway.work()
    assert box.seen == []
    (attempt,) = [
        one for one in await trade.gateway.store.attempts((await stored(trade, built)).id) if one.step == "receipt"
    ]
    assert attempt.outcome == "permanent"
    assert "not agreed" in attempt.reason


async def test_a_repeat_has_the_stored_receipt_sent_again_where_it_asks_for(trade: Any, edi: Any, box: Box) -> None:
    """In the answer or by itself, whatever the first one asked; always the first octets."""
    await trade.order()
    payload = edi.file(edi.ack()).encode()
    first = trade.wire(payload, message_id="<one@acme>")
    receipt = (await trade.post(first.headers, first.body)).body
    elsewhere = trade.wire(payload, message_id="<one@acme>", receipt_to=box.url)
    assert (await trade.post(elsewhere.headers, elsewhere.body)).body == b""
    await trade.gateway.work()
    assert [body for _, body in box.seen] == [receipt]
    assert (await trade.post(first.headers, first.body)).body == receipt
    await trade.gateway.work()
    assert len(box.seen) == 1
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_a_repeat_that_was_made_anew_is_sent_a_receipt_of_its_own(trade: Any, edi: Any, box: Box) -> None:
    """With the MIC that its sender knows (RFC 4130 7.4.3); a repeat of the first is sent the first one again."""
    await trade.order()
    payload = edi.file(edi.ack()).encode()
    first = trade.wire(payload, message_id="<one@acme>", receipt_to=box.url)
    anew = trade.wire(payload, message_id="<one@acme>", receipt_to=box.url, micalg="sha-512")
    for built in (first, anew, first):
        assert (await trade.post(built.headers, built.body)).status == 202
        await trade.gateway.work()
        trade.clock.advance(minutes=2)
        await trade.gateway.work()
    bodies = [body for _, body in box.seen]
    assert [anew.mic.encode() in body for body in bodies] == [False, True, False]
    assert bodies[0] == bodies[2] == (await stored(trade, first)).receipt.body
    verdict = as2.read_receipt(
        tuple(box.seen[1][0].items()),
        bodies[1],
        sent=as2.Sent(message_id=anew.message_id, mic=anew.mic, mic_algorithm=anew.mic_algorithm, signed=True),
        partner_certificates=trade.station.station.keyring.theirs["us"],
        require_signature=True,
    )
    assert verdict.processed


async def test_many_repeats_are_one_receipt_a_minute(trade: Any, edi: Any, box: Box) -> None:
    """A flood of repeats is no amplifier; a repeat is answered within the minute all the same."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode(), receipt_to=box.url)
    for _ in range(10):
        assert (await trade.post(built.headers, built.body)).body == b""
    await trade.gateway.work()
    assert len(box.seen) == 1
    for _ in range(10):
        await trade.post(built.headers, built.body)
        await trade.gateway.work()
    assert len(box.seen) == 1
    trade.clock.advance(seconds=61)
    await trade.gateway.work()
    trade.clock.advance(minutes=10)
    await trade.gateway.work()
    assert len(box.seen) == 2
    assert len({body for _, body in box.seen}) == 1


async def test_a_repeat_with_another_address_corrects_a_receipt_that_waits(trade: Any, edi: Any, box: Box) -> None:
    """The first address was wrong at their end: the newest counts."""
    await trade.order()
    dead = f"{box.url}/old"
    trade.gateway.agree("acme", as2={"receipt_urls": (dead, box.url)})
    box.status = 503
    payload = edi.file(edi.ack()).encode()
    for address in (dead, box.url):
        built = trade.wire(payload, message_id="<one@acme>", receipt_to=address)
        await trade.post(built.headers, built.body)
        await trade.gateway.work()
        box.status = 200
        trade.clock.advance(minutes=5)
    await trade.gateway.work()
    trail = await trade.gateway.trail(message_id=(await stored(trade, built)).id)
    assert [one.data["url"] for one in trail if one.kind == "receipt.delivered"] == [box.url]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
async def test_a_repeat_on_another_node_gets_the_receipt_of_the_first(trade: Any, edi: Any) -> None:
    """Two gateways, one database: the same octets, one effect."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode())
    first = await trade.post(built.headers, built.body)
    assert GOOD in first.body
    node = await trade.another_node()
    again = await node.reception.receive(built.headers, built.body)
    assert again.body == first.body
    await node.work()
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
async def test_repeats_that_come_while_the_first_is_opened_get_its_receipt(trade: Any, edi: Any) -> None:
    """Eight at once at two nodes: one is the first, all get its octets, and there is one effect."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode())
    node = await trade.another_node()
    taken = [side.reception.receive(built.headers, built.body) for side in (trade.gateway, node) * 4]
    bodies = {one.body for one in await asyncio.gather(*taken)}
    assert len(bodies) == 1
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1
    kinds = await trade.gateway.kinds(message_id=(await stored(trade, built)).id)
    assert (kinds.count("message.received"), kinds.count("message.duplicate")) == (1, 7)


async def test_a_message_that_asks_for_no_receipt_is_answered_with_none(trade: Any, edi: Any) -> None:
    """RFC 8098 2.1. It is taken; and a repeat that asks for one gets it."""
    await trade.order()
    payload = edi.file(edi.ack()).encode()
    quiet = trade.wire(payload, message_id="<one@acme>", receipt=as2.ReceiptKind.NONE)
    answer = await trade.post(quiet.headers, quiet.body)
    assert (answer.status, answer.body) == (200, b"")
    asking = trade.wire(payload, message_id="<one@acme>")
    assert GOOD in (await trade.post(asking.headers, asking.body)).body
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_a_receipt_lane_has_no_effect_on_the_partners_messages(trade: Any, edi: Any, box: Box) -> None:
    """Their address for receipts is down for long; our orders go on."""
    box.status = 503
    for _ in range(6):
        built = trade.wire(edi.file(edi.ack()).encode(), receipt_to=box.url)
        await trade.post(built.headers, built.body)
    await trade.gateway.work()
    assert "acme:outbound:receipt" in await trade.gateway.store.troubled_lanes()
    await trade.order("4500099999")
    assert (await trade.gateway.newest("850")).state is MessageState.SENT
