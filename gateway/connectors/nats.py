"""Events to a NATS JetStream, each with its id as `Nats-Msg-Id`: what comes twice is stored once.

Needs the extra `partner-gateway[nats]`. The connection is made once and, when it is lost, anew by whoever publishes;
there is no buffer here, because what is not acknowledged is in the outbox.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.connectors.said import clean
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.settings import Nats

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

CONNECT_SECONDS = 5
ACKNOWLEDGE_SECONDS = 10.0
DUPLICATES_SECONDS = 3600.0
"""How long a stream that we make knows an event's id: longer than a publisher is away without an operator knowing."""
NOBODY = "_"
"""Stands in a subject for the partner, where there is none; no partner's name begins so."""

log = logging.getLogger(__name__)


def subject_of(prefix: str, type_: str, partner: str | None) -> str:
    """`gateway.order.line.backordered.acme`."""
    return f"{prefix}.{type_}.{partner or NOBODY}"


class NatsStream:
    """Keeps `worker.streaming.EventStream`."""

    def __init__(self, settings: Nats, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None
        self._said = ""
        """The last thing that was wrong."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None and self._client.is_connected

    async def connect(self) -> None:
        """Connect, and make the stream where none takes our subjects. Raises OurFault."""
        try:
            from nats.aio.client import Client  # noqa: PLC0415  an extra
            from nats.errors import Error  # noqa: PLC0415
            from nats.js.errors import Error as JetStreamError  # noqa: PLC0415
            from nats.js.errors import NotFoundError  # noqa: PLC0415
        except ImportError as error:
            raise OurFault(
                "nats: is configured, but its client is not installed",
                remedy="pip install 'partner-gateway[nats]', or remove nats: from gateway.yaml",
            ) from error
        await self.close()
        ours = self._settings
        where = ", ".join(ours.servers)
        options = self._options()
        client = Client()
        try:
            await client.connect(servers=list(ours.servers), **options)
        except (OSError, Error, TimeoutError) as error:
            with contextlib.suppress(Exception):
                await client.close()  # it leaves the socket open when a server goes away while it greets
            raise OurFault(
                f"NATS at {where} cannot be reached: {self._said or _of(error)}",
                remedy="check servers, user and TLS under nats: in gateway.yaml; events wait in the outbox",
            ) from error
        stream = client.jetstream(timeout=ACKNOWLEDGE_SECONDS)
        try:
            try:
                await stream.find_stream_name_by_subject(f"{ours.subject}.>")
            except NotFoundError:
                await stream.add_stream(
                    name=ours.stream, subjects=[f"{ours.subject}.>"], duplicate_window=DUPLICATES_SECONDS
                )
                log.info("NATS: stream %s was made for %s.>", ours.stream, ours.subject)
        except (JetStreamError, Error, TimeoutError) as error:
            await client.close()
            raise OurFault(
                f"NATS at {where} has no stream for {ours.subject}.>: {clean(str(error), 200)}",
                remedy=f"make one, or allow this user to make {ours.stream}; JetStream must be on (nats-server -js)",
            ) from error
        self._client, self._stream = client, stream

    async def publish(self, event_id: str, type_: str, partner: str | None, body: str) -> None:
        """Publish and await the acknowledgment. Raises DeliveryFailed: uncertain, for it may be there."""
        if self._stream is None:
            raise DeliveryFailed("there is no connection", outcome=Outcome.TRANSIENT)
        from nats.errors import Error  # noqa: PLC0415  an extra, see `connect`

        subject = subject_of(self._settings.subject, type_, partner)
        headers = {"Nats-Msg-Id": event_id, "Content-Type": "application/cloudevents+json"}
        try:
            await self._stream.publish(subject, body.encode(), timeout=ACKNOWLEDGE_SECONDS, headers=headers)
        except (Error, OSError, TimeoutError) as error:
            said = clean(str(error) or type(error).__name__, 200)
            raise DeliveryFailed(f"{subject}: {said}", outcome=Outcome.UNCERTAIN) from error

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = self._stream = None

    def _options(self) -> dict[str, Any]:
        ours = self._settings
        found: dict[str, Any] = {
            "name": "partner-gateway",
            # Whoever publishes connects anew, and waits in between; nothing is buffered here.
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,
            "reconnect_time_wait": 0.1,
            "connect_timeout": CONNECT_SECONDS,
            "error_cb": self._failed,
        }
        if ours.user is not None and ours.password is not None:
            found |= {"user": ours.user, "password": ours.password.read(self._folder)}
        if ours.token is not None:
            found["token"] = ours.token.read(self._folder)
        if ours.ca is not None:
            try:
                found["tls"] = ssl.create_default_context(cafile=self._folder / ours.ca)
            except (OSError, ssl.SSLError) as error:
                raise OurFault(f"nats: {ours.ca}: {error}", remedy="a PEM file with CA certificates") from error
        return found

    async def _failed(self, error: Exception) -> None:
        self._said = _of(error)
        log.info("NATS: %s", self._said)


def _of(error: BaseException) -> str:
    """In words. A server that refuses us says why and hangs up; its reset may overtake, and take away, what it said."""
    said = clean(str(error) or type(error).__name__, 200)
    return f"{said} (as on a failed Authorization, too)" if isinstance(error, ConnectionResetError) else said
