"""A message too large for memory passes both gateways as files: the same facts as for a small one hold for it."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import wiring
from gateway.errors import DeliveryFailed, Outcome
from gateway.pipeline import sending
from gateway.pipeline.bodies import start_of
from gateway.pipeline.outgoing import outbound_message, send_job
from gateway.ports import Changes, MessageState, new_id
from gateway.store import spool

GOOD = b"automatic-action/MDN-sent-automatically; processed\r\n"
SIZE = 3_000_000


@pytest.fixture
def roomy(trade: Any) -> Any:
    """Both sides take messages of up to 8 MB."""
    for side in (trade.gateway, trade.station):
        side.change(settings=side.station.settings.model_copy(update={"max_message_bytes": 8_000_000}))
    return trade


async def post(trade: Any, headers: Any, body: bytes) -> Any:
    """Post to the distributor's AS2 address, as a station does that reads a file."""
    data = io.BytesIO(body)
    async with trade.http.post(f"{trade.gateway.url}/as2", data=data, headers=dict(headers)) as answer:
        content = await answer.read()
        return SimpleNamespace(
            status=answer.status, headers=answer.headers, body=content, text=content.decode("latin-1")
        )


def files(side: Any) -> list[Path]:
    """What is in a side's payload folder."""
    return sorted(path for path in side.store.payloads.folder.rglob("*") if path.is_file())


def in_spool(side: Any) -> list[Path]:
    """Of these, what is unfinished."""
    return [path for path in files(side) if path.parent.name == spool.FOLDER]


