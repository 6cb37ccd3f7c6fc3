"""Listening: plain behind a proxy that ends TLS, or HTTPS with certificate files of our own."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from gateway.errors import OurFault
from gateway.settings import Listen, Tls
from gateway.web.connections import BoundedRunner, room_for

HANDSHAKE_SECONDS = 10
"""Longest TLS handshake, and longest goodbye: `listen.max_connections` counts connections from their handshake on."""
BACKLOG = 128
"""Connections that the system holds until they are taken."""
IDLE_SECONDS = 75
"""Longest time between requests, headers of the next one included."""
LINGER_SECONDS = 10
"""How long the rest of a body that was refused is read and thrown away, so that the refusal arrives."""
SHUTDOWN_SECONDS = 10
"""Requests under way may take so long to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A running server."""

    url: str
    port: int
    runner: web.AppRunner
    listening: asyncio.Server

    async def close(self) -> None:
        """Stop listening, let requests under way end, close."""
        self.listening.close()
        await self.runner.cleanup()


async def serve(application: web.Application, listen: Listen, folder: Path) -> Server:
    """Listen as `listen` says; relative certificate files are under `folder`. Raises OurFault."""
    context = None if listen.tls is None else _context(listen.tls, folder)
    runner = BoundedRunner(
        application,
        access_log=None,  # the border writes its own line
        auto_decompress=False,  # a compressed body is refused, not inflated
        handler_cancellation=False,  # what was begun is finished, the caller gone or not
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=LINGER_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    runner.limit = room_for(listen.max_connections)
    await runner.setup()
    assert runner.server is not None
    patience = None if context is None else HANDSHAKE_SECONDS
    try:
        listening = await asyncio.get_running_loop().create_server(
            runner.server,
            listen.host,
            listen.port,
            ssl=context,
            backlog=BACKLOG,
            ssl_handshake_timeout=patience,
            ssl_shutdown_timeout=patience,
        )
    except OSError as error:
        await runner.cleanup()
        raise OurFault(
            f"cannot listen on {listen.host}:{listen.port}: {error.strerror}",
            remedy="stop what uses the port, or set listen.port and listen.host in gateway.yaml",
        ) from error
    port = int(listening.sockets[0].getsockname()[1])
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return Server(
        url=f"{'http' if context is None else 'https'}://{host}:{port}", port=port, runner=runner, listening=listening
    )


def _context(tls: Tls, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A key with a passphrase would ask at the terminal: an empty one is refused at once instead.
        context.load_cert_chain(folder / tls.certificate, folder / tls.key, password="")
        if tls.client_ca is not None:
            # Asked for, not demanded: who must show one is said by agreements, and browsers come here, too. A client's
            # own certificate may stand in the file, whoever signed it.
            context.load_verify_locations(folder / tls.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    except (OSError, ssl.SSLError) as error:
        raise OurFault(
            f"TLS with {', '.join(filter(None, (tls.certificate, tls.key, tls.client_ca)))}: {error.strerror or error}",
            remedy="check listen.tls in gateway.yaml: PEM files, the chain first, a key without passphrase that fits",
        ) from error
    return context
