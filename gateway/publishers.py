"""Joins what publishes events: subscribers, webhooks and stream of a configuration, and the parts that work for them.

For `gateway.wiring` alone. Publishing is optional work: it has a worker of its own and never takes a document's place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiohttp

from gateway.connectors.nats import NatsStream
from gateway.connectors.public_only import public_connector
from gateway.connectors.webhook import WebhookPost
from gateway.partners.agreement import Agreement
from gateway.ports import Changes, Clock, Job
from gateway.publication import NOTIFY, Announcer, Subscribers
from gateway.settings import Nats, Settings
from gateway.store import Store
from gateway.worker import Handler, Relay, StreamPublisher, Worker
from gateway.worker.retry import Schedule

AT_ONCE = 16
"""Webhooks of one process that are told at once."""
GRACE_SECONDS = 5.0
"""What calls under way get when the gateway stops; what is cut off is sent again."""
CONNECTIONS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Publishing:
    """Who is told of what by one configuration, and how."""

    subscribers: Subscribers
    announcer: Announcer | None
    webhooks: Mapping[str, WebhookPost]
    nats: Nats | None
    stream: NatsStream | None


class Publishers:
    """Made once; open while the gateway runs."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._folder = folder
        self._session = session
        self._clock = clock
        self._public: aiohttp.ClientSession
        self._wake: Callable[[Changes], None] = lambda _: None

    async def __aenter__(self) -> Self:
        """Open the way to addresses that others chose: no connection is made over it to a machine of ours."""
        connector = public_connector(limit=CONNECTIONS, keep=True)
        self._public = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self._public.close()

    def of(self, settings: Settings, agreements: Iterable[Agreement], before: Publishing | None) -> Publishing:
        """As a configuration has it; a stream that is as it was `before` stays connected."""
        subscribers = Subscribers.of(settings, agreements)
        if before is not None and before.nats == settings.nats:
            stream = before.stream
        else:
            stream = None if settings.nats is None else NatsStream(settings.nats, self._folder)
        return Publishing(
            subscribers=subscribers,
            announcer=Announcer.of(settings, subscribers),
            webhooks={
                name: WebhookPost(
                    name, one.webhook, self._folder, session=self._session, public=self._public, clock=self._clock
                )
                for name, one in subscribers.endpoints.items()
            },
            nats=settings.nats,
            stream=stream,
        )

    def told(self, committed: Callable[[Changes], None]) -> Callable[[Changes], None]:
        """To be told of every commit: `committed`, and whoever publishes."""

        def both(changes: Changes) -> None:
            committed(changes)
            self._wake(changes)

        return both

    @asynccontextmanager
    async def working(
        self,
        store: Store,
        current: Callable[[], Publishing],
        notify: Handler,
        schedule: Callable[[Job], Schedule],
        *,
        owner: str,
        died: Callable[[asyncio.Task[None]], None],
    ) -> AsyncIterator[None]:
        """Write what is published to the outbox, and publish it, until the end of the block."""
        notifier = Worker(store, {NOTIFY: notify}, self._clock, owner=owner, concurrency=AT_ONCE, schedule=schedule)
        relay = Relay(store, lambda: current().subscribers, notifier.wake)
        publisher = StreamPublisher(store, lambda: current().stream, self._clock)

        def wake(changes: Changes) -> None:
            announcer = current().announcer
            if announcer is not None and any(event.kind in announcer.subscribers.kinds for event in changes.events):
                relay.wake()
                publisher.wake()

        self._wake = wake
        store.announcer = lambda: current().announcer
        parts = (("notifier", notifier.run()), ("relay", relay.run()), ("publisher", publisher.run()))
        tasks = [asyncio.create_task(part, name=name) for name, part in parts]
        for task in tasks:
            task.add_done_callback(died)
        try:
            yield
        finally:
            for task in tasks[1:]:
                task.cancel()
            await notifier.stop(grace=GRACE_SECONDS)
            await asyncio.wait(tasks)