@pytest.mark.parametrize("compress", [False, True])
async def test_received_it_is_kept_whole_and_receipted_with_its_mic(roomy: Any, *, compress: bool) -> None:
    """Payload and raw octets are what was sent; nothing stays in the spool; the trail has the hashes."""
    payload = os.urandom(SIZE // 2).hex().encode()
    built = roomy.wire(payload, content_type="application/octet-stream", compress=compress)
    answer = await post(roomy, built.headers, built.body)
    assert GOOD in answer.body
    assert built.mic.encode() in answer.body
    message = await roomy.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
    assert await roomy.gateway.store.payload(message.id) == payload
    assert await roomy.gateway.store.raw(message.id) == built.body
    assert in_spool(roomy.gateway) == []
    await roomy.gateway.work()
    assert (await roomy.gateway.store.verify({})).problems == ()


async def test_its_repeat_gets_the_first_receipt_and_leaves_no_file(roomy: Any) -> None:
    """Byte for byte; the same Message-ID with other content is refused."""
    built = roomy.wire(os.urandom(SIZE), message_id="<large@acme>")
    first = await post(roomy, built.headers, built.body)
    kept = files(roomy.gateway)
    assert (await post(roomy, built.headers, built.body)).body == first.body
    assert files(roomy.gateway) == kept
    other = roomy.wire(os.urandom(SIZE), message_id="<large@acme>")
    assert "used before with other content" in (await post(roomy, other.headers, other.body)).text


@pytest.mark.parametrize("links", [True, False])
async def test_its_message_id_used_again_for_other_content_is_refused_and_kept(
    roomy: Any, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    """Also where the file system has no hard links: the store moved the file, and let go of it again."""

    def none(_path: Path, _target: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", none)
    for content, status in (
        (os.urandom(SIZE), b"processed\r\n"),
        (os.urandom(SIZE), b"used before with other content"),
    ):
        built = roomy.wire(content, content_type="application/octet-stream", message_id="<one@acme>")
        answer = await post(roomy, built.headers, built.body)
        assert answer.status == 200
        assert status in answer.body
    assert len(await roomy.gateway.store.messages(state=MessageState.RECEIVED)) == 1
    (refused,) = await roomy.gateway.store.messages(state=MessageState.REFUSED)
    assert await roomy.gateway.store.payload(refused.id) == built.body
    assert len(files(roomy.gateway)) == 3


@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-256-gcm"])
async def test_tampered_it_is_refused_in_the_uniform_words_and_kept(roomy: Any, cipher: str) -> None:
    """Whatever of it was decrypted is gone from the disk."""
    built = roomy.wire(os.urandom(SIZE), cipher=cipher)
    answer = await post(roomy, built.headers, built.body[:-40] + bytes(40))
    assert "decryption-failed" in answer.text
    (kept,) = await roomy.gateway.store.messages(state=MessageState.REFUSED)
    assert kept.size == len(built.body)
    assert len(files(roomy.gateway)) == 1


async def test_over_the_limit_its_start_is_kept(roomy: Any) -> None:
    """Announced by Content-Length it is not even read; 64 KiB of it are kept."""
    built = roomy.wire(os.urandom(9_000_000))
    assert "larger than agreed" in (await post(roomy, built.headers, built.body)).text
    (kept,) = await roomy.gateway.store.messages(state=MessageState.REFUSED)
    assert kept.size == 65_536
    assert files(roomy.gateway) == []


async def test_a_full_disk_asks_to_come_later_and_leaves_nothing(roomy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with Retry-After, no receipt, no file, no message; the resend is taken."""
    built = roomy.wire(os.urandom(SIZE))
    with monkeypatch.context() as full:
        full.setattr(spool, "RESERVE", 1 << 60)
        answer = await post(roomy, built.headers, built.body)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert files(roomy.gateway) == []
    assert await roomy.gateway.store.messages() == []
    assert GOOD in (await post(roomy, built.headers, built.body)).body


async def test_a_disk_that_fills_up_while_it_is_opened_is_no_fault_of_the_message(
    roomy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file of the message finds no room: nothing is refused, the sender comes again."""
    built = roomy.wire(os.urandom(SIZE))
    write, seen = spool.SpoolFile.write, set()

    def one_file_only(file: spool.SpoolFile, piece: bytes | memoryview) -> None:
        seen.add(file.path)
        if len(seen) > 1:
            monkeypatch.setattr(spool, "RESERVE", 1 << 60)
        write(file, piece)

    monkeypatch.setattr(spool.SpoolFile, "write", one_file_only)
    assert (await post(roomy, built.headers, built.body)).status == 503
    assert files(roomy.gateway) == []
    assert await roomy.gateway.store.messages() == []


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_sent_from_a_file_it_arrives_unchanged_and_is_kept_as_it_was_posted(roomy: Any, mode: str) -> None:
    """Compressed, signed and encrypted in files, posted from one, its receipt verified; also where it comes later."""
    payload = os.urandom(SIZE // 2).hex().encode()
    side = roomy.gateway
    listen = side.station.settings.listen.model_copy(update={"public_url": side.url})
    side.change(settings=side.station.settings.model_copy(update={"listen": listen}))
    side.agree("acme", as2={"receipt_mode": mode})
    roomy.station.agree("us", as2={"receipt_urls": (f"{side.url}/as2/receipts",)})
    file = side.store.spool(kept=True)
    file.write(payload)
    agreement, now = side.station.directory.by_name("acme"), roomy.clock()
    message = outbound_message(
        side.station.settings,
        agreement,
        message_id=new_id(now),
        payload=file,
        content_type="application/octet-stream",
        filename="drawings.tar",
        now=now,
    )
    await side.store.apply(Changes(messages=(message,), jobs=(send_job(agreement, message.id, now),)))
    del message, file
    await side.work()
    await roomy.station.work()
    (sent,) = await side.store.messages()
    assert sent.state is MessageState.DELIVERED
    (arrived,) = await roomy.station.store.messages()
    assert await roomy.station.store.payload(arrived.id) == payload
    assert await roomy.station.store.raw(arrived.id) == await side.store.raw(sent.id)
    assert in_spool(side) == in_spool(roomy.station) == []


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_attempts_that_fail_leave_no_room_taken_on_the_disk(
    roomy: Any, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """A station that is down is tried eighty times; who holds the octets still, as a fault does, holds no disk."""
    side = roomy.gateway
    listen = side.station.settings.listen.model_copy(update={"public_url": side.url})
    side.change(settings=side.station.settings.model_copy(update={"listen": listen}))
    side.agree("acme", as2={"receipt_mode": mode})
    agreement, now = side.station.directory.by_name("acme"), roomy.clock()
    file = side.store.spool(kept=True)
    file.write(os.urandom(SIZE))
    message = outbound_message(
        side.station.settings, agreement, message_id=new_id(now), payload=file,
        content_type="application/octet-stream", filename="drawings.tar", now=now,
    )  # fmt: skip
    await side.store.apply(Changes(messages=(message,), jobs=(send_job(agreement, message.id, now),)))
    held: list[Any] = []

    async def down(_agreement: Any, _headers: Any, body: Any) -> Any:
        held.append(body.source)
        raise DeliveryFailed("no connection", outcome=Outcome.TRANSIENT)

    monkeypatch.setattr(side.station.as2, "post", down)
    (job,) = await side.store.claim("me", ("send",), 1)
    for _ in range(3):
        with pytest.raises(DeliveryFailed):
            await sending.send(side.station, job)
    assert in_spool(side) == []
    assert len(files(side)) == (1 if mode == "sync" else 2)
    assert sum(os.fstat(one._handle).st_size for one in held) == (
        0 if mode == "sync" else sum(one.size for one in held)
    )
    raw = await side.store.octets(message.id, "raw")
    assert (raw is None) if mode == "sync" else (raw.size == held[-1].size)


async def test_interchange_over_its_own_limit_is_kept_and_refused_unread(roomy: Any, edi: Any) -> None:
    """It is receipted like any message; the trail says what to do."""
    roomy.gateway.change(settings=roomy.gateway.station.settings.model_copy(update={"max_interchange_bytes": 1 << 20}))
    built = roomy.wire(edi.file(edi.ack()).encode() + b"\r\n" * SIZE)
    assert GOOD in (await post(roomy, built.headers, built.body)).body
    await roomy.gateway.work()
    (message,) = await roomy.gateway.store.messages()
    assert message.state is MessageState.REJECTED
    (refusal,) = [one for one in await roomy.gateway.trail(message_id=message.id) if one.kind == "document.rejected"]
    assert refusal.data["rules"] == ["pipeline.file.too_large"]


async def test_what_is_no_interchange_is_told_by_how_it_begins(roomy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never read whole."""
    built = roomy.wire(b"%PDF-1.7" + os.urandom(SIZE))
    await post(roomy, built.headers, built.body)
    monkeypatch.setattr(roomy.gateway.store.payloads, "read", None)
    await roomy.gateway.work()
    (message,) = await roomy.gateway.store.messages()
    assert message.state is MessageState.REJECTED


@pytest.mark.parametrize("encoding", ["binary", "base64"])
async def test_a_large_drawing_beside_an_order_is_kept_and_the_order_is_read(
    roomy: Any, edi: Any, encoding: str
) -> None:
    """Each file by itself, also where the drawing comes in a transfer encoding."""
    await roomy.order()
    drawing = os.urandom(SIZE)
    shown = drawing if encoding == "binary" else base64.encodebytes(drawing)
    order = edi.file(edi.ack()).encode()
    payload = (
        b"--b\r\nContent-Type: application/edi-x12\r\n\r\n" + order + b"\r\n--b\r\n"
        b"Content-Type: image/tiff; name=a.tif\r\nContent-Transfer-Encoding: "
        + encoding.encode()
        + b"\r\n\r\n"
        + shown
        + b"\r\n--b--\r\n"
    )
    type_ = 'multipart/related; type="application/edi-x12"; boundary=b'
    built = roomy.wire(payload, content_type=type_)
    assert GOOD in (await post(roomy, built.headers, built.body)).body
    await roomy.gateway.work()
    message = await roomy.gateway.store.message_by_duplicate_key(f"as2:acme:{built.message_id}")
    trail = await roomy.gateway.trail(message_id=message.id)
    (kept,) = [one for one in trail if one.kind == "attachment.kept"]
    assert (kept.data["size"], kept.data["sha256"]) == (SIZE, hashlib.sha256(drawing).hexdigest())
    assert len(roomy.at_erp("order_acknowledgement")) == 1
    assert in_spool(roomy.gateway) == []


async def test_small_messages_find_a_thread_however_many_large_ones_are_opened(roomy: Any) -> None:
    """Large ones have threads of their own."""
    station = roomy.gateway.station
    assert station.large is not station.crypto
    assert "large" in wiring.Station.__slots__


def test_start_of_a_file_is_read_alone(tmp_path: Path) -> None:
    """As of bytes."""
    file = spool.SpoolFile(tmp_path)
    file.write(b"abcdef")
    assert start_of(file, 3) == start_of(b"abcdef", 3) == b"abc"
