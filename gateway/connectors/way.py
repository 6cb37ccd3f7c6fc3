"""How requests to one partner's station travel: TLS, proxy, fixed headers, framing, made once of its agreement.

Verification is never switched off: without `ca` the system's CAs vouch for the station, with `ca` those named, and with
`pinned` its certificate itself, compared in the handshake, before a byte of a request leaves us.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yarl import URL

from gateway.connectors.credentials import basic, checked_header
from gateway.errors import OurFault
from gateway.partners.as2_transport import Proxy, Transport

VERSIONS: Mapping[str, ssl.TLSVersion] = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How a request travels, beside its address. The default: straight, by the system's CAs."""

    tls: ssl.SSLContext | bool = True
    server_name: str | None = None
    proxy: URL | None = None
    proxy_authorization: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    connect_seconds: float = CONNECT_SECONDS
    chunked: bool = False
    expect_from: int | None = None
    """Bodies of so many bytes and more wait for 100 (Continue)."""


STRAIGHT = Way()


class Ways:
    """Makes ways, one TLS context for each distinct setting: partners that agree in it share their connections."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contexts: dict[tuple[object, ...], ssl.SSLContext | bool] = {}

    def of(self, where: str, transport: Transport) -> Way:
        """The way to `where`. Raises OurFault for files and secrets that are missing or do not fit each other."""
        fixed = [checked_header(where, *header) for header in transport.headers.items()]
        if transport.host_header is not None:
            fixed.append(("Host", transport.host_header))
        proxy = transport.proxy
        return Way(
            tls=self._tls(where, transport),
            server_name=transport.server_name,
            proxy=None if proxy is None else URL(proxy.url),
            proxy_authorization=None if proxy is None else self._user(where, proxy),
            headers=tuple(fixed),
            connect_seconds=float(transport.connect_seconds),
            chunked=transport.chunked,
            expect_from=transport.expect_continue_bytes,
        )

    def _user(self, where: str, proxy: Proxy) -> str | None:
        user = proxy.authentication
        return None if user is None else basic(f"proxy to {where}", user, self._folder)

    def _tls(self, where: str, transport: Transport) -> ssl.SSLContext | bool:
        files = (transport.ca, transport.client_certificate, transport.client_key, transport.client_passphrase)
        key = (*files, transport.pinned, transport.minimum_tls)
        if key not in self._contexts:
            plain = not any(files) and not transport.pinned and transport.minimum_tls == "1.2"
            self._contexts[key] = True if plain else _context(where, transport, self._folder)
        return self._contexts[key]


def _context(where: str, transport: Transport, folder: Path) -> ssl.SSLContext:
    try:
        if transport.pinned:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.sslobject_class = _pinned(frozenset(transport.pinned))
        else:
            context = ssl.create_default_context(cafile=None if transport.ca is None else folder / transport.ca)
        context.minimum_version = VERSIONS[transport.minimum_tls]
        if transport.client_certificate is not None and transport.client_key is not None:
            secret = transport.client_passphrase
            # A key with a passphrase would ask at the terminal: an empty one is refused at once instead.
            password = "" if secret is None else secret.read(folder)
            context.load_cert_chain(folder / transport.client_certificate, folder / transport.client_key, password)
    except (OSError, ssl.SSLError, ValueError) as error:
        files = [one for one in (transport.ca, transport.client_certificate, transport.client_key) if one]
        raise OurFault(
            f"{where}: TLS with {', '.join(files)}: {getattr(error, 'strerror', None) or error}",
            remedy="check as2.transport of this partner: PEM files, a key that fits its certificate, its passphrase",
        ) from error
    return context


def _pinned(fingerprints: frozenset[str]) -> type[ssl.SSLObject]:
    """TLS that ends its handshake only with one of these certificates, whatever vouches for it."""

    class Pinned(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
            if shown not in fingerprints:
                raise ssl.SSLCertVerificationError(f"its certificate has SHA-256 {shown}, another one is pinned")

    return Pinned
