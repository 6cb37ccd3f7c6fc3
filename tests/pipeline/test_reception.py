"""AS2 in, over real HTTP: every refusal has a receipt and is kept, and a good resend is always a new chance."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text

from gateway import as2
from gateway.errors import OurFault
from gateway.ports import MessageState

GOOD = b"automatic-action/MDN-sent-automatically; processed\r\n"

REFUSALS = {
    "tampered": ({}, lambda body: body[:-40] + bytes(40), "decryption-failed"),
    "unsigned": ({"sign_with": None}, bytes, "insufficient-message-security"),
    "unencrypted": ({"encrypt_for": ()}, bytes, "insufficient-message-security"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_refused_message_has_a_receipt_is_kept_and_its_resend_is_taken(trade: Any, edi: Any, name: str) -> None:
    """The receipt says which failure; bytes and event are there; the same Message-ID may come again, good."""
    how, spoil, failure = REFUSALS[name]
    await trade.order()
    payload = edi.file(edi.ack()).encode()
    bad = trade.wire(payload, message_id="<one@acme>", **how)
    body = spoil(bad.body)
    refusal = await trade.post(bad.headers, body)
    assert refusal.status == 200
    assert failure in refusal.text
    assert "Received-Content-MIC" not in refusal.text
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    assert (kept.partner, await trade.gateway.store.payload(kept.id)) == ("acme", body)
    assert set(await trade.gateway.kinds(message_id=kept.id)) == {"message.refused", "receipt.issued"}
    good = trade.wire(payload, message_id="<one@acme>")
    assert GOOD in (await trade.post(good.headers, good.body)).body
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_same_message_id_gets_the_same_receipt_bytes_and_has_no_second_effect(trade: Any, edi: Any) -> None:
    """Byte for byte, with the MIC of the first; one duplicate on the trail of the first message."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode())
    first = await trade.post(built.headers, built.body)
    trade.clock.advance(minutes=1)
    again = await trade.post(built.headers, built.body)
    await trade.gateway.work()
    assert again.body == first.body
    assert built.mic.encode() in first.body
    message = await trade.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
    assert (await trade.gateway.kinds(message_id=message.id)).count("message.duplicate") == 1
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_a_repeat_that_was_made_anew_is_the_same_message(trade: Any, edi: Any) -> None:
    """New boundary, key and signature, even another hash and a compression: its payload is the first one's.

    Its receipt is the first one where its MIC is. Else it has one of its own: the MIC is over what was received, by the
    hash asked for (RFC 4130 7.3.1, 7.4.3), and its sender holds the receipt against the MIC of what it sent last.
    """
    await trade.order()
    payload = edi.file(edi.ack()).encode()
    built = trade.wire(payload, message_id="<one@acme>")
    first = await trade.post(built.headers, built.body)
    own = []
    for how in (
        {},
        {"compress": True},
        {"micalg": "sha-512", "cipher": "aes-128-gcm"},
        {"filename": "other.edi"},
        {"micalg": "sha-512", "receipt": as2.ReceiptKind.NONE},
    ):
        anew = trade.wire(payload, message_id="<one@acme>", **how)
        assert anew.body != built.body
        answer = await trade.post(anew.headers, anew.body)
        if how.get("receipt") is as2.ReceiptKind.NONE:
            assert answer.body == b""
        elif anew.mic == built.mic:
            assert answer.body == first.body
        else:
            own.append(anew.mic)
            assert GOOD in answer.body
            assert anew.mic.encode() in answer.body
    assert len(own) == 3, "compressed, another hash, another name: each is in what the MIC is over"
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1
    message = await trade.gateway.store.message_by_duplicate_key("as2:acme:<one@acme>")
    trail = await trade.gateway.trail(message_id=message.id)
    issued = [one.data for one in trail if one.kind == "receipt.issued"]
    assert [one["mic"].split(",")[0] for one in issued] == [built.mic.split(",")[0], *own]
    assert [one.get("again") for one in issued] == [None, True, True, True]
    assert message.receipt.body == first.body
    assert not (await trade.gateway.store.verify([])).problems, "only the first receipt's bytes are kept"


async def test_body_over_the_limit_is_refused_unread_and_its_start_is_kept(trade: Any) -> None:
    """The receipt says larger than agreed; 64 KiB are kept; the trail has the refusal."""
    built = trade.wire(b"x" * 400_000)
    answer = await trade.post(built.headers, built.body)
    assert "larger than agreed" in answer.text
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    assert (kept.partner, kept.size) == ("acme", 65_536)
    assert "message.refused" in await trade.gateway.kinds(message_id=kept.id)


@pytest.mark.parametrize("names", [{"as2_from": "NOBODY"}, {"as2_to": "ELSEWHERE"}])
async def test_unknown_relationship_gets_an_unsigned_receipt_and_a_bounded_record(trade: Any, names: Any) -> None:
    """A stranger learns nothing more, and its record belongs to no partner."""
    built = trade.wire(b"ISA", **names)
    answer = await trade.post(built.headers, built.body)
    assert answer.headers["Content-Type"].startswith("multipart/report")
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    assert kept.partner is None
    assert await trade.gateway.kinds(message_id=kept.id) == ["message.refused"]


async def test_no_receipt_goes_out_when_the_commit_fails(trade: Any, edi: Any, monkeypatch: Any) -> None:
    """The store cannot write: 5xx, no MDN; the resend is taken once."""
    await trade.order()
    built = trade.wire(edi.file(edi.ack()).encode())

    async def broken(changes: object) -> None:
        raise OurFault("the disk is full", remedy="make room")

    with monkeypatch.context() as patch:
        patch.setattr(trade.gateway.store, "accept", broken)
        answer = await trade.post(built.headers, built.body)
    assert answer.status >= 500
    assert b"disposition" not in answer.body
    assert GOOD in (await trade.post(built.headers, built.body)).body
    await trade.gateway.work()
    assert len(trade.at_erp("order_acknowledgement")) == 1


async def test_a_disk_that_is_full_at_the_commit_asks_to_come_later(trade: Any) -> None:
    """503 with Retry-After, no receipt, nothing kept; what is sent again when there is room is taken."""

    def limit(pages: int) -> Callable[[Connection], Any]:
        return lambda connection: connection.execute(text(f"PRAGMA max_page_count={pages}")).scalar_one()

    database = trade.gateway.store.database
    built = trade.wire(b"ISA*" + os.urandom(100_000).hex().encode())
    await database.write(limit(1))
    answer = await trade.post(built.headers, built.body)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert b"disposition" not in answer.body
    assert await trade.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}") is None
    await database.write(limit(1_000_000))
    assert GOOD in (await trade.post(built.headers, built.body)).body


async def test_known_message_id_with_other_content_is_refused_and_kept(trade: Any, edi: Any) -> None:
    """The first receipt would claim that the second content was taken too."""
    await trade.order()
    first = trade.wire(edi.file(edi.ack()).encode(), message_id="<same@acme>")
    assert GOOD in (await trade.post(first.headers, first.body)).body
    other = trade.wire(edi.file(edi.ack(), control="000000077").encode(), message_id="<same@acme>")
    answer = await trade.post(other.headers, other.body)
    assert "unexpected-processing-error" in answer.text
    (kept,) = await trade.gateway.store.messages(state=MessageState.REFUSED)
    assert await trade.gateway.store.payload(kept.id) == other.body
